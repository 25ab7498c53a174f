// What the dialect has beyond plain SELECT, as the queries that it stands for, and aggregates with an order: on random histories against DuckDB.
import fc from 'fast-check';
import { test } from 'uvu';
import { histories } from './change-history.ts';
import { dialectViews } from './dialect-views.ts';
import { DuckdbTables } from './duckdb-tables.ts';
import { agreesWithOracle, programOf } from './incremental-view.ts';

const numRuns = process.env['MILLRACE_LONG'] === '1' ? 500 : 12;

for (const [title, views] of Object.entries(dialectViews)) {
  test(`${title} have the rows of what they stand for after every history`, async () => {
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
