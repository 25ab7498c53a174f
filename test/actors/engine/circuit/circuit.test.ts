// Whole circuits from SQL text: what a step returns, failures, contents, queries, snapshots, and that a step's cost is
// that of its change.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Circuit, RelationNotMaterialized } from '../../../../actors/engine/circuit/circuit.ts';
import { EvaluationFailed } from '../../../../actors/engine/circuit/evaluation-failures.ts';
import { planProgram } from '../../../../actors/engine/plan/planner.ts';
import type { BoundProgram } from '../../../../actors/engine/sql/bound.ts';
import { compileProgram, compileQuery } from '../../../../actors/engine/sql/compile-program.ts';
import { SnapshotDamaged } from '../../../../actors/engine/state/snapshot-codec.ts';
import type { ChangeBatch } from '../../../../runtime/batch/change-batch.ts';
import { batchOf, linesOf, type WeightedRow } from '../zset-rows.ts';

function programOf(sql: string): BoundProgram {
  const { program, problems } = compileProgram(sql);
  if (program === null) throw problems[0]!;
  return program;
}

const sql = `
CREATE TABLE orders (id BIGINT NOT NULL, user_id BIGINT, amount BIGINT);
CREATE TABLE users (id BIGINT NOT NULL PRIMARY KEY, name VARCHAR);
CREATE MATERIALIZED VIEW spend AS
  SELECT u.name, SUM(o.amount) AS total FROM orders o JOIN users u ON o.user_id = u.id GROUP BY u.name;
CREATE LOCAL VIEW large AS SELECT id, amount FROM orders WHERE amount > 100;
CREATE VIEW ratio AS SELECT id, 100 / amount AS r FROM orders;
CREATE VIEW counted AS SELECT COUNT(*) AS c FROM large;
`;
const program = programOf(sql);

function inputs(tables: Readonly<Record<string, readonly WeightedRow[]>>): ReadonlyMap<string, readonly ChangeBatch[]> {
  return new Map(
    Object.entries(tables).map(([name, rows]) => {
      const table = program.tables.find(({ relation }) => relation.name === name)!;
      return [name, [batchOf(table.relation.schema, rows)]] as const;
    }),
  );
}
function stepped(circuit: Circuit, tables: Readonly<Record<string, readonly WeightedRow[]>>): Record<string, string[]> {
  return Object.fromEntries([...circuit.step(inputs(tables))].map(([name, batch]) => [name, linesOf([batch]).sort()]));
}

test('a step returns the consolidated changes of observed relations only', () => {
  const circuit = planProgram(program, { onError: 'stop' });
  circuit.observe('spend');
  circuit.observe('orders');
  assert.equal(
    stepped(circuit, {
      users: [[1, 1n, 'Ann']],
      orders: [
        [1, 1n, 1n, 5n],
        [1, 2n, 1n, 7n],
        [-1, 2n, 1n, 7n],
      ],
    }),
    {
      spend: ['+1: Ann, 5'],
      orders: ['+1: 1, 1, 5'],
    },
  );
  circuit.unobserve('orders');
  assert.equal(stepped(circuit, { orders: [[1, 2n, 1n, 1n]] }), { spend: ['+1: Ann, 6', '-1: Ann, 5'] });
  assert.equal(stepped(circuit, { orders: [[1, 3n, 9n, 1n]] }), {});
});

test('the first step computes views over no input', () => {
  const circuit = planProgram(program, { onError: 'stop' });
  circuit.observe('counted');
  assert.equal(stepped(circuit, {}), { counted: ['+1: 0'] });
});

test('a view that is observed later has had its state from the beginning', () => {
  const circuit = planProgram(program, { onError: 'stop' });
  stepped(circuit, { orders: [[1, 1n, 1n, 500n]] });
  circuit.observe('counted');
  assert.equal(stepped(circuit, { orders: [[1, 2n, 1n, 500n]] }), { counted: ['+1: 2', '-1: 1'] });
});

test('what a step returned stays as it is, also where batches come from a join through a projection', () => {
  const joined = programOf(`
    CREATE TABLE users (id BIGINT NOT NULL PRIMARY KEY, name VARCHAR NOT NULL);
    CREATE TABLE orders (id BIGINT NOT NULL, user_id BIGINT NOT NULL, cents BIGINT NOT NULL);
    CREATE VIEW lines AS SELECT u.name, o.cents FROM orders o JOIN users u ON o.user_id = u.id;`);
  const tableOf = (name: string): (typeof joined.tables)[number] =>
    joined.tables.find(({ relation }) => relation.name === name)!;
  const batch = (name: string, rows: readonly WeightedRow[]): readonly ChangeBatch[] => [
    batchOf(tableOf(name).relation.schema, rows),
  ];
  const circuit = planProgram(joined, { onError: 'stop' });
  circuit.step(new Map([['users', batch('users', [[1, 1n, 'Ann']])]]));
  circuit.observe('lines');
  const first = circuit.step(new Map([['orders', batch('orders', [[1, 1n, 1n, 5n]])]])).get('lines')!;
  circuit.unobserve('lines');
  circuit.step(new Map([['orders', batch('orders', [[1, 2n, 1n, 6n]])]]));
  circuit.observe('lines');
  const third = circuit.step(new Map([['orders', batch('orders', [[1, 3n, 1n, 7n]])]])).get('lines')!;
  assert.equal([...linesOf([first]), ...linesOf([third])], ['+1: Ann, 5', '+1: Ann, 7']);
});

