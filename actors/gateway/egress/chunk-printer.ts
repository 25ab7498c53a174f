// Prints the changes of a step as the bodies of chunks: from columns to bytes, once for all who read them.
//
//   body of json   {"insert":{…}},{"delete":{…}}      what stands between the brackets of "json_data"
//   body of csv    1,a,1\n2,b,-1\n                    what stands between the quotes of "text_data", escaped
//
// Deletions of a step precede its insertions, both of a small step in the order of their columns. A body holds whole rows, at most `recordsMax` and, where there is a bound, about
// `bytesMax` bytes. What follows a body up to the end of its HTTP chunk is part of the same buffer (`sealBody`), so that a
// listener writes a short head and one shared buffer. Rows that the format cannot spell are left out and counted.
import { registry } from '../../../connectors/registry.ts';
import type { Encoder } from '../../../connectors/sdk/format.ts';
import { loaded } from '../../../connectors/sdk/load-on-use.ts';
import { assert } from '../../../runtime/assert.ts';
import type { ChangeBatch } from '../../../runtime/batch/change-batch.ts';
import { gatherRows } from '../../../runtime/batch/gather-rows.ts';
import type { Relation } from '../../../runtime/batch/schema.ts';
import { sliceBatch } from '../../../runtime/batch/slice-batch.ts';
import { escapedBytesMax, occurrences, printEscaped, recordEnd, weightStart } from './csv-text.ts';
import { inRowOrder } from './row-order.ts';

export interface PrintOptions {
  readonly format: 'json' | 'csv';
  readonly delimiter: string;
  /** csv: the last field is the weight. */
  readonly weight: boolean;
  readonly recordsMax: number;
  /** Null: no bound. */
  readonly bytesMax: number | null;
}

/** Rows of a chunk; `buffer` has room behind `length` for what seals it. */
export interface Body {
  readonly buffer: Buffer;
  readonly length: number;
  readonly records: number;
}

const sealRoom = 64;
/** Rows that are printed at a time. */
const sliceRowsMax = 10_000;

export class ChunkPrinter {
  readonly #options: PrintOptions;
  readonly #encoder: Encoder;
  #escaped = new Uint8Array(64 * 1024);
  /** Rows that the format could not spell. */
  refusedRows = 0;

  constructor(options: PrintOptions, encoder: Encoder) {
    this.#options = options;
    this.#encoder = encoder;
  }

  /** The bodies of one step. A caller may stop between two of them for as long as it likes. */
  *print(batches: readonly ChangeBatch[]): Generator<Body, void> {
    for (const batch of deletionsFirst(inRowOrder(batches))) {
      for (let start = 0; start < batch.rows; start += sliceRowsMax) {
        yield* this.#printRows(sliceBatch(batch, start, Math.min(batch.rows, start + sliceRowsMax)));
      }
    }
  }

  *#printRows(batch: ChangeBatch): Generator<Body, void> {
    let bytes: Uint8Array;
    try {
      bytes = this.#encoder.encode(batch).bytes;
    } catch {
      // Halves, down to the rows that are to blame; their order stays.
      if (batch.rows <= 1) {
        this.refusedRows += batch.rows;
        return;
      }
      for (const half of deletionsFirst(halves(batch))) yield* this.#printRows(half);
      return;
    }
    if (this.#options.format === 'json') yield* this.#cutJson(bytes);
    else yield* this.#cutCsv(bytes);
  }

