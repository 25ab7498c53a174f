// A process that the runner watches: its output, the tests it says it runs, what was left of it.
//
// It gets a time limit. One that does not keep it is asked what it waits for, is described with everything it has started, and
// is killed with all of it; so is what an ended one leaves behind.
import { spawn } from 'node:child_process';
import { cpuSecondsOfChildren, describe, familyOf } from './process-family.ts';

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly output: string;
  readonly seconds: number;
  /** Of the process and of everything it has waited for; null: nobody knows on this system. */
  readonly cpuSeconds: number | null;
  /** Why it had to be killed, and what it did then; null: it ended by itself. */
  readonly hang: string | null;
  /** Processes that it has left running. */
  readonly leftovers: readonly string[];
}

export interface ProcessOptions {
  readonly cwd: string;
  readonly secondsMax: number;
}

/** An ended process whose pipes are still open has left somebody behind who writes to them. */
const closeSecondsMax = 20;
/** How long a process that is over its limit may take to say what it waits for. */
const answerMs = 2_000;

export function runProcess(args: readonly string[], options: ProcessOptions): Promise<Exit> {
  return new Promise((resolve) => new TestProcess(args, options, resolve));
}

class TestProcess {
  /** What those that have ended before had used: what is there beyond that is of the one that ends. */
  static #cpuTold = 0;
  readonly #mark = `MILLRACE_TEST_PROCESS=${process.pid}-${process.hrtime.bigint()}`;
  readonly #started = performance.now();
  readonly #resolve: (exit: Exit) => void;
  readonly #child;
  readonly #begun: { readonly name: string; readonly at: number }[] = [];
  readonly #timer: NodeJS.Timeout;
  #closing: NodeJS.Timeout | null = null;
  #output = '';
  #said = '';
  #hang: string | null = null;
  #leftovers: readonly string[] = [];
  #cpuSeconds: number | null = null;

  constructor(args: readonly string[], options: ProcessOptions, resolve: (exit: Exit) => void) {
    this.#resolve = resolve;
    const [name = '', value = ''] = this.#mark.split('=');
    this.#child = spawn(process.execPath, args, {
      cwd: options.cwd,
      env: { ...process.env, [name]: value },
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
      // A group of its own, so that it is ended with everything it started.
      detached: true,
    });
    const collect = (chunk: string): void => {
      if (this.#output.length < 4_000_000) this.#output += chunk;
    };
    this.#child.stdout?.setEncoding('utf8').on('data', collect);
    this.#child.stderr?.setEncoding('utf8').on('data', collect);
    this.#child.stdio[3]?.on('data', (chunk: Buffer) => this.#hear(chunk.toString('utf8')));
    this.#timer = setTimeout(
      () => void this.#end(`did not end within ${options.secondsMax} s`),
      options.secondsMax * 1000,
    );
    this.#child.on('error', (error) => collect(`could not be started: ${error.message}\n`));
    this.#child.on('exit', () => {
      this.#cpuSeconds = TestProcess.#cpuOfEnded();
      this.#leftovers = familyOf(this.#mark).map(describe);
      this.#closing = setTimeout(
        () => void this.#end('ended, but what it has started still holds its output'),
        closeSecondsMax * 1000,
      );
    });
    this.#child.on('close', (code, signal) => this.#settle(code, signal));
  }

  static #cpuOfEnded(): number | null {
    const total = cpuSecondsOfChildren();
    if (total === null) return null;
    const used = total - TestProcess.#cpuTold;
    TestProcess.#cpuTold = total;
    return used;
  }

  #hear(text: string): void {
    const lines = (this.#said + text).split('\n');
    this.#said = lines.pop() ?? '';
    for (const name of lines) this.#begun.push({ name, at: performance.now() });
  }

  async #end(reason: string): Promise<void> {
    const lines = [reason, `  at that moment: ${this.#place()}`];
    lines.push(...this.#failed().map((name) => `  had failed before: "${name}"`));
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const before = this.#output.length;
      this.#child.kill('SIGUSR2');
      await new Promise((resolve) => setTimeout(resolve, answerMs));
      if (this.#output.length === before) lines.push('  its main thread computes or is blocked: it does not answer');
    }
    lines.push(...familyOf(this.#mark).map((member) => `  process ${describe(member)}`));
    this.#hang = lines.join('\n');
    this.#kill();
  }

  /** Titles of tests that have failed: uvu prints a cross for each as it goes, and what it was at the end only. */
  #failed(): readonly string[] {
    const names = this.#begun.filter(({ name }) => name !== '');
    const marks = [...this.plain.matchAll(/(?<=^|[ \n])[•✘] /g)].map(([mark]) => mark.trim());
    return names.filter((_, i) => marks[i] === '✘').map(({ name }) => name);
  }

  #place(): string {
    const names = this.#begun.filter(({ name }) => name !== '');
    const last = this.#begun.at(-1);
    if (names.length === 0) return 'no test had begun: the file was being loaded, or a hook ran before the tests';
    const seconds = ((performance.now() - (last?.at ?? 0)) / 1000).toFixed(1);
    if (last === undefined || last.name === '')
      return `all tests were over, for ${seconds} s: something keeps it alive`;
    return `test ${names.length}, for ${seconds} s: "${last.name}"`;
  }

  #kill(): void {
    for (const { pid } of familyOf(this.#mark)) signal(pid);
    if (this.#child.pid !== undefined) signal(-this.#child.pid);
  }

  #settle(code: number | null, signal: NodeJS.Signals | null): void {
    clearTimeout(this.#timer);
    if (this.#closing !== null) clearTimeout(this.#closing);
    this.#kill();
    const seconds = (performance.now() - this.#started) / 1000;
    const { plain } = this;
    this.#resolve({
      code,
      signal,
      output: plain,
      seconds,
      cpuSeconds: this.#cpuSeconds,
      hang: this.#hang,
      leftovers: this.#leftovers,
    });
  }

  /** The output without colours. */
  get plain(): string {
    return this.#output.replace(new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, 'g'), '');
  }
}

function signal(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended meanwhile.
  }
}
