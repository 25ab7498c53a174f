// One Nexmark query in two processes at once, each with one worker and all events: what two cores of this machine give two programs that
// have nothing to do with one another. Prints one JSON line.
//
//   node dist/bench/workers-apart.js QUERY EVENTS
//
// Cores share caches, memory and maybe more (a virtual core may be half of one), so that two programs on two cores are slower than one alone.
// Two workers of one circuit can hardly do better: what they may reach is 2 · (seconds of one alone) / (seconds of two apart).
// Either process makes its events and warms up; then it waits until the other one has, too, so that what is timed happens at the same time.
// `seconds` is of the one that takes longer, and `each` of both. The checksum is that of one worker, which both have to give.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Measured } from './workload.ts';

const [query = 'q4', eventsText = '1000000', stepText = '40000'] = process.argv.slice(2);
const run = join(dirname(fileURLToPath(import.meta.url)), 'workers-run.js');

class Apart {
  readonly #child: ChildProcess = spawn(process.execPath, [run, query, '1', eventsText, stepText, 'barrier'], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  readonly #closed: Promise<unknown> = once(this.#child, 'close');
  #printed = '';

  constructor() {
    this.#child.stdout!.setEncoding('utf8').on('data', (text: string) => {
      this.#printed += text;
    });
  }

  /** Resolves when it has warmed up. */
  async warm(): Promise<void> {
    while (!this.#printed.includes('\n')) {
      await Promise.race([once(this.#child.stdout!, 'data'), this.#closed.then(() => this.#failed())]);
    }
  }

  async measured(): Promise<Measured> {
    this.#child.stdin!.end('\n');
    await this.#closed;
    if (this.#child.exitCode !== 0) this.#failed();
    // SAFETY: workers-run.ts prints it.
    return JSON.parse(this.#printed.trim().split('\n').at(-1) ?? '') as Measured;
  }

  #failed(): never {
    throw new Error(`a process of ${query} ended with ${this.#child.exitCode ?? this.#child.signalCode}`);
  }
}

const both = [new Apart(), new Apart()];
await Promise.all(both.map((each) => each.warm()));
const runs = await Promise.all(both.map((each) => each.measured()));
const each = runs.map(({ seconds }) => seconds);
const [{ rows, checksum }, other] = [runs[0]!, runs[1]!];
if (other.checksum !== checksum) throw new Error(`${query} gave "${checksum}" and "${other.checksum}"`);
process.stdout.write(
  `${JSON.stringify({ query, workers: 'apart', seconds: Math.max(...each), each, rows, checksum })}\n`,
);
