// A circuit without actors, threads or connectors, for workloads that measure operators alone: SQL in, batches of integers in, changes out.
import { planProgram } from '../actors/engine/plan/planner.ts';
import { compileProgram } from '../actors/engine/sql/compile-program.ts';
import { BatchBuilder } from '../runtime/batch/batch-builder.ts';
import type { ChangeBatch } from '../runtime/batch/change-batch.ts';
import type { Schema } from '../runtime/batch/schema.ts';

/** Numbers of a row, one for each column. */
export type NumbersOf = (row: number) => readonly number[];

export class BareCircuit {
  readonly #circuit: ReturnType<typeof planProgram>;
  readonly #schemas: ReadonlyMap<string, Schema>;
  readonly #view: string;

  /** Every column of its tables is a BIGINT that is NOT NULL. */
  constructor(sql: string, view: string) {
    const { program, problems } = compileProgram(sql);
    if (program === null) throw problems[0] ?? new Error('the program does not compile');
    this.#circuit = planProgram(program, { onError: 'stop' });
    this.#schemas = new Map(program.tables.map(({ relation }) => [relation.name, relation.schema]));
    this.#view = view;
    this.#circuit.observe(view);
  }

  /** Rows of a table; a weight of -1 deletes them. */
  batch(table: string, rows: number, numbersOf: NumbersOf, weight: 1 | -1 = 1): ChangeBatch {
    const schema = this.#schemas.get(table);
    if (schema === undefined) throw new Error(`there is no table ${table}`);
    const builder = new BatchBuilder(schema, rows);
    builder.reserve(rows);
    // SAFETY: the columns are BIGINT.
    const columns = builder.columns.map((column) => column.values as BigInt64Array);
    for (let row = 0; row < rows; row++) {
      const numbers = numbersOf(row);
      for (let column = 0; column < columns.length; column++) columns[column]![row] = BigInt(numbers[column]!);
    }
    builder.commitRows(rows, weight === 1 ? null : new Int32Array(rows).fill(weight));
    return builder.finish();
  }

  /** The rows of change to the view. */
  step(inputs: Readonly<Record<string, readonly ChangeBatch[]>>): number {
    const changes = this.#circuit.step(new Map(Object.entries(inputs).map(([name, batches]) => [name, [...batches]])));
    return changes.get(this.#view)?.rows ?? 0;
  }

  get stateBytes(): number {
    return this.#circuit.statistics().reduce((sum, operator) => sum + operator.stateBytes, 0);
  }
}

/** Numbers that look drawn and are the same every time: a permutation of 32-bit integers. */
export function scattered(n: number): number {
  let x = Math.imul(n ^ (n >>> 16), 0x7feb352d);
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
  return (x ^ (x >>> 16)) >>> 0;
}
