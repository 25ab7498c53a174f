// What all calls of a window give for some rows in order: a partition, or a part of one with the rows that its results read.
//
// Each call writes its column (window-results.ts) over frames (window-frames.ts). Not here: which rows (window.ts, window-spans.ts).
import type { ChangeBatch } from '../../../runtime/batch/change-batch.ts';
import type { Schema } from '../../../runtime/batch/schema.ts';
import type { LayoutColumn, RowLayout } from '../state/row-layout.ts';
import type { RowOrder } from '../state/row-order.ts';
import { RowOutput } from '../state/row-output.ts';
import type { StringPool } from '../state/string-pool.ts';
import type { Results } from './window-changes.ts';
import { framesOf, noPeers, peersOf, type RangeKey, type SortedRows } from './window-frames.ts';
import { type Before, type WindowColumn, writeResults } from './window-results.ts';

export interface WindowComputationParts {
  readonly input: Schema;
  readonly layout: RowLayout;
  readonly calls: readonly WindowColumn[];
  /** Where the result of each call lies, in records of `stride` words that begin with the row. */
  readonly results: readonly LayoutColumn[];
  readonly stride: number;
  readonly peerOrder: RowOrder;
  readonly rangeKey: RangeKey | null;
  readonly pool: StringPool;
  /** Called with the number of the call whose result does not fit. */
  readonly fail: (call: number, row: ChangeBatch) => void;
}

export class WindowComputation {
  readonly #parts: WindowComputationParts;
  readonly #needsPeers: boolean;

  constructor(parts: WindowComputationParts) {
    this.#parts = parts;
    this.#needsPeers = parts.calls.some(
      (call) => call.function === 'rank' || call.function === 'dense_rank' || needsFrame(call),
    );
  }

  /**
   * `before`: what lies before the rows, for each call. Of the rows at positions that are `told`, what does not fit is reported.
   * `room`: where results may be written, if there is enough.
   */
  results(
    rows: SortedRows,
    before: readonly Before[] | null,
    told: { readonly from: number; readonly to: number } | null,
    room: Int32Array | null = null,
  ): Results {
    const { calls, layout, results, stride, peerOrder, rangeKey, pool, fail } = this.#parts;
    const { count } = rows;
    const length = count * stride;
    const words = room !== null && room.length >= length ? room.fill(0, 0, length) : new Int32Array(length);
    copyRows(rows.words, rows.width, rows.ids, count, layout.words, words, stride);
    const peers = this.#needsPeers ? peersOf(rows, peerOrder) : noPeers;
    for (let c = 0; c < calls.length; c++) {
      const call = calls[c]!;
      const frames = needsFrame(call) ? framesOf(call.frame, rows, peers, rangeKey) : null;
      const failed = writeResults(call, rows, peers, frames, { words, stride, place: results[c]! }, pool, before?.[c]);
      if (told === null) continue;
      for (const at of failed) if (at >= told.from && at < told.to) fail(c, this.#rowAt(rows, at));
    }
    return { words, count };
  }

  #rowAt(rows: SortedRows, position: number): ChangeBatch {
    const { input, layout, pool } = this.#parts;
    const places = layout.columns.map((place) => ({ source: 0, place }));
    const output = new RowOutput(input, places, pool);
    let row: ChangeBatch = { schema: input, rows: 1, weights: null, columns: [], presence: null };
    const take = (batch: ChangeBatch): void => {
      row = batch;
    };
    const ids = rows.ids.slice(position, position + 1);
    output.append([{ words: rows.words, stride: rows.width, shift: 0, ids }], null, 1, take);
    output.finish(take);
    return row;
  }
}

function needsFrame({ function: name }: WindowColumn): boolean {
  return !['row_number', 'rank', 'dense_rank', 'lag', 'lead'].includes(name);
}

// ── data plane ──

function copyRows(
  rows: Int32Array,
  width: number,
  ids: Int32Array,
  count: number,
  rowWords: number,
  out: Int32Array,
  stride: number,
): void {
  for (let i = 0; i < count; i++) {
    const read = ids[i]! * width;
    const write = i * stride;
    for (let k = 0; k < rowWords; k++) out[write + k] = rows[read + k]!;
  }
}
