// Panes of time in chunks: where a moment lies, and the windows over chunks that follow one another (kernels of hop-counts.ts).
//
//   chunk   `span` microseconds from `origin + i * span` on: panesOfChunk panes of `slide` each
//   record  [ key words, start of the chunk as two words | mark of the step | counts: pane 0 cells, pane 1 cells, … ]
// Moments are 64-bit integers in two words. Those of the years in which doubles count microseconds exactly are computed as
// doubles, others as BigInt, with the same result. Counts are doubles, sums of whole numbers.
// Not here: state (hop-counts.ts).

/** Microseconds. */
export interface PaneGrid {
  readonly slide: number;
  readonly span: number;
  /** At least 0 and less than `slide`. */
  readonly origin: number;
}

export interface ChunkState {
  readonly words: Int32Array;
  readonly doubles: Float64Array;
  readonly width: number;
  readonly keyWords: number;
  readonly touchedAt: number;
  readonly countsAt: number;
}

export interface PaneWindows {
  readonly slide: number;
  /** Panes of a window. */
  readonly panes: number;
  readonly panesOfChunk: number;
  readonly cells: number;
  /** For each result the cell that it shows. */
  readonly shown: Int32Array;
}

/** Counts of touched records as the step found them; `from` is the place of the first of `ids`, -1: nothing was there. */
export interface ChunkCounts {
  readonly counts: Float64Array;
  readonly from: number;
}

export interface WindowRows {
  readonly rows: Int32Array;
  readonly rowWords: number;
  readonly weights: Int32Array;
  readonly rowsMax: number;
}

// ── data plane ──

const wordSize = 4294967296;
/** High words of moments that are exact as doubles, with a chunk more or less. */
const exactHigh = 1 << 20;
/** Counts of the panes that the windows over one chunk have, before and after. Pure scratch of `writeChunks`. */
let was: Float64Array = new Float64Array(0);
let is: Float64Array = new Float64Array(0);
let wasSum: Float64Array = new Float64Array(0);
let isSum: Float64Array = new Float64Array(0);

/** Writes the start of each row's chunk to two words of its key, and the number of its pane in the chunk. */
export function noteChunks(
  times: Int32Array,
  from: number,
  count: number,
  grid: PaneGrid,
  keys: Int32Array,
  stride: number,
  offset: number,
  panes: Int32Array,
): void {
  const { slide, span, origin } = grid;
  let start = 0;
  let low = 0;
  let high = 0;
  let known = false;
  for (let i = 0, read = 2 * from, at = offset; i < count; i++, read += 2, at += stride) {
    const top = times[read + 1]!;
    if (top >= exactHigh || top < -exactHigh) {
      panes[i] = noteFarChunk(times, read, grid, keys, at);
      continue;
    }
    const moment = top * wordSize + (times[read]! >>> 0);
    // Rows come mostly in the order of time.
    if (!known || moment < start || moment >= start + span) {
      const since = moment - origin;
      let chunk = Math.floor(since / span);
      if (chunk * span > since) chunk--;
      else if ((chunk + 1) * span <= since) chunk++;
      start = chunk * span + origin;
      low = start | 0;
      high = Math.floor(start / wordSize);
      known = true;
    }
    keys[at] = low;
    keys[at + 1] = high;
    panes[i] = Math.floor((moment - start) / slide);
  }
}

function noteFarChunk(times: Int32Array, read: number, grid: PaneGrid, keys: Int32Array, at: number): number {
  const moment = (BigInt(times[read + 1]!) << 32n) | BigInt(times[read]! >>> 0);
  const span = BigInt(grid.span);
  const since = moment - BigInt(grid.origin);
  const into = ((since % span) + span) % span;
  const start = moment - into;
  keys[at] = Number(BigInt.asIntN(32, start));
  keys[at + 1] = Number(BigInt.asIntN(32, start >> 32n));
  return Number(into / BigInt(grid.slide));
}

/** Writes a moment and `micros` more; of the sum the lowest 64 bits. */
export function addMicros(words: Int32Array, read: number, micros: number, out: Int32Array, at: number): void {
  const over = Math.floor(micros / wordSize);
  const low = (words[read]! >>> 0) + (micros - over * wordSize);
  out[at] = low | 0;
  out[at + 1] = (words[read + 1]! + over + (low >= wordSize ? 1 : 0)) | 0;
}

/**
 * Writes -old +new for the windows over records ids[done …] as rows of key, start and counts, while there is room.
 * @returns the first record that is left, and how many rows there are
 */
