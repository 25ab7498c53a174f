// Lambdas: TRANSFORM(array, x -> …) and ARRAY_EXISTS(array, x -> …).
//
// The call has the array and what the body reads of the row as operands; in `lambda`, the body, column 0 is the element and column i
// the i-th operand. So whoever moves columns about moves those of the operands, and never looks into the body.
import { formatSqlType, type SqlType } from '../../../runtime/batch/sql-type.ts';
import type { Expression } from './ast.ts';
import type { ColumnReference, ExpressionSource, FunctionCall, Scalar } from './bound.ts';
import { type Bind, type ExpressionContext, requireBoolean } from './expression-context.ts';
import { mapScalarColumns } from './scalar-columns.ts';
import { scalarKey } from './scalar-key.ts';
import type { ScopeColumn } from './scope.ts';
import { SqlInvalidArguments } from './sql-errors.ts';

type Call = Extract<Expression, { kind: 'call' }>;

export type LambdaFunction = 'transform' | 'array_exists';

export function isLambdaFunction(name: string): name is LambdaFunction {
  return name === 'transform' || name === 'array_exists';
}

/** Beyond every ordinal that stands for something else (scalar-columns.ts); each lambda inside of another one has the next. */
const elementOrdinals = 1 << 26;

export function bindLambdaCall(
  context: ExpressionContext,
  call: Call,
  name: LambdaFunction,
  source: ExpressionSource,
  bind: Bind,
): Scalar {
  const refuse = (detail: string): Error =>
    new SqlInvalidArguments({ function: name.toUpperCase(), detail }, { place: source.place });
  const [first, lambda, ...rest] = call.arguments;
  if (first === undefined || lambda?.kind !== 'lambda' || rest.length > 0)
    throw refuse('takes an array and a lambda, as in x -> x + 1');
  const array = bind(context, first);
  if (array.type.kind !== 'ARRAY') throw refuse(`takes an array, ${array.source.text} is ${formatSqlType(array.type)}`);
  const elementOrdinal = Math.max(elementOrdinals, ...context.scope.map((column) => column.ordinal + 1));
  const parameter: ScopeColumn = {
    table: null,
    name: lambda.parameter.name,
    ordinal: elementOrdinal,
    type: array.type.element,
    nullable: true,
    quoted: lambda.parameter.quoted,
    hidden: false,
  };
  const scope = [parameter, ...context.scope.filter((column) => column.name !== parameter.name)];
  const bound = bind(
    { ...context, scope, aliases: null, aggregates: null, clause: 'a lambda', windows: undefined },
    lambda.body,
  );
  const body = name === 'array_exists' ? requireBoolean(bound, 'ARRAY_EXISTS') : bound;
  const captured = new Map<string, { readonly at: number; readonly column: ColumnReference }>();
  const replaced = mapScalarColumns(body, (column) => {
    if (column.ordinal === elementOrdinal) return { ...column, ordinal: 0 };
    const key = scalarKey(column);
    const known = captured.get(key) ?? { at: captured.size + 1, column };
    captured.set(key, known);
    return { ...column, ordinal: known.at };
  });
  const operands = [array, ...[...captured.values()].map(({ column }) => column)];
  const type: SqlType = name === 'transform' ? { kind: 'ARRAY', element: body.type } : { kind: 'BOOLEAN' };
  const nullable = array.nullable || name === 'array_exists';
  const result: FunctionCall = {
    kind: 'function',
    name,
    overload: 0,
    operands,
    lambda: replaced,
    type,
    nullable,
    source,
  };
  return result;
}
