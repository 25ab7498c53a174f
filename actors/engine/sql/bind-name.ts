// Names in expressions: a column of FROM, of a query around, or a field of either.
import type { Identifier } from './ast.ts';
import { bindElement } from './bind-nested.ts';
import type { ExpressionSource, Scalar } from './bound.ts';
import type { ExpressionContext } from './expression-context.ts';
import { findColumn, hasTable, requireTableColumn, type ScopeColumn } from './scope.ts';
import { literal, varchar } from './type-coercion.ts';

/** What a name means here or, when nothing here has it, in the query around; null when nothing has it. */
export function findName(
  context: ExpressionContext,
  path: readonly Identifier[],
  source: ExpressionSource,
): Scalar | null {
  return findOwnName(context, path, source) ?? context.outer?.resolve(path, source) ?? null;
}

/** What a name means in FROM. @throws SqlAmbiguousColumn, SqlUnknownColumn of a table that is there */
export function findOwnName(
  context: ExpressionContext,
  path: readonly Identifier[],
  source: ExpressionSource,
): Scalar | null {
  const [first, second, ...rest] = path;
  if (first === undefined) return null;
  if (second !== undefined && hasTable(context.scope, first.name)) {
    const column = requireTableColumn(context.scope, first.name, second.name, source.place);
    return bindFields(context, columnReference(column, source), rest, source);
  }
  const column = findColumn(context.scope, first.name, source.place);
  if (column === undefined) return null;
  const base = columnReference(column, second === undefined ? source : context.source.source(first.span));
  return bindFields(context, base, path.slice(1), source);
}

function columnReference(column: ScopeColumn, source: ExpressionSource): Scalar {
  return { kind: 'column', ordinal: column.ordinal, type: column.type, nullable: column.nullable, source };
}

/** row.field, and variant.field, which is variant['field']. */
function bindFields(
  context: ExpressionContext,
  base: Scalar,
  fields: readonly Identifier[],
  source: ExpressionSource,
): Scalar {
  let scalar = base;
  for (const field of fields) {
    scalar = bindElement(scalar, literal(field.name, varchar, context.source.source(field.span)), source);
  }
  return scalar;
}
