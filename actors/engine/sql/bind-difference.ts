// EXCEPT and INTERSECT, in terms of counted rows.
//
// Both sides are united with a mark, and equal rows (NULL equals NULL) are counted by side, l and r:
//   EXCEPT         l > 0 and r = 0            EXCEPT ALL         l - r times, where l > r
//   INTERSECT      l > 0 and r > 0            INTERSECT ALL      the smaller of l and r times
// So they are incremental as GROUP BY is, and need no operator of their own but the one that repeats rows.
import { type Field, makeSchema, type Schema } from '../../../runtime/batch/schema.ts';
import type { SqlType } from '../../../runtime/batch/sql-type.ts';
import type { Difference } from './ast.ts';
import { bindBinary } from './bind-arithmetic.ts';
import { makeCase } from './bind-case.ts';
import { bindComparison, not, operator } from './bind-comparison.ts';
import type { AggregateCall, ExpressionSource, Rel, Scalar } from './bound.ts';
import { caseBranch } from './case-branch.ts';
import { columnOf } from './query-context.ts';
import { literal } from './type-coercion.ts';

const bigint: SqlType = { kind: 'BIGINT' };
const markField: Field = { name: 'is left', type: { kind: 'BOOLEAN' }, nullable: false };

/** `sides` are the two inputs, with columns of the types of `schema`. */
export function bindDifference(body: Difference, sides: readonly Rel[], schema: Schema, source: ExpressionSource): Rel {
  const { fields } = schema;
  const width = fields.length;
  const marked = makeSchema([...fields, markField]);
  const withMark = (input: Rel, isLeft: boolean): Rel => ({
    kind: 'project',
    input,
    columns: [...fields.map(columnOf), literal(isLeft, markField.type, source)],
    schema: marked,
  });
  const both: Rel = { kind: 'union', inputs: sides.map((side, i) => withMark(side, i === 0)), schema: marked };
  const mark = columnOf(markField, width);
  const counted: Rel = {
    kind: 'aggregate',
    input: both,
    groups: fields.map(columnOf),
    aggregates: [count(mark, source), count(not(mark, source), source)],
    schema: makeSchema([...fields, countField('left'), countField('right')]),
  };
  const l = columnOf(countField('left'), width);
  const r = columnOf(countField('right'), width + 1);
  const zero = literal(0n, bigint, source);
  const isPresent = bindComparison('>', l, zero, source);
  const kept = (predicate: Scalar): Rel => ({ kind: 'filter', input: counted, predicate, schema: counted.schema });
  if (!body.all) {
    const other = bindComparison(body.kind === 'except' ? '=' : '>', r, zero, source);
    const input = kept(operator('and', [isPresent, other], source));
    return { kind: 'project', input, columns: fields.map(columnOf), schema };
  }
  const isMore = bindComparison('>', l, r, source);
  const times = body.kind === 'except' ? bindBinary('-', l, r, source) : makeCase([caseBranch(isMore, r)], l, source);
  const inBoth = operator('and', [isPresent, bindComparison('>', r, zero, source)], source);
  const input: Rel = {
    kind: 'project',
    input: kept(body.kind === 'except' ? isMore : inBoth),
    columns: [...fields.map(columnOf), times],
    schema: makeSchema([...fields, countField('times')]),
  };
  return { kind: 'repeat', input, schema };
}

function countField(name: string): Field {
  return { name, type: bigint, nullable: false };
}

function count(filter: Scalar, source: ExpressionSource): AggregateCall {
  return { function: 'count', operand: null, distinct: false, filter, type: bigint, nullable: false, source };
}
