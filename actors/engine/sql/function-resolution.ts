// Which overload of a function a call means, and its arguments cast to it.
//
// Every overload that takes the number and the types of the arguments is priced: nothing for a type as it is, a little for
// widening, more for reading a string as another type. The cheapest wins, the first among equals.
import { formatSqlType, type SqlType, unsignedBitsOf } from '../../../runtime/batch/sql-type.ts';
import type { ExpressionSource, FunctionCall, Scalar } from './bound.ts';
import type { FunctionDefinition, FunctionOverload, ParameterClass } from './function-definition.ts';
import { asDecimal, isInteger, isNumeric, isUnsigned, isWhole } from './numeric-types.ts';
import { SqlInvalidArguments } from './sql-errors.ts';
import { coerce, isBinary, isText, mergedType, varchar } from './type-coercion.ts';

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
  const type = overload.result(converted.map((operand) => operand.type));
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
  const commonOperands = operands.filter((_, i) => classes[i] === 'common');
  const common = mergedType(commonOperands);
  if (!('kind' in common)) return null;
  let cost = 0;
  const types: SqlType[] = [];
  for (const [i, operand] of operands.entries()) {
    const fit = classes[i] === 'common' ? { type: common, cost: 0 } : fitArgument(classes[i] ?? 'any', operand.type);
    if (fit === null) return null;
    types.push(fit.type);
    cost += fit.cost;
  }
  return { types, cost };
}

interface Fit {
  readonly type: SqlType;
  readonly cost: number;
}

/** The type to which an argument is cast for a parameter, and the price, or null. */
function fitArgument(parameter: ParameterClass, type: SqlType): Fit | null {
  const asItIs: Fit = { type, cost: 0 };
  const isNull = type.kind === 'NULL';
  switch (parameter) {
    case 'any':
    case 'common':
      return asItIs;
    case 'unit':
    case 'string':
      return isText(type) ? asItIs : isNull ? { type: varchar, cost: 1 } : null;
    case 'text':
      return isText(type) ? asItIs : { type: varchar, cost: isNull ? 1 : 3 };
    case 'integer':
      if (isUnsigned(type)) return unsignedBitsOf(type) === 64 ? null : { type: { kind: 'BIGINT' }, cost: 1 };
      return isInteger(type) ? asItIs : isNull ? { type: { kind: 'INTEGER' }, cost: 1 } : null;
    case 'INT':
      if (!isWhole(type) && !isNull) return null;
      return { type: { kind: 'INTEGER' }, cost: type.kind === 'BIGINT' ? 2 : 0 };
    case 'BIGINT':
      return isWhole(type) || isNull ? { type: { kind: 'BIGINT' }, cost: type.kind === 'BIGINT' ? 0 : 1 } : null;
    case 'decimal':
      if (isUnsigned(type)) return { type: asDecimal(type), cost: 2 };
      return type.kind === 'DECIMAL' ? asItIs : null;
    case 'real':
      return type.kind === 'REAL' ? asItIs : null;
    case 'double':
      if (type.kind === 'DOUBLE') return asItIs;
      return isNumeric(type) || isNull ? { type: { kind: 'DOUBLE' }, cost: isInteger(type) ? 3 : 2 } : null;
    case 'binary':
      return isBinary(type) ? asItIs : isNull ? { type: { kind: 'VARBINARY', length: null }, cost: 2 } : null;
    case 'array':
      return type.kind === 'ARRAY' ? asItIs : null;
    case 'map':
      return type.kind === 'MAP' ? asItIs : null;
    case 'boolean':
      return exactly({ kind: 'BOOLEAN' }, type, null);
    case 'date':
      return exactly({ kind: 'DATE' }, type, 5);
    case 'time':
      return exactly({ kind: 'TIME' }, type, 6);
    case 'timestamp':
      return type.kind === 'DATE' ? { type: { kind: 'TIMESTAMP' }, cost: 1 } : exactly({ kind: 'TIMESTAMP' }, type, 4);
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
