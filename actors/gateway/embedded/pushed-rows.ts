// Pushed objects as batches for a table. Pure.
//
// All or nothing: a row that does not fit refuses the whole push, with every such row listed.
import type { ChangeBatch } from '../../../runtime/batch/change-batch.ts';
import { type RowProblem, rowsToBatch } from '../../../runtime/batch/row-objects.ts';
import type { Relation } from '../../../runtime/batch/schema.ts';
import { type CodedErrorClass, defineError } from '../../../runtime/errors.ts';
import type { PushOptions } from './control-interface.ts';

export const RowsRefused: CodedErrorClass<{
  readonly table: string;
  readonly numProblems: number;
  /** The first 100. */
  readonly problems: readonly RowProblem[];
}> = defineError(
  'push.rows_refused',
  { help: 'Mend the rows that are listed and push again: nothing of this call was taken.' },
  (f) => {
    const first = f.problems[0];
    const more = f.numProblems === 1 ? '' : `, and ${f.numProblems - 1} more`;
    const field = first?.field == null ? '' : `, column '${first.field}'`;
    return `rows for '${f.table}' do not fit: row ${first?.row}${field}: ${first?.reason}${more}`;
  },
);

const batchRowsMax = 16_384;
const listedMax = 100;

/** @throws RowsRefused */
export function pushedBatches(
  rows: readonly unknown[],
  relation: Relation,
  defaults: readonly (string | null)[],
  options: PushOptions,
): readonly ChangeBatch[] {
  const batches: ChangeBatch[] = [];
  const problems: RowProblem[] = [];
  for (let start = 0; start < rows.length; start += batchRowsMax) {
    const part = rowsToBatch(rows.slice(start, start + batchRowsMax), relation, defaults, options);
    for (const problem of part.problems) problems.push({ ...problem, row: problem.row + start });
    if (part.batch.rows > 0) batches.push(part.batch);
  }
  const first = problems[0];
  if (first !== undefined) {
    const fields = { table: relation.name, numProblems: problems.length, problems: problems.slice(0, listedMax) };
    const suggestion = first.suggestion ?? undefined;
    throw new RowsRefused(fields, { place: { record: first.row }, suggestion });
  }
  return batches;
}
