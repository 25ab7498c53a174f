// Names of requests, for logs and for those who ask about one: the client's own where it is a plain word, else the server's.
//
// A server's names are a prefix of its own and a number. They are kept at the request itself: a WeakMap with an entry for each request
// costs the garbage collector more than the request does.
import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

const nameOf: unique symbol = Symbol('request id');

interface Named extends IncomingMessage {
  [nameOf]?: string;
}

/** The name of a request, the same whenever it is asked for. */
export function requestIds(): (request: IncomingMessage) => string {
  const prefix = randomUUID().slice(0, 18);
  let last = 0;
  return (request: Named) => {
    const known = request[nameOf];
    if (known !== undefined) return known;
    const given = request.headers['x-request-id'];
    const name = typeof given === 'string' && /^[\w.:-]{1,64}$/.test(given) ? given : `${prefix}-${++last}`;
    request[nameOf] = name;
    return name;
  };
}
