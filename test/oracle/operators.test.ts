// Every operator on random histories against DuckDB. MILLRACE_LONG=1 runs many more of them.
import fc from 'fast-check';
import { test } from 'uvu';
import { histories } from './change-history.ts';
import { DuckdbTables } from './duckdb-tables.ts';
import { agreesWithOracle, programOf } from './incremental-view.ts';
import { operatorViews } from './operator-views.ts';

const long = process.env['MILLRACE_LONG'] === '1';
const numRuns = long ? 1000 : 12;

const duckdb = await DuckdbTables.open();
test.after(() => duckdb.close());

for (const [name, views] of Object.entries(operatorViews)) {
  test(`${name} give what a batch query over the final tables gives`, async () => {
    const program = programOf(views);
    await fc.assert(
      fc.asyncProperty(histories(14), (history) => agreesWithOracle(program, views, history, duckdb)),
      { numRuns },
    );
  });
}

test.run();
