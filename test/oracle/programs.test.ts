// Random small programs on random histories against DuckDB. MILLRACE_LONG=1 runs many more of them.
import fc from 'fast-check';
import { test } from 'uvu';
import { histories } from './change-history.ts';
import { DuckdbTables } from './duckdb-tables.ts';
import { agreesWithOracle, programOf, type ViewCase } from './incremental-view.ts';

const long = process.env['MILLRACE_LONG'] === '1';

/** Sources with columns k (BIGINT), s (VARCHAR), v (BIGINT), from simple to composed. */
const source: fc.Arbitrary<string> = fc.letrec<{ leaf: string; query: string }>((tie) => ({
  leaf: fc.constantFrom(
    'SELECT k, s, CAST(i AS BIGINT) AS v FROM facts',
    'SELECT id AS k, name AS s, score AS v FROM users',
    'SELECT k, s, CAST(i AS BIGINT) AS v FROM facts WHERE b',
  ),
  query: fc.oneof(
    { maxDepth: 3, depthSize: 'small' },
    tie('leaf'),
    fc
      .tuple(tie('query'), fc.constantFrom('a.v > 0', 'a.k IS NOT NULL', "a.s = 'a'", 'a.k < a.v OR a.s IS NULL'))
      .map(([input, predicate]) => `SELECT a.k, a.s, a.v FROM (${input}) a WHERE ${predicate}`),
    fc
      .tuple(
        tie('query'),
        tie('query'),
        fc.constantFrom('JOIN', 'LEFT JOIN'),
        fc.constantFrom('a.k = b.k', 'a.s = b.s', 'a.k = b.v AND a.v < b.k', 'a.k = b.k AND b.v > 0'),
      )
      .map(([a, b, join, on]) => `SELECT a.k, b.s, COALESCE(a.v, b.v) AS v FROM (${a}) a ${join} (${b}) b ON ${on}`),
    fc
      .tuple(
        tie('query'),
        fc.constantFrom('COUNT(*)', 'COUNT(DISTINCT a.v)', 'MIN(a.v)', 'MAX(a.v)', 'COUNT(a.s) FILTER (WHERE a.v > 0)'),
        fc.constantFrom('', ' HAVING COUNT(*) > 1'),
      )
      .map(
        ([input, aggregate, having]) =>
          `SELECT a.k, MAX(a.s) AS s, ${aggregate} AS v FROM (${input}) a GROUP BY a.k${having}`,
      ),
    tie('query').map((input) => `SELECT DISTINCT a.v AS k, a.s, a.k AS v FROM (${input}) a`),
    fc.tuple(tie('query'), tie('query')).map(([a, b]) => `SELECT * FROM (${a}) a UNION ALL SELECT * FROM (${b}) b`),
  ),
})).query;

const duckdb = await DuckdbTables.open();
test.after(() => duckdb.close());

test('random programs give what a batch query over the final tables gives', async () => {
  const cases = fc.tuple(fc.array(source, { minLength: 1, maxLength: 3 }), histories(8));
  await fc.assert(
    fc.asyncProperty(cases, async ([queries, history]) => {
      const views = queries.map((sql): ViewCase => ({ title: sql, sql }));
      await agreesWithOracle(programOf(views), views, history, duckdb);
    }),
    { numRuns: long ? 2000 : 60 },
  );
});

test.run();
