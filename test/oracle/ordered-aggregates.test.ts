// Aggregates whose values have an order, and those that are composed of others, over groups and over windows, against DuckDB.
import fc from 'fast-check';
import { test } from 'uvu';
import { histories } from './change-history.ts';
import { DuckdbTables } from './duckdb-tables.ts';
import { agreesWithOracle, programOf, type ViewCase } from './incremental-view.ts';

const numRuns = process.env['MILLRACE_LONG'] === '1' ? 500 : 12;

/** An aggregate over groups, and what the oracle calls it. */
function ofGroups(sql: string, oracle: string = sql): ViewCase {
  const query = (aggregate: string): string => `SELECT k, ${aggregate} AS a FROM facts GROUP BY k`;
  return { title: sql, sql: query(sql), oracle: query(oracle) };
}

/** A call over a window whose order leaves no ties but equal rows. */
function ofWindow(sql: string, over: string = 'PARTITION BY k ORDER BY i, s, n, d, b'): ViewCase {
  return { title: sql, sql: `SELECT k, i, s, n, d, b, ${sql} OVER (${over}) AS w FROM (SELECT DISTINCT * FROM facts)` };
}

const groups: Readonly<Record<string, readonly ViewCase[]>> = {
  'aggregates with ORDER BY': [
    ofGroups("STRING_AGG(s, ',' ORDER BY s)"),
    ofGroups("STRING_AGG(DISTINCT s, ',' ORDER BY s DESC)"),
    ofGroups("LISTAGG(s, ',') WITHIN GROUP (ORDER BY s DESC)", "STRING_AGG(s, ',' ORDER BY s DESC)"),
    ofGroups("STRING_AGG(s, ',' ORDER BY s) FILTER (WHERE i > 0)"),
    ofGroups(
      "STRING_AGG(s, ',' ORDER BY i DESC NULLS FIRST, d, s NULLS LAST)",
      "STRING_AGG(s, ',' ORDER BY i DESC NULLS FIRST, d, s NULLS LAST)",
    ),
    ofGroups('ARRAY_AGG(i ORDER BY i DESC NULLS FIRST)[1]', '(ARRAY_AGG(i ORDER BY i DESC NULLS FIRST))[1]'),
  ],
  'aggregates of pairs and of distinct values': [
    ofGroups('COUNTIF(DISTINCT b)', 'COUNT(DISTINCT b) FILTER (WHERE b)'),
    ofGroups('REGR_COUNT(i, d)'),
    ofGroups('ARG_MIN(DISTINCT i, i)', 'MIN(i)'),
  ],
  'functions over partitions': [
    ofWindow('NTILE(3)'),
    ofWindow('NTILE(1)'),
    ofWindow('NTH_VALUE(i, 2)'),
    ofWindow('NTH_VALUE(s, 1)', 'PARTITION BY k ORDER BY i, s, n, d, b ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING'),
    ofWindow('PERCENT_RANK()', 'PARTITION BY k ORDER BY i'),
    ofWindow('CUME_DIST()', 'PARTITION BY k ORDER BY i'),
    ofWindow('BOOL_AND(b)'),
    ofWindow('COUNT(i) FILTER (WHERE b)'),
  ],
};

for (const [title, views] of Object.entries(groups)) {
  test(`${title} have the rows of the oracle after every history`, async () => {
    const duckdb = await DuckdbTables.open();
    const program = programOf(views);
    await fc.assert(
      fc.asyncProperty(histories(20), (history) => agreesWithOracle(program, views, history, duckdb)),
      { numRuns, includeErrorInReport: true },
    );
    duckdb.close();
  });
}

test.run();
