// Calls from browsers of other origins: allowed for the origins of the configuration, for none by default.
import type { IncomingMessage, ServerResponse } from 'node:http';

/** Sets the headers when the origin may call. */
export function allowOrigin(origins: readonly string[], request: IncomingMessage, response: ServerResponse): boolean {
  const { origin } = request.headers;
  if (origin === undefined) return false;
  const isAllowed = origins.includes('*') || origins.includes(origin);
  if (!isAllowed) return false;
  response.setHeader('Access-Control-Allow-Origin', origins.includes('*') ? '*' : origin);
  response.setHeader(
    'Access-Control-Expose-Headers',
    'X-Request-Id, Retry-After, feldera-logs-epoch, feldera-logs-seq, feldera-logs-gap',
  );
  response.setHeader('Vary', 'Origin');
  return true;
}

/** Whether it was a preflight, which is answered then. */
export function answerPreflight(request: IncomingMessage, response: ServerResponse): boolean {
  if (request.method !== 'OPTIONS' || request.headers['access-control-request-method'] === undefined) return false;
  response.writeHead(204, {
    'Access-Control-Allow-Methods': 'GET, POST, PUT, PATCH, DELETE',
    'Access-Control-Allow-Headers': request.headers['access-control-request-headers'] ?? 'content-type, authorization',
    'Access-Control-Max-Age': '600',
  });
  response.end();
  return true;
}
