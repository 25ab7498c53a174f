// Two queries over the same changes in everything that keeps a query's result up to date inside a JavaScript process: our circuit,
// @tanstack/db-ivm, @electric-sql/d2ts, and the live queries of PGlite (PostgreSQL in WebAssembly).
//
//   group   SELECT user_id, COUNT(*), SUM(amount) … GROUP BY user_id over 1,000 users
//   join    orders joined with 1,000 users, every row of the result told
//
// Rows are made before; a step ends when the changes of the result are there. Seconds are CPU time of the process, collections included: the
// machine may have other work. The checksum is the integrated result.
import { PGlite } from '@electric-sql/pglite';
import { live } from '@electric-sql/pglite/live';
import { planProgram } from '../../actors/engine/plan/planner.ts';
import { compileProgram } from '../../actors/engine/sql/compile-program.ts';
import { pairedRatios } from '../../actors/gateway/bench/statistics.ts';
import { BatchBuilder } from '../../runtime/batch/batch-builder.ts';
import type { ChangeBatch } from '../../runtime/batch/change-batch.ts';
import { rowsFromBatch } from '../../runtime/batch/row-objects.ts';
import { type DataflowName, openDataflow } from '../dataflow-rivals.ts';
import { expectChecksum, type Measured, ratioFigures, type Workload, type Workloads } from '../workload.ts';

type Query = 'group' | 'join';

interface Order {
  readonly id: number;
  readonly user_id: number;
  readonly amount: number;
}

const users = 1000;
const batchRows = 10_000;
/** Of the rivals fewer: they take as long for them. */
const sizes = { Millrace: 4_000_000, 'db-ivm': 200_000, d2ts: 200_000, 'PGlite live': 40_000 } as const;
const goal = 20;

const order = (row: number): Order => ({
  id: row,
  user_id: (Math.imul(row, 0x9e3779b1) >>> 8) % users,
  amount: row % 100,
});

export const workloads: Workloads = { 'rivals-group': () => rivals('group'), 'rivals-join': () => rivals('join') };

function rivals(query: Query): Workload {
  const names = Object.keys(sizes);
  const checked = (measured: Measured): Measured => {
    const { rows } = measured;
    return expectChecksum(measured, `${rows} rows, sum ${(rows / 100) * 4950}`);
  };
  return {
    title: `circuit only: ${query === 'group' ? 'group by, COUNT and SUM over 1,000 groups' : 'join with 1,000 users'}, steps of 10,000 rows, in CPU time; goal: ${goal} times each rival`,
    checksum: 'as expected',
    contenders: [
      { name: 'Millrace', run: () => checked(runMillrace(query, sizes.Millrace)) },
      { name: 'db-ivm', run: () => checked(runDataflow('db-ivm', query, sizes['db-ivm'])) },
      { name: 'd2ts', run: () => checked(runDataflow('d2ts', query, sizes.d2ts)) },
      { name: 'PGlite live', run: async () => checked(await runPglite(query, sizes['PGlite live'])) },
    ],
    figures: (runs) => {
      const rates = runs.map((own) => own.map((run) => run.rows / run.seconds));
      const [ours = []] = rates;
      return {
        lines: ratioFigures(names, runs).lines,
        panels: [
          {
            kind: 'bars',
            title: query === 'group' ? 'Group by over 1,000 groups' : 'Join with 1,000 users',
            unit: 'times as fast as the rival',
            series: ['Millrace over the rival'],
            groups: names.slice(1).map((name, i) => {
              const { min, median, max } = pairedRatios(ours, rates[i + 1] ?? []);
              return { name, values: [{ value: median, min, max }] };
            }),
            line: { name: `goal: ${goal}`, value: goal },
          },
        ],
      };
    },
  };
}

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/** What the changes of the result add up to. */
class Integral {
  #rows = 0;
  #sum = 0;

  add(weight: number, rows: number, total: number): void {
    this.#rows += weight * rows;
    this.#sum += weight * total;
  }

  measured(seconds: number, rows: number): Measured {
    return { seconds, rows, checksum: `${this.#rows} rows, sum ${this.#sum}` };
  }
}

const select: Readonly<Record<Query, string>> = {
  group: 'SELECT user_id, COUNT(*) AS n, SUM(amount) AS total FROM orders GROUP BY user_id',
  join: 'SELECT o.id, u.name, o.amount FROM orders o JOIN users u ON o.user_id = u.id',
};

