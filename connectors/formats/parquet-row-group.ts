// One row group of a Parquet file, from its bytes to change batches of insertions, column by column.
//
// Knows nothing but the bytes of the block and its description, so that row groups are decoded in parallel. A row with a
// value that its column cannot hold, or a NULL where none may be, is left out and reported; pages that contradict
// themselves throw. Batches of a block share arrays: encode them before anything is given away.
import { BatchBuilder } from '../../runtime/batch/batch-builder.ts';
import type { ChangeBatch } from '../../runtime/batch/change-batch.ts';
import { type Column, isValid } from '../../runtime/batch/column.ts';
import { fromPublic, Refusal } from '../../runtime/batch/public-values.ts';
import { type CellValue, writeCell } from '../../runtime/batch/scalar-values.ts';
import { type Field, makeSchema } from '../../runtime/batch/schema.ts';
import { sliceBatch } from '../../runtime/batch/slice-batch.ts';
import { formatSqlType, storageOf } from '../../runtime/batch/sql-type.ts';
import { parseVariant } from '../../runtime/batch/variant-json.ts';
import { type Block, type DecodeReport, type DecoderContext, errorsMax } from '../sdk/format.ts';
import { FormatBadDefault } from './format-errors.ts';
import { decodeColumnChunk } from './parquet-column-chunk.ts';
import type { RowGroupDescription } from './parquet-directory.ts';
import { ParquetTruncated } from './parquet-errors.ts';
import { ValueMalformed, ValueNull, ValueOutOfRange } from './refusal.ts';

/** The rows of a block. @throws a coded error when its pages contradict the directory or themselves. */
export function decodeRowGroup(
  bytes: Uint8Array,
  block: Block,
  context: DecoderContext,
  report: DecodeReport,
  batchRowsMax: number,
): readonly ChangeBatch[] {
  if (bytes.length < block.length)
    throw new ParquetTruncated({ size: block.offset + bytes.length, detail: 'it was cut' });
  // SAFETY: blocks of this format are made by planBlocks alone.
  const description = block.description as RowGroupDescription;
  const { schema } = context.relation;
  const { rows } = block;
  // A dictionary travels with every batch, so it has to be much smaller than one.
  const keptEntriesMax = Math.min(rows, batchRowsMax) >> 1;
  const refusals = new Refusals(context, report);
  const columns = schema.fields.map((field, i): Column => {
    const chunk = description.chunks[i] ?? null;
    if (chunk === null) return constantColumn(field, defaultOf(context, i), rows);
    const { column, refused } = decodeColumnChunk(bytes, chunk, field.type, rows, keptEntriesMax);
    if (refused !== null) refusals.addValues(i, refused);
    if (!field.nullable && column.validity !== null) refusals.addNulls(i, column.validity, rows);
    return column;
  });
  report.records += rows;
  report.numUnknownFields += description.unknownColumns;
  const kept = refusals.finish(rows);
  let whole: ChangeBatch = { schema, rows, weights: null, columns, presence: null };
  if (kept !== null) {
    const keptColumns = columns.map((column) => keepRows(column, kept));
    whole = { schema, rows: kept.length, weights: null, columns: keptColumns, presence: null };
  }
  const batches: ChangeBatch[] = [];
  for (let row = 0; row < whole.rows; row += batchRowsMax) {
    batches.push(sliceBatch(whole, row, Math.min(whole.rows, row + batchRowsMax)));
  }
  return batches;
}

/** The value that a column takes when the file lacks it. @throws FormatBadDefault */
export function defaultOf(context: DecoderContext, ordinal: number): CellValue {
  const field = context.relation.schema.fields[ordinal];
  const text = context.defaults[ordinal] ?? null;
  if (field === undefined || text === null) return null;
  let value: CellValue | Refusal;
  try {
    // Numbers are taken as text, so that no digit is lost.
    value = fromPublic(/^-?\d/.test(text) && field.type.kind !== 'VARIANT' ? text : parseVariant(text), field.type);
  } catch (cause) {
    throw new FormatBadDefault({ column: field.name, value: text }, { cause });
  }
  if (value instanceof Refusal) throw new FormatBadDefault({ column: field.name, value: text });
  return value;
}

function constantColumn(field: Field, value: CellValue, rows: number): Column {
  const builder = new BatchBuilder(makeSchema([field]), rows);
  builder.reserve(rows);
  for (let row = 0; row < rows; row++) {
    const [column] = builder.columns;
    if (column !== undefined) writeCell(column, row, value);
    builder.commitRow();
  }
  const [column] = builder.finish().columns;
  if (column === undefined) throw new Error('a batch has a column for each field');
  return column;
}

/** Which rows of a block are left out. Every row is reported once, with the first reason. */
class Refusals {
  readonly #context: DecoderContext;
  readonly #report: DecodeReport;
  readonly #rows = new Map<number, { readonly column: number; readonly text: string | null }>();

