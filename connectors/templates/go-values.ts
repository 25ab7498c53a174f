// Values as templates see them, and what Go's text/template and sprig think of them: kinds, names of types, truth, equality, order.
//
//   bigint    int (every integer kind)            number   float64          Uint8Array  []byte
//   NamedBytes opencdc.RawData, opencdc.Position  GoTime   time.Time        GoDuration  time.Duration
//   list      []interface {}                      object   map[string]interface {}
//   Struct    a struct: a record, a change        nil      null; noData is a nil of the interface opencdc.Data
//   undefined nothing at all, such as a key that a map lacks
// Texts are code units; bytes that are no UTF-8 travel as lone surrogates U+DC80 to U+DCFF and come out as they went in.
import { SemanticVersion } from './semantic-version.ts';
import { FunctionFailure } from './template-errors.ts';

export type GoValue =
  | undefined
  | null
  | string
  | bigint
  | number
  | boolean
  | Uint8Array
  | NamedBytes
  | GoTime
  | GoDuration
  | GoOperation
  | SemanticVersion
  | Struct
  | NoData
  | GoList
  | GoMap;

export type GoList = readonly GoValue[];
export interface GoMap {
  readonly [name: string]: GoValue;
}

export class NamedBytes {
  readonly bytes: Uint8Array;
  readonly type: 'opencdc.RawData' | 'opencdc.Position';

  constructor(bytes: Uint8Array, type: NamedBytes['type']) {
    this.bytes = bytes;
    this.type = type;
  }
}

export class GoTime {
  /** Since 1970-01-01 UTC. */
  readonly nanoseconds: bigint;
  /** An IANA name, 'UTC', or an offset such as +02:00. */
  readonly zone: string;

  constructor(nanoseconds: bigint, zone = 'UTC') {
    this.nanoseconds = nanoseconds;
    this.zone = zone;
  }
}

export class GoDuration {
  readonly nanoseconds: bigint;

  constructor(nanoseconds: bigint) {
    this.nanoseconds = nanoseconds;
  }
}

export class GoOperation {
  readonly name: string;
  readonly number: bigint;

  constructor(name: string, number: bigint) {
    this.name = name;
    this.number = number;
  }
}

/** Fields are asked for by name when they are needed. */
export class Struct {
  readonly type: string;
  readonly fieldNames: readonly string[];
  readonly #read: (name: string) => GoValue;

  constructor(type: string, fieldNames: readonly string[], read: (name: string) => GoValue) {
    this.type = type;
    this.fieldNames = fieldNames;
    this.#read = read;
  }

  field(name: string): GoValue {
    return this.#read(name);
  }
}

class NoData {
  readonly isNil = true;
}

/** A nil of the type opencdc.Data: it prints as <nil>, where a nil without a type is <no value>. */
export const noData: NoData = new NoData();

export function isNil(value: GoValue): value is undefined | null | NoData {
  return value === undefined || value === null || value instanceof NoData;
}

export function isList(value: GoValue): value is GoList {
  return Array.isArray(value);
}

export function isMap(value: GoValue): value is GoMap {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    Object.getPrototypeOf(value) !== null &&
    Object.getPrototypeOf(value) === Object.prototype
  );
}

const textMapMark = Symbol('map[string]string');

/** A map whose values are all texts, so that what it lacks is an empty text where it is indexed: metadata. */
export function textMap(entries: Readonly<Record<string, string>>): GoMap {
  return Object.defineProperty({ ...entries }, textMapMark, { value: true });
}

export function isTextMap(value: GoMap): boolean {
  return Object.hasOwn(value, textMapMark);
}

/** The bytes of []byte and its named kin, else null. */
export function bytesOf(value: GoValue): Uint8Array | null {
  if (value instanceof Uint8Array) return value;
  return value instanceof NamedBytes ? value.bytes : null;
}

/** An object whose names may be anything. */
export function makeMap(entries: Iterable<readonly [string, GoValue]>): GoMap {
  const map: Record<string, GoValue> = {};
  for (const [name, value] of entries) setEntry(map, name, value);
  return map;
}

export function setEntry(map: Record<string, GoValue>, name: string, value: GoValue): void {
  if (name === '__proto__') {
    Object.defineProperty(map, name, { value, enumerable: true, configurable: true, writable: true });
  } else map[name] = value;
}

export function entryOf(map: GoMap, name: string): GoValue {
  return Object.hasOwn(map, name) ? map[name] : undefined;
}

/** What `%T` and typeOf say. */
export function typeName(value: GoValue): string {
  if (isNil(value)) return '<nil>';
  switch (typeof value) {
    case 'string':
      return 'string';
    case 'bigint':
      return 'int';
    case 'number':
      return 'float64';
    case 'boolean':
      return 'bool';
  }
  if (value instanceof Uint8Array) return '[]uint8';
  if (value instanceof NamedBytes || value instanceof Struct) return value.type;
  if (value instanceof GoTime) return 'time.Time';
  if (value instanceof GoDuration) return 'time.Duration';
  if (value instanceof GoOperation) return 'opencdc.Operation';
  if (value instanceof SemanticVersion) return '*semver.Version';
  if (isList(value)) return '[]interface {}';
  return isTextMap(value) ? 'opencdc.Metadata' : 'map[string]interface {}';
}

