// A real server as a child process of a test: started on a free port, ready when it says so, stopped, killed, started again.
// Its output is kept for the message of a failure. Ended with the test process at the latest.
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';

export interface ServerCommand {
  readonly command: string;
  readonly args: readonly string[];
  readonly options?: SpawnOptions;
  /** Asked again and again until it says true. */
  readonly isReady: () => Promise<boolean>;
  readonly readyMs?: number;
  /** In the output of a start that ended: what is in its way passes by itself, and it is started again. */
  readonly passing?: RegExp;
}

export class ServerProcess {
  readonly #command: ServerCommand;
  #child: ChildProcess | null = null;
  #output = '';
  readonly #endWithUs = (): void => void this.#child?.kill('SIGKILL');

  constructor(command: ServerCommand) {
    this.#command = command;
    process.once('exit', this.#endWithUs);
  }

  /** Of the latest start. */
  get output(): string {
    return this.#output;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  async start(): Promise<void> {
    const { readyMs = 180_000 } = this.#command;
    const deadline = performance.now() + readyMs;
    while (!(await this.#startOnce(deadline))) await new Promise((resolve) => setTimeout(resolve, 20));
  }

  /** False: something is in its way that passes. */
  async #startOnce(deadline: number): Promise<boolean> {
    const { command, args, options = {}, isReady, passing } = this.#command;
    this.#output = '';
    const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    const keep = (chunk: Buffer): void => void (this.#output = (this.#output + chunk.toString()).slice(-20_000));
    child.stdout?.on('data', keep);
    child.stderr?.on('data', keep);
    let failure: Error | null = null;
    child.once('error', (error) => void (failure = error));
    while (!(await isReady().catch(() => false))) {
      if (failure !== null) throw failure;
      const ending = child.exitCode ?? child.signalCode;
      const isLate = performance.now() > deadline;
      if (ending !== null && !isLate && passing?.test(this.#output) === true) return false;
      if (ending !== null || isLate) {
        throw new Error(`${command} is not ready (exit code ${ending}):\n${this.#output}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    return true;
  }

  /** SIGTERM, or the signal that is given; resolves when it has ended. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill(signal);
    await ended;
  }

  async dispose(): Promise<void> {
    process.off('exit', this.#endWithUs);
    await this.stop('SIGKILL');
  }
}
