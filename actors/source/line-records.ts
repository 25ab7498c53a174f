// Records from a source that brings bytes and has no format: one for each line.
//
// A line ends with LF or CR LF, which are not part of it; empty lines are no records. The record's position is that of the source behind
// the line, as JSON text, so that the source can go on there; the line itself is `after`, raw. The operation is `create`.
// `sourcePosition` turns such a record's position into the source's own again. For throughput a source makes batches of records itself.
import { dataShape, recordBatchBuilder, recordColumn, shapeShift } from '../../connectors/sdk/record-batch.ts';
import { recordPositionBytes } from '../../connectors/sdk/record-position.ts';
import type { BytesPayload, Position } from '../../connectors/sdk/source.ts';
import { assert } from '../../runtime/assert.ts';
import type { ChangeBatch } from '../../runtime/batch/change-batch.ts';

/** What the source itself is opened at, or told of, for the position of one of these records. */
export function sourcePosition(position: Position): Position {
  const parsed: unknown = JSON.parse(Buffer.from(recordPositionBytes(position)).toString('utf8'));
  // SAFETY: the bytes are JSON of a Position, written below.
  return parsed as Position;
}

const lineFeed = 10;
const carriageReturn = 13;
const encoder = new TextEncoder();

export class LineRecords {
  /** What the last payload had behind its last line end. */
  #rest: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  #last: BytesPayload | null = null;

  /** The records that end in this payload; null: none does. */
  take(payload: BytesPayload): ChangeBatch | null {
    const { bytes, positionAfter, endOfStream = false } = payload;
    this.#last = payload;
    const rest = this.#rest;
    const whole = rest.length === 0 ? bytes : joined(rest, bytes);
    const builder = recordBatchBuilder(Math.max(8, whole.length >> 6));
    const positionAt = (end: number): Uint8Array =>
      encoder.encode(JSON.stringify(positionAfter(Math.max(0, end - rest.length))));
    let start = 0;
    for (let end = whole.indexOf(lineFeed, start); end >= 0; end = whole.indexOf(lineFeed, start)) {
      appendLine(builder, whole, start, end, positionAt(end + 1));
      start = end + 1;
    }
    if (endOfStream && start < whole.length) {
      appendLine(builder, whole, start, whole.length, positionAt(whole.length));
      start = whole.length;
    }
    this.#rest = whole.slice(start);
    return builder.rows === 0 ? null : builder.finish();
  }

  /** The line without an end that is left when the input has ended. */
  end(): ChangeBatch | null {
    const rest = this.#rest;
    const last = this.#last;
    this.#rest = new Uint8Array(0);
    if (rest.length === 0 || last === null) return null;
    const builder = recordBatchBuilder(8);
    const position = encoder.encode(JSON.stringify(last.positionAfter(last.bytes.length)));
    appendLine(builder, rest, 0, rest.length, position);
    return builder.rows === 0 ? null : builder.finish();
  }
}

function appendLine(
  builder: ReturnType<typeof recordBatchBuilder>,
  bytes: Uint8Array,
  start: number,
  end: number,
  position: Uint8Array,
): void {
  const stop = end > start && bytes[end - 1] === carriageReturn ? end - 1 : end;
  if (stop === start) return;
  builder.reserve(1);
  const { columns, rows } = builder;
  const at = columns[recordColumn.position];
  const operation = columns[recordColumn.operation];
  const shapes = columns[recordColumn.shapes];
  const after = columns[recordColumn.after];
  assert(at !== undefined && operation !== undefined && shapes !== undefined && after !== undefined, 'a record');
  at.appendBytes(position, 0, position.length);
  operation.values[rows] = 1;
  shapes.values[rows] = dataShape.raw << shapeShift.after;
  after.appendBytes(bytes, start, stop);
  builder.commitRow();
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(first.length + second.length);
  whole.set(first);
  whole.set(second, first.length);
  return whole;
}
