// What configurations may say of datagen and of the connector `generator`. Their code is loaded when one of them is used.
import type { SourceDeclaration } from '../sdk/load-on-use.ts';
import { sourceMiddlewareParameters } from '../sdk/middleware-parameters.ts';
import type { Parameter, ParameterValues } from '../sdk/parameters.ts';
import { recordOperations } from '../sdk/record.ts';
import type { SettingProblem } from '../sdk/setting-rules.ts';
import { dataKinds, textStrategyNames } from './text-strategy-names.ts';

const fieldParameters: readonly Parameter[] = [
  {
    name: 'strategy',
    type: { kind: 'string' },
    required: false,
    default: 'increment',
    description: `increment, uniform or zipf; for texts also ${textStrategyNames.join(', ')}.`,
  },
  {
    name: 'range',
    type: { kind: 'list', item: { kind: 'any' } },
    required: false,
    description: '[first, behind the last). Numbers, or texts for dates and times; the length of texts and bytes.',
  },
  { name: 'scale', type: { kind: 'number' }, required: false, default: 1, description: 'Multiplies what is drawn.' },
  {
    name: 'e',
    type: { kind: 'number', min: 0 },
    required: false,
    default: 1,
    description: 'Exponent of zipf: the larger, the more often the first values come.',
  },
  {
    name: 'values',
    type: { kind: 'list', item: { kind: 'any' } },
    required: false,
    description: 'Values to pick from, by the strategy. An empty list makes every value NULL.',
  },
  {
    name: 'null_percentage',
    type: { kind: 'number', min: 0, max: 100 },
    required: false,
    default: 0,
    description: 'How many of a hundred values are NULL.',
  },
  ...['fields', 'key', 'value'].map(
    (name): Parameter => ({
      name,
      type: { kind: 'any' },
      required: false,
      description: 'Parts of an ARRAY, a MAP or a ROW: refused. They are empty unless `values` lists others.',
    }),
  ),
];

const collectionParameters: readonly Parameter[] = [
  {
    name: 'operations',
    type: { kind: 'list', item: { kind: 'enum', values: recordOperations } },
    required: false,
    default: ['create'],
    description: 'Operations of the records, chosen by chance: create, update, delete, snapshot.',
  },
  {
    name: 'format.type',
    type: { kind: 'enum', values: ['raw', 'structured', 'file'] },
    required: false,
    description: 'raw: JSON text. structured: structured data. file: the content of a file, the same in every record.',
  },
  {
    name: 'format.options',
    type: { kind: 'map', value: { kind: 'enum', values: dataKinds } },
    required: false,
    default: {},
    description: 'Fields of raw and structured data, one a name below: format.options.id = int.',
  },
  {
    name: 'format.options.path',
    type: { kind: 'string' },
    required: false,
    description: 'The file, for the type file.',
  },
];

const parameters: readonly Parameter[] = [
  {
    name: 'rate',
    type: { kind: 'number', min: 0 },
    required: false,
    default: 0,
    description: 'Records a second. 0: as fast as they are taken.',
  },
  {
    name: 'recordCount',
    type: { kind: 'integer', min: 0 },
    required: false,
    default: 0,
    description: 'Records in all. 0: without end.',
  },
  {
    name: 'readTime',
    type: { kind: 'duration' },
    required: false,
    default: '0',
    description: 'How long a record takes; the older spelling of rate.',
  },
  {
    name: 'burst.sleepTime',
    type: { kind: 'duration' },
    required: false,
    default: '0',
    description: 'Pause between bursts. 0: no bursts.',
  },
  {
    name: 'burst.generateTime',
    type: { kind: 'duration' },
    required: false,
    default: '1s',
    description: 'How long a burst lasts.',
  },
  ...collectionParameters,
  {
    name: 'collections',
    type: { kind: 'map', value: { kind: 'object', parameters: collectionParameters } },
    required: false,
    default: {},
    description:
      'More kinds of records, each with a collection in its metadata: collections.users.format.type, collections.users.operations …',
  },
  ...sourceMiddlewareParameters,
];

export const generatorRecordSourceDeclaration: SourceDeclaration = {
  kind: 'source',
  name: 'generator',
  summary: 'Makes records up.',
  format: 'none',
  produces: 'records',
  parameters,
};

export const datagenDeclaration: SourceDeclaration = {
  kind: 'source',
  name: 'datagen',
  summary: 'Generates rows.',
  format: 'none',
  rules: datagenRules,
  parameters: [
    {
      name: 'transaction_size',
      type: { kind: 'integer', min: 0 },
      required: false,
      description: 'Rows of a transaction of its own: refused. 0 asks for none.',
    },
    {
      name: 'plan',
      required: false,
      description: 'Plans, run one after the other. Without any: rows without end.',
      type: {
        kind: 'list',
        item: {
          kind: 'object',
          parameters: [
            {
              name: 'limit',
              type: { kind: 'integer', min: 0 },
              required: false,
              description: 'Rows to generate. Without it the plan never ends.',
            },
            {
              name: 'rate',
              type: { kind: 'number', min: 0.001 },
              required: false,
              description: 'Rows a second. Without it as fast as they are taken.',
            },
            {
              name: 'worker_chunk_size',
              type: { kind: 'integer', min: 1 },
              required: false,
              description: 'Rows of one batch, at most 10000.',
            },
            {
              name: 'fields',
              type: { kind: 'map', value: { kind: 'object', parameters: fieldParameters } },
              required: false,
              default: {},
              description: 'Settings by column. A column without settings counts.',
            },
          ],
        },
      },
    },
    {
      name: 'seed',
      type: { kind: 'integer', min: 0 },
      required: false,
      description: 'The same seed makes the same rows. Without it every start makes others.',
    },
    {
      name: 'workers',
      type: { kind: 'integer', min: 1 },
      required: false,
      default: 1,
      description: 'Accepted; one thread generates.',
    },
  ],
};

function* datagenRules({ plan, transaction_size: size }: ParameterValues): Iterable<SettingProblem> {
  if (size !== undefined && size !== 0) {
    const reason =
      'is not supported: begin and commit transactions yourself (…/start_transaction, …/commit_transaction)';
    yield { key: 'transaction_size', reason };
  }
  for (const [n, { fields }] of (Array.isArray(plan) ? plan : []).map(Object).entries()) {
    for (const [column, settings] of Object.entries(Object(fields))) {
      for (const part of ['fields', 'key', 'value']) {
        if (Object(settings)[part] === undefined) continue;
        const where = `plan[${n}].fields.${column}.${part}`;
        yield { key: 'plan', reason: `has ${where}, which is not supported: list whole values in \`values\`` };
      }
    }
  }
}
