// Runs the compiled binary as a process of its own, in a folder of the test's. Used by the tests of the command line.
//
// Every process is ended after `secondsMax` at the latest, so that a run that hangs fails its test instead of holding up
// the file. `until` waits for what a process prints; nothing here sleeps.
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const binary = fileURLToPath(new URL('../../main.js', import.meta.url));
/** Of a process that serves a whole file: as long as the file itself may take. */
export const secondsOfFileMax: number = Number(process.env['MILLRACE_TEST_SECONDS'] ?? 400);

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly out: string;
  readonly err: string;
}

export interface CliOptions {
  /** The working folder. */
  readonly folder: string;
  /** Variables beside the process's own. */
  readonly environment?: Readonly<Record<string, string>>;
  /** What it reads from a pipe; nothing when absent. */
  readonly input?: string;
  /** What it reads comes by `feed`. */
  readonly isFed?: boolean;
  /** After how long it is ended. Default 100. */
  readonly secondsMax?: number;
}

export class CliProcess {
  readonly exit: Promise<Exit>;
  readonly #child: ChildProcess;
  readonly #watchers = new Set<() => void>();
  #out = '';
  #err = '';
  #hasEnded = false;

  constructor(args: readonly string[], options: CliOptions) {
    this.#child = spawn(process.execPath, [binary, ...args], {
      cwd: options.folder,
      env: { ...process.env, ...options.environment },
      stdio: [options.input === undefined && options.isFed !== true ? 'ignore' : 'pipe', 'pipe', 'pipe'],
      timeout: (options.secondsMax ?? 100) * 1000,
      killSignal: 'SIGKILL',
    });
    if (options.isFed !== true) this.#child.stdin?.end(options.input);
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#out += text;
      this.#look();
    });
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#err += text;
      this.#look();
    });
    this.exit = new Promise((resolve) =>
      this.#child.on('close', (code, signal) => {
        this.#hasEnded = true;
        this.#look();
        resolve({ code, signal, out: this.#out, err: this.#err });
      }),
    );
  }

  get out(): string {
    return this.#out;
  }

  get err(): string {
    return this.#err;
  }

  /** Resolves once what was printed fulfils `holds`; rejects when the process has ended without it. */
  until(holds: (out: string, err: string) => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const isFulfilled = holds(this.#out, this.#err);
        if (!isFulfilled && !this.#hasEnded) return;
        this.#watchers.delete(look);
        if (isFulfilled) resolve();
        else reject(new Error(`the process ended too early; it printed:\n${this.#out}\n${this.#err}`));
      };
      this.#watchers.add(look);
      look();
    });
  }

  /** Somebody types this. */
  feed(text: string): void {
    this.#child.stdin?.write(text);
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** The reader of its results goes away. */
  closeOut(): void {
    this.#child.stdout?.destroy();
  }

  #look(): void {
    for (const watcher of [...this.#watchers]) watcher();
  }
}

/** `millrace ARGUMENTS`, to its end. */
export function millrace(args: readonly string[], options: CliOptions): Promise<Exit> {
  return new CliProcess(args, options).exit;
}

/** One JSON value a line; fails on a line that is none. */
export function jsonLines(text: string): Record<string, unknown>[] {
  const lines = text.split('\n');
  if (lines.pop() !== '') throw new Error('the last line is cut');
  return lines.map((line) => JSON.parse(line));
}
