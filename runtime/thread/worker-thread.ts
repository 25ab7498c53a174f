// A worker thread, seen from the thread that made it: start, calls, reports, exit, end.
//
// The child may be nested any number of threads deep: nothing here needs the event loop of any thread but this one. Uncaught
// errors of the child arrive as a report before it exits, so the exit has a cause with its code. Standard output and error
// of the child are Node's affair and never waited for.
import { Worker } from 'node:worker_threads';
import type { Clock } from '../clock.ts';
import { type ErrorData, errorFromData } from '../errors.ts';
import { type Connection, connect, ThreadGone } from './remote.ts';

export interface WorkerThreadOptions {
  readonly name: string;
  /** Module that calls `expose` on its parentPort; see `siblingModule`. */
  readonly entry: URL;
  readonly data?: unknown;
  readonly clock: Clock;
  readonly deadlineMs: number;
  readonly onReport: (report: unknown) => void;
  /** Called once. `error` is null when the thread was ended by `terminate`. */
  readonly onExit: (error: unknown) => void;
}

/** What a child says before it dies of an uncaught error. */
export interface ThreadDying {
  readonly kind: 'thread dying';
  readonly error: ErrorData;
}

export class WorkerThread<Api> {
  readonly name: string;
  readonly connection: Connection<Api>;
  readonly #worker: Worker;
  readonly #exited: Promise<void>;
  #isEnding = false;

  constructor(options: WorkerThreadOptions) {
    const { name, clock, deadlineMs } = options;
    this.name = name;
    const execArgv = inheritedFlags(process.execArgv);
    this.#worker = new Worker(options.entry, {
      name,
      workerData: options.data,
      // So that the thread can say what it is called: `threadName` is not known to every Node that we run on.
      argv: [name],
      ...(execArgv === undefined ? {} : { execArgv }),
      // A descriptor that a socket has taken over is closed by it, of which the list of raw descriptors would hear nothing.
      trackUnmanagedFds: false,
    });
    let cause: unknown;
    this.#worker.on('error', (error) => {
      cause ??= error;
    });
    const onReport = (report: unknown): void => {
      if (isDying(report)) cause = errorFromData(report.error);
      else options.onReport(report);
    };
    this.#exited = new Promise((resolve) => {
      this.#worker.once('exit', (exitCode) => {
        const error = new ThreadGone({ thread: name, exitCode }, cause === undefined ? {} : { cause });
        this.connection.fail(error);
        resolve();
        options.onExit(this.#isEnding ? null : error);
      });
    });
    // After the listener above, whose error knows its cause.
    this.connection = connect<Api>(this.#worker, { name, clock, deadlineMs, onReport });
  }

  /** Ends the thread at once, whatever it does; resolves when it is gone. */
  async terminate(): Promise<void> {
    this.#isEnding = true;
    this.connection.release();
    await this.#worker.terminate();
    await this.#exited;
  }
}

/** The URL of a module by its path from another, with the same ending: `.js` once compiled, in dist and in the package. */
export function siblingModule(path: string, importMetaUrl: string): URL {
  const ending = /\.[a-z]+$/.exec(new URL(importMetaUrl).pathname)?.[0] ?? '.js';
  return new URL(`${path}${ending}`, importMetaUrl);
}

const evaluated = /^(-e|--eval|-p|--print|-pe|--input-type)(=|$)/;
/** Flags that say how modules are found and loaded; those with a value may have it as the next one. */
const ofModules = /^(-r|--require|--import|--loader|--experimental-loader|-C|--conditions)(=|$)/;
const alone = /^--(no-warnings|enable-source-maps|preserve-symlinks|experimental-(?!loader))/;

/**
 * Flags for a thread; undefined: those of this process, of which Node knows itself which are for all threads anyway (it refuses them when
 * they are named, as it does those of V8). A thread of a process that evaluates a text must not be told to do so: it gets what
 * its modules may need.
 */
function inheritedFlags(flags: readonly string[]): string[] | undefined {
  if (!flags.some((flag) => evaluated.test(flag))) return undefined;
  return flags.flatMap((flag, i) => {
    if (alone.test(flag)) return [flag];
    if (!ofModules.test(flag)) return [];
    return flag.includes('=') ? [flag] : [flag, flags[i + 1] ?? ''];
  });
}

function isDying(report: unknown): report is ThreadDying {
  return typeof report === 'object' && report !== null && 'kind' in report && report.kind === 'thread dying';
}
