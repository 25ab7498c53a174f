// DuckDB as the batch oracle: final tables in, the rows of a query out, as text.
//
// Every value is compared as text that DuckDB made of it (DOUBLE as the number it reads as), so that nothing of our own
// formatting decides. One in-memory database for a test file; tables are made anew for each comparison.
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';

export type CellText = string | null;

export class DuckdbTables {
  readonly #instance: DuckDBInstance;
  readonly #connection: DuckDBConnection;

  private constructor(instance: DuckDBInstance, connection: DuckDBConnection) {
    this.#instance = instance;
    this.#connection = connection;
  }

  static async open(): Promise<DuckdbTables> {
    const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
    const connection = await instance.connect();
    // A NULL counts as the smallest value, as it does in views.
    await connection.run("SET default_null_order = 'nulls_first_on_asc_last_on_desc'");
    return new DuckdbTables(instance, connection);
  }

  /** Makes a table of these columns (`name TYPE`) with these rows of SQL literals. */
  async fill(name: string, columns: readonly string[], rows: readonly (readonly string[])[]): Promise<void> {
    await this.#connection.run(`CREATE OR REPLACE TABLE ${name} (${columns.join(', ')})`);
    if (rows.length === 0) return;
    await this.#connection.run(`INSERT INTO ${name} VALUES ${rows.map((row) => `(${row.join(', ')})`).join(', ')}`);
  }

  async rows(query: string): Promise<CellText[][]> {
    const reader = await this.#connection.runAndReadAll(`SELECT COLUMNS(*)::VARCHAR FROM (${query})`);
    return reader.getRows().map((row) => row.map((value) => (value === null ? null : String(value))));
  }

  close(): void {
    this.#connection.closeSync();
    this.#instance.closeSync();
  }
}
