// Frames of window functions over the sorted rows of one partition: for each position the range [from, to) that counts.
//
//   ROWS     positions                        GROUPS   runs of peers (rows of equal order keys)
//   RANGE    values of the one order key; a row whose key is NULL has its peers for a frame
// Peers of all rows are found once for each partition. Not here: what is computed over a frame (window-results.ts).
import type { Storage } from '../../../runtime/batch/sql-type.ts';
import type { FrameBound, WindowFrame } from '../sql/window-function.ts';
import type { LayoutColumn } from '../state/row-layout.ts';
import type { RowOrder } from '../state/row-order.ts';

/** The sorted rows of a partition: records ids[0 .. count) of a table, a row as often as its weight says. */
export interface SortedRows {
  readonly words: Int32Array;
  readonly width: number;
  readonly ids: Int32Array;
  readonly count: number;
}

/** Runs of peers: run r holds positions starts[r] .. starts[r + 1). */
export interface Peers {
  readonly runOf: Int32Array;
  readonly starts: Int32Array;
  readonly runs: number;
}

/** For calls that do not ask for peers. */
export const noPeers: Peers = { runOf: new Int32Array(0), starts: new Int32Array(0), runs: 0 };

export interface Frames {
  readonly from: Int32Array;
  readonly to: Int32Array;
}

/** The order key of RANGE with an offset. */
export interface RangeKey {
  readonly place: LayoutColumn;
  readonly descending: boolean;
}

export function peersOf(rows: SortedRows, order: RowOrder): Peers {
  const { words, width, ids, count } = rows;
  const runOf = new Int32Array(count);
  const starts = new Int32Array(count + 1);
  let runs = 0;
  for (let i = 0; i < count; i++) {
    if (i === 0 || order(words, ids[i - 1]! * width, words, ids[i]! * width) !== 0) starts[runs++] = i;
    runOf[i] = runs - 1;
  }
  starts[runs] = count;
  return { runOf, starts, runs };
}

export function framesOf(frame: WindowFrame, rows: SortedRows, peers: Peers, key: RangeKey | null): Frames {
  const { count } = rows;
  const values = frame.unit === 'range' && key !== null ? keyValues(rows, key) : null;
  const from = new Int32Array(count);
  const to = new Int32Array(count);
  for (let i = 0; i < count; i++) {
    const begin = boundary(frame, frame.start, true, i, rows, peers, values);
    const end = boundary(frame, frame.end, false, i, rows, peers, values);
    from[i] = Math.min(count, Math.max(0, begin));
    to[i] = Math.max(from[i]!, Math.min(count, end));
  }
  return { from, to };
}

function boundary(
  { unit }: WindowFrame,
  bound: FrameBound,
  isStart: boolean,
  i: number,
  rows: SortedRows,
  peers: Peers,
  values: KeyValues | null,
): number {
  if (bound.kind === 'unbounded') return isStart ? 0 : rows.count;
  const run = peers.runOf[i]!;
  if (bound.kind === 'current') {
    if (unit === 'rows') return isStart ? i : i + 1;
    return isStart ? peers.starts[run]! : peers.starts[run + 1]!;
  }
  if (unit === 'rows') return i + Number(bound.by) + (isStart ? 0 : 1);
  if (unit === 'groups') {
    const other = run + Number(bound.by);
    if (other < 0) return 0;
    if (other >= peers.runs) return rows.count;
    return isStart ? peers.starts[other]! : peers.starts[other + 1]!;
  }
  if (values === null || i < values.from || i >= values.to) {
    return isStart ? peers.starts[run]! : peers.starts[run + 1]!;
  }
  return search(values, i, bound.by, isStart);
}

/** Values of the order key, negated for a descending order, of the positions where it is not NULL. */
interface KeyValues {
  readonly values: readonly (number | bigint)[];
  readonly from: number;
  readonly to: number;
}

function keyValues({ words, width, ids, count }: SortedRows, { place, descending }: RangeKey): KeyValues {
  const values: (number | bigint)[] = [];
  let from = count;
  let to = 0;
  for (let i = 0; i < count; i++) {
    const base = ids[i]! * width;
    if (place.nullWord >= 0 && (words[base + place.nullWord]! & place.nullBit) !== 0) {
      values.push(0);
      continue;
    }
    from = Math.min(from, i);
    to = i + 1;
    const value = readNumber(words, base + place.offset, place.storage);
    values.push(descending ? -value : value);
  }
  return { values, from, to };
}

/** The first position whose value is at least (isStart) or more than value[i] + by. */
function search({ values, from, to }: KeyValues, i: number, by: number | bigint, isStart: boolean): number {
  const own = values[i]!;
  const limit = typeof own === 'bigint' ? own + BigInt(by) : own + Number(by);
  let low = from;
  let high = to;
  while (low < high) {
    const middle = (low + high) >> 1;
    const value = values[middle]!;
    if (isStart ? value < limit : value <= limit) low = middle + 1;
    else high = middle;
  }
  return low;
}

const floatWords = new Int32Array(2);
const double = new Float64Array(floatWords.buffer);
const single = new Float32Array(floatWords.buffer);

/** A number as it lies in a record: bigint for 64 bits and more, else number. */
export function readNumber(words: Int32Array, at: number, storage: Storage): number | bigint {
  switch (storage) {
    case 'i64':
      return (BigInt(words[at + 1]!) << 32n) | BigInt(words[at]! >>> 0);
    case 'i128': {
      const high = (BigInt(words[at + 3]!) << 32n) | BigInt(words[at + 2]! >>> 0);
      return (high << 64n) | (BigInt(words[at + 1]! >>> 0) << 32n) | BigInt(words[at]! >>> 0);
    }
    case 'f64':
      floatWords[0] = words[at]!;
      floatWords[1] = words[at + 1]!;
      return double[0]!;
    case 'f32':
      floatWords[0] = words[at]!;
      return single[0]!;
    default:
      return words[at]!;
  }
}

/** The other way round; the value fits the storage. */
export function writeNumber(words: Int32Array, at: number, storage: Storage, value: number | bigint): void {
  switch (storage) {
    case 'i64':
    case 'i128': {
      let rest = BigInt(value);
      for (let k = 0; k < (storage === 'i64' ? 2 : 4); k++) {
        words[at + k] = Number(BigInt.asIntN(32, rest));
        rest >>= 32n;
      }
      return;
    }
    case 'f64':
      double[0] = Number(value);
      words[at] = floatWords[0]!;
      words[at + 1] = floatWords[1]!;
      return;
    case 'f32':
      single[0] = Number(value);
      words[at] = floatWords[0]!;
      return;
    default:
      words[at] = Number(value);
  }
}
