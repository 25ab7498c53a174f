// The circuit alone, or @tanstack/db-ivm alone, over the same rows made in memory beforehand. Prints one JSON line
// {seconds, rows, checksum}; the checksum is the integrated result, so both must have computed the same.
//
//   node dist/bench/engine-run.js millrace|db-ivm group|join ROWS BATCH-ROWS
//
// group: SELECT user_id, COUNT(*), SUM(amount) GROUP BY user_id over 1 000 users
// join:  orders joined with 1 000 users, output counted
import { D2, groupBy, groupByOperators, join, MultiSet, map, output } from '@tanstack/db-ivm';
import { planProgram } from '../actors/engine/plan/planner.ts';
import { compileProgram } from '../actors/engine/sql/compile-program.ts';
import { BatchBuilder } from '../runtime/batch/batch-builder.ts';
import type { ChangeBatch } from '../runtime/batch/change-batch.ts';
import { rowsFromBatch } from '../runtime/batch/row-objects.ts';
import type { Schema } from '../runtime/batch/schema.ts';

const [engine = 'millrace', query = 'group', rowsText = '100000', batchText = '10000'] = process.argv.slice(2);
const rows = Number(rowsText);
const batchRows = Number(batchText);
const users = 1000;
const { count, sum } = groupByOperators;

interface Order {
  readonly id: number;
  readonly user_id: number;
  readonly amount: number;
}

const userOf = (row: number): number => (Math.imul(row, 0x9e3779b1) >>> 8) % users;
const amountOf = (row: number): number => row % 100;

function report(seconds: number, checksum: string): void {
  process.stdout.write(`${JSON.stringify({ seconds, rows, checksum })}\n`);
}

function runMillrace(): void {
  const { program } = compileProgram(`
    CREATE TABLE users (id BIGINT NOT NULL PRIMARY KEY, name VARCHAR NOT NULL);
    CREATE TABLE orders (id BIGINT NOT NULL, user_id BIGINT NOT NULL, amount BIGINT NOT NULL);
    ${
      query === 'group'
        ? 'CREATE VIEW result AS SELECT user_id, COUNT(*) AS n, SUM(amount) AS total FROM orders GROUP BY user_id;'
        : 'CREATE VIEW result AS SELECT o.id, u.name, o.amount FROM orders o JOIN users u ON o.user_id = u.id;'
    }`);
  if (program === null) throw new Error('the program does not compile');
  const circuit = planProgram(program, { onError: 'stop' });
  circuit.observe('result');
  const schemaOf = (name: string): Schema => {
    const table = program.tables.find((candidate) => candidate.relation.name === name);
    if (table === undefined) throw new Error(`no table ${name}`);
    return table.relation.schema;
  };
  const userRows = Array.from({ length: users }, (_, i) => i);
  const userBatch = fill(
    schemaOf('users'),
    userRows,
    (row) => [row],
    (row) => `user-${row}`,
  );
  const orderBatches: ChangeBatch[] = [];
  for (let from = 0; from < rows; from += batchRows) {
    const ids = Array.from({ length: Math.min(batchRows, rows - from) }, (_, i) => from + i);
    orderBatches.push(fill(schemaOf('orders'), ids, (row) => [row, userOf(row), amountOf(row)], null));
  }
  circuit.step(new Map([['users', [userBatch]]]));
  const outputs: ChangeBatch[] = [];
  const started = performance.now();
  for (const batch of orderBatches) {
    const change = circuit.step(new Map([['orders', [batch]]])).get('result');
    if (change !== undefined) outputs.push(change);
  }
  const seconds = (performance.now() - started) / 1000;
  const integral = { n: 0, total: 0 };
  for (const batch of outputs) {
    const objects = rowsFromBatch(batch);
    for (const [i, object] of objects.rows.entries()) {
      // SAFETY: the columns of the view above.
      const row = object as { n?: number; total?: number; amount?: number };
      const weight = objects.weights[i] ?? 0;
      integral.n += weight * (row.n ?? 1);
      integral.total += weight * Number(row.total ?? row.amount ?? 0);
    }
  }
  report(seconds, `${integral.n} rows, sum ${integral.total}`);
}

function fill(
  schema: Schema,
  ids: readonly number[],
  numbers: (row: number) => readonly number[],
  text: ((row: number) => string) | null,
): ChangeBatch {
  const builder = new BatchBuilder(schema, ids.length);
  const encoder = new TextEncoder();
  for (const id of ids) {
    const values = numbers(id);
    values.forEach((value, c) => {
      // SAFETY: every number column above is a BIGINT.
      (builder.columns[c]!.values as BigInt64Array)[builder.rows] = BigInt(value);
    });
    if (text !== null) {
      const bytes = encoder.encode(text(id));
      builder.columns[values.length]!.appendBytes(bytes, 0, bytes.length);
    }
    builder.commitRow();
  }
  return builder.finish();
}

function runRival(): void {
  const graph = new D2();
  const orders = graph.newInput<Order>();
  const integral = { n: 0, total: 0 };
  const userInput = graph.newInput<[number, { name: string }]>();
  if (query === 'group') {
    orders.pipe(
      groupBy((order) => ({ user_id: order.user_id }), { n: count(), total: sum((order: Order) => order.amount) }),
      output((message) => {
        for (const [[, group], weight] of message.getInner()) {
          integral.n += weight * group.n;
          integral.total += weight * group.total;
        }
      }),
    );
    userInput.pipe(output(() => {}));
  } else {
    orders.pipe(
      map((order): [number, Order] => [order.user_id, order]),
      join(userInput, 'inner'),
      output((message) => {
        for (const [[, [order]], weight] of message.getInner()) {
          integral.n += weight;
          integral.total += weight * (order?.amount ?? 0);
        }
      }),
    );
  }
  graph.finalize();
  userInput.sendData(new MultiSet(Array.from({ length: users }, (_, id) => [[id, { name: `user-${id}` }], 1])));
  graph.run();
  const batches: MultiSet<Order>[] = [];
  for (let from = 0; from < rows; from += batchRows) {
    const length = Math.min(batchRows, rows - from);
    batches.push(
      new MultiSet(
        Array.from({ length }, (_, i): [Order, number] => {
          const row = from + i;
          return [{ id: row, user_id: userOf(row), amount: amountOf(row) }, 1];
        }),
      ),
    );
  }
  const started = performance.now();
  for (const batch of batches) {
    orders.sendData(batch);
    graph.run();
  }
  report((performance.now() - started) / 1000, `${integral.n} rows, sum ${integral.total}`);
}

if (engine === 'millrace') runMillrace();
else runRival();
