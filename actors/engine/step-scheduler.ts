// What one step takes in: as many queued batches as fit, from all inputs in turn.
//
// Promises: the frames of an input are taken in their order; at most `rowsMax` rows in all and `gate.rowsMax` of one
// input; no input waits for another for ever, since each step begins with another input and a batch that does not fit
// is the first of its input in the next step. A batch is cut only where no step could take it whole.
// Marks and ends cost nothing and are taken as soon as everything before them is.
import type { ChangeBatch } from '../../runtime/batch/change-batch.ts';
import type { TableBatch } from './engine-circuit.ts';
import type { InputGate } from './input-gate.ts';

export interface StepPlan {
  /** In the order in which they were taken. */
  readonly batches: TableBatch[];
  rows: number;
  /** Rows of each input that gives any. */
  readonly inputs: Map<InputGate, number>;
  /** Rooms to be given back when the step has been computed. */
  readonly rooms: Map<InputGate, number[]>;
  readonly marks: { readonly endpoint: string; readonly mark: number }[];
  /** Inputs whose end frame has been taken. */
  readonly ended: string[];
}

export function emptyPlan(): StepPlan {
  return { batches: [], rows: 0, inputs: new Map(), rooms: new Map(), marks: [], ended: [] };
}

/** Takes frames out of `gates`, beginning with number `first` (modulo their number), and adds them to `plan`. */
export function planStep(
  gates: readonly InputGate[],
  first: number,
  rowsMax: number,
  plan: StepPlan = emptyPlan(),
): StepPlan {
  let turns = gates.map((_, i) => new Turn(gates[(first + i) % gates.length]!, rowsMax));
  while (turns.length > 0) turns = turns.filter((turn) => turn.next(plan, rowsMax));
  return plan;
}

/** One input within one step. */
class Turn {
  readonly #gate: InputGate;
  /** The most that a step can ever take of this input. */
  readonly #cap: number;
  #rows = 0;

  constructor(gate: InputGate, rowsMax: number) {
    this.#gate = gate;
    this.#cap = Math.min(gate.rowsMax, rowsMax);
  }

  /** Takes one batch and what stands around it. False: nothing more of this input in this step. */
  next(plan: StepPlan, rowsMax: number): boolean {
    const gate = this.#gate;
    if (gate.isHeld) return false;
    this.#takeSigns(plan);
    if (gate.peek() === 'clear') return this.#takeClear(plan, rowsMax);
    if (gate.peek() !== 'batch') return false;
    const room = Math.min(rowsMax - plan.rows, this.#cap - this.#rows);
    const fits = gate.peekRows <= room;
    if (!fits && (gate.peekRows <= this.#cap || room === 0)) return false;
    const frame = gate.take(fits ? room : aligned(room));
    if (frame?.kind === 'batch') {
      this.#add(plan, frame.batch, frame.batch.rows);
      if (frame.room !== undefined) this.#owe(plan, frame.room);
    }
    this.#takeSigns(plan);
    return fits;
  }

  /** A clear counts as one row: how far an input has come is told in rows, and it must be known on which side of a clear that is. */
  #takeClear(plan: StepPlan, rowsMax: number): boolean {
    if (plan.rows >= rowsMax || this.#rows >= this.#cap) return false;
    this.#gate.take(1);
    this.#add(plan, null, 1);
    this.#takeSigns(plan);
    return true;
  }

  #add(plan: StepPlan, batch: ChangeBatch | null, rows: number): void {
    plan.batches.push({ relation: this.#gate.table, batch });
    plan.rows += rows;
    plan.inputs.set(this.#gate, (plan.inputs.get(this.#gate) ?? 0) + rows);
    this.#rows += rows;
  }

  #owe(plan: StepPlan, room: number): void {
    const rooms = plan.rooms.get(this.#gate);
    if (rooms === undefined) plan.rooms.set(this.#gate, [room]);
    else rooms.push(room);
  }

  #takeSigns(plan: StepPlan): void {
    const { endpoint } = this.#gate;
    for (let kind = this.#gate.peek(); kind === 'mark' || kind === 'end'; kind = this.#gate.peek()) {
      const frame = this.#gate.take(0);
      if (frame?.kind === 'mark') plan.marks.push({ endpoint, mark: frame.mark });
      if (frame?.kind === 'end') plan.ended.push(endpoint);
    }
  }
}

/** Cuts at multiples of 8 where there is a choice, so that validity bitmaps are shared and not copied. */
function aligned(rows: number): number {
  return rows > 8 ? rows - (rows % 8) : rows;
}
