// Requests to one pipeline of one server: address, key, signals, errors as ClientError, repetition of what may be repeated.
//
// A call is over with its body; a stream lives until its `end` is called. Nothing is kept between requests.
import { BackOff, type RetryOptions, sleep } from './back-off.ts';
import { ClientError, errorOfReply } from './client-error.ts';
import { type NumberForms, parseJson } from './exact-json.ts';

export interface CallOptions {
  /** Gives the call up: it rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Gives the call up after this time: it rejects with `client.timed_out`. */
  readonly timeoutMs?: number | undefined;
}

export interface TransportOptions {
  /** Where the server is, without `/v0`. In a page '' means the page's own server. */
  readonly url: string;
  readonly pipeline: string;
  readonly apiKey?: string | undefined;
  /** Default: the global one. */
  readonly fetch?: typeof fetch | undefined;
  readonly retry?: RetryOptions | undefined;
}

export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

export interface Call extends CallOptions {
  readonly method: 'GET' | 'POST';
  /** Below `/v0/pipelines/{pipeline}`: '' or '/…', segments encoded. */
  readonly path: string;
  readonly query?: Query | undefined;
  readonly body?: string | undefined;
  /** May be sent again when it is not known whether it has arrived. */
  readonly repeatable: boolean;
}

export interface OpenStream {
  readonly reader: ByteReader;
  /** Ends the stream, also while a read waits. */
  end(reason: Error): void;
}

/** What is used of a ReadableStreamDefaultReader. */
export interface ByteReader {
  read(): Promise<{ readonly done: boolean; readonly value?: Uint8Array | undefined }>;
}

const repeatsMax = 4;

export class HttpTransport {
  readonly #base: string;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #fetch: typeof fetch;
  readonly #retry: RetryOptions;
  readonly #links = new Set<SignalLink>();
  #closed: ClientError | null = null;

  constructor(options: TransportOptions) {
    this.#base = `${options.url.replace(/\/+$/, '')}/v0/pipelines/${encodeURIComponent(options.pipeline)}`;
    this.#headers = options.apiKey === undefined ? {} : { authorization: `Bearer ${options.apiKey}` };
    // Called without a receiver: a browser's fetch refuses any other than the window.
    const given = options.fetch ?? globalThis.fetch;
    this.#fetch = (input, init) => given(input, init);
    this.#retry = options.retry ?? {};
  }

  /** A signal that is aborted by `close` too; to be disposed of. */
  link(timeoutMs: number | undefined, ...sources: readonly (AbortSignal | undefined)[]): SignalLink {
    const link = new SignalLink(timeoutMs, sources, () => this.#links.delete(link));
    // Kept in a set, not as listeners of one signal: Node warns of more than ten of those.
    if (this.#closed === null) this.#links.add(link);
    else link.abort(this.#closed);
    return link;
  }

  /** Aborts everything under way, for good. */
  close(): void {
    this.#closed ??= new ClientError({ code: 'client.closed', message: 'the client has been closed' });
    for (const link of [...this.#links]) link.abort(this.#closed);
  }

  /** The reply's text. */
  async text(call: Call): Promise<string> {
    const link = this.link(call.timeoutMs, call.signal);
    try {
      const waits = new BackOff(this.#retry, repeatsMax);
      for (;;) {
        try {
          const response = await this.#send(call, link.signal);
          return await whole(response, link.signal);
        } catch (error) {
          if (!(error instanceof ClientError && error.retryable && call.repeatable)) throw error;
          const wait = waits.next();
          if (wait === null) throw error;
          await sleep(wait, link.signal);
        }
      }
    } finally {
      link.dispose();
    }
  }

  async json(call: Call, forms: NumberForms = {}): Promise<unknown> {
    const text = await this.text(call);
    return text.trim() === '' ? null : parseJson(text, forms);
  }

  /** A reply that has no end of its own. One attempt: the caller knows how to go on. */
  async stream(path: string, query: Query, signal: AbortSignal): Promise<OpenStream> {
    const link = this.link(undefined, signal);
    try {
      const response = await this.#send({ method: 'GET', path, query, repeatable: false }, link.signal);
      if (response.body === null) throw new ClientError({ code: 'client.malformed_reply', message: 'an empty reply' });
      const reader: ByteReader = response.body.getReader();
      return {
        reader: { read: () => reader.read().catch((cause: unknown) => Promise.reject(failure(cause, link.signal))) },
        end: (reason) => {
          link.abort(reason);
          link.dispose();
        },
      };
    } catch (error) {
      link.dispose();
      throw error;
    }
  }

  /** Resolves with a reply of a status below 400. */
  async #send(call: Call, signal: AbortSignal): Promise<Response> {
    signal.throwIfAborted();
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries(call.query ?? {})) {
      if (value !== undefined) query.set(name, String(value));
    }
    const text = query.toString();
    let response: Response;
    try {
      response = await this.#fetch(`${this.#base}${call.path}${text === '' ? '' : `?${text}`}`, {
        method: call.method,
        headers: call.body === undefined ? this.#headers : { ...this.#headers, 'content-type': 'application/json' },
        signal,
        ...(call.body === undefined ? {} : { body: call.body }),
      });
    } catch (cause) {
      throw failure(cause, signal);
    }
    if (response.status < 400) return response;
    const reply = await whole(response, signal);
    throw errorOfReply(response.status, parsed(reply), reply);
  }
}

async function whole(response: Response, signal: AbortSignal): Promise<string> {
  try {
    return await response.text();
  } catch (cause) {
    throw failure(cause, signal);
  }
}

function parsed(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    // A proxy's page: its text is the message.
    return null;
  }
}

/** What a fetch that has thrown means: the caller's own reason, or that the network has failed. */
function failure(cause: unknown, signal: AbortSignal): unknown {
  if (signal.aborted) return signal.reason;
  return new ClientError({
    code: 'client.network',
    message: `the server cannot be reached: ${networkDetail(cause)}`,
    retryable: true,
    cause,
  });
}

function networkDetail(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  return cause.cause instanceof Error ? `${cause.message} (${cause.cause.message})` : cause.message;
}

/** One signal of several and a time limit; `dispose` lets go of the others, which may live much longer. */
export class SignalLink {
  readonly #controller = new AbortController();
  readonly #sources: readonly AbortSignal[];
  readonly #timer: ReturnType<typeof setTimeout> | null;
  readonly #onDispose: () => void;

  constructor(timeoutMs: number | undefined, sources: readonly (AbortSignal | undefined)[], onDispose: () => void) {
    this.#onDispose = onDispose;
    this.#sources = sources.filter((source) => source !== undefined);
    for (const source of this.#sources) {
      if (source.aborted) this.#controller.abort(source.reason);
      else source.addEventListener('abort', this.#onAbort);
    }
    this.#timer =
      timeoutMs === undefined || !Number.isFinite(timeoutMs)
        ? null
        : setTimeout(() => this.#controller.abort(timedOut(timeoutMs)), timeoutMs);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  abort(reason: unknown): void {
    this.#controller.abort(reason);
  }

  dispose(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    for (const source of this.#sources) source.removeEventListener('abort', this.#onAbort);
    this.#onDispose();
  }

  readonly #onAbort = (): void => {
    const source = this.#sources.find((candidate) => candidate.aborted);
    this.#controller.abort(source?.reason);
  };
}

function timedOut(timeoutMs: number): ClientError {
  return new ClientError({ code: 'client.timed_out', message: `no answer within ${timeoutMs} ms`, retryable: true });
}
