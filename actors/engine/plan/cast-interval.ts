// Casts between intervals of one unit and exact numbers: INTERVAL '90' MINUTE is 90. What is less than a unit is cut off,
// or what is less than the last digit of a DECIMAL.
import type { SqlType } from '../../../runtime/batch/sql-type.ts';
import { sizeOfUnit } from '../sql/interval-units.ts';
import { isInterval } from '../sql/type-coercion.ts';
import { castExact } from './cast-numbers.ts';
import type { Cast } from './cast-row.ts';

export const castFromInterval: Cast = (value, from, to) => {
  const size = sizeOf(from);
  if (size === undefined || (typeof value !== 'number' && typeof value !== 'bigint')) return undefined;
  const scale = to.kind === 'DECIMAL' ? to.scale : 0;
  return castExact((BigInt(value) * 10n ** BigInt(scale)) / size, scale, to);
};

export const castToInterval: Cast = (value, from, to) => {
  const size = sizeOf(to);
  if (size === undefined || (typeof value !== 'number' && typeof value !== 'bigint')) return undefined;
  const scale = from.kind === 'DECIMAL' ? 10n ** BigInt(from.scale) : 1n;
  const total = (BigInt(value) * size) / scale;
  if (to.kind === 'INTERVAL_MICROS') return BigInt.asIntN(64, total) === total ? total : undefined;
  return BigInt.asIntN(32, total) === total ? Number(total) : undefined;
};

function sizeOf(type: SqlType): bigint | undefined {
  return isInterval(type) ? sizeOfUnit(type) : undefined;
}
