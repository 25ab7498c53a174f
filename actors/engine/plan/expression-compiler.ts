// Compiles a filter and a projection into one JavaScript function over columns, and runs it on batches.
//
// The only file of the engine that makes code from text. Source is emitted by expression-program.ts for each combination of
// column layouts (bytes or dictionary, with or without NULLs) that occurs, and kept for inspection in `source`. It holds
// no text of the user: columns go by ordinal, literals and functions are parameters.
//
// Columns that are passed on are never computed: they are reused as they are when every row passes, else gathered by the
// selection that the program leaves. Literals become constant columns. A row on which an expression fails is reported
// and, when the policy lets it, left out; the loop starts again behind it.
// A program belongs to one circuit and is not reentrant. Not here: what expressions mean (expression-emitter.ts).

import { assert } from '../../../runtime/assert.ts';
import { allocateValues } from '../../../runtime/batch/batch-builder.ts';
import type { ChangeBatch } from '../../../runtime/batch/change-batch.ts';
import type { Column } from '../../../runtime/batch/column.ts';
import { gatherColumn, gatherWeights, type Room } from '../../../runtime/batch/gather-column.ts';
import { packed } from '../../../runtime/batch/packed-array.ts';
import { rowFromBatch } from '../../../runtime/batch/row-objects.ts';
import { formatUuid } from '../../../runtime/batch/scalar-text.ts';
import { readCell } from '../../../runtime/batch/scalar-values.ts';
import type { Schema } from '../../../runtime/batch/schema.ts';
import { type SqlType, sameSqlType, storageOf } from '../../../runtime/batch/sql-type.ts';
import { MillraceError } from '../../../runtime/errors.ts';
import type { EvaluationFailures } from '../circuit/evaluation-failures.ts';
import type { ExpressionSource, Literal, Scalar } from '../sql/bound.ts';
import { dateOf, isoWeekday } from '../sql/calendar.ts';
import type { ScalarValue } from '../sql/scalar-value.ts';
import { castValue } from './cast-table.ts';
import { constantColumn } from './expression-constant.ts';
import type { ColumnShape } from './expression-leaf.ts';
import * as library from './expression-library.ts';
import { Memo } from './expression-memo.ts';
import { allocateOutput, finishOutput, forgetRow, type WrittenOutput } from './expression-output.ts';
import { emitProgram, type OutputPlan, type ProgramSource } from './expression-program.ts';
import { columnsOf } from './expression-shape.ts';
import { countCharacters } from './text-kernels.ts';

/** Runs on the batches of one circuit, in order. */
export interface RowProgram {
  /**
   * The selected rows with their weights, or null when none is left. The input stays as it is. `room`: where arrays are put that nobody
   * keeps; absent: into memory of their own.
   */
  run(batch: ChangeBatch, failures: EvaluationFailures, room?: Room): ChangeBatch | null;
  /** The generated code for bytes columns with NULLs where the schema allows them; '' when nothing is computed. */
  readonly source: string;
  /** Whether every batch passes unchanged. */
  readonly isIdentity: boolean;
}

export interface RowProgramOptions {
  readonly inputSchema: Schema;
  readonly predicate: Scalar | null;
  /** null: the columns of the input as they are. */
  readonly outputs: readonly Scalar[] | null;
  readonly outputSchema: Schema;
  /** Named in failures. */
  readonly view: string;
}

/** @throws AssertionFailed for a scalar that the binder must not have made. */
export function compileRowProgram(options: RowProgramOptions): RowProgram {
  return new CompiledRowProgram(options);
}

/**
 * The value of an expression that reads no column (DEFAULT, VALUES).
 * @throws the coded error of the operation that fails, without a place: the caller knows the expression.
 */
