// Casts between scalar types: one table, from-kind x to-kind.
//
// A row takes a value that is not NULL and gives the converted value, null (only from VARIANT, whose content is of
// another type), or undefined when the value has no counterpart in the target type: then CAST fails and SAFE_CAST is NULL.
// Numbers: exact where the target can hold them; DECIMAL targets round half away from zero, integer targets cut the
// fraction off (as Feldera). Text: trimmed when read; VARCHAR(n) cuts, CHAR(n) cuts and pads. What the table lacks cannot
// be cast; the binder refuses it (`isCastable`). Rows are in cast-numbers.ts, cast-text.ts, cast-temporal.ts, cast-variant.ts.
import { formatSqlType, type SqlType, type SqlTypeKind } from '../../../runtime/batch/sql-type.ts';
import { InvalidCast } from '../sql/evaluation-errors.ts';
import { sizeOfUnit } from '../sql/interval-units.ts';
import type { ScalarValue } from '../sql/scalar-value.ts';
import { isInterval } from '../sql/type-coercion.ts';
import { castFromBytes, castToBytes } from './cast-bytes.ts';
import { castFromInterval, castToInterval } from './cast-interval.ts';
import { nestedCast } from './cast-nested.ts';
import { castNumber, numberKinds } from './cast-numbers.ts';
import type { Cast } from './cast-row.ts';
import { datetimeCasts, numberToTimestamp, timestampToNumber } from './cast-temporal.ts';
import { castToBinary, castToText, formatScalar, fromTextCasts } from './cast-text.ts';
import { castFromVariant, castToNested, castToVariant } from './cast-variant.ts';

type Row = Partial<Record<SqlTypeKind, Cast>>;

const scalarKinds: readonly SqlTypeKind[] = [
  ...numberKinds,
  'BOOLEAN',
  'CHAR',
  'VARCHAR',
  'BINARY',
  'VARBINARY',
  'DATE',
  'TIME',
  'TIMESTAMP',
  'INTERVAL_MONTHS',
  'INTERVAL_MICROS',
  'UUID',
];

const exactKinds: readonly SqlTypeKind[] = ['TINYINT', 'SMALLINT', 'INTEGER', 'BIGINT', 'DECIMAL'];

const same: Cast = (value) => value;

const castNested: Cast = nestedCast((value, from, to) => {
  if (value === null || from.kind === 'NULL') return null;
  return table.get(from.kind)?.[to.kind]?.(value, from, to);
});

const table: ReadonlyMap<SqlTypeKind, Row> = buildTable();

function buildTable(): Map<SqlTypeKind, Row> {
  const rows = new Map<SqlTypeKind, Row>();
  const numbersAndBoolean: readonly SqlTypeKind[] = [...numberKinds, 'BOOLEAN'];
  for (const from of scalarKinds) {
    const row: Row = { [from]: same, CHAR: castToText, VARCHAR: castToText, VARIANT: castToVariant };
    if (numbersAndBoolean.includes(from)) for (const to of numbersAndBoolean) row[to] = castNumber;
    if (from === 'CHAR' || from === 'VARCHAR') Object.assign(row, fromTextCasts);
    if (from === 'BINARY' || from === 'VARBINARY' || from === 'CHAR' || from === 'VARCHAR') {
      row.BINARY = castToBinary;
      row.VARBINARY = castToBinary;
    }
    if (numberKinds.includes(from)) row.TIMESTAMP = numberToTimestamp;
    if (from === 'TIMESTAMP') for (const to of numberKinds) row[to] = timestampToNumber;
    if (from === 'UUID' || exactKinds.includes(from)) row.BINARY = row.VARBINARY = castToBytes;
    if (from === 'BINARY' || from === 'VARBINARY') row.UUID = castFromBytes;
    Object.assign(row, datetimeCasts[from]);
    if (from === 'INTERVAL_MONTHS' || from === 'INTERVAL_MICROS')
      for (const to of exactKinds) row[to] = castFromInterval;
    if (exactKinds.includes(from)) row.INTERVAL_MONTHS = row.INTERVAL_MICROS = castToInterval;
    rows.set(from, row);
  }
  const fromVariant: Row = { VARIANT: same };
  for (const to of scalarKinds) fromVariant[to] = castFromVariant;
  for (const kind of ['ARRAY', 'MAP', 'ROW'] as const) {
    fromVariant[kind] = castToNested;
    rows.set(kind, { [kind]: castNested, CHAR: castToText, VARCHAR: castToText, VARIANT: same });
  }
  rows.set('VARIANT', fromVariant);
  return rows;
}

/** Whether CAST between the types is defined at all. A bare NULL can be cast to everything. */
export function isCastable(from: SqlType, to: SqlType): boolean {
  if (from.kind === 'NULL') return true;
  // What one means in an interval of several units cannot be said.
  if (from.kind === 'DECIMAL' && (to.kind === 'BINARY' || to.kind === 'VARBINARY')) return from.unsigned !== undefined;
  if (isInterval(from) && exactKinds.includes(to.kind)) return sizeOfUnit(from) !== undefined;
  if (isInterval(to) && exactKinds.includes(from.kind)) return sizeOfUnit(to) !== undefined;
  return table.get(from.kind)?.[to.kind] !== undefined;
}

/** The function for one cast. It throws InvalidCast where the value has no counterpart, or gives null when `safe`. */
export function makeCaster(from: SqlType, to: SqlType, safe: boolean): (value: ScalarValue) => ScalarValue {
  if (from.kind === 'NULL') return () => null;
  const cast = table.get(from.kind)?.[to.kind];
  if (cast === undefined) throw new InvalidCast({ value: 'a value', from: formatSqlType(from), to: formatSqlType(to) });
  const convert = (value: ScalarValue): ScalarValue => {
    if (value === null) return null;
    const converted = cast(value, from, to);
    if (converted !== undefined) return converted;
    if (safe) return null;
    throw new InvalidCast({ value: describe(value, from), from: formatSqlType(from), to: formatSqlType(to) });
  };
  return convert;
}

/** A value as messages show it, cut to 100 characters. */
function describe(value: NonNullable<ScalarValue>, type: SqlType): string {
  if (value instanceof Uint8Array) return `X'${Buffer.from(value.subarray(0, 50)).toString('hex')}'`;
  const text = (formatScalar(value, type) ?? '').slice(0, 100);
  return type.kind === 'CHAR' || type.kind === 'VARCHAR' ? `'${text}'` : text;
}

/** Casts one value. @throws InvalidCast unless `safe`. */
export function castValue(value: ScalarValue, from: SqlType, to: SqlType, safe = false): ScalarValue {
  return makeCaster(from, to, safe)(value);
}
