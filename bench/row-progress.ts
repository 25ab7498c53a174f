// How far a reader had come when: what the steady rate of a run is computed from, apart from what its start took.
//
// The rate is that of the rows behind the first quarter, from the moment when that had been seen until the last row: whoever reads has its
// connection by then, and has run its code often enough for it to be compiled. The start is what the whole run took longer than at that
// rate. Of every contender alike; moments are comparable between the threads of a process.

export interface ProgressMark {
  readonly rows: number;
  /** Milliseconds since 1970, with fractions. */
  readonly at: number;
}

export interface SteadyRate {
  readonly steadyRowsPerSecond: number;
  readonly startSeconds: number;
}

/** A mark is kept each so many rows at most. */
const rowsBetween = 16_384;

export class RowProgress {
  readonly marks: ProgressMark[] = [];
  #next = 1;

  /** So many rows have been seen by now. */
  seen(rows: number): void {
    if (rows < this.#next) return;
    this.#next = rows + rowsBetween;
    this.marks.push({ rows, at: performance.timeOrigin + performance.now() });
  }
}

/** Of a run of `rows` rows and `seconds` that has just ended. */
export function steadyRate(marks: readonly ProgressMark[], rows: number, seconds: number): SteadyRate {
  const end = performance.timeOrigin + performance.now();
  const first = marks.find((mark) => mark.rows >= rows / 4);
  if (first === undefined || first.rows === rows) return { steadyRowsPerSecond: rows / seconds, startSeconds: 0 };
  const steadyRowsPerSecond = ((rows - first.rows) * 1000) / (end - first.at);
  return { steadyRowsPerSecond, startSeconds: seconds - rows / steadyRowsPerSecond };
}
