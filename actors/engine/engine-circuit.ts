// What the engine actor needs of a compiled program, and nothing more.
import type { ChangeBatch } from '../../runtime/batch/change-batch.ts';
import type { Schema } from '../../runtime/batch/schema.ts';
import type { BoundQuery } from './sql/bound.ts';

/** The change of every observed relation that has one, in one or several batches. */
export type StepChanges = ReadonlyMap<string, readonly ChangeBatch[]>;

/** A batch on its way into a table. */
export interface TableBatch {
  readonly relation: string;
  /** Null: every row that the table holds goes, those that came before in the same step among them. */
  readonly batch: ChangeBatch | null;
}

export interface EngineCircuit {
  /** Changes of `relation` are wanted from the next step on. */
  observe(relation: string): void;
  unobserve(relation: string): void;
  /** @throws a coded error when a row cannot be computed and the program stops on errors. */
  step(batches: readonly TableBatch[]): StepChanges;
  /** @throws a coded error when the relation is not materialized. */
  contents(relation: string): readonly ChangeBatch[];
  /** @throws a coded error when it reads what is not materialized. */
  query(query: BoundQuery): { readonly schema: Schema; readonly batches: readonly ChangeBatch[] };
  /** All state between two steps; `restore` of a fresh circuit of the same program goes on from it. */
  snapshot(): readonly Uint8Array[];
  /** @throws a coded error when the parts are damaged or of another program. */
  restore(parts: readonly Uint8Array[]): void;
  /** Ends what it has running beside the engine's thread; absent: nothing. */
  stop?(): Promise<void>;
  statistics(): { readonly stateRows: number; readonly stateBytes: number; readonly evaluationErrors: number };
}