export function evaluateConstant(scalar: Scalar): ScalarValue {
  if (scalar.kind === 'literal') return scalar.value;
  if (scalar.kind === 'cast' && scalar.operand.kind === 'literal') {
    return castValue(scalar.operand.value, scalar.operand.type, scalar.type, scalar.safe);
  }
  assert(columnsOf(scalar).length === 0, 'a constant expression reads no column');
  const outputs: readonly OutputPlan[] = [{ kind: 'computed', scalar, slot: 0, type: scalar.type }];
  // Nothing is folded: folding is what asks for constants.
  const variant = new Variant(emitProgram({ shapes: [], predicate: null, outputs, fold: () => null }));
  const frame = variant.frame([], 1, outputs, new Int32Array(1));
  variant.run(frame);
  if (frame.failed) throw frame.error;
  const output = frame.outputs[0];
  assert(output !== undefined, 'a constant program has one output');
  return readCell(finishOutput(output, 1), 0);
}

/**
 * The value of an expression that reads one column, by the value of that: compiled once, for those who ask again and again.
 * @throws as evaluateConstant does
 */
export function evaluatorOf(scalar: Scalar, ordinal: number, type: SqlType): (value: number | bigint) => ScalarValue {
  const outputs: readonly OutputPlan[] = [{ kind: 'computed', scalar, slot: 0, type: scalar.type }];
  const shapes = Array.from({ length: ordinal + 1 }, (): ColumnShape => ({ layout: 'fixed', nullable: false }));
  const variant = new Variant(emitProgram({ shapes, predicate: null, outputs, fold: foldConstant }));
  const values = allocateValues(storageOf(type), 1);
  const column: Column = { layout: 'fixed', type, validity: null, values };
  const columns = shapes.map(() => column);
  return (value) => {
    if (values instanceof BigInt64Array) values[0] = BigInt(value);
    else values[0] = Number(value);
    const frame = variant.frame(columns, 1, outputs, new Int32Array(1));
    variant.run(frame);
    if (frame.failed) throw frame.error;
    return readCell(finishOutput(frame.outputs[0]!, 1), 0);
  };
}

/** Variants beyond this number are not told apart by where NULLs are: every nullable column is taken to have some. */
const variantsMax = 24;

class CompiledRowProgram implements RowProgram {
  readonly source: string;
  readonly isIdentity: boolean;
  readonly #options: RowProgramOptions;
  readonly #outputs: readonly OutputPlan[];
  readonly #types: readonly SqlType[];
  readonly #variants = new Map<string, Variant>();
  readonly #memoDictionaries: WeakSet<object> = new WeakSet();
  readonly #computes: boolean;
  /** Scratch of a run. */
  #selection: Int32Array = new Int32Array(0);
  /** Ordinals that the code reads. */
  readonly #reads: ReadonlySet<number>;