  constructor(context: DecoderContext, report: DecodeReport) {
    this.#context = context;
    this.#report = report;
  }

  addValues(column: number, refused: ReadonlyMap<number, string>): void {
    for (const [row, text] of refused) if (!this.#rows.has(row)) this.#rows.set(row, { column, text });
  }

  addNulls(column: number, validity: Uint8Array, rows: number): void {
    for (let row = 0; row < rows; row++) {
      if (!isValid(validity, row) && !this.#rows.has(row)) this.#rows.set(row, { column, text: null });
    }
  }

  /** Reports; returns the rows that stay, or null when all do. */
  finish(rows: number): Int32Array | null {
    if (this.#rows.size === 0) return null;
    const refused = [...this.#rows.keys()].sort((a, b) => a - b);
    this.#report.numParseErrors += refused.length;
    for (const row of refused.slice(-errorsMax)) this.#list(row);
    const kept = new Int32Array(rows - refused.length);
    for (let row = 0, at = 0; row < rows; row++) if (!this.#rows.has(row)) kept[at++] = row;
    return kept;
  }

  #list(row: number): void {
    const { column, text } = this.#rows.get(row) ?? { column: 0, text: null };
    const field = this.#context.relation.schema.fields[column];
    if (field === undefined) return;
    const { errors } = this.#report;
    if (errors.length >= errorsMax) errors.shift();
    const isBytes = storageOf(field.type) === 'bytes';
    const kind = text === null ? ValueNull : isBytes ? ValueMalformed : ValueOutOfRange;
    const value = text === null ? 'NULL' : text.slice(0, 60);
    const verb = isBytes ? 'is no' : 'does not fit';
    errors.push({
      record: row + 1,
      offset: 0,
      code: kind.definition.code,
      message:
        text === null
          ? `column ${field.name} is NOT NULL`
          : `column ${field.name}: ${value} ${verb} ${formatSqlType(field.type)}`,
      field: field.name,
      fragment: (text ?? 'NULL').slice(0, 200),
      suggestion: null,
    });
  }
}

/** The given rows of a column, for the rare block with refused rows. */
function keepRows(column: Column, rows: Int32Array): Column {
  const validity = column.validity === null ? null : keepBits(column.validity, rows);
  switch (column.layout) {
    case 'dictionary': {
      const codes = new Int32Array(rows.length);
      keepNumbers(column.codes, rows, codes);
      return { ...column, validity, codes };
    }
    case 'bytes': {
      const { offsets, bytes } = keepStrings(column.offsets, column.bytes, rows);
      return { ...column, validity, offsets, bytes };
    }
    case 'fixed': {
      const { values } = column;
      if (values instanceof BigInt64Array) {
        const width = storageOf(column.type) === 'i128' ? 2 : 1;
        const kept = new BigInt64Array(rows.length * width);
        keepInt64(values, rows, width, kept);
        return { ...column, validity, values: kept };
      }
      const kept = values.slice(0, rows.length);
      keepNumbers(values, rows, kept);
      return { ...column, validity, values: kept };
    }
  }
}

// ── data plane ──────────────────────────────────────────────────────────────────────────────────────────────────────

type Numbers = Uint8Array | Int8Array | Int16Array | Int32Array | Float32Array | Float64Array;

function keepNumbers(from: Numbers, rows: Int32Array, to: Numbers): void {
  for (let i = 0; i < rows.length; i++) to[i] = from[rows[i]!]!;
}

function keepInt64(from: BigInt64Array, rows: Int32Array, width: number, to: BigInt64Array): void {
  for (let i = 0; i < rows.length; i++) {
    for (let k = 0; k < width; k++) to[i * width + k] = from[rows[i]! * width + k]!;
  }
}

function keepBits(bitmap: Uint8Array, rows: Int32Array): Uint8Array {
  const kept = new Uint8Array((rows.length + 7) >> 3);
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!;
    kept[i >> 3]! |= ((bitmap[row >> 3]! >> (row & 7)) & 1) << (i & 7);
  }
  return kept;
}

function keepStrings(
  offsets: Int32Array,
  bytes: Uint8Array,
  rows: Int32Array,
): { readonly offsets: Int32Array; readonly bytes: Uint8Array } {
  const keptOffsets = new Int32Array(rows.length + 1);
  const keptBytes = new Uint8Array(bytes.length);
  let to = 0;
  for (let i = 0; i < rows.length; i++) {
    for (let at = offsets[rows[i]!]!, end = offsets[rows[i]! + 1]!; at < end; ) keptBytes[to++] = bytes[at++]!;
    keptOffsets[i + 1] = to;
  }
  return { offsets: keptOffsets, bytes: keptBytes.subarray(0, to) };
}
