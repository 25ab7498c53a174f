// What a column is generated from: the user's settings against the column's type, checked, with every default decided.
//
// Numbers are drawn as doubles in the unit of the type and written in the unit of its storage: TIMESTAMP and TIME in
// milliseconds, DATE in days, DECIMAL as its digits without the point. So all of them are exact up to 2^53; a 64-bit integer
// whose range goes beyond that is drawn as a bigint (`wide`).
// `range` is [first, behind the last); for texts and bytes it bounds their length.

import { fromPublic, Refusal } from '../../runtime/batch/public-values.ts';
import { parseDateText, parseTimestampText, parseTimeText } from '../../runtime/batch/scalar-text.ts';
import type { CellValue } from '../../runtime/batch/scalar-values.ts';
import type { Field } from '../../runtime/batch/schema.ts';
import { formatSqlType, type SqlType } from '../../runtime/batch/sql-type.ts';
import type { MillraceError } from '../../runtime/errors.ts';
import { nearestName } from '../../runtime/nearest-name.ts';
import { ConfigInvalidValue, ConfigUnknownValue } from '../sdk/configuration-errors.ts';
import type { ParameterValues } from '../sdk/parameters.ts';
import { PickedTexts } from './picked-texts.ts';
import { type TextStrategy, textStrategies } from './text-strategies.ts';

const numberStrategies = ['increment', 'uniform', 'zipf'] as const;

export interface FieldPlan {
  readonly field: Field;
  readonly strategy: 'increment' | 'uniform' | 'zipf';
  /** Set for a strategy that makes up texts; then `strategy` draws their length. */
  readonly text: TextStrategy | null;
  readonly first: number;
  /** How many different numbers there are; Infinity: increment without end. */
  readonly span: number;
  readonly scale: number;
  readonly exponent: number;
  /** Values to pick from; null: numbers or texts are made. */
  readonly values: readonly CellValue[] | null;
  /** The values of a column of texts or bytes. */
  readonly texts: PickedTexts | null;
  readonly nullPercentage: number;
  /** Draws have fractions. */
  readonly fractional: boolean;
  /** Set for 64-bit integers that a double does not hold: range and scale as exact integers. */
  readonly wide: WideRange | null;
}

export interface WideRange {
  readonly first: bigint;
  readonly span: bigint;
  readonly scale: bigint;
}

/** @throws ConfigInvalidValue or ConfigUnknownValue */
export function planField(field: Field, settings: ParameterValues): FieldPlan {
  const { type } = field;
  if (type.kind === 'INTERVAL_MONTHS' || type.kind === 'INTERVAL_MICROS' || type.kind === 'NULL') {
    throw invalid(field, `has type ${formatSqlType(type)}, which cannot be generated`);
  }
  const named = String(settings['strategy'] ?? 'increment');
  const strategy = numberStrategies.find((candidate) => candidate === named);
  const text = textStrategies.get(named) ?? null;
  const isText = type.kind === 'CHAR' || type.kind === 'VARCHAR';
  if (strategy === undefined && (text === null || !isText)) {
    const values = isText ? [...numberStrategies, ...textStrategies.keys()] : numberStrategies;
    const fields = { key: `${field.name}.strategy`, got: JSON.stringify(named), values };
    throw new ConfigUnknownValue(fields, { suggestion: nearestName(named, values) });
  }
  const values = settings['values'] === undefined ? null : planValues(field, settings['values']);
  const nullPercentage = Number(settings['null_percentage'] ?? 0);
  if ((nullPercentage > 0 || values?.length === 0) && !field.nullable)
    throw invalid(field, 'is NOT NULL but would be NULL');
  const range: Range =
    values === null ? planRange(field, settings['range'], strategy ?? 'uniform') : [0, Math.max(1, values.length)];
  const [first, behind] = range;
  const scale = values === null ? Number(settings['scale'] ?? 1) : 1;
  if (values === null && !isBytes(type)) checkBounds(field, type, first * scale, (behind - 1) * scale);
  return {
    field,
    strategy: strategy ?? 'uniform',
    text: values === null ? text : null,
    first,
    span: behind - first,
    scale,
    exponent: Number(settings['e'] ?? 1),
    values,
    texts: values !== null && isBytes(type) ? new PickedTexts(values) : null,
    nullPercentage,
    fractional: type.kind === 'REAL' || type.kind === 'DOUBLE',
    wide: values === null ? wideRange(type, range, scale) : null,
  };
}

/** Storage units for one unit of a draw. */
export function unitOf(type: SqlType): number {
  if (type.kind === 'TIME') return 1_000_000;
  return type.kind === 'TIMESTAMP' ? 1000 : 1;
}

function planValues(field: Field, given: unknown): readonly CellValue[] {
  if (!Array.isArray(given)) throw invalid(field, 'needs a list of values');
  return given.map((value: unknown) => {
    const cell = fromPublic(value, field.type);
    if (cell instanceof Refusal) throw invalid(field, `cannot take a value: ${cell.reason}`);
    if (cell === null && !field.nullable) throw invalid(field, 'is NOT NULL but has NULL among its values');
    return cell;
  });
}

type Range = readonly [number, number];

