// Equi-join of two change streams on equal key columns, inner or left.
//
//   inner   ∆out = ∆L ⋈ R  +  L ⋈ ∆R           each batch meets the other side as it is now, then joins its own side
//   left    … + nulls(∆L where R has no match)  ± nulls(L of keys whose matches came or went)
//   weight(out) = weight(l) · weight(r)         bilinear, so batches of the two sides may come in any order
//
// A NULL in a key matches nothing unless `nullsMatch` (keys compared with IS NOT DISTINCT FROM). No keys: every row
// matches every row. State: one table of join keys with the chain heads of both sides, so a row costs one probe, and the
// rows of each side (state/join-rows.ts). Cost: O(changed rows + matches); a key with many matches costs all of them.
// A batch goes through in blocks that stay in the cache. A side is emitted from its block, the other one from state.
// Not here: conditions beyond equality and the choice of keys (plan/planner.ts).

import { assert } from '../../../runtime/assert.ts';
import type { ChangeBatch } from '../../../runtime/batch/change-batch.ts';
import { packed } from '../../../runtime/batch/packed-array.ts';
import type { Field, Schema } from '../../../runtime/batch/schema.ts';
import { storageOf } from '../../../runtime/batch/sql-type.ts';
import type { Emit, Operator } from '../circuit/operator.ts';
import { JoinRows, type MatchedPairs } from '../state/join-rows.ts';
import { RecordTable } from '../state/record-table.ts';
import { type LayoutColumn, layoutOf, type RowLayout } from '../state/row-layout.ts';
import { type RecordSource, RowOutput } from '../state/row-output.ts';
import { encodeRows } from '../state/row-words.ts';
import type { SnapshotReader, SnapshotWriter } from '../state/snapshot-codec.ts';
import type { StringPool } from '../state/string-pool.ts';
import { Forgetting, type ForgottenKey } from './forgetting.ts';

export interface JoinInput {
  readonly schema: Schema;
  /** Ordinals of the key columns; types agree with the other side's, one by one. */
  readonly keys: readonly number[];
  /** Whether rows never go: then none is looked for by its columns, and their strings are only carried. */
  readonly appendOnly: boolean;
}

export interface JoinShape {
  readonly type: 'inner' | 'left';
  readonly left: JoinInput;
  readonly right: JoinInput;
  readonly nullsMatch: boolean;
  /** Columns of the output: those of the left, then those of the right. */
  readonly schema: Schema;
  readonly outputs: readonly { readonly side: 'left' | 'right'; readonly ordinal: number }[];
  readonly pool: StringPool;
  readonly hashMask?: number;
}

/** Small enough that the key and row records which a block touches stay in the cache. */
const blockRows = 256;
const pairsMax = 16_384;

/** What is kept of one side: its columns, as keys and as payload behind them. */
interface Side {
  readonly schema: Schema;
  readonly keys: readonly number[];
  readonly payload: readonly number[];
  readonly payloadLayout: RowLayout;
  readonly rows: JoinRows;
  readonly headAt: number;
  readonly stride: number;
}

/** Rows of a side in which a column is below something match nothing any more. */
interface RowBound {
  readonly rows: JoinRows;
  /** In the payload. */
  readonly place: LayoutColumn;
  readonly below: () => number | bigint | null;
  rowsMax: number;
}

const boundRowsMin = 1024;

