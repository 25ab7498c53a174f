// What configurations may say of kafka_input and kafka_output. Their code is loaded when one of them is used.
import type { DestinationDeclaration, SourceDeclaration } from '../sdk/load-on-use.ts';
import type { Parameter } from '../sdk/parameters.ts';
import { kafkaParameters } from './kafka-parameters.ts';
import { inputRules, outputRules } from './kafka-rules.ts';

const metadataParts: readonly (readonly [part: string, what: string])[] = [
  ['topic', 'the topic'],
  ['partition', 'the partition'],
  ['offset', 'the offset'],
  ['timestamp', 'the time'],
  ['headers', 'the headers, a MAP<VARCHAR, VARBINARY>,'],
  ['key', 'the key, a VARBINARY,'],
];

export const kafkaInputDeclaration: SourceDeclaration = {
  kind: 'source',
  name: 'kafka_input',
  givesMessages: true,
  rules: inputRules,
  summary: 'Reads a topic of Kafka, or several.',
  description:
    'Keys with dots are those of librdkafka. There is no consumer group: Millrace keeps the offsets and goes on behind the last record that it has acknowledged. All partitions are read, also those that are added later; leaders that move are found again, and one that does not answer any more is left after five seconds, when another one has its partitions. The value of each record is one or more records of the format, whatever the others hold; records without a value are left out, and those of aborted transactions are never seen.',
  format: 'required',
  parameters: [
    ...kafkaParameters,
    { name: 'topic', type: { kind: 'string' }, required: false, description: 'Topic.' },
    {
      name: 'topics',
      type: { kind: 'list', item: { kind: 'string' } },
      required: false,
      description: 'Several topics, instead of one. Offsets and numbers of partitions then cannot be given.',
    },
    {
      name: 'start_from',
      type: { kind: 'any' },
      required: false,
      description:
        '`earliest`, `latest` (default), {"offsets": [one for each partition]} or {"timestamp": milliseconds since 1970}. A run that goes on from a checkpoint goes on there instead.',
    },
    {
      name: 'partitions',
      type: { kind: 'list', item: { kind: 'integer', min: 0 } },
      required: false,
      description: 'Partitions to read. Default: all, also those that are added later.',
    },
    {
      name: 'resume_earliest_if_data_expires',
      type: { kind: 'boolean' },
      required: false,
      default: false,
      description: 'Go on with the oldest records that are left when those that come next have expired.',
    },
    {
      name: 'auto.offset.reset',
      type: { kind: 'any' },
      required: false,
      description:
        'Where to go on when the first records of a partition are deleted before any was read: `earliest`, `latest`, or `error` (default). It is not where reading begins (start_from is), but with `topics` and without start_from.',
    },
    {
      name: 'enable.partition.eof',
      type: { kind: 'any' },
      required: false,
      description:
        '`true`: the input ends when everything has been read that there is, as one of a file does; connectors that start after it then start. Default false.',
    },
    {
      name: 'header_filter',
      type: { kind: 'any' },
      required: false,
      description:
        'Reads only messages whose headers satisfy this: {"header": {"name": …, "pattern": regular expression for the whole value}}, {"and": […]}, {"or": […]} or {"not": …}.',
    },
    ...metadataParts.map(
      ([part, what]): Parameter => ({
        name: `include_${part}`,
        type: { kind: 'boolean' },
        required: false,
        default: false,
        description: `Columns may read ${what} of a message in their DEFAULT: CONNECTOR_METADATA()['kafka_${part}'].`,
      }),
    ),
    {
      name: 'isolation.level',
      type: { kind: 'enum', values: ['read_committed', 'read_uncommitted'] },
      required: false,
      default: 'read_committed',
      description: 'Whether records of transactions that are open or aborted are left out.',
    },
    {
      name: 'fetch.max.bytes',
      type: { kind: 'any' },
      required: false,
      description: 'Bytes of an answer of a broker. Default 8388608.',
    },
    {
      name: 'max.partition.fetch.bytes',
      type: { kind: 'any' },
      required: false,
      description: 'Bytes of a partition in an answer. Default 4194304.',
    },
    {
      name: 'fetch.message.max.bytes',
      type: { kind: 'any' },
      required: false,
      description: 'The same as max.partition.fetch.bytes.',
    },
    {
      name: 'fetch.wait.max.ms',
      type: { kind: 'any' },
      required: false,
      description: 'How long a broker waits for records when it has none, in milliseconds. Default 250.',
    },
    {
      name: 'group_join_timeout_secs',
      type: { kind: 'integer', min: 0 },
      required: false,
      description: 'Accepted, without effect: there is no group.',
    },
    {
      name: 'synchronize_partitions',
      type: { kind: 'boolean' },
      required: false,
      default: false,
      description: 'Records of all partitions in the order of their times: refused.',
    },
    {
      name: 'poller_threads',
      type: { kind: 'integer', min: 1 },
      required: false,
      description: 'Accepted, without effect.',
    },
  ],
};

