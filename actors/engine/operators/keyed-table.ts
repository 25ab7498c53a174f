// A table with a primary key: commands in, changes of a set of rows out.
//
//   +1 upserts by key    -1 deletes by key    +1 with presence bits writes only the columns that are present
//   ∆out = for each key that a step wrote: -(row as it was) +(row as it is), where they differ
//
// The last write of a step wins. An absent key is ignored by deletions and partial updates.
// State: one record a key with the whole row; it is the content of the table, so nothing else has to keep it.
// Cost: O(commands), and in `flush` O(keys written).
import { type ChangeBatch, presenceBytes } from '../../../runtime/batch/change-batch.ts';
import type { Relation } from '../../../runtime/batch/schema.ts';
import type { Emit, Operator } from '../circuit/operator.ts';
import { RecordTable, warmRecords } from '../state/record-table.ts';
import { type LayoutColumn, layoutOf, type RowLayout } from '../state/row-layout.ts';
import { RowOutput } from '../state/row-output.ts';
import { encodeRows } from '../state/row-words.ts';
import type { SnapshotReader, SnapshotWriter } from '../state/snapshot-codec.ts';
import type { StringPool } from '../state/string-pool.ts';
import { Forgetting, type ForgottenKey } from './forgetting.ts';

const blockRows = 1024;
/** Rows that are flushed at a time, so that they stay in the cache. */
const flushRows = 512;

export class KeyedTable implements Operator {
  readonly name = 'keyed table';
  readonly detail: string;
  readonly passesOn: boolean = false;
  readonly #keys: readonly number[];
  readonly #others: readonly number[];
  readonly #keyLayout: RowLayout;
  readonly #otherLayout: RowLayout;
  /** Words of a row: key, then the other columns. Behind them: whether the row is there, and the mark of the step. */
  readonly #rowWords: number;
  readonly #table: RecordTable;
  readonly #pool: StringPool;
  readonly #output: RowOutput;
  readonly #scratch: Int32Array;
  readonly #ids: Int32Array = new Int32Array(blockRows);
  #touched: Int32Array = new Int32Array(blockRows);
  #touchedCount = 0;
  /** Rows as they were when the step began, with the word that says whether they were there. */
  #before: Int32Array;
  /** Scratch of a flush. */
  readonly #rows: Int32Array;
  readonly #rowWeights: Int32Array = new Int32Array(2 * flushRows);

  #forgetting: Forgetting | null = null;

  /** Keeps the loads that warm the cache from being optimised away. */
  #warmth = 0;

