// The arrow input format: an Arrow IPC stream to rows, columns copied as columns. Insertions only.
//
// Columns are matched by name, in any case unless the SQL column is quoted; a missing one is NULL. Where Arrow lays values out as
// a batch does (integers of the same width, floats, text, bytes, DATE32, microseconds) arrays are copied; otherwise values
// are converted one by one, and one that does not fit refuses its row. apache-arrow is loaded by the first decoder that decodes.

import { createRequire } from 'node:module';
import type * as Arrow from 'apache-arrow';
import { type BatchBuilder, ColumnBuilder } from '../../runtime/batch/batch-builder.ts';
import type { Column } from '../../runtime/batch/column.ts';
import { gatherRows } from '../../runtime/batch/gather-rows.ts';
import { fromPublic, Refusal } from '../../runtime/batch/public-values.ts';
import { writeCell } from '../../runtime/batch/scalar-values.ts';
import type { Field } from '../../runtime/batch/schema.ts';
import { formatSqlType } from '../../runtime/batch/sql-type.ts';
import {
  type DecodeReport,
  type Decoder,
  type DecoderContext,
  errorsMax,
  type StreamInputFormat,
} from '../sdk/format.ts';
import { appendBatch } from './append-batch.ts';
import { ArrowSplitter, messageDictionary, readMessage } from './arrow-splitter.ts';
import { ArrowMalformed } from './format-errors.ts';
import { arrowInputDeclaration } from './input-declarations.ts';
import { ValueMalformed } from './refusal.ts';

export const arrowInput: StreamInputFormat = {
  ...arrowInputDeclaration,
  splitter: () => new ArrowSplitter(),
  decoder: (_configuration, context) => new ArrowDecoder(context),
};

class ArrowDecoder implements Decoder {
  readonly #context: DecoderContext;

  constructor(context: DecoderContext) {
    this.#context = context;
  }

  decode(bytes: Uint8Array, builder: BatchBuilder, report: DecodeReport, first: boolean, prologue: Uint8Array): void {
    try {
      if (!first && hasDictionary(bytes)) throw broken('a dictionary stands behind the first record batch');
      // SAFETY: the package is what its types say; required so that it is loaded when it is used, and at once.
      const arrow = createRequire(import.meta.url)('apache-arrow') as typeof Arrow;
      const stream = first ? bytes : Buffer.concat([prologue, bytes]);
      for (const records of arrow.RecordBatchReader.from(stream)) this.#append(records, arrow, builder, report);
    } catch (thrown) {
      report.fatal =
        thrown instanceof Error && 'code' in thrown
          ? thrown
          : broken(thrown instanceof Error ? thrown.message : String(thrown));
    }
  }

  #append(records: Arrow.RecordBatch, arrow: typeof Arrow, builder: BatchBuilder, report: DecodeReport): void {
    const rows = records.numRows;
    const { schema } = this.#context.relation;
    const bad = new Map<number, { readonly field: string; readonly message: string }>();
    const columns = schema.fields.map((field) => {
      const at = records.schema.fields.findIndex(({ name }) => matches(field, name));
      const vector = at < 0 ? null : records.getChildAt(at);
      if (vector === null && !field.nullable)
        throw broken(`the stream has no column "${field.name}", which is NOT NULL`);
      return (
        (vector === null ? null : sameLayout(vector, field, arrow, rows)) ?? convert(vector, field, rows, arrow, bad)
      );
    });
    const batch = { schema, rows, weights: null, columns, presence: null };
    if (bad.size === 0) appendBatch(builder, batch);
    else {
      const good = Int32Array.from({ length: rows }, (_, row) => row).filter((row) => !bad.has(row));
      if (good.length > 0) appendBatch(builder, gatherRows(batch, good, good.length, null));
    }
    for (const [row, { field, message }] of [...bad].sort(([a], [b]) => a - b)) {
      report.numParseErrors++;
      if (report.errors.length >= (report.errorsMax ?? errorsMax)) report.errors.shift();
      const code = ValueMalformed.definition.code;
      const place = { record: report.records + row + 1, offset: 0 };
      report.errors.push({ ...place, code, message, field, fragment: '', suggestion: null });
    }
    report.records += rows;
  }
}

