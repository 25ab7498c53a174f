// Insertions become an Arrow IPC stream: a schema message, a record batch per batch, the end of the stream.
//
// Arrays of a batch are handed over as they are where Arrow lays values out alike (arrow-columns.ts); apache-arrow frames the
// messages. Weights are the caller's business: every row is written once. `begin` is the schema message, which `encode` writes
// too if nobody has asked for it.
import { AsyncByteQueue, makeData, RecordBatch, RecordBatchStreamWriter, Schema, Struct } from 'apache-arrow';
import type { ChangeBatch } from '../../runtime/batch/change-batch.ts';
import type { Schema as RowSchema } from '../../runtime/batch/schema.ts';
import type { Encoder } from '../sdk/format.ts';
import { arrowData, arrowField } from './arrow-columns.ts';

/** Takes what the writer lays out, at once and in order. */
class Sink extends AsyncByteQueue<Uint8Array> {
  readonly #parts: Uint8Array[] = [];

  override write(value: ArrayBufferLike | ArrayBufferView): void {
    const bytes = ArrayBuffer.isView(value)
      ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
      : new Uint8Array(value);
    if (bytes.length > 0) this.#parts.push(bytes);
  }

  takeBytes(): Uint8Array {
    return Buffer.concat(this.#parts.splice(0));
  }
}

export class ArrowEncoder implements Encoder {
  readonly #schema: Schema;
  readonly #struct: Struct;
  readonly #sink: Sink = new Sink();
  readonly #writer: RecordBatchStreamWriter = new RecordBatchStreamWriter({ autoDestroy: false });

  /** @throws FormatUnsupportedType */
  constructor(schema: RowSchema) {
    const fields = schema.fields.map(arrowField);
    this.#schema = new Schema(fields);
    this.#struct = new Struct(fields);
    this.#writer.reset(this.#sink, this.#schema);
  }

  begin(): Uint8Array {
    return this.#sink.takeBytes();
  }

  encode(batch: ChangeBatch): { readonly bytes: Uint8Array; readonly records: number } {
    const children = batch.columns.map((column) => arrowData(column, batch.rows));
    const data = makeData({ type: this.#struct, length: batch.rows, nullCount: 0, children });
    if (batch.rows > 0) this.#writer.write(new RecordBatch(this.#schema, data));
    return { bytes: this.#sink.takeBytes(), records: batch.rows };
  }

  finish(): Uint8Array {
    this.#writer.finish();
    return this.#sink.takeBytes();
  }
}
