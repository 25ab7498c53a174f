// The keys of a pipeline file, and of the object that `Pipeline.open` takes, as data: what validation checks a definition against.
//
// What stands below `inputs` and `outputs` is checked connector by connector (connector-parsing.ts).
import type { Parameter } from '../../connectors/sdk/parameters.ts';

export const definitionParameters: readonly Parameter[] = [
  { name: 'name', type: { kind: 'string' }, required: false, description: 'Name of the pipeline.' },
  { name: 'program', type: { kind: 'string' }, required: true, description: 'SQL text.' },
  { name: 'inputs', type: { kind: 'map', value: { kind: 'any' } }, required: false, description: 'Input connectors.' },
  {
    name: 'outputs',
    type: { kind: 'map', value: { kind: 'any' } },
    required: false,
    description: 'Output connectors.',
  },
  {
    name: 'on_error',
    type: { kind: 'enum', values: ['stop', 'skip'] },
    required: false,
    default: 'stop',
    description: 'What an expression that fails on a row does: stop the pipeline, or leave the row out and count it.',
  },
  {
    name: 'workers',
    type: { kind: 'integer', min: 1, max: 64 },
    required: false,
    default: 1,
    description: 'Threads that compute the views, each for the rows of its own keys.',
  },
  {
    name: 'decode_workers',
    type: { kind: 'integer', min: 1, max: 256 },
    required: false,
    description: 'Threads that decode large inputs. Default: the number of cores less one, at least 1.',
  },
  {
    name: 'connector_modules',
    type: { kind: 'list', item: { kind: 'string' } },
    required: false,
    description: 'Modules that define connectors of your own. Relative paths start at the folder of the pipeline file.',
  },
  {
    name: 'functions',
    type: { kind: 'any' },
    required: false,
    description: 'A module, or a list of modules, with SQL functions and aggregates of your own.',
  },
  {
    name: 'transport_defaults',
    type: { kind: 'map', value: { kind: 'map', value: { kind: 'any' } } },
    required: false,
    description: 'By transport: configuration keys that its connectors leave out.',
  },
];