export function writeChunks(
  state: ChunkState,
  windows: PaneWindows,
  before: ChunkCounts,
  ids: Int32Array,
  previous: Int32Array,
  following: Int32Array,
  done: number,
  target: WindowRows,
): { readonly next: number; readonly made: number } {
  const { words, doubles, width, keyWords, touchedAt, countsAt } = state;
  const { slide, panes, panesOfChunk, cells, shown } = windows;
  const { rowsMax } = target;
  const reach = panes - 1;
  const size = panesOfChunk * cells;
  const length = (panesOfChunk + 2 * reach) * cells;
  if (was.length < length) {
    was = new Float64Array(length);
    is = new Float64Array(length);
    wasSum = new Float64Array(length);
    isSum = new Float64Array(length);
  }
  const changes = before.from >= 0;
  const rowsOfRecord = 2 * (panesOfChunk + reach);
  let made = 0;
  let t = done;
  for (; t < ids.length && made + rowsOfRecord <= rowsMax; t++) {
    const base = ids[t]! * width;
    const counts = (base >> 1) + countsAt;
    const own = reach * cells;
    // The chunk before tells of its windows itself, unless it is not there or nothing has touched it.
    const left = previous[t]!;
    const leftMark = left < 0 ? 0 : words[left * width + touchedAt]!;
    const begin = left >= 0 && (!changes || leftMark !== 0) ? reach : 0;
    if (begin === 0) {
      const at = left < 0 ? -1 : ((left * width) >> 1) + countsAt + size - own;
      layCounts(doubles, at, own, is, 0);
      layCounts(doubles, changes ? at : -1, own, was, 0);
    }
    layCounts(doubles, counts, size, is, own);
    if (changes) layCounts(before.counts, (before.from + t) * size, size, was, own);
    else was.fill(0, own, own + size);
    const right = following[t]!;
    const rightAt = right < 0 ? -1 : ((right * width) >> 1) + countsAt;
    const rightMark = right < 0 ? 0 : words[right * width + touchedAt]!;
    layCounts(doubles, rightAt, own, is, own + size);
    if (!changes) was.fill(0, own + size, length);
    else if (rightMark !== 0) layCounts(before.counts, (rightMark - 1) * size, own, was, own + size);
    else layCounts(doubles, rightAt, own, was, own + size);
    const span = { first: begin, end: reach + panesOfChunk, reach };
    if (cells === 1) made = writeCounts(words, base, keyWords, span, slide, shown.length, target, made);
    else made = writeSums(words, base, keyWords, span, slide, cells, shown, target, made);
  }
  return { next: t, made };
}

/** The windows over one record: they begin at the panes [first, end) of what has been laid out. */
interface WindowSpan {
  readonly first: number;
  readonly end: number;
  /** Panes behind the first one of a window. */
  readonly reach: number;
}

/** Where there is one count, its sums need no memory; `results` shows of it are written. */
function writeCounts(
  words: Int32Array,
  base: number,
  keyWords: number,
  { first, end, reach }: WindowSpan,
  slide: number,
  results: number,
  target: WindowRows,
  made: number,
): number {
  let before = 0;
  let after = 0;
  for (let p = first; p < first + reach; p++) {
    before += was[p]!;
    after += is[p]!;
  }
  for (let p = first; p < end; p++) {
    before += was[p + reach]!;
    after += is[p + reach]!;
    if (before !== after) {
      const micros = (p - reach) * slide;
      for (let sign = before > 0 ? -1 : 1; sign <= 1; sign += 2) {
        const value = sign < 0 ? before : after;
        if (value <= 0) continue;
        writeKey(words, base, keyWords, micros, sign, target, made);
        const write = made * target.rowWords + keyWords;
        for (let r = 0; r < results; r++) {
          target.rows[write + 2 * r] = value | 0;
          target.rows[write + 2 * r + 1] = Math.floor(value / wordSize);
        }
        made++;
      }
    }
    before -= was[p]!;
    after -= is[p]!;
  }
  return made;
}

function writeSums(
  words: Int32Array,
  base: number,
  keyWords: number,
  { first, end, reach }: WindowSpan,
  slide: number,
  cells: number,
  shown: Int32Array,
  target: WindowRows,
  made: number,
): number {
  for (let c = 0; c < cells; c++) {
    wasSum[c] = 0;
    isSum[c] = 0;
    for (let p = first; p < first + reach; p++) {
      wasSum[c]! += was[p * cells + c]!;
      isSum[c]! += is[p * cells + c]!;
    }
  }
  for (let p = first; p < end; p++) {
    let same = true;
    for (let c = 0; c < cells; c++) {
      wasSum[c]! += was[(p + reach) * cells + c]!;
      isSum[c]! += is[(p + reach) * cells + c]!;
      if (wasSum[c] !== isSum[c]) same = false;
    }
    for (let sign = same ? 3 : -1; sign <= 1; sign += 2) {
      const sums = sign < 0 ? wasSum : isSum;
      if (sums[0]! <= 0) continue;
      writeKey(words, base, keyWords, (p - reach) * slide, sign, target, made);
      const write = made * target.rowWords + keyWords;
      for (let r = 0; r < shown.length; r++) {
        const value = sums[shown[r]!]!;
        target.rows[write + 2 * r] = value | 0;
        target.rows[write + 2 * r + 1] = Math.floor(value / wordSize);
      }
      made++;
    }
    for (let c = 0; c < cells; c++) {
      wasSum[c]! -= was[p * cells + c]!;
      isSum[c]! -= is[p * cells + c]!;
    }
  }
  return made;
}

/** The key of a record and the start of a window, `micros` behind that of its chunk. */
function writeKey(
  words: Int32Array,
  base: number,
  keyWords: number,
  micros: number,
  weight: number,
  { rows, rowWords, weights }: WindowRows,
  row: number,
): void {
  const write = row * rowWords;
  for (let k = 0; k < keyWords - 2; k++) rows[write + k] = words[base + k]!;
  addMicros(words, base + keyWords - 2, micros, rows, write + keyWords - 2);
  weights[row] = weight;
}

/** Copies counts; from -1: there are none. */
function layCounts(from: Float64Array, at: number, count: number, to: Float64Array, write: number): void {
  if (at < 0) for (let k = 0; k < count; k++) to[write + k] = 0;
  else for (let k = 0; k < count; k++) to[write + k] = from[at + k]!;
}
