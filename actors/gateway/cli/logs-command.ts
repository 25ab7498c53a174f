// `millrace logs PIPELINE`: the log of a pipeline of a server, up to its latest line or, with --follow, on and on.

import { jsonText } from '../terminal/json-text.ts';
import { type Command, exitCodes } from './command.ts';
import { ServerClient, serverOptions } from './server-client.ts';

export const logsCommand: Command = {
  name: 'logs',
  synopsis: 'logs PIPELINE [--follow] [--json] [--url URL] [--api-key KEY]',
  summary: 'Prints the log of a pipeline of a server.',
  description: `Prints the lines that the server keeps; --follow goes on with what comes, until a signal or the end of the
pipeline. --json prints {"line": …} a line. --url and --api-key may be given as MILLRACE_URL and MILLRACE_API_KEY.`,
  options: { ...serverOptions, json: { type: 'boolean' }, follow: { type: 'boolean' } },
  operands: 1,
  async run(operands, options, tools): Promise<number> {
    const [pipeline = ''] = operands;
    const client = new ServerClient(options, tools.environment);
    const ending = new AbortController();
    const end = (): void => ending.abort();
    const print = (line: string): void => tools.out(options['json'] === true ? `${jsonText({ line })}\n` : `${line}\n`);
    process.once('SIGINT', end).once('SIGTERM', end);
    try {
      const path = options['follow'] === true ? '/logs' : '/logs?follow=false';
      const { body } = await client.ask(pipeline, path, { signal: ending.signal });
      if (body !== null) await printLines(body, print);
    } catch (error) {
      if (!ending.signal.aborted) throw error;
    } finally {
      process.off('SIGINT', end).off('SIGTERM', end);
    }
    return exitCodes.ok;
  },
};

async function printLines(body: ReadableStream<Uint8Array>, print: (line: string) => void): Promise<void> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const bytes of body) {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) print(line);
  }
}
