// A pipeline that really runs, as the handlers of ad-hoc queries see it: a control thread behind a thin Deployment, and an
// HTTP server that knows one route.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';
import { makeQueryHandler, type QueryHandlerOptions } from '../../../../actors/gateway/adhoc/query-handler.ts';
import { acceptQuerySocket } from '../../../../actors/gateway/adhoc/query-socket.ts';
import { ControlConnection } from '../../../../actors/gateway/embedded/control-connection.ts';
import type { OpenedPipeline } from '../../../../actors/gateway/embedded/control-interface.ts';
import type { Deployment } from '../../../../actors/gateway/hosting/deployment.ts';
import { HttpProblem } from '../../../../actors/gateway/http/http-problem.ts';
import { systemClock } from '../../../../runtime/clock.ts';
import { errorToData } from '../../../../runtime/errors.ts';

export interface RunningPipeline {
  readonly url: string;
  readonly control: ControlConnection;
  readonly opened: OpenedPipeline;
  /** GET with these parameters. */
  query(parameters: Readonly<Record<string, string>>, init?: RequestInit): Promise<Response>;
  /** The text of a reply whose format is not said. */
  text(sql: string, format?: string): Promise<string>;
  close(): Promise<void>;
}

export async function runPipeline(program: string, options: QueryHandlerOptions = {}): Promise<RunningPipeline> {
  const control = new ControlConnection({ name: 'test', clock: systemClock, onReport: () => {}, onLost: () => {} });
  const definition = { name: 'test', program };
  const source = { definition, baseFolder: '.' };
  const opened = await control.call('open', (api) => api.open({ source, stepRowsMax: null }));
  await control.call('start', (api) => api.start({ paused: false }));
  const ended = new AbortController();
  const deployment: Deployment = {
    name: 'test',
    incarnation: 'i',
    tables: opened.tables,
    views: opened.views,
    status: opened.status,
    ended: ended.signal,
    onStatus: () => () => {},
    // SAFETY: the control thread implements both interfaces.
    call: (name, make, limits) => control.call(name, make as never, limits),
    wait: (name, make, limits) => control.wait(name, make as never, limits),
    apiInputs: new Map(),
    apiOutputs: new Map(),
  };
  const handler = makeQueryHandler(options);
  const server: Server = createServer((request, response) => {
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    const { searchParams } = new URL(request.url ?? '', 'http://localhost');
    handler({
      request,
      response,
      requestId: '1',
      deployment,
      relation: '',
      query: searchParams,
      signal: gone.signal,
    }).catch((error: unknown) => {
      const problem = error instanceof HttpProblem ? error : null;
      const { code, message } = errorToData(error);
      const body = { message, error_code: problem?.code ?? code, details: problem?.details ?? null };
      response.writeHead(problem?.status ?? 500, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    });
  });
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', (socket, request) => {
    const exchange = { requestId: '1', deployment, relation: '', query: new URLSearchParams(), signal: ended.signal };
    void acceptQuerySocket(socket, { request, ...exchange }, options);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  // SAFETY: it listens on a port.
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  const query = (parameters: Readonly<Record<string, string>>, init: RequestInit = {}): Promise<Response> =>
    fetch(`${url}/v0/pipelines/test/query?${new URLSearchParams(parameters)}`, init);
  return {
    url,
    control,
    opened,
    query,
    text: async (sql, format = 'text') => await (await query({ sql, format })).text(),
    close: async () => {
      ended.abort();
      for (const socket of sockets.clients) socket.terminate();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await control.call('stop', (api) => api.stop({ force: true, timeoutMs: 5_000 }));
      await control.end();
    },
  };
}
