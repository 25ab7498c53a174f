// Calls between threads: an object exposed on one side of a port, a proxy for it on the other. The one file that imports comlink.
//
//   expose(api, port)   the side that answers; may also send reports: one-way values, in order with the answers
//   connect(end, …)     the side that asks; `end` is a MessagePort or the Worker itself
//
// What comlink leaves open is closed here, in the endpoint between comlink and the port: every call has a deadline
// (CallTimeout), may have a signal, and rejects at once when the thread or port behind it dies (ThreadGone) — the endpoint
// answers the call in the place of the one who cannot. Whatever is thrown on the other side arrives as a coded error with code,
// fields, place and causes. Arguments and results may carry ports and buffers: `transfer(value, [port])`.
// comlink's table of transfer handlers belongs to the process: ours touch MillraceErrors and nothing else.
import type { MessagePort, TransferListItem } from 'node:worker_threads';
import { Worker } from 'node:worker_threads';
import * as comlink from 'comlink';
import type { Clock } from '../clock.ts';
import { type CodedErrorClass, defineError, errorFromData, errorToData, MillraceError } from '../errors.ts';

export const ThreadGone: CodedErrorClass<{ readonly thread: string; readonly exitCode: number | null }> = defineError(
  'thread.gone',
  { help: 'The thread ended before it had answered; the cause says why, where it is known.' },
  (f) => `thread ${f.thread} is gone${f.exitCode === null ? '' : `, exit code ${f.exitCode}`}`,
);

export const CallTimeout: CodedErrorClass<{ readonly thread: string; readonly deadlineMs: number }> = defineError(
  'thread.call_timeout',
  { help: 'The thread is busy or stuck. Try again, or allow more time.', retry: 'later' },
  (f) => `thread ${f.thread} has not answered within ${f.deadlineMs} ms`,
);

export type Remote<Api> = comlink.Remote<Api>;

/** Marks what of `value` is to be transferred, not cloned. Arguments and results of calls alike. */
export function transfer<T extends object>(value: T, items: readonly TransferListItem[]): T {
  // SAFETY: comlink hands the list to postMessage of the port, which takes what Node can transfer.
  return items.length === 0 ? value : comlink.transfer(value, items as never);
}

export interface Exposed {
  /** Sends a value one way, to the other side's `onReport`. */
  report(value: unknown, transfer?: readonly TransferListItem[]): void;
  close(): void;
}

/** Answers calls that come through `port` with the methods of `api`. The port keeps its thread alive until it is closed. */
export function expose(api: object, port: MessagePort): Exposed {
  comlink.expose(withCodedErrors(api), new AnsweringEnd(port));
  return {
    report: (value, items = []) => port.postMessage({ report: value } satisfies Report, items),
    close: () => port.close(),
  };
}

export interface CallOptions {
  readonly deadlineMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** The error when the deadline passes; CallTimeout if not given. */
  readonly timeout?: (() => unknown) | undefined;
}

export interface ConnectOptions {
  /** What the other side is called in errors. */
  readonly name: string;
  readonly clock: Clock;
  /** Of every call that names none; Infinity: none. */
  readonly deadlineMs: number;
  readonly onReport?: ((report: unknown) => void) | undefined;
}

export interface Connection<Api> {
  /** Calls on it have the default deadline. */
  readonly proxy: Remote<Api>;
  /** A call with options of its own: `connection.call((api) => api.query(sql), { signal })`. */
  call<R>(make: (api: Remote<Api>) => PromiseLike<R>, options?: CallOptions): Promise<R>;
  /** Rejects every pending and every later call with this error. */
  fail(error: unknown): void;
  /** Tells the other side that no call will come, and lets go of the port. */
  release(): void;
}

export function connect<Api>(end: MessagePort | Worker, options: ConnectOptions): Connection<Api> {
  const asking = new AskingEnd(end, options);
  const proxy = comlink.wrap<Api>(asking);
  let isReleased = false;
  return {
    proxy,
    call: (make, callOptions = {}) => asking.withOptions(callOptions, async () => await make(proxy)),
    fail: (error) => asking.fail(error),
    release: () => {
      if (isReleased) return;
      isReleased = true;
      // First: comlink forgets its calls when it lets go of a proxy, and nobody could answer them any more.
      asking.reject(new ThreadGone({ thread: options.name, exitCode: null }));
      // SAFETY: every comlink proxy has this method under comlink's own symbol; the type of `Api` hides it.
      (proxy as comlink.ProxyMethods)[comlink.releaseProxy]();
      asking.fail(new ThreadGone({ thread: options.name, exitCode: null }));
      if (!(end instanceof Worker)) end.close();
    },
  };
}

interface Report {
  readonly report: unknown;
}

type Listener = (event: { readonly data: unknown }) => void;

/** comlink's endpoint over a port, for the side that answers. */
class AnsweringEnd {
  readonly #port: MessagePort;
  readonly #listeners = new Map<unknown, (data: unknown) => void>();

  constructor(port: MessagePort) {
    this.#port = port;
  }

  postMessage(message: unknown, items: readonly TransferListItem[] = []): void {
    this.#port.postMessage(message, items);
  }

  addEventListener(_: string, listener: unknown): void {
    // SAFETY: comlink registers plain functions and reads nothing of the event but its data.
    const call = listener as Listener;
    const onMessage = (data: unknown): void => call({ data });
    this.#listeners.set(listener, onMessage);
    this.#port.on('message', onMessage);
  }

