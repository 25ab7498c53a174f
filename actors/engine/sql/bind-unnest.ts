// Binder of UNNEST: a row for each element of an array or key of a map, beside the row that holds it.
//
// The rows are multiplied by the number of elements (an `explode`), then each takes its element by its number. Columns of the
// elements: those of a ROW one by one, key and value of a MAP, else one; WITH ORDINALITY the number, from 1. Several arrays run
// side by side, the shorter ones with NULLs at their ends.
import { type Field, makeSchema } from '../../../runtime/batch/schema.ts';
import { formatSqlType, type SqlType } from '../../../runtime/batch/sql-type.ts';
import type { TableExpression } from './ast.ts';
import { makeCase } from './bind-case.ts';
import { bindComparison } from './bind-comparison.ts';
import { bindExpression } from './bind-expression.ts';
import { fieldOf } from './bind-nested.ts';
import type { ExpressionSource, Rel, Scalar } from './bound.ts';
import type { BoundTable } from './bound-table.ts';
import { caseBranch } from './case-branch.ts';
import { bindNamedFunction } from './named-function.ts';
import { columnOf, type QueryContext } from './query-context.ts';
import type { ScopeColumn } from './scope.ts';
import { SqlInvalidDefinition, SqlTypeMismatch } from './sql-errors.ts';
import { literal } from './type-coercion.ts';

type Unnest = Extract<TableExpression, { kind: 'unnest' }>;

interface ElementColumn {
  readonly name: string;
  readonly scalar: Scalar;
}

const bigint: SqlType = { kind: 'BIGINT' };
/** The column of elements to which nobody gives a name. */
const unnamed = 'EXPR$0';

/** A relation of one row, for what stands in FROM by itself. */
export function oneRow(source: ExpressionSource): Rel {
  const schema = makeSchema([{ name: '', type: { kind: 'INTEGER' }, nullable: false }]);
  return { kind: 'values', rows: [[literal(0, { kind: 'INTEGER' }, source)]], schema };
}

/** The table to the left with the elements beside its rows. `outer`: a row without elements stands once, beside NULLs. */
export function bindUnnest(context: QueryContext, left: BoundTable, unnest: Unnest, outer: boolean): BoundTable {
  const source = context.source.source(unnest.span);
  const names = { source: context.source, scope: left.scope, aggregates: null, clause: 'UNNEST', aliases: null };
  const operands = unnest.operands.map((operand) => bindExpression({ ...names, outer: context.outer }, operand));
  for (const operand of operands) requireElements(operand);
  const before = left.rel.schema.fields;
  const width = before.length;
  const arrays = operands.map(
    (operand, i): Field => ({ name: `array$${i}`, type: operand.type, nullable: operand.nullable }),
  );
  const sizes = operands.map((operand) => bindNamedFunction('cardinality', [operand], source));
  const count = sizes.reduce((a, b) => {
    const isMore = bindComparison('>', a, b, source);
    const known = makeCase([caseBranch(isMore, a)], b, source);
    return known;
  });
  const held: Rel = {
    kind: 'project',
    input: left.rel,
    columns: [...before.map(columnOf), ...operands, count],
    schema: makeSchema([...before, ...arrays, { name: 'count', type: count.type, nullable: true }]),
  };
  const number: Field = { name: 'ordinality', type: bigint, nullable: outer };
  const exploded: Rel = {
    kind: 'explode',
    input: held,
    outer,
    schema: makeSchema([...before, ...arrays, number]),
  };
  const ordinal = columnOf(number, width + arrays.length);
  const alias = unnest.alias?.name;
  const elements = arrays.flatMap((field, i) => elementColumns(columnOf(field, width + i), ordinal, source));
  const columns = [...elements, ...(unnest.ordinality ? [{ name: 'ordinality', scalar: ordinal }] : [])];
  const given = unnest.alias?.columns ?? null;
  if (given !== null && given.length !== columns.length) {
    const detail = `${unnest.alias?.name.name} names ${given.length} columns, UNNEST gives ${columns.length}`;
    throw new SqlInvalidDefinition({ detail }, { place: source.place });
  }
  // UNNEST(cities) AS city: where there is one value an element, the alias is its name, too.
  const [only] = given === null && elements.length === 1 && alias !== undefined ? elements : [];
  const shown = columns.map((column, i) => {
    const name = column === only && column.name === unnamed ? alias : given?.[i];
    return { name: name?.name ?? column.name, quoted: name?.quoted === true };
  });
  const fields = columns.map(
    ({ scalar }, i): Field => ({
      name: shown[i]?.name ?? '',
      type: scalar.type,
      nullable: scalar.nullable,
    }),
  );
  const rel: Rel = {
    kind: 'project',
    input: exploded,
    columns: [...before.map(columnOf), ...columns.map(({ scalar }) => scalar)],
    schema: makeSchema([...before, ...fields]),
  };
  const table = unnest.alias?.name.name ?? null;
  const own = fields.map(
    ({ name, type, nullable }, i): ScopeColumn => ({
      table,
      name,
      ordinal: width + i,
      type,
      nullable,
      quoted: shown[i]?.quoted === true,
      hidden: false,
    }),
  );
  return { rel, scope: [...left.scope, ...own] };
}

function requireElements({ type, source }: Scalar): void {
  if (type.kind === 'ARRAY' || type.kind === 'MAP') return;
  const detail = `UNNEST takes an ARRAY or a MAP, ${source.text} is ${formatSqlType(type)}`;
  throw new SqlTypeMismatch({ detail }, { place: source.place });
}

function elementColumns(nested: Scalar, ordinal: Scalar, source: ExpressionSource): readonly ElementColumn[] {
  if (nested.type.kind === 'MAP') {
    return [
      { name: 'key', scalar: bindNamedFunction('map_key', [nested, ordinal], source) },
      { name: 'value', scalar: bindNamedFunction('map_value', [nested, ordinal], source) },
    ];
  }
  const element = bindNamedFunction('array_element', [nested, ordinal], source);
  const { type } = element;
  if (type.kind !== 'ROW') return [{ name: unnamed, scalar: element }];
  return type.fields.map((field, i) => ({ name: field.name, scalar: fieldOf(element, i, source) }));
}