export const kafkaOutputDeclaration: DestinationDeclaration = {
  kind: 'destination',
  name: 'kafka_output',
  takesMessages: true,
  rules: outputRules,
  summary: 'Writes to a topic of Kafka.',
  description:
    'Every record that the format prints is a message. Formats that make messages give them keys and headers, and a key has its partition; without keys batches go to the partitions in turn. For sinks of Kafka Connect: `format: { name: json, config: { update_format: debezium, key_fields: [id] } }`. What is written is confirmed when all replicas have it (`acks`). A batch whose confirmation was lost is sent again under its number, so that it is there once; with another `acks` than `all` brokers cannot tell. After a crash of Millrace what was not confirmed comes again: at least once.',
  format: 'required',
  parameters: [
    ...kafkaParameters,
    { name: 'topic', type: { kind: 'string' }, required: true, description: 'Topic. It exists.' },
    ...['auto.offset.reset', 'enable.partition.eof'].map(
      (name): Parameter => ({
        name,
        type: { kind: 'any' },
        required: false,
        description: 'Of inputs: accepted, without effect.',
      }),
    ),
    {
      name: 'headers',
      type: {
        kind: 'list',
        item: {
          kind: 'object',
          parameters: [
            { name: 'key', type: { kind: 'string' }, required: true, description: 'Name of the header.' },
            {
              name: 'value',
              type: { kind: 'any' },
              required: false,
              description: 'Its value: a text, or a list of bytes. Without one it has none.',
            },
          ],
        },
      },
      required: false,
      default: [],
      description: 'Headers of every message.',
    },
    {
      name: 'compression.type',
      type: { kind: 'enum', values: ['none', 'gzip', 'snappy', 'lz4', 'zstd'] },
      required: false,
      description:
        'How batches are compressed. Default none. zstd needs Node 22.15 or newer; it is read by every version.',
    },
    {
      name: 'compression.codec',
      type: { kind: 'enum', values: ['none', 'gzip', 'snappy', 'lz4', 'zstd'] },
      required: false,
      description: 'The same as compression.type.',
    },
    {
      name: 'acks',
      type: { kind: 'any' },
      required: false,
      description: '`all` (default) or -1, 1, 0: how many replicas have a message before it counts as written.',
    },
    { name: 'request.required.acks', type: { kind: 'any' }, required: false, description: 'The same as acks.' },
    {
      name: 'message.max.bytes',
      type: { kind: 'any' },
      required: false,
      description: 'Bytes of a batch, unless it is one message. Default and at most 524288.',
    },
    {
      name: 'partitioner',
      type: { kind: 'enum', values: ['murmur2', 'murmur2_random'] },
      required: false,
      description: 'How a key has its partition: as the clients of Java do it, which is all there is.',
    },
    {
      name: 'kafka_service',
      type: { kind: 'any' },
      required: false,
      description: 'Options under a name of their own: refused.',
    },
    {
      name: 'fault_tolerance',
      type: { kind: 'any' },
      required: false,
      description: 'Options of transactions: refused. Delivery is at least once.',
    },
    {
      name: 'initialization_timeout_secs',
      type: { kind: 'integer', min: 1 },
      required: false,
      default: 60,
      description: 'Accepted, without effect: max_retries bounds the start.',
    },
  ],
};
