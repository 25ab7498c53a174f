// Binder of calls: functions by their rows, those that the program declares, and the few calls that are sugar for CASE.

import { nearestName } from '../../../runtime/nearest-name.ts';
import { aggregateFunctions, findAggregate, refusedAggregates } from './aggregate-functions.ts';
import type { Expression } from './ast.ts';
import { bindAggregate, bindUserAggregate } from './bind-aggregate.ts';
import { bindBinary } from './bind-arithmetic.ts';
import { bindCast, makeCase } from './bind-case.ts';
import { bindComparison, operator } from './bind-comparison.ts';
import { bindDistance } from './bind-geometry.ts';
import { bindLambdaCall } from './bind-lambda.ts';
import { bindMap, pairsOf } from './bind-nested.ts';
import { bindRowOfColumns, bindStructure, hasColumns } from './bind-row.ts';
import { bindUserCall } from './bind-user-function.ts';
import type { ExpressionSource, Scalar } from './bound.ts';
import { caseBranch } from './case-branch.ts';
import { nowCall } from './clock.ts';
import { bindMetadata, metadataFunction } from './connector-metadata.ts';
import { bindDeclaredCall } from './declared-function.ts';
import { type Bind, type ExpressionContext, insideAggregate, requireBoolean } from './expression-context.ts';
import { foreignFunction } from './foreign-functions.ts';
import { resolveCall } from './function-resolution.ts';
import { findFunction, functionNames } from './functions.ts';
import { timeUnits } from './functions-extract.ts';
import { isLambdaFunction } from './lambda-names.ts';
import { normalizeUnit } from './literals.ts';
import { bindNamedFunction, unitLiteral } from './named-function.ts';
import { isApproximate } from './numeric-types.ts';
import {
  SqlInvalidArguments,
  SqlMisplacedAggregate,
  SqlTypeMismatch,
  SqlUnknownFunction,
  SqlUnsupported,
} from './sql-errors.ts';
import { sinceMidnight } from './time-offset.ts';
import { coerce, describePair, isBinary, isText, literal, mergedType, varchar } from './type-coercion.ts';
import { windowOnly } from './window-function.ts';

type Call = Extract<Expression, { kind: 'call' }>;

/** Calls that are another way to write CASE or an operator: how many arguments they take. */
const rewrites: Readonly<Record<string, readonly [least: number, most: number]>> = {
  coalesce: [1, Number.POSITIVE_INFINITY],
  ifnull: [2, 2],
  nvl: [2, 2],
  nullif: [2, 2],
  if: [3, 3],
  mod: [2, 2],
  div_null: [2, 2],
};

