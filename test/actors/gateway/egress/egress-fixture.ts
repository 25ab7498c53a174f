// A server with one path, …/egress/{relation}, over a deployment whose engine is the test: it decides what a step changes.
// Ports, frames, HTTP and WebSockets are real.
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { MessageChannel } from 'node:worker_threads';
import { WebSocketServer } from 'ws';
import { makeEgressHandler } from '../../../../actors/gateway/egress/egress-handler.ts';
import { acceptEgressSocket } from '../../../../actors/gateway/egress/egress-socket.ts';
import type { EgressOptions } from '../../../../actors/gateway/egress/hub-directory.ts';
import type { GatewayControl } from '../../../../actors/gateway/embedded/control-interface.ts';
import type { Deployment } from '../../../../actors/gateway/hosting/deployment.ts';
import { problemBody, toProblem } from '../../../../actors/gateway/http/problem-reply.ts';
import type { ChangeBatch } from '../../../../runtime/batch/change-batch.ts';
import type { Schema } from '../../../../runtime/batch/schema.ts';
import type { FrameSender } from '../../../../runtime/mailbox/channel.ts';
import { openFrameSender } from '../../../../runtime/mailbox/port-channel.ts';
import { batchOf, bigint, schemaOf, text, type WeightedRow } from '../../engine/zset-rows.ts';

export const schema: Schema = schemaOf({ id: bigint, note: text });

interface Output {
  readonly sender: FrameSender;
  confirmed: number;
}

export class EngineDouble {
  readonly outputs: Map<string, Output> = new Map();
  readonly apiOutputs: Deployment['apiOutputs'] = new Map();
  readonly #ended = new AbortController();
  contents: readonly WeightedRow[] = [];
  current = 0;

  /** Computes a step; no rows: it changes nothing. */
  step(...groups: readonly (readonly WeightedRow[])[]): number {
    this.current++;
    for (const { sender } of this.outputs.values()) {
      groups.forEach((rows, i) => {
        if (rows.length > 0) sender.send({ kind: 'batch', sequence: i + 1, batch: batchOf(schema, rows) });
      });
      sender.send({ kind: 'mark', mark: this.current });
    }
    return this.current;
  }

  stepBatch(makeBatch: () => ChangeBatch): number {
    this.current++;
    for (const { sender } of this.outputs.values()) {
      sender.send({ kind: 'batch', sequence: 1, batch: makeBatch() });
      sender.send({ kind: 'mark', mark: this.current });
    }
    return this.current;
  }

  /** The engine would begin a step. */
  get hasCredit(): boolean {
    return [...this.outputs.values()].every(({ sender }) => sender.hasCredit);
  }

  get confirmed(): number {
    return Math.min(...[...this.outputs.values()].map((output) => output.confirmed));
  }

  end(): void {
    for (const { sender } of this.outputs.values()) sender.send({ kind: 'end' });
  }

  abort(): void {
    this.#ended.abort();
  }

