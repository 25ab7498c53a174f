// A change batch as one frame, and back.
//
// The frame is an envelope (envelope.ts). Header, a map:
//
//   kind         'change batch'              version      1
//   fingerprint  u32, of the schema          rows         0 .. 2^31 - 8
//   sequence     >= 0, 0 = not numbered
//   weights      offset of rows x i32 in the body, or null: every row +1
//   presence     offset of rows x presenceBytes(columns) bytes, or null: every column of every row present
//   columns      a descriptor for each column, in order: [layout, storage, validity, at, dataBytes, entries]
//
// Body: weights, presence, then the arrays of each column (column-layout.ts), each at a multiple of 8 from the start of the
// body, which itself lies at a multiple of 8 of the buffer: a reader makes typed-array views and copies nothing.
//
// Encoding copies each array once (`TypedArray.set`). Decoding checks everything that could lead a reader astray, O(rows)
// for offsets, codes and weights, and throws FrameCorrupt or SchemaMismatch and nothing else. The batch shares the memory
// of its frame: give the frame away afterwards and the batch is gone. A dictionary gets a new identity.
import { assert } from '../assert.ts';
import { assertBatch, type ChangeBatch, presenceBytes } from '../batch/change-batch.ts';
import type { Column, Values } from '../batch/column.ts';
import type { Schema } from '../batch/schema.ts';
import { type SqlType, type Storage, storageOf } from '../batch/sql-type.ts';
import { type CodedErrorClass, defineError } from '../errors.ts';
import { allOnes, codesAreSound, offsetsAreSound, weightsAreSound } from './column-kernels.ts';
import { alignTo8, BodyPlan, type ColumnDescriptor, type Layout, planColumn, storageWidths } from './column-layout.ts';
import { corrupt, openEnvelope, type Seal, sealEnvelope, sealEnvelopeIn } from './envelope.ts';

export const SchemaMismatch: CodedErrorClass<{ readonly expected: number; readonly found: number }> = defineError(
  'wire.schema_mismatch',
  { help: 'Sender and receiver were made for different columns. Restart the pipeline so that both use one program.' },
  (f) => `frame of schema ${f.found.toString(16)}, expected ${f.expected.toString(16)}`,
);

/** A batch with the number that its sender gave it. */
export interface NumberedBatch {
  readonly batch: ChangeBatch;
  /** 0 when the sender does not number. */
  readonly sequence: number;
}

const kind = 'change batch';
const version = 1;
/** Leaves room for 32-bit arithmetic on the bits of a bitmap. */
const rowsMax = 2 ** 31 - 8;

/** The batch as a frame of its own; the batch stays as it is. */
export function encodeBatch(batch: ChangeBatch, sequence = 0, seal: Seal = 'checked'): ArrayBuffer {
  const { header, plan } = planFrame(batch, sequence);
  return sealEnvelope(header, plan.bodyBytes, seal, (frame, bodyAt) => fillBody(frame, bodyAt, plan));
}

/** The batch as a frame at the beginning of memory that is made for it or used anew; for another thread, not to be kept. */
export function encodeBatchIn<Memory extends ArrayBuffer | SharedArrayBuffer>(
  make: (bytes: number) => Memory,
  batch: ChangeBatch,
  sequence = 0,
): Memory {
  const { header, plan } = planFrame(batch, sequence);
  return sealEnvelopeIn(make, header, plan.bodyBytes, 'in memory', (frame, bodyAt) => fillBody(frame, bodyAt, plan));
}

