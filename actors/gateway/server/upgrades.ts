// WebSocket upgrades on the paths of the streams. The subprotocol that the client asks for first is echoed.
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Hosting } from '../hosting/hosting.ts';
import { HttpProblem } from '../http/http-problem.ts';
import { problemBody, toProblem } from '../http/problem-reply.ts';
import { authorizedInspection, findInspection, inspectOverSocket } from '../v1/inspection-routes.ts';
import { isV1Path, v1ProblemBody } from '../v1/v1-problem.ts';
import { sendAndClose } from './connection-limits.ts';
import { findRawRoute, type RawMatch, type RawRoute } from './raw-routes.ts';

export interface UpgradeOptions {
  readonly server: Server;
  readonly routes: readonly RawRoute[];
  readonly hosting: Hosting;
  readonly requestIdOf: (request: IncomingMessage) => string;
  readonly closing: AbortSignal;
  readonly onDefect: (requestId: string, error: unknown) => void;
}

const frameBytesMax = 2 * 1024 * 1024;

export function acceptUpgrades(options: UpgradeOptions): { close(): void } {
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: frameBytesMax,
    // A stream is not compressed: latency matters more, and the memory of a thousand compressors.
    perMessageDeflate: false,
    handleProtocols: (protocols) => [...protocols][0] ?? false,
  });
  const upgrade = async (request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> => {
    const wanted = findInspection(request);
    if (wanted !== null) {
      const inspection = await authorizedInspection(options.hosting, wanted, request);
      sockets.handleUpgrade(request, socket, head, (accepted) => {
        inspectOverSocket(inspection, accepted, goneSignal(accepted, options.closing));
      });
      return;
    }
    const match = findRawRoute(options.routes, request);
    if (match === null || match.route.accept === null) {
      // Never the query: it may hold a key.
      const [path] = (request.url ?? '').split('?');
      throw new HttpProblem({ status: 404, code: 'UnknownRoute', message: `there is no WebSocket at ${path}` });
    }
    await options.hosting.authorize(match.route.access, request, match.pipeline);
    const deployment = options.hosting.pipelines.deployed(match.pipeline);
    sockets.handleUpgrade(request, socket, head, (accepted) => {
      const { accept } = match.route;
      if (accept === null) return;
      const requestId = options.requestIdOf(request);
      accept(accepted, {
        ...exchangeOf(match),
        request,
        requestId,
        deployment,
        signal: goneSignal(accepted, options.closing),
      })
        .catch((error: unknown) => {
          const problem = toProblem(error);
          if (problem.code === 'InternalError') options.onDefect(requestId, error);
          accepted.send(problemBody(problem));
          accepted.close(1011);
        })
        .catch((error: unknown) => options.onDefect(requestId, error));
    });
  };
  options.server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy());
    upgrade(request, socket, head).catch((error: unknown) => {
      const problem = toProblem(error);
      if (problem.code === 'InternalError') options.onDefect(options.requestIdOf(request), error);
      options.hosting.auditUpgrade(request, options.requestIdOf(request), problem.status);
      refuse(socket, problem, request.url ?? '');
    });
  });
  return {
    close: () => {
      for (const client of sockets.clients) client.close(1001);
      sockets.close();
    },
  };
}

function exchangeOf(match: RawMatch): { readonly relation: string; readonly query: URLSearchParams } {
  return { relation: match.relation, query: match.query };
}

function goneSignal(socket: WebSocket, closing: AbortSignal): AbortSignal {
  const gone = new AbortController();
  const abort = (): void => gone.abort();
  closing.addEventListener('abort', abort, { once: true });
  socket.once('close', () => {
    closing.removeEventListener('abort', abort);
    gone.abort();
  });
  return gone.signal;
}

function refuse(socket: Duplex, problem: HttpProblem, url: string): void {
  if (!socket.writable) return void socket.destroy();
  sendAndClose(
    socket,
    `${problem.status} Refused`,
    isV1Path(url) ? v1ProblemBody(problem, false) : problemBody(problem),
  );
}
