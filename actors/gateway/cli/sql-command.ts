// `millrace sql PIPELINE`: an interactive SQL shell against a pipeline of a server.
import { systemClock } from '../../../runtime/clock.ts';
import { type Command, exitCodes } from './command.ts';
import { ServerClient, serverOptions } from './server-client.ts';
import type { ShellRelation } from './sql-completion.ts';
import { runShell } from './sql-shell.ts';

export const sqlCommand: Command = {
  name: 'sql',
  synopsis: 'sql PIPELINE [--url URL] [--api-key KEY]',
  summary: 'A SQL shell against a pipeline of a server.',
  description: `Statements end with a semicolon. TAB completes keywords, tables, views and columns; \\d lists tables and views,
\\d NAME shows columns, \\q leaves. LIVE SELECT … prints the result again whenever a table or view of it changes, \\watch
prints the last one every two seconds; ENTER ends both. Reads statements from a pipe, too.`,
  options: serverOptions,
  operands: 1,
  async run(operands, options, tools): Promise<number> {
    const [pipeline = ''] = operands;
    const client = new ServerClient(options, tools.environment);
    const relations = readRelations(await (await client.ask(pipeline, '')).json());
    const isTerminal = process.stdin.isTTY === true && process.stdout.isTTY === true;
    if (isTerminal) tools.err(`pipeline ${pipeline}, ${relations.length} tables and views; \\? for help\n`);
    await runShell({
      client,
      pipeline,
      relations,
      input: process.stdin,
      output: process.stdout,
      isTerminal,
      clock: systemClock,
    });
    return exitCodes.ok;
  },
};

/** Tables and views of a pipeline's descriptor; what is not there, or not of the known form, is left out. */
export function readRelations(descriptor: unknown): readonly ShellRelation[] {
  const schema = member(member(descriptor, 'program_info'), 'schema');
  const read = (part: string, kindOf: (relation: unknown) => ShellRelation['kind']): ShellRelation[] =>
    list(member(schema, part)).map((relation) => ({
      name: String(member(relation, 'name')),
      kind: kindOf(relation),
      columns: list(member(relation, 'fields')).map((field) => {
        const type = member(field, 'columntype');
        const name = String(member(field, 'name'));
        return { name, type: typeText(type), nullable: member(type, 'nullable') !== false };
      }),
    }));
  return [
    ...read('inputs', () => 'table'),
    ...read('outputs', (view) => (member(view, 'materialized') === true ? 'materialized view' : 'view')),
  ];
}

/** As a program spells it, as far as the server says it. */
function typeText(type: unknown): string {
  const name = String(member(type, 'type'));
  const [precision, scale] = [member(type, 'precision'), member(type, 'scale')];
  if (name !== 'DECIMAL' || typeof precision !== 'number') return name;
  return typeof scale === 'number' && scale !== 0 ? `DECIMAL(${precision}, ${scale})` : `DECIMAL(${precision})`;
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