function planFrame(batch: ChangeBatch, sequence: number): { readonly header: unknown; readonly plan: BodyPlan } {
  assertBatch(batch);
  assert(Number.isSafeInteger(sequence) && sequence >= 0, 'a sequence counts from 0');
  const { rows, schema } = batch;
  assert(rows <= rowsMax, 'a batch has fewer than 2^31 - 7 rows');
  const plan = new BodyPlan();
  const weights = batch.weights?.subarray(0, rows) ?? null;
  assert(weights === null || weightsAreSound(weights), 'weights of a batch are not 0');
  const header = {
    kind,
    version,
    fingerprint: schema.fingerprint,
    rows,
    sequence,
    weights: weights === null || allOnes(weights) ? null : plan.add(weights),
    presence:
      batch.presence === null ? null : plan.add(batch.presence.subarray(0, rows * presenceBytes(batch.columns.length))),
    columns: batch.columns.map((column) => {
      const { layout, storage, validity, at, dataBytes, entries } = planColumn(plan, column, rows);
      return [layout, storage, validity, at, dataBytes, entries];
    }),
  };
  return { header, plan };
}

function fillBody(frame: ArrayBuffer | SharedArrayBuffer, bodyAt: number, plan: BodyPlan): void {
  const body = new Uint8Array(frame, bodyAt, plan.bodyBytes);
  for (const part of plan.parts) body.set(part.bytes, part.at);
}

/** The batch in a frame, as views of the frame; it is the first `bytes` bytes of its memory. @throws FrameCorrupt, SchemaMismatch */
export function decodeBatch(
  frame: ArrayBuffer | SharedArrayBuffer,
  schema: Schema,
  seal: Seal = 'checked',
  bytes: number = frame.byteLength,
): NumberedBatch {
  const { header, bodyAt, bodyBytes } = openEnvelope(frame, seal, bytes);
  if (!isMap(header) || header['kind'] !== kind) throw corrupt(frame, 'it holds no change batch');
  if (header['version'] !== version) throw corrupt(frame, `its version is not ${version}`);
  const { fingerprint, rows, sequence, columns } = header;
  if (!isCount(fingerprint, 2 ** 32 - 1)) throw corrupt(frame, 'its fingerprint is not a number');
  if (fingerprint !== schema.fingerprint) {
    throw new SchemaMismatch({ expected: schema.fingerprint, found: fingerprint });
  }
  if (!isCount(rows, rowsMax)) throw corrupt(frame, 'its number of rows is not a count');
  if (!isCount(sequence, Number.MAX_SAFE_INTEGER)) throw corrupt(frame, 'its sequence is not a count');
  if (!Array.isArray(columns) || columns.length !== schema.fields.length) {
    throw corrupt(frame, 'its columns are not those of the schema');
  }
  const body = new Body(frame, bodyAt, bodyBytes);
  const weights = header['weights'] === null ? null : body.int32(header['weights'], rows);
  if (weights !== null && !weightsAreSound(weights)) throw corrupt(frame, 'a weight is 0');
  const rowPresenceBytes = presenceBytes(schema.fields.length);
  const presence = header['presence'] === null ? null : body.bytes(header['presence'], rows * rowPresenceBytes);
  const decoded = schema.fields.map((field, i) =>
    decodeColumn(body, readDescriptor(frame, columns[i]), field.type, rows),
  );
  return { batch: { schema, rows, weights, columns: decoded, presence }, sequence };
}

function decodeColumn(body: Body, descriptor: ColumnDescriptor, type: SqlType, rows: number): Column {
  const { layout, storage, at, dataBytes, entries } = descriptor;
  if (storage !== storageOf(type)) throw corrupt(body.frame, `a column of ${type.kind} is stored as ${storage}`);
  const validity = descriptor.validity === null ? null : body.bytes(descriptor.validity, (rows + 7) >> 3);
  if (storage !== 'bytes') {
    if (layout !== 'fixed') throw corrupt(body.frame, `${storage} is laid out as ${layout}`);
    return { layout, type, validity, values: body.values(storage, at, rows) };
  }
  if (layout === 'fixed') throw corrupt(body.frame, 'bytes have no fixed width');
  if (layout === 'bytes') return { layout, type, validity, ...body.strings(at, rows, dataBytes) };
  const codes = body.int32(at, rows);
  if (!codesAreSound(codes, validity, entries)) throw corrupt(body.frame, 'a code is not in its dictionary');
  const strings = body.strings(at + alignTo8(rows * 4), entries, dataBytes);
  return { layout, type, validity, codes, dictionary: { identity: strings, size: entries, ...strings } };
}

