// Window functions over partitions of which a step changes a small part: what it does not reach is not computed again, and all is as in
// DuckDB. Where rows are counted the order leaves no ties.
import fc from 'fast-check';
import { test } from 'uvu';
import { grownHistories } from './change-history.ts';
import { DuckdbTables } from './duckdb-tables.ts';
import { agreesWithOracle, programOf, type ViewCase } from './incremental-view.ts';

const long = process.env['MILLRACE_LONG'] === '1';
const numRuns = long ? 500 : 12;

const distinct = '(SELECT DISTINCT * FROM facts)';
const everything = 'n, i, s, d, b, k';

const views: readonly ViewCase[] = [
  {
    title: 'LAG and LEAD',
    sql: `SELECT n, i, LAG(i, 2) OVER w AS a, LEAD(s) OVER w AS b, LAG(d, 1, 0) OVER w AS c FROM ${distinct} WINDOW w AS (ORDER BY ${everything})`,
  },
  {
    title: 'rows around',
    sql: `SELECT n, k, SUM(i) OVER w AS a, MIN(s) OVER w AS b, COUNT(d) OVER w AS c, FIRST_VALUE(b) OVER w AS e FROM ${distinct} WINDOW w AS (ORDER BY ${everything} ROWS BETWEEN 3 PRECEDING AND 1 FOLLOWING)`,
  },
  {
    title: 'rows on one side',
    sql: `SELECT n, k, SUM(n) OVER (ORDER BY ${everything} ROWS BETWEEN 5 PRECEDING AND 2 PRECEDING) AS a, MAX(i) OVER (ORDER BY ${everything} ROWS BETWEEN 1 FOLLOWING AND 3 FOLLOWING) AS b FROM ${distinct}`,
  },
  {
    title: 'keys behind',
    sql: 'SELECT n, SUM(i) OVER w AS a, COUNT(*) OVER w AS b, MAX(s) OVER w AS c, SUM(d) OVER w AS e FROM facts WINDOW w AS (ORDER BY n RANGE BETWEEN 0.5 PRECEDING AND CURRENT ROW)',
  },
  {
    title: 'keys around, falling, parts',
    sql: 'SELECT b, n, SUM(i) OVER w AS a, MIN(d) OVER w AS c FROM facts WINDOW w AS (PARTITION BY b ORDER BY n DESC RANGE BETWEEN 0.2 PRECEDING AND 0.4 FOLLOWING)',
  },
  {
    title: 'from the first row on, with equals',
    sql: 'SELECT n, SUM(i) OVER w AS a, COUNT(s) OVER w AS b, SUM(n) OVER w AS c, RANK() OVER w AS e, LAST_VALUE(n) OVER w AS f, COUNT(*) FILTER (WHERE b) OVER w AS g FROM facts WINDOW w AS (ORDER BY n)',
  },
  {
    title: 'from the first row on, row by row',
    sql: `SELECT n, k, ROW_NUMBER() OVER w AS a, SUM(i) OVER (ORDER BY ${everything} ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS c, SUM(n) OVER (ORDER BY ${everything} ROWS BETWEEN UNBOUNDED PRECEDING AND 2 PRECEDING) AS e, COUNT(*) OVER (ORDER BY ${everything} ROWS BETWEEN UNBOUNDED PRECEDING AND 2 FOLLOWING) AS f FROM ${distinct} WINDOW w AS (ORDER BY ${everything})`,
  },
  {
    title: 'a row of those from the first on',
    sql: 'SELECT n, i, MIN(i) OVER w AS a, MAX(s) OVER w AS b, MAX(d) FILTER (WHERE b) OVER w AS c FROM facts WINDOW w AS (PARTITION BY b ORDER BY n)',
  },
  {
    title: 'the first row',
    sql: `SELECT n, k, FIRST_VALUE(s) OVER (ORDER BY ${everything}) AS a, FIRST_VALUE(i) IGNORE NULLS OVER (ORDER BY ${everything} DESC) AS c, MIN(n) OVER (ORDER BY ${everything} ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS e FROM ${distinct}`,
    oracle: `SELECT n, k, FIRST_VALUE(s) OVER (ORDER BY ${everything}), FIRST_VALUE(i IGNORE NULLS) OVER (ORDER BY ${everything} DESC), MIN(n) OVER (ORDER BY ${everything} ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) FROM ${distinct}`,
  },
  {
    title: 'ranks without gaps, with equals',
    sql: 'SELECT n, i, b, DENSE_RANK() OVER (ORDER BY n) AS a, DENSE_RANK() OVER (PARTITION BY b ORDER BY i DESC, n) AS c, COUNT(*) OVER (ORDER BY n) AS e FROM facts',
  },
  {
    title: 'groups around',
    sql: 'SELECT n, i, SUM(i) OVER (ORDER BY n GROUPS BETWEEN 1 PRECEDING AND 2 FOLLOWING) AS a, COUNT(*) OVER (ORDER BY n DESC GROUPS BETWEEN 3 PRECEDING AND 1 PRECEDING) AS c, MAX(s) OVER (PARTITION BY b ORDER BY i GROUPS BETWEEN CURRENT ROW AND 1 FOLLOWING) AS e FROM facts',
  },
  {
    title: 'groups from the first on',
    sql: 'SELECT n, i, COUNT(i) OVER (ORDER BY n GROUPS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS a, SUM(i) OVER (ORDER BY n GROUPS BETWEEN UNBOUNDED PRECEDING AND 2 FOLLOWING) AS c FROM facts',
  },
  { title: 'all of it', sql: 'SELECT n, DENSE_RANK() OVER (ORDER BY n) AS a, SUM(i) OVER () AS b FROM facts' },
];

for (const view of views) {
  test(`${view.title}: few changes of many rows have the results of the oracle`, async () => {
    const duckdb = await DuckdbTables.open();
    const program = programOf([view]);
    await fc.assert(
      fc.asyncProperty(grownHistories(90), (history) => agreesWithOracle(program, [view], history, duckdb)),
      { numRuns, includeErrorInReport: true },
    );
    duckdb.close();
  });
}

test.run();
