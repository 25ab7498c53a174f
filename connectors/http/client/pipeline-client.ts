// The client of a pipeline behind `millrace serve`: the names and shapes of the embedded API, over HTTP.
//
// It runs in browsers and in Node and imports nothing but its neighbours. No call keeps anything open except listeners and
// live views; `close` ends them all. Calls that may be repeated are, with back-off; pushes only when they say so.
import { BackOff, type RetryOptions, sleep } from './back-off.ts';
import { ChangeListener, type Changes, type ConnectionState, type ListenOptions } from './change-listener.ts';
import { ClientError } from './client-error.ts';
import { type NumberForms, parseJson, printJson } from './exact-json.ts';
import { type Call, type CallOptions, HttpTransport, type TransportOptions } from './http-transport.ts';
import { LiveView } from './live-view.ts';
import { ChangeObservable } from './observable.ts';

export interface ConnectOptions extends TransportOptions, NumberForms {
  /** Waits of calls and, unless it has its own, of a listener. */
  readonly retry?: RetryOptions | undefined;
}

export interface InputOptions extends CallOptions {
  /** Default `raw`: every object is a row to insert (with a primary key: to upsert). */
  readonly updateFormat?: 'raw' | 'insert_delete' | undefined;
  /** Push into a paused pipeline too. Otherwise the call waits until it runs. */
  readonly force?: boolean | undefined;
  /** When to answer: rows taken (default), computed, or delivered to every output. */
  readonly wait?: 'accepted' | 'processed' | 'delivered' | undefined;
  /** All rows or none: otherwise rows that fit stay when others do not. */
  readonly atomic?: boolean | undefined;
  /** Push again when it is not known whether the rows have arrived: at least once instead of at most once. */
  readonly repeat?: boolean | undefined;
}

export interface PipelineStatus {
  /** As the server names it, in lower case: `running`, `paused`, `stopped`, `provisioning`, … */
  readonly state: string;
  readonly desired: string;
  readonly error: unknown;
}

/** Rows by relation; `connect<Tables>` names them. */
export type AnyTables = Readonly<Record<string, Record<string, unknown>>>;

type Name<Tables> = keyof Tables & string;

const statusPoll: RetryOptions = { initialMs: 20, maxMs: 500, attemptsMax: Number.POSITIVE_INFINITY };

/** A client; nothing is sent before the first call. */
export function connect<Tables extends object = AnyTables>(options: ConnectOptions): PipelineClient<Tables> {
  return new PipelineClient<Tables>(options);
}

export class PipelineClient<Tables extends object = AnyTables> {
  readonly #transport: HttpTransport;
  readonly #options: ConnectOptions;

  constructor(options: ConnectOptions) {
    if (typeof options.url !== 'string' || typeof options.pipeline !== 'string' || options.pipeline === '') {
      throw new ClientError({ code: 'client.bad_option', message: '`url` and `pipeline` are needed' });
    }
    this.#options = options;
    this.#transport = new HttpTransport(options);
  }

  /** Ends every call, listener and live view of this client. The pipeline is not touched. */
  close(): void {
    this.#transport.close();
  }

  // ── rows ──

