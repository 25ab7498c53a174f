// Avro data between its bytes and structured data, exactly: a long is a bigint, bytes are bytes. What Avro knows more about than
// structured data can say is text: decimals as '12.50', dates as '2026-08-21', timestamps as '2026-08-21T14:34:11.123456Z'. Text of
// that form becomes the same bytes again. Other logical types are the type that they stand on.
// https://avro.apache.org/docs/1.12.0/specification/#binary-encoding
import { unreachable } from '../../runtime/assert.ts';
import { type CodedErrorClass, defineError } from '../../runtime/errors.ts';
import type { AvroType } from './avro-schema.ts';
import { dateDays, dateText, decimalBytes, decimalText, timestampText, timestampUnits } from './avro-text.ts';
import type { StructuredData, StructuredValue } from './record.ts';

export const AvroMalformed: CodedErrorClass<{ readonly detail: string }> = defineError(
  'avro.malformed',
  { help: 'The bytes were written with another schema, or were cut.' },
  (f) => `malformed Avro data: ${f.detail}`,
);

export const AvroMismatch: CodedErrorClass<{ readonly path: string; readonly expected: string; readonly got: string }> =
  defineError(
    'avro.mismatch',
    { help: 'Change the value, or give the record a schema that it fits.' },
    (f) => `${f.path === '' ? 'the value' : f.path} is ${f.got}, but its Avro schema says ${f.expected}`,
  );

const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
const depthMax = 256;

/** A record or a map; nothing may follow. @throws AvroMalformed */
export function decodeAvro(type: AvroType, bytes: Uint8Array): StructuredData {
  const reader = new AvroReader(bytes);
  const value = reader.value(type, 0);
  if (!reader.isDone) throw new AvroMalformed({ detail: 'there are bytes behind its end' });
  if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof Uint8Array) {
    throw new AvroMalformed({ detail: 'its schema is neither a record nor a map' });
  }
  // SAFETY: what is neither a list nor bytes among objects is structured data.
  return value as StructuredData;
}

/** @throws AvroMismatch */
export function encodeAvro(type: AvroType, data: StructuredData): Uint8Array {
  const writer = new AvroWriter();
  writer.value(type, data, '');
  return writer.finish();
}

