// Reading and writing of the protobuf wire format: varints, fixed 64-bit values, length-delimited fields. Written out here,
// because records are copied field by field between the wire and columns and no message object is ever made.
// Wire format: https://protobuf.dev/programming-guides/encoding/
import { type CodedErrorClass, defineError } from '../../runtime/errors.ts';

export const ProtobufMalformed: CodedErrorClass<{ readonly detail: string; readonly offset: number }> = defineError(
  'protobuf.malformed',
  { help: 'The peer does not speak the protocol that it has announced, or the bytes were cut.' },
  (f) => `malformed protobuf message at byte ${f.offset}: ${f.detail}`,
);

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
const encoder = new TextEncoder();

/** Reads fields one after the other: `tag()`, then the read that fits its wire type, or `skipLast()`. */
export class ByteReader {
  readonly bytes: Uint8Array;
  /** Of the next byte, in `bytes`. */
  at: number;
  readonly end: number;
  readonly #view: DataView;
  #lastTag = 0;

  constructor(bytes: Uint8Array, start = 0, end: number = bytes.length) {
    this.bytes = bytes;
    this.at = start;
    this.end = end;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get isDone(): boolean {
    return this.at >= this.end;
  }

  /** Field number and wire type: number << 3 | type. */
  tag(): number {
    this.#lastTag = this.varint();
    return this.#lastTag;
  }

  /** Exact up to 49 bits; higher ones are read and dropped. */
  varint(): number {
    let value = 0;
    let scale = 1;
    for (let count = 0; count < 10; count++) {
      if (this.at >= this.end) throw this.malformed('a varint is cut');
      const byte = this.bytes[this.at++] ?? 0;
      if (count < 7) value += (byte & 127) * scale;
      scale *= 128;
      if (byte < 128) return value;
    }
    throw this.malformed('a varint has more than ten bytes');
  }

  double(): number {
    this.#need(8);
    const value = this.#view.getFloat64(this.at, true);
    this.at += 8;
    return value;
  }

  /** The bytes of a length-delimited field, not copied. */
  view(): Uint8Array {
    const length = this.#length();
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  text(): string {
    return decoder.decode(this.view());
  }

  nested(): ByteReader {
    const length = this.#length();
    this.at += length;
    return new ByteReader(this.bytes, this.at - length, this.at);
  }

  /** Skips the value of the tag read last. */
  skipLast(): void {
    switch (this.#lastTag & 7) {
      case 0:
        this.varint();
        return;
      case 1:
        this.#need(8);
        this.at += 8;
        return;
      case 2:
        this.view();
        return;
      case 5:
        this.#need(4);
        this.at += 4;
        return;
      default:
        throw this.malformed(`wire type ${this.#lastTag & 7} is not known`);
    }
  }

  malformed(detail: string): Error {
    return new ProtobufMalformed({ detail, offset: this.at });
  }

  #length(): number {
    const length = this.varint();
    this.#need(length);
    return length;
  }

  #need(length: number): void {
    if (this.at + length > this.end) throw this.malformed('a field is longer than its message');
  }
}

/** Appends fields to a buffer that grows. */
export class ByteWriter {
  bytes: Uint8Array<ArrayBuffer>;
  length = 0;

  constructor(capacity = 256) {
    this.bytes = new Uint8Array(capacity);
  }

  reserve(count: number): void {
    if (this.length + count <= this.bytes.length) return;
    const larger = new Uint8Array(Math.max(this.length + count, this.bytes.length * 2));
    larger.set(this.bytes.subarray(0, this.length));
    this.bytes = larger;
  }

  tag(tag: number): void {
    this.varint(tag);
  }

  /** A non-negative integer below 2^53. */
  varint(value: number): void {
    this.reserve(10);
    let rest = value;
    while (rest >= 128) {
      this.bytes[this.length++] = (rest % 128) | 128;
      rest = Math.floor(rest / 128);
    }
    this.bytes[this.length++] = rest;
  }

  double(value: number): void {
    this.reserve(8);
    new DataView(this.bytes.buffer).setFloat64(this.length, value, true);
    this.length += 8;
  }

  /** Length and bytes. */
  view(source: Uint8Array): void {
    this.varint(source.length);
    this.raw(source);
  }

  /** Bytes alone. */
  raw(source: Uint8Array): void {
    this.reserve(source.length);
    this.bytes.set(source, this.length);
    this.length += source.length;
  }

  text(value: string): void {
    this.view(encoder.encode(value));
  }

  nested(write: (writer: ByteWriter) => void): void {
    const inner = new ByteWriter();
    write(inner);
    this.view(inner.bytes.subarray(0, inner.length));
  }

  /** What was written, as an array of its own. */
  finish(): Uint8Array<ArrayBuffer> {
    return this.bytes.slice(0, this.length);
  }
}
