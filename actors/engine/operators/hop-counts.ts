// Counts over windows that overlap (HOP): a row is counted once, in its pane, and a window is a sum of panes.
//
//   pane    the time between two beginnings of windows            window w = panes w … w + n - 1
//   out     (keys, start of w, counts) for every key and window with rows
//   ∆out  = for each window over a touched pane: -(row as it was) +(row as it is), where they differ          not linear
//
// State: a record for each key and chunk (operators/pane-chunks.ts) that holds the counts of its panes side by side, `panesMin` or
// as many as a window has, so that a window lies in one chunk or in two that follow one another.
// Cost: O(changed rows) to count; in `flush` O(windows over touched chunks), two probes for each of these.
// A chunk that was touched tells of the windows that begin in it and, unless the chunk before does so itself, of those that
// begin there and reach into it. The counts of a chunk are noted when a step first touches it.
// Not here: the pane of a row (a row program stands in front), windows that are no whole number of panes.

import type { ChangeBatch } from '../../../runtime/batch/change-batch.ts';
import { packed } from '../../../runtime/batch/packed-array.ts';
import type { Schema } from '../../../runtime/batch/schema.ts';
import type { Emit, Operator } from '../circuit/operator.ts';
import { RecordTable, warmLongRecords } from '../state/record-table.ts';
import { type LayoutColumn, layoutOf, type RowLayout } from '../state/row-layout.ts';
import { RowOutput } from '../state/row-output.ts';
import { encodeRows, wordsOfValues } from '../state/row-words.ts';
import type { SnapshotReader, SnapshotWriter } from '../state/snapshot-codec.ts';
import type { StringPool } from '../state/string-pool.ts';
import { Forgetting, type ForgottenKey } from './forgetting.ts';
import { addMicros, noteChunks, writeChunks } from './pane-chunks.ts';

export interface HopCountsShape {
  readonly input: Schema;
  /** Ordinals of the key columns: all groups but the window. */
  readonly keys: readonly number[];
  /** Ordinal of the TIMESTAMP at which the row's pane begins, never NULL. */
  readonly pane: number;
  /** In microseconds; a pane begins at `origin` and every `slide` before and after. */
  readonly slide: number;
  readonly origin: number;
  /** Panes of a window. */
  readonly panes: number;
  readonly counts: readonly PaneCount[];
  /** The key columns, the start of the window, the counts. */
  readonly schema: Schema;
  readonly pool: StringPool;
  readonly hashMask?: number;
}

/** COUNT of rows in which a column is not NULL and another one is true; null: of all rows. */
export interface PaneCount {
  readonly operand: number | null;
  readonly filter: number | null;
}

/** A window of more panes is not for this operator: each record would have room for all of them. */
export const panesMax = 64;
const panesMin = 8;
const blockRows = 256;
/** Rows that are written between two visits of the output. */
const writtenMax = 4096;

export class HopCounts implements Operator {
  readonly name = 'hop counts';
  readonly detail: string;
  readonly passesOn: boolean = false;
  readonly #shape: HopCountsShape;
  readonly #keyLayout: RowLayout;
  /** Where the start of a chunk lies in its record, as a column of the key. */
  readonly #startPlace: LayoutColumn;
  readonly #chunks: RecordTable;
  /** Panes of a chunk, and microseconds. */
  readonly #width: number;
  readonly #span: number;
  /** Cells of a pane: the first counts all rows. By result the cell that it shows. */
  readonly #cells: readonly PaneCount[];
  readonly #shown: Int32Array;
  readonly #touchedAt: number;
  /** Double of a record at which the counts begin, those of a pane side by side. */
  readonly #countsAt: number;
  readonly #output: RowOutput;
  readonly #keys: Int32Array;
  readonly #ids: Int32Array = new Int32Array(blockRows);
  readonly #panes: Int32Array = new Int32Array(blockRows);
  readonly #weights: Int32Array = new Int32Array(blockRows);
  readonly #seen: Int32Array = new Int32Array(blockRows);
  readonly #previous: Int32Array = new Int32Array(blockRows);
  readonly #next: Int32Array = new Int32Array(blockRows);
  /** Records that this step has touched, and their counts as they were before. */
  #touched: Int32Array = new Int32Array(blockRows);
  #before: Float64Array;
  #touchedCount = 0;
  readonly #rows: Int32Array;
  readonly #rowWeights: Int32Array = new Int32Array(writtenMax);
  readonly #rowWords: number;
  #warmth = 0;
  #lends = false;
  #forgetting: Forgetting | null = null;

