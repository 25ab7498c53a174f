// For tests of formats: relations from a short notation, one decode call, and batches as plain rows.
// Integers of 64 bits and decimals come back as bigints (decimals unscaled), strings as text, binary as number arrays.

import type { DecodeReport, StreamInputFormat } from '../../../connectors/sdk/format.ts';
import type { ParameterValues } from '../../../connectors/sdk/parameters.ts';
import { BatchBuilder } from '../../../runtime/batch/batch-builder.ts';
import { assertBatch, type ChangeBatch, presenceBytes } from '../../../runtime/batch/change-batch.ts';
import type { Column } from '../../../runtime/batch/column.ts';
import { type Field, makeSchema, type Relation } from '../../../runtime/batch/schema.ts';
import type { SqlType } from '../../../runtime/batch/sql-type.ts';

export type Value = null | boolean | number | bigint | string | readonly number[];

export interface TestColumn {
  readonly name: string;
  readonly type: SqlType;
  readonly notNull?: boolean;
  readonly quoted?: boolean;
  readonly default?: string;
  readonly key?: boolean;
}

export interface TestTable {
  readonly relation: Relation;
  readonly defaults: readonly (string | null)[];
}

export const varchar: SqlType = { kind: 'VARCHAR', length: null };
export const bigint: SqlType = { kind: 'BIGINT' };
export const integer: SqlType = { kind: 'INTEGER' };
export const double: SqlType = { kind: 'DOUBLE' };
export const decimal = (precision: number, scale: number): SqlType => ({ kind: 'DECIMAL', precision, scale });

export function table(columns: readonly TestColumn[]): TestTable {
  const fields = columns.map((column): Field => {
    const field = { name: column.name, type: column.type, nullable: column.notNull !== true };
    return column.quoted === true ? { ...field, quoted: true } : field;
  });
  const primaryKey = columns.flatMap((column, i) => (column.key === true ? [i] : []));
  return {
    relation: { name: 't', schema: makeSchema(fields), primaryKey },
    defaults: columns.map((column) => column.default ?? null),
  };
}

export interface Decoded {
  readonly batch: ChangeBatch;
  readonly rows: readonly (readonly Value[])[];
  readonly weights: readonly number[];
  readonly report: DecodeReport;
  readonly codes: readonly string[];
}

export interface DecodeOptions {
  readonly strict?: boolean;
  readonly pieces?: readonly Uint8Array[];
  readonly prologue?: Uint8Array;
}

/** Decodes `input` (or the pieces of it) with a new decoder into one batch. Every other piece is lent, and written over once it is decoded. */
export function decode(
  format: StreamInputFormat,
  configuration: ParameterValues,
  target: TestTable,
  input: string | Uint8Array,
  options: DecodeOptions = {},
): Decoded {
  const bytes = typeof input === 'string' ? new TextEncoder().encode(input) : input;
  const strict = options.strict === true;
  const decoder = format.decoder(configuration, { relation: target.relation, defaults: target.defaults, strict });
  const builder = new BatchBuilder(target.relation.schema, 8);
  const report: DecodeReport = { records: 0, numParseErrors: 0, numUnknownFields: 0, errors: [], fatal: null };
  const prologue = options.prologue ?? new Uint8Array(0);
  (options.pieces ?? [bytes]).forEach((piece, i) => {
    const given = (i + piece.length) % 2 === 0 ? piece : lent(piece);
    decoder.decode(given, builder, report, i === 0, prologue);
    if (given !== piece) given.fill(poison);
  });
  const batch = builder.finish();
  assertBatch(batch);
  const rows = Array.from({ length: batch.rows }, (_, row) => batch.columns.map((column) => readCell(column, row)));
  const weights = Array.from({ length: batch.rows }, (_, row) => batch.weights?.[row] ?? 1);
  return { batch, rows, weights, report, codes: report.errors.map((error) => error.code) };
}

const poison = 0xee;

/** The same bytes in shared memory, behind others, at an odd place. */
function lent(bytes: Uint8Array): Uint8Array {
  const before = 13;
  const given = new Uint8Array(new SharedArrayBuffer(before + bytes.length), before);
  given.set(bytes);
  return given;
}

/** Cuts `input` into payloads of `size` bytes and returns what the splitter makes of them. */
export function splitAll(
  format: StreamInputFormat,
  configuration: ParameterValues,
  bytes: Uint8Array,
  sizes: Iterable<number>,
): { readonly pieces: readonly Uint8Array[]; readonly prologue: Uint8Array } {
  const splitter = format.splitter(configuration);
  const pieces: Uint8Array[] = [];
  let prologue: Uint8Array = new Uint8Array(0);
  let start = 0;
  let end = 0;
  for (const size of sizes) {
    if (end >= bytes.length) break;
    end = Math.min(bytes.length, end + size);
    const length = splitter.split(bytes.slice(start, end));
    if (length === 0) continue;
    if (pieces.length === 0) prologue = splitter.prologue?.(bytes.slice(start, end)) ?? prologue;
    pieces.push(bytes.slice(start, start + length));
    start += length;
  }
  if (pieces.length === 0) prologue = splitter.prologue?.(bytes) ?? prologue;
  if (start < bytes.length) pieces.push(bytes.slice(start));
  return { pieces, prologue };
}

export function readCell(column: Column, row: number): Value {
  if (column.validity !== null && ((column.validity[row >> 3] ?? 0) & (1 << (row & 7))) === 0) return null;
  if (column.layout !== 'fixed') {
    const entry = column.layout === 'bytes' ? row : (column.codes[row] ?? 0);
    const { offsets, bytes } = column.layout === 'bytes' ? column : column.dictionary;
    const slice = bytes.subarray(offsets[entry], offsets[entry + 1]);
    return column.type.kind === 'VARBINARY' || column.type.kind === 'BINARY'
      ? [...slice]
      : new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(slice);
  }
  const { values } = column;
  if (values instanceof BigInt64Array && values.length >= 2 * (row + 1) && isWide(column)) {
    return ((values[2 * row + 1] ?? 0n) << 64n) | BigInt.asUintN(64, values[2 * row] ?? 0n);
  }
  const value = values[row] ?? null;
  return column.type.kind === 'BOOLEAN' ? value === 1 : value;
}

function isWide(column: Column): boolean {
  return column.type.kind === 'UUID' || (column.type.kind === 'DECIMAL' && column.type.precision > 18);
}

/** The ordinals of the columns that a partial update gives. */
export function presentColumns(batch: ChangeBatch, row: number): number[] {
  const width = presenceBytes(batch.columns.length);
  return batch.columns.flatMap((_, c) => {
    const bits = batch.presence === null ? 255 : (batch.presence[row * width + (c >> 3)] ?? 0);
    return (bits & (1 << (c & 7))) === 0 ? [] : [c];
  });
}
