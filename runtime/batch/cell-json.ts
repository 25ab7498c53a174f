// One value of a column as JSON text in the default flavour, exactly: numbers keep their digits, dates and times are text.
import { formatDate, formatDecimal, formatMicros, formatMonths, formatTime, formatTimestamp } from './scalar-text.ts';
import type { CellValue } from './scalar-values.ts';
import { isNested, type SqlType } from './sql-type.ts';

/** null: it is NULL. */
export function cellJson(value: CellValue, type: SqlType): string | null {
  if (value === null) return null;
  switch (typeof value) {
    case 'boolean':
      return String(value);
    case 'number':
      if (type.kind === 'DATE') return JSON.stringify(formatDate(value));
      if (type.kind === 'INTERVAL_MONTHS') return JSON.stringify(formatMonths(value));
      return Number.isFinite(value) ? String(value) : JSON.stringify(String(value));
    case 'bigint':
      return bigintText(value, type);
    case 'string':
      return type.kind === 'VARIANT' || isNested(type) ? value : JSON.stringify(value);
    default:
      return JSON.stringify([...value]);
  }
}

function bigintText(value: bigint, type: SqlType): string {
  switch (type.kind) {
    case 'DECIMAL':
      return formatDecimal(value, type.scale);
    case 'TIME':
      return JSON.stringify(formatTime(value));
    case 'TIMESTAMP':
      return JSON.stringify(formatTimestamp(value));
    case 'INTERVAL_MICROS':
      return JSON.stringify(formatMicros(value));
    default:
      return value.toString();
  }
}