export function bindCall(context: ExpressionContext, call: Call, source: ExpressionSource, bind: Bind): Scalar {
  const { name } = call.name;
  const aggregate = findAggregate(name);
  if (aggregate !== undefined) return bindAggregate(context, call, aggregate, source, bind);
  const user = context.source.userFunctions.get(name);
  if (user?.kind === 'aggregate') return bindUserAggregate(context, call, user, source, bind);
  const instead = refusedAggregates[name];
  if (instead !== undefined)
    throw new SqlUnsupported({ construct: name.toUpperCase(), instead }, { place: source.place });
  if (name === 'row' && hasColumns(call)) return bindRowOfColumns(context, call, source, bind);
  const isOrdered = (call.orderBy?.length ?? 0) > 0;
  if (call.star || call.distinct || call.filter !== null || isOrdered) {
    if (!isKnown(context, name)) throw unknownFunction(context, name, source);
    const word = call.star ? '*' : call.distinct ? 'DISTINCT' : isOrdered ? 'ORDER BY' : 'FILTER';
    throw new SqlInvalidArguments(
      { function: name.toUpperCase(), detail: `only an aggregate takes ${word}` },
      { place: source.place },
    );
  }
  if (context.hop !== undefined && ['hop', 'hop_start', 'hop_end'].includes(name)) {
    const { start, size } = context.hop;
    return { ...(name === 'hop_end' ? bindNamedFunction('+', [start, size], source) : start), source };
  }
  if (name === 'grouping' || name === 'grouping_id' || name === 'group_id') {
    if (context.aggregates === null) {
      throw new SqlMisplacedAggregate({ expression: source.text, clause: context.clause }, { place: source.place });
    }
    if (name === 'group_id') {
      if (call.arguments.length === 0) return context.aggregates.groupId(source);
      throw new SqlInvalidArguments({ function: 'GROUP_ID', detail: 'takes no arguments' }, { place: source.place });
    }
    if (call.arguments.length === 0) {
      const detail = 'takes the expressions of GROUP BY that it is asked about';
      throw new SqlInvalidArguments({ function: name.toUpperCase(), detail }, { place: source.place });
    }
    const inner = insideAggregate(context);
    return context.aggregates.grouping(
      call.arguments.map((argument) => bind(inner, argument)),
      source,
    );
  }
  if (name === 'now' && call.arguments.length === 0) return nowCall(context.clause, source);
  if (isLambdaFunction(name)) return bindLambdaCall(context, call, name, source, bind);
  const rewrite = rewrites[name];
  if (rewrite !== undefined) return bindRewrite(context, call, rewrite, source, bind);
  const declared = context.source.functions.get(name);
  if (declared !== undefined) {
    const given = call.arguments.map((argument) => bind(context, argument));
    return bindDeclaredCall(declared, given, source, bind);
  }
  if (user !== undefined) {
    const given = call.arguments.map((argument) => bind(context, argument));
    return bindUserCall(context, user, given, source);
  }
  if (name === metadataFunction) return bindMetadata(context.clause, call.arguments.length, source);
  const truncation = call.unit === null ? undefined : `${name === 'ceiling' ? 'ceil' : name}_to`;
  const definition = findFunction(truncation ?? name);
  const structure = definition === undefined ? context.source.types.get(name) : undefined;
  if (structure?.kind === 'ROW') {
    const given = call.arguments.map((argument) => bind(context, argument));
    return bindStructure(name, structure, given, source);
  }
  if (definition === undefined && windowOnly.includes(name)) {
    const detail = 'is a window function: write OVER (…) behind it';
    throw new SqlInvalidArguments({ function: name.toUpperCase(), detail }, { place: source.place });
  }
  const other = definition === undefined ? foreignFunction(name) : undefined;
  if (other !== undefined) {
    throw new SqlUnsupported({ construct: name.toUpperCase(), instead: other }, { place: source.place });
  }
  if (definition === undefined) throw unknownFunction(context, name, source);
  const unitAt = definition.overloads[0]?.parameters.indexOf('unit') ?? -1;
  const given = name === 'concat_ws' ? withoutNulls(call.arguments) : call.arguments;
  const operands = unitLast(given, unitAt).map((argument, i) =>
    i === unitAt ? unitArgument(context, argument) : bind(context, argument),
  );
  if (name === 'concat' && operands.length > 0 && operands.every(({ type }) => isBinary(type))) {
    throw new SqlInvalidArguments(
      { function: 'CONCAT', detail: 'joins texts; join bytes with ||' },
      { place: source.place },
    );
  }
  if (name === 'st_distance') return bindDistance(operands, source);
  if (name === 'tumble' || name === 'tumble_start' || name === 'tumble_end') {
    const sized = operands.map((operand, i) => (i < 2 ? operand : sinceMidnight(operand)));
    return name === 'tumble_end' ? tumbleEnd(sized, source) : resolveCall(definition, sized, source);
  }
  if (name === 'map') {
    // MAP(ARRAY[k], ARRAY[v]) has an array for its only key; two lists in plain brackets are those of the keys and the values.
    const areLists =
      operands.length === 2 && call.arguments.every(({ span }) => context.source.slice(span).startsWith('['));
    const isCalled = context.source.slice(call.span)[call.name.name.length] === '(';
    return bindMap(isCalled && areLists ? pairsOf(operands, source) : operands, source);
  }
  // ARRAY(1, 'a') of several types, with a text among them, is an array of texts; ARRAY[1, 'a'] is a mistake.
  if (
    name === 'array' &&
    context.source.slice(call.span)[call.name.name.length] === '(' &&
    !('kind' in mergedType(operands)) &&
    operands.some(({ type }) => isText(type))
  ) {
    return resolveCall(
      definition,
      operands.map((operand) => bindCast(operand, varchar, false, operand.source)),
      source,
    );
  }
  if (call.unit !== null) operands.push(unitLiteral(context.source, call.unit));
  return resolveCall(definition, definition.name === 'timestampadd' ? atMidnight(operands) : operands, source);
}

