// What a column is generated from: the user's settings against the column's type, checked, with every default decided.
//
// Numbers are drawn as doubles in the unit of the type and written in the unit of its storage: TIMESTAMP and TIME in
// milliseconds, DATE in days, DECIMAL as its digits without the point. So all of them are exact up to 2^53; beyond
// it, where BIGINT UNSIGNED goes, draws are those integers that a double can hold.
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
  /** Of 2^32. */
  readonly nullShare: number;
  /** Draws have fractions. */
  readonly fractional: boolean;
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
  const nullShare = (Number(settings['null_percentage'] ?? 0) / 100) * 2 ** 32;
  if ((nullShare > 0 || values?.length === 0) && !field.nullable) throw invalid(field, 'is NOT NULL but would be NULL');
  const [first, behind] =
    values === null ? planRange(field, settings['range'], strategy ?? 'uniform') : [0, Math.max(1, values.length)];
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
    nullShare,
    fractional: type.kind === 'REAL' || type.kind === 'DOUBLE',
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

function planRange(field: Field, given: unknown, strategy: string): readonly [number, number] {
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

function defaultRange(type: SqlType, strategy: string): readonly [number, number] {
  const counting = strategy === 'increment';
  switch (type.kind) {
    case 'BOOLEAN':
      return [0, 2];
    case 'TINYINT':
      return counting ? [0, 2 ** 7] : [-(2 ** 7), 2 ** 7];
    case 'SMALLINT':
      return counting ? [0, 2 ** 15] : [-(2 ** 15), 2 ** 15];
    case 'INTEGER':
      return counting ? [0, 2 ** 31] : [-(2 ** 31), 2 ** 31];
    case 'DECIMAL':
      return [0, Math.min(type.unsigned === undefined ? 10 ** type.precision : 2 ** type.unsigned, 2 ** 53)];
    case 'REAL':
      return counting ? [0, 2 ** 24] : [0, 1];
    case 'DOUBLE':
      return counting ? [0, 2 ** 53] : [0, 1];
    case 'DATE':
      return [0, days2100];
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
