// Parameters of the avro formats: names and defaults as Feldera's have them.
import type { Parameter } from '../sdk/parameters.ts';

const registryParameters: readonly Parameter[] = [
  {
    name: 'registry_urls',
    type: { kind: 'list', item: { kind: 'string' } },
    required: false,
    default: [],
    description:
      'Addresses of a schema registry that speaks the protocol of Confluent; the first that answers is asked.',
  },
  {
    name: 'registry_headers',
    type: { kind: 'map', value: { kind: 'string' } },
    required: false,
    default: {},
    secret: true,
    description: 'Headers of every request to the registry.',
  },
  {
    name: 'registry_proxy',
    type: { kind: 'string' },
    required: false,
    description: 'Proxy on the way to the registry.',
  },
  {
    name: 'registry_timeout_secs',
    type: { kind: 'integer', min: 1 },
    required: false,
    description: 'Deadline of a request to the registry, in seconds. Default 10.',
  },
  { name: 'registry_username', type: { kind: 'string' }, required: false, description: 'User name.' },
  { name: 'registry_password', type: { kind: 'string' }, required: false, secret: true, description: 'Password.' },
  {
    name: 'registry_authorization_token',
    type: { kind: 'string' },
    required: false,
    secret: true,
    description: 'Bearer token, instead of a user name.',
  },
];

const schemaParameter = (description: string): Parameter => ({
  name: 'schema',
  type: { kind: 'string' },
  required: false,
  description,
});

const skipSchemaId: Parameter = {
  name: 'skip_schema_id',
  type: { kind: 'boolean' },
  required: false,
  default: false,
  description: 'Messages are the bare data, without the five bytes in front that name a schema of the registry.',
};

const threads: Parameter = {
  name: 'threads',
  type: { kind: 'integer', min: 1 },
  required: false,
  description: 'Accepted, without effect.',
};

export const avroInputParameters: readonly Parameter[] = [
  {
    name: 'update_format',
    type: { kind: 'enum', values: ['raw', 'debezium'] },
    required: false,
    default: 'raw',
    description: '`raw`: each message is a row to insert. `debezium`: an event with the row `before` and `after`.',
  },
  schemaParameter('The schema of all messages, as JSON. Instead of a registry.'),
  skipSchemaId,
  ...registryParameters,
  threads,
];

export const avroOutputParameters: readonly Parameter[] = [
  {
    name: 'update_format',
    type: { kind: 'enum', values: ['raw', 'confluent_jdbc'] },
    required: false,
    default: 'raw',
    description:
      '`raw`: the row, and the header `op`: insert, update or delete. `confluent_jdbc`: the row under its key, or nothing where it is deleted.',
  },
  schemaParameter('The schema of the rows, as JSON. Default: made from the columns.'),
  {
    name: 'key_mode',
    type: { kind: 'enum', values: ['none', 'key_fields'] },
    required: false,
    description:
      'Whether messages have a key: the columns of the `index` of the connector. Default: when it has an `index`.',
  },
  {
    name: 'cdc_field',
    type: { kind: 'string' },
    required: false,
    description: 'A field more, of this name, with what the message does: I, U or D. Only with `update_format: raw`.',
  },
  { name: 'namespace', type: { kind: 'string' }, required: false, description: 'Namespace of schemas that are made.' },
  {
    name: 'subject_name_strategy',
    type: { kind: 'enum', values: ['topic_name', 'record_name', 'topic_record_name'] },
    required: false,
    description:
      'Under which subject schemas are registered. Default: record_name with `raw`, topic_name with `confluent_jdbc`.',
  },
  skipSchemaId,
  ...registryParameters,
  threads,
];
