// Where the messages of an Arrow IPC stream end, read from their own lengths.
//
//   FF FF FF FF · i32 length of the metadata · metadata (a flatbuffer: kind, length of the body) · body
//
// The schema and the dictionaries in front of the first record batch are the prologue: with it every later run of messages
// is a stream of its own. What is not such a message is handed on, and the decoder says what is wrong with it.
import type { Splitter } from '../sdk/format.ts';

export const messageSchema = 1;
export const messageDictionary = 2;
export const messageRecords = 3;
export const messageEnd = 0;

/** A message: its kind and where it ends; `end` -1: it is cut off, -2: it is none. */
export interface ArrowMessage {
  kind: number;
  end: number;
}

export class ArrowSplitter implements Splitter {
  #hasBegun = false;

  split(bytes: Uint8Array): number {
    const message: ArrowMessage = { kind: messageEnd, end: 0 };
    let border = 0;
    for (let at = 0; at < bytes.length; at = message.end) {
      readMessage(bytes, at, message);
      if (message.end === -2) {
        this.#hasBegun = true;
        return bytes.length;
      }
      if (message.end < 0) break;
      // The head of the stream goes with the first records, so that the prologue is whole.
      if (message.kind === messageRecords || message.kind === messageEnd) this.#hasBegun = true;
      if (this.#hasBegun) border = message.end;
    }
    return border;
  }

  prologue(bytes: Uint8Array): Uint8Array {
    const message: ArrowMessage = { kind: messageEnd, end: 0 };
    for (let at = 0; at < bytes.length; at = message.end) {
      readMessage(bytes, at, message);
      if (message.end < 0 || message.kind === messageRecords || message.kind === messageEnd)
        return bytes.subarray(0, at);
    }
    return bytes;
  }

  reset(): void {
    this.#hasBegun = false;
  }

  resume(): void {
    this.#hasBegun = true;
  }
}

/** The message at `at`. */
export function readMessage(bytes: Uint8Array, at: number, message: ArrowMessage): void {
  message.end = -1;
  message.kind = messageEnd;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (at + 8 > bytes.length) return;
  if (view.getInt32(at, true) !== -1) {
    message.end = -2;
    return;
  }
  const length = view.getInt32(at + 4, true);
  if (length === 0) {
    message.end = at + 8;
    return;
  }
  const start = at + 8;
  if (length < 8) message.end = -2;
  if (message.end === -2 || start + length > bytes.length) return;
  const table = start + view.getInt32(start, true);
  const fields = table - (table >= start && table + 4 <= start + length ? view.getInt32(table, true) : table + 1);
  message.end = -2;
  if (fields < start || fields + 4 > start + length) return;
  const slots = view.getUint16(fields, true);
  if (slots < 8 || fields + slots > start + length) return;
  const kindAt = view.getUint16(fields + 6, true);
  const bodyAt = slots > 10 ? view.getUint16(fields + 10, true) : 0;
  if (kindAt === 0 || table + kindAt >= start + length || table + bodyAt + 8 > start + length + 8) return;
  const body = bodyAt === 0 ? 0 : Number(view.getBigInt64(table + bodyAt, true));
  if (body < 0 || !Number.isSafeInteger(body)) return;
  message.kind = bytes[table + kindAt]!;
  message.end = start + length + body <= bytes.length ? start + length + body : -1;
}
