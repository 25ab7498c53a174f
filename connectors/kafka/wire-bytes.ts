// Requests and answers as bytes, in the encoding that all versions used here share: big-endian numbers, texts and lists with a length that
// counts from 1 (0: null) as an unsigned varint, a count of tagged fields behind each structure.
// https://kafka.apache.org/protocol.html#protocol_types

const bytesAtFirst = 256;

export class WireWriter {
  #bytes = Buffer.alloc(bytesAtFirst);
  #length = 0;

  int8(value: number): this {
    this.#length = this.#room(1).writeInt8(value, this.#length);
    return this;
  }

  int16(value: number): this {
    this.#length = this.#room(2).writeInt16BE(value, this.#length);
    return this;
  }

  int32(value: number): this {
    this.#length = this.#room(4).writeInt32BE(value, this.#length);
    return this;
  }

  int64(value: bigint): this {
    this.#length = this.#room(8).writeBigInt64BE(value, this.#length);
    return this;
  }

  unsigned(value: number): this {
    let rest = value;
    for (; rest >= 128; rest = Math.floor(rest / 128)) this.int8((((rest & 127) | 128) << 24) >> 24);
    return this.int8(rest);
  }

  text(value: string | null): this {
    if (value === null) return this.unsigned(0);
    const bytes = Buffer.from(value);
    return this.unsigned(bytes.length + 1).raw(bytes);
  }

  uuid(value: string): this {
    return this.raw(Buffer.from(value.replaceAll('-', ''), 'hex'));
  }

  /** `write` writes an item; its tagged fields follow by themselves. Null: there is no list. */
  list<T>(items: readonly T[] | null, write: (item: T) => void): this {
    this.unsigned(items === null ? 0 : items.length + 1);
    for (const item of items ?? []) {
      write(item);
      this.tags();
    }
    return this;
  }

  /** None. */
  tags(): this {
    return this.int8(0);
  }

  raw(bytes: Uint8Array): this {
    this.#room(bytes.length).set(bytes, this.#length);
    this.#length += bytes.length;
    return this;
  }

  finish(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  #room(bytes: number): Buffer {
    if (this.#length + bytes > this.#bytes.length) {
      const larger = Buffer.alloc(Math.max(this.#length + bytes, this.#bytes.length * 2));
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    return this.#bytes;
  }
}

/** @throws RangeError where the bytes end too early */
export class WireReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  int8(): number {
    return this.#bytes.readInt8(this.#pass(1));
  }

  int16(): number {
    return this.#bytes.readInt16BE(this.#pass(2));
  }

  int32(): number {
    return this.#bytes.readInt32BE(this.#pass(4));
  }

  int64(): bigint {
    return this.#bytes.readBigInt64BE(this.#pass(8));
  }

  unsigned(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.#bytes.readUInt8(this.#pass(1));
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  }

  text(): string | null {
    const bytes = this.bytes();
    return bytes === null ? null : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString();
  }

  uuid(): string {
    const at = this.#pass(16);
    const hex = this.#bytes.toString('hex', at, at + 16);
    return hex.replace(/(.{8})(.{4})(.{4})(.{4})(.{12})/, '$1-$2-$3-$4-$5');
  }

  /** A view. Null: there are none. */
  bytes(): Uint8Array | null {
    const length = this.unsigned() - 1;
    if (length < 0) return null;
    const at = this.#pass(length);
    return this.#bytes.subarray(at, at + length);
  }

  /** A list that is null has no items. */
  list<T>(read: () => T): readonly T[] {
    const items: T[] = [];
    for (let count = this.unsigned() - 1; count > 0; count--) {
      items.push(read());
      this.tags();
    }
    return items;
  }

  /** Numbers have no tagged fields. */
  numbers(): readonly number[] {
    const items: number[] = [];
    for (let count = this.unsigned() - 1; count > 0; count--) items.push(this.int32());
    return items;
  }

  tags(): void {
    for (let count = this.unsigned(); count > 0; count--) {
      this.unsigned();
      this.#pass(this.unsigned());
    }
  }

  #pass(count: number): number {
    const at = this.#at;
    if (at + count > this.#bytes.length) throw new RangeError('an answer of a broker is cut');
    this.#at += count;
    return at;
  }
}
