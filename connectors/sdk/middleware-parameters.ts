// Parameters under `sdk.` that every built-in source and destination of records accepts, named as Conduit's Go SDK names them.
// What they do stands in source-middleware.ts and destination-middleware.ts.
import type { Parameter } from './parameters.ts';

export const sourceMiddlewareParameters: readonly Parameter[] = [
  {
    name: 'sdk.batch.size',
    type: { kind: 'integer', min: 0 },
    required: false,
    default: 0,
    description: 'The most records that go on as one batch. 0: as they come.',
  },
  {
    name: 'sdk.batch.delay',
    type: { kind: 'duration' },
    required: false,
    default: '0',
    description: 'How long fewer records than sdk.batch.size wait for more.',
  },
  {
    name: 'sdk.schema.extract.type',
    type: { kind: 'enum', values: ['avro'] },
    required: false,
    default: 'avro',
    description: 'The kind of schema.',
  },
  {
    name: 'sdk.schema.extract.payload.enabled',
    type: { kind: 'boolean' },
    required: false,
    default: false,
    description:
      'A structured payload becomes Avro data, and the metadata name its schema. false: it keeps its types as they are, without a schema.',
  },
  {
    name: 'sdk.schema.extract.payload.subject',
    type: { kind: 'string' },
    required: false,
    default: 'payload',
    description: 'What the subject of the schema ends with, behind the collection of the record.',
  },
  {
    name: 'sdk.schema.extract.key.enabled',
    type: { kind: 'boolean' },
    required: false,
    default: false,
    description: 'The same for a structured key.',
  },
  {
    name: 'sdk.schema.extract.key.subject',
    type: { kind: 'string' },
    required: false,
    default: 'key',
    description: 'The same for keys.',
  },
  {
    name: 'sdk.schema.context.enabled',
    type: { kind: 'boolean' },
    required: false,
    default: true,
    description: 'Whether the subject begins with a context.',
  },
  {
    name: 'sdk.schema.context.name',
    type: { kind: 'string' },
    required: false,
    default: '',
    description: 'The context. Empty: the id of the connector.',
  },
];

export const destinationMiddlewareParameters: readonly Parameter[] = [
  {
    name: 'sdk.batch.size',
    type: { kind: 'integer', min: 0 },
    required: false,
    default: 0,
    description: 'Accepted: records are gathered and written in large pieces anyway.',
  },
  {
    name: 'sdk.batch.delay',
    type: { kind: 'duration' },
    required: false,
    default: '0',
    description: 'Accepted: what has been gathered is written as soon as no more records wait.',
  },
  {
    name: 'sdk.rate.perSecond',
    type: { kind: 'number', min: 0 },
    required: false,
    default: 0,
    description: 'The most records a second. 0: no bound.',
  },
  {
    name: 'sdk.rate.burst',
    type: { kind: 'integer', min: 0 },
    required: false,
    default: 0,
    description: 'Records that may be written at once after a pause. 0: as many as in a second.',
  },
  {
    name: 'sdk.record.format',
    type: { kind: 'enum', values: ['opencdc/json', 'debezium/json', 'template'] },
    required: false,
    default: 'opencdc/json',
    description: 'How a record is written.',
  },
  {
    name: 'sdk.record.format.options',
    type: { kind: 'string' },
    required: false,
    default: '',
    description:
      'Of template: the Go template. Of debezium/json: debezium.schema.name=NAME and debezium.rawData.key=NAME, separated by commas.',
  },
  {
    name: 'sdk.schema.extract.payload.enabled',
    type: { kind: 'boolean' },
    required: false,
    default: true,
    description: 'Payloads with a schema in their metadata are decoded.',
  },
  {
    name: 'sdk.schema.extract.key.enabled',
    type: { kind: 'boolean' },
    required: false,
    default: true,
    description: 'Keys with a schema in their metadata are decoded.',
  },
];