/** Names of everything that is called, but for window functions. */
function knownNames(context: ExpressionContext): readonly string[] {
  return [
    ...functionNames(),
    ...context.source.functions.keys(),
    ...context.source.userFunctions.keys(),
    ...aggregateFunctions.map((each) => each.name),
    ...Object.keys(rewrites),
    'now',
  ];
}

function isKnown(context: ExpressionContext, name: string): boolean {
  const isSyntax = windowOnly.includes(name) || isLambdaFunction(name) || foreignFunction(name) !== undefined;
  return isSyntax || findFunction(name) !== undefined || knownNames(context).includes(name);
}

function unknownFunction(context: ExpressionContext, name: string, { place }: ExpressionSource): Error {
  return new SqlUnknownFunction({ name }, { place, suggestion: nearestName(name, knownNames(context)) });
}

/** Behind the separator, NULL as it is written is left out; in a column it is an empty text. Both are Feldera's. */
function withoutNulls([separator, ...texts]: readonly Expression[]): readonly Expression[] {
  const known = texts.filter(({ kind }) => kind !== 'null');
  const left = known.length === 0 ? texts.slice(0, 1) : known;
  return separator === undefined ? left : [separator, ...left];
}

/** A DATE to which units shorter than a day are added is the TIMESTAMP of its midnight. */
function atMidnight(operands: readonly Scalar[]): readonly Scalar[] {
  const [unit, count, start] = operands;
  if (start?.type.kind !== 'DATE' || unit?.kind !== 'literal' || count === undefined) return operands;
  return shortUnits.includes(String(unit.value)) ? [unit, count, coerce(start, { kind: 'TIMESTAMP' })] : operands;
}

const shortUnits: readonly string[] = ['hour', 'minute', 'second', 'millisecond', 'microsecond', 'nanosecond'];

/** DATE_TRUNC('hour', x) of other dialects is DATE_TRUNC(x, HOUR). */
function unitLast(given: readonly Expression[], unitAt: number): readonly Expression[] {
  const [first, second] = given;
  if (unitAt !== 1 || given.length !== 2 || first === undefined || second === undefined) return given;
  const isUnit = (written: Expression): boolean =>
    written.kind === 'string' && timeUnits.includes(normalizeUnit(written.value));
  return isUnit(first) && !isUnit(second) ? [second, first] : given;
}

function unitArgument(context: ExpressionContext, argument: Expression): Scalar {
  if (argument.kind === 'string')
    return unitLiteral(context.source, { name: argument.value, quoted: true, span: argument.span });
  const [name] = argument.kind === 'name' && argument.path.length === 1 ? argument.path : [];
  return unitLiteral(
    context.source,
    name ?? { name: context.source.slice(argument.span), quoted: false, span: argument.span },
  );
}

// ── sugar ──

/** The start of the window and its size, so that GROUP BY TUMBLE(…) knows the end as well. */
function tumbleEnd(operands: readonly Scalar[], source: ExpressionSource): Scalar {
  const start = bindNamedFunction('tumble_start', operands, source);
  const size = operands[1];
  return size === undefined ? start : { ...bindNamedFunction('+', [start, size], source), source };
}