export class Join implements Operator {
  readonly name: string;
  readonly detail: string;
  readonly contents: null = null;
  readonly passesOn: boolean = false;
  readonly #shape: JoinShape;
  readonly #keyLayout: RowLayout;
  readonly #keys: RecordTable;
  readonly #sides: readonly [Side, Side];
  readonly #output: RowOutput;
  readonly #outer: boolean;
  /** Whether a key with a NULL takes part in anything: it matches, or its row is emitted unmatched. */
  readonly #nullKeys: boolean;
  /** Words of a key record behind the key: heads of both chains, a mark, and the weight of the right side. */
  readonly #markAt: number;
  readonly #rightWeightAt: number;
  #scratch: Int32Array = new Int32Array(0);
  readonly #ids: Int32Array = new Int32Array(blockRows);
  readonly #weights: Int32Array = new Int32Array(blockRows);
  readonly #pairs: MatchedPairs = {
    rows: new Int32Array(pairsMax),
    weights: new Int32Array(pairsMax),
    staged: new Int32Array(0),
    cursor: new Int32Array(3),
    heads: new Int32Array(blockRows),
  };
  #stored: Int32Array = new Int32Array(0);
  /** 1 for the rows of a block that have a NULL in their key. */
  readonly #nulls: Uint8Array = new Uint8Array(blockRows);
  readonly #emptied: number[] = [];
  #forgetting: Forgetting | null = null;
  readonly #bounds: RowBound[] = [];

  constructor(shape: JoinShape) {
    this.#shape = shape;
    this.name = `${shape.type} join`;
    this.detail = `${shape.left.keys.map((k, i) => `#${k} = #${shape.right.keys[i]}`).join(', ')}`;
    this.#outer = shape.type === 'left';
    this.#nullKeys = this.#outer || shape.nullsMatch;
    const nullable = (i: number): boolean =>
      this.#nullKeys &&
      (shape.left.schema.fields[shape.left.keys[i]!]!.nullable ||
        shape.right.schema.fields[shape.right.keys[i]!]!.nullable);
    this.#keyLayout = layoutOf(
      shape.left.keys.map((k, i) => ({ ...shape.left.schema.fields[k]!, nullable: nullable(i) })),
    );
    const keyWords = this.#keyLayout.words;
    const hashMask = shape.hashMask ?? -1;
    this.#keys = new RecordTable({ keyWords, extraWords: this.#outer ? 4 : 2, hashMask });
    this.#markAt = keyWords + 2;
    this.#rightWeightAt = keyWords + 3;
    this.#sides = [
      this.#side(shape.left, 'left', keyWords, hashMask),
      this.#side(shape.right, 'right', keyWords + 1, hashMask),
    ];
    this.#output = new RowOutput(shape.schema, this.#outputColumns(), shape.pool);
  }

  push(port: number, batch: ChangeBatch, emit: Emit): void {
    const side = this.#sides[port];
    assert(side !== undefined && batch.columns.length === side.schema.fields.length, 'join: columns of an input');
    this.#output.expect(batch.rows);
    for (let from = 0; from < batch.rows; from += blockRows) {
      this.#block(port, side, batch, from, Math.min(batch.rows, from + blockRows), emit);
    }
    this.#output.finish(emit);
  }

  lend(may: boolean): void {
    this.#output.lend(may);
  }

  flush(_emit: Emit): void {
    for (const bound of this.#bounds) this.#forgetBelow(bound);
    const forgetting = this.#forgetting;
    if (forgetting === null) return;
    const keys = this.#keys;
    const gone = forgetting.due(this.stateRows(), keys, this.#keyLayout.columns);
    if (gone.length === 0) return;
    for (const side of this.#sides) side.rows.drop(gone);
    keys.removeAll(gone);
    forgetting.done(this.stateRows());
  }

  /** Rows of a side go in which a 64-bit column is below something, as they match nothing any more. Between two steps. */
  forgetRows(port: 0 | 1, ordinal: number, below: RowBound['below']): void {
    const { rows, payload, payloadLayout } = this.#sides[port];
    const place = payloadLayout.columns[payload.indexOf(ordinal)];
    // A column of the key goes with its key, if it does.
    if (place !== undefined) this.#bounds.push({ rows, place, below, rowsMax: boundRowsMin });
  }

  /** Rows go whose key will come from neither side any more. Between two steps. */
  forget(key: ForgottenKey): void {
    this.#forgetting = new Forgetting(key);
  }

  stateRows(): number {
    return this.#sides[0].rows.live + this.#sides[1].rows.live;
  }

  stateBytes(): number {
    return this.#keys.stateBytes + this.#sides[0].rows.stateBytes + this.#sides[1].rows.stateBytes;
  }

  snapshot(writer: SnapshotWriter): void {
    this.#keys.snapshot(writer);
    for (const side of this.#sides) side.rows.snapshot(writer);
  }

  restore(reader: SnapshotReader): void {
    this.#keys.restore(reader);
    for (const side of this.#sides) side.rows.restore(reader);
  }

  #side(input: JoinInput, name: 'left' | 'right', headAt: number, hashMask: number): Side {
    const used = this.#shape.outputs.filter((output) => output.side === name).map((output) => output.ordinal);
    const payload = [...new Set(used)].filter((ordinal) => !isExactKey(input, ordinal)).sort((a, b) => a - b);
    const strings = input.appendOnly ? 'carried' : 'interned';
    const payloadLayout = layoutOf(
      payload.map((ordinal) => input.schema.fields[ordinal]!),
      0,
      strings,
    );
    const rows = new JoinRows(this.#keys, headAt, payloadLayout.words, hashMask);
    const stride = this.#keyLayout.words + payloadLayout.words;
    return { schema: input.schema, keys: input.keys, payload, payloadLayout, rows, headAt, stride };
  }

  #outputColumns(): readonly { readonly source: number; readonly place: LayoutColumn }[] {
    return this.#shape.outputs.map(({ side: name, ordinal }) => {
      const input = this.#shape[name];
      const side = this.#sides[name === 'left' ? 0 : 1];
      const source = name === 'left' ? 1 : 2;
      if (!isExactKey(input, ordinal)) {
        return { source, place: side.payloadLayout.columns[side.payload.indexOf(ordinal)]! };
      }
      // Both sides of a match have the same key. Without a match the right side's key is NULL (source 3).
      return { source: name === 'left' ? 0 : 3, place: this.#keyLayout.columns[input.keys.indexOf(ordinal)]! };
    });
  }

  #block(port: number, side: Side, batch: ChangeBatch, from: number, to: number, emit: Emit): void {
    const count = this.#load(port, side, batch, from, to, emit);
    if (count === 0) return;
    this.#keys.findOrInsert(this.#scratch, side.stride, count, this.#ids);
    this.#match(port, side, count, emit);
    if (this.#outer && port === 0) this.#unmatched(side, count, emit);
    const touched = this.#outer && port === 1 ? this.#touch(count) : null;
    const keyWords = this.#keyLayout.words;
    side.rows.change(this.#scratch, side.stride, keyWords, this.#ids, this.#weights, count, this.#emptied);
    if (touched !== null) this.#matchesChanged(touched, count, emit);
    if (this.#emptied.length > 0) this.#releaseKeys();
  }

  /** Fills scratch and weights with the rows of a block that can match, and returns how many there are. */
  #load(port: number, side: Side, batch: ChangeBatch, from: number, to: number, emit: Emit): number {
    const count = to - from;
    const { stride, keys, payload, payloadLayout } = side;
    if (this.#scratch.length < count * stride) this.#scratch = new Int32Array(blockRows * Math.max(1, stride));
    const target = { words: this.#scratch, stride };
    const { pool } = this.#shape;
    const keyColumns = packed(keys, (ordinal) => batch.columns[ordinal]!);
    encodeRows(keyColumns, this.#keyLayout, { from, to }, target, pool, true);
    if (payload.length > 0) {
      const shifted = { words: this.#scratch.subarray(this.#keyLayout.words), stride };
      encodeRows(
        packed(payload, (ordinal) => batch.columns[ordinal]!),
        payloadLayout,
        { from, to },
        shifted,
        pool,
        false,
      );
    }
    copyWeights(batch.weights, from, count, this.#weights);
    if (this.#shape.nullsMatch || keyColumns.every((column) => column.validity === null)) return count;
    const nulls = this.#nulls.fill(0);
    for (const { validity } of keyColumns) if (validity !== null) markNulls(validity, from, count, nulls);
    if (this.#outer && port === 0) {
      const { rows, weights } = this.#pairs;
      const found = selectNullKeys(nulls, this.#weights, count, rows, weights);
      this.#emitLeftOnly(stride, rows, weights, found, emit);
    }
    return dropNullKeys(nulls, this.#scratch, stride, this.#weights, count);
  }

  #match(port: number, side: Side, count: number, emit: Emit): void {
    const other = this.#sides[1 - port]!.rows;
    const pairs = this.#pairs;
    const { rows, weights, cursor } = pairs;
    other.startMatch(this.#ids, count, pairs);
    while (cursor[0]! < count) {
      other.match(this.#weights, count, pairs);
      const found = cursor[2]!;
      if (found === 0) continue;
      // Where every row has one match, as those of a foreign key have, own columns are read in order.
      const ids = found === count && isIdentity(rows, count) ? null : rows;
      const keySource = { words: this.#scratch, stride: side.stride, shift: 0, ids };
      const own = { words: this.#scratch, stride: side.stride, shift: this.#keyLayout.words, ids };
      const matched = { words: pairs.staged, stride: other.payloadWords, shift: 0, ids: null };
      const sources = port === 0 ? [keySource, own, matched, keySource] : [keySource, matched, own, keySource];
      this.#output.append(sources, weights, found, emit);
    }
  }

  /** Left rows of the block for which the right side has nothing. */
  #unmatched(side: Side, count: number, emit: Emit): void {
    const keys = this.#keys;
    const found = selectUnmatched(
      keys.words,
      keys.width,
      this.#rightWeightAt,
      this.#ids,
      this.#weights,
      count,
      this.#pairs.rows,
      this.#pairs.weights,
    );
    this.#emitLeftOnly(side.stride, this.#pairs.rows, this.#pairs.weights, found, emit);
  }

  #emitLeftOnly(stride: number, rows: Int32Array, weights: Int32Array, count: number, emit: Emit): void {
    if (count === 0) return;
    const keySource = { words: this.#scratch, stride, shift: 0, ids: rows };
    const own = { words: this.#scratch, stride, shift: this.#keyLayout.words, ids: rows };
    this.#output.append([keySource, own, null, null], weights, count, emit);
  }

  /** The distinct keys of a block of the right side, each with whether it had matches before. Applies the weights. */
  #touch(count: number): { readonly keys: Int32Array; readonly before: Uint8Array; readonly length: number } {
    const keys = new Int32Array(count);
    const before = new Uint8Array(count);
    const { words, width } = this.#keys;
    let length = 0;
    for (let i = 0; i < count; i++) {
      const base = this.#ids[i]! * width;
      if (words[base + this.#markAt] === 0) {
        words[base + this.#markAt] = 1;
        keys[length] = this.#ids[i]!;
        before[length++] = words[base + this.#rightWeightAt]! > 0 ? 1 : 0;
      }
      words[base + this.#rightWeightAt]! += this.#weights[i]!;
    }
    return { keys, before, length };
  }

  #matchesChanged(touched: { keys: Int32Array; before: Uint8Array; length: number }, _count: number, emit: Emit): void {
    const table = this.#keys;
    const left = this.#sides[0];
    if (this.#stored.length === 0) this.#stored = new Int32Array(pairsMax);
    let pairs = 0;
    for (let t = 0; t < touched.length; t++) {
      const key = touched.keys[t]!;
      const base = key * table.width;
      table.words[base + this.#markAt] = 0;
      const now = table.words[base + this.#rightWeightAt]! > 0;
      if (now === (touched.before[t] === 1)) continue;
      for (let record = left.rows.headOf(key); record !== 0; record = left.rows.nextOf(record - 1)) {
        const weight = left.rows.weightOf(record - 1);
        this.#pairs.rows[pairs] = key;
        this.#stored[pairs] = record - 1;
        this.#pairs.weights[pairs++] = now ? -weight : weight;
        if (pairs === pairsMax) pairs = this.#emitStoredLeft(pairs, emit);
      }
    }
    this.#emitStoredLeft(pairs, emit);
  }

  #emitStoredLeft(count: number, emit: Emit): 0 {
    if (count === 0) return 0;
    const pairs = this.#pairs;
    const keys: RecordSource = { words: this.#keys.words, stride: this.#keys.width, shift: 0, ids: pairs.rows };
    const left = this.#sides[0].rows;
    const length = pairsMax * left.payloadWords;
    if (pairs.staged.length < length) pairs.staged = new Int32Array(length);
    left.stage(this.#stored, count, pairs.staged);
    const rows: RecordSource = { words: pairs.staged, stride: left.payloadWords, shift: 0, ids: null };
    this.#output.append([keys, rows, null, null], pairs.weights, count, emit);
    return 0;
  }

  /** Looks through the rows of a side when they have doubled since the last time, so that each costs a constant. */
  #forgetBelow(bound: RowBound): void {
    const { rows, place } = bound;
    if (rows.live < bound.rowsMax) return;
    const below = bound.below();
    if (below === null) return;
    const high = Number(BigInt.asIntN(32, BigInt(below) >> 32n));
    const low = Number(BigInt.asUintN(32, BigInt(below)));
    const keys = this.#keys;
    const emptied = new Int32Array(keys.live);
    const count = rows.dropBelow({ ...place, high, low }, emptied);
    bound.rowsMax = Math.max(boundRowsMin, 2 * rows.live);
    const other = this.#sides[0].rows === rows ? this.#sides[1] : this.#sides[0];
    keys.removeAll(emptied.subarray(0, keepEmpty(keys.words, keys.width, other.headAt, emptied, count)));
  }

  #releaseKeys(): void {
    const table = this.#keys;
    const [left, right] = this.#sides;
    for (const key of new Set(this.#emptied)) {
      const base = key * table.width;
      if (table.words[base + left.headAt] === 0 && table.words[base + right.headAt] === 0) table.remove(key);
    }
    this.#emptied.length = 0;
  }
}

/** Whether a column is a key whose stored form is the value itself: a key of floats forgets the sign of zero. */
function isExactKey(input: JoinInput, ordinal: number): boolean {
  const field: Field = input.schema.fields[ordinal]!;
  const storage = storageOf(field.type);
  return input.keys.includes(ordinal) && storage !== 'f32' && storage !== 'f64';
}

// ── data plane ──

/** Moves the keys whose other chain is empty, too, to the front. */
function keepEmpty(keys: Int32Array, keyWidth: number, headAt: number, ids: Int32Array, count: number): number {
  let kept = 0;
  for (let i = 0; i < count; i++) if (keys[ids[i]! * keyWidth + headAt] === 0) ids[kept++] = ids[i]!;
  return kept;
}

function copyWeights(weights: Int32Array | null, from: number, count: number, out: Int32Array): void {
  if (weights === null) out.fill(1, 0, count);
  else for (let i = 0; i < count; i++) out[i] = weights[from + i]!;
}

function isIdentity(rows: Int32Array, count: number): boolean {
  for (let i = 0; i < count; i++) if (rows[i] !== i) return false;
  return true;
}

function selectUnmatched(
  keys: Int32Array,
  keyWidth: number,
  rightWeightAt: number,
  ids: Int32Array,
  weights: Int32Array,
  count: number,
  outRows: Int32Array,
  outWeights: Int32Array,
): number {
  let found = 0;
  for (let i = 0; i < count; i++) {
    if (keys[ids[i]! * keyWidth + rightWeightAt]! > 0) continue;
    outRows[found] = i;
    outWeights[found++] = weights[i]!;
  }
  return found;
}

function markNulls(validity: Uint8Array, from: number, count: number, nulls: Uint8Array): void {
  for (let i = 0, row = from; i < count; i++, row++) if ((validity[row >> 3]! & (1 << (row & 7))) === 0) nulls[i] = 1;
}

function selectNullKeys(
  nulls: Uint8Array,
  weights: Int32Array,
  count: number,
  outRows: Int32Array,
  outWeights: Int32Array,
): number {
  let found = 0;
  for (let i = 0; i < count; i++) {
    if (nulls[i] === 0) continue;
    outRows[found] = i;
    outWeights[found++] = weights[i]!;
  }
  return found;
}

/** Moves the rows without a NULL in their key to the front. */
function dropNullKeys(
  nulls: Uint8Array,
  scratch: Int32Array,
  stride: number,
  weights: Int32Array,
  count: number,
): number {
  let kept = 0;
  for (let i = 0; i < count; i++) {
    if (nulls[i] !== 0) continue;
    if (kept !== i) {
      for (let k = 0; k < stride; k++) scratch[kept * stride + k] = scratch[i * stride + k]!;
      weights[kept] = weights[i]!;
    }
    kept++;
  }
  return kept;
}
