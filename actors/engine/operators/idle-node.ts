// A node that another worker computes: it stands in the circuit so that all workers have the same nodes, and does nothing.
//
//   out = nothing        no state        nobody pushes to it, since rows for it are sent to the worker that computes it
// Shown as the operator in whose place it stands.
import type { Operator } from '../circuit/operator.ts';

export class IdleNode implements Operator {
  readonly name: string;
  readonly detail: string;
  readonly contents: null = null;
  readonly passesOn: boolean = false;

  constructor({ name, detail }: Operator) {
    this.name = name;
    this.detail = detail;
  }

  push(): void {}

  flush(): void {}

  stateRows(): number {
    return 0;
  }

  stateBytes(): number {
    return 0;
  }

  snapshot(): void {}

  restore(): void {}
}
