// Circuits on threads of their own against the circuit of one thread: every step, what is materialized, queries, images; and what
// becomes of a step when a worker fails or ends.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { EvaluationFailed } from '../../../../actors/engine/circuit/evaluation-failures.ts';
import { compilerFor } from '../../../../actors/engine/function-declarations.ts';
import { planProgram } from '../../../../actors/engine/plan/planner.ts';
import type { BoundProgram } from '../../../../actors/engine/sql/bound.ts';
import { compileProgram, compileQuery } from '../../../../actors/engine/sql/compile-program.ts';
import { loadFunctions } from '../../../../actors/engine/sql/function-modules.ts';
import { openShardedCircuit, type ShardedCircuit } from '../../../../actors/engine/workers/sharded-circuit.ts';
import { EngineWorkerLost } from '../../../../actors/engine/workers/worker-line.ts';
import type { ChangeBatch } from '../../../../runtime/batch/change-batch.ts';
import { rowFromBatch } from '../../../../runtime/batch/row-objects.ts';
import type { CellValue } from '../../../../runtime/batch/scalar-values.ts';
import { batchOf as commandsBatch, type History, histories } from '../../../oracle/change-history.ts';
import { programOf, type ViewCase } from '../../../oracle/incremental-view.ts';
import { batchOf } from '../zset-rows.ts';

type Inputs = Map<string, ChangeBatch[]>;

const views: readonly ViewCase[] = [
  { title: 'join', sql: 'SELECT f.s, f.n, f.k, u.name FROM facts f JOIN users u ON f.k = u.id' },
  { title: 'left join', sql: 'SELECT u.id, f.i, f.s FROM users u LEFT JOIN facts f ON f.s = u.name' },
  {
    title: 'groups',
    sql: 'SELECT s, COUNT(*) AS c, SUM(n) AS n, MAX(i) AS i, COUNT(DISTINCT k) AS d FROM facts GROUP BY s',
  },
  { title: 'one group', sql: 'SELECT COUNT(*) AS c, MAX(s) AS s, COUNT(DISTINCT k) AS d FROM facts' },
  {
    title: 'groups of groups',
    sql: 'SELECT c, COUNT(*) AS g FROM (SELECT k, COUNT(*) AS c FROM facts GROUP BY k) t GROUP BY c',
  },
  { title: 'filter', sql: 'SELECT s, i FROM facts WHERE b' },
  { title: 'union', sql: 'SELECT s FROM facts UNION SELECT name FROM users' },
  {
    title: 'top',
    sql: 'SELECT k, s, i FROM facts ORDER BY k DESC NULLS LAST, s ASC NULLS LAST, i ASC NULLS LAST LIMIT 3',
  },
];

function textOf(batches: readonly ChangeBatch[]): readonly string[] {
  const sums = new Map<string, number>();
  for (const batch of batches) {
    for (let row = 0; row < batch.rows; row++) {
      const key = Object.values(rowFromBatch(batch, row)).map(String).join(' | ');
      sums.set(key, (sums.get(key) ?? 0) + (batch.weights?.[row] ?? 1));
    }
  }
  return [...sums].flatMap(([key, weight]) => (weight === 0 ? [] : [`${weight} x ${key}`])).sort();
}

function inputsOf(program: BoundProgram, step: History[number], at: number): Inputs {
  const inputs: Inputs = new Map();
  for (const [b, commands] of step.entries()) {
    const { table } = commands[0]!;
    const { schema } = program.tables.find(({ relation }) => relation.name === table)!.relation;
    inputs.set(table, [...(inputs.get(table) ?? []), commandsBatch(schema, commands, (at + b) % 2 === 1)]);
  }
  return inputs;
}

const noLoss = (error: unknown): never => {
  throw error;
};

async function opened(program: BoundProgram, workers: number): Promise<ShardedCircuit> {
  const circuit = await openShardedCircuit({ program, onError: 'stop', workers, onLost: noLoss });
  for (const { relation } of program.views) circuit.observe(relation.name);
  return circuit;
}

function compiled(sql: string): BoundProgram {
  const { program, problems } = compileProgram(sql);
  if (program === null) throw problems[0];
  return program;
}