  readonly deployment: Deployment = {
    name: 'p',
    incarnation: '00000000-0000-4000-8000-000000000000',
    tables: [{ name: 't', schema, primaryKey: [], materialized: false }],
    views: [
      { name: 'v', schema, kind: 'materialized', displayOrder: [] },
      { name: 'plain', schema, kind: 'view', displayOrder: [] },
    ],
    // SAFETY: nobody reads the status of this deployment.
    status: {} as Deployment['status'],
    ended: this.#ended.signal,
    onStatus: () => () => {},
    // SAFETY: three calls are made, and the double answers them.
    call: (_, make) => Promise.resolve(make(this.#control as never)),
    wait: () => Promise.reject(new Error('nothing waits here')),
    apiInputs: new Map(),
    apiOutputs: this.apiOutputs,
  };

  /** So many batches of `contents` make up a snapshot. */
  contentsTimes = 1;
  /** A transaction is open: what comes next is its step. */
  isInTransaction = false;

  readonly #control: Pick<GatewayControl, 'openEgressPort' | 'closeEgressPort'> & { stats(): Promise<unknown> } = {
    stats: async () => ({
      transaction: this.isInTransaction ? { id: 1, status: 'started' } : null,
      engine: { steps: this.current },
    }),
    openEgressPort: async (_relation, endpoint, limits, { sendSnapshot }) => {
      const { port1, port2 } = new MessageChannel();
      const sender = openFrameSender(port2, { schema, limits });
      const output: Output = { sender, confirmed: this.current };
      sender.onConfirm = (mark) => {
        output.confirmed = mark;
      };
      if (sendSnapshot) {
        if (this.contents.length > 0) {
          for (let n = 1; n <= this.contentsTimes; n++) {
            sender.send({ kind: 'batch', sequence: n, batch: batchOf(schema, this.contents) });
          }
        }
        sender.send({ kind: 'mark', mark: this.current });
      }
      this.outputs.set(endpoint, output);
      return { endpoint, port: port1, step: this.current };
    },
    closeEgressPort: async (endpoint) => {
      this.outputs.get(endpoint)?.sender.close();
      this.outputs.delete(endpoint);
    },
  };
}

export interface EgressServer {
  readonly engine: EngineDouble;
  readonly url: string;
  close(): Promise<void>;
}

export async function startEgress(options: EgressOptions = {}): Promise<EgressServer> {
  const engine = new EngineDouble();
  const handler = makeEgressHandler(options);
  const exchangeOf = (request: IncomingMessage, signal: AbortSignal) => {
    const url = new URL(request.url ?? '/', 'http://localhost');
    const relation = decodeURIComponent(url.pathname.split('/').at(-1) ?? '');
    return { request, requestId: 'r', deployment: engine.deployment, relation, query: url.searchParams, signal };
  };
  const server = createServer((request, response) => {
    const gone = new AbortController();
    response.on('close', () => gone.abort());
    handler({ ...exchangeOf(request, gone.signal), response }).catch((error) => {
      const problem = toProblem(error);
      if (response.headersSent) response.destroy();
      else response.writeHead(problem.status, { 'Content-Type': 'application/json' }).end(problemBody(problem));
    });
  });
  const sockets = new WebSocketServer({ noServer: true });
  server.on('upgrade', (request, connection, head) => {
    sockets.handleUpgrade(request, connection, head, (socket) => {
      const gone = new AbortController();
      socket.on('close', () => gone.abort());
      void acceptEgressSocket(socket, exchangeOf(request, gone.signal), options);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  // SAFETY: a server that listens on a TCP port has an address with one.
  const { port } = server.address() as AddressInfo;
  return {
    engine,
    url: `http://127.0.0.1:${port}/v0/pipelines/p/egress`,
    close: async () => {
      engine.abort();
      for (const { sender } of engine.outputs.values()) sender.close();
      for (const socket of sockets.clients) socket.terminate();
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** One message of a stream. */
export interface Message {
  readonly sequence_number: number;
  readonly snapshot: boolean;
  readonly snapshot_end?: boolean;
  readonly incarnation?: string;
  readonly processed_steps?: number;
  readonly json_data?: readonly { readonly insert?: Row; readonly delete?: Row }[];
  readonly text_data?: string;
}

interface Row {
  readonly id: number;
  readonly note: string | null;
}

/** The messages of a reply, by lines. */
export class Messages {
  readonly response: Response;
  readonly #reader: ReadableStreamDefaultReader<string>;
  readonly #lines: string[] = [];
  #rest = '';

  constructor(response: Response) {
    this.response = response;
    if (response.body === null) throw new Error('a stream has a body');
    this.#reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  }

  /** The next line, null at the end. */
  async line(): Promise<string | null> {
    for (;;) {
      const line = this.#lines.shift();
      if (line !== undefined) return line;
      const { done, value } = await this.#reader.read();
      if (done) return null;
      const lines = (this.#rest + value).split('\n');
      this.#rest = lines.pop() ?? '';
      this.#lines.push(...lines.map((text) => text.replace(/\r$/, '')));
    }
  }

  async next(): Promise<Message> {
    const line = await this.line();
    if (line === null) throw new Error('the stream has ended');
    // SAFETY: the test checks what it reads of it.
    return JSON.parse(line) as Message;
  }

  /** The next message that has data. */
  async data(): Promise<Message> {
    for (;;) {
      const message = await this.next();
      if (message.json_data !== undefined || message.text_data !== undefined) return message;
    }
  }

  async cancel(): Promise<void> {
    await this.#reader.cancel();
  }
}

export async function listen(url: string, init: RequestInit = {}): Promise<Messages> {
  const response = await fetch(url, init);
  if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
  return new Messages(response);
}

export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}
