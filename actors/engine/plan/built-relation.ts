// What the planner knows of a relation that it has built: the node, and where its columns came to lie.
import type { Schema } from '../../../runtime/batch/schema.ts';
import type { Rel } from '../sql/bound.ts';

/** A relation as it comes out of a node. */
export interface Built {
  readonly node: number;
  /** Of the node's batches. */
  readonly schema: Schema;
  /** Where column i of the relation lies in the batches; -1 when it was not wanted. */
  readonly columns: readonly number[];
  readonly appendOnly: boolean;
  /** Positions that identify a row of the content; null when rows may repeat. */
  readonly key: readonly number[] | null;
}

export type Rels<K extends Rel['kind']> = Extract<Rel, { kind: K }>;

export function allColumns(rel: Rel): readonly number[] {
  return rel.schema.fields.map((_, ordinal) => ordinal);
}
