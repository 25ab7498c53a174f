// Functions that a program declares: CREATE FUNCTION name(parameters) RETURNS type AS expression.
//
// A call is the body with the arguments, cast to the types of the parameters, in place of their names: it costs what the
// expression would cost where it is called. The body sees its parameters and the functions declared above it, nothing else.

import { bindCast } from './bind-case.ts';
import type { ExpressionSource, Scalar } from './bound.ts';
import type { Bind, ExpressionContext } from './expression-context.ts';
import { callExpression, nameExpression } from './made-syntax.ts';
import { mapScalarColumns } from './scalar-columns.ts';
import type { ScopeColumn } from './scope.ts';
import { SqlDuplicateName, SqlInvalidArguments, SqlUnsupported } from './sql-errors.ts';
import type { DeclaredFunction, SqlText } from './sql-text.ts';
import type { Statement } from './statement-syntax.ts';
import { coerce, commonType } from './type-coercion.ts';
import { resolveTypeName } from './type-names.ts';

export type CreateFunction = Extract<Statement, { kind: 'create function' }>;

/** Declares a function; its body is checked as if it were called with columns. @throws coded errors of the declaration. */
export function declareFunction(source: SqlText, given: CreateFunction, known: boolean, bind: Bind): void {
  const statement = given.body === null ? withDecoder(given) : given;
  const { name, body } = statement;
  const place = source.span(name.span);
  if (known || source.functions.has(name.name))
    throw new SqlDuplicateName({ what: 'function', name: name.name }, { place });
  if (body === null) {
    const instead = 'write its body as an SQL expression behind AS';
    throw new SqlUnsupported({ construct: `a function without a body ("${name.name}")`, instead }, { place });
  }
  const names = statement.parameters.map((parameter) => parameter.name.name);
  const twice = statement.parameters.find((parameter, i) => names.indexOf(parameter.name.name) < i);
  if (twice !== undefined) {
    throw new SqlDuplicateName({ what: 'parameter', name: twice.name.name }, { place: source.span(twice.name.span) });
  }
  bindBody(source, statement, () => true, bind);
  source.functions.set(name.name, { statement, source });
}

/** A function without a body that is named jsonstring_as_t, of a text, and gives a t reads the text as JSON. */
function withDecoder(statement: CreateFunction): CreateFunction {
  const { name, parameters, returns, span } = statement;
  const [parameter, more] = parameters;
  const isDecoder = parameter !== undefined && more === undefined && texts.includes(parameter.type.name);
  if (!isDecoder || name.name !== `jsonstring_as_${returns.name}`) return statement;
  const operand = callExpression('parse_json', [nameExpression(parameter.name.name, span)], span);
  return { ...statement, body: { kind: 'cast', operand, type: returns, safe: true, span } };
}

const texts: readonly string[] = ['varchar', 'char', 'text', 'string', 'character varying'];

/** A call of a declared function. @throws SqlInvalidArguments, and what is wrong with the body for these arguments. */
export function bindDeclaredCall(
  { statement, source: own }: DeclaredFunction,
  given: readonly Scalar[],
  source: ExpressionSource,
  bind: Bind,
): Scalar {
  const { parameters, name } = statement;
  const refuse = (detail: string): Error =>
    new SqlInvalidArguments({ function: name.name.toUpperCase(), detail }, { place: source.place });
  if (given.length !== parameters.length) {
    throw refuse(`takes ${parameters.length} argument${parameters.length === 1 ? '' : 's'}`);
  }
  const operands = given.map((operand, i) => {
    const type = resolveTypeName(own, parameters[i]?.type ?? statement.returns);
    if (commonType(operand.type, type) === null)
      throw refuse(`the type of ${operand.source.text} is not that of the parameter`);
    return coerce(operand, type);
  });
  const body = bindBody(own, statement, (i) => operands[i]?.nullable ?? true, bind);
  return { ...mapScalarColumns(body, (column) => operands[column.ordinal] ?? column), source };
}

function bindBody(
  source: SqlText,
  statement: CreateFunction,
  nullable: (position: number) => boolean,
  bind: Bind,
): Scalar {
  const { parameters, returns, body } = statement;
  const scope = parameters.map(
    (parameter, ordinal): ScopeColumn => ({
      table: null,
      name: parameter.name.name,
      ordinal,
      type: resolveTypeName(source, parameter.type),
      nullable: nullable(ordinal),
      quoted: parameter.name.quoted,
      hidden: false,
    }),
  );
  const type = resolveTypeName(source, returns);
  const context: ExpressionContext = {
    source,
    scope,
    aggregates: null,
    clause: 'the body of a function',
    aliases: null,
  };
  const bound = bind(context, body ?? { kind: 'null', span: statement.span });
  const converted = coerce(bound, type);
  return converted.kind === 'cast' && converted !== bound ? bindCast(bound, type, false, bound.source) : converted;
}