for (const workers of [2, 3, 8]) {
  test(`${workers} threads give in every step what one gives, and go on from an image`, async () => {
    const program = programOf(views);
    const names = program.views.map(({ relation }) => relation.name);
    const relations = [...program.tables, ...program.views].map(({ relation }) => relation);
    const [history] = fc.sample(histories(40), { numRuns: 1, seed: workers });
    const one = planProgram(program, { onError: 'stop' });
    for (const name of names) one.observe(name);
    let many = await opened(program, workers);
    const kept: {
      readonly batches: readonly ChangeBatch[];
      readonly text: readonly string[];
      readonly what: string;
    }[] = [];
    try {
      for (const [at, step] of history!.entries()) {
        if (at === history!.length >> 1) {
          const image = many.snapshot();
          await many.stop();
          many = await opened(program, workers);
          many.restore(image);
        }
        const inputs = inputsOf(program, step, at);
        const expected = one.step(inputs);
        const actual = many.step(inputs);
        for (const name of names) {
          const change = expected.get(name);
          const text = textOf(change === undefined ? [] : [change]);
          const batches = actual.get(name) ?? [];
          assert.equal(textOf(batches), text, `${name}, step ${at}`);
          kept.push({ batches, text, what: `${name}, step ${at}, after all steps` });
        }
      }
      // A change stays what it was, whatever memory later steps are computed in.
      for (const { batches, text, what } of kept) assert.equal(textOf(batches), text, what);
      for (const name of names) {
        assert.equal(textOf(many.contents(name)), textOf(one.contents(name)), name);
        const { query, displayOrder } = compileQuery(`SELECT * FROM ${name}`, relations);
        assert.equal(textOf(many.query(query, displayOrder)), textOf(one.query(query, displayOrder)), name);
      }
    } finally {
      await many.stop();
    }
  });
}

const numbers = compiled(`CREATE TABLE t (k BIGINT NOT NULL, n BIGINT NOT NULL);
  CREATE VIEW v AS SELECT k, SUM(100 / n) AS s FROM t GROUP BY k;`);
const rows = (row: (k: bigint) => readonly CellValue[]): Inputs => {
  const { schema } = numbers.tables[0]!.relation;
  const made = Array.from({ length: 64 }, (_, k): readonly [number, ...CellValue[]] => [1, ...row(BigInt(k))]);
  return new Map([['t', [batchOf(schema, made)]]]);
};

test('a row that cannot be computed stops the step of all workers, wherever it is', async () => {
  for (const bad of [0n, 1n, 2n, 3n, 4n, 5n]) {
    const circuit = await opened(numbers, 2);
    try {
      const inputs = rows((k) => [k, k === bad ? 0n : 1n]);
      assert.throws(
        () => circuit.step(inputs),
        (error: unknown) => error instanceof EvaluationFailed,
        `key ${bad}`,
      );
      assert.throws(
        () => circuit.step(inputs),
        (error: unknown) => error instanceof EvaluationFailed,
        `key ${bad}, again`,
      );
    } finally {
      await circuit.stop();
    }
  }
});

test('rows that are left out are counted once, whoever has left them out', async () => {
  const circuit = await openShardedCircuit({ program: numbers, onError: 'skip', workers: 3, onLost: noLoss });
  try {
    circuit.step(rows((k) => [k, k % 4n]));
    assert.is(circuit.evaluationErrors(), 16);
  } finally {
    await circuit.stop();
  }
});

test('a worker that ends makes the step fail that waits for it, and is told of', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-workers-'));
  const index = pathToFileURL(resolve(import.meta.dirname, '../../../../index.js')).href;
  const module = join(folder, 'functions.mjs');
  writeFileSync(
    module,
    `import { isMainThread } from 'node:worker_threads';
    import { defineFunction } from '${index}';
    export const leave = defineFunction({
      name: 'leave', parameters: ['BIGINT'], result: 'BIGINT',
      evaluate: (x) => { if (!isMainThread) process.exit(3); return x; },
    });`,
  );
  const { compile } = await compilerFor({ functions: module }, folder);
  const { program, problems } = compile(
    'CREATE TABLE t (k BIGINT NOT NULL, n BIGINT NOT NULL); CREATE VIEW v AS SELECT k, SUM(LEAVE(n)) AS s FROM t GROUP BY k;',
    {},
  );
  if (program === null) throw problems[0];
  let lost: unknown = null;
  let stop = (): Promise<void> => Promise.reject(new Error('it was not opened'));
  const told = new Promise<void>((resolveLost) => {
    void openShardedCircuit(
      {
        program,
        onError: 'stop',
        workers: 3,
        onLost: (error) => {
          lost = error;
          resolveLost();
        },
      },
      async () => await loadFunctions(program.functions ?? []),
    ).then((circuit) => {
      stop = () => circuit.stop();
      assert.throws(
        () => circuit.step(rows((k) => [k, 1n])),
        (error: unknown) => error instanceof EngineWorkerLost,
      );
    });
  });
  await told;
  await stop();
  assert.instance(lost, EngineWorkerLost);
  rmSync(folder, { recursive: true });
});

test.run();