  constructor(shape: HopCountsShape) {
    this.#shape = shape;
    const { input, keys, panes, slide, counts, schema, pool } = shape;
    this.detail = `${panes} panes of ${slide / 1e6} s by ${keys.map((key) => input.fields[key]!.name).join(', ')}`;
    this.#keyLayout = layoutOf(keys.map((key) => input.fields[key]!));
    const timeField = { type: input.fields[shape.pane]!.type, nullable: false };
    this.#startPlace = layoutOf([timeField], this.#keyLayout.words).columns[0]!;
    const keyWords = this.#keyLayout.words + 2;
    this.#width = Math.max(panesMin, panes);
    this.#span = this.#width * slide;
    const others = counts.filter(({ operand, filter }) => operand !== null || filter !== null);
    this.#cells = [{ operand: null, filter: null }, ...others];
    this.#shown = Int32Array.from(counts, (count) => Math.max(0, this.#cells.indexOf(count)));
    this.#touchedAt = keyWords;
    this.#countsAt = (keyWords + 2) >> 1;
    const words = 2 * (this.#countsAt + this.#width * this.#cells.length);
    this.#chunks = new RecordTable({
      keyWords,
      extraWords: words - keyWords,
      hashMask: shape.hashMask ?? -1,
    });
    this.#keys = new Int32Array(blockRows * keyWords);
    this.#before = new Float64Array(blockRows * this.#width * this.#cells.length);
    this.#rowWords = keyWords + 2 * counts.length;
    this.#rows = new Int32Array(writtenMax * this.#rowWords);
    const results = layoutOf(schema.fields.slice(keys.length + 1), keyWords).columns;
    const places = [...this.#keyLayout.columns, this.#startPlace, ...results];
    this.#output = new RowOutput(
      schema,
      places.map((place) => ({ source: 0, place })),
      pool,
    );
  }

  push(_port: number, batch: ChangeBatch, _emit: Emit): void {
    for (let from = 0; from < batch.rows; from += blockRows) {
      this.#block(batch, from, Math.min(batch.rows, from + blockRows));
    }
  }

  lend(may: boolean): void {
    this.#lends = may;
    this.#output.lend(may);
  }

  flush(emit: Emit): void {
    const count = this.#touchedCount;
    for (let from = 0; from < count; from += blockRows) {
      const part = this.#touched.subarray(from, Math.min(count, from + blockRows));
      this.#tell(part, from, emit);
    }
    this.#output.finish(emit);
    this.#release();
    this.#touchedCount = 0;
    if (this.#forgetting !== null) this.#forget(this.#forgetting);
  }

  /** Chunks go when no window over them changes any more, and with them `contents` is less than the output. Between two steps. */
  forget({ below }: Pick<ForgottenKey, 'below'>): void {
    const last = this.#span - this.#shape.slide;
    this.#forgetting = new Forgetting({
      position: this.#keyLayout.columns.length,
      below: () => {
        const start = below();
        return start === null ? null : typeof start === 'bigint' ? start - BigInt(last) : start - last;
      },
    });
  }

  readonly contents = (emit: Emit): void => {
    // Who asks for the content keeps it.
    this.#output.lend(false);
    const ids = this.#chunks.ids();
    for (let from = 0; from < ids.length; from += blockRows) {
      this.#tell(ids.subarray(from, Math.min(ids.length, from + blockRows)), -1, emit);
    }
    this.#output.finish(emit);
    this.#output.lend(this.#lends);
  };

  stateRows(): number {
    return this.#chunks.live;
  }

  stateBytes(): number {
    return this.#chunks.stateBytes;
  }

  snapshot(writer: SnapshotWriter): void {
    this.#chunks.snapshot(writer);
  }

  restore(reader: SnapshotReader): void {
    this.#chunks.restore(reader);
  }

  #block(batch: ChangeBatch, from: number, to: number): void {
    const { pool, keys, pane, origin, slide } = this.#shape;
    const count = to - from;
    const chunks = this.#chunks;
    const { keyWords } = chunks;
    const columns = packed(keys, (key) => batch.columns[key]!);
    encodeRows(columns, this.#keyLayout, { from, to }, { words: this.#keys, stride: keyWords }, pool, true);
    const times = batch.columns[pane]!;
    if (times.layout !== 'fixed') throw new TypeError('a TIMESTAMP is of fixed width');
    const grid = { slide, span: this.#span, origin };
    noteChunks(wordsOfValues(times.values), from, count, grid, this.#keys, keyWords, keyWords - 2, this.#panes);
    if (batch.weights === null) this.#weights.fill(1, 0, count);
    else this.#weights.set(batch.weights.subarray(from, to));
    chunks.findOrInsert(this.#keys, keyWords, count, this.#ids);
    this.#touch(count);
    const { doubles, width } = chunks;
    this.#cells.forEach((cell, c) => {
      const weights = this.#weightsOf(cell, batch, from, count);
      addCounts(doubles, width >> 1, this.#countsAt + c, this.#cells.length, this.#ids, this.#panes, weights, count);
    });
  }

  /** Notes the records of a block that are new in this step, with their counts as they are before the block. */
  #touch(count: number): void {
    const first = this.#touchedCount;
    const size = this.#width * this.#cells.length;
    if (first + count > this.#touched.length) {
      const room = Math.max(first + count, this.#touched.length * 2);
      const touched = new Int32Array(room);
      touched.set(this.#touched);
      this.#touched = touched;
      const before = new Float64Array(room * size);
      before.set(this.#before);
      this.#before = before;
    }
    const { words, width, doubles } = this.#chunks;
    this.#warmth ^= warmLongRecords(words, width, this.#touchedAt, width - 1, this.#ids, count);
    let next = first;
    for (let i = 0; i < count; i++) {
      const base = this.#ids[i]! * width;
      if (words[base + this.#touchedAt] !== 0) continue;
      copyDoubles(doubles, (base >> 1) + this.#countsAt, size, this.#before, next * size);
      this.#touched[next++] = this.#ids[i]!;
      words[base + this.#touchedAt] = next;
    }
    this.#touchedCount = next;
  }

  /** The weights of the rows that a count sees, 0 for the others. */
  #weightsOf({ operand, filter }: PaneCount, batch: ChangeBatch, from: number, count: number): Int32Array {
    if (operand === null && filter === null) return this.#weights;
    const seen = this.#seen;
    seen.set(this.#weights);
    const condition = filter === null ? null : batch.columns[filter]!;
    const validities = [operand === null ? null : batch.columns[operand]!.validity, condition?.validity ?? null];
    for (const validity of validities) if (validity !== null) clearNulls(validity, from, count, seen);
    // SAFETY: BOOLEAN is stored as bytes.
    if (condition?.layout === 'fixed') clearFalse(condition.values as Uint8Array, from, count, seen);
    return seen;
  }

  /** Tells of the windows over records: `from` is the place of the first among the touched ones; -1: all that they have. */
  #tell(ids: Int32Array, from: number, emit: Emit): void {
    const chunks = this.#chunks;
    const { words, width, keyWords, doubles } = chunks;
    const keys = this.#keys;
    const span = this.#span;
    for (const [neighbours, distance] of [
      [this.#previous, -span],
      [this.#next, span],
    ] as const) {
      for (let t = 0; t < ids.length; t++) {
        const base = ids[t]! * width;
        const at = t * keyWords;
        for (let k = 0; k < keyWords - 2; k++) keys[at + k] = words[base + k]!;
        addMicros(words, base + keyWords - 2, distance, keys, at + keyWords - 2);
      }
      chunks.find(keys, keyWords, ids.length, neighbours);
    }
    const { slide, panes } = this.#shape;
    const state = {
      words,
      doubles,
      width,
      keyWords,
      touchedAt: this.#touchedAt,
      countsAt: this.#countsAt,
    };
    const windows = {
      slide,
      panes,
      panesOfChunk: this.#width,
      cells: this.#cells.length,
      shown: this.#shown,
    };
    const target = {
      rows: this.#rows,
      rowWords: this.#rowWords,
      weights: this.#rowWeights,
      rowsMax: writtenMax,
    };
    const source = [{ words: this.#rows, stride: this.#rowWords, shift: 0, ids: null }];
    const before = { counts: this.#before, from };
    for (let done = 0; done < ids.length; ) {
      const { next, made } = writeChunks(state, windows, before, ids, this.#previous, this.#next, done, target);
      this.#output.append(source, this.#rowWeights, made, emit);
      done = next;
    }
  }

  /** Ends the marks of a step, and forgets chunks without rows. */
  #release(): void {
    const chunks = this.#chunks;
    const { width } = chunks;
    const size = this.#width * this.#cells.length;
    for (let t = 0; t < this.#touchedCount; t++) {
      const id = this.#touched[t]!;
      chunks.words[id * width + this.#touchedAt] = 0;
      if (areZero(chunks.doubles, ((id * width) >> 1) + this.#countsAt, size)) chunks.remove(id);
    }
  }

  #forget(forgetting: Forgetting): void {
    const chunks = this.#chunks;
    const gone = forgetting.due(chunks.live, chunks, [...this.#keyLayout.columns, this.#startPlace]);
    if (gone.length === 0) return;
    chunks.removeAll(gone);
    forgetting.done(chunks.live);
  }
}

// ── data plane ──

function addCounts(
  doubles: Float64Array,
  width: number,
  at: number,
  cells: number,
  ids: Int32Array,
  panes: Int32Array,
  weights: Int32Array,
  count: number,
): void {
  for (let i = 0; i < count; i++) doubles[ids[i]! * width + at + panes[i]! * cells]! += weights[i]!;
}

function copyDoubles(from: Float64Array, at: number, count: number, to: Float64Array, write: number): void {
  for (let k = 0; k < count; k++) to[write + k] = from[at + k]!;
}

function areZero(doubles: Float64Array, at: number, count: number): boolean {
  for (let k = 0; k < count; k++) if (doubles[at + k] !== 0) return false;
  return true;
}

function clearNulls(validity: Uint8Array, from: number, count: number, weights: Int32Array): void {
  for (let i = 0, row = from; i < count; i++, row++) if ((validity[row >> 3]! & (1 << (row & 7))) === 0) weights[i] = 0;
}

function clearFalse(values: Uint8Array, from: number, count: number, weights: Int32Array): void {
  for (let i = 0; i < count; i++) if (values[from + i] === 0) weights[i] = 0;
}
