// Filter and projection: a row program over each batch.
//
//   ∆out = program(∆in)        linear: rows keep their weights        no state        cost O(changed rows)
// Not here: expressions (plan/expression-compiler.ts makes the program).
import type { ChangeBatch } from '../../../runtime/batch/change-batch.ts';
import type { Room } from '../../../runtime/batch/gather-column.ts';
import { ScratchRoom } from '../../../runtime/batch/scratch-room.ts';
import type { EvaluationFailures } from '../circuit/evaluation-failures.ts';
import type { Emit, Operator } from '../circuit/operator.ts';

/** What a map needs of a compiled expression. */
export interface BatchProgram {
  /** `room`: where arrays are put that nobody keeps. */
  run(batch: ChangeBatch, failures: EvaluationFailures, room?: Room): ChangeBatch | null;
}

export class RowMap implements Operator {
  readonly name = 'map';
  readonly detail: string;
  readonly contents: null = null;
  readonly passesOn: boolean = true;
  readonly #program: BatchProgram;
  readonly #failures: EvaluationFailures;
  /** For batches that are only lent; null while somebody keeps them. */
  #scratch: ScratchRoom | null = null;

  constructor(program: BatchProgram, failures: EvaluationFailures, detail: string) {
    this.#program = program;
    this.#failures = failures;
    this.detail = detail;
  }

  lend(may: boolean): void {
    this.#scratch = may ? new ScratchRoom() : null;
  }

  push(_port: number, batch: ChangeBatch, emit: Emit): void {
    this.#scratch?.clear();
    const out = this.#program.run(batch, this.#failures, this.#scratch?.room);
    if (out !== null && out.rows > 0) emit(out);
  }

  /** The image of a batch, outside of a step. */
  apply(batch: ChangeBatch, failures: EvaluationFailures): ChangeBatch | null {
    return this.#program.run(batch, failures);
  }

  flush(_emit: Emit): void {}

  stateRows(): number {
    return 0;
  }

  stateBytes(): number {
    return 0;
  }

  snapshot(): void {}

  restore(): void {}
}
