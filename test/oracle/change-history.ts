// Random histories of two tables, as input for a circuit and as final tables for the oracle.
//
//   facts (k BIGINT, s VARCHAR, n DECIMAL(10, 2), d DOUBLE, b BOOLEAN, i INT)     a multiset; small domains, many NULLs
//   users (id BIGINT PRIMARY KEY, name VARCHAR, score BIGINT)                      upserts, deletions, absent keys
// A history is a list of steps, a step a list of batches. Deletions of facts take a row that is there at that moment, so
// final weights are positive. String columns come as bytes or as a dictionary, by turns.
import fc from 'fast-check';
import { BatchBuilder } from '../../runtime/batch/batch-builder.ts';
import type { ChangeBatch } from '../../runtime/batch/change-batch.ts';
import type { BytesColumn, Column } from '../../runtime/batch/column.ts';
import { type CellValue, writeCell } from '../../runtime/batch/scalar-values.ts';
import type { Schema } from '../../runtime/batch/schema.ts';

export const tablesSql = `
CREATE TABLE facts (k BIGINT, s VARCHAR, n DECIMAL(10, 2), d DOUBLE, b BOOLEAN, i INT);
CREATE TABLE users (id BIGINT NOT NULL PRIMARY KEY, name VARCHAR, score BIGINT);
`;
export const factColumns: readonly string[] = [
  'k BIGINT',
  's VARCHAR',
  'n DECIMAL(10, 2)',
  'd DOUBLE',
  'b BOOLEAN',
  'i INT',
];
export const userColumns: readonly string[] = ['id BIGINT', 'name VARCHAR', 'score BIGINT'];

export type Row = readonly CellValue[];
export interface Command {
  readonly table: 'facts' | 'users';
  readonly row: Row;
  readonly weight: number;
}
/** Commands of one batch each, grouped by step. */
export type History = readonly (readonly (readonly Command[])[])[];

const maybe = <T extends CellValue>(values: fc.Arbitrary<T>): fc.Arbitrary<T | null> => fc.option(values, { freq: 4 });
const factRow: fc.Arbitrary<Row> = fc.tuple(
  maybe(fc.bigInt({ min: -2n, max: 4n })),
  maybe(fc.constantFrom('', 'a', 'b', 'Zürich', 'a longer string than sixteen bytes')),
  maybe(fc.bigInt({ min: -300n, max: 300n })),
  // Quarters: every sum is exact in binary, so that the oracle's order of addition does not matter.
  maybe(fc.integer({ min: -8, max: 8 }).map((quarters) => quarters / 4)),
  maybe(fc.boolean()),
  maybe(fc.integer({ min: -3, max: 3 })),
);
const userRow: fc.Arbitrary<Row> = fc.tuple(
  fc.bigInt({ min: -2n, max: 5n }),
  maybe(fc.constantFrom('a', 'b', 'Ann', 'Bob')),
  maybe(fc.bigInt({ min: -5n, max: 5n })),
);

/** A choice that becomes a command when the rows that are there are known. */
type Choice =
  | { readonly kind: 'insert'; readonly row: Row; readonly times: number }
  | { readonly kind: 'delete'; readonly pick: number }
  | { readonly kind: 'upsert'; readonly row: Row }
  | { readonly kind: 'remove'; readonly row: Row };
const choice: fc.Arbitrary<Choice> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant('insert' as const), row: factRow, times: fc.constantFrom(1, 1, 1, 2) }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('delete' as const), pick: fc.nat() }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('upsert' as const), row: userRow }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('remove' as const), row: userRow }) },
);

export function histories(size: number): fc.Arbitrary<History> {
  const steps = fc.array(fc.array(choice, { maxLength: size }), { minLength: 1, maxLength: 6 });
  return steps.map((choices) => {
    const present: Row[] = [];
    return choices.map((step) => batchesOf(step.flatMap((one) => commandsOf(one, present))));
  });
}

