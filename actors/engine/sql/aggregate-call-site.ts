// One call of an aggregate on its way through the binder: what it applies to and where it stands, and how it is refused.
import { formatSqlType } from '../../../runtime/batch/sql-type.ts';
import type { AggregateDefinition } from './aggregate-functions.ts';
import type { ExpressionSource, Scalar } from './bound.ts';
import type { AggregateSink } from './expression-context.ts';
import { SqlInvalidArguments } from './sql-errors.ts';

export interface AggregateCallSite {
  readonly definition: AggregateDefinition;
  readonly sink: AggregateSink;
  readonly distinct: boolean;
  readonly filter: Scalar | null;
  readonly source: ExpressionSource;
}

export function wrongType(of: AggregateCallSite, operand: Scalar, wanted: string): Error {
  return refusal(of, `takes ${wanted}, ${operand.source.text} is ${formatSqlType(operand.type)}`);
}

export function refusal({ definition, source }: AggregateCallSite, detail: string): Error {
  return new SqlInvalidArguments({ function: definition.name.toUpperCase(), detail }, { place: source.place });
}
