// Runs a history through a circuit and compares what came out with the oracle's answer over the final tables.
//
// Three answers have to agree with it: the sum of the changes, the content of the materialized view, and an ad-hoc query.
// On the way the circuit is replaced once by one that was restored from its snapshot, and the circuit's own operators see
// the batches of a step in the order of the history.
import * as assert from 'uvu/assert';
import type { Circuit } from '../../actors/engine/circuit/circuit.ts';
import { planProgram } from '../../actors/engine/plan/planner.ts';
import type { BoundProgram } from '../../actors/engine/sql/bound.ts';
import { compileProgram, compileQuery } from '../../actors/engine/sql/compile-program.ts';
import type { ChangeBatch } from '../../runtime/batch/change-batch.ts';
import { type CellValue, readCell } from '../../runtime/batch/scalar-values.ts';
import type { SqlType } from '../../runtime/batch/sql-type.ts';
import { batchOf, factColumns, finalTables, type History, literals, tablesSql, userColumns } from './change-history.ts';
import type { CellText, DuckdbTables } from './duckdb-tables.ts';

/** A view, and what the oracle is asked (by default the same text). */
export interface ViewCase {
  readonly title: string;
  readonly sql: string;
  readonly oracle?: string;
  /** The columns of a recursive view, which its text reads as SELF. */
  readonly recursive?: string;
}

export function programOf(views: readonly ViewCase[]): BoundProgram {
  const declared = views.map(({ sql, recursive }, i) => {
    const promise = recursive === undefined ? '' : `DECLARE RECURSIVE VIEW v${i} (${recursive});`;
    return `${promise} CREATE MATERIALIZED VIEW v${i} AS ${sql.replaceAll('SELF', `v${i}`)};`;
  });
  const { program, problems } = compileProgram(`${tablesSql}${declared.join('\n')}`);
  if (program === null) throw problems[0] ?? new Error('the program has problems');
  return program;
}

export async function agreesWithOracle(
  program: BoundProgram,
  views: readonly ViewCase[],
  history: History,
  duckdb: DuckdbTables,
): Promise<void> {
  const relation = (name: string): BoundProgram['tables'][number]['relation'] =>
    program.tables.find((table) => table.relation.name === name)!.relation;
  let circuit = observed(program, views);
  const sums = views.map(() => new Map<string, number>());
  const restoreAt = history.length >> 1;
  history.forEach((step, at) => {
    if (at === restoreAt) {
      const parts = circuit.snapshot();
      circuit = observed(program, views);
      circuit.restore(parts);
    }
    const inputs = new Map<string, ChangeBatch[]>();
    step.forEach((commands, b) => {
      const { table } = commands[0]!;
      const batch = batchOf(relation(table).schema, commands, (at + b) % 2 === 1);
      inputs.set(table, [...(inputs.get(table) ?? []), batch]);
    });
    const changes = circuit.step(inputs);
    views.forEach((_, i) => {
      const change = changes.get(`v${i}`);
      if (change !== undefined) add(sums[i]!, change);
    });
  });
  const { facts, users } = finalTables(history);
  await duckdb.fill(
    'facts',
    factColumns,
    facts.map((row) => literals('facts', row)),
  );
  await duckdb.fill(
    'users',
    userColumns,
    users.map((row) => literals('users', row)),
  );
  const relations = [...program.tables, ...program.views].map((one) => one.relation);
  for (const [i, view] of views.entries()) {
    const types = program.views[i]!.relation.schema.fields.map((field) => field.type);
    const expected = (await duckdb.rows(view.oracle ?? view.sql)).map((row) => textOfRow(row, types)).sort();
    assert.equal(expand(sums[i]!), expected, `${view.title}: sum of changes`);
    const contents = new Map<string, number>();
    for (const batch of circuit.contents(`v${i}`)) add(contents, batch);
    assert.equal(expand(contents), expected, `${view.title}: contents`);
    const queried = new Map<string, number>();
    const { query, displayOrder } = compileQuery(`SELECT * FROM v${i}`, relations);
    for (const batch of circuit.query(query, displayOrder)) add(queried, batch);
    assert.equal(expand(queried), expected, `${view.title}: query`);
  }
}

function observed(program: BoundProgram, views: readonly ViewCase[]): Circuit {
  const circuit = planProgram(program, { onError: 'stop' });
  views.forEach((_, i) => {
    circuit.observe(`v${i}`);
  });
  return circuit;
}

function add(sums: Map<string, number>, batch: ChangeBatch): void {
  const types = batch.schema.fields.map((field) => field.type);
  for (let row = 0; row < batch.rows; row++) {
    const cells = batch.columns.map((column) => textOf(readCell(column, row), column.type));
    const key = textOfRow(cells, types);
    const weight = (sums.get(key) ?? 0) + (batch.weights === null ? 1 : batch.weights[row]!);
    if (weight === 0) sums.delete(key);
    else sums.set(key, weight);
  }
}

/** Rows as often as they stand, sorted. A negative weight shows as a row that the oracle does not have. */
function expand(sums: ReadonlyMap<string, number>): string[] {
  return [...sums]
    .flatMap(([key, weight]) => (weight < 0 ? [`${weight} times ${key}`] : new Array<string>(weight).fill(key)))
    .sort();
}

function textOf(value: CellValue, type: SqlType): CellText {
  if (value === null) return null;
  if (type.kind !== 'DECIMAL' || typeof value !== 'bigint') return String(value);
  const digits = (value < 0n ? -value : value).toString().padStart(type.scale + 1, '0');
  const point = digits.length - type.scale;
  const text = type.scale === 0 ? digits : `${digits.slice(0, point)}.${digits.slice(point)}`;
  return value < 0n ? `-${text}` : text;
}

function textOfRow(cells: readonly CellText[], types: readonly SqlType[]): string {
  const shown = cells.map((cell, c) => {
    if (cell === null) return 'NULL';
    return types[c]!.kind === 'DOUBLE' || types[c]!.kind === 'REAL' ? String(Number(cell) + 0) : cell;
  });
  return shown.join(' | ');
}