test('an evaluation failure stops the step before any output', () => {
  const circuit = planProgram(program, { onError: 'stop' });
  circuit.observe('ratio');
  assert.throws(
    () => stepped(circuit, { orders: [[1, 1n, 1n, 0n]] }),
    (error: unknown) => error instanceof EvaluationFailed,
  );
});

test('under skip the row is left out and counted', () => {
  const circuit = planProgram(program, { onError: 'skip' });
  circuit.observe('ratio');
  assert.equal(
    stepped(circuit, {
      orders: [
        [1, 1n, 1n, 0n],
        [1, 2n, 1n, 50n],
      ],
    }),
    { ratio: ['+1: 2, 2'] },
  );
  assert.is(circuit.failures.count, 1);
});

test('only materialized relations have contents', () => {
  const circuit = planProgram(program, { onError: 'stop' });
  assert.is(circuit.isMaterialized('spend'), true);
  assert.is(circuit.isMaterialized('users'), true);
  assert.is(circuit.isMaterialized('orders'), false);
  assert.throws(
    () => circuit.contents('ratio'),
    (error: unknown) => error instanceof RelationNotMaterialized,
  );
  const { query, displayOrder } = compileQuery(
    'SELECT * FROM orders',
    program.tables.map((table) => table.relation),
  );
  assert.throws(
    () => circuit.query(query, displayOrder),
    (error: unknown) => error instanceof RelationNotMaterialized,
  );
});

test('a query is sorted as it says, and leaves nothing behind', () => {
  const circuit = planProgram(program, { onError: 'stop' });
  const users = Array.from({ length: 5 }, (_, i): WeightedRow => [1, BigInt(i), `u${i}`]);
  stepped(circuit, { users });
  const relations = program.tables.map((table) => table.relation);
  const run = (text: string): string[] => {
    const { query, displayOrder } = compileQuery(text, relations);
    return linesOf(circuit.query(query, displayOrder));
  };
  const before = circuit.statistics();
  assert.equal(run("SELECT name || '!' AS n FROM users WHERE id < 3 ORDER BY n DESC"), [
    '+1: u2!',
    '+1: u1!',
    '+1: u0!',
  ]);
  assert.equal(run('SELECT id FROM users ORDER BY id DESC LIMIT 2'), ['+1: 4', '+1: 3']);
  assert.equal(run('SELECT COUNT(*) FROM users WHERE FALSE'), ['+1: 0']);
  assert.equal(circuit.statistics(), before);
});

test('a restored circuit goes on identically', () => {
  const original = planProgram(program, { onError: 'stop' });
  stepped(original, {
    users: [
      [1, 1n, 'Ann'],
      [1, 2n, 'Bob'],
    ],
    orders: [
      [1, 1n, 1n, 5n],
      [1, 2n, 2n, 500n],
    ],
  });
  const copy = planProgram(program, { onError: 'stop' });
  copy.restore(original.snapshot());
  for (const circuit of [original, copy]) for (const name of ['spend', 'counted', 'users']) circuit.observe(name);
  const next = { users: [[1, 1n, 'Bob'] as const], orders: [[-1, 2n, 2n, 500n] as const, [1, 3n, 1n, 300n] as const] };
  assert.equal(stepped(copy, next), stepped(original, next));
  assert.equal(linesOf(copy.contents('spend')), linesOf(original.contents('spend')));
});

test('a snapshot of another program or a damaged one is refused', () => {
  const original = planProgram(program, { onError: 'stop' });
  const parts = original.snapshot();
  const other = planProgram(programOf(sql.replace('> 100', '> 101')), { onError: 'stop' });
  const damaged = (error: unknown): boolean => error instanceof SnapshotDamaged;
  assert.throws(() => other.restore(parts), damaged);
  assert.throws(() => planProgram(program, { onError: 'stop' }).restore(parts.slice(1)), damaged);
  const cut = parts.map((part) => part.subarray(0, Math.max(0, part.length - 8)));
  assert.throws(() => planProgram(program, { onError: 'stop' }).restore(cut), damaged);
});

test('a snapshot of a build whose operators keep their state otherwise is refused', () => {
  const original = planProgram(program, { onError: 'stop' });
  const [head = new Uint8Array(), ...rest] = original.snapshot();
  const older = head.slice();
  // Behind the text of the circuit: entries have a head of 16 bytes, and payloads are padded to 8.
  const layoutAt = 16 + Math.ceil(new TextEncoder().encode(original.explain()).length / 8) * 8 + 16;
  const view = new DataView(older.buffer);
  view.setFloat64(layoutAt, view.getFloat64(layoutAt, true) - 1, true);
  assert.not.throws(() => planProgram(program, { onError: 'stop' }).restore([head, ...rest]));
  assert.throws(() => planProgram(program, { onError: 'stop' }).restore([older, ...rest]), /another version/);
});

test('the cost of a step depends on the change: rows that move through operators do not grow with state', () => {
  const circuit = planProgram(program, { onError: 'stop' });
  const rows = Array.from({ length: 20_000 }, (_, i): WeightedRow => [1, BigInt(i), BigInt(i % 1000), 5n]);
  stepped(circuit, {
    users: Array.from({ length: 1000 }, (_, i): WeightedRow => [1, BigInt(i), `u${i}`]),
    orders: rows,
  });
  const before = circuit.statistics();
  stepped(circuit, { orders: [[1, 99_999n, 7n, 5n]] });
  circuit.statistics().forEach((now, i) => {
    assert.ok(now.rowsIn - before[i]!.rowsIn <= 2 && now.rowsOut - before[i]!.rowsOut <= 2, now.operator);
  });
});

test.run();
