// A short reply as one write to its socket.
//
// `writeHead` and `end(body)` of node:http make two pieces of a reply, the second of them empty, which go out together as a gathering
// write; where replies are short that costs a quarter of everything that Node does for a request. `end()` without a body writes the head
// alone, as one text: so the body is put behind the head first. Keep-alive, pipelining and events are node:http's as ever.
import type { ServerResponse } from 'node:http';

/** `headers`: names and values in turn. `body`: ASCII, and not for HEAD. */
export function sendShort(response: ServerResponse, status: number, headers: readonly string[], body: string): void {
  response.writeHead(status, [...headers, 'Content-Length', String(body.length)]);
  // SAFETY: the head as text, from `writeHead` until it is written; looked at before it is trusted, since it is no documented member.
  const outgoing = response as unknown as { _header?: unknown };
  if (typeof outgoing._header === 'string' && outgoing._header.endsWith('\r\n\r\n')) {
    outgoing._header += body;
    response.end();
  } else {
    response.end(body);
  }
}
