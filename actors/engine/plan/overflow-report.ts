// A result that does not fit its type, told with the call and the group or row that it belongs to.
import type { ChangeBatch } from '../../../runtime/batch/change-batch.ts';
import { rowFromBatch } from '../../../runtime/batch/row-objects.ts';
import { formatSqlType } from '../../../runtime/batch/sql-type.ts';
import type { EvaluationFailures } from '../circuit/evaluation-failures.ts';
import type { AggregateCall, WindowCall } from '../sql/bound.ts';
import { NumericOverflow } from '../sql/evaluation-errors.ts';

export function reportOverflow(
  failures: EvaluationFailures,
  view: string,
  call: AggregateCall | WindowCall,
  group: ChangeBatch,
): void {
  const type = formatSqlType(call.type);
  const error = new NumericOverflow({ type, detail: `the result of ${call.function.toUpperCase()}` });
  failures.report({ view, expression: call.source, error, row: rowFromBatch(group, 0) });
}
