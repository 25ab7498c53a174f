// What configurations may say of s3_input and s3_output. Their code is loaded when they are used.
import type { DestinationDeclaration, SourceDeclaration } from '../sdk/load-on-use.ts';
import { s3Parameters } from './s3-parameters.ts';

export const s3InputDeclaration: SourceDeclaration = {
  kind: 'source',
  name: 's3_input',
  summary: 'Reads objects of a bucket of Amazon S3, or of a server that speaks its protocol.',
  description:
    'Objects come in the order of their keys; each is a stream of its own, so that a CSV header stands in each. Parts of 4 MiB are fetched side by side and given out in order. A run goes on at (key, offset); an object that was replaced meanwhile is an error. Requests that fail in a way that may pass are tried again with growing pauses. With `watch` the input never ends: new objects are seen when their keys sort behind the last one.',
  format: 'required',
  parameters: [
    ...s3Parameters,
    {
      name: 'key',
      type: { kind: 'string' },
      required: false,
      description: 'The object to read. Either key or prefix.',
    },
    {
      name: 'prefix',
      type: { kind: 'string' },
      required: false,
      description: 'Read every object whose key begins so, in the order of the keys.',
    },
    {
      name: 'max_concurrent_fetches',
      type: { kind: 'integer', min: 1, max: 256 },
      required: false,
      default: 8,
      description: 'Requests for parts of 4 MiB that run at a time; so many parts are held in memory.',
    },
    {
      name: 'watch',
      type: { kind: 'boolean' },
      required: false,
      default: false,
      description: 'Millrace: go on looking for objects behind the last key. The input never ends then. Needs prefix.',
    },
    {
      name: 'watch_interval',
      type: { kind: 'duration' },
      required: false,
      default: '1s',
      description: 'Millrace: pause between two looks.',
    },
  ],
};

export const s3OutputDeclaration: DestinationDeclaration = {
  kind: 'destination',
  name: 's3_output',
  summary: 'Writes changes as objects of a bucket of Amazon S3, or of a server that speaks its protocol.',
  description:
    'Changes are gathered until there are a million (`max_output_buffer_size_records`) or the oldest is ten seconds old (`max_output_buffer_time_millis`), merged, and written as one object: lines of JSON or CSV, or a Parquet file, which takes insertions only. Keys sort by time. Its user needs the right to put objects, and no other. A request that fails in a way that may pass is tried again under the same key; after a crash the changes since the last checkpoint come again in other objects: at least once. With `delivery: exactly_once` objects are uploaded in parts and appear with the checkpoint of the pipeline that holds their changes: nothing comes twice, and nothing is seen that is taken back. That needs the right to list and abort multipart uploads of the bucket as well.',
  isExactlyOnce: ({ delivery }) => delivery === 'exactly_once',
  format: 'required',
  streamPerFlush: true,
  outputBuffer: { timeMs: 10_000, records: 1_000_000 },
  parameters: [
    ...s3Parameters,
    {
      name: 'prefix',
      type: { kind: 'string' },
      required: false,
      default: '',
      description: 'What the keys of all objects begin with, such as `changes/`.',
    },
    {
      name: 'suffix',
      type: { kind: 'string' },
      required: false,
      default: '',
      description: 'What they end with, such as `.json`.',
    },
    {
      name: 'content_type',
      type: { kind: 'string' },
      required: false,
      default: 'application/octet-stream',
      description: 'Content-Type of the objects.',
    },
    {
      name: 'delivery',
      type: { kind: 'enum', values: ['at_least_once', 'exactly_once'] },
      required: false,
      default: 'at_least_once',
      description:
        '`exactly_once`: after a crash nothing comes twice, nothing is seen that the pipeline takes back, and nothing is missing. Needs a data folder.',
    },
    {
      name: 'output_id',
      type: { kind: 'string' },
      required: false,
      description:
        'With `exactly_once`: tells the uploads of this output from those of others under the same prefix, which it must not abort. Default: PIPELINE/VIEW.CONNECTOR.',
    },
  ],
};
