// The server: one port for the JSON routes, the streams and WebSockets, over the pipelines that it hosts.
//
// node:http(s) takes the connection. A path whose body is a stream goes to its handler before anything reads it; every
// other request goes through Fastify's router. Each request has an id and a signal that is aborted when the client leaves
// or the server closes. Closing takes no new requests, ends the streams, then stops the pipelines (their wish to run
// stays in the store, so that the next server starts them again).

import { setMaxListeners } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { systemClock } from '../../../runtime/clock.ts';
import { type CodedErrorClass, defineError } from '../../../runtime/errors.ts';
import { makeLog } from '../../../runtime/log.ts';
import { type RunningGrpcServer, startGrpcServer } from '../grpc/grpc-server.ts';
import { innerRequests } from '../grpc/inner-requests.ts';
import { HttpProblem } from '../http/http-problem.ts';
import { toProblem } from '../http/problem-reply.ts';
import { authorizedInspection, findInspection, inspectOverHttp } from '../v1/inspection-routes.ts';
import { makeRoutes } from './all-routes.ts';
import { limitBody } from './body-limit.ts';
import { answerBadRequest, cutLateBody, defaultTimeouts, trackSockets } from './connection-limits.ts';
import { allowOrigin, answerPreflight } from './cross-origin.ts';
import { openHosting } from './hosting-start.ts';
import { mountJsonRoutes, problemReply, writeReply } from './json-routes.ts';
import { rawRoutes } from './raw-handlers.ts';
import { RawRouteFinder } from './raw-routes.ts';
import { requestIds } from './request-ids.ts';
import { ServerOptionInvalid } from './serve-configuration.ts';
import type { ServerOptions } from './server-options.ts';
import { readTlsFiles } from './tls-files.ts';
import { acceptUpgrades } from './upgrades.ts';

export interface RunningServer {
  /** `http://127.0.0.1:8080`, without a slash at the end. */
  readonly url: string;
  /** Where Conduit's gRPC interface is served, `127.0.0.1:8084`; null: nowhere. */
  readonly grpcAddress: string | null;
  /** Whether callers have to prove who they are. */
  readonly hasKeys: boolean;
  /** Who may call, in a sentence. */
  readonly access: string;
  close(): Promise<void>;
}

export const AddressUnavailable: CodedErrorClass<{ readonly address: string; readonly why: string }> = defineError(
  'config.address_unavailable',
  { help: 'Choose another address with --host and --port (0: any free port), or end what listens there.' },
  (f) => `cannot listen on ${f.address}: ${f.why}`,
);

const listenReasons: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another process listens there already',
  EADDRNOTAVAIL: 'this machine has no such address',
  EACCES: 'this user may not listen there',
  ENOTFOUND: 'the name is not known',
};

const nothing = (): void => {};
const bodyBytesMaxDefault = 64 * 1024 * 1024;
const headerBytesMax = 32 * 1024;

