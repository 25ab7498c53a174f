// A table behind a real HTTP server, without an engine: what the ingress handler sends arrives at a real frame receiver,
// which the test takes from when it wants to, so that credit, pauses and order can be looked at one by one.
import { createServer, request as httpRequest, type IncomingMessage, type Server } from 'node:http';
import { MessageChannel } from 'node:worker_threads';
import type { Deployment, RawExchange } from '../../../../actors/gateway/hosting/deployment.ts';
import { HttpProblem } from '../../../../actors/gateway/http/http-problem.ts';
import { type IngressOptions, makeIngressHandler } from '../../../../actors/gateway/ingress/ingress-handler.ts';
import type { PipelineStatus } from '../../../../actors/supervisor/messages.ts';
import { rowsFromBatch } from '../../../../runtime/batch/row-objects.ts';
import { type Field, makeSchema, type Schema } from '../../../../runtime/batch/schema.ts';
import type { FrameReceiver, MailboxLimits } from '../../../../runtime/mailbox/channel.ts';
import { openFrameReceiver } from '../../../../runtime/mailbox/port-channel.ts';

export interface Reply {
  readonly status: number;
  readonly body: { readonly [key: string]: unknown };
}

export class ServedTable {
  readonly schema: Schema;
  readonly receivers: FrameReceiver[] = [];
  readonly endpoints: string[] = [];
  readonly deployment: Deployment;
  /** As the engine would see them: rows and marks in order, taken so far. */
  readonly taken: { row?: object; weight?: number; mark?: number }[] = [];
  batches = 0;
  completed = 0;
  takes = true;
  #server: Server | null = null;
  readonly #listeners = new Set<(status: PipelineStatus) => void>();
  readonly #ended = new AbortController();

  constructor(fields: readonly Field[], primaryKey: readonly string[] = []) {
    this.schema = makeSchema(fields);
    const table = { name: 't', schema: this.schema, primaryKey, materialized: false };
    const control = {
      openIngressPort: async (_table: string, endpoint: string, limits: MailboxLimits) => {
        const { port1, port2 } = new MessageChannel();
        const receiver = openFrameReceiver(port2, { schema: this.schema, limits });
        receiver.onFrame = () => {
          if (this.takes) this.take();
        };
        this.receivers.push(receiver);
        this.endpoints.push(endpoint);
        return { endpoint, port: port1, defaults: this.schema.fields.map(() => null), incarnation: 'i-1' };
      },
      completionStatus: async () => ({ complete: false, step: ++this.completed > 1 ? 1 : null }),
      tokenCompleted: async () => {
        this.completed++;
      },
    };
    const { signal } = this.#ended;
    const listeners = this.#listeners;
    // SAFETY: what the handler calls of a control thread is above; the rest would fail the test.
    this.deployment = {
      name: 'p',
      incarnation: 'i-1',
      tables: [table],
      views: [],
      status: { state: 'running', error: null, connectors: [] },
      ended: signal,
      onStatus: (listener: (status: PipelineStatus) => void) => {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
      call: (_name: string, make: (c: unknown) => unknown) => Promise.resolve(make(control)),
      wait: (_name: string, make: (c: unknown, id: number) => unknown) => Promise.resolve(make(control, 1)),
      apiInputs: new Map(),
      apiOutputs: new Map(),
    } as unknown as Deployment;
  }

  async listen(options: IngressOptions = {}): Promise<void> {
    const handle = makeIngressHandler(options);
    this.#server = createServer((request, response) => {
      const url = new URL(request.url ?? '', 'http://localhost');
      const gone = new AbortController();
      response.on('close', () => gone.abort(new Error('the client has gone')));
      const relation = decodeURIComponent(url.pathname.slice(1));
      const exchange: RawExchange = {
        request,
        response,
        requestId: '1',
        deployment: this.deployment,
        relation,
        query: url.searchParams,
        signal: gone.signal,
      };
      handle(exchange).catch((error: unknown) => {
        const problem = error instanceof HttpProblem ? error : null;
        response.writeHead(problem?.status ?? 500, problem?.headers ?? {});
        response.end(
          JSON.stringify({
            message: String(error),
            error_code: problem?.code ?? null,
            details: problem?.details ?? null,
          }),
        );
      });
    });
    await new Promise<void>((resolve) => this.#server?.listen(0, '127.0.0.1', resolve));
  }

  get port(): number {
    const address = this.#server?.address();
    if (typeof address !== 'object' || address === null) throw new Error('the server does not listen');
    return address.port;
  }

  get rows(): readonly object[] {
    return this.taken.flatMap((entry) => (entry.row === undefined ? [] : [entry.row]));
  }

  setState(state: PipelineStatus['state']): void {
    Object.assign(this.deployment, { status: { state, error: null, connectors: [] } });
    for (const listener of this.#listeners) listener(this.deployment.status);
  }

  take(): void {
    for (const receiver of this.receivers) {
      for (let frame = receiver.take(); frame !== null; frame = receiver.take()) {
        if (frame.kind === 'mark') this.taken.push({ mark: frame.mark });
        if (frame.kind !== 'batch') continue;
        this.batches++;
        const { rows, weights } = rowsFromBatch(frame.batch);
        rows.forEach((row, i) => {
          this.taken.push({ row, weight: weights[i] ?? 1 });
        });
      }
    }
  }

  /** `chunks` are written one after the other, each in a turn of its own. */
  async post(
    query: string,
    chunks: readonly (string | Uint8Array)[],
    headers: Record<string, string> = {},
  ): Promise<Reply> {
    const outgoing = this.open(query, headers);
    for (const chunk of chunks) {
      await new Promise((resolve) => outgoing.request.write(chunk, resolve));
    }
    outgoing.request.end();
    return outgoing.reply;
  }

  open(
    query: string,
    headers: Record<string, string> = {},
  ): { request: ReturnType<typeof httpRequest>; reply: Promise<Reply> } {
    const request = httpRequest({ port: this.port, host: '127.0.0.1', method: 'POST', path: `/${query}`, headers });
    const reply = new Promise<Reply>((resolve, reject) => {
      request.on('error', reject);
      request.on('response', (response: IncomingMessage) => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part));
        response.on('end', () => {
          resolve({ status: response.statusCode ?? 0, body: JSON.parse(Buffer.concat(parts).toString()) });
        });
      });
    });
    return { request, reply };
  }

  async close(): Promise<void> {
    this.#ended.abort();
    for (const receiver of this.receivers) receiver.close();
    this.#server?.closeAllConnections();
    await new Promise((resolve) => this.#server?.close(resolve));
  }
}

/** Resolves when `condition` holds; asked once an event-loop turn. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}
