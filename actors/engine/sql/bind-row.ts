// ROW(x, …) with columns of the query among its parts: ROW(t.*), ROW(* EXCLUDE (a), 1).
//
// The same of a declared type: point(1, 2). Fields of columns have the names of the columns, others EXPR$ and their position. A name that comes twice gets a number.
import type { SqlType } from '../../../runtime/batch/sql-type.ts';
import type { Expression } from './ast.ts';
import { bindCast } from './bind-case.ts';
import type { ExpressionSource, Scalar } from './bound.ts';
import type { Bind, ExpressionContext } from './expression-context.ts';
import { bindNamedFunction } from './named-function.ts';
import { isExcluded, unknownColumn, unknownTable } from './scope.ts';
import { SqlInvalidArguments, SqlInvalidDefinition } from './sql-errors.ts';

type Call = Extract<Expression, { kind: 'call' }>;
type Columns = Extract<Expression, { kind: 'columns' }>;

interface Part {
  readonly name: string;
  readonly scalar: Scalar;
}

/** A call of a declared type: its fields in their order, each cast to the type that it has there. @throws SqlInvalidArguments */
export function bindStructure(
  name: string,
  type: Extract<SqlType, { kind: 'ROW' }>,
  given: readonly Scalar[],
  source: ExpressionSource,
): Scalar {
  const { fields } = type;
  if (given.length !== fields.length) {
    const detail = `takes a value for each of its ${fields.length} fields, not ${given.length}`;
    throw new SqlInvalidArguments({ function: name.toUpperCase(), detail }, { place: source.place });
  }
  return bindCast(bindNamedFunction('row', given, source), type, false, source);
}

/** Whether a call of ROW names columns as a whole. */
export function hasColumns(call: Call): boolean {
  return call.star || call.arguments.some((argument) => argument.kind === 'columns');
}

export function bindRowOfColumns(context: ExpressionContext, call: Call, source: ExpressionSource, bind: Bind): Scalar {
  const all: Columns = { kind: 'columns', table: null, exclude: [], span: call.span };
  const given = call.star ? [all] : call.arguments;
  const parts = given.flatMap((argument): readonly Part[] => {
    if (argument.kind === 'columns') return columnsOf(context, argument, bind);
    return [{ name: '', scalar: bind(context, argument) }];
  });
  const row = bindNamedFunction(
    'row',
    parts.map(({ scalar }) => scalar),
    source,
  );
  const taken = new Set<string>();
  const fields = parts.map(({ name, scalar }, i) => {
    const wanted = name === '' ? `EXPR$${i}` : name;
    let free = wanted;
    for (let number = 0; taken.has(free); number++) free = `${wanted}${number}`;
    taken.add(free);
    return { name: free, type: scalar.type };
  });
  return { kind: 'cast', operand: row, safe: false, type: { kind: 'ROW', fields }, nullable: false, source };
}

function columnsOf(context: ExpressionContext, columns: Columns, bind: Bind): readonly Part[] {
  const { table, exclude } = columns;
  const place = context.source.span(columns.span);
  const named = context.scope.filter((column) => (table === null ? !column.hidden : column.table === table.name));
  if (named.length === 0 && table !== null) throw unknownTable(context.scope, table.name, place);
  if (named.length === 0) throw new SqlInvalidDefinition({ detail: '* needs a FROM' }, { place });
  for (const excluded of exclude) {
    if (named.some((column) => isExcluded(column, [excluded]))) continue;
    return unknownColumn(named, excluded.name, context.source.span(excluded.span));
  }
  const left = named.filter((column) => !isExcluded(column, exclude));
  return left.map((column) => {
    // As if the name stood there, so that a column that is not grouped by is refused.
    const own = { name: column.name, quoted: true, span: columns.span };
    const path = column.table === null ? [own] : [{ name: column.table, quoted: true, span: columns.span }, own];
    return { name: column.name, scalar: bind(context, { kind: 'name', path, span: columns.span }) };
  });
}
