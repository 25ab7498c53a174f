// Messages to a plugin that wait for their answer: any record of them can be had again, as a message of its own.
//
// Bounded: the oldest messages are forgotten when they are too many, and their records cannot be had then.
import { messagePrefixBytes } from './grpc-message.ts';

const bytesMax = 64 << 20;
const recordTag = 0x0a;

interface Written {
  readonly bytes: Uint8Array;
  readonly first: number;
  readonly rows: number;
  /** Numbers that are not in the bytes, in order. */
  readonly leftOut: readonly number[];
}

export class RetainedRecords {
  #written: Written[] = [];
  #bytes = 0;

  /** Whole messages with the records from number `first` on. */
  push(written: Written): void {
    this.#written.push(written);
    this.#bytes += written.bytes.length;
    while (this.#bytes > bytesMax) this.#forgetFirst();
  }

  /** Everything before record `number` has its answer. */
  release(number: number): void {
    for (;;) {
      const [written] = this.#written;
      if (written === undefined || written.first + written.rows > number) return;
      this.#forgetFirst();
    }
  }

  message(number: number): Uint8Array | null {
    const written = this.#written.find(({ first, rows }) => number >= first && number < first + rows);
    if (written === undefined || written.leftOut.includes(number)) return null;
    const { bytes, first, leftOut } = written;
    return recordAt(bytes, number - first - leftOut.filter((other) => other < number).length);
  }

  #forgetFirst(): void {
    this.#bytes -= this.#written.shift()?.bytes.length ?? 0;
  }
}

function recordAt(bytes: Uint8Array, index: number): Uint8Array | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let left = index;
  for (let at = 0; at + messagePrefixBytes <= bytes.length; ) {
    const end = at + messagePrefixBytes + view.getUint32(at + 1);
    for (let field = at + messagePrefixBytes; field < end && bytes[field] === recordTag; ) {
      let length = 0;
      let body = field + 1;
      for (let shift = 0; ; shift += 7) {
        const byte = bytes[body++] ?? 0;
        length += (byte & 0x7f) * 2 ** shift;
        if (byte < 0x80) break;
      }
      if (left-- === 0) return framed(bytes.subarray(field, body + length));
      field = body + length;
    }
    at = end;
  }
  return null;
}

function framed(record: Uint8Array): Uint8Array {
  const message = new Uint8Array(messagePrefixBytes + record.length);
  new DataView(message.buffer).setUint32(1, record.length);
  message.set(record, messagePrefixBytes);
  return message;
}
