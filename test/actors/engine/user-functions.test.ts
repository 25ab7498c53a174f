// SQL functions and aggregates of a user's own, from the module to the rows of a view.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compilerFor } from '../../../actors/engine/function-declarations.ts';
import { MillraceError, type OpenOptions, Pipeline } from '../../../index.ts';

const index = pathToFileURL(resolve(import.meta.dirname, '../../../index.js')).href;

const source = `
import { defineAggregate, defineFunction } from '${index}';
export const slug = defineFunction({
  name: 'slug',
  parameters: ['VARCHAR', 'INTEGER'],
  result: 'VARCHAR',
  evaluate: (text, length) => {
    if (length < 0) throw new Error('a slug has a length');
    return text.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-').slice(0, length);
  },
});
export const tax = defineFunction({ name: 'tax', parameters: ['DECIMAL(10, 2)'], result: 'DECIMAL(12, 4)', evaluate: (x) => x + '25' });
export const known = defineFunction({
  name: 'known', parameters: ['BIGINT'], result: 'BOOLEAN', onNull: 'pass', evaluate: (x) => x !== null,
});
export const wrong = defineFunction({ name: 'wrong', parameters: [], result: 'BIGINT', evaluate: () => 'no number' });
export const product = defineAggregate({
  name: 'product', parameter: 'DOUBLE', result: 'DOUBLE', initial: () => 1, step: (state, x) => state * x, finish: (state) => state,
});
`;

async function withModule(
  text: string,
  work: (open: (options: Partial<OpenOptions>) => Promise<Pipeline>, folder: string) => Promise<void>,
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-functions-'));
  try {
    writeFileSync(join(folder, 'functions.mjs'), text);
    // SAFETY: whoever opens it names a program.
    const options = { functions: './functions.mjs', baseFolder: folder } as OpenOptions;
    await work((more) => Pipeline.open({ ...options, ...more } as OpenOptions), folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function rowsOf(pipeline: Pipeline, sql: string): Promise<unknown[]> {
  return await pipeline.query(sql);
}

const table =
  "CREATE TABLE t (id BIGINT PRIMARY KEY, name VARCHAR, n BIGINT, x DOUBLE, price DECIMAL(10, 2)) WITH ('materialized' = 'true');";

test('functions and aggregates of a module are computed in views and in queries', async () => {
  await withModule(source, async (open) => {
    const pipeline = await open({
      program: `${table}
        CREATE MATERIALIZED VIEW v AS SELECT id, SLUG(name, 8) AS s, KNOWN(n) AS k, TAX(price) AS p FROM t;
        CREATE MATERIALIZED VIEW g AS SELECT n, PRODUCT(x) AS p, PRODUCT(x) FILTER (WHERE id > 1) AS q FROM t GROUP BY n;`,
    });
    try {
      await pipeline.start();
      const rows = [
        { id: 1, name: 'Grace & Co', n: 7, x: 2, price: '1.50' },
        { id: 2, name: 'Ada Lovelace', n: 7, x: 3.5, price: '2' },
        { id: 3, name: null, n: null, x: null, price: null },
      ];
      await pipeline.completed(await pipeline.inputJson('t', rows));
      assert.equal(await rowsOf(pipeline, 'SELECT * FROM v ORDER BY id'), [
        { id: 1, s: 'grace-co', k: true, p: '1.5025' },
        { id: 2, s: 'ada-love', k: true, p: '2.0025' },
        { id: 3, s: null, k: false, p: null },
      ]);
      assert.equal(await rowsOf(pipeline, 'SELECT * FROM g ORDER BY n'), [
        { n: null, p: 1, q: 1 },
        { n: 7, p: 7, q: 3.5 },
      ]);
      const token = await pipeline.inputJson('t', [{ delete: { id: 1 } }], { updateFormat: 'insert_delete' });
      await pipeline.completed(token);
      assert.equal(await rowsOf(pipeline, 'SELECT p FROM g WHERE n = 7'), [{ p: 3.5 }]);
      assert.equal(
        await rowsOf(pipeline, 'SELECT SLUG(name, 3) AS s, PRODUCT(x) AS p FROM t WHERE id = 2 GROUP BY name'),
        [{ s: 'ada', p: 3.5 }],
      );
    } finally {
      await pipeline.stop({ force: true });
    }
  });
});

test('what a function throws, or a result of another type, is an error of the expression', async () => {
  await withModule(source, async (open) => {
    const program = `${table} CREATE MATERIALIZED VIEW v AS SELECT id, SLUG(name, CAST(n AS INTEGER)) AS s FROM t;`;
    const pipeline = await open({ program, onError: 'skip' });
    try {
      await pipeline.start();
      const rows = [
        { id: 1, name: 'a b', n: -1 },
        { id: 2, name: 'a b', n: 9 },
      ];
      await pipeline.completed(await pipeline.inputJson('t', rows));
      assert.equal(await rowsOf(pipeline, 'SELECT * FROM v'), [{ id: 2, s: 'a-b' }]);
      assert.is((await pipeline.stats()).engine?.numEvaluationErrors, 1);
      const code = await rowsOf(pipeline, 'SELECT WRONG() AS w FROM t').catch((error: unknown) =>
        error instanceof MillraceError ? error.message : error,
      );
      assert.match(String(code), /wrong: its result is wrong/);
    } finally {
      await pipeline.stop({ force: true });
    }
  });
});

async function problemsOf(text: string, program: string): Promise<string[]> {
  let problems: readonly MillraceError[] = [];
  await withModule(text, async (_, folder) => {
    const compiler = await compilerFor({ functions: ['functions.mjs'] }, folder);
    problems = [...compiler.problems, ...compiler.compile(program, {}).problems];
  });
  return problems.map(({ code }) => code);
}

test('a module that cannot be used and a call that does not fit are refused', async () => {
  const named = (definition: string): string =>
    `import { defineFunction } from '${index}'; export const f = defineFunction(${definition});`;
  assert.equal(await problemsOf('export const x = 1;', table), ['config.functions_not_loaded']);
  assert.equal(await problemsOf('no javascript', table), ['config.functions_not_loaded']);
  const taken = named("{ name: 'upper', parameters: [], result: 'BIGINT', evaluate: () => 1 }");
  assert.equal(await problemsOf(taken, table), ['config.functions_not_loaded']);
  const noType = named("{ name: 'f', parameters: ['BIGNUM'], result: 'BIGINT', evaluate: () => 1 }");
  assert.equal(await problemsOf(noType, table), ['config.functions_not_loaded']);
  const view = (expression: string): string => `${table} CREATE VIEW v AS SELECT ${expression} AS r FROM t;`;
  assert.equal(await problemsOf(source, view('SLUG(name)')), ['sql.invalid_arguments']);
  assert.equal(await problemsOf(source, view("PRODUCT(x, 'a')")), ['sql.invalid_arguments']);
  assert.equal(await problemsOf(source, 'CREATE TABLE u (a BIGINT, k BOOLEAN DEFAULT KNOWN(1));'), ['sql.unsupported']);
});

test.run();
