// `millrace create`, `start`, `stop` and `delete`: the life of a pipeline of a server. Each ends when what it asks for is so, or
// fails with what the server says of why it is not.
import { readFileSync } from 'node:fs';
import { type CodedErrorClass, defineError } from '../../../runtime/errors.ts';
import { jsonText } from '../terminal/json-text.ts';
import { type Command, exitCodes, type OptionValues, type Tools, UsageError } from './command.ts';
import { moment } from './poll-moment.ts';
import { list, member, text } from './reply-fields.ts';
import { ServerClient, serverOptions } from './server-client.ts';

export const ProgramRefused: CodedErrorClass<{ readonly pipeline: string; readonly problems: readonly string[] }> =
  defineError(
    'server.program_refused',
    { help: 'Correct the program and create the pipeline again; nothing is left of it.' },
    (f) => `the program of pipeline "${f.pipeline}" does not compile:\n${f.problems.join('\n')}`,
  );

export const NotReached: CodedErrorClass<{
  readonly pipeline: string;
  readonly wanted: string;
  readonly status: string;
  readonly reason: string;
}> = defineError(
  'server.not_reached',
  { help: '`millrace status PIPELINE` and `millrace logs PIPELINE` say more.' },
  (f) => `pipeline "${f.pipeline}" is ${f.status}, not ${f.wanted}${f.reason === '' ? '' : `: ${f.reason}`}`,
);

const environmentNote = '--url and --api-key may be given as MILLRACE_URL and\nMILLRACE_API_KEY.';
const jsonNote = `--json prints an object with pipeline and status. ${environmentNote}`;
const compiling: ReadonlySet<string> = new Set(['Pending', 'CompilingSql', 'SqlCompiled', 'CompilingRust']);

export const createCommand: Command = {
  name: 'create',
  synopsis: 'create PIPELINE FILE.sql [--start] [--json] [--url URL] [--api-key KEY]',
  summary: 'Makes a pipeline of a server from a SQL program.',
  description: `Reads the program from FILE.sql (-: from the standard input) and ends when the server has compiled it; a program that does
not compile leaves no pipeline behind. --start starts it then. ${jsonNote}`,
  options: { ...serverOptions, json: { type: 'boolean' }, start: { type: 'boolean' } },
  operands: 2,
  async run([name = '', file = ''], options, tools): Promise<number> {
    const client = new ServerClient(options, tools.environment);
    const body = JSON.stringify({ name, program_code: readProgram(file) });
    await client.call('/pipelines', { method: 'POST', body });
    let pipeline = await statusOf(client, name);
    for (; compiling.has(text(pipeline, 'program_status')); pipeline = await statusOf(client, name)) await moment();
    if (text(pipeline, 'program_status') !== 'Success') {
      const problems = problemsOf(await (await client.ask(name, '')).json());
      await client.ask(name, '', { method: 'DELETE' });
      throw new ProgramRefused({ pipeline: name, problems });
    }
    if (options['start'] !== true) return told(tools, options, name, 'created');
    return await start(client, name, 'Running', options, tools);
  },
};

export const startCommand: Command = {
  name: 'start',
  synopsis: 'start PIPELINE [--paused] [--json] [--url URL] [--api-key KEY]',
  summary: 'Starts a pipeline of a server and waits until it runs.',
  description: `Goes on from the latest checkpoint where there is one. --paused: its inputs wait for \`millrace resume\`. The error of the
last deployment is forgotten. ${jsonNote}`,
  options: { ...serverOptions, json: { type: 'boolean' }, paused: { type: 'boolean' } },
  operands: 1,
  async run([name = ''], options, tools): Promise<number> {
    const wanted = options['paused'] === true ? 'Paused' : 'Running';
    return await start(new ServerClient(options, tools.environment), name, wanted, options, tools);
  },
};

