// LATENESS as it is declared: a distance in the units in which the column is stored, or months of the calendar.
//
// Months before a time are those of the calendar, and never go back while the time goes on: of the days that a month lacks the last moment of
// its last day counts, because a time before them has reached it already (a month before 30 March at noon and before 31 March at one).
import type { SqlType } from '../../../runtime/batch/sql-type.ts';
import { addMonths, dateOf, joinTimestamp, microsOfDay, splitTimestamp } from './calendar.ts';

export type Lateness = number | bigint | { readonly months: number };

/** What lies so many months before a time, as the column stores it. */
export type Earlier = (time: number | bigint) => number | bigint;

/** @param type DATE or TIMESTAMP */
export function monthsBefore(months: number, type: SqlType): Earlier {
  if (type.kind === 'DATE') return (days) => addMonths(Number(days), -months);
  return (time) => {
    const { days, micros } = splitTimestamp(BigInt(time));
    const then = addMonths(days, -months);
    const isLacking = dateOf(then).day < dateOf(days).day;
    return joinTimestamp(then, isLacking ? microsOfDay - 1n : micros);
  };
}