  constructor(options: RowProgramOptions) {
    const { inputSchema, outputSchema, predicate } = options;
    this.#options = options;
    this.#outputs = planOutputs(options);
    this.#types = outputSchema.fields.map((field) => field.type);
    assert(this.#outputs.length === outputSchema.fields.length, 'a row program yields a column for each output field');
    this.#computes = predicate !== null || this.#outputs.some((output) => output.kind === 'computed');
    const computed = this.#outputs.flatMap((output) => (output.kind === 'computed' ? [output.scalar] : []));
    this.#reads = new Set([...(predicate === null ? [] : [predicate]), ...computed].flatMap(columnsOf));
    this.isIdentity =
      !this.#computes &&
      this.#outputs.length === inputSchema.fields.length &&
      this.#outputs.every((output, i) => output.kind === 'column' && output.ordinal === i);
    const shapes = inputSchema.fields.map(
      (field): ColumnShape => ({
        layout: storageOf(field.type) === 'bytes' ? 'bytes' : 'fixed',
        nullable: field.nullable,
      }),
    );
    this.source = this.#computes ? this.#emit(shapes).text : '';
  }

  run(batch: ChangeBatch, failures: EvaluationFailures, room?: Room): ChangeBatch | null {
    assert(batch.presence === null, 'a row program runs on whole rows');
    assert(
      batch.columns.length === this.#options.inputSchema.fields.length,
      'a row program gets batches of its schema',
    );
    if (batch.rows === 0) return null;
    const schema = this.#options.outputSchema;
    if (!this.#computes) {
      if (this.isIdentity && schema.fingerprint === batch.schema.fingerprint) return batch;
      const columns = packed(this.#outputs, (output, i) =>
        this.#passed(output, this.#types[i]!, batch, null, batch.rows),
      );
      return { schema, rows: batch.rows, weights: batch.weights, columns, presence: null };
    }
    const shapes = this.#shapesOf(batch);
    const variant = this.#variant(shapes);
    const read = packed(batch.columns, (column, i) => (shapes[i]?.nullable ? withBitmap(column, batch.rows) : column));
    if (batch.rows > this.#selection.length) this.#selection = new Int32Array(batch.rows);
    const selection = this.#selection;
    const frame = variant.frame(read, batch.rows, this.#outputs, selection, room);
    variant.run(frame);
    while (frame.failed) {
      this.#report(batch, frame, variant, failures);
      frame.failed = false;
      frame.row++;
      for (const output of frame.outputs) forgetRow(output, frame.out);
      variant.run(frame);
    }
    const rows = frame.out;
    if (rows === 0) return null;
    const chosen = rows === batch.rows ? null : selection;
    const columns = packed(this.#outputs, (output, i): Column => {
      if (output.kind !== 'computed') return this.#passed(output, this.#types[i]!, batch, chosen, rows, room);
      const written = frame.outputs[output.slot];
      assert(written !== undefined, 'a computed output has been written');
      return finishOutput(written, rows, room !== undefined);
    });
    const weights =
      batch.weights === null || chosen === null ? batch.weights : gatherWeights(batch.weights, chosen, rows, room);
    return { schema, rows, weights, columns, presence: null };
  }

  /** `type` may differ from the input's in length or precision only: the storage is the same. */
  #passed(
    output: OutputPlan,
    type: SqlType,
    batch: ChangeBatch,
    selection: Int32Array | null,
    rows: number,
    room?: Room,
  ): Column {
    if (output.kind === 'constant') return constantColumn(output.literal, rows);
    assert(output.kind === 'column', 'only columns and literals are passed on');
    const column = batch.columns[output.ordinal];
    assert(column !== undefined, 'an output refers to a column of the input');
    const passed = selection === null ? column : gatherColumn(column, selection, rows, room);
    return sameSqlType(passed.type, type) ? passed : { ...passed, type };
  }

  #report(batch: ChangeBatch, frame: Frame, variant: Variant, failures: EvaluationFailures): void {
    // What is not coded is a defect of ours and no matter of data.
    if (!(frame.error instanceof MillraceError) || frame.error.code.startsWith('runtime.')) throw frame.error;
    const site = variant.source.sites[frame.site];
    const expression: ExpressionSource = site?.source ?? { place: {}, text: '' };
    failures.report({
      view: this.#options.view,
      expression,
      error: frame.error,
      row: rowFromBatch(batch, frame.row),
    });
  }

  /** How the columns lie, as far as the source depends on it. */
  #shapesOf(batch: ChangeBatch): readonly ColumnShape[] {
    // With many variants already, every column that may hold NULLs is taken to hold some.
    const byBatch = this.#variants.size < variantsMax;
    return packed(batch.columns, (column, ordinal): ColumnShape => {
      const declared = this.#options.inputSchema.fields[ordinal]?.nullable ?? true;
      const nullable = column.validity !== null || (!byBatch && declared && this.#reads.has(ordinal));
      if (column.layout !== 'dictionary') return { layout: column.layout, nullable };
      return {
        layout: this.#reads.has(ordinal) && this.#memoPays(column, batch.rows) ? 'memo' : 'dictionary',
        nullable,
      };
    });
  }

  #variant(shapes: readonly ColumnShape[]): Variant {
    const key = this.#key(shapes);
    const known = this.#variants.get(key);
    if (known !== undefined) return known;
    const variant = new Variant(this.#emit(shapes));
    this.#variants.set(key, variant);
    return variant;
  }

