// The proleptic Gregorian calendar: days since 1970-01-01 to year, month, day, and back.
//
// Algorithms: Hinnant, "chrono-compatible low-level date algorithms". Timestamps are microseconds as bigint; times before
// 1970 round down to their day.

export interface CalendarDate {
  readonly year: number;
  /** 1 to 12. */
  readonly month: number;
  /** 1 to 31. */
  readonly day: number;
}

export interface DayAndTime {
  /** Days since 1970-01-01. */
  readonly days: number;
  /** Microseconds since midnight. */
  readonly micros: number;
}

export const microsOfDay = 86_400_000_000n;

/** What a TIME, which counts nanoseconds since midnight, stays below. */
export const nanosOfDay = 86_400_000_000_000n;

export function daysOf(year: number, month: number, day: number): number {
  const shifted = month <= 2 ? year - 1 : year;
  const era = Math.floor(shifted / 400);
  const yearOfEra = shifted - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

export function dateOf(days: number): CalendarDate {
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const position = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * position + 2) / 5) + 1;
  const month = position < 10 ? position + 3 : position - 9;
  return { year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day };
}

export function daysInMonth(year: number, month: number): number {
  const next = month === 12 ? daysOf(year + 1, 1, 1) : daysOf(year, month + 1, 1);
  return next - daysOf(year, month, 1);
}

/** Adds months; a day that the month lacks becomes its last one. */
export function addMonths(days: number, months: number): number {
  const { year, month, day } = dateOf(days);
  const total = year * 12 + (month - 1) + months;
  const newYear = Math.floor(total / 12);
  const newMonth = total - newYear * 12 + 1;
  return daysOf(newYear, newMonth, Math.min(day, daysInMonth(newYear, newMonth)));
}

export function splitTimestamp(timestamp: bigint): DayAndTime {
  const micros = floorModulo(timestamp, microsOfDay);
  return { days: Number((timestamp - micros) / microsOfDay), micros: Number(micros) };
}

export function joinTimestamp(days: number, micros: number | bigint): bigint {
  return BigInt(days) * microsOfDay + BigInt(micros);
}

export function floorModulo(value: bigint, divisor: bigint): bigint {
  const rest = value % divisor;
  return rest < 0n ? rest + divisor : rest;
}

/** Monday 1 to Sunday 7. */
export function isoWeekday(days: number): number {
  return ((((days + 3) % 7) + 7) % 7) + 1;
}

export function dayOfYear(days: number): number {
  return days - daysOf(dateOf(days).year, 1, 1) + 1;
}

/** Year and week of ISO 8601: a week belongs to the year of its Thursday. */
export function isoWeek(days: number): { readonly year: number; readonly week: number } {
  const thursday = days - isoWeekday(days) + 4;
  const { year } = dateOf(thursday);
  return { year, week: Math.floor((thursday - daysOf(year, 1, 1)) / 7) + 1 };
}
