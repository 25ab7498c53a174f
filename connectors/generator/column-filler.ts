// Fills the columns of a batch, one column at a time, from their plans. Row r depends on the seed and r alone: each row has a
// generator of its own, which its columns use in their order.
//
// A column that may be NULL draws first whether it is; under a NULL nothing more is drawn. Draws go into a scratch array of doubles, then into the column by a loop for its storage. The caller has reserved the
// rows and commits them afterwards; offsets of byte columns are written here. Texts that are picked from a list are picked-texts.ts'.

import type { BatchBuilder, ColumnBuilder } from '../../runtime/batch/batch-builder.ts';
import type { ChangeBatch } from '../../runtime/batch/change-batch.ts';
import type { Column } from '../../runtime/batch/column.ts';
import { nestedText } from '../../runtime/batch/public-values.ts';
import { type CellValue, writeCell } from '../../runtime/batch/scalar-values.ts';
import { isNested } from '../../runtime/batch/sql-type.ts';
import { type FieldPlan, isBytes, unitOf, type WideRange } from './field-plan.ts';
import { random32, randomBelow, streamKey } from './random.ts';
import { excessOf, RowRandom } from './row-random.ts';
import { digits } from './text-strategies.ts';

/** Rows `firstRow .. firstRow + count` of a plan, by way of an empty `builder`. */
export function fillBatch(
  builder: BatchBuilder,
  plans: readonly FieldPlan[],
  seed: number,
  planNumber: number,
  firstRow: number,
  count: number,
): ChangeBatch {
  builder.reserve(count);
  const draws = new Float64Array(count);
  const isNull = new Uint8Array(count);
  const random = plans.some(drawsOfRow) ? new RowRandom(seed, firstRow, count) : null;
  const picked = builder.columns.map((column, ordinal) => {
    const plan = plans[ordinal];
    if (plan === undefined) return null;
    const key = streamKey(seed, planNumber, ordinal);
    return fillColumn(column, plan, { key, firstRow, count, draws, isNull, random });
  });
  builder.commitRows(count, null);
  const batch = builder.finish();
  return { ...batch, columns: batch.columns.map((column, ordinal) => picked[ordinal] ?? column) };
}

/** What one column of a batch is filled from. */
interface Filling {
  readonly key: number;
  readonly firstRow: number;
  readonly count: number;
  /** Scratch. */
  readonly draws: Float64Array;
  /** Scratch: 1 for each row that is NULL. */
  readonly isNull: Uint8Array;
  /** Null: no column of the batch draws. */
  readonly random: RowRandom | null;
}

/** Whether what a plan gives depends on its row's generator. One value to pick from is always picked. */
function drawsOfRow({ strategy, nullPercentage, values }: FieldPlan): boolean {
  return (strategy !== 'increment' && values?.length !== 1) || nullPercentage > 0;
}

/** Null: the column holds its values itself. */
function fillColumn(column: ColumnBuilder, plan: FieldPlan, filling: Filling): Column | null {
  const { values, field, wide } = plan;
  const { count, draws, isNull, random } = filling;
  drawNulls(plan.nullPercentage, random, isNull);
  if (field.type.kind === 'UUID' && values === null && plan.strategy !== 'increment') {
    // SAFETY: a UUID column is stored as i128.
    if (random !== null) fillUuids(column.values as BigInt64Array, random, isNull, count);
  } else if (wide !== null) {
    // SAFETY: 64-bit integers are stored in 64-bit words, unsigned ones in two of them.
    fillWide(column.values as BigInt64Array, column.storage === 'i128' ? 2 : 1, plan, wide, filling);
  } else {
    draw(plan, filling);
    if (values !== null) {
      if (plan.texts === null) pickValues(column, values, count, draws);
    } else if (isBytes(field.type)) fillTexts(column, plan, filling);
    else store(column, count, draws, unitOf(field.type));
  }
  if (plan.nullPercentage > 0) for (let i = 0; i < count; i++) if (isNull[i] === 1) column.setNull(i);
  return plan.texts?.column(field.type, column.finish(count).validity, draws, count) ?? null;
}

function pickValues(column: ColumnBuilder, values: readonly CellValue[], count: number, draws: Float64Array): void {
  for (let row = 0; row < count; row++) {
    writeCell(column, row, values[draws[row] ?? 0] ?? null);
  }
}

const encoder = new TextEncoder();

