// DEFAULT clauses of a table as JSON text in the default flavour: what decoders and pushed rows fill in.
// Pure; the evaluator of constant expressions is given, because it belongs to the engine.
import { cellJson } from '../../runtime/batch/cell-json.ts';
import type { CellValue } from '../../runtime/batch/scalar-values.ts';
import type { TableDefinition } from '../engine/messages.ts';

export type EvaluateConstant = (expression: NonNullable<TableDefinition['defaults'][number]>) => CellValue;

/** One entry for each column; null: it has no DEFAULT (or DEFAULT NULL, which is the same). */
export function columnDefaults(table: TableDefinition, evaluate: EvaluateConstant): readonly (string | null)[] {
  return table.defaults.map((expression, ordinal) => {
    const field = table.relation.schema.fields[ordinal];
    return expression === null || field === undefined ? null : cellJson(evaluate(expression), field.type);
  });
}