function planRange(field: Field, given: unknown, strategy: string): Range {
  if (given === undefined) return defaultRange(field.type, strategy);
  if (!Array.isArray(given) || given.length !== 2) throw invalid(field, 'needs a range of two bounds');
  const [first, behind] = given.map((bound: unknown) => boundOf(field, bound)) as [number, number];
  if (!(first < behind)) throw invalid(field, `has the empty range [${first}, ${behind})`);
  if (isBytes(field.type) && (first < 0 || behind > 1_000_001)) {
    throw invalid(field, 'has a range of lengths, which goes from 0 to 1000000');
  }
  return [first, behind];
}

function boundOf(field: Field, bound: unknown): number {
  const { type } = field;
  if (typeof bound === 'number' && Number.isFinite(bound)) {
    if (type.kind === 'DECIMAL') return Math.round(bound * 10 ** type.scale);
    return type.kind === 'REAL' || type.kind === 'DOUBLE' ? bound : Math.trunc(bound);
  }
  if (typeof bound === 'string') {
    const value =
      type.kind === 'TIMESTAMP' ? parseTimestampText(bound) : type.kind === 'TIME' ? parseTimeText(bound) : undefined;
    if (value !== undefined) return Math.floor(Number(value) / unitOf(type));
    const days = type.kind === 'DATE' ? parseDateText(bound) : undefined;
    if (days !== undefined) return days;
  }
  throw invalid(field, `has a bound that is no ${formatSqlType(type)}: ${JSON.stringify(bound)}`);
}

const dayMs = 86_400_000;
const days2100 = 47_482;
/** Where dates end that are not told where: 2120. */
const daysDefault = 54_787;

/** A bound of 2^63 is the greatest BIGINT, whose last digits a number in JSON has lost. */
function wideRange(type: SqlType, [first, behind]: Range, scale: number): WideRange | null {
  const is64 = type.kind === 'BIGINT' || (type.kind === 'DECIMAL' && type.unsigned === 64);
  if (!is64 || !Number.isInteger(scale)) return null;
  if (Math.max(Math.abs(first), Math.abs(behind), Math.abs(first * scale), Math.abs(behind * scale)) <= 2 ** 53)
    return null;
  const low = BigInt(first);
  return { first: low, span: (behind === 2 ** 63 ? 2n ** 63n - 1n : BigInt(behind)) - low, scale: BigInt(scale) };
}

function defaultRange(type: SqlType, strategy: string): Range {
  const counting = strategy === 'increment';
  switch (type.kind) {
    case 'BOOLEAN':
      return [0, 2];
    case 'TINYINT':
      return counting ? [0, 2 ** 7 - 1] : [-(2 ** 7), 2 ** 7 - 1];
    case 'SMALLINT':
      return counting ? [0, 2 ** 15 - 1] : [-(2 ** 15), 2 ** 15 - 1];
    case 'INTEGER':
      return counting ? [0, 2 ** 31 - 1] : [-(2 ** 31), 2 ** 31 - 1];
    case 'BIGINT':
      return counting ? [0, 2 ** 53] : [-(2 ** 63), 2 ** 63];
    case 'DECIMAL':
      if (type.unsigned === undefined) return [0, Math.min(10 ** type.precision, 2 ** 53)];
      return [0, type.unsigned === 64 ? (counting ? 2 ** 53 : 2 ** 63) : 2 ** type.unsigned - 1];
    case 'REAL':
      return counting ? [0, 2 ** 24] : [0, 1];
    case 'DOUBLE':
      return counting ? [0, 2 ** 53] : [0, 1];
    case 'DATE':
      return [0, daysDefault];
    case 'TIME':
      return [0, dayMs];
    case 'TIMESTAMP':
      return [0, days2100 * dayMs];
    default:
      return isBytes(type) && !counting ? [0, 25] : [0, 2 ** 53];
  }
}

/** Refuses a range whose ends the column cannot hold. */
function checkBounds(field: Field, type: SqlType, one: number, other: number): void {
  const low = Math.min(one, other);
  const high = Math.max(one, other);
  const [min, max] = boundsOf(type);
  if (low < min || high > max) throw invalid(field, `has a range that ${formatSqlType(type)} cannot hold`);
}

function boundsOf(type: SqlType): readonly [number, number] {
  switch (type.kind) {
    case 'BOOLEAN':
      return [0, 1];
    case 'TINYINT':
      return [-(2 ** 7), 2 ** 7 - 1];
    case 'SMALLINT':
      return [-(2 ** 15), 2 ** 15 - 1];
    case 'INTEGER':
    case 'DATE':
      return [-(2 ** 31), 2 ** 31 - 1];
    case 'DECIMAL':
      if (type.unsigned !== undefined) return [0, 2 ** type.unsigned - 1];
      return [-Math.min(10 ** type.precision - 1, 2 ** 53), Math.min(10 ** type.precision - 1, 2 ** 53)];
    case 'TIME':
      return [0, dayMs - 1];
    case 'TIMESTAMP':
      return [-(2 ** 53) / 1000, 2 ** 53 / 1000];
    case 'BIGINT':
      return [-(2 ** 63), 2 ** 63];
    case 'REAL':
    case 'DOUBLE':
      return [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
    default:
      return [-(2 ** 53), 2 ** 53];
  }
}

export function isBytes(type: SqlType): boolean {
  return ['CHAR', 'VARCHAR', 'BINARY', 'VARBINARY', 'VARIANT', 'ARRAY', 'MAP', 'ROW'].includes(type.kind);
}

function invalid(field: Field, reason: string): MillraceError {
  return new ConfigInvalidValue({ key: `fields.${field.name}`, reason });
}
