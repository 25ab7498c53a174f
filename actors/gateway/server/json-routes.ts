// The tables of routes under Fastify: it finds the route and reads the body, unpacked as its Content-Encoding says and bounded packed
// as unpacked; the reply is written here, with exactly the content type that the route says (nothing appends a charset) and
// without compression.
import type { RequestListener, ServerResponse } from 'node:http';
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { HttpProblem } from '../http/http-problem.ts';
import type { Principal } from '../http/principal.ts';
import { problemBody, toProblem } from '../http/problem-reply.ts';
import type { Route, RouteReply } from '../http/route.ts';
import { isV1Path, v1ProblemBody } from '../v1/v1-problem.ts';
import { jsonBody } from './json-body.ts';

export interface JsonRouteOptions {
  readonly routes: readonly Route[];
  readonly bodyBytesMax: number;
  /** Called with Fastify's listener; what it returns is the server that Fastify believes to have. */
  readonly serverFactory: (listener: RequestListener) => import('node:http').Server;
  readonly requestIdOf: (request: import('node:http').IncomingMessage) => string;
  readonly signalOf: (response: ServerResponse) => AbortSignal;
  /** @throws HttpProblem when the caller may not. */
  readonly authorize: (
    route: Route,
    request: import('node:http').IncomingMessage,
    response: ServerResponse,
    pipeline: string | null,
  ) => Promise<void>;
  /** Whom `authorize` has found. */
  readonly principalOf: (request: import('node:http').IncomingMessage) => Principal | null;
  readonly onDefect: (requestId: string, error: unknown) => void;
}

export async function mountJsonRoutes(options: JsonRouteOptions): Promise<FastifyInstance> {
  const app = fastify({
    // SAFETY: Fastify asks for the very function that node:http calls.
    serverFactory: (listener) => options.serverFactory(listener as unknown as RequestListener),
    bodyLimit: options.bodyBytesMax,
    routerOptions: { maxParamLength: 4_096, caseSensitive: true, ignoreTrailingSlash: false },
    forceCloseConnections: false,
    frameworkErrors: (error, request, reply) => void sendProblem(reply, request, error),
  });
  app.addHook('preParsing', async (request) => jsonBody(request.raw));
  app.removeAllContentTypeParsers();
  // Every body is JSON whatever its type says, and an empty one is none: clients send the type with empty bodies too.
  app.addContentTypeParser('*', { parseAs: 'string' }, (_request, text, done) => {
    if (text.length === 0) return done(null, undefined);
    try {
      done(null, JSON.parse(text.toString()));
    } catch (error) {
      const message = `the body is no JSON: ${error instanceof Error ? error.message : String(error)}`;
      done(new HttpProblem({ status: 400, code: 'InvalidParam', message }), undefined);
    }
  });
  const send = (reply: FastifyReply, requestId: string, answer: RouteReply): Promise<void> => {
    reply.hijack();
    return writeReply(reply.raw, requestId, answer, options.signalOf(reply.raw));
  };
  const sendProblem = (reply: FastifyReply, request: FastifyRequest, thrown: unknown): Promise<void> => {
    const requestId = options.requestIdOf(request.raw);
    const problem = toProblem(thrown);
    if (problem.status >= 500 && problem.status !== 503 && problem.status !== 501) options.onDefect(requestId, thrown);
    // What is left of the body is not read: the connection cannot be used again.
    if (!request.raw.complete && !reply.raw.headersSent) reply.raw.setHeader('Connection', 'close');
    return send(reply, requestId, problemReply(problem, request.url));
  };
  app.setErrorHandler((error, request, reply) => sendProblem(reply, request, error));
  app.setNotFoundHandler((request, reply) => sendProblem(reply, request, unknownRoute(request)));
  for (const route of options.routes) {
    app.route({
      method: route.method,
      url: route.path.replaceAll(/\{([^}]+)\}/g, ':$1'),
      // Before the body is read: who may not call sends none.
      onRequest: async (request, reply) => {
        // `*`, which the router takes for the address itself.
        if (!request.url.startsWith('/')) throw unknownRoute(request);
        const params = paramsOf(request);
        const pipeline = route.pipelineOf === undefined ? params['pipeline_name'] : route.pipelineOf(params);
        await options.authorize(route, request.raw, reply.raw, pipeline ?? null);
      },
      handler: async (request, reply) => {
        const requestId = options.requestIdOf(request.raw);
        const params = paramsOf(request);
        const answer = await route.handle({
          params,
          query: queryOf(request.url),
          body: request.body,
          requestId,
          principal: options.principalOf(request.raw),
          signal: options.signalOf(reply.raw),
        });
        await send(reply, requestId, answer);
      },
    });
  }
  await app.ready();
  return app;
}

function unknownRoute({ method, url }: FastifyRequest): HttpProblem {
  return new HttpProblem({ status: 404, code: 'UnknownRoute', message: `there is no ${method} ${url.split('?')[0]}` });
}

function paramsOf(request: FastifyRequest): Readonly<Record<string, string>> {
  // SAFETY: Fastify gives the decoded segments as an object of texts.
  return request.params as Readonly<Record<string, string>>;
}

/** What stands before the question mark is no matter: not every path that a client may send is one for URL. */
function queryOf(url: string): URLSearchParams {
  const mark = url.indexOf('?');
  return new URLSearchParams(mark < 0 ? '' : url.slice(mark + 1));
}

export function problemReply(problem: HttpProblem, url: string): RouteReply {
  const isPretty = /[?&]pretty(?:[=&]|$)/.test(url);
  return {
    status: problem.status,
    body: isV1Path(url) ? v1ProblemBody(problem, isPretty) : problemBody(problem),
    contentType: 'application/json',
    headers: problem.headers,
  };
}

export async function writeReply(
  response: ServerResponse,
  requestId: string,
  reply: RouteReply,
  signal: AbortSignal,
): Promise<void> {
  if (response.destroyed || response.headersSent) return;
  const headers: Record<string, string | number> = { ...reply.headers, 'X-Request-Id': requestId };
  if (reply.stream !== undefined) {
    if (reply.contentType !== undefined) headers['Content-Type'] = reply.contentType;
    response.writeHead(reply.status, headers);
    response.flushHeaders();
    try {
      await reply.stream(response, signal);
    } finally {
      response.end();
    }
    return;
  }
  const bytes = bodyBytes(reply);
  if (bytes !== null) headers['Content-Type'] = reply.contentType ?? 'application/json';
  headers['Content-Length'] = bytes?.length ?? 0;
  response.writeHead(reply.status, headers);
  response.end(bytes ?? undefined);
}

function bodyBytes(reply: RouteReply): Buffer | null {
  if (reply.body === undefined) return null;
  if (reply.contentType === undefined) {
    // An integer that JSON's readers could not hold goes as text; a reply that could not be printed would be none at all.
    const text = JSON.stringify(reply.body, (_, item: unknown) => (typeof item === 'bigint' ? item.toString() : item));
    return Buffer.from(text, 'utf8');
  }
  return reply.body instanceof Uint8Array ? Buffer.from(reply.body) : Buffer.from(String(reply.body), 'utf8');
}