/** Reads value after value of some bytes. */
export class AvroReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at: number;

  constructor(bytes: Uint8Array, at = 0) {
    this.#at = at;
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Behind what has been read. */
  get position(): number {
    return this.#at;
  }

  get isDone(): boolean {
    return this.#at === this.#bytes.length;
  }

  value(type: AvroType, depth: number): StructuredValue {
    if (depth > depthMax) throw malformed(`it is nested more than ${depthMax} deep`);
    switch (type.kind) {
      case 'null':
        return null;
      case 'boolean':
        return this.#take(1)[0] !== 0;
      case 'int': {
        const value = Number(this.#long());
        return type.logical === 'date' ? dateText(value) : value;
      }
      case 'long': {
        const value = this.#long();
        return type.logical === null || type.logical === 'date' ? value : timestampText(value, type.logical);
      }
      case 'float':
        this.#take(4);
        return this.#view.getFloat32(this.#at - 4, true);
      case 'double':
        this.#take(8);
        return this.#view.getFloat64(this.#at - 8, true);
      case 'string':
        return decoder.decode(this.#take(this.#length()));
      case 'bytes':
        return bytesValue(this.#take(this.#length()), type.scale);
      case 'fixed':
        return bytesValue(this.#take(type.size), type.scale);
      case 'enum': {
        const symbol = type.symbols[this.#length()];
        if (symbol === undefined) throw malformed(`${type.name} has no such symbol`);
        return symbol;
      }
      case 'array':
        return this.#array(type.items, depth);
      case 'map':
        return this.#map(type.values, depth);
      case 'record': {
        const data: Record<string, StructuredValue> = {};
        for (const field of type.fields) put(data, field.name, this.value(field.type, depth + 1));
        return data;
      }
      case 'union': {
        const branch = type.branches[this.#length()];
        if (branch === undefined) throw malformed('a union has no such branch');
        return this.value(branch, depth + 1);
      }
      default:
        return unreachable(type);
    }
  }

  #array(items: AvroType, depth: number): StructuredValue[] {
    const list: StructuredValue[] = [];
    for (let count = this.#blockLength(); count > 0; count = this.#blockLength()) {
      for (let i = 0; i < count; i++) {
        // Items of no bytes would let a few bytes make any number of them.
        if (this.isDone && items.kind !== 'null') throw malformed('an array is cut');
        if (list.length > 1 << 24) throw malformed('an array has more than 16 million items');
        list.push(this.value(items, depth + 1));
      }
    }
    return list;
  }

  #map(values: AvroType, depth: number): StructuredData {
    const data: Record<string, StructuredValue> = {};
    for (let count = this.#blockLength(); count > 0; count = this.#blockLength()) {
      for (let i = 0; i < count; i++) {
        const key = decoder.decode(this.#take(this.#length()));
        put(data, key, this.value(values, depth + 1));
      }
    }
    return data;
  }

  /** Of a block of an array or map; a negative count is followed by the block's bytes. */
  #blockLength(): number {
    const count = Number(this.#long());
    if (count >= 0) return count;
    this.#long();
    return -count;
  }

  #length(): number {
    const length = Number(this.#long());
    if (length < 0) throw malformed('a length is negative');
    return length;
  }

  #long(): bigint {
    let value = 0;
    let scale = 1;
    // Seven bytes are 49 bits: exact as a number.
    for (let i = 0; i < 7; i++) {
      const byte = this.#byte();
      value += (byte & 127) * scale;
      scale *= 128;
      if (byte < 128) return BigInt(value % 2 === 0 ? value / 2 : -(value + 1) / 2);
    }
    let large = BigInt(value);
    for (let shift = 49n; shift < 70n; shift += 7n) {
      const byte = this.#byte();
      large |= BigInt(byte & 127) << shift;
      if (byte < 128) return BigInt.asIntN(64, (large >> 1n) ^ -(large & 1n));
    }
    throw malformed('a number has more than ten bytes');
  }

  #byte(): number {
    const byte = this.#bytes[this.#at++];
    if (byte === undefined) throw malformed('it is cut');
    return byte;
  }

  #take(length: number): Uint8Array {
    if (length > this.#bytes.length - this.#at) throw malformed('it is cut');
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }
}

/** Writes value after value. */
export class AvroWriter {
  #bytes = Buffer.allocUnsafe(256);
  #used = 0;

  value(type: AvroType, value: StructuredValue | undefined, path: string): void {
    switch (type.kind) {
      case 'null':
        if (value !== null && value !== undefined) throw mismatch(path, 'null', value);
        return;
      case 'boolean':
        if (typeof value !== 'boolean') throw mismatch(path, 'a boolean', value);
        this.#room(1);
        this.#bytes[this.#used++] = value ? 1 : 0;
        return;
      case 'int':
      case 'long':
        this.#long(integerOf(type, value, path));
        return;
      case 'float':
      case 'double':
        this.#number(type.kind, value, path);
        return;
      case 'string':
        if (typeof value !== 'string') throw mismatch(path, 'a text', value);
        this.#text(value);
        return;
      case 'bytes':
      case 'fixed':
        this.#binary(type, value, path);
        return;
      case 'enum': {
        const code = typeof value === 'string' ? type.symbols.indexOf(value) : -1;
        if (code < 0) throw mismatch(path, `one of ${type.symbols.join(', ')}`, value);
        this.#long(BigInt(code));
        return;
      }
      case 'array':
        if (!isList(value)) throw mismatch(path, 'a list', value);
        if (value.length > 0) this.#long(BigInt(value.length));
        for (const [i, item] of value.entries()) this.value(type.items, item, `${path}[${i}]`);
        this.#long(0n);
        return;
      case 'map': {
        if (!isData(value)) throw mismatch(path, 'an object', value);
        const entries = Object.entries(value);
        if (entries.length > 0) this.#long(BigInt(entries.length));
        for (const [key, item] of entries) {
          this.#text(key);
          this.value(type.values, item, below(path, key));
        }
        this.#long(0n);
        return;
      }
      case 'record': {
        if (!isData(value)) throw mismatch(path, 'an object', value);
        const unknown = Object.keys(value).find((key) => !type.fields.some((field) => field.name === key));
        // A schema without the field would lose it.
        if (unknown !== undefined) throw mismatch(below(path, unknown), 'no such field', value[unknown]);
        for (const { name, type: inner } of type.fields) {
          this.value(inner, Object.hasOwn(value, name) ? value[name] : undefined, below(path, name));
        }
        return;
      }
      case 'union': {
        const fitting = type.branches.findIndex((candidate) => fits(candidate, value));
        // Where none fits, a record with these fields says best what is wrong inside.
        const branch = fitting >= 0 ? fitting : type.branches.findIndex((candidate) => hasFields(candidate, value));
        const chosen = type.branches[branch];
        if (chosen === undefined)
          throw mismatch(path, `one of ${type.branches.map(({ kind }) => kind).join(', ')}`, value);
        this.#long(BigInt(branch));
        this.value(chosen, value, path);
        return;
      }
      default:
        unreachable(type);
    }
  }

  finish(): Uint8Array {
    return new Uint8Array(this.#bytes.subarray(0, this.#used));
  }

  #number(kind: 'float' | 'double', value: StructuredValue | undefined, path: string): void {
    if (typeof value !== 'number' && typeof value !== 'bigint') throw mismatch(path, 'a number', value);
    const number = Number(value);
    const isExact = typeof value !== 'bigint' || BigInt(number) === value;
    if (!isExact || (kind === 'float' && !Object.is(Math.fround(number), number)))
      throw mismatch(path, `a ${kind}`, value);
    this.#room(8);
    if (kind === 'float') this.#used = this.#bytes.writeFloatLE(number, this.#used);
    else this.#used = this.#bytes.writeDoubleLE(number, this.#used);
  }

  #binary(type: AvroType & { kind: 'bytes' | 'fixed' }, value: StructuredValue | undefined, path: string): void {
    const size = type.kind === 'fixed' ? type.size : null;
    const isText = typeof value === 'string' && type.scale !== null;
    const bytes = isText ? decimalBytes(value, type.scale, size) : value;
    if (!(bytes instanceof Uint8Array) || (size !== null && bytes.length !== size)) {
      throw mismatch(
        path,
        type.scale === null ? 'bytes' : `a decimal with ${type.scale} digits behind the point`,
        value,
      );
    }
    if (size === null) this.#long(BigInt(bytes.length));
    this.#raw(bytes);
  }

  #text(value: string): void {
    const length = Buffer.byteLength(value);
    this.#long(BigInt(length));
    this.#room(length);
    this.#used += this.#bytes.write(value, this.#used, 'utf8');
  }

  #raw(bytes: Uint8Array): void {
    this.#room(bytes.length);
    this.#bytes.set(bytes, this.#used);
    this.#used += bytes.length;
  }

  #long(value: bigint): void {
    this.#room(10);
    let rest = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n));
    while (rest > 127n) {
      this.#bytes[this.#used++] = Number(rest & 127n) | 128;
      rest >>= 7n;
    }
    this.#bytes[this.#used++] = Number(rest);
  }

  #room(count: number): void {
    if (this.#used + count <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.#used + count, this.#bytes.length * 2));
    this.#bytes.copy(larger, 0, 0, this.#used);
    this.#bytes = larger;
  }
}

