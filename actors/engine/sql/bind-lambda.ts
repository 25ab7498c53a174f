// Lambdas: TRANSFORM(array, x -> …), ARRAY_EXISTS(array, x -> …), VARIANT_MAP(variant, (key, value) -> …) and their like.
//
// The call has the array and what the body reads of the row as operands; in `lambda`, the body, column 0 is the element and column i
// the i-th operand. So whoever moves columns about moves those of the operands, and never looks into the body.
// A VARIANT becomes an array of its items first, ROWs of a key and a value, and the array that the lambda gives is put back into
// its shape then (functions-variant.ts).
import { formatSqlType, type SqlType } from '../../../runtime/batch/sql-type.ts';
import type { Expression } from './ast.ts';
import { bindCast, makeCase } from './bind-case.ts';
import { operator } from './bind-comparison.ts';
import { fieldOf } from './bind-nested.ts';
import type { ColumnReference, ExpressionSource, FunctionCall, Scalar } from './bound.ts';
import { caseBranch } from './case-branch.ts';
import { type Bind, type ExpressionContext, requireBoolean } from './expression-context.ts';
import type { LambdaFunction } from './lambda-names.ts';
import { bindNamedFunction } from './named-function.ts';
import { mapScalarColumns } from './scalar-columns.ts';
import { scalarKey } from './scalar-key.ts';
import type { ScopeColumn } from './scope.ts';
import { SqlInvalidArguments } from './sql-errors.ts';
import { coerce, literal, varchar } from './type-coercion.ts';

type Call = Extract<Expression, { kind: 'call' }>;
type Lambda = Extract<Expression, { kind: 'lambda' }>;

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
  const isArray = name === 'transform' || name === 'array_exists';
  const [first, lambda, ...rest] = call.arguments;
  if (first === undefined || lambda?.kind !== 'lambda' || rest.length > 0) {
    throw refuse(
      isArray
        ? 'takes an array and a lambda, as in x -> x + 1'
        : 'takes a VARIANT and a lambda, as in (key, value) -> value',
    );
  }
  const count = isArray ? 1 : 2;
  if (lambda.parameters.length !== count)
    throw refuse(`takes a lambda of ${count === 1 ? 'one parameter' : 'two parameters'}`);
  const operand = bind(context, first);
  if (!isArray) return variantLambda(context, lambda, operand, name, source, bind);
  const { type } = operand;
  if (type.kind !== 'ARRAY') throw refuse(`takes an array, ${operand.source.text} is ${formatSqlType(type)}`);
  const body = bodyOf(context, lambda, [type.element], bind);
  const result = name === 'array_exists' ? requireBoolean(body.scalar, 'ARRAY_EXISTS') : body.scalar;
  return overArray(name, operand, result, body.ordinal, (column) => ({ ...column, ordinal: 0 }), source);
}

const plainVariant: SqlType = { kind: 'VARIANT' };

function variantLambda(
  context: ExpressionContext,
  lambda: Lambda,
  operand: Scalar,
  name: LambdaFunction,
  source: ExpressionSource,
  bind: Bind,
): Scalar {
  const variant = coerce(operand, plainVariant);
  const how = literal(name, varchar, source);
  const items = bindNamedFunction('variant_items', [variant, how], source);
  const isDeep = name.startsWith('variant_deep');
  const isFilter = name.endsWith('filter');
  const key: SqlType = isDeep ? varchar : plainVariant;
  const body = bodyOf(context, lambda, [key, plainVariant], bind);
  const result = isFilter
    ? requireBoolean(body.scalar, name.toUpperCase())
    : bindCast(body.scalar, plainVariant, false, source);
  const element = items.type.kind === 'ARRAY' ? items.type.element : items.type;
  const item: Scalar = { kind: 'column', ordinal: 0, type: element, nullable: false, source };
  const part = (column: ColumnReference): Scalar => {
    const field = fieldOf(item, column.ordinal - body.ordinal, column.source);
    if (column.type.kind === field.type.kind) return field;
    // What has no key has NULL, not the null of JSON.
    const missing = caseBranch(operator('is null', [field], source, false), literal(null, column.type, source));
    const known: Scalar = { ...field, nullable: false };
    return { ...makeCase([missing], bindCast(known, column.type, false, source), source), nullable: true };
  };
  const results = overArray('transform', items, result, body.ordinal, part, source);
  return bindNamedFunction('variant_rebuilt', [variant, results, how], source);
}

/** The body over parameters whose ordinals follow one another. */
function bodyOf(
  context: ExpressionContext,
  lambda: Lambda,
  types: readonly SqlType[],
  bind: Bind,
): { readonly scalar: Scalar; readonly ordinal: number } {
  const ordinal = Math.max(elementOrdinals, ...context.scope.map((column) => column.ordinal + 1));
  const parameters = lambda.parameters.map(
    ({ name, quoted }, i): ScopeColumn => ({
      table: null,
      name,
      ordinal: ordinal + i,
      type: types[i] ?? { kind: 'NULL' },
      nullable: true,
      quoted,
      hidden: false,
    }),
  );
  const others = context.scope.filter((column) => !parameters.some(({ name }) => name === column.name));
  const inner = { ...context, aliases: null, aggregates: null, clause: 'a lambda', windows: undefined };
  return { scalar: bind({ ...inner, scope: [...parameters, ...others] }, lambda.body), ordinal };
}

/** `part` says what a parameter is of the element, which is column 0. */
function overArray(
  name: 'transform' | 'array_exists',
  array: Scalar,
  body: Scalar,
  ordinal: number,
  part: (column: ColumnReference) => Scalar,
  source: ExpressionSource,
): FunctionCall {
  const captured = new Map<string, { readonly at: number; readonly column: ColumnReference }>();
  const replaced = mapScalarColumns(body, (column) => {
    if (column.ordinal >= ordinal) return part(column);
    const key = scalarKey(column);
    const known = captured.get(key) ?? { at: captured.size + 1, column };
    captured.set(key, known);
    return { ...column, ordinal: known.at };
  });
  const operands = [array, ...[...captured.values()].map(({ column }) => column)];
  const type: SqlType = name === 'transform' ? { kind: 'ARRAY', element: body.type } : { kind: 'BOOLEAN' };
  const nullable = array.nullable || name === 'array_exists';
  return { kind: 'function', name, overload: 0, operands, lambda: replaced, type, nullable, source };
}