  /** `bytes` has a record a line; line ends become commas. */
  *#cutJson(bytes: Uint8Array): Generator<Body, void> {
    const { recordsMax, bytesMax } = this.#options;
    let start = 0;
    let records = 0;
    for (let at = 0; at < bytes.length; ) {
      const end = bytes.indexOf(0x0a, at);
      if (records > 0 && (records >= recordsMax || (bytesMax !== null && end - start > bytesMax))) {
        yield copyBody(bytes, start, at - 1, records);
        start = at;
        records = 0;
      }
      bytes[end] = 0x2c;
      records++;
      at = end + 1;
    }
    if (records > 0) yield copyBody(bytes, start, bytes.length - 1, records);
  }

  *#cutCsv(bytes: Uint8Array): Generator<Body, void> {
    const { recordsMax, bytesMax, weight } = this.#options;
    const delimiter = this.#options.delimiter.charCodeAt(0);
    let length = 0;
    let records = 0;
    for (let at = 0; at < bytes.length; ) {
      const end = recordEnd(bytes, at, bytes.length);
      const fieldsEnd = weightStart(bytes, at, end, delimiter);
      const count = occurrences(bytes, fieldsEnd + 1, end);
      // Without a weight a line stands as often as it occurs: each occurrence may begin a chunk.
      const lines = weight ? 1 : count;
      for (let line = 0; line < lines; line++) {
        if (records > 0 && (records >= recordsMax || (bytesMax !== null && length + end - at > bytesMax))) {
          yield copyBody(this.#escaped, 0, length, records);
          length = 0;
          records = 0;
        }
        this.#reserve(length, (end - at + 1) * escapedBytesMax);
        length = printEscaped(bytes, at, weight ? end : fieldsEnd, this.#escaped, length);
        this.#escaped[length] = 0x5c;
        this.#escaped[length + 1] = 0x6e;
        length += 2;
        records++;
      }
      at = end + 1;
    }
    if (records > 0) yield copyBody(this.#escaped, 0, length, records);
  }

  #reserve(used: number, length: number): void {
    if (used + length <= this.#escaped.length) return;
    const grown = new Uint8Array(Math.max(used + length, this.#escaped.length * 2));
    grown.set(this.#escaped.subarray(0, used));
    this.#escaped = grown;
  }
}

/** @throws a coded error when the format has no form for a column. */
export async function openPrinter(options: PrintOptions, relation: Relation): Promise<ChunkPrinter> {
  const format = registry.outputFormats.find((candidate) => candidate.name === options.format);
  assert(format !== undefined, 'the formats of the HTTP output are among those that ship');
  const configuration =
    options.format === 'json'
      ? { update_format: 'insert_delete', json_flavor: 'default', array: false }
      : { delimiter: options.delimiter };
  return new ChunkPrinter(options, await (await loaded(format)).encoder(configuration, relation));
}

/** What stands before the rows of a body. */
export function openingOf(format: 'json' | 'csv'): string {
  return format === 'json' ? '"json_data":[' : '"text_data":"';
}

/**
 * The body with all that follows it up to the end of its HTTP chunk: closing bracket or quote, `processed_steps` where the
 * chunk ends a step, brace, the line end of the message and the line end of the HTTP chunk.
 */
export function sealBody(body: Body, format: 'json' | 'csv', endedStep: number | null): Buffer {
  const step = endedStep === null ? '' : `,"processed_steps":${endedStep}`;
  const end = body.buffer.write(`${format === 'json' ? ']' : '"'}${step}}\r\n\r\n`, body.length, 'latin1');
  return body.buffer.subarray(0, body.length + end);
}

function copyBody(bytes: Uint8Array, start: number, end: number, records: number): Body {
  const length = end - start;
  const buffer = Buffer.allocUnsafe(length + sealRoom);
  buffer.set(bytes.subarray(start, end));
  return { buffer, length, records };
}

function halves(batch: ChangeBatch): ChangeBatch[] {
  const middle = batch.rows >> 1;
  return [sliceBatch(batch, 0, middle), sliceBatch(batch, middle, batch.rows)];
}

/** The same rows: batches of deletions, then batches of insertions. A single small batch is put in order by its encoder. */
function deletionsFirst(batches: readonly ChangeBatch[]): readonly ChangeBatch[] {
  if (batches.every((batch) => batch.weights === null)) return batches;
  if (batches.length === 1 && batches[0] !== undefined && batches[0].rows <= sliceRowsMax) return batches;
  return [
    ...batches.flatMap((batch) => rowsOfSign(batch, true)),
    ...batches.flatMap((batch) => rowsOfSign(batch, false)),
  ];
}

function rowsOfSign(batch: ChangeBatch, negative: boolean): ChangeBatch[] {
  const { weights, rows } = batch;
  if (weights === null) return negative ? [] : [batch];
  const ids = new Int32Array(rows);
  const count = selectSign(weights, rows, negative, ids);
  if (count === 0) return [];
  if (count === rows) return [batch];
  const chosen = new Int32Array(count);
  for (let i = 0; i < count; i++) chosen[i] = weights[ids[i]!]!;
  return [gatherRows(batch, ids, count, chosen)];
}

// ── data plane ──

function selectSign(weights: Int32Array, rows: number, negative: boolean, ids: Int32Array): number {
  let count = 0;
  for (let row = 0; row < rows; row++) if (weights[row]! < 0 === negative) ids[count++] = row;
  return count;
}