function integerOf(
  type: AvroType & { kind: 'int' | 'long' },
  value: StructuredValue | undefined,
  path: string,
): bigint {
  const { kind, logical } = type;
  const bits = kind === 'int' ? 32 : 64;
  let integer: bigint | null = null;
  if (typeof value === 'bigint') integer = value;
  else if (typeof value === 'number' && Number.isSafeInteger(value)) integer = BigInt(value);
  else if (typeof value === 'string' && logical === 'date') integer = dateDays(value);
  else if (typeof value === 'string' && logical !== null && logical !== 'date')
    integer = timestampUnits(value, logical);
  if (integer !== null && BigInt.asIntN(bits, integer) === integer) return integer;
  throw mismatch(
    path,
    logical === null ? `an integer of ${bits} bits` : logical === 'date' ? 'a date' : 'a timestamp',
    value,
  );
}

/** Whether a branch of a union is the one for this value. The first that fits is taken. */
function fits(type: AvroType, value: StructuredValue | undefined): boolean {
  switch (type.kind) {
    case 'null':
      return value === null || value === undefined;
    case 'boolean':
      return typeof value === 'boolean';
    case 'int':
    case 'long': {
      if (typeof value === 'string') {
        return type.logical === 'date'
          ? dateDays(value) !== null
          : type.logical !== null && timestampUnits(value, type.logical) !== null;
      }
      const bits = type.kind === 'int' ? 32 : 64;
      return typeof value === 'bigint' && BigInt.asIntN(bits, value) === value
        ? true
        : type.kind === 'int' && typeof value === 'number' && (value | 0) === value;
    }
    case 'float':
      return typeof value === 'number' && Object.is(Math.fround(value), value);
    case 'double':
      return typeof value === 'number';
    case 'string':
      return typeof value === 'string';
    case 'bytes':
    case 'fixed':
      if (typeof value === 'string' && type.scale !== null) {
        return decimalBytes(value, type.scale, type.kind === 'fixed' ? type.size : null) !== null;
      }
      return value instanceof Uint8Array && (type.kind === 'bytes' || value.length === type.size);
    case 'enum':
      return typeof value === 'string' && type.symbols.includes(value);
    case 'array':
      return isList(value) && value.every((item) => fits(type.items, item));
    case 'map':
      return isData(value) && Object.values(value).every((item) => fits(type.values, item));
    case 'record':
      return (
        hasFields(type, value) &&
        type.fields.every(({ name, type: inner }) => fits(inner, Object.hasOwn(value, name) ? value[name] : undefined))
      );
    case 'union':
      return type.branches.some((branch) => fits(branch, value));
    default:
      return unreachable(type);
  }
}