  /** Pushes rows and resolves with a completion token. The server says which rows do not fit (`ParseErrors`). */
  async inputJson<T extends Name<Tables>>(
    table: T,
    rows: readonly object[],
    options: InputOptions = {},
  ): Promise<string> {
    const { updateFormat = 'raw', force, wait, atomic, repeat = false, ...limits } = options;
    const reply = await this.#call({
      method: 'POST',
      path: `/ingress/${encodeURIComponent(table)}`,
      query: { format: 'json', update_format: updateFormat, array: false, force, wait, atomic },
      body: rows.map((row) => `${printJson(row)}\n`).join(''),
      repeatable: repeat,
      ...limits,
    });
    return textField(reply, 'token');
  }

  /** Resolves when everything pushed before the token was given has reached every output. */
  async completed(token: string, options: CallOptions = {}): Promise<void> {
    await this.#poll(options, async (signal) => {
      const reply = await this.#get('/completion_status', { signal }, { token });
      return textField(reply, 'status').toLowerCase() === 'complete';
    });
  }

  /** A SELECT over tables and materialized views. */
  async query<Row = Record<string, unknown>>(sql: string, options: CallOptions = {}): Promise<Row[]> {
    const text = await this.#transport.text({
      method: 'GET',
      path: '/query',
      query: { sql, format: 'json' },
      repeatable: /^\s*(select|with|values)\b/i.test(sql),
      ...options,
    });
    const rows = text
      .split('\n')
      .filter((line) => line.trim() !== '')
      .map((line) => parseJson(line, this.#options));
    const last = rows.at(-1);
    // A query that fails on its way says so in a last line of its own shape; a column called `error` is in the first too.
    if (isErrorLine(last) && (rows.length === 1 ? !/\berror\b/i.test(sql) : !isErrorLine(rows[0]))) {
      throw new ClientError({ code: 'client.query_failed', message: last.error, status: 200 });
    }
    // SAFETY: the user's own generic says what rows look like.
    return rows as Row[];
  }

  /** The changes of a view or table from now on. Attached at once; leave the loop, or `close()`, when done. */
  listen<V extends Name<Tables>>(view: V, options: ListenOptions = {}): ChangeListener<Tables[V]> {
    return this.#listen<Tables[V]>(view, options, false);
  }

  /** As `listen`: listening begins with the subscription and ends with it. rxjs: `from(client.changes$('v'))`. */
  changes$<V extends Name<Tables>>(view: V, options: ListenOptions = {}): ChangeObservable<Changes<Tables[V]>> {
    return new ChangeObservable(() => this.listen(view, options));
  }

  /** A copy of a materialized view that keeps itself up to date. */
  live<V extends Name<Tables>>(view: V, options: Omit<ListenOptions, 'sendSnapshot'> = {}): LiveView<Tables[V]> {
    const { onConnection: told } = options;
    return new LiveView((onConnection) => {
      const both = (state: ConnectionState): void => {
        onConnection(state);
        told?.(state);
      };
      return this.#listen<Tables[V]>(view, { ...options, sendSnapshot: true, onConnection: both }, true);
    });
  }

  // ── the whole pipeline ──

  async start(options: CallOptions = {}): Promise<void> {
    await this.#act('/start', { initial: 'running' }, 'running', options);
  }

  /** No input is opened before `resume`. */
  async startPaused(options: CallOptions = {}): Promise<void> {
    await this.#act('/start', { initial: 'paused' }, 'paused', options);
  }

  async pause(options: CallOptions = {}): Promise<void> {
    await this.#act('/pause', {}, 'paused', options);
  }

  async resume(options: CallOptions = {}): Promise<void> {
    await this.#act('/resume', {}, 'running', options);
  }

  /** With `force` nothing is brought to its end before. */
  async stop(options: CallOptions & { readonly force?: boolean | undefined } = {}): Promise<void> {
    const { force = false, ...limits } = options;
    await this.#act('/stop', { force }, 'stopped', limits);
  }

  async status(options: CallOptions = {}): Promise<PipelineStatus> {
    return await this.#status({ ...options, repeatable: true });
  }

  /** The server's statistics as they are: `global_metrics`, `inputs`, `outputs`. */
  async stats(options: CallOptions = {}): Promise<Record<string, unknown>> {
    return asRecord(await this.#get('/stats', options));
  }

  // ── connectors ──

  async pauseConnector(table: string, connector: string, options: CallOptions = {}): Promise<void> {
    await this.#call({ ...connectorCall('tables', table, connector, 'pause'), ...options });
  }

  async resumeConnector(table: string, connector: string, options: CallOptions = {}): Promise<void> {
    await this.#call({ ...connectorCall('tables', table, connector, 'start'), ...options });
  }

  async inputConnectorStats(table: string, connector: string, o: CallOptions = {}): Promise<Record<string, unknown>> {
    return asRecord(await this.#get(connectorCall('tables', table, connector, 'stats').path, o));
  }

  async outputConnectorStats(view: string, connector: string, o: CallOptions = {}): Promise<Record<string, unknown>> {
    return asRecord(await this.#get(connectorCall('views', view, connector, 'stats').path, o));
  }

  // ── inside ──

  #listen<Row>(relation: string, options: ListenOptions, everyItem: boolean): ChangeListener<Row> {
    const { integers, decimals, retry } = this.#options;
    const target = {
      transport: this.#transport,
      relation,
      isStopped: async (signal: AbortSignal): Promise<boolean> => {
        const { state, desired } = await this.#status({ signal, repeatable: false });
        return state === 'stopped' && desired === 'stopped';
      },
    };
    return new ChangeListener<Row>(target, { integers, decimals, retry, ...options }, everyItem);
  }

  async #status(limits: CallOptions & { readonly repeatable: boolean }): Promise<PipelineStatus> {
    const reply = await this.#call({ method: 'GET', path: '', query: { selector: 'status' }, ...limits });
    return {
      state: textField(reply, 'deployment_status').toLowerCase(),
      desired: textField(reply, 'deployment_desired_status').toLowerCase(),
      error: Reflect.get(Object(reply), 'deployment_error') ?? null,
    };
  }

  #call(call: Call): Promise<unknown> {
    return this.#transport.json(call, { integers: this.#options.integers, decimals: this.#options.decimals });
  }

  #get(path: string, limits: CallOptions, query: Call['query'] = {}): Promise<unknown> {
    return this.#call({ method: 'GET', path, query, repeatable: true, ...limits });
  }

  /** Asks for a state and resolves when it is reached. */
  async #act(path: string, query: Call['query'], state: string, options: CallOptions): Promise<void> {
    await this.#poll(options, async (signal, isFirst) => {
      if (isFirst) await this.#call({ method: 'POST', path, query, repeatable: true, signal });
      const status = await this.status({ signal });
      if (state !== 'stopped' && status.state === 'stopped' && status.desired === 'stopped') {
        const { error } = status;
        const message = `the pipeline has stopped instead of becoming ${state}`;
        throw new ClientError({ code: 'client.pipeline_failed', message, details: error });
      }
      return status.state === state;
    });
  }

  async #poll(
    options: CallOptions,
    attempt: (signal: AbortSignal, isFirst: boolean) => Promise<boolean>,
  ): Promise<void> {
    const link = this.#transport.link(options.timeoutMs, options.signal);
    try {
      const waits = new BackOff(statusPoll, Number.POSITIVE_INFINITY);
      for (let isFirst = true; !(await attempt(link.signal, isFirst)); isFirst = false) {
        await sleep(waits.next() ?? 0, link.signal);
      }
    } finally {
      link.dispose();
    }
  }
}

function connectorCall(kind: 'tables' | 'views', relation: string, connector: string, action: string): Call {
  const path = `/${kind}/${encodeURIComponent(relation)}/connectors/${encodeURIComponent(connector)}/${action}`;
  return { method: 'POST', path, repeatable: true };
}

function isErrorLine(value: unknown): value is { readonly error: string } {
  if (typeof value !== 'object' || value === null || Object.keys(value).length !== 1) return false;
  return typeof Reflect.get(value, 'error') === 'string';
}

function asRecord(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

function textField(value: unknown, name: string): string {
  const field = asRecord(value)[name];
  if (typeof field === 'string') return field;
  throw new ClientError({ code: 'client.malformed_reply', message: `the reply has no '${name}'` });
}