export const stopCommand: Command = {
  name: 'stop',
  synopsis: 'stop PIPELINE [--force] [--json] [--url URL] [--api-key KEY]',
  summary: 'Takes a checkpoint of a pipeline of a server, stops it and waits until it is stopped.',
  description: `--force stops it at once: without a checkpoint, and what has not reached its outputs does not reach them. ${jsonNote}`,
  options: { ...serverOptions, json: { type: 'boolean' }, force: { type: 'boolean' } },
  operands: 1,
  async run([name = ''], options, tools): Promise<number> {
    const client = new ServerClient(options, tools.environment);
    await client.ask(name, `/stop?force=${options['force'] === true}`, { method: 'POST' });
    const pipeline = await until(client, name, 'Stopped');
    const error = member(pipeline, 'deployment_error');
    // Stopped, but not as it was asked for.
    if (text(error, 'error_code') === 'SuspendError') {
      const reason = text(error, 'message');
      throw new NotReached({ pipeline: name, wanted: 'stopped with a checkpoint', status: 'stopped', reason });
    }
    return told(tools, options, name, 'stopped');
  },
};

export const deleteCommand: Command = {
  name: 'delete',
  synopsis: 'delete PIPELINE [--force] [--json] [--url URL] [--api-key KEY]',
  summary: 'Deletes a pipeline of a server.',
  description: `The pipeline has to be stopped and without stored contents; --force stops it at once and drops what is stored. ${jsonNote}`,
  options: { ...serverOptions, json: { type: 'boolean' }, force: { type: 'boolean' } },
  operands: 1,
  async run([name = ''], options, tools): Promise<number> {
    const client = new ServerClient(options, tools.environment);
    if (options['force'] === true) {
      await client.ask(name, '/stop?force=true', { method: 'POST' });
      await until(client, name, 'Stopped');
      await client.ask(name, '/clear', { method: 'POST' });
      while (text(await statusOf(client, name), 'storage_status') !== 'Cleared') await moment();
    }
    await client.ask(name, '', { method: 'DELETE' });
    return told(tools, options, name, 'deleted');
  },
};

async function start(
  client: ServerClient,
  name: string,
  wanted: 'Running' | 'Paused',
  options: OptionValues,
  tools: Tools,
): Promise<number> {
  await client.ask(name, `/start?initial=${wanted.toLowerCase()}`, { method: 'POST' });
  await until(client, name, wanted);
  return told(tools, options, name, wanted.toLowerCase());
}

/** @throws NotReached when it has been stopped, or waits for somebody. */
async function until(client: ServerClient, name: string, wanted: string): Promise<unknown> {
  for (;;) {
    const pipeline = await statusOf(client, name);
    const status = text(pipeline, 'deployment_status');
    if (status === wanted) return pipeline;
    const isOver = status === 'Stopped' && text(pipeline, 'deployment_desired_status') === 'Stopped';
    if (isOver || status === 'AwaitingApproval') {
      const reason = text(member(pipeline, 'deployment_error'), 'message');
      throw new NotReached({ pipeline: name, wanted: wanted.toLowerCase(), status: status.toLowerCase(), reason });
    }
    await moment();
  }
}

async function statusOf(client: ServerClient, name: string): Promise<unknown> {
  return await (await client.ask(name, '?selector=status')).json();
}

function problemsOf(pipeline: unknown): readonly string[] {
  const error = member(pipeline, 'program_error');
  const messages = list(member(member(error, 'sql_compilation'), 'messages'));
  return messages.map((each) => `${text(each, 'error_type')}: ${text(each, 'message')}\n${text(each, 'snippet')}`);
}

function readProgram(file: string): string {
  try {
    return readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch (cause) {
    const detail = `${file} cannot be read: ${cause instanceof Error ? cause.message : cause}`;
    throw new UsageError({ detail }, { cause });
  }
}

function told(tools: Tools, options: OptionValues, pipeline: string, status: string): number {
  tools.out(options['json'] === true ? `${jsonText({ pipeline, status })}\n` : `${pipeline} is ${status}\n`);
  return exitCodes.ok;
}
