// Binder of TABLE(TUMBLE(…)), TABLE(HOP(…)) and TABLE(SESSION(…)): the rows of a table with the windows of time that they lie in.
//
//   TUMBLE(TABLE t, DESCRIPTOR(c), size [, offset])          one window a row; a row without a time lies in none, as with HOP
//   HOP(TABLE t, DESCRIPTOR(c), slide, size [, offset])      windows begin every `slide`; a row lies in about size / slide of them
//   SESSION(TABLE t, DESCRIPTOR(c) [, DESCRIPTOR(k)], size)  see session-windows.ts
// Columns: those of the table, window_start, window_end (the first moment after the window).
import { type Field, makeSchema } from '../../../runtime/batch/schema.ts';
import { formatSqlType } from '../../../runtime/batch/sql-type.ts';
import { nearestName } from '../../../runtime/nearest-name.ts';
import type { Expression, TableExpression } from './ast.ts';
import { bindComparison, operator } from './bind-comparison.ts';
import { bindExpression } from './bind-expression.ts';
import type { ExpressionSource, Literal, Rel, Scalar } from './bound.ts';
import type { BoundTable } from './bound-table.ts';
import { bindNamedFunction } from './named-function.ts';
import { columnOf, type QueryContext } from './query-context.ts';
import { findColumn, type Scope, unknownColumn } from './scope.ts';
import { SqlInvalidArguments, SqlInvalidDefinition, SqlUnsupported } from './sql-errors.ts';
import { sinceMidnight } from './time-offset.ts';
import { literal } from './type-coercion.ts';

type WindowTable = Extract<TableExpression, { kind: 'window table' }>;

const windowNames = ['window_start', 'window_end'];
/** More windows a row than anybody means. */
const windowsMax = 100_000n;

export function bindWindowTable(context: QueryContext, table: BoundTable, window: WindowTable): BoundTable {
  const source = context.source.source(window.span);
  const name = window.function.name;
  if (name !== 'tumble' && name !== 'hop') {
    const suggestion = nearestName(name, ['tumble', 'hop', 'session']);
    const instead = 'the windows of time are TUMBLE, HOP and SESSION';
    const fields = { construct: `TABLE(${name.toUpperCase()}(…))`, instead };
    throw new SqlUnsupported(fields, { place: context.source.span(window.function.span), suggestion });
  }
  const at = timeColumn(context, table, window);
  const function_ = name.toUpperCase();
  if (window.keys.length > 0) {
    const detail = 'takes no key: its windows are the same for all rows';
    throw new SqlInvalidArguments({ function: function_, detail }, { place: source.place });
  }
  const sizes = window.sizes.map((size) => intervalOf(context, function_, size));
  const most = name === 'tumble' ? 2 : 3;
  if (sizes.length < most - 1 || sizes.length > most) {
    const detail = name === 'tumble' ? 'takes a size and an offset' : 'takes a slide, a size and an offset';
    throw new SqlInvalidArguments({ function: function_, detail }, { place: source.place });
  }
  const rel = name === 'tumble' ? tumble(table.rel, at, sizes, source) : hop(table.rel, at, sizes, source);
  return { rel, scope: scopeWith(table, rel, window) };
}

/** The column that the windows are of. @throws SqlInvalidArguments, SqlUnknownColumn */
export function timeColumn(context: QueryContext, table: BoundTable, window: WindowTable): Scalar {
  const function_ = window.function.name.toUpperCase();
  if (window.column === null) {
    const detail = 'takes DESCRIPTOR(column), the column of the time';
    throw new SqlInvalidArguments({ function: function_, detail }, { place: context.source.span(window.span) });
  }
  const { name, span } = window.column;
  const source = context.source.source(span);
  const column = findColumn(table.scope, name, source.place) ?? unknownColumn(table.scope, name, source.place);
  const { ordinal, type, nullable } = column;
  if (type.kind === 'TIMESTAMP') return { kind: 'column', ordinal, type, nullable, source };
  const detail = `takes a TIMESTAMP column, ${name} is ${formatSqlType(type)}`;
  throw new SqlInvalidArguments({ function: function_, detail }, { place: source.place });
}

