// Bound queries as short text, for comparing in tests.
import type { Rel, Scalar } from '../../../../actors/engine/sql/bound.ts';
import { compileProgram } from '../../../../actors/engine/sql/compile-program.ts';
import type { ScalarValue } from '../../../../actors/engine/sql/scalar-value.ts';
import { formatSqlType } from '../../../../runtime/batch/sql-type.ts';

/** Tables that the tests of the binder read from. */
export const tables: string = `
CREATE TABLE users (id BIGINT NOT NULL PRIMARY KEY, name VARCHAR, age INT);
CREATE TABLE orders (id BIGINT, user_id BIGINT, amount DECIMAL(10, 2), at TIMESTAMP, paid BOOLEAN, lines INT NOT NULL);
CREATE TABLE things (
  t TINYINT, s SMALLINT, i INT, b BIGINT, r REAL, d DOUBLE, n DECIMAL(10, 2), m DECIMAL(5, 4), x VARCHAR, f CHAR(3),
  y VARBINARY, "date" DATE, "time" TIME, ts TIMESTAMP, u UUID, v VARIANT, q BOOLEAN);
`;

/** The query of `CREATE VIEW v AS …` over the tables. */
export function bindView(query: string): Rel {
  const { program, problems } = compileProgram(`${tables}CREATE LOCAL VIEW v AS ${query}`);
  const view = program?.views.at(-1);
  if (view === undefined) throw new Error(problems.map((problem) => problem.message).join('\n'));
  return view.query;
}

/** The messages of a program that follows the tables; lines count from the first line of the program. */
export function problemsOf(program: string): string[] {
  const lines = tables.split('\n').length;
  const { problems } = compileProgram(`${tables}\n${program}`, { lineOffset: -lines });
  return problems.map((problem) => `${problem.code} ${problem.message}`);
}

/** `BIGINT`, or `BIGINT?` when it may be NULL. */
export function columnsOf(rel: Rel): string[] {
  return rel.schema.fields.map(({ name, type, nullable }) => `${name} ${formatSqlType(type)}${nullable ? '?' : ''}`);
}

/** The type of one expression over the table `things`. */
export function typeOf(expression: string): string {
  return (columnsOf(bindView(`SELECT ${expression} AS e FROM things`))[0] ?? '').slice(2);
}

export function scalarText(scalar: Scalar): string {
  switch (scalar.kind) {
    case 'column':
      return `#${scalar.ordinal}`;
    case 'literal':
      return valueText(scalar.value);
    case 'operator':
      return `(${[scalar.operator, ...scalar.operands.map(scalarText)].join(' ')})`;
    case 'function':
      return `${scalar.name}(${scalar.operands.map(scalarText).join(', ')})`;
    case 'cast':
      return `${scalar.safe ? 'safe ' : ''}${formatSqlType(scalar.type)}(${scalarText(scalar.operand)})`;
    case 'case': {
      const branches = scalar.branches.map(({ when, then }) => `${scalarText(when)}: ${scalarText(then)}`);
      return `case[${[...branches, scalarText(scalar.otherwise)].join(', ')}]`;
    }
    case 'in list':
      return `${scalarText(scalar.operand)} in [${scalar.values.map(valueText).join(', ')}]`;
  }
}

/** The tree, one node a line. */
export function relText(rel: Rel, indent = ''): string {
  return [indent + nodeText(rel), ...inputsOf(rel).map((input) => relText(input, `${indent}  `))].join('\n');
}

function nodeText(rel: Rel): string {
  switch (rel.kind) {
    case 'scan':
      return `scan ${rel.relation}`;
    case 'values':
      return `values ${rel.rows.map((row) => `(${row.map(scalarText).join(', ')})`).join(', ')}`;
    case 'filter':
      return `filter ${scalarText(rel.predicate)}`;
    case 'project':
      return `project ${rel.columns.map(scalarText).join(', ')}`;
    case 'join':
      return `${rel.type} join ${scalarText(rel.condition)}`;
    case 'aggregate': {
      const calls = rel.aggregates.map((call) => {
        const operand = call.operand === null ? '*' : scalarText(call.operand);
        const filter = call.filter === null ? '' : ` where ${scalarText(call.filter)}`;
        return `${call.function}(${call.distinct ? 'distinct ' : ''}${operand}${filter})`;
      });
      return `aggregate [${rel.groups.map(scalarText).join(', ')}] ${calls.join(', ')}`.trimEnd();
    }
    case 'distinct':
    case 'union':
    case 'repeat':
    case 'explode':
    case 'fixpoint':
      return rel.kind;
    case 'asof':
      return `asof join [${rel.keys.map(([l, r]) => `#${l} = #${r}`).join(', ')}] #${rel.leftOrder} >= #${rel.rightOrder}`;
    case 'window':
      return `window [${rel.partition.join(', ')}] ${rel.calls.map((call) => call.function).join(', ')}`;
    case 'top': {
      const keys = rel.keys.map(
        (key) => `#${key.ordinal}${key.descending ? ' desc' : ''}${key.nullsFirst ? ' nulls first' : ''}`,
      );
      return `top [${keys.join(', ')}] limit ${rel.limit} offset ${rel.offset}`;
    }
  }
}

function inputsOf(rel: Rel): readonly Rel[] {
  switch (rel.kind) {
    case 'scan':
    case 'values':
    case 'fixpoint':
      return [];
    case 'join':
    case 'asof':
      return [rel.left, rel.right];
    case 'union':
      return rel.inputs;
    default:
      return [rel.input];
  }
}

export function valueText(value: ScalarValue): string {
  if (typeof value === 'bigint') return `${value}n`;
  if (value instanceof Uint8Array) return `X'${Buffer.from(value).toString('hex')}'`;
  return typeof value === 'string' ? `'${value}'` : String(value);
}
