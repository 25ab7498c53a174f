// Calls that the binder itself makes: operators and constructs that are rows of the function table.
import { nearestName } from '../../../runtime/nearest-name.ts';
import type { Identifier } from './ast.ts';
import type { ExpressionSource, Scalar } from './bound.ts';
import { resolveCall } from './function-resolution.ts';
import { findFunction } from './functions.ts';
import { timeUnits } from './functions-extract.ts';
import { normalizeUnit } from './literals.ts';
import { SqlUnknownFunction, SqlUnknownUnit } from './sql-errors.ts';
import type { SqlText } from './sql-text.ts';
import { literal, varchar } from './type-coercion.ts';

/** A call that the binder itself makes. */
export function bindNamedFunction(name: string, operands: readonly Scalar[], source: ExpressionSource): Scalar {
  const definition = findFunction(name);
  if (definition === undefined) throw new SqlUnknownFunction({ name }, { place: source.place });
  return resolveCall(definition, operands, source);
}

/** A time unit as a literal. @throws SqlInvalidLiteral */
export function unitLiteral(source: SqlText, unit: Identifier): Scalar {
  const name = normalizeUnit(unit.name);
  if (!timeUnits.includes(name)) {
    const fields = { name: unit.name, known: timeUnits };
    const suggestion = nearestName(name, timeUnits);
    throw new SqlUnknownUnit(fields, { place: source.span(unit.span), suggestion });
  }
  return literal(name, varchar, source.source(unit.span));
}