/** Windows of a GROUP BY: the rows with the start of each of their windows behind the other columns. */
export function hopRows(input: Rel, at: Scalar, sizes: readonly Literal[], source: ExpressionSource): Rel {
  const [slide, size, offset] = sizes;
  const [slideMicros, sizeMicros] = [micros(slide), micros(size)];
  const count = (sizeMicros + slideMicros - 1n) / slideMicros;
  if (count > windowsMax) {
    const detail = `every row would lie in ${count} windows`;
    throw new SqlInvalidDefinition({ detail }, { place: source.place });
  }
  const { fields } = input.schema;
  const bigint = { kind: 'BIGINT' } as const;
  const last = bindNamedFunction('tumble_start', [at, slide!, ...(offset === undefined ? [] : [offset])], source);
  const lastField: Field = { name: 'last', type: last.type, nullable: at.nullable };
  const held: Rel = {
    kind: 'project',
    input,
    // Where the last window began is the same for all of a row.
    columns: [...fields.map(columnOf), last, literal(count, bigint, source)],
    schema: makeSchema([...fields, lastField, { name: 'count', type: bigint, nullable: false }]),
  };
  const number: Field = { name: 'number', type: bigint, nullable: false };
  const schemaOfRows = makeSchema([...fields, lastField, number]);
  const exploded: Rel = { kind: 'explode', input: held, outer: false, schema: schemaOfRows };
  // The k-th window of a row began k - 1 slides before the last one.
  const one = literal(1n, bigint, source);
  const steps: Scalar = {
    kind: 'operator',
    operator: '-',
    operands: [columnOf(number, fields.length + 1), one],
    type: bigint,
    nullable: false,
    source,
  };
  const back = bindNamedFunction('*', [slide!, steps], source);
  const start = bindNamedFunction('-', [columnOf(lastField, fields.length), back], source);
  const field: Field = { name: 'window_start', type: start.type, nullable: at.nullable };
  const schema = makeSchema([...fields, field]);
  const started: Rel = { kind: 'project', input: exploded, columns: [...fields.map(columnOf), start], schema };
  // Where a window ends when another one begins, each row lies in as many.
  if (sizeMicros % slideMicros === 0n) {
    if (!at.nullable) return started;
    const isThere = operator('is not null', [columnOf(field, fields.length)], source, false);
    return { kind: 'filter', input: started, predicate: isThere, schema };
  }
  const end = bindNamedFunction('+', [columnOf(field, fields.length), size!], source);
  return { kind: 'filter', input: started, predicate: bindComparison('<', at, end, source), schema };
}

function tumble(input: Rel, at: Scalar, sizes: readonly Literal[], source: ExpressionSource): Rel {
  const { fields } = input.schema;
  const columns = ['tumble_start', 'tumble_end'].map((name) => bindNamedFunction(name, [at, ...sizes], source));
  const added = columns.map(({ type }, i): Field => ({ name: windowNames[i] ?? '', type, nullable: at.nullable }));
  const schema = makeSchema([...fields, ...added]);
  const rows = at.nullable ? withTime(input, at, source) : input;
  return { kind: 'project', input: rows, columns: [...fields.map(columnOf), ...columns], schema };
}

/** A row without a time lies in no window. */
function withTime(input: Rel, at: Scalar, source: ExpressionSource): Rel {
  const predicate = operator('is not null', [at], source, false);
  return { kind: 'filter', input, predicate, schema: input.schema };
}

function hop(input: Rel, at: Scalar, sizes: readonly Literal[], source: ExpressionSource): Rel {
  const rows = hopRows(input, at, sizes, source);
  const { fields } = rows.schema;
  const start = columnOf(fields.at(-1)!, fields.length - 1);
  const end = bindNamedFunction('+', [start, sizes[1]!], source);
  const schema = makeSchema([...fields, { name: 'window_end', type: end.type, nullable: at.nullable }]);
  return { kind: 'project', input: rows, columns: [...fields.map(columnOf), end], schema };
}

/** A constant interval of days to seconds that is more than 0. @throws SqlInvalidArguments */
export function intervalOf(context: QueryContext, name: string, size: Expression): Literal {
  const names = { source: context.source, scope: [], aggregates: null, clause: `the size of ${name}`, aliases: null };
  const scalar = sinceMidnight(bindExpression(names, size));
  if (scalar.kind === 'literal' && scalar.type.kind === 'INTERVAL_MICROS' && micros(scalar) > 0n) return scalar;
  const detail = `takes a constant INTERVAL of days to seconds, not ${scalar.source.text}`;
  throw new SqlInvalidArguments({ function: name, detail }, { place: scalar.source.place });
}

function micros(interval: Literal | undefined): bigint {
  return typeof interval?.value === 'bigint' ? interval.value : 0n;
}

function scopeWith(table: BoundTable, rel: Rel, window: WindowTable): Scope {
  const name = window.alias?.name.name ?? table.scope[0]?.table ?? null;
  const width = table.rel.schema.fields.length;
  const own = rel.schema.fields.slice(width).map((field, i) => ({
    table: name,
    name: field.name,
    ordinal: width + i,
    type: field.type,
    nullable: field.nullable,
    quoted: false,
    hidden: false,
  }));
  return [...table.scope.map((column) => ({ ...column, table: name })), ...own];
}
