// The tables of a sqllogictest script, and its queries over them in two ways.
//
//   at once       the tables are full, then the query is computed over them
//   row by row    the query is a view of a fresh circuit, which then gets the rows of all tables one by one in random order
// CREATE and DROP of tables and views, INSERT, REPLACE, UPDATE and DELETE change what there is. Statements that mean nothing to a
// program (indexes, triggers, settings) are skipped and counted by their kind.
import type { Circuit } from '../../actors/engine/circuit/circuit.ts';
import { planProgram } from '../../actors/engine/plan/planner.ts';
import type { BoundProgram } from '../../actors/engine/sql/bound.ts';
import { compileInsert, compileProgram, compileQuery } from '../../actors/engine/sql/compile-program.ts';
import type { ChangeBatch } from '../../runtime/batch/change-batch.ts';
import { sliceBatch } from '../../runtime/batch/slice-batch.ts';
import type { Query } from './slt-script.ts';

export type Outcome = 'done' | 'skipped';

export class SltDatabase {
  /** How many statements of each kind were skipped. */
  readonly skipped: Map<string, number> = new Map();
  /** Statements by the names that they declare. */
  #tables: ReadonlyMap<string, string> = new Map();
  #views: ReadonlyMap<string, string> = new Map();
  /** Views that read a view which is not there any more. */
  readonly #orphans: Set<string> = new Set();
  #program: BoundProgram = { tables: [], views: [] };
  #circuit: Circuit = planProgram(this.#program, { onError: 'stop' });

  /** Runs a statement. @throws what is wrong with it. */
  run(sql: string): Outcome {
    const [, verb = '', object = ''] = /^\s*(\w+)\s+(\w+)/.exec(sql.toUpperCase()) ?? [];
    const [, optional, name = ''] = /^\s*\w+\s+\w+\s+(IF\s+EXISTS\s+)?(\w+)/i.exec(sql) ?? [];
    if (verb === 'CREATE' && object === 'TABLE') this.#declareTable(name.toLowerCase(), sql);
    else if (verb === 'CREATE' && object === 'VIEW') this.#declareView(name.toLowerCase(), sql);
    else if (verb === 'DROP' && object === 'TABLE') this.#dropTable(name.toLowerCase(), optional !== undefined);
    else if (verb === 'DROP' && object === 'VIEW') this.#dropView(name.toLowerCase(), optional !== undefined);
    else if (verb === 'INSERT' || verb === 'REPLACE') this.#insert(sql);
    else if (verb === 'DELETE') this.#delete(sql);
    else if (verb === 'UPDATE') this.#update(sql);
    else if (verb === 'SELECT' || verb === 'VALUES' || verb === 'WITH') this.query(sql);
    else {
      const kind = verb === 'CREATE' || verb === 'DROP' ? `${verb} ${object}` : verb;
      this.skipped.set(kind, (this.skipped.get(kind) ?? 0) + 1);
      return 'skipped';
    }
    return 'done';
  }

