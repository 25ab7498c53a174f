// Casts among DATE, TIME and TIMESTAMP. A DATE is its midnight; a TIMESTAMP before 1970 rounds down to its day.
// TIME to TIMESTAMP is not defined: it would need today's date.
import type { SqlTypeKind } from '../../../runtime/batch/sql-type.ts';
import type { Cast } from './cast-row.ts';

const microsOfDay = 86_400_000_000n;

const dateToTimestamp: Cast = (value) => (typeof value === 'number' ? BigInt(value) * microsOfDay : undefined);

const timestampToDate: Cast = (value) =>
  typeof value === 'bigint' ? Number((value - timeOfDay(value)) / microsOfDay) : undefined;

const timestampToTime: Cast = (value) => (typeof value === 'bigint' ? timeOfDay(value) : undefined);

export const datetimeCasts: Partial<Record<SqlTypeKind, Partial<Record<SqlTypeKind, Cast>>>> = {
  DATE: { TIMESTAMP: dateToTimestamp },
  TIMESTAMP: { DATE: timestampToDate, TIME: timestampToTime },
};

function timeOfDay(micros: bigint): bigint {
  const rest = micros % microsOfDay;
  return rest < 0n ? rest + microsOfDay : rest;
}
