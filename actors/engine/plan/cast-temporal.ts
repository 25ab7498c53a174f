// Casts among DATE, TIME and TIMESTAMP. A DATE is its midnight; a TIMESTAMP before 1970 rounds down to its day.
// A TIME is that of 1970-01-01. A number counts milliseconds since then, of which a TIMESTAMP keeps the whole seconds.
import type { SqlTypeKind } from '../../../runtime/batch/sql-type.ts';
import { castExact, castNumber } from './cast-numbers.ts';
import type { Cast } from './cast-row.ts';

const microsOfDay = 86_400_000_000n;

const dateToTimestamp: Cast = (value) => (typeof value === 'number' ? BigInt(value) * microsOfDay : undefined);

const timestampToDate: Cast = (value) =>
  typeof value === 'bigint' ? Number((value - timeOfDay(value)) / microsOfDay) : undefined;

/** A TIME counts nanoseconds. */
const timestampToTime: Cast = (value) => (typeof value === 'bigint' ? timeOfDay(value) * 1000n : undefined);

const timeToTimestamp: Cast = (value) => (typeof value === 'bigint' ? value / 1000n : undefined);

export const numberToTimestamp: Cast = (value, from) => {
  const millis = castNumber(value, from, { kind: 'BIGINT' });
  return typeof millis === 'bigint' ? castExact((millis / 1000n) * 1_000_000n, 0, { kind: 'BIGINT' }) : undefined;
};

export const timestampToNumber: Cast = (value, _, to) =>
  typeof value === 'bigint' ? castExact((value - (((value % 1000n) + 1000n) % 1000n)) / 1000n, 0, to) : undefined;

export const datetimeCasts: Partial<Record<SqlTypeKind, Partial<Record<SqlTypeKind, Cast>>>> = {
  TIME: { TIMESTAMP: timeToTimestamp },
  DATE: { TIMESTAMP: dateToTimestamp },
  TIMESTAMP: { DATE: timestampToDate, TIME: timestampToTime },
};

function timeOfDay(micros: bigint): bigint {
  const rest = micros % microsOfDay;
  return rest < 0n ? rest + microsOfDay : rest;
}
