// Which overload of a function a call means, and its arguments cast to it.
//
// Every overload that takes the number and the types of the arguments is priced: nothing for a type as it is, a little for
// widening, more for reading a string as another type. The cheapest wins, the first among equals.
import { formatSqlType, isNested, type SqlType, unsignedBitsOf } from '../../../runtime/batch/sql-type.ts';
import type { ExpressionSource, FunctionCall, Scalar } from './bound.ts';
import type { FunctionDefinition, FunctionOverload, ParameterClass } from './function-definition.ts';
import { asDecimal, isInteger, isNumeric, isUnsigned, isWhole } from './numeric-types.ts';
import { SqlInvalidArguments } from './sql-errors.ts';
import {
  coerce,
  commonType,
  fitsExactly,
  isBinary,
  isText,
  mergedType,
  numberOfText,
  varchar,
} from './type-coercion.ts';

interface Candidate {
  readonly overload: number;
  readonly types: readonly SqlType[];
  readonly cost: number;
}

/** @throws SqlInvalidArguments when no overload takes the arguments. */
export function resolveCall(
  definition: FunctionDefinition,
  operands: readonly Scalar[],
  source: ExpressionSource,
): FunctionCall {
  let best: Candidate | null = null;
  for (const [position, overload] of definition.overloads.entries()) {
    const fit = fitArguments(overload, operands);
    if (fit !== null && (best === null || fit.cost < best.cost)) best = { overload: position, ...fit };
  }
  const overload = best === null ? undefined : definition.overloads[best.overload];
  if (best === null || overload === undefined) {
    const given = operands.map((operand) => formatSqlType(operand.type)).join(', ');
    const detail = `cannot be called with (${given}); it is ${definition.synopsis}`;
    throw new SqlInvalidArguments({ function: definition.name.toUpperCase(), detail }, { place: source.place });
  }
  const { types } = best;
  const converted = operands.map((operand, i) => coerce(operand, types[i] ?? operand.type));
  const type = zonedLike(overload.result(converted.map((operand) => operand.type)), converted);
  const nullable = overload.nullable === true || (overload.strict && converted.some((operand) => operand.nullable));
  return {
    kind: 'function',
    name: definition.name,
    overload: best.overload,
    operands: converted,
    type,
    nullable,
    source,
  };
}

function fitArguments(
  overload: FunctionOverload,
  operands: readonly Scalar[],
): { readonly types: readonly SqlType[]; readonly cost: number } | null {
  const { parameters } = overload;
  const least = parameters.length - (overload.optional ?? 0);
  if (operands.length < least || (operands.length > parameters.length && overload.variadic !== true)) return null;
  const classes = operands.map((_, i) => parameters[Math.min(i, parameters.length - 1)] ?? 'any');
  const commonOperands = operands.filter((_, i) => isCommon(classes[i]));
  const common = mergedType(commonOperands);
  if (!('kind' in common)) return null;
  if (classes.includes('arrays') && common.kind !== 'ARRAY') return null;
  if (classes.includes('maps') && common.kind !== 'MAP') return null;
  const sought = operands[classes.indexOf('element')];
  const container = sought === undefined ? undefined : fitElement(operands[0]?.type, sought);
  if (container === null) return null;
  let cost = 0;
  const types: SqlType[] = [];
  for (const [i, operand] of operands.entries()) {
    const fit =
      container !== undefined && (i === 0 || classes[i] === 'element')
        ? { type: i === 0 ? container.whole : container.part, cost: 0 }
        : isCommon(classes[i])
          ? { type: common, cost: 0 }
          : fitArgument(classes[i] ?? 'any', operand.type, operand.kind === 'literal');
    if (fit === null) return null;
    types.push(fit.type);
    cost += fit.cost;
  }
  return { types, cost };
}

/** Whether all such arguments are cast to one type. */
function isCommon(parameter: ParameterClass | undefined): boolean {
  return parameter === 'common' || parameter === 'arrays' || parameter === 'maps';
}

/** What is made of a timestamp with a time zone has one, too. */
function zonedLike(type: SqlType, operands: readonly Scalar[]): SqlType {
  if (type.kind !== 'TIMESTAMP' || type.zoned === true) return type;
  const isZoned = operands.some((operand) => operand.type.kind === 'TIMESTAMP' && operand.type.zoned === true);
  return isZoned ? { kind: 'TIMESTAMP', zoned: true } : type;
}

interface Fit {
  readonly type: SqlType;
  readonly cost: number;
}

/** The types of an array (or a map) and of a value among its elements (or keys): a common one, so that neither loses anything. */
function fitElement(
  container: SqlType | undefined,
  operand: Scalar,
): { readonly whole: SqlType; readonly part: SqlType } | null {
  const known: SqlType | undefined =
    container?.kind === 'NULL'
      ? { kind: 'ARRAY', element: operand.type.kind === 'NULL' ? varchar : operand.type }
      : container;
  const type = known?.kind === 'ARRAY' ? known.element : known?.kind === 'MAP' ? known.key : undefined;
  if (known === undefined || type === undefined) return null;
  const untyped = operand.type.kind === 'NULL' || type.kind === 'NULL' || type.kind === 'VARIANT';
  if (isText(type) !== isText(operand.type) && !untyped) return null;
  const common = fitsExactly(operand, type) ? type : commonType(type, operand.type);
  if (common === null) return null;
  const part = isText(type) && isText(common) ? type : common;
  if (known.kind === 'MAP') return { whole: { ...known, key: part }, part };
  return { whole: { kind: 'ARRAY', element: part }, part };
}

