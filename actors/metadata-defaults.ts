// DEFAULTs that read CONNECTOR_METADATA(), for many records at once: one expression program over a column of metadata.
//
// The expressions travel to the thread of a source as the plain data that they are and are compiled there, once for a connector. What an
// expression fails on has no default. The only file beside control-thread.ts that takes the engine's expressions out of the engine; a
// source loads it when its table has such a column and its records have metadata.

import { cellJson } from '../runtime/batch/cell-json.ts';
import type { Column } from '../runtime/batch/column.ts';
import { readCell } from '../runtime/batch/scalar-values.ts';
import { makeSchema, type Relation } from '../runtime/batch/schema.ts';
import type { SqlType } from '../runtime/batch/sql-type.ts';
import { EvaluationFailures } from './engine/circuit/evaluation-failures.ts';
import { compileRowProgram, type RowProgram } from './engine/plan/expression-compiler.ts';
import type { Scalar } from './engine/sql/bound.ts';
import { replaceMetadata } from './engine/sql/connector-metadata.ts';

/** A column and the expression of its DEFAULT. Plain data. */
export interface MetadataDefault {
  readonly column: number;
  readonly expression: Scalar;
}

/** Values by record and column: that of record r and column c is bytes[offsets[n] .. offsets[n + 1]), n = r * columns.length + c; empty: none. */
export interface EvaluatedDefaults {
  readonly columns: readonly number[];
  readonly offsets: Int32Array<ArrayBuffer>;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

const variant: SqlType = { kind: 'VARIANT' };
const inputSchema = makeSchema([{ name: 'metadata', type: variant, nullable: true }]);
const encoder = new TextEncoder();

export class MetadataEvaluator {
  readonly #columns: readonly number[];
  readonly #program: RowProgram;

  constructor(defaults: readonly MetadataDefault[], relation: Relation) {
    this.#columns = defaults.map(({ column }) => column);
    const fields = this.#columns.flatMap((column) => relation.schema.fields[column] ?? []);
    this.#program = compileRowProgram({
      inputSchema,
      predicate: null,
      outputs: defaults.map(({ expression }) =>
        replaceMetadata(expression, (call) => ({
          kind: 'column',
          ordinal: 0,
          type: call.type,
          nullable: true,
          source: call.source,
        })),
      ),
      outputSchema: makeSchema(fields.map((field) => ({ ...field, nullable: true }))),
      view: relation.name,
    });
  }

  /** `metadata` of record r is JSON text: bytes[offsets[r] .. offsets[r + 1]). */
  evaluate(offsets: Int32Array, bytes: Uint8Array): EvaluatedDefaults {
    const rows = offsets.length - 1;
    const columns = this.#run(offsets, bytes);
    const texts: (Uint8Array | null)[] = [];
    for (let row = 0; row < rows; row++) {
      const own = columns ?? this.#run(offsets.slice(row, row + 2), bytes);
      for (const column of own ?? []) {
        const text = cellJson(readCell(column, columns === null ? 0 : row), column.type);
        texts.push(text === null ? null : encoder.encode(text));
      }
      if (own === null) for (const _ of this.#columns) texts.push(null);
    }
    const ends = new Int32Array(texts.length + 1);
    texts.forEach((text, n) => {
      ends[n + 1] = (ends[n] ?? 0) + (text?.length ?? 0);
    });
    const all = new Uint8Array(ends[texts.length] ?? 0);
    texts.forEach((text, n) => {
      if (text !== null) all.set(text, ends[n]);
    });
    return { columns: this.#columns, offsets: ends, bytes: all };
  }

  /** A column for each default; null: an expression failed on one of the records. */
  #run(offsets: Int32Array, bytes: Uint8Array): readonly Column[] | null {
    const rows = offsets.length - 1;
    const column: Column = { layout: 'bytes', type: variant, validity: null, offsets, bytes };
    const batch = { schema: inputSchema, rows, weights: null, columns: [column], presence: null };
    const out = this.#program.run(batch, new EvaluationFailures('skip'));
    return out === null || out.rows < rows ? null : out.columns;
  }
}