/** What kindOf says. */
export function kindName(value: GoValue): string {
  if (isNil(value)) return 'invalid';
  if (value instanceof Uint8Array || value instanceof NamedBytes || isList(value)) return 'slice';
  if (value instanceof GoTime || value instanceof Struct) return 'struct';
  if (value instanceof GoDuration) return 'int64';
  if (value instanceof SemanticVersion) return 'ptr';
  if (value instanceof GoOperation) return 'int';
  if (isMap(value)) return 'map';
  return typeName(value);
}

/** `if`, `and`, `not`: everything but the zero value of its kind is true; a struct always is. */
export function isTrue(value: GoValue): boolean {
  if (isNil(value)) return false;
  switch (typeof value) {
    case 'string':
      return value !== '';
    case 'bigint':
      return value !== 0n;
    case 'number':
      return value !== 0;
    case 'boolean':
      return value;
  }
  const bytes = bytesOf(value);
  if (bytes !== null) return bytes.length > 0;
  if (value instanceof GoDuration) return value.nanoseconds !== 0n;
  if (value instanceof GoOperation) return value.number !== 0n;
  if (value instanceof GoTime || value instanceof Struct) return true;
  return isList(value) ? value.length > 0 : Object.keys(value).length > 0;
}

type Basic = 'int' | 'float' | 'string' | 'bool' | null;

function basicOf(value: GoValue): readonly [Basic, bigint | number | string | boolean] {
  switch (typeof value) {
    case 'bigint':
      return ['int', value];
    case 'number':
      return ['float', value];
    case 'string':
      return ['string', value];
    case 'boolean':
      return ['bool', value];
  }
  if (value instanceof GoDuration) return ['int', value.nanoseconds];
  if (value instanceof GoOperation) return ['int', value.number];
  return [null, false];
}

/** `eq`. @throws FunctionFailure when the two cannot be compared. */
export function isEqual(a: GoValue, b: GoValue): boolean {
  const [kindA, basicA] = basicOf(a);
  const [kindB, basicB] = basicOf(b);
  if (kindA !== kindB) {
    if (isNil(a) || isNil(b)) return false;
    throw new FunctionFailure('incompatible types for comparison');
  }
  if (kindA !== null) return basicA === basicB;
  if (isNil(a) || isNil(b)) return isNil(a) && isNil(b);
  if (a instanceof GoTime && b instanceof GoTime) return a.nanoseconds === b.nanoseconds && a.zone === b.zone;
  throw new FunctionFailure(`non-comparable type ${typeName(a)}`);
}

/** `lt`. @throws FunctionFailure */
export function isLess(a: GoValue, b: GoValue): boolean {
  const [kindA, basicA] = basicOf(a);
  const [kindB, basicB] = basicOf(b);
  if (kindA === null || kindB === null) throw new FunctionFailure('invalid type for comparison');
  if (kindA !== kindB) throw new FunctionFailure('incompatible types for comparison');
  if (kindA === 'bool') throw new FunctionFailure('invalid type for comparison');
  if (typeof basicA === 'string' && typeof basicB === 'string') return compareText(basicA, basicB) < 0;
  return basicA < basicB;
}

/** reflect.DeepEqual. */
export function isDeepEqual(a: GoValue, b: GoValue): boolean {
  if (isNil(a) || isNil(b)) return isNil(a) && isNil(b);
  if (isList(a) && isList(b)) return a.length === b.length && a.every((item, i) => isDeepEqual(item, b[i]));
  if (isMap(a) && isMap(b)) {
    const names = Object.keys(a);
    if (names.length !== Object.keys(b).length) return false;
    return names.every((name) => Object.hasOwn(b, name) && isDeepEqual(a[name], b[name]));
  }
  const bytesA = bytesOf(a);
  const bytesB = bytesOf(b);
  if (bytesA !== null && bytesB !== null) return typeName(a) === typeName(b) && Buffer.compare(bytesA, bytesB) === 0;
  const [kindA, basicA] = basicOf(a);
  const [kindB, basicB] = basicOf(b);
  if (kindA !== null) return kindA === kindB && basicA === basicB && typeName(a) === typeName(b);
  return a instanceof GoTime && b instanceof GoTime && a.nanoseconds === b.nanoseconds && a.zone === b.zone;
}

/** In the order of UTF-8 bytes. */
export function compareText(a: string, b: string): number {
  return Buffer.compare(bytesOfText(a), bytesOfText(b));
}

export function sortedNames(map: GoMap): string[] {
  return Object.keys(map).sort(compareText);
}

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Bytes as text; a byte that is no UTF-8 becomes a lone surrogate. */
export function textOfBytes(bytes: Uint8Array): string {
  try {
    return strict.decode(bytes);
  } catch {
    return escapeInvalid(bytes);
  }
}

function escapeInvalid(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; ) {
    const lead = bytes[at] ?? 0;
    const length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    try {
      text += strict.decode(bytes.subarray(at, at + length));
      at += Math.min(length, bytes.length - at);
    } catch {
      text += String.fromCharCode(0xdc00 + lead);
      at++;
    }
  }
  return text;
}

/** The inverse. */
export function bytesOfText(text: string): Uint8Array {
  const escaped = /[\udc80-\udcff]/.test(text) ? [...text] : null;
  if (escaped === null || !escaped.some(isEscape)) return Buffer.from(text, 'utf8');
  return Buffer.concat(
    escaped.map((letter) => (isEscape(letter) ? Buffer.of(letter.charCodeAt(0) - 0xdc00) : Buffer.from(letter))),
  );
}

function isEscape(letter: string): boolean {
  return letter.length === 1 && letter >= '\udc80' && letter <= '\udcff';
}
