// The keys of a connector object, as data: what may stand in `connector_config`, in a SQL `connectors` list, in a REST
// body. Names and defaults follow Feldera's (max_queued_records 1 000 000, …); keys that are ours say so.
import type { Parameter } from '../../connectors/sdk/parameters.ts';

/** Rows that may wait before the engine; the sender is then throttled. */
export const maxQueuedRecordsDefault = 1_000_000;
/** The most bytes that may wait, unless the user says otherwise. */
export const maxQueuedBytesDefault: number = 64 * 1024 * 1024;
export const maxOutputBufferSizeRecordsDefault = 10_000_000;

const namedConfiguration = (what: string): readonly Parameter[] => [
  { name: 'name', type: { kind: 'string' }, required: true, description: `Name of the ${what}.` },
  { name: 'config', type: { kind: 'any' }, required: false, description: `Parameters of the ${what}.` },
];

const both: readonly Parameter[] = [
  {
    name: 'name',
    type: { kind: 'string' },
    required: false,
    description: 'Unique within its relation: letters, digits, _ and -, at most 100.',
  },
  {
    name: 'transport',
    type: { kind: 'object', parameters: namedConfiguration('transport') },
    required: true,
    description: 'How bytes move.',
  },
  {
    name: 'format',
    type: { kind: 'object', parameters: namedConfiguration('format') },
    required: false,
    description: 'How bytes become changes, or changes bytes.',
  },
  {
    name: 'labels',
    type: { kind: 'list', item: { kind: 'string' } },
    required: false,
    default: [],
    description: 'Names that other connectors can wait for in start_after. Any non-empty strings.',
  },
  {
    name: 'start_after',
    type: { kind: 'any' },
    required: false,
    description: 'A label or a non-empty list of labels: starts when every connector that carries one has finished.',
  },
  {
    name: 'paused',
    type: { kind: 'boolean' },
    required: false,
    default: false,
    description: 'Starts only when it is resumed by hand.',
  },
  {
    name: 'max_queued_records',
    type: { kind: 'integer', min: 1, max: 2 ** 31 },
    required: false,
    default: maxQueuedRecordsDefault,
    description: 'Rows that may wait in the queue between the connector and the engine.',
  },
  {
    name: 'max_queued_bytes',
    type: { kind: 'integer', min: 1, max: 2 ** 40 },
    required: false,
    description: 'Bytes that may wait there. Default: 1 000 for each of max_queued_records, at most 64 MiB.',
  },
];

export const inputParameters: readonly Parameter[] = [
  ...both,
  {
    name: 'on_dependency_failure',
    type: { kind: 'enum', values: ['wait', 'fail', 'continue'] },
    required: false,
    default: 'wait',
    description: 'Millrace: what to do when a connector that start_after waits for fails.',
  },
  {
    name: 'strict',
    type: { kind: 'boolean' },
    required: false,
    default: false,
    description: 'Millrace: fields that the table lacks are parse errors instead of being ignored and counted.',
  },
  {
    name: 'max_batch_size',
    type: { kind: 'integer', min: 1, max: 2 ** 31 },
    required: false,
    description: 'The most records of this connector that enter one step.',
  },
  {
    name: 'max_worker_batch_size',
    type: { kind: 'integer', min: 1, max: 2 ** 31 },
    required: false,
    description: 'The same for each of the `workers` of the pipeline; max_batch_size wins.',
  },
];

/** On outputs these are accepted as Feldera accepts them. */
const withoutEffect: Readonly<Record<string, string>> = {
  labels: 'Accepted on outputs, without effect.',
  start_after: 'Accepted on outputs, without effect; its form is checked.',
  paused: 'Only false: an output cannot be paused.',
};

export const outputParameters: readonly Parameter[] = [
  ...both.map((parameter) => ({ ...parameter, description: withoutEffect[parameter.name] ?? parameter.description })),
  {
    name: 'on_full',
    type: { kind: 'enum', values: ['block', 'drop'] },
    required: false,
    default: 'block',
    description: 'Millrace: what a full queue does: the pipeline waits, or this output loses changes (counted).',
  },
  {
    name: 'index',
    type: { kind: 'string' },
    required: false,
    description:
      'An index of the relation, made by CREATE INDEX, whose columns are a unique key: a row that goes while another one with its key comes is an update.',
  },
  {
    name: 'send_snapshot',
    type: { kind: 'boolean' },
    required: false,
    default: false,
    description: 'Sends the whole content first. Needs a materialized relation.',
  },
  {
    name: 'enable_output_buffer',
    type: { kind: 'boolean' },
    required: false,
    default: false,
    description: 'Merges changes of several steps before they are written.',
  },
  {
    name: 'max_output_buffer_time_millis',
    type: { kind: 'integer', min: 0, max: 2 ** 53 - 1 },
    required: false,
    description:
      'Milliseconds after which a buffered change is written at the latest. Default: only when full or at the end.',
  },
  {
    name: 'max_output_buffer_size_records',
    type: { kind: 'integer', min: 1, max: 2 ** 53 - 1 },
    required: false,
    default: maxOutputBufferSizeRecordsDefault,
    description: 'Changes after which the buffer is written.',
  },
];
