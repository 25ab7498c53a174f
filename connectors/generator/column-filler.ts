// Fills the columns of a batch, one column at a time, from their plans. Row r of a column depends on the seed, the column
// and r alone.
//
// Draws go into a scratch array of doubles, then into the column by a loop for its storage. The caller has reserved the
// rows and commits them afterwards; offsets of byte columns are written here.

import type { BatchBuilder, ColumnBuilder } from '../../runtime/batch/batch-builder.ts';
import { nestedText } from '../../runtime/batch/public-values.ts';
import { type CellValue, writeCell } from '../../runtime/batch/scalar-values.ts';
import { isNested } from '../../runtime/batch/sql-type.ts';
import { type FieldPlan, isBytes, unitOf } from './field-plan.ts';
import { random32, randomBelow, randomFraction, randomZipf, streamKey } from './random.ts';
import { alphanumeric, digits } from './text-strategies.ts';

/** Generates rows `firstRow .. firstRow + count` of a plan into an empty `builder`. */
export function fillBatch(
  builder: BatchBuilder,
  plans: readonly FieldPlan[],
  seed: number,
  planNumber: number,
  firstRow: number,
  count: number,
): void {
  builder.reserve(count);
  const draws = new Float64Array(count);
  for (const [ordinal, column] of builder.columns.entries()) {
    const plan = plans[ordinal];
    if (plan === undefined) continue;
    const key = streamKey(seed, planNumber, ordinal);
    fillColumn(column, plan, key, firstRow, count, draws);
  }
  builder.commitRows(count, null);
}

/** Lanes of a row's random numbers; zipf may use any number of them, so it has a key of its own. */
const nullLane = 7;

function fillColumn(
  column: ColumnBuilder,
  plan: FieldPlan,
  key: number,
  firstRow: number,
  count: number,
  draws: Float64Array,
): void {
  const { values, field } = plan;
  if (field.type.kind === 'UUID' && values === null && plan.strategy !== 'increment') {
    // SAFETY: a UUID column is stored as i128.
    fillRandomUuids(wordsOf(column.values as BigInt64Array), key, firstRow, count);
  } else {
    draw(plan, key, firstRow, count, draws);
    if (values !== null) pickValues(column, values, count, draws);
    else if (isBytes(field.type)) fillTexts(column, plan, key, firstRow, count, draws);
    else store(column, count, draws, unitOf(field.type));
  }
  if (plan.nullShare > 0) setNulls(column, plan.nullShare, key, firstRow, count);
}

function pickValues(column: ColumnBuilder, values: readonly CellValue[], count: number, draws: Float64Array): void {
  for (let row = 0; row < count; row++) {
    writeCell(column, row, values[draws[row] ?? 0] ?? null);
    if (column.storage === 'bytes') column.offsets[row + 1] = column.bytesUsed;
  }
}

const encoder = new TextEncoder();

function fillTexts(
  column: ColumnBuilder,
  plan: FieldPlan,
  key: number,
  firstRow: number,
  count: number,
  draws: Float64Array,
): void {
  const { text, strategy, field, nullShare } = plan;
  const spellsNumbers = text === null && (strategy === 'increment' || field.type.kind === 'VARIANT');
  const isText = field.type.kind === 'CHAR' || field.type.kind === 'VARCHAR';
  // What is generated of an ARRAY, a MAP or a ROW is the empty one; `values` gives others.
  const empty = isNested(field.type) ? nestedText(field.type.kind === 'ARRAY' ? [] : {}, field.type) : undefined;
  const emptyBytes = empty === undefined ? null : encoder.encode(empty);
  for (let i = 0; i < count; i++) {
    const row = firstRow + i;
    const length = draws[i] ?? 0;
    // Nothing stands under a NULL.
    if (nullShare === 0 || random32(key, row, nullLane) >= nullShare) {
      if (emptyBytes !== null) column.appendBytes(emptyBytes, 0, emptyBytes.length);
      else if (text !== null) text(column, key, row, length);
      else if (spellsNumbers) digits(column, Math.abs(length), 1);
      else if (isText) alphanumeric(column, key, row, length);
      else fillRandomBytes(column, key, row, length);
    }
    column.offsets[i + 1] = column.bytesUsed;
  }
}

function store(column: ColumnBuilder, count: number, draws: Float64Array, unit: number): void {
  const { values } = column;
  if (!(values instanceof BigInt64Array)) {
    values.set(draws.subarray(0, count));
  } else if (column.storage === 'i128') {
    storeWide(wordsOf(values), count, draws);
  } else {
    storeInt64(wordsOf(values), count, draws, unit);
  }
}

function wordsOf(values: BigInt64Array): Int32Array {
  return new Int32Array(values.buffer, values.byteOffset, values.length * 2);
}

// ── data plane ──────────────────────────────────────────────────────────────────────────────────────────────────────

function draw(plan: FieldPlan, key: number, firstRow: number, count: number, draws: Float64Array): void {
  const { first, span, scale, exponent, fractional } = plan;
  if (plan.strategy === 'increment') {
    for (let i = 0; i < count; i++) draws[i] = first + (((firstRow + i) * scale) % span);
  } else if (plan.strategy === 'zipf') {
    for (let i = 0; i < count; i++) draws[i] = (first + randomZipf(span, exponent, key, firstRow + i)) * scale;
  } else if (fractional) {
    for (let i = 0; i < count; i++) draws[i] = (first + randomFraction(key, firstRow + i, 0) * span) * scale;
  } else {
    for (let i = 0; i < count; i++) draws[i] = (first + randomBelow(span, key, firstRow + i, 0)) * scale;
  }
  if (!fractional && !Number.isInteger(scale)) for (let i = 0; i < count; i++) draws[i] = Math.trunc(draws[i]!);
}

function storeInt64(words: Int32Array, count: number, draws: Float64Array, unit: number): void {
  for (let i = 0; i < count; i++) {
    const value = draws[i]! * unit;
    const high = Math.floor(value / 4294967296);
    words[2 * i] = value - high * 4294967296;
    words[2 * i + 1] = high;
  }
}

function storeWide(words: Int32Array, count: number, draws: Float64Array): void {
  for (let i = 0; i < count; i++) {
    const value = draws[i]!;
    const high = Math.floor(value / 4294967296);
    words[4 * i] = value - high * 4294967296;
    words[4 * i + 1] = high;
    words[4 * i + 2] = words[4 * i + 3] = value < 0 ? -1 : 0;
  }
}

/** Version 4, variant 1. */
function fillRandomUuids(words: Int32Array, key: number, firstRow: number, count: number): void {
  for (let i = 0; i < count; i++) {
    for (let k = 0; k < 4; k++) words[4 * i + k] = random32(key, firstRow + i, k);
    words[4 * i + 1] = (words[4 * i + 1]! & 0x3fffffff) | 0x80000000;
    words[4 * i + 2] = (words[4 * i + 2]! & ~0xf000) | 0x4000;
  }
}

function fillRandomBytes(column: ColumnBuilder, key: number, row: number, length: number): void {
  column.reserveBytes(length);
  for (let i = 0; i < length; i++) column.bytes[column.bytesUsed++] = random32(key, row, 8 + i);
}

function setNulls(column: ColumnBuilder, share: number, key: number, firstRow: number, count: number): void {
  for (let i = 0; i < count; i++) if (random32(key, firstRow + i, nullLane) < share) column.setNull(i);
}