/** Many rows of facts in the first step, and a few changes of them in each of those behind it. */
export function grownHistories(rows: number): fc.Arbitrary<History> {
  const changes = choice.filter(({ kind }) => kind === 'insert' || kind === 'delete');
  const first = fc.array(factRow, { minLength: rows >> 1, maxLength: rows });
  return fc
    .tuple(first, fc.array(fc.array(changes, { maxLength: 4 }), { minLength: 2, maxLength: 8 }))
    .map(([inserted, choices]) => {
      const present: Row[] = [];
      const steps: Choice[][] = [inserted.map((row) => ({ kind: 'insert', row, times: 1 })), ...choices];
      return steps.map((step) => batchesOf(step.flatMap((one) => commandsOf(one, present))));
    });
}

function commandsOf(one: Choice, present: Row[]): Command[] {
  switch (one.kind) {
    case 'insert':
      for (let i = 0; i < one.times; i++) present.push(one.row);
      return [{ table: 'facts', row: one.row, weight: one.times }];
    case 'delete': {
      if (present.length === 0) return [];
      const [row] = present.splice(one.pick % present.length, 1);
      return [{ table: 'facts', row: row!, weight: -1 }];
    }
    case 'upsert':
      return [{ table: 'users', row: one.row, weight: 1 }];
    case 'remove':
      return [{ table: 'users', row: one.row, weight: -1 }];
  }
}

/** Runs of commands on one table. */
function batchesOf(commands: readonly Command[]): Command[][] {
  const batches: Command[][] = [];
  for (const command of commands) {
    const last = batches.at(-1);
    if (last === undefined || last[0]!.table !== command.table) batches.push([command]);
    else last.push(command);
  }
  return batches;
}

/** What the tables hold in the end. */
export function finalTables(history: History): { readonly facts: readonly Row[]; readonly users: readonly Row[] } {
  const facts: { row: Row; key: string }[] = [];
  const users = new Map<CellValue, Row>();
  for (const { table, row, weight } of history.flat(2)) {
    if (table === 'users') {
      if (weight > 0) users.set(row[0]!, row);
      else users.delete(row[0]!);
      continue;
    }
    const key = row.map(literal).join();
    for (let i = 0; i < weight; i++) facts.push({ row, key });
    if (weight < 0)
      facts.splice(
        facts.findIndex((fact) => fact.key === key),
        1,
      );
  }
  return { facts: facts.map(({ row }) => row), users: [...users.values()] };
}

/** Literals for the oracle. DECIMAL values of facts are hundredths. */
export function literals(table: 'facts' | 'users', row: Row): string[] {
  return row.map((value, c) =>
    table === 'facts' && c === 2 && value !== null ? `${value} / 100::DECIMAL(10,2)` : literal(value),
  );
}

function literal(value: CellValue): string {
  if (value === null) return 'NULL';
  return typeof value === 'string' ? `'${value}'` : String(value);
}

export function batchOf(schema: Schema, commands: readonly Command[], asDictionary: boolean): ChangeBatch {
  const builder = new BatchBuilder(schema, 8);
  for (const { row, weight } of commands) {
    builder.reserve(1);
    row.forEach((value, c) => {
      writeCell(builder.columns[c]!, builder.rows, value);
    });
    builder.commitRow(weight);
  }
  const batch = builder.finish();
  return asDictionary ? { ...batch, columns: batch.columns.map((column) => dictionaryOf(column, batch.rows)) } : batch;
}

/** A bytes column with its distinct strings in a dictionary; other columns as they are. */
function dictionaryOf(column: Column, rows: number): Column {
  if (column.layout !== 'bytes') return column;
  const codes = new Int32Array(rows);
  const texts: string[] = [];
  for (let row = 0; row < rows; row++) {
    const text = textAt(column, row);
    const known = texts.indexOf(text);
    codes[row] = known < 0 ? texts.push(text) - 1 : known;
  }
  const encoded = texts.map((text) => new TextEncoder().encode(text));
  const offsets = new Int32Array(texts.length + 1);
  encoded.forEach((bytes, i) => {
    offsets[i + 1] = offsets[i]! + bytes.length;
  });
  const bytes = new Uint8Array(offsets[texts.length]!);
  encoded.forEach((part, i) => {
    bytes.set(part, offsets[i]!);
  });
  const dictionary = { identity: codes, size: texts.length, offsets, bytes };
  return { layout: 'dictionary', type: column.type, validity: column.validity, codes, dictionary };
}

function textAt(column: BytesColumn, row: number): string {
  return new TextDecoder().decode(column.bytes.subarray(column.offsets[row]!, column.offsets[row + 1]!));
}