export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const log = makeLog('server', systemClock.now, options.onLog ?? (() => {}));
  const tls = options.tls === undefined ? null : await readTlsFiles(options.tls);
  const hosting = await openHosting(options, log);
  if (options.refuseOpen === true && !hosting.hasKeys) {
    await hosting.close();
    throw new ServerOptionInvalid({
      detail: `without API keys the server listens on loopback only, not on '${options.host}': set MILLRACE_ADMIN_KEY, or start it on 127.0.0.1 and make keys with \`millrace api-key create\``,
    });
  }
  const closing = new AbortController();
  // Every request that asks for a signal listens: that many are no leak.
  setMaxListeners(Number.POSITIVE_INFINITY, closing.signal);
  const requestIdOf = requestIds();
  const signals = new WeakMap<ServerResponse, AbortSignal>();
  const signalOf = (response: ServerResponse): AbortSignal => {
    const known = signals.get(response);
    if (known !== undefined) return known;
    const gone = new AbortController();
    const abort = (): void => gone.abort();
    closing.signal.addEventListener('abort', abort, { once: true });
    response.once('close', () => {
      closing.signal.removeEventListener('abort', abort);
      gone.abort();
    });
    if (closing.signal.aborted) gone.abort();
    signals.set(response, gone.signal);
    return gone.signal;
  };
  const onDefect = (requestId: string, error: unknown): void =>
    log.error('a request has failed', {
      requestId,
      error: error instanceof Error ? (error.stack ?? '') : String(error),
    });
  const raw = rawRoutes();
  const finder = new RawRouteFinder(raw);
  const timeouts = { ...defaultTimeouts, ...options.timeouts };

  const answerProblem = async (
    request: IncomingMessage,
    response: ServerResponse,
    thrown: unknown,
    isUnwatched = false,
  ): Promise<void> => {
    const problem = toProblem(thrown);
    if (problem.code === 'InternalError') onDefect(requestIdOf(request), thrown);
    if (response.headersSent) return void response.destroy();
    if (isUnwatched) hosting.audit(request, response, requestIdOf(request));
    // What is left of the body is not read: the connection cannot be used again.
    if (!request.complete) response.setHeader('Connection', 'close');
    await writeReply(response, requestIdOf(request), problemReply(problem, request.url ?? ''), signalOf(response));
  };

  /** Of a key that may send so much only, however the body is sent. */
  const limitBodyOf = (request: IncomingMessage, response: ServerResponse, isUnwatched = false): void => {
    const bytesMax = hosting.access.bodyBytesMaxOf(request);
    if (bytesMax === null) return;
    limitBody(request, bytesMax, (problem) => {
      answerProblem(request, response, problem, isUnwatched).catch((error: unknown) =>
        onDefect(requestIdOf(request), error),
      );
    });
  };

  let jsonListener: RequestListener = () => {};
  const listener: RequestListener = (request, response) => {
    response.on('error', nothing);
    const match = finder.find(request);
    // Rows that come in are noted only when they are refused.
    const isInput = match?.route.verb === 'ingress';
    if (!isInput) hosting.audit(request, response, requestIdOf(request));
    if (allowOrigin(options.corsOrigins ?? [], request, response) && answerPreflight(request, response)) return;
    if (match === null) {
      const wanted = findInspection(request);
      if (wanted !== null) {
        response.setHeader('X-Request-Id', requestIdOf(request));
        authorizedInspection(hosting, wanted, request)
          .then((inspection) => inspectOverHttp(inspection, response, closing.signal))
          .catch((error: unknown) => answerProblem(request, response, error))
          .catch((error: unknown) => onDefect(requestIdOf(request), error));
        return;
      }
      cutLateBody(request, response, timeouts.bodyMs, (problem) => {
        answerProblem(request, response, problem).catch((error: unknown) => onDefect(requestIdOf(request), error));
      });
      return jsonListener(request, response);
    }
    let signal: AbortSignal | null = null;
    const run = async (): Promise<void> => {
      await hosting.authorize(match.route.access, request, match.pipeline);
      limitBodyOf(request, response, isInput);
      const requestId = requestIdOf(request);
      // The short reply of an input says it itself: headers that are set one by one are slow.
      if (!isInput) response.setHeader('X-Request-Id', requestId);
      await match.route.handle({
        request,
        response,
        requestId,
        deployment: hosting.pipelines.deployed(match.pipeline),
        relation: match.relation,
        query: match.query,
        // Made when it is asked for: a small request that is answered at once has no use for it.
        get signal() {
          signal ??= signalOf(response);
          return signal;
        },
      });
    };
    run()
      .catch((error: unknown) => answerProblem(request, response, error, isInput))
      .catch((error: unknown) => onDefect(requestIdOf(request), error));
  };
  const limits = {
    maxHeaderSize: headerBytesMax,
    headersTimeout: timeouts.headersMs,
    // Bodies of any length are welcome as long as they come: the handlers watch over those that do not.
    requestTimeout: 0,
    connectionsCheckingInterval: Math.max(50, Math.min(5_000, timeouts.headersMs / 4)),
    keepAliveTimeout: 65_000,
  };
  const server: Server =
    tls === null ? createServer(limits, listener) : createSecureServer({ ...limits, ...tls }, listener);
  server.on('clientError', answerBadRequest);
  const connections = trackSockets(server);

  const app = await mountJsonRoutes({
    routes: makeRoutes(hosting),
    bodyBytesMax: options.bodyBytesMax ?? bodyBytesMaxDefault,
    serverFactory: (json) => {
      jsonListener = json;
      return server;
    },
    requestIdOf,
    signalOf,
    authorize: async (route, request, response, pipeline) => {
      await hosting.authorize(route.access, request, pipeline, route.isFiltered === true);
      limitBodyOf(request, response);
    },
    principalOf: (request) => hosting.access.principalOf(request),
    onDefect,
  });
  const sockets = acceptUpgrades({ server, routes: raw, hosting, requestIdOf, closing: closing.signal, onDefect });

  let grpc: RunningGrpcServer | null = null;
  let wantedPort = options.port;
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host: options.host, port: options.port, backlog: 4_096 }, () => resolve());
    });
    if (options.grpcPort !== undefined) {
      wantedPort = options.grpcPort;
      grpc = await startGrpcServer({ host: options.host, port: wantedPort, tls, requests: innerRequests(listener) });
    }
  } catch (error) {
    await hosting.close();
    await app.close();
    const { code = '', message } = error as NodeJS.ErrnoException;
    const why = listenReasons[code] ?? message;
    throw new AddressUnavailable({ address: `${options.host}:${wantedPort}`, why }, { cause: error });
  }
  await hosting.startWished();
  // SAFETY: a server that listens on a host and port has such an address.
  const { port } = server.address() as AddressInfo;
  const host = options.host.includes(':') ? `[${options.host}]` : options.host;
  let closed: Promise<void> | null = null;
  const close = async (): Promise<void> => {
    const ended = new Promise<void>((resolve) => server.close(() => resolve()));
    closing.abort(new HttpProblem({ status: 503, code: 'Terminating', message: 'the server is shutting down' }));
    sockets.close();
    grpc?.close();
    server.closeIdleConnections();
    await hosting.close();
    // Also those that have become WebSockets, and those that their clients never end.
    const grace = systemClock.after(timeouts.closeMs, () => connections.destroyAll());
    server.closeIdleConnections();
    await ended;
    grace.cancel();
    await app.close();
  };
  return {
    hasKeys: hosting.hasKeys,
    access: hosting.access.description,
    grpcAddress: grpc?.address ?? null,
    url: `${tls === null ? 'http' : 'https'}://${host}:${port}`,
    close: () => {
      closed ??= close();
      return closed;
    },
  };
}