function bindRewrite(
  context: ExpressionContext,
  call: Call,
  [least, most]: readonly [number, number],
  source: ExpressionSource,
  bind: Bind,
): Scalar {
  const { name } = call.name;
  const operands = call.arguments.map((argument) => bind(context, argument));
  const [first, second, third] = operands;
  if (operands.length < least || operands.length > most || first === undefined) {
    const detail = `takes ${least}${most === least ? '' : ' or more'} argument${least === 1 && most === 1 ? '' : 's'}`;
    throw new SqlInvalidArguments({ function: name.toUpperCase(), detail }, { place: source.place });
  }
  if (name === 'mod' && second !== undefined) return bindBinary('%', asNumber(first), asNumber(second), source);
  if (name === 'div_null' && second !== undefined) return divisionOrNull(asNumber(first), asNumber(second), source);
  if (name === 'nullif' && second !== undefined) {
    const when = bindComparison('=', first, second, source);
    return { ...makeCase([caseBranch(when, literal(null, first.type, source))], first, source), nullable: true };
  }
  if (name === 'if' && second !== undefined && third !== undefined) {
    return makeCase([caseBranch(requireBoolean(first, 'IF'), second)], third, source);
  }
  return coalesce(operands, source, context.aggregates !== null);
}

const integerBits: Readonly<Record<string, bigint>> = { TINYINT: 8n, SMALLINT: 16n, INTEGER: 32n, BIGINT: 64n };

/** x / y, and NULL where there is no quotient: y is 0, or the result is not finite. */
function divisionOrNull(x: Scalar, y: Scalar, source: ExpressionSource): Scalar {
  const quotient = bindBinary('/', x, y, source);
  if (isApproximate(quotient.type)) return bindNamedFunction('finite_or_null', [quotient], source);
  const zero = literal(0, { kind: 'INTEGER' }, source);
  const nothing = literal(null, quotient.type, source);
  const branches = [caseBranch(bindComparison('=', y, zero, source), nothing)];
  const bits = integerBits[quotient.type.kind];
  if (bits !== undefined) {
    // The one quotient of integers that does not fit.
    const value = bits === 64n ? -(2n ** 63n) : -Number(2n ** (bits - 1n));
    const least = bindComparison('=', x, literal(value, quotient.type, source), source);
    const minusOne = bindComparison('=', y, literal(-1, { kind: 'INTEGER' }, source), source);
    branches.push(caseBranch(operator('and', [least, minusOne], source), nothing));
  }
  return { ...makeCase(branches, quotient, source), nullable: true };
}

/** A text as the number that it spells. */
function asNumber(operand: Scalar): Scalar {
  return isText(operand.type)
    ? bindCast(operand, { kind: 'DECIMAL', precision: 38, scale: 19 }, false, operand.source)
    : operand;
}

/**
 * CASE WHEN a IS NOT NULL THEN a … ELSE z END; what follows a value that is never NULL is left out. A group is NULL where a
 * grouping set leaves it out, whatever it is made of: `overGroups` only a literal is never NULL.
 */
function coalesce(operands: readonly Scalar[], source: ExpressionSource, overGroups: boolean): Scalar {
  const type = mergedType(operands);
  if (!('kind' in type)) {
    const detail = `the arguments of ${source.text} have no common type: ${describePair(type[0], type[1])}`;
    throw new SqlTypeMismatch({ detail }, { place: source.place });
  }
  const typed = operands.map((operand) => coerce(operand, type));
  const certain = typed.findIndex((operand) => !operand.nullable && (!overGroups || operand.kind === 'literal'));
  const live = certain < 0 ? typed : typed.slice(0, certain + 1);
  const otherwise = live.at(-1) ?? literal(null, type, source);
  const branches = live
    .slice(0, -1)
    .map((operand) => caseBranch(operator('is not null', [operand], source, false), operand));
  if (branches.length === 0) return otherwise;
  return { kind: 'case', branches, otherwise, type, nullable: typed.every((operand) => operand.nullable), source };
}