function fillTexts(column: ColumnBuilder, plan: FieldPlan, filling: Filling): void {
  const { text, strategy, field } = plan;
  const { key, firstRow, count, draws, isNull, random } = filling;
  const spellsNumbers = text === null && (strategy === 'increment' || field.type.kind === 'VARIANT');
  const isText = field.type.kind === 'CHAR' || field.type.kind === 'VARCHAR';
  // What is generated of an ARRAY, a MAP or a ROW is the empty one; `values` gives others.
  const empty = isNested(field.type) ? nestedText(field.type.kind === 'ARRAY' ? [] : {}, field.type) : undefined;
  const emptyBytes = empty === undefined ? null : encoder.encode(empty);
  for (let i = 0; i < count; i++) {
    const length = draws[i] ?? 0;
    // Nothing stands under a NULL.
    if (isNull[i] === 0) {
      if (emptyBytes !== null) column.appendBytes(emptyBytes, 0, emptyBytes.length);
      else if (text !== null) text(column, key, firstRow + i, length);
      else if (spellsNumbers) digits(column, Math.abs(length), 1);
      else if (isText && random !== null) fillLetters(column, random, i, length);
      else fillRandomBytes(column, key, firstRow + i, length);
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

/** Fills `isNull`: one number of 1 to 100 for each row. */
function drawNulls(percentage: number, random: RowRandom | null, isNull: Uint8Array): void {
  if (percentage === 0 || random === null) {
    isNull.fill(0);
    return;
  }
  const excess = excessOf(100);
  for (let i = 0; i < isNull.length; i++) isNull[i] = random.below(i, 100, excess) + 1 <= percentage ? 1 : 0;
}

function draw(plan: FieldPlan, { key, firstRow, count, draws, isNull, random }: Filling): void {
  const { first, span, scale, exponent, fractional } = plan;
  const { kind } = plan.field.type;
  if (plan.strategy === 'increment' || random === null) {
    countUp(draws, count, plan, firstRow);
  } else if (plan.text !== null) {
    // Texts that are made up are drawn by number of the row, and take nothing from its generator.
    for (let i = 0; i < count; i++) draws[i] = first + randomBelow(span, key, firstRow + i, 0);
  } else if (kind === 'BOOLEAN' && plan.strategy === 'uniform') {
    for (let i = 0; i < count; i++) draws[i] = random32(key, firstRow + i, 0) % span;
  } else if (plan.strategy === 'zipf') {
    for (let i = 0; i < count; i++) if (isNull[i] === 0) draws[i] = (first + random.zipf(i, span, exponent)) * scale;
  } else if (fractional && plan.values === null) {
    drawFractions(plan, random, isNull, draws);
  } else if (span <= 4294967296) {
    if (takesTwo(plan)) for (let i = 0; i < count; i++) if (isNull[i] === 0) random.next(i);
    const excess = excessOf(span);
    for (let i = 0; i < count; i++) if (isNull[i] === 0) draws[i] = (first + random.below(i, span, excess)) * scale;
  } else {
    if (takesTwo(plan)) for (let i = 0; i < count; i++) if (isNull[i] === 0) random.next(i);
    const whole = BigInt(span);
    for (let i = 0; i < count; i++)
      if (isNull[i] === 0) draws[i] = (first + Number(random.belowWide(i, whole))) * scale;
  }
  if (!fractional && !Number.isInteger(scale)) for (let i = 0; i < count; i++) draws[i] = Math.trunc(draws[i]!);
}

/** The remainder of doubles is slow, and seldom wanted: where no row is as far as the end of the range, numbers are their own. */
function countUp(draws: Float64Array, count: number, { first, span, scale }: FieldPlan, firstRow: number): void {
  if (span === 1 && Number.isInteger(scale)) draws.fill(first);
  else if (Math.abs((firstRow + count) * scale) < span) {
    for (let i = 0; i < count; i++) draws[i] = first + (firstRow + i) * scale;
  } else for (let i = 0; i < count; i++) draws[i] = first + (((firstRow + i) * scale) % span);
}

/** A DECIMAL is drawn from 128 bits, of which the upper ones decide. */
function takesTwo({ field: { type }, values }: FieldPlan): boolean {
  return values === null && type.kind === 'DECIMAL' && type.unsigned === undefined;
}

/** [first, first + span): the greatest draw is kept below the end, whatever the rounding. */
function drawFractions(
  { first, span, scale }: FieldPlan,
  random: RowRandom,
  isNull: Uint8Array,
  draws: Float64Array,
): void {
  const greatest = 1 - 2 ** -52;
  let width = span;
  while (greatest * width + first >= first + span) width *= greatest;
  for (let i = 0; i < isNull.length; i++) {
    if (isNull[i] === 0) draws[i] = (random.shortFraction(i) * width + first) * scale;
  }
}

/** Integers that a double does not hold. Slow, and rare: ranges that go beyond 2^53. */
function fillWide(words: BigInt64Array, stride: number, plan: FieldPlan, wide: WideRange, filling: Filling): void {
  const { count, firstRow, isNull, random } = filling;
  const { first, span, scale } = wide;
  for (let i = 0; i < count; i++) {
    if (isNull[i] === 1) continue;
    let drawn: bigint;
    if (plan.strategy === 'increment' || random === null) drawn = first + ((BigInt(firstRow + i) * scale) % span);
    else if (plan.strategy === 'uniform') drawn = (first + random.belowWide(i, span)) * scale;
    else drawn = (first + BigInt(random.zipf(i, plan.span, plan.exponent))) * scale;
    words[i * stride] = BigInt.asIntN(64, drawn);
    if (stride === 2) words[2 * i + 1] = drawn >> 64n;
  }
}

function fillLetters(column: ColumnBuilder, random: RowRandom, row: number, length: number): void {
  column.reserveBytes(length);
  for (let i = 0; i < length; i++) column.bytes[column.bytesUsed++] = random.alphanumeric(row);
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

/** Uniform below 2^128 - 1: one less than 128 random bits. */
function fillUuids(values: BigInt64Array, random: RowRandom, isNull: Uint8Array, count: number): void {
  for (let i = 0; i < count; i++) {
    if (isNull[i] === 1) continue;
    const low = random.bits(i);
    const drawn = ((random.bits(i) << 64n) | low) - 1n;
    values[2 * i] = BigInt.asIntN(64, drawn);
    values[2 * i + 1] = BigInt.asIntN(64, drawn >> 64n);
  }
}

function fillRandomBytes(column: ColumnBuilder, key: number, row: number, length: number): void {
  column.reserveBytes(length);
  for (let i = 0; i < length; i++) column.bytes[column.bytesUsed++] = random32(key, row, 8 + i);
}
