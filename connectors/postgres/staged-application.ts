// Brings staged rows into the table of an output, within a transaction of the caller's.
//
// Rows of one key that are staged together count by the last of them, which takes the server a sort of all of them. Seldom are there any: so where
// nothing is deleted insertions are tried as they are, and the server itself refuses a key that comes twice. From then on they are sorted.
import type { Client } from 'pg';
import type { OutputSettings } from './output-settings.ts';
import {
  applyStatements,
  deletesStatement,
  type OutputTable,
  plainInsertions,
  type StagedRows,
} from './output-table.ts';

/** cardinality_violation: one statement would change a row twice. */
const comesTwice = '21000';
const savepoint = 'millrace_staged';

export class StagedApplication {
  readonly #settings: OutputSettings;
  #keysRepeat = false;

  constructor(settings: OutputSettings) {
    this.#settings = settings;
  }

  /** @throws what the server refuses */
  async apply(client: Client, table: OutputTable, rows: StagedRows, nowMs: number): Promise<void> {
    const found = await client.query<{ deletes: boolean }>(deletesStatement(rows));
    const deletes = found.rows[0]?.deletes !== false;
    const plain = deletes || this.#keysRepeat ? null : plainInsertions(table, this.#settings, rows);
    if (plain !== null && (await this.#inserts(client, plain))) return;
    for (const statement of applyStatements(table, this.#settings, nowMs, deletes, rows)) await client.query(statement);
  }

  /** False: a key came twice, and nothing has happened. */
  async #inserts(client: Client, statement: string): Promise<boolean> {
    await client.query(`SAVEPOINT ${savepoint}`);
    try {
      await client.query(statement);
    } catch (thrown) {
      if (!(thrown instanceof Error && 'code' in thrown && thrown.code === comesTwice)) throw thrown;
      await client.query(`ROLLBACK TO SAVEPOINT ${savepoint}`);
      this.#keysRepeat = true;
    }
    await client.query(`RELEASE SAVEPOINT ${savepoint}`);
    return !this.#keysRepeat;
  }
}
