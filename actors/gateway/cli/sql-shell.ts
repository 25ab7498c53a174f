// The SQL shell: reads statements line by line, sends each to the server when its semicolon has come, prints what comes back.
//
// `LIVE SELECT …;` and `\watch` print a query again and again until the next line, Ctrl-C or the end of the input: LIVE when one of the
// relations that the query names has changed (told by the server's egress stream), \watch after so many seconds. Errors are
// printed, and the shell goes on. The terminal is given: tests read what a pipe has got.
import { createInterface, type Interface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import type { Clock } from '../../../runtime/clock.ts';
import { textTable } from '../terminal/text-table.ts';
import { problemLines } from './problem-text.ts';
import type { ServerClient } from './server-client.ts';
import { complete, mentioned, type ShellRelation } from './sql-completion.ts';

export interface ShellSurroundings {
  readonly client: ServerClient;
  readonly pipeline: string;
  readonly relations: readonly ShellRelation[];
  readonly input: Readable;
  readonly output: Writable;
  readonly isTerminal: boolean;
  readonly clock: Clock;
}

const help = `SELECT …;          rows of materialized tables and views      INSERT INTO …;  rows into a table
LIVE SELECT …;     again whenever a relation of it changes, until ENTER
\\watch [SECONDS]   the last SELECT again and again, until ENTER (default 2)
\\d [NAME]          tables and views, or the columns of one      \\q  leave
`;
const clearScreen = '\u001b[2J\u001b[H';

/** Resolves when the input has ended or `\q` was typed. */
export async function runShell(surroundings: ShellSurroundings): Promise<void> {
  await new SqlShell(surroundings).run();
}

class SqlShell {
  readonly #given: ShellSurroundings;
  readonly #lines: Interface;
  readonly #typed: string[] = [];
  #isClosed = false;
  #onLine: (() => void) | null = null;
  #running: AbortController | null = null;
  #statement = '';
  #lastQuery = '';

  constructor(given: ShellSurroundings) {
    this.#given = given;
    const { input, output, isTerminal, relations } = given;
    const completer = (line: string): [string[], string] => complete(line, relations);
    this.#lines = createInterface({ input, output, terminal: isTerminal, completer });
    this.#lines.on('line', (line) => {
      this.#typed.push(line);
      this.#onLine?.();
    });
    this.#lines.on('close', () => {
      this.#isClosed = true;
      this.#onLine?.();
    });
    this.#lines.on('SIGINT', () => this.#interrupt());
  }

  async run(): Promise<void> {
    for (;;) {
      this.#prompt();
      const line = await this.#nextLine();
      if (line === null) break;
      if (this.#statement === '' && line.trim().startsWith('\\')) {
        if (!(await this.#command(line.trim()))) break;
        continue;
      }
      this.#statement += `${line}\n`;
      if (!/;\s*$/.test(line)) {
        if (this.#statement.trim() === '') this.#statement = '';
        continue;
      }
      const sql = this.#statement.trim();
      this.#statement = '';
      await this.#attempt(() => this.#execute(sql));
    }
    // What was not ended with a semicolon is not sent: half an INSERT is nobody's wish.
    this.#lines.close();
  }

  #prompt(): void {
    if (!this.#given.isTerminal) return;
    this.#lines.setPrompt(`${this.#given.pipeline}${this.#statement === '' ? '=>' : '->'} `);
    this.#lines.prompt();
  }

  async #nextLine(): Promise<string | null> {
    if (this.#typed.length === 0 && !this.#isClosed) await this.#lineTyped();
    return this.#typed.shift() ?? null;
  }

  #lineTyped(): Promise<void> {
    return new Promise((resolve) => {
      this.#onLine = () => {
        this.#onLine = null;
        resolve();
      };
    });
  }

  #interrupt(): void {
    if (this.#running !== null) this.#running.abort();
    else {
      this.#statement = '';
      this.#out('\n');
      this.#prompt();
    }
  }

  /** Whether the shell goes on. */
  async #command(line: string): Promise<boolean> {
    const [name = '', argument = ''] = line.split(/\s+/);
    if (name === '\\q') return false;
    if (name === '\\?') this.#out(help);
    else if (name === '\\d') this.#describe(argument.replace(/;$/, ''));
    else if (name === '\\watch') await this.#attempt(() => this.#watch(argument));
    else this.#out(`there is no command ${name}; \\? lists them\n`);
    return true;
  }

  #describe(name: string): void {
    const { relations } = this.#given;
    if (name === '') {
      this.#table(
        ['name', 'kind'],
        relations.map((relation) => ({ name: relation.name, kind: relation.kind })),
      );
      return;
    }
    const wanted = name.replaceAll('"', '');
    const found = relations.find((relation) => relation.name === wanted || relation.name === wanted.toLowerCase());
    if (found === undefined) {
      this.#out(`there is no table or view ${name}; \\d lists them\n`);
      return;
    }
    const rows = found.columns.map((column) => ({ ...column, nullable: column.nullable ? '' : 'NOT NULL' }));
    this.#table(['name', 'type', 'nullable'], rows);
  }

  async #execute(sql: string): Promise<void> {
    const live = /^live\s+([\s\S]*)$/i.exec(sql)?.[1];
    if (live !== undefined) {
      await this.#live(live);
      return;
    }
    this.#lastQuery = sql;
    await this.#whileRunning((signal) => this.#print(sql, signal));
  }

  async #watch(argument: string): Promise<void> {
    const seconds = argument === '' ? 2 : Number(argument);
    if (!(seconds > 0)) this.#out('\\watch SECONDS: a number above 0\n');
    else if (this.#lastQuery === '') this.#out('there is no query yet to be watched\n');
    else {
      await this.#repeat(async (signal) => {
        await this.#print(this.#lastQuery, signal);
        await new Promise<void>((resolve) => {
          this.#given.clock.after(seconds * 1000, resolve);
          signal.addEventListener('abort', () => resolve(), { once: true });
        });
      });
    }
  }

  async #live(sql: string): Promise<void> {
    const relations = mentioned(sql, this.#given.relations);
    if (relations.length === 0) {
      this.#out('LIVE: the query names no table or view\n');
      return;
    }
    this.#lastQuery = sql;
    const left = new AbortController();
    const changes = new Changes();
    const streams = relations.map(({ name }) =>
      this.#follow(name, changes, left.signal).catch((error: unknown) => {
        if (!left.signal.aborted) changes.fail(error);
      }),
    );
    try {
      await changes.attached(relations.length, left.signal);
      await this.#repeat(async (signal) => {
        await this.#print(sql, signal);
        await changes.next(signal);
      });
    } finally {
      left.abort();
      await Promise.all(streams);
    }
  }

  /** Reads the changes of a relation; what they are does not matter. */
  async #follow(relation: string, changes: Changes, signal: AbortSignal): Promise<void> {
    const { client, pipeline } = this.#given;
    const path = `/egress/${encodeURIComponent(relation)}?format=json`;
    const { body } = await client.ask(pipeline, path, { method: 'POST', signal });
    if (body === null) return;
    const decoder = new TextDecoder();
    let rest = '';
    let isFirst = true;
    for await (const bytes of body) {
      if (isFirst) changes.attach();
      isFirst = false;
      const lines = (rest + decoder.decode(bytes, { stream: true })).split('\n');
      rest = lines.pop() ?? '';
      // A line without data says only that the stream is alive.
      if (lines.some((line) => line.includes('_data"'))) changes.note();
    }
    changes.fail(new Error(`the changes of ${relation} have come to an end`));
  }

  /** `once` again and again, until a line is typed, Ctrl-C is pressed or the input ends. */
  async #repeat(once: (signal: AbortSignal) => Promise<void>): Promise<void> {
    await this.#whileRunning(async (signal, stop) => {
      const typed = this.#typed.length > 0 || this.#isClosed ? Promise.resolve() : this.#lineTyped();
      void typed.then(stop);
      while (!signal.aborted) {
        if (this.#given.isTerminal) this.#out(clearScreen);
        await once(signal);
      }
    });
    // The line that has ended it is of no further meaning where somebody types.
    if (this.#given.isTerminal) this.#typed.splice(0);
  }

  async #whileRunning(run: (signal: AbortSignal, stop: () => void) => Promise<void>): Promise<void> {
    const abort = new AbortController();
    this.#running = abort;
    try {
      await run(abort.signal, () => abort.abort());
    } catch (error) {
      if (!abort.signal.aborted) throw error;
      this.#out('\n');
    } finally {
      this.#running = null;
    }
  }

  async #print(sql: string, signal: AbortSignal): Promise<void> {
    const { client, pipeline } = this.#given;
    const response = await client.query(pipeline, sql, 'text', signal);
    this.#out(await response.text());
  }

  async #attempt(run: () => Promise<void>): Promise<void> {
    try {
      await run();
    } catch (error) {
      this.#out(`${problemLines(error)[0] ?? ''}\n`);
    }
  }

  #table(columns: readonly string[], rows: readonly Readonly<Record<string, unknown>>[]): void {
    this.#out(`${textTable(columns, rows).join('\n')}\n`);
  }

  #out(text: string): void {
    this.#given.output.write(text);
  }
}

/** Whether something has changed since it was last asked. */
class Changes {
  #hasChanged = false;
  #numAttached = 0;
  #failure: unknown = null;
  #wake: (() => void) | null = null;

  attach(): void {
    this.#numAttached++;
    this.#wake?.();
  }

  note(): void {
    this.#hasChanged = true;
    this.#wake?.();
  }

  fail(error: unknown): void {
    this.#failure = error;
    this.#wake?.();
  }

  /** Resolves when so many streams deliver every later change. */
  async attached(count: number, signal: AbortSignal): Promise<void> {
    await this.#until(() => this.#numAttached >= count, signal);
  }

  async next(signal: AbortSignal): Promise<void> {
    await this.#until(() => this.#hasChanged, signal);
    this.#hasChanged = false;
  }

  async #until(condition: () => boolean, signal: AbortSignal): Promise<void> {
    while (!condition() && !signal.aborted) {
      if (this.#failure !== null) throw this.#failure;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
    }
  }
}
