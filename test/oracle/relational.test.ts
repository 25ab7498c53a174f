// Subqueries, joins of every kind, windows, recursion and grouping sets on random histories against DuckDB.
import fc from 'fast-check';
import { test } from 'uvu';
import { histories } from './change-history.ts';
import { DuckdbTables } from './duckdb-tables.ts';
import { agreesWithOracle, programOf } from './incremental-view.ts';
import { relationalViews } from './relational-views.ts';

const long = process.env['MILLRACE_LONG'] === '1';
const numRuns = long ? 500 : 12;

for (const [title, views] of Object.entries(relationalViews)) {
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
