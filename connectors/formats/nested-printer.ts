// ARRAY, MAP and ROW as JSON. They are stored as JSON already, but for DECIMAL, which stands there as text so that no digit is lost: here
// it becomes the JSON number that a DECIMAL is outside of them too.
//
//   stored     ["8.00",null,"10.50"]        printed     [8.00,null,10.50]
//
// Keys of a MAP stay texts. What is stored has no white space, and the fields of a ROW in the order of its type. Other types are stored as
// they are printed: `nestedPrinter` gives null for them.
import { assert } from '../../runtime/assert.ts';
import { isNested, type NestedType, type SqlType } from '../../runtime/batch/sql-type.ts';
import { skipValue } from './json-scan.ts';

/** null: the stored bytes are what is to be printed. */
export function nestedPrinter(type: SqlType): NestedPrinter | null {
  return isNested(type) && holds(type, 'DECIMAL') ? new NestedPrinter(type) : null;
}

/** Whether a value of the type may have one of that kind inside. */
export function holds(type: SqlType, kind: SqlType['kind']): boolean {
  switch (type.kind) {
    case 'ARRAY':
      return holds(type.element, kind);
    case 'MAP':
      return holds(type.value, kind);
    case 'ROW':
      return type.fields.some((field) => holds(field.type, kind));
    default:
      return type.kind === kind;
  }
}

export class NestedPrinter {
  readonly #type: NestedType;
  #bytes: Uint8Array = new Uint8Array(0);
  #at = 0;
  #end = 0;
  #out: Uint8Array = new Uint8Array(0);
  #used = 0;

  constructor(type: NestedType) {
    this.#type = type;
  }

  /** Prints `bytes[from .. to)` at `out[at]`, which has room for as many; returns where it ends. */
  print(bytes: Uint8Array, from: number, to: number, out: Uint8Array, at: number): number {
    this.#bytes = bytes;
    this.#at = from;
    this.#end = to;
    this.#out = out;
    this.#used = at;
    this.#value(this.#type);
    assert(this.#at === to, 'a stored nested value is of its type');
    return this.#used;
  }

  #value(type: SqlType): void {
    const byte = this.#bytes[this.#at];
    if (type.kind === 'DECIMAL' && byte === quote) {
      const close = this.#bytes.indexOf(quote, this.#at + 1);
      this.#at++;
      this.#copy(close);
      this.#at = close + 1;
      return;
    }
    if (byte === openList && type.kind === 'ARRAY') {
      this.#copy(this.#at + 1);
      while (this.#bytes[this.#at] !== closeList && this.#at < this.#end) {
        this.#value(type.element);
        this.#comma();
      }
      this.#copy(this.#at + 1);
      return;
    }
    if (byte === openObject && (type.kind === 'MAP' || type.kind === 'ROW')) {
      this.#copy(this.#at + 1);
      for (let member = 0; this.#bytes[this.#at] !== closeObject && this.#at < this.#end; member++) {
        // The key and its colon.
        this.#copy(skipValue(this.#bytes, this.#at, this.#end) + 1);
        const part = type.kind === 'MAP' ? type.value : type.fields[member]?.type;
        assert(part !== undefined, 'a stored ROW has the fields of its type');
        this.#value(part);
        this.#comma();
      }
      this.#copy(this.#at + 1);
      return;
    }
    this.#copy(skipValue(this.#bytes, this.#at, this.#end));
  }

  #comma(): void {
    if (this.#bytes[this.#at] === 0x2c) this.#copy(this.#at + 1);
  }

  #copy(to: number): void {
    for (let i = this.#at; i < to; i++) this.#out[this.#used++] = this.#bytes[i] ?? 0;
    this.#at = to;
  }
}

const quote = 0x22;
const openList = 0x5b;
const closeList = 0x5d;
const openObject = 0x7b;
const closeObject = 0x7d;