  #key(shapes: readonly ColumnShape[]): string {
    let key = '';
    for (const ordinal of this.#reads) {
      const shape = shapes[ordinal];
      key += shape === undefined ? '' : `${shape.layout}${shape.nullable ? '?' : ''} `;
    }
    return key;
  }

  /** A dictionary that is larger than the batch pays only when it comes again. */
  #memoPays(column: Extract<Column, { layout: 'dictionary' }>, rows: number): boolean {
    const { identity, size } = column.dictionary;
    if (this.#memoDictionaries.has(identity)) return true;
    if (size > rows) return false;
    this.#memoDictionaries.add(identity);
    return true;
  }

  #emit(shapes: readonly ColumnShape[]): ProgramSource {
    return emitProgram({ shapes, predicate: this.#options.predicate, outputs: this.#outputs, fold: foldConstant });
  }
}

function planOutputs(options: RowProgramOptions): readonly OutputPlan[] {
  if (options.outputs === null) {
    return options.inputSchema.fields.map((_, ordinal) => ({ kind: 'column', ordinal }) as const);
  }
  let slot = 0;
  return options.outputs.map((scalar, i): OutputPlan => {
    if (scalar.kind === 'column') return { kind: 'column', ordinal: scalar.ordinal };
    const literal = columnsOf(scalar).length === 0 ? foldConstant(scalar) : null;
    const type = options.outputSchema.fields[i]?.type ?? scalar.type;
    if (literal !== null) return { kind: 'constant', literal: { ...literal, type } };
    return { kind: 'computed', scalar, slot: slot++, type };
  });
}

/** The literal that a scalar without columns amounts to; null when it fails, which is then found row by row. */
function foldConstant(scalar: Scalar): Literal | null {
  if (scalar.kind === 'literal') return scalar;
  try {
    const value = evaluateConstant(scalar);
    return { kind: 'literal', type: scalar.type, nullable: value === null, source: scalar.source, value };
  } catch (error) {
    if (error instanceof MillraceError && !error.code.startsWith('runtime.')) return null;
    throw error;
  }
}

/** What generated code works on; see expression-program.ts. */
interface Frame {
  readonly rows: number;
  readonly columns: readonly Column[];
  readonly selection: Int32Array;
  readonly outputs: readonly WrittenOutput[];
  readonly memos: readonly { readonly states: Uint8Array; readonly values: unknown }[];
  row: number;
  out: number;
  failed: boolean;
  error: unknown;
  site: number;
}

/** One compiled source, with the memos that live as long as it. */
class Variant {
  readonly source: ProgramSource;
  readonly run: (frame: Frame) => void;
  readonly #memos: readonly Memo[];

  constructor(source: ProgramSource) {
    this.source = source;
    this.#memos = source.memos.map((plan) => new Memo(plan));
    const names = Object.keys(generatedScope);
    const factory = new Function(...names, 'sites', 'p', `'use strict';\n${source.text}`);
    // SAFETY: the source is that of a factory which returns the function described in expression-program.ts.
    const made = factory(...Object.values(generatedScope), source.sites, source.parameters) as (frame: Frame) => void;
    this.run = made;
  }

  frame(
    columns: readonly Column[],
    rows: number,
    outputs: readonly OutputPlan[],
    selection: Int32Array,
    room?: Room,
  ): Frame {
    const written: WrittenOutput[] = [];
    for (const output of outputs) {
      if (output.kind !== 'computed') continue;
      written.push(allocateOutput(output.type, rows, this.source.nullableSlots[output.slot] ?? true, room));
    }
    const memos = packed(this.#memos, (memo) => memo.entriesFor(columns));
    return { rows, columns, selection, outputs: written, memos, row: 0, out: 0, failed: false, error: null, site: -1 };
  }
}

const generatedScope = {
  overflow: library.overflow,
  divisionByZero: library.divisionByZero,
  decodeText: library.decodeText,
  sameBytes: library.sameBytes,
  compareBytes: library.compareBytes,
  compareText: library.compareText,
  compareWords: library.compareWords,
  divideRounded: library.divideRounded,
  countCharacters,
  uuidText: formatUuid,
  writeUuid: library.writeUuid,
  dateOf,
  isoWeekday,
  noBytes: new Uint8Array(0),
} as const;

/** The column with a bitmap, for code that expects one. */
function withBitmap(column: Column, rows: number): Column {
  return column.validity === null ? { ...column, validity: new Uint8Array((rows + 7) >> 3).fill(255) } : column;
}