/** Whether a type is a record that loses no field of a value. */
function hasFields(type: AvroType, value: StructuredValue | undefined): value is StructuredData {
  if (type.kind !== 'record' || !isData(value)) return false;
  return Object.keys(value).every((key) => type.fields.some(({ name }) => name === key));
}

function bytesValue(bytes: Uint8Array, scale: number | null): StructuredValue {
  return scale === null ? bytes.slice() : decimalText(bytes, scale);
}

function isList(value: StructuredValue | undefined): value is readonly StructuredValue[] {
  return Array.isArray(value);
}

function isData(value: StructuredValue | undefined): value is StructuredData {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array);
}

/** A name such as __proto__ is a name like any other. */
function put(data: Record<string, StructuredValue>, name: string, value: StructuredValue): void {
  if (name === '__proto__')
    Object.defineProperty(data, name, { value, enumerable: true, configurable: true, writable: true });
  else data[name] = value;
}

function below(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}

function malformed(detail: string): Error {
  return new AvroMalformed({ detail });
}

/** Without the value itself: it is the user's data. */
function mismatch(path: string, expected: string, value: StructuredValue | undefined): Error {
  const got =
    value === undefined
      ? 'missing'
      : value === null
        ? 'null'
        : isList(value)
          ? 'a list'
          : value instanceof Uint8Array
            ? 'bytes'
            : `of type ${typeof value}`;
  return new AvroMismatch({ path, expected, got });
}
