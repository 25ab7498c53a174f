// DEFAULT clauses of a table as JSON text in the default flavour: what decoders and pushed rows fill in.
// Pure; the evaluator of constant expressions is given, because it belongs to the engine.
import {
  formatDate,
  formatDecimal,
  formatMicros,
  formatMonths,
  formatTime,
  formatTimestamp,
} from '../../runtime/batch/scalar-text.ts';
import type { CellValue } from '../../runtime/batch/scalar-values.ts';
import { isNested, type SqlType } from '../../runtime/batch/sql-type.ts';
import type { TableDefinition } from '../engine/messages.ts';

export type EvaluateConstant = (expression: NonNullable<TableDefinition['defaults'][number]>) => CellValue;

/** One entry for each column; null: it has no DEFAULT (or DEFAULT NULL, which is the same). */
export function columnDefaults(table: TableDefinition, evaluate: EvaluateConstant): readonly (string | null)[] {
  return table.defaults.map((expression, ordinal) => {
    const field = table.relation.schema.fields[ordinal];
    return expression === null || field === undefined ? null : jsonText(evaluate(expression), field.type);
  });
}

/** A value in the default flavour of JSON; null: it is NULL. */
export function jsonText(value: CellValue, type: SqlType): string | null {
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
