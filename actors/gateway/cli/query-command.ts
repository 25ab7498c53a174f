// `millrace query PIPELINE SQL`: an ad-hoc query against a server, its result as it comes.
import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline as pipe } from 'node:stream/promises';
import { type Command, exitCodes, type Tools, UsageError } from './command.ts';
import { checkResultFile } from './result-file.ts';
import { ServerClient, serverOptions } from './server-client.ts';

const formats = ['text', 'json', 'csv', 'parquet', 'arrow_ipc', 'hash'];
const binaryFormats = ['parquet', 'arrow_ipc'];
const tailLength = 4_096;

export const queryCommand: Command = {
  name: 'query',
  synopsis: 'query PIPELINE SQL [--format FORMAT] [--json] [--output FILE] [--url URL] [--api-key KEY]',
  summary: 'Runs an ad-hoc query, or INSERT INTO, against a pipeline of a server.',
  description: `Prints a table; --json prints a JSON object a line, --format is one of ${formats.join(', ')}. --output writes
the result to a file, which parquet and arrow_ipc need. SELECT reads materialized tables and views. --url and --api-key may
be given as MILLRACE_URL and MILLRACE_API_KEY.`,
  options: { ...serverOptions, format: { type: 'string' }, json: { type: 'boolean' }, output: { type: 'string' } },
  operands: 2,
  async run(operands, options, tools): Promise<number> {
    const [pipeline = '', sql = ''] = operands;
    const format = options['format'] ?? (options['json'] === true ? 'json' : 'text');
    const output = options['output'];
    if (typeof format !== 'string' || !formats.includes(format)) {
      throw new UsageError({ detail: `--format is one of ${formats.join(', ')}, not "${String(format)}"` });
    }
    if (typeof output === 'string') checkResultFile(output);
    if (binaryFormats.includes(format) && output === undefined) {
      throw new UsageError({ detail: `${format} is not for a terminal: name a file with --output` });
    }
    const { body } = await new ServerClient(options, tools.environment).query(pipeline, sql, format);
    if (body === null) return exitCodes.ok;
    if (typeof output === 'string') {
      await pipe(Readable.fromWeb(body), createWriteStream(output));
      return exitCodes.ok;
    }
    return (await print(body, tools)) ? exitCodes.failed : exitCodes.ok;
  },
};

/** Whether the reply ends with an error of a query that had begun. */
async function print(body: ReadableStream<Uint8Array>, tools: Tools): Promise<boolean> {
  const decoder = new TextDecoder();
  let tail = '';
  for await (const bytes of body) {
    const text = decoder.decode(bytes, { stream: true });
    tools.out(text);
    tail = (tail + text).slice(-tailLength);
  }
  if (!tail.endsWith('\n')) tools.out('\n');
  return endsWithError(tail);
}

export function endsWithError(text: string): boolean {
  const last = text.trimEnd().split('\n').at(-1) ?? '';
  return /^ERROR: |^\{"error":"(?:[^"\\]|\\.)*"\}$/.test(last);
}