function runMillrace(query: Query, rows: number): Measured {
  const { program } = compileProgram(`
    CREATE TABLE users (id BIGINT NOT NULL PRIMARY KEY, name VARCHAR NOT NULL);
    CREATE TABLE orders (id BIGINT NOT NULL, user_id BIGINT NOT NULL, amount BIGINT NOT NULL);
    CREATE VIEW result AS ${select[query]};`);
  if (program === null) throw new Error('the program does not compile');
  const circuit = planProgram(program, { onError: 'stop' });
  circuit.observe('result');
  const fill = (table: string, count: number, add: (builder: BatchBuilder, row: number) => void): ChangeBatch => {
    const found = program.tables.find(({ relation }) => relation.name === table);
    if (found === undefined) throw new Error(`no table ${table}`);
    const builder = new BatchBuilder(found.relation.schema, count);
    for (let row = 0; row < count; row++) {
      add(builder, row);
      builder.commitRow();
    }
    return builder.finish();
  };
  const integer = (builder: BatchBuilder, column: number, value: number): void => {
    // SAFETY: every number column above is a BIGINT.
    (builder.columns[column]!.values as BigInt64Array)[builder.rows] = BigInt(value);
  };
  const userBatch = fill('users', users, (builder, row) => {
    integer(builder, 0, row);
    const bytes = new TextEncoder().encode(`user-${row}`);
    builder.columns[1]!.appendBytes(bytes, 0, bytes.length);
  });
  const orderBatches: ChangeBatch[] = [];
  for (let from = 0; from < rows; from += batchRows) {
    const add = (builder: BatchBuilder, row: number): void => {
      const { id, user_id, amount } = order(from + row);
      [id, user_id, amount].forEach((value, column) => {
        integer(builder, column, value);
      });
    };
    orderBatches.push(fill('orders', Math.min(batchRows, rows - from), add));
  }
  circuit.step(new Map([['users', [userBatch]]]));
  const outputs: ChangeBatch[] = [];
  const started = cpuSeconds();
  for (const batch of orderBatches) {
    const change = circuit.step(new Map([['orders', [batch]]])).get('result');
    if (change !== undefined) outputs.push(change);
  }
  const seconds = cpuSeconds() - started;
  const integral = new Integral();
  for (const batch of outputs) {
    const objects = rowsFromBatch(batch);
    for (const [i, object] of objects.rows.entries()) {
      // SAFETY: the columns of the queries above.
      const row = object as { n?: number; total?: number; amount?: number };
      integral.add(objects.weights[i] ?? 0, Number(row.n ?? 1), Number(row.total ?? row.amount ?? 0));
    }
  }
  return integral.measured(seconds, rows);
}

function runDataflow(name: DataflowName, query: Query, rows: number): Measured {
  const flow = openDataflow(name);
  const orders = flow.input<Order>();
  const people = flow.input<[number, { name: string }]>();
  const integral = new Integral();
  if (query === 'group') {
    const totals = flow.countAndSum(
      orders.stream,
      ({ user_id }) => user_id,
      ({ amount }) => amount,
    );
    flow.output(totals, ([, { n, total }], weight) => integral.add(weight, n, total));
    flow.output(people.stream, () => {});
  } else {
    const keyed = flow.map(orders.stream, (row): [number, Order] => [row.user_id, row]);
    flow.output(flow.join(keyed, people.stream), ([, [row]], weight) => integral.add(weight, 1, row.amount));
  }
  flow.finalize();
  people.prepare(Array.from({ length: users }, (_, id) => [id, { name: `user-${id}` }]))();
  flow.step();
  const batches: (readonly Order[])[] = [];
  for (let from = 0; from < rows; from += batchRows) {
    batches.push(Array.from({ length: Math.min(batchRows, rows - from) }, (_, i) => order(from + i)));
  }
  const sends = batches.map((batch) => orders.prepare(batch));
  const started = cpuSeconds();
  for (const send of sends) {
    send();
    flow.step();
  }
  return integral.measured(cpuSeconds() - started, rows);
}

interface LiveChange {
  readonly __op__: 'INSERT' | 'UPDATE' | 'DELETE' | 'RESET';
  readonly user_id?: number;
  readonly n?: number;
  readonly total?: number | string;
  readonly amount?: number;
}

async function runPglite(query: Query, rows: number): Promise<Measured> {
  const database = await PGlite.create({ extensions: { live } });
  await database.exec(`CREATE TABLE users (id BIGINT PRIMARY KEY, name TEXT NOT NULL);
    CREATE TABLE orders (id BIGINT PRIMARY KEY, user_id BIGINT NOT NULL, amount BIGINT NOT NULL);
    INSERT INTO users SELECT n, 'user-' || n FROM generate_series(0, ${users - 1}) AS n;`);
  const integral = new Integral();
  const groups = new Map<number, { readonly n: number; readonly total: number }>();
  let seen = 0;
  let heard = (): void => {};
  const hear = (changes: readonly LiveChange[]): void => {
    for (const { __op__, user_id = 0, n, total, amount } of changes) {
      if (__op__ !== 'INSERT' && __op__ !== 'UPDATE') throw new Error(`${__op__} was not expected`);
      if (query === 'join') {
        integral.add(1, 1, Number(amount));
        seen++;
        continue;
      }
      const before = groups.get(user_id) ?? { n: 0, total: 0 };
      // An update names what has changed.
      const after = { n: Number(n ?? before.n), total: Number(total ?? before.total) };
      groups.set(user_id, after);
      integral.add(1, after.n - before.n, after.total - before.total);
      seen += after.n - before.n;
    }
    heard();
  };
  const key = query === 'group' ? 'user_id' : 'id';
  const subscription = await database.live.changes<Record<string, never>>(select[query], [], key, (changes) =>
    // SAFETY: the columns of the queries above.
    hear(changes as unknown as readonly LiveChange[]),
  );
  const started = cpuSeconds();
  for (let from = 0; from < rows; from += batchRows) {
    const upTo = Math.min(rows, from + batchRows);
    const batch = Array.from({ length: upTo - from }, (_, i) => order(from + i));
    await database.query('INSERT INTO orders SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[])', [
      batch.map(({ id }) => id),
      batch.map(({ user_id }) => user_id),
      batch.map(({ amount }) => amount),
    ]);
    while (seen < upTo) await new Promise<void>((resolve) => (heard = resolve));
  }
  const seconds = cpuSeconds() - started;
  await subscription.unsubscribe();
  await database.close();
  return integral.measured(seconds, rows);
}