function readDescriptor(frame: ArrayBuffer | SharedArrayBuffer, value: unknown): ColumnDescriptor {
  if (!Array.isArray(value) || value.length !== 6) throw corrupt(frame, 'a column has no descriptor');
  const [layout, storage, validity, at, dataBytes, entries]: unknown[] = value;
  if (!isLayout(layout) || !isStorage(storage)) throw corrupt(frame, 'a column has an unknown layout');
  if (!isCount(at, Number.MAX_SAFE_INTEGER) || !isCount(dataBytes, rowsMax) || !isCount(entries, rowsMax)) {
    throw corrupt(frame, 'the descriptor of a column is not made of counts');
  }
  if (validity !== null && !isCount(validity, Number.MAX_SAFE_INTEGER)) {
    throw corrupt(frame, 'a bitmap is nowhere');
  }
  return { layout, storage, validity, at, dataBytes, entries };
}

/** Views of a body, each checked for place, length and alignment before it is made. */
class Body {
  readonly frame: ArrayBuffer | SharedArrayBuffer;
  readonly #bodyAt: number;
  readonly #bodyBytes: number;

  constructor(frame: ArrayBuffer | SharedArrayBuffer, bodyAt: number, bodyBytes: number) {
    this.frame = frame;
    this.#bodyAt = bodyAt;
    this.#bodyBytes = bodyBytes;
  }

  bytes(at: unknown, length: number): Uint8Array {
    return new Uint8Array(this.frame, this.#place(at, length), length);
  }

  int32(at: unknown, length: number): Int32Array {
    return new Int32Array(this.frame, this.#place(at, length * 4), length);
  }

  strings(at: number, count: number, dataBytes: number): { offsets: Int32Array; bytes: Uint8Array } {
    const offsets = this.int32(at, count + 1);
    if (!offsetsAreSound(offsets, dataBytes)) throw corrupt(this.frame, 'offsets do not rise from 0 to their end');
    return { offsets, bytes: this.bytes(at + alignTo8((count + 1) * 4), dataBytes) };
  }

  values(storage: Exclude<Storage, 'bytes'>, at: number, rows: number): Values {
    const place = this.#place(at, rows * storageWidths[storage]);
    switch (storage) {
      case 'bool':
        return new Uint8Array(this.frame, place, rows);
      case 'i8':
        return new Int8Array(this.frame, place, rows);
      case 'i16':
        return new Int16Array(this.frame, place, rows);
      case 'i32':
        return new Int32Array(this.frame, place, rows);
      case 'i64':
        return new BigInt64Array(this.frame, place, rows);
      case 'i128':
        return new BigInt64Array(this.frame, place, rows * 2);
      case 'f32':
        return new Float32Array(this.frame, place, rows);
      case 'f64':
        return new Float64Array(this.frame, place, rows);
    }
  }

  #place(at: unknown, lengthBytes: number): number {
    if (!isCount(at, Number.MAX_SAFE_INTEGER) || at % 8 !== 0) throw corrupt(this.frame, 'an array is not aligned');
    if (lengthBytes < 0 || at + lengthBytes > this.#bodyBytes)
      throw corrupt(this.frame, 'an array reaches beyond the end');
    return this.#bodyAt + at;
  }
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isCount(value: unknown, max: number): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value <= max;
}

function isLayout(value: unknown): value is Layout {
  return value === 'fixed' || value === 'bytes' || value === 'dictionary';
}

function isStorage(value: unknown): value is Storage {
  return typeof value === 'string' && Object.hasOwn(storageWidths, value);
}
