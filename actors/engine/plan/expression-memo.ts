// Results of one subexpression for each entry of a dictionary, kept as long as the dictionary lives.
//
// Slot 0 is the result for NULL, slot code + 1 that for an entry. A state of 0 says that the slot has not been computed;
// generated code fills slots on demand. Dictionaries only grow and never change an entry, so what is known stays true.
import { assert } from '../../../runtime/assert.ts';
import type { Column } from '../../../runtime/batch/column.ts';
import { type SqlType, storageOf } from '../../../runtime/batch/sql-type.ts';
import type { MemoPlan } from './expression-emitter.ts';

export interface MemoEntries {
  readonly states: Uint8Array;
  /** Numbers and 64-bit values in typed arrays, all else in an array of JavaScript values. */
  readonly values: Float64Array | BigInt64Array | unknown[];
}

export class Memo {
  readonly #plan: MemoPlan;
  readonly #entries = new WeakMap<object, MemoEntries>();

  constructor(plan: MemoPlan) {
    this.#plan = plan;
  }

  /** The slots for the dictionary of this batch's column. */
  entriesFor(columns: readonly Column[]): MemoEntries {
    const column = columns[this.#plan.ordinal];
    assert(column?.layout === 'dictionary', 'a memo belongs to a dictionary column');
    const { identity, size } = column.dictionary;
    const known = this.#entries.get(identity);
    if (known !== undefined && known.states.length > size) return known;
    const slots = Math.max(size + 1, known === undefined ? 0 : known.states.length * 2);
    const entries = grownEntries(this.#plan.type, slots, known);
    this.#entries.set(identity, entries);
    return entries;
  }
}

function grownEntries(type: SqlType, slots: number, known: MemoEntries | undefined): MemoEntries {
  const states = new Uint8Array(slots);
  if (known !== undefined) states.set(known.states);
  const values = allocateValues(type, slots);
  if (known === undefined) return { states, values };
  const old = known.values;
  if (values instanceof Float64Array && old instanceof Float64Array) values.set(old);
  else if (values instanceof BigInt64Array && old instanceof BigInt64Array) values.set(old);
  else if (Array.isArray(values) && Array.isArray(old)) for (const [i, value] of old.entries()) values[i] = value;
  return { states, values };
}

function allocateValues(type: SqlType, slots: number): Float64Array | BigInt64Array | unknown[] {
  switch (storageOf(type)) {
    case 'bool':
      return [];
    case 'i8':
    case 'i16':
    case 'i32':
    case 'f32':
    case 'f64':
      return new Float64Array(slots);
    case 'i64':
      return new BigInt64Array(slots);
    default:
      return new Array<unknown>(slots).fill(null);
  }
}
