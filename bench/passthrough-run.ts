// A pipeline without SQL, from a source through the relay to a file, counted at its far end. Prints one JSON line
// {seconds, cpuSeconds, busiestSeconds, rows, checksum}; cpuSeconds is what all threads of the process took together while the clock
// ran, busiestSeconds the CPU time of the busiest of them, which is what bounds the speed on a machine with a core for each.
//
//   node dist/bench/passthrough-run.js file-file|file-json|generator-file LINES
//
// file-file copies lines of 100 bytes as they are ({{ printf "%s" .Payload.After }}), file-json writes whole records (opencdc/json),
// generator-file writes made-up raw records of three fields. The clock runs from the start of the pipeline until the last line is in
// the file; then the lines are counted, and of file-file every byte is compared.
import { createReadStream, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ControlConnection } from '../actors/gateway/embedded/control-connection.ts';
import { journalPort } from '../actors/journal-port.ts';
import { defaultDeadLetterQueue, type RelayConnector } from '../actors/relay-definition.ts';
import { memoryJournal } from '../actors/supervisor/memory-journal.ts';
import { systemClock } from '../runtime/clock.ts';
import { transfer } from '../runtime/thread/remote.ts';
import { ThreadTimes } from './thread-times.ts';

const [kind = 'file-file', linesText = '2000000'] = process.argv.slice(2);
const lines = Number(linesText);
const folder = mkdtempSync(join(tmpdir(), 'millrace-passthrough-'));
const input = join(folder, 'in.txt');
const output = join(folder, 'out.txt');

try {
  if (kind !== 'generator-file') writeInput();
  const running = await openPipeline();
  const startedAt = performance.now();
  const cpuBefore = process.cpuUsage();
  const threads = new ThreadTimes();
  await running.call('start', (control) => control.start({ paused: false }));
  await wholeOutput();
  const seconds = (performance.now() - startedAt) / 1000;
  const cpu = process.cpuUsage(cpuBefore);
  const cpuSeconds = (cpu.user + cpu.system) / 1e6;
  const [busiestSeconds = 0] = threads.finish();
  await running.call('stop', (control) => control.stop({ force: false, timeoutMs: 10_000 }));
  await running.end();
  const { count, same } = await compare();
  if (!same) throw new Error('the output is not the input');
  console.log(JSON.stringify({ seconds, cpuSeconds, busiestSeconds, rows: lines, checksum: `${count} lines` }));
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function lineOf(i: number): string {
  return `${`${i} `.padEnd(99, 'the quick brown fox jumps over the lazy dog ')}\n`;
}

function writeInput(): void {
  const part: string[] = [];
  writeFileSync(input, '');
  for (let i = 0; i < lines; i++) {
    part.push(lineOf(i));
    if (part.length === 10_000 || i === lines - 1) writeFileSync(input, part.splice(0).join(''), { flag: 'a' });
  }
}

function connector(
  type: RelayConnector['type'],
  plugin: string,
  settings: Readonly<Record<string, string>>,
): RelayConnector {
  return { id: `bench:${type}`, type, plugin, name: type, settings, processors: [] };
}

async function openPipeline(): Promise<ControlConnection> {
  const made = {
    'format.type': 'raw',
    'format.options.id': 'int',
    'format.options.name': 'string',
    'format.options.at': 'time',
    recordCount: String(lines),
  };
  const plain = { 'sdk.record.format': 'template', 'sdk.record.format.options': '{{ printf "%s" .Payload.After }}' };
  const connection = new ControlConnection({
    name: 'bench',
    clock: systemClock,
    expected: 'relay',
    onReport: () => {},
    onLost: (error) => {
      throw error;
    },
  });
  const journal = journalPort(memoryJournal());
  const relay = {
    id: 'bench',
    name: 'bench',
    description: '',
    connectors: [
      kind === 'generator-file'
        ? connector('source', 'builtin:generator', made)
        : connector('source', 'builtin:file', { path: input }),
      connector('destination', 'builtin:file', { path: output, ...(kind === 'file-json' ? {} : plain) }),
    ],
    processors: [],
    deadLetterQueue: defaultDeadLetterQueue,
  };
  const request = {
    source: { definition: { relay }, baseFolder: folder },
    stepRowsMax: null,
    connectorModules: [],
    journal,
  };
  await connection.call('open', (control) => control.open(transfer(request, [journal])));
  return connection;
}

/** The output has as many bytes as the input, or as many lines, and grows no more. */
async function wholeOutput(): Promise<void> {
  let seen = -1;
  let counted = 0;
  let from = 0;
  const wanted = kind === 'file-file' ? statSync(input).size : Number.POSITIVE_INFINITY;
  for (;;) {
    const size = statSync(output, { throwIfNoEntry: false })?.size ?? 0;
    if (size >= wanted) return;
    if (wanted === Number.POSITIVE_INFINITY && size > from && size === seen) {
      counted += await countLines(from, size);
      from = size;
      if (counted >= lines) return;
    }
    seen = size;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

async function countLines(from: number, to: number): Promise<number> {
  let count = 0;
  for await (const part of createReadStream(output, { start: from, end: to - 1, highWaterMark: 1 << 20 })) {
    // SAFETY: a stream without an encoding gives buffers.
    const bytes = part as Buffer;
    for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) count++;
  }
  return count;
}

async function compare(): Promise<{ readonly count: number; readonly same: boolean }> {
  const count = await countLines(0, statSync(output).size);
  if (kind !== 'file-file') return { count, same: count === lines };
  const expected = createReadStream(input, { highWaterMark: 1 << 20 })[Symbol.asyncIterator]();
  for await (const part of createReadStream(output, { highWaterMark: 1 << 20 })) {
    const other = await expected.next();
    // SAFETY: as above.
    if (other.done === true || Buffer.compare(part as Buffer, other.value as Buffer) !== 0)
      return { count, same: false };
  }
  return { count, same: (await expected.next()).done === true };
}
