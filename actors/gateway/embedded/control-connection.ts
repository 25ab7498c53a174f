// The main thread's one connection to a pipeline's control thread: starts the thread, calls it, hears its reports, ends it.
//
// Every call has a deadline and may have a signal; both give it up on the control thread too. When the thread dies every
// call rejects at once. The connection keeps the process alive until `end`: a pipeline that runs is work to be done.
import type { Clock } from '../../../runtime/clock.ts';
import { type CodedErrorClass, defineError } from '../../../runtime/errors.ts';
import type { Remote } from '../../../runtime/thread/remote.ts';
import { siblingModule, WorkerThread } from '../../../runtime/thread/worker-thread.ts';
import type { ControlInterface, ControlReport, ControlThreadData } from './control-interface.ts';
import { CallTimedOut, PipelineClosed } from './embedded-errors.ts';
import type { CallOptions } from './pipeline-options.ts';

export const NotPlainData: CodedErrorClass<{ readonly call: string; readonly detail: string }> = defineError(
  'embedded.not_plain_data',
  { help: 'Pass plain objects: no functions, class instances with private state, or promises.' },
  (f) => `${f.call}: what was passed cannot go to another thread: ${f.detail}`,
);

/** Default of calls that take effect at once; opening connectors may be part of it. */
const callTimeoutMs = 150_000;

export interface ConnectionOptions {
  readonly name: string;
  readonly clock: Clock;
  /** What will be asked of it: a start takes less when that is loaded beforehand. Default: a program. */
  readonly expected?: ControlThreadData['expected'];
  readonly onReport: (report: ControlReport) => void;
  /** The thread has died by itself. */
  readonly onLost: (error: unknown) => void;
}

export class ControlConnection {
  readonly #thread: WorkerThread<ControlInterface>;
  #hearer: Pick<ConnectionOptions, 'onReport' | 'onLost'>;
  #isEnded = false;
  #isLost = false;
  #waits = 0;

  constructor(options: ConnectionOptions) {
    this.#hearer = options;
    const data: ControlThreadData = { expected: options.expected ?? 'program' };
    this.#thread = new WorkerThread<ControlInterface>({
      name: options.name,
      entry: siblingModule('../../control/control-thread', import.meta.url),
      data,
      clock: options.clock,
      deadlineMs: callTimeoutMs,
      // SAFETY: the control thread reports nothing else.
      onReport: (report) => this.#hearer.onReport(report as ControlReport),
      onExit: (error) => {
        if (this.#isEnded) return;
        this.#isLost = true;
        this.#hearer.onLost(error);
      },
    });
  }

  /** Gives a connection that was made ahead to the one who uses it. Nothing is reported before the first call. */
  handTo(hearer: Pick<ConnectionOptions, 'onReport' | 'onLost'>): void {
    this.#hearer = hearer;
  }

  /** The thread has died by itself. */
  get isLost(): boolean {
    return this.#isLost;
  }

  /** A call that takes effect at once. `name` is what the user has called. */
  async call<R>(
    name: string,
    make: (control: Remote<ControlInterface>) => PromiseLike<R>,
    options: CallOptions = {},
  ): Promise<R> {
    if (this.#isEnded) throw new PipelineClosed({ call: name });
    const timeoutMs = options.timeoutMs ?? callTimeoutMs;
    const timeout = (): unknown => new CallTimedOut({ call: name, timeoutMs });
    try {
      return await this.#thread.connection.call(make, { deadlineMs: timeoutMs, signal: options.signal, timeout });
    } catch (error) {
      if (error instanceof DOMException && error.name === 'DataCloneError') {
        throw new NotPlainData({ call: name, detail: error.message }, { cause: error });
      }
      throw error;
    }
  }

  /** A call that may wait without end; given up on both sides. */
  async wait<R>(
    name: string,
    make: (control: Remote<ControlInterface>, waitId: number) => PromiseLike<R>,
    options: CallOptions = {},
  ): Promise<R> {
    const waitId = ++this.#waits;
    let isAnswered = false;
    const limits = { signal: options.signal, timeoutMs: options.timeoutMs ?? Number.POSITIVE_INFINITY };
    try {
      const answer = await this.call(name, (control) => make(control, waitId), limits);
      isAnswered = true;
      return answer;
    } finally {
      // An answer with an error is over there too; giving it up again does no harm.
      if (!isAnswered && !this.#isEnded) this.#thread.connection.proxy.cancel(waitId).catch(() => {});
    }
  }

  /** Ends the thread. Pending and later calls reject with PipelineClosed. Idempotent. */
  async end(): Promise<void> {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#thread.connection.fail(new PipelineClosed({ call: 'a pending call' }));
    await this.#thread.terminate();
  }
}
