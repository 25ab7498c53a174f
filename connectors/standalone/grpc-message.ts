// Messages of a gRPC stream: u8 compressed (0 = no) · u32 big-endian length · bytes, one behind the other.
// A cutter finds them in the chunks of a stream. Chunks are kept as they come and joined when whole messages are asked for: a message
// in many chunks is copied once, and a chunk with many messages not at all.

import { messageBytesMax } from './declarations.ts';

export const messagePrefixBytes = 5;

export function framed(body: Uint8Array): Uint8Array {
  const bytes = Buffer.allocUnsafe(messagePrefixBytes + body.length);
  bytes[0] = 0;
  bytes.writeUInt32BE(body.length, 1);
  bytes.set(body, messagePrefixBytes);
  return bytes;
}

export class MessageCutter {
  #chunks: Buffer[] = [];
  #bytes = 0;
  /** Until the first message is whole; the prefix counts. */
  #neededBytes = messagePrefixBytes;

  get bytes(): number {
    return this.#bytes;
  }

  get hasMessage(): boolean {
    return this.#bytes >= this.#neededBytes && this.#lengthOfFirst() <= this.#bytes;
  }

  /** Of the first message with its prefix, as far as it is known: how much the stream wants to send in one piece. */
  get firstBytes(): number {
    return this.#bytes < messagePrefixBytes ? messagePrefixBytes : this.#lengthOfFirst();
  }

  /** What comes next is no message: it is compressed, which was not agreed, or longer than any. */
  get isBroken(): boolean {
    if (this.#bytes < messagePrefixBytes) return false;
    return this.#chunks.find(({ length }) => length > 0)?.[0] !== 0 || this.#lengthOfFirst() > messageBytesMax;
  }

  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
  }

  /** Every byte that is here, in one piece, beginning with a message. Give back what was not used with `keep`. */
  take(): Buffer {
    const [only] = this.#chunks;
    const whole = this.#chunks.length === 1 && only !== undefined ? only : Buffer.concat(this.#chunks, this.#bytes);
    this.#chunks = [];
    this.#bytes = 0;
    this.#neededBytes = messagePrefixBytes;
    return whole;
  }

  /** The part behind the last whole message. */
  keep(rest: Buffer): void {
    if (rest.length === 0) return;
    this.#chunks.unshift(rest);
    this.#bytes += rest.length;
  }

  #lengthOfFirst(): number {
    if (this.#neededBytes > messagePrefixBytes) return this.#neededBytes;
    let prefix = this.#chunks[0] ?? Buffer.alloc(0);
    if (prefix.length < messagePrefixBytes) prefix = Buffer.concat(this.#chunks.slice(0, messagePrefixBytes));
    if (prefix.length < messagePrefixBytes) return messagePrefixBytes;
    this.#neededBytes = messagePrefixBytes + prefix.readUInt32BE(1);
    return this.#neededBytes;
  }
}
