// The formats of an answer to a query, by name. A reply that fails in the middle ends with `failed`, as far as the format has words for it.

import type { ChangeBatch } from '../../../runtime/batch/change-batch.ts';
import { gatherRows } from '../../../runtime/batch/gather-rows.ts';
import type { Schema } from '../../../runtime/batch/schema.ts';
import { HttpProblem } from '../http/http-problem.ts';
import type { ResultPrinter } from './result-printer.ts';

export interface QueryFormat {
  readonly name: string;
  /** Sent as it is: clients compare `text/plain` as a whole. */
  readonly contentType: string;
  /** Frames of a web socket are text. */
  readonly isText: boolean;
  /** The end of an attachment's name; null: not an attachment. */
  readonly extension: string | null;
  /** What a reply ends with that has failed; null: the format has no words for it. */
  readonly failed: ((message: string) => string) | null;
  readonly printer: (schema: Schema) => Promise<ResultPrinter>;
}

const octets = 'application/octet-stream';
const formats: readonly QueryFormat[] = [
  {
    name: 'text',
    contentType: 'text/plain',
    isText: true,
    extension: null,
    failed: (message) => `ERROR: ${message}\n`,
    printer: async (schema) => new (await import('./text-printer.ts')).TextPrinter(schema),
  },
  {
    name: 'json',
    contentType: 'application/json',
    isText: true,
    extension: null,
    failed: (message) => `${JSON.stringify({ error: message })}\n`,
    printer: async (schema) => new (await import('./json-printer.ts')).JsonPrinter(schema),
  },
  {
    name: 'csv',
    contentType: 'text/csv',
    isText: true,
    extension: null,
    failed: null,
    printer: async (schema) => new (await import('./csv-printer.ts')).CsvPrinter(schema),
  },
  {
    name: 'parquet',
    contentType: octets,
    isText: false,
    extension: 'parquet',
    failed: null,
    printer: async (schema) => {
      const { ParquetEncoder } = await import('../../../connectors/formats/parquet-encoder.ts');
      const encoder = new ParquetEncoder({ name: 'query', schema, primaryKey: [] }, 100_000);
      // The first bytes of a file are written with its first rows, or with its directory.
      return {
        begin: () => new Uint8Array(0),
        frame: (batch) => encoder.encode(batch).bytes.slice(),
        end: () => encoder.finish().slice(),
      };
    },
  },
  {
    name: 'arrow_ipc',
    contentType: octets,
    isText: false,
    extension: null,
    failed: null,
    printer: async (schema) => {
      const { ArrowEncoder } = await import('../../../connectors/formats/arrow-encoder.ts');
      const encoder = new ArrowEncoder(schema);
      return {
        begin: () => encoder.begin(),
        frame: (batch) => encoder.encode(repeatRows(batch)).bytes,
        end: () => encoder.finish(),
      };
    },
  },
  {
    name: 'hash',
    contentType: 'text/plain',
    isText: true,
    extension: null,
    failed: null,
    printer: async (schema) => new (await import('./hash-printer.ts')).HashPrinter(schema),
  },
];

/** @throws HttpProblem 400 */
export function queryFormat(name: string): QueryFormat {
  const found = formats.find((format) => format.name === name);
  if (found !== undefined) return found;
  throw new HttpProblem({
    status: 400,
    code: 'InvalidParam',
    message: `unknown format '${name}'; there are ${formats.map((format) => format.name).join(', ')}`,
    details: { parameter: 'format', value: name },
  });
}

/** Rows with a weight above 1 as so many rows; a result has no negative weights. */
export function repeatRows(batch: ChangeBatch): ChangeBatch {
  const { weights, rows } = batch;
  if (weights === null || weights.subarray(0, rows).every((weight) => weight === 1)) return { ...batch, weights: null };
  let count = 0;
  for (let row = 0; row < rows; row++) count += Math.max(0, weights[row] ?? 1);
  const selection = new Int32Array(count);
  let at = 0;
  for (let row = 0; row < rows; row++) {
    const copies = Math.max(0, weights[row] ?? 1);
    selection.fill(row, at, at + copies);
    at += copies;
  }
  return gatherRows(batch, selection, count, null);
}
