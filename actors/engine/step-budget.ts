// How many rows the next step may take in: as many as keep a step near its target duration, within bounds.
//
// Large steps are cheaper for each row (a group that changes a hundred times in a step is written once), but nothing else
// happens on the engine's thread meanwhile: pauses and queries wait for the end of the step. Only steps that took about as
// much as they were allowed tell anything: an engine that keeps up takes what is there and its budget stays.

/** Milliseconds that a step may take while the engine is behind. */
export const stepTargetMs = 800;
const rowsFirst = 524_288;
const rowsFloor = 65_536;

export class StepBudget {
  readonly #rowsMax: number;
  #rows: number;

  /** `rowsMax`: the bound that the user gave, never exceeded. */
  constructor(rowsMax: number) {
    this.#rowsMax = rowsMax;
    this.#rows = Math.min(rowsMax, rowsFirst);
  }

  get rows(): number {
    return this.#rows;
  }

  /** After a step: at most doubles, at most halves. */
  note(rows: number, milliseconds: number): void {
    if (rows < this.#rows / 2) return;
    const wanted = (rows * stepTargetMs) / Math.max(milliseconds, 1);
    const bounded = Math.min(Math.max(wanted, this.#rows / 2), this.#rows * 2);
    this.#rows = Math.min(this.#rowsMax, Math.max(Math.min(rowsFloor, this.#rowsMax), Math.round(bounded)));
  }
}