  /** The rows of a query over the tables as they are. @throws */
  query(sql: string): readonly ChangeBatch[] {
    const relations = [...this.#program.tables, ...this.#program.views].map(({ relation }) => relation);
    const { query, displayOrder } = compileQuery(sql, relations);
    return this.#circuit.query(query, displayOrder);
  }

  /** The rows of each query as a view that got all rows one by one, in an order that `random` makes; or what went wrong. */
  viewsRowByRow(queries: readonly Query[], random: () => number): readonly (readonly ChangeBatch[] | Error)[] {
    const declared = queries.map(({ sql, types }, i) => {
      // Two columns of a query may have the same name, those of a view may not.
      const names = [...types].map((_, column) => `column${column}`);
      return `CREATE MATERIALIZED VIEW slt_view_${i} (${names.join(', ')}) AS ${sql}`;
    });
    const before = [...this.#tables.values(), ...this.#views.values()];
    const { program, problems } = compileProgram([...before, ...declared].join(';\n'));
    if (program === null) {
      if (queries.length === 1) return [problems[0]!];
      const half = queries.length >> 1;
      return [
        ...this.viewsRowByRow(queries.slice(0, half), random),
        ...this.viewsRowByRow(queries.slice(half), random),
      ];
    }
    // What has no value before all rows are there (1 / COUNT(*)) is taken back when it gets one.
    const circuit = planProgram(program, { onError: 'skip' });
    circuit.step(new Map());
    for (const [table, row] of shuffled(this.#rows(), random)) circuit.step(new Map([[table, [row]]]));
    return program.views
      .slice(this.#views.size)
      .map(({ relation, displayOrder }) =>
        circuit.query({ kind: 'scan', relation: relation.name, schema: relation.schema }, displayOrder),
      );
  }

  #declareTable(name: string, sql: string): void {
    if (this.#tables.has(name)) throw new Error(`there is a table ${name}`);
    // SQLite keeps texts of any length in VARCHAR(8).
    const plain = sql.replace(/\bWITHOUT ROWID\b/i, '').replace(/\bVARCHAR\s*\(\d+\)/gi, 'VARCHAR');
    const text = `${plain} WITH ('materialized' = 'true')`;
    this.#rebuild(new Map([...this.#tables, [name, text]]), this.#views);
  }

  #declareView(name: string, sql: string): void {
    if (this.#views.has(name)) throw new Error(`there is a view ${name}`);
    const text = sql.replace(/^\s*CREATE\s+VIEW/i, 'CREATE MATERIALIZED VIEW');
    this.#rebuild(this.#tables, new Map([...this.#views, [name, text]]));
  }

  #dropTable(name: string, optional: boolean): void {
    const rest = new Map(this.#tables);
    if (rest.delete(name)) this.#rebuild(rest, this.#views);
    else if (!optional) throw new Error(`there is no table ${name}`);
  }

  #dropView(name: string, optional: boolean): void {
    const rest = new Map(this.#views);
    if (!rest.delete(name)) {
      if (!this.#orphans.delete(name) && !optional) throw new Error(`there is no view ${name}`);
      return;
    }
    const gone = [name];
    for (let lost = gone.pop(); lost !== undefined; lost = gone.pop()) {
      const reads = new RegExp(`\\b${lost}\\b`, 'i');
      for (const [reader, text] of rest) {
        if (!reads.test(text)) continue;
        rest.delete(reader);
        this.#orphans.add(reader);
        gone.push(reader);
      }
    }
    this.#rebuild(this.#tables, rest);
  }

  /** A circuit of these tables and views with the rows that there are. */
  #rebuild(tables: ReadonlyMap<string, string>, views: ReadonlyMap<string, string>): void {
    const { program, problems } = compileProgram([...tables.values(), ...views.values()].join(';\n'));
    if (program === null) throw problems[0]!;
    const before = new Map(
      this.#program.tables
        .map(({ relation }) => relation.name)
        .filter((name) => tables.has(name))
        .map((name) => [name, this.#circuit.contents(name)] as const),
    );
    this.#tables = tables;
    this.#views = views;
    this.#program = program;
    this.#circuit = planProgram(program, { onError: 'stop' });
    this.#circuit.step(before);
  }

  #insert(sql: string): void {
    const relations = this.#program.tables.map((table) => table.relation);
    // A row of a table with a key takes the place of the one that had it: the two are the same here.
    const plain = sql.replace(/^\s*(INSERT\s+OR\s+REPLACE|REPLACE)\b/i, 'INSERT');
    const { relation, query } = compileInsert(plain, this.#program.tables, relations);
    const batches = this.#circuit.query(query.query, query.displayOrder);
    this.#circuit.step(new Map([[relation.name, batches]]));
  }

  #delete(sql: string): void {
    const [, name = '', where = ''] = /^\s*DELETE\s+FROM\s+(\w+)\s*([\s\S]*)$/i.exec(sql) ?? [];
    this.#table(name);
    const gone = this.query(`SELECT * FROM ${name} ${where}`);
    this.#circuit.step(new Map([[name.toLowerCase(), gone.map(negated)]]));
  }

  #update(sql: string): void {
    const [, name = '', list = '', where = ''] =
      /^\s*UPDATE\s+(\w+)\s+SET\s+([\s\S]*?)(?:\s+(WHERE[\s\S]*))?$/i.exec(sql) ?? [];
    const table = this.#table(name);
    const values = new Map(
      list.split(',').map((part) => part.split('=').map((side) => side.trim()) as [string, string]),
    );
    const { fields } = table.relation.schema;
    const unknown = [...values.keys()].find((column) => !fields.some((field) => field.name === column));
    if (unknown !== undefined) throw new Error(`there is no column ${unknown}`);
    const columns = fields.map((field) => values.get(field.name) ?? field.name);
    const before = this.query(`SELECT * FROM ${name} ${where ?? ''}`);
    const names = fields.map((field) => field.name).join(', ');
    const relations = this.#program.tables.map((one) => one.relation);
    const insert = `INSERT INTO ${name} (${names}) SELECT ${columns.join(', ')} FROM ${name} ${where ?? ''}`;
    const { query } = compileInsert(insert, this.#program.tables, relations);
    const after = this.#circuit.query(query.query, query.displayOrder);
    this.#circuit.step(new Map([[table.relation.name, [...before.map(negated), ...after]]]));
  }

  #table(name: string): BoundProgram['tables'][number] {
    const table = this.#program.tables.find(({ relation }) => relation.name === name.toLowerCase());
    if (table === undefined) throw new Error(`there is no table ${name}`);
    return table;
  }

  #rows(): [string, ChangeBatch][] {
    return this.#program.tables.flatMap(({ relation }) =>
      this.#circuit
        .contents(relation.name)
        .flatMap((batch) =>
          Array.from({ length: batch.rows }, (_, row): [string, ChangeBatch] => [
            relation.name,
            sliceBatch(batch, row, row + 1),
          ]),
        ),
    );
  }
}

function negated(batch: ChangeBatch): ChangeBatch {
  const weights = new Int32Array(batch.rows).map((_, row) => -(batch.weights === null ? 1 : batch.weights[row]!));
  return { ...batch, weights };
}

function shuffled<T>(items: readonly T[], random: () => number): T[] {
  const all = [...items];
  for (let i = all.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [all[i], all[j]] = [all[j]!, all[i]!];
  }
  return all;
}