  constructor(relation: Relation, pool: StringPool, hashMask = -1) {
    const { fields } = relation.schema;
    this.detail = `${relation.name} by ${relation.primaryKey.map((k) => fields[k]!.name).join(', ')}`;
    this.#keys = relation.primaryKey;
    this.#others = fields.map((_, c) => c).filter((c) => !relation.primaryKey.includes(c));
    this.#keyLayout = layoutOf(this.#keys.map((k) => fields[k]!));
    const keyWords = this.#keyLayout.words;
    this.#otherLayout = layoutOf(
      this.#others.map((c) => fields[c]!),
      keyWords,
    );
    this.#rowWords = keyWords + this.#otherLayout.words;
    this.#table = new RecordTable({ keyWords, extraWords: this.#otherLayout.words + 2, hashMask });
    this.#pool = pool;
    const placeOf = (c: number): LayoutColumn =>
      this.#keys.includes(c)
        ? this.#keyLayout.columns[this.#keys.indexOf(c)]!
        : this.#otherLayout.columns[this.#others.indexOf(c)]!;
    const columns = fields.map((_, c) => ({ source: 0, place: placeOf(c) }));
    this.#output = new RowOutput(relation.schema, columns, pool);
    this.#scratch = new Int32Array(blockRows * this.#rowWords);
    this.#before = new Int32Array(blockRows * (this.#rowWords + 1));
    this.#rows = new Int32Array(2 * flushRows * this.#rowWords);
  }

  push(_port: number, batch: ChangeBatch, _emit: Emit): void {
    for (let from = 0; from < batch.rows; from += blockRows) {
      this.#block(batch, from, Math.min(batch.rows, from + blockRows));
    }
  }

  flush(emit: Emit): void {
    const count = this.#touchedCount;
    const table = this.#table;
    const stride = this.#rowWords;
    const rows = this.#rows;
    const weights = this.#rowWeights;
    this.#output.expect(count);
    for (let from = 0; from < count; from += flushRows) {
      const to = Math.min(count, from + flushRows);
      this.#warmth ^= warmRecords(table.words, table.width, stride, this.#touched.subarray(from, to), to - from);
      const made = writeChanges(table.words, table.width, stride, this.#touched, from, to, this.#before, rows, weights);
      this.#output.append([{ words: rows, stride, shift: 0, ids: null }], weights, made, emit);
    }
    for (let t = 0; t < count; t++) {
      const id = this.#touched[t]!;
      if (table.words[id * table.width + stride] === 0) table.remove(id);
    }
    this.#touchedCount = 0;
    this.#output.finish(emit);
    if (this.#forgetting === null) return;
    const gone = this.#forgetting.due(table.live, table, this.#keyLayout.columns);
    table.removeAll(gone);
    if (gone.length > 0) this.#forgetting.done(table.live);
  }

  /** Rows of old keys go, and with them `contents` is less than the table. Between two steps. */
  forget(key: ForgottenKey): void {
    this.#forgetting = new Forgetting(key);
  }

  readonly contents = (emit: Emit): void => {
    const { words, width } = this.#table;
    const ids = this.#table.ids();
    this.#output.append([{ words, stride: width, shift: 0, ids }], null, ids.length, emit);
    this.#output.finish(emit);
  };

  stateRows(): number {
    return this.#table.live;
  }

  stateBytes(): number {
    return this.#table.stateBytes;
  }

  snapshot(writer: SnapshotWriter): void {
    this.#table.snapshot(writer);
  }

  restore(reader: SnapshotReader): void {
    this.#table.restore(reader);
  }

  #block(batch: ChangeBatch, from: number, to: number): void {
    const count = to - from;
    const stride = this.#rowWords;
    const target = { words: this.#scratch, stride };
    const pick = (ordinals: readonly number[]): ChangeBatch['columns'] => ordinals.map((c) => batch.columns[c]!);
    encodeRows(pick(this.#keys), this.#keyLayout, { from, to }, target, this.#pool, true);
    encodeRows(pick(this.#others), this.#otherLayout, { from, to }, target, this.#pool, false);
    this.#table.findOrInsert(this.#scratch, stride, count, this.#ids);
    this.#reserveTouched(count);
    const table = this.#table;
    this.#warmth ^= warmRecords(table.words, table.width, stride, this.#ids, count);
    const { touched, before } = { touched: this.#touched, before: this.#before };
    this.#touchedCount = noteTouched(
      table.words,
      table.width,
      stride,
      this.#ids,
      count,
      touched,
      before,
      this.#touchedCount,
    );
    const keyWords = this.#keyLayout.words;
    if (batch.presence === null) {
      applyCommands(table.words, table.width, stride, keyWords, this.#ids, this.#scratch, batch.weights, from, count);
    } else this.#applyPartial(batch, from, count);
  }

  #applyPartial(batch: ChangeBatch, from: number, count: number): void {
    const { words, width } = this.#table;
    const stride = this.#rowWords;
    const presence = batch.presence!;
    const bytes = presenceBytes(batch.columns.length);
    for (let i = 0; i < count; i++) {
      const row = from + i;
      const record = this.#ids[i]! * width;
      const weight = batch.weights === null ? 1 : batch.weights[row]!;
      if (weight < 0) {
        words[record + stride] = 0;
        continue;
      }
      const isPresent = (c: number): boolean => (presence[row * bytes + (c >> 3)]! & (1 << (c & 7))) !== 0;
      if (this.#others.every(isPresent)) {
        // Every column is there: a whole row, which may be new.
        if (!this.#keys.every(isPresent)) continue;
        for (let k = this.#keyLayout.words; k < stride; k++) words[record + k] = this.#scratch[i * stride + k]!;
        words[record + stride] = 1;
        continue;
      }
      if (words[record + stride] === 0) continue;
      for (let o = 0; o < this.#others.length; o++) {
        if (isPresent(this.#others[o]!))
          copyColumn(this.#otherLayout.columns[o]!, this.#scratch, i * stride, words, record);
      }
    }
  }

  #reserveTouched(count: number): void {
    const needed = this.#touchedCount + count;
    if (needed <= this.#touched.length) return;
    const size = Math.max(needed, this.#touched.length * 2);
    const touched = new Int32Array(size);
    touched.set(this.#touched);
    this.#touched = touched;
    const before = new Int32Array(size * (this.#rowWords + 1));
    before.set(this.#before);
    this.#before = before;
  }
}

function copyColumn(place: LayoutColumn, from: Int32Array, at: number, to: Int32Array, target: number): void {
  for (let k = 0; k < place.words; k++) to[target + place.offset + k] = from[at + place.offset + k]!;
  if (place.nullWord < 0) return;
  const kept = to[target + place.nullWord]! & ~place.nullBit;
  to[target + place.nullWord] = kept | (from[at + place.nullWord]! & place.nullBit);
}

// ── data plane ──

/** Keeps each row that is touched for the first time in this step as it is now. */
function noteTouched(
  words: Int32Array,
  width: number,
  rowWords: number,
  ids: Int32Array,
  count: number,
  touched: Int32Array,
  before: Int32Array,
  first: number,
): number {
  let next = first;
  for (let i = 0; i < count; i++) {
    const record = ids[i]! * width;
    if (words[record + rowWords + 1] !== 0) continue;
    words[record + rowWords + 1] = 1;
    touched[next] = ids[i]!;
    const to = next * (rowWords + 1);
    for (let k = 0; k <= rowWords; k++) before[to + k] = words[record + k]!;
    next++;
  }
  return next;
}

function applyCommands(
  words: Int32Array,
  width: number,
  rowWords: number,
  keyWords: number,
  ids: Int32Array,
  scratch: Int32Array,
  weights: Int32Array | null,
  from: number,
  count: number,
): void {
  for (let i = 0; i < count; i++) {
    const record = ids[i]! * width;
    if (weights !== null && weights[from + i]! < 0) {
      words[record + rowWords] = 0;
      continue;
    }
    const read = i * rowWords;
    for (let k = keyWords; k < rowWords; k++) words[record + k] = scratch[read + k]!;
    words[record + rowWords] = 1;
  }
}

/** Writes -old +new, side by side, for each touched key whose row differs. Ends the marks. */
function writeChanges(
  words: Int32Array,
  width: number,
  rowWords: number,
  touched: Int32Array,
  from: number,
  to: number,
  before: Int32Array,
  rows: Int32Array,
  weights: Int32Array,
): number {
  let made = 0;
  for (let t = from; t < to; t++) {
    const record = touched[t]! * width;
    const old = t * (rowWords + 1);
    words[record + rowWords + 1] = 0;
    const was = before[old + rowWords]!;
    const is = words[record + rowWords]!;
    let same = was === is;
    if (was !== 0) for (let k = 0; same && k < rowWords; k++) same = before[old + k] === words[record + k];
    if (same) continue;
    if (was !== 0) {
      for (let k = 0; k < rowWords; k++) rows[made * rowWords + k] = before[old + k]!;
      weights[made++] = -1;
    }
    if (is !== 0) {
      for (let k = 0; k < rowWords; k++) rows[made * rowWords + k] = words[record + k]!;
      weights[made++] = 1;
    }
  }
  return made;
}