/** The type to which an argument is cast for a parameter, and the price, or null. */
function fitArgument(parameter: ParameterClass, type: SqlType, isLiteral: boolean): Fit | null {
  const asItIs: Fit = { type, cost: 0 };
  const isNull = type.kind === 'NULL';
  switch (parameter) {
    case 'any':
    case 'common':
    case 'arrays':
    case 'maps':
    case 'element':
      return asItIs;
    case 'unit':
    case 'characters':
      return isText(type) ? asItIs : isNull ? { type: varchar, cost: 1 } : null;
    case 'string':
    case 'text':
      if (isNested(type) || (parameter === 'string' && isBinary(type))) return null;
      return isText(type) ? asItIs : { type: varchar, cost: isNull ? 1 : 8 };
    case 'integer':
      if (isUnsigned(type)) return unsignedBitsOf(type) === 64 ? null : { type: { kind: 'BIGINT' }, cost: 1 };
      return isInteger(type) ? asItIs : isNull ? { type: { kind: 'INTEGER' }, cost: 1 } : null;
    case 'INT':
      if (!isWhole(type) && !isNull) return null;
      return { type: { kind: 'INTEGER' }, cost: type.kind === 'BIGINT' ? 2 : 0 };
    case 'BIGINT':
      return isWhole(type) || isNull ? { type: { kind: 'BIGINT' }, cost: type.kind === 'BIGINT' ? 0 : 1 } : null;
    case 'exact':
      return type.kind === 'DECIMAL' ? (isUnsigned(type) ? { type: asDecimal(type), cost: 2 } : asItIs) : null;
    case 'decimal':
      if (isUnsigned(type)) return { type: asDecimal(type), cost: 2 };
      if (isText(type)) return { type: numberOfText, cost: 9 };
      return type.kind === 'DECIMAL' ? asItIs : null;
    case 'float':
      return type.kind === 'DOUBLE' ? asItIs : null;
    case 'real':
      return type.kind === 'REAL' ? asItIs : null;
    case 'double':
      if (type.kind === 'DOUBLE') return asItIs;
      if (isText(type)) return { type: { kind: 'DOUBLE' }, cost: 10 };
      return isNumeric(type) || isNull ? { type: { kind: 'DOUBLE' }, cost: isInteger(type) ? 3 : 2 } : null;
    case 'binary':
      return isBinary(type) ? asItIs : isNull ? { type: { kind: 'VARBINARY', length: null }, cost: 2 } : null;
    case 'array':
      if (isNull) return { type: { kind: 'ARRAY', element: varchar }, cost: 1 };
      return type.kind === 'ARRAY' ? asItIs : null;
    case 'texts':
      if (isNull) return { type: { kind: 'ARRAY', element: varchar }, cost: 1 };
      if (type.kind !== 'ARRAY' || isNested(type.element)) return null;
      return isText(type.element) ? asItIs : { type: { kind: 'ARRAY', element: varchar }, cost: 8 };
    case 'map':
      if (isNull) return { type: { kind: 'MAP', key: varchar, value: varchar }, cost: 2 };
      return type.kind === 'MAP' ? asItIs : null;
    case 'boolean':
      return exactly({ kind: 'BOOLEAN' }, type, null);
    case 'date':
      return exactly({ kind: 'DATE' }, type, isLiteral ? 5 : null);
    case 'day':
      return exactly({ kind: 'DATE' }, type, 7);
    case 'time':
      return exactly({ kind: 'TIME' }, type, isLiteral ? 6 : null);
    case 'timestamp':
      if (type.kind === 'DATE') return { type: { kind: 'TIMESTAMP' }, cost: 1 };
      return exactly({ kind: 'TIMESTAMP' }, type, isLiteral ? 4 : null);
    case 'months':
      return exactly({ kind: 'INTERVAL_MONTHS' }, type, null);
    case 'micros':
      return exactly({ kind: 'INTERVAL_MICROS' }, type, null);
    case 'uuid':
      return exactly({ kind: 'UUID' }, type, 4);
    case 'variant':
      return exactly({ kind: 'VARIANT' }, type, null);
  }
}

/** One type and NULL, and strings at a price when they may be read as the type. */
function exactly(wanted: SqlType, type: SqlType, textCost: number | null): Fit | null {
  if (type.kind === wanted.kind) return { type, cost: 0 };
  if (type.kind === 'NULL') return { type: wanted, cost: 1 };
  return isText(type) && textCost !== null ? { type: wanted, cost: textCost } : null;
}
