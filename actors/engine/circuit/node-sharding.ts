// How the rows of a node may lie when a circuit runs on several workers: what it asks of its inputs, and which columns of its
// output are columns of an input.
//
//   everywhere   every worker pushes it every row and it computes the same on each: tables without a key, the clock, constants
//   whole        the same for a node with an input: what it computes follows from all rows and is asked for on every worker
//   single       one worker sees all rows
//   local        each row for itself: any worker will do, and rows stay where they are
//   rows         an insertion and a deletion of one row have to meet, so the worker has to follow from the row
//   keyed        rows with equal keys have to meet, those of all inputs
// Plain data that the planner gives with a node (plan/…), read by plan/shard-plan.ts alone: with one worker nothing of it counts.
import type { Schema } from '../../../runtime/batch/schema.ts';

/** Some of the workers: those whose number leaves `part` when divided by `parts`, which divides how many there are. */
export interface WorkerPart {
  readonly part: number;
  readonly parts: number;
}

/** For each input, for each column of the output: the column of the input that it is, or -1. */
export type ColumnSources = readonly (readonly number[])[];

interface Described {
  /** Of the batches that the node emits. */
  readonly schema: Schema;
}

export type NodeSharding =
  | (Described & { readonly kind: 'whole' | 'single' })
  /** `passesRows`: rows go through in the step in which they come, and nothing but what `reads` of the operator names is looked at. */
  | (Described & { readonly kind: 'everywhere'; readonly passesRows: boolean })
  /** Fed from outside. A table that knows its rows by a key needs all commands for a key on one worker, in their order. */
  | (Described & { readonly kind: 'table'; readonly key: readonly number[] })
  | (Described & { readonly kind: 'local'; readonly sources: ColumnSources; readonly reads?: readonly number[] })
  | (Described & { readonly kind: 'rows'; readonly sources: ColumnSources })
  | (Described & {
      readonly kind: 'keyed';
      /** For each input its key columns, in the same order. */
      readonly keys: readonly (readonly number[])[];
      readonly sources: ColumnSources;
      /** For each input the columns that are read; absent: all. */
      readonly reads?: readonly (readonly number[])[];
      /** Only these workers have rows, where nothing else has settled how the input lies; absent: all. */
      readonly among?: WorkerPart;
      /** Rows of the first input may come out without one of the second: its keys are NULL then. */
      readonly outer: boolean;
    });

/** The sources of a node that passes on the first `width` columns of its input in place. */
export function inPlace(width: number, outputs: number = width): readonly number[] {
  return Array.from({ length: outputs }, (_, ordinal) => (ordinal < width ? ordinal : -1));
}
