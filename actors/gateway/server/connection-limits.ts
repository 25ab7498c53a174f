// What a connection may take its time over, and how one ends that does not behave: heads and JSON bodies that never end,
// bytes that are no HTTP, clients that do not hang up.
//
// Streams (ingress) may take as long as they like: their handlers watch over them.
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { systemClock } from '../../../runtime/clock.ts';
import { HttpProblem } from '../http/http-problem.ts';

export interface ConnectionTimeouts {
  /** From the first byte of a request, or from connecting, to the end of its head. */
  readonly headersMs: number;
  /** From the head to the end of a JSON body. */
  readonly bodyMs: number;
  /** When the server closes: how long replies that are under way may take. */
  readonly closeMs: number;
}

export const defaultTimeouts: ConnectionTimeouts = { headersMs: 20_000, bodyMs: 300_000, closeMs: 2_000 };

/** How long a client may read the last reply before the connection is cut. */
const lingerMs = 1_000;

/** Refuses a request whose body has not come in time. */
export function cutLateBody(
  request: IncomingMessage,
  response: ServerResponse,
  bodyMs: number,
  refuse: (problem: HttpProblem) => void,
): void {
  const { headers } = request;
  const hasBody = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
  if (!hasBody) return;
  const timer = systemClock.after(bodyMs, () => {
    if (request.complete || response.headersSent) return;
    refuse(new HttpProblem({ status: 408, code: 'RequestTimeout', message: 'the body has not come in time' }));
  });
  request.once('close', () => timer.cancel());
  response.once('close', () => timer.cancel());
}

/** What is no HTTP, has too long a head or takes too long over it. */
export function answerBadRequest(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  const status =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? '431 Request Header Fields Too Large'
      : error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
        ? '408 Request Timeout'
        : '400 Bad Request';
  sendAndClose(socket, status, JSON.stringify({ message: status.slice(4), error_code: 'BadRequest', details: null }));
}

/** A last reply on a connection that no ServerResponse belongs to. Ends it, also when the client never does. */
export function sendAndClose(socket: Duplex, status: string, body: string): void {
  const linger = systemClock.after(lingerMs, () => socket.destroy());
  socket.once('close', () => linger.cancel());
  socket.end(
    `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
}

/** Every connection of a server, whatever it has become since (a WebSocket is none of node:http any more). */
export function trackSockets(server: Server): { destroyAll(): void } {
  const sockets = new Set<Duplex>();
  const add = (socket: Duplex): void => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  };
  // Under TLS the second wraps the first, which ends with it.
  server.on('connection', add);
  server.on('secureConnection', add);
  return {
    destroyAll: () => {
      for (const socket of sockets) socket.destroy();
    },
  };
}
