// Recursion: the least rows that satisfy views which read one another.
//
//   X0 = ∅,  Xn+1 = δ(f(Xn, inputs)),  out = Xn where Xn+1 = Xn          ∆out = out of this step - out of the step before
//
// The bodies are a circuit of their own, in which each view of the circle is a table as well: its changes are fed back until none
// are left. Insertions go on from the state that is there. A deletion begins anew from all inputs, because rows of a circle
// would keep one another alive; what comes out then is the difference.
// Where a row counts as often as it is derived (`all`), the one body is linear, f(X) = B + L(X), and so is what is wanted, the sum of
// all Ln(B): a change of any sign is fed through it as often as it still gives something, and nothing begins anew.
// State: that of the inner circuit, which holds the inputs too. Cost of insertions: that of the new derivations.
// A recursion that does not come to rest is given up with an error after a great many rounds.
import type { ChangeBatch } from '../../../runtime/batch/change-batch.ts';
import { consolidate } from '../../../runtime/batch/consolidate.ts';
import { gatherRows } from '../../../runtime/batch/gather-rows.ts';
import type { Schema } from '../../../runtime/batch/schema.ts';
import { type CodedErrorClass, defineError } from '../../../runtime/errors.ts';
import type { Emit, Operator } from '../circuit/operator.ts';
import type { SnapshotReader, SnapshotWriter } from '../state/snapshot-codec.ts';

export const RecursionUnbounded: CodedErrorClass<{ readonly view: string; readonly rounds: number }> = defineError(
  'sql.recursion_unbounded',
  {
    help: 'Give the recursion an end: a condition that new rows fail in the end, or values that do not grow without limit.',
  },
  (f) => `the recursive view "${f.view}" still changes after ${f.rounds} rounds`,
);

/** The bodies at work. Inputs and bodies go by their names; a body is fed under the name of its view. */
export interface RecursionCircuit {
  step(inputs: ReadonlyMap<string, readonly ChangeBatch[]>): ReadonlyMap<string, ChangeBatch>;
  contents(name: string): readonly ChangeBatch[];
  snapshot(): Uint8Array[];
  restore(parts: readonly Uint8Array[]): void;
  stateRows(): number;
  stateBytes(): number;
}

export interface FixpointShape {
  readonly schema: Schema;
  /** Rows count as often as they are derived. */
  readonly all: boolean;
  /** The view whose rows come out. */
  readonly main: string;
  readonly bodies: readonly string[];
  /** One for each port. */
  readonly inputs: readonly string[];
  /** A circuit without rows. `step` returns the changes of the bodies by name; `contents` gives those of inputs and bodies. */
  readonly start: () => RecursionCircuit;
}

const roundsMax = 1_000_000;

export class Fixpoint implements Operator {
  readonly name = 'recursion';
  readonly detail: string;
  readonly passesOn: boolean = false;
  readonly #shape: FixpointShape;
  #circuit: RecursionCircuit;
  #waiting: Map<string, ChangeBatch[]> = new Map();
  #deletes = false;
  #started = false;

  constructor(shape: FixpointShape) {
    this.#shape = shape;
    this.detail = `${shape.main} of ${shape.bodies.join(', ')}`;
    this.#circuit = shape.start();
  }

  push(port: number, batch: ChangeBatch, _emit: Emit): void {
    const name = this.#shape.inputs[port]!;
    if (batch.weights?.some((weight) => weight < 0) === true) this.#deletes = true;
    // The batch may be written again when this returns.
    const rows = Int32Array.from({ length: batch.rows }, (_, row) => row);
    const copy = gatherRows(batch, rows, batch.rows, batch.weights === null ? null : batch.weights.slice());
    this.#waiting.set(name, [...(this.#waiting.get(name) ?? []), copy]);
  }

  flush(emit: Emit): void {
    if (this.#waiting.size === 0 && this.#started) return;
    this.#started = true;
    const inputs = this.#waiting;
    this.#waiting = new Map();
    const changes = this.#deletes && !this.#shape.all ? this.#anew(inputs) : this.#run(inputs);
    this.#deletes = false;
    const change = consolidate(changes, this.#shape.schema);
    if (change !== null && change.rows > 0) emit(change);
  }

  readonly contents = (emit: Emit): void => {
    for (const batch of this.#circuit.contents(this.#shape.main)) if (batch.rows > 0) emit(batch);
  };

  stateRows(): number {
    return this.#circuit.stateRows();
  }

  stateBytes(): number {
    return this.#circuit.stateBytes();
  }

  snapshot(writer: SnapshotWriter): void {
    writer.number(this.#started ? 1 : 0);
    const parts = this.#circuit.snapshot();
    writer.number(parts.length);
    for (const part of parts) writer.bytes(part);
  }

  restore(reader: SnapshotReader): void {
    this.#started = reader.number() === 1;
    const count = reader.number();
    this.#circuit = this.#shape.start();
    this.#circuit.restore(Array.from({ length: count }, () => reader.bytes()));
  }

  /** All inputs into a fresh circuit; the rows as they were go, those that there are now come. */
  #anew(inputs: ReadonlyMap<string, readonly ChangeBatch[]>): ChangeBatch[] {
    const { main, inputs: names, start } = this.#shape;
    const before = this.#circuit.contents(main).map(negated);
    const whole = new Map(names.map((name) => [name, [...this.#circuit.contents(name), ...(inputs.get(name) ?? [])]]));
    this.#circuit = start();
    return [...before, ...this.#run(whole)];
  }

  /** Feeds the changes of the bodies back until there are none; the changes of the main one. */
  #run(inputs: ReadonlyMap<string, readonly ChangeBatch[]>): ChangeBatch[] {
    const { main, bodies, all } = this.#shape;
    const changes: ChangeBatch[] = [];
    let fed = inputs;
    for (let round = 0; ; round++) {
      if (round === roundsMax) throw new RecursionUnbounded({ view: written(main), rounds: round });
      const made = this.#circuit.step(fed);
      const next = new Map<string, readonly ChangeBatch[]>();
      for (const body of bodies) {
        const given = made.get(body);
        // What cancels out must not be fed back for ever.
        const change = given !== undefined && all ? consolidate([given], given.schema) : given;
        if (change != null && change.rows > 0) next.set(body, [change]);
      }
      changes.push(...(next.get(main) ?? []));
      if (next.size === 0) return changes;
      fed = next;
    }
  }
}

/** The name as it was written: that of a query behind WITH says where it stands, too. */
function written(main: string): string {
  return main.replace(/^with (.*) \d+$/, '$1');
}

function negated(batch: ChangeBatch): ChangeBatch {
  const weights = Int32Array.from(
    { length: batch.rows },
    (_, row) => -(batch.weights === null ? 1 : batch.weights[row]!),
  );
  return { ...batch, weights };
}