  removeEventListener(_: string, listener: unknown): void {
    const onMessage = this.#listeners.get(listener);
    if (onMessage === undefined) return;
    this.#listeners.delete(listener);
    this.#port.off('message', onMessage);
    // comlink takes its listener away when the other side has released its proxy: nobody is left to talk to.
    this.#port.close();
  }
}

interface PendingCall {
  readonly end: () => void;
}

/** comlink's endpoint over a port or worker, for the side that asks. */
class AskingEnd {
  readonly #end: MessagePort | Worker;
  readonly #options: ConnectOptions;
  readonly #pending = new Map<string, PendingCall>();
  #callOptions: CallOptions = {};
  #listener: Listener | null = null;
  #gone: { readonly error: unknown } | null = null;

  constructor(end: MessagePort | Worker, options: ConnectOptions) {
    this.#end = end;
    this.#options = options;
    end.on('message', (data: unknown) => this.#receive(data));
    if (end instanceof Worker) {
      let cause: unknown;
      end.on('error', (error: unknown) => {
        cause = error;
      });
      end.on('exit', (exitCode) => {
        this.fail(new ThreadGone({ thread: options.name, exitCode }, cause === undefined ? {} : { cause }));
      });
    } else {
      end.on('close', () => this.fail(new ThreadGone({ thread: options.name, exitCode: null })));
    }
  }

  /** comlink posts within the call, so what `make` calls has these options. */
  withOptions<R>(options: CallOptions, make: () => R): R {
    this.#callOptions = options;
    try {
      return make();
    } finally {
      this.#callOptions = {};
    }
  }

  fail(error: unknown): void {
    this.#gone ??= { error };
    this.reject(error);
  }

  /** Every pending call; later ones may still be made. */
  reject(error: unknown): void {
    for (const id of [...this.#pending.keys()]) this.#reject(id, error);
  }

  postMessage(message: { readonly id: string }, items: readonly TransferListItem[] = []): void {
    const { id } = message;
    const { deadlineMs = this.#options.deadlineMs, signal, timeout } = this.#callOptions;
    const error = this.#gone ?? (signal?.aborted === true ? { error: signal.reason } : null);
    if (error !== null) {
      this.#reject(id, error.error);
      return;
    }
    this.#end.postMessage(message, items);
    const pass = (): void =>
      this.#reject(id, timeout?.() ?? new CallTimeout({ thread: this.#options.name, deadlineMs }));
    const timer = Number.isFinite(deadlineMs) ? this.#options.clock.after(deadlineMs, pass) : null;
    const abort = (): void => this.#reject(id, signal?.reason);
    signal?.addEventListener('abort', abort, { once: true });
    this.#pending.set(id, {
      end: () => {
        timer?.cancel();
        signal?.removeEventListener('abort', abort);
      },
    });
  }

  addEventListener(_: string, listener: unknown): void {
    // SAFETY: comlink registers plain functions and reads nothing of the event but its data.
    this.#listener = listener as Listener;
  }

  removeEventListener(_: string, listener: unknown): void {
    if (this.#listener === listener) this.#listener = null;
  }

  #receive(data: unknown): void {
    if (typeof data !== 'object' || data === null) return;
    if ('report' in data) {
      this.#options.onReport?.(data.report);
    } else if ('id' in data && typeof data.id === 'string') {
      this.#forget(data.id);
      this.#listener?.({ data });
    }
  }

  /** Answers a call in the other side's place, as comlink spells a thrown value. */
  #reject(id: string, error: unknown): void {
    this.#forget(id);
    const value = { isError: false, value: error };
    this.#listener?.({ data: { id, type: 'HANDLER', name: 'throw', value } });
  }

  #forget(id: string): void {
    this.#pending.get(id)?.end();
    this.#pending.delete(id);
  }
}

/** The same methods; what they throw is a coded error. */
function withCodedErrors(api: object): object {
  return new Proxy(api, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== 'function') return value;
      return async (...args: readonly unknown[]): Promise<unknown> => {
        try {
          return await Reflect.apply(value, target, args);
        } catch (thrown) {
          throw thrown instanceof MillraceError ? thrown : errorFromData(errorToData(thrown));
        }
      };
    },
  });
}

installTransferHandlers();

/** Lets MillraceErrors through with all they carry, thrown or as values; leaves everything else to comlink. */
function installTransferHandlers(): void {
  const builtIn = comlink.transferHandlers.get('throw');
  if (builtIn === undefined) return;
  comlink.transferHandlers.set('throw', {
    canHandle: builtIn.canHandle,
    serialize: (thrown: unknown) => {
      if (isThrown(thrown) && thrown.value instanceof MillraceError) return [{ coded: errorToData(thrown.value) }, []];
      return builtIn.serialize(thrown);
    },
    deserialize: (serialized: unknown) => {
      if (isCoded(serialized)) throw errorFromData(serialized.coded);
      return builtIn.deserialize(serialized);
    },
  });
  comlink.transferHandlers.set('coded error', {
    canHandle: (value: unknown): value is MillraceError => value instanceof MillraceError,
    serialize: (error: MillraceError) => [errorToData(error), []],
    deserialize: errorFromData,
  } satisfies comlink.TransferHandler<MillraceError, ReturnType<typeof errorToData>>);
}

function isThrown(value: unknown): value is { readonly value: unknown } {
  return typeof value === 'object' && value !== null && 'value' in value;
}

function isCoded(value: unknown): value is { readonly coded: ReturnType<typeof errorToData> } {
  return typeof value === 'object' && value !== null && 'coded' in value;
}
