// Requests to the server from inside its own process: HTTP over a pair of streams, so that a call of gRPC passes through what every
// other request passes through (keys, limits, the audit log, the routes) and nothing of it is written twice.
import { createServer, type IncomingMessage, type RequestListener, request } from 'node:http';
import { duplexPair } from 'node:stream';
import type { RouteCall } from './route-request.ts';

export interface InnerCall extends RouteCall {
  readonly headers: Readonly<Record<string, string>>;
  /** Of the caller. */
  readonly remoteAddress: string | undefined;
  readonly signal: AbortSignal;
}

/** Answers with the head of the reply; its body is still to come. Rejects when the server is closing or `signal` is aborted. */
export type InnerRequests = (call: InnerCall) => Promise<IncomingMessage>;

export function innerRequests(listener: RequestListener): InnerRequests {
  const server = createServer({ keepAliveTimeout: 0 }, listener);
  return ({ verb, url, body, headers, remoteAddress, signal }) =>
    new Promise((resolve, reject) => {
      const [near, far] = duplexPair();
      Object.defineProperty(far, 'remoteAddress', { value: remoteAddress });
      // A pair does not end together by itself.
      near.once('close', () => far.destroy());
      far.once('close', () => near.destroy());
      far.on('error', () => {});
      server.emit('connection', far);
      const sent = request({
        method: verb,
        path: url,
        signal,
        createConnection: () => near,
        headers: {
          ...headers,
          connection: 'close',
          ...(body === null ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
        },
      });
      sent.once('error', reject);
      sent.once('response', (response) => {
        response.on('error', () => {});
        resolve(response);
      });
      sent.end(body ?? undefined);
    });
}
