// Plans as rows: of a query, which is planned and not run, and of a running program with what each operator has cost.
//
// The algebra is shown as the binder left it, an indented line a node; expressions as they stand in the SQL text. Operators are those
// that the planner has made of it, each with the numbers of its inputs.
import { BatchBuilder } from '../../../runtime/batch/batch-builder.ts';
import type { ChangeBatch } from '../../../runtime/batch/change-batch.ts';
import { type CellValue, writeCell } from '../../../runtime/batch/scalar-values.ts';
import { makeSchema, type Schema } from '../../../runtime/batch/schema.ts';
import type { SqlType } from '../../../runtime/batch/sql-type.ts';
import type { OperatorStatistics, RelationContents } from '../circuit/circuit.ts';
import type { Rel, Scalar } from '../sql/bound.ts';
import { circuitOfQuery } from './query-execution.ts';

const text: SqlType = { kind: 'VARCHAR', length: null };
const bigint: SqlType = { kind: 'BIGINT' };
const schemaOf = (fields: readonly (readonly [string, SqlType])[]): Schema =>
  makeSchema(fields.map(([name, type]) => ({ name, type, nullable: false })));

const planSchema: Schema = schemaOf([
  ['plan_type', text],
  ['plan', text],
]);
const profileSchema: Schema = schemaOf([
  ['id', bigint],
  ['operator', text],
  ['detail', text],
  ['relation', text],
  ['inputs', text],
  ['rows_in', bigint],
  ['rows_out', bigint],
  ['micros', bigint],
  ['state_rows', bigint],
  ['state_bytes', bigint],
  ['late_rows', bigint],
]);

export interface Explanation {
  readonly schema: Schema;
  readonly batches: readonly ChangeBatch[];
}

/** The algebra of a query, and the circuit that would compute it. */
export function explainQuery(circuit: RelationContents, query: Rel): Explanation {
  const operators = circuitOfQuery(circuit, query, []).circuit.explain();
  return rowsOf(planSchema, [
    ['logical_plan', treeOf(query, 0).join('\n')],
    ['circuit', operators],
  ]);
}

/** A row for each operator of the program; the last one is that of all strings. */
export function explainProgram(statistics: readonly OperatorStatistics[]): Explanation {
  const rows = statistics.map(
    ({ operator, detail, view, inputs, rowsIn, rowsOut, nanos, stateRows, stateBytes, lateRows }, id) => [
      BigInt(id),
      operator,
      detail,
      view,
      inputs.join(', '),
      BigInt(rowsIn),
      BigInt(rowsOut),
      BigInt(Math.round(nanos / 1000)),
      BigInt(stateRows),
      BigInt(stateBytes),
      BigInt(lateRows),
    ],
  );
  return rowsOf(profileSchema, rows);
}

function rowsOf(schema: Schema, rows: readonly (readonly CellValue[])[]): Explanation {
  const builder = new BatchBuilder(schema, Math.max(1, rows.length));
  for (const row of rows) {
    builder.reserve(1);
    for (const [ordinal, column] of builder.columns.entries()) writeCell(column, builder.rows, row[ordinal] ?? null);
    builder.commitRow();
  }
  return { schema, batches: rows.length === 0 ? [] : [builder.finish()] };
}

/** A line for each node, inputs below and further to the right. */
function treeOf(rel: Rel, depth: number): string[] {
  const inputs: Rel[] = [];
  const settings: string[] = [];
  for (const [key, value] of Object.entries(rel)) {
    if (key === 'kind' || key === 'schema') continue;
    if (isRel(value)) inputs.push(value);
    else if (Array.isArray(value) && value.length > 0 && value.every(isRel)) inputs.push(...value);
    else if (key === 'bodies' && rel.kind === 'fixpoint') inputs.push(...rel.bodies.map(({ query }) => query));
    else settings.push(`${key}: ${shown(value)}`);
  }
  const line = `${'  '.repeat(depth)}${rel.kind}${settings.length === 0 ? '' : ` (${settings.join('; ')})`}`;
  return [line, ...inputs.flatMap((input) => treeOf(input, depth + 1))];
}

function isRel(value: unknown): value is Rel {
  return typeof value === 'object' && value !== null && 'kind' in value && 'schema' in value;
}

function isScalar(value: object): value is Scalar {
  return 'source' in value && 'type' in value && 'nullable' in value;
}

function shown(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  if (Array.isArray(value)) return `[${value.map(shown).join(', ')}]`;
  if (isScalar(value)) return value.kind === 'column' ? `#${value.ordinal} ${value.source.text}` : value.source.text;
  return `{${Object.entries(value)
    .map(([key, each]) => `${key}: ${shown(each)}`)
    .join(', ')}}`;
}