function broken(detail: string): Error {
  return new ArrowMalformed({ detail });
}

function hasDictionary(bytes: Uint8Array): boolean {
  const message = { kind: 0, end: 0 };
  for (let at = 0; at < bytes.length && message.end >= 0; at = message.end) {
    readMessage(bytes, at, message);
    if (message.end > 0 && message.kind === messageDictionary) return true;
    if (message.end <= at) return false;
  }
  return false;
}

function matches(field: Field, name: string): boolean {
  return field.quoted === true ? field.name === name : field.name.toLowerCase() === name.toLowerCase();
}

/** The column over Arrow's own arrays, or null when they have to be converted. */
function sameLayout(vector: Arrow.Vector, field: Field, arrow: typeof Arrow, rows: number): Column | null {
  const [data] = vector.data;
  if (data === undefined || vector.data.length !== 1 || data.offset !== 0) return null;
  if (!field.nullable && data.nullCount > 0) return null;
  const { DataType } = arrow;
  const { type } = field;
  const from = data.type;
  const validity = data.nullCount > 0 ? data.nullBitmap.subarray(0, (rows + 7) >> 3) : null;
  const isBytes =
    (DataType.isUtf8(from) && type.kind === 'VARCHAR') || (DataType.isBinary(from) && type.kind === 'VARBINARY');
  if (isBytes) {
    return { layout: 'bytes', type, validity, offsets: data.valueOffsets.subarray(0, rows + 1), bytes: data.values };
  }
  const bits = { TINYINT: 8, SMALLINT: 16, INTEGER: 32, BIGINT: 64 }[type.kind as string];
  const isSame =
    (DataType.isInt(from) && from.isSigned && from.bitWidth === bits) ||
    (DataType.isFloat(from) && from.precision === arrow.Precision.SINGLE && type.kind === 'REAL') ||
    (DataType.isFloat(from) && from.precision === arrow.Precision.DOUBLE && type.kind === 'DOUBLE') ||
    (DataType.isDate(from) && from.unit === arrow.DateUnit.DAY && type.kind === 'DATE') ||
    (DataType.isTimestamp(from) && from.unit === arrow.TimeUnit.MICROSECOND && type.kind === 'TIMESTAMP') ||
    (DataType.isTime(from) && from.unit === arrow.TimeUnit.NANOSECOND && type.kind === 'TIME');
  return isSame ? { layout: 'fixed', type, validity, values: data.values.subarray(0, rows) } : null;
}

function convert(
  vector: Arrow.Vector | null,
  field: Field,
  rows: number,
  arrow: typeof Arrow,
  bad: Map<number, { readonly field: string; readonly message: string }>,
): Column {
  const column = new ColumnBuilder(field.type, rows);
  const { DataType } = arrow;
  const from = vector?.type;
  const isPlain =
    from === undefined ||
    [DataType.isInt, DataType.isFloat, DataType.isBool, DataType.isUtf8, DataType.isLargeUtf8].some((is) => is(from)) ||
    [DataType.isBinary, DataType.isLargeBinary].some((is) => is(from)) ||
    (DataType.isDictionary(from) && DataType.isUtf8(from.dictionary));
  if (!isPlain)
    throw broken(`column "${field.name}" is ${from} in the stream and ${formatSqlType(field.type)} in the table`);
  for (let row = 0; row < rows; row++) {
    const value: unknown = vector?.get(row) ?? null;
    const cell = fromPublic(value, field.type);
    if (cell instanceof Refusal) bad.set(row, { field: field.name, message: `column ${field.name}: ${cell.reason}` });
    else if (cell === null && !field.nullable)
      bad.set(row, { field: field.name, message: `column ${field.name} is NOT NULL` });
    else writeCell(column, row, cell);
    if (column.storage === 'bytes') column.offsets[row + 1] = column.bytesUsed;
  }
  return column.finish(rows);
}
