// The size limit of a body that does not say how long it is: counted as it comes, before the handler sees it.
//
// A body that is announced as too long has been refused before (access-control.ts). What is over the limit is dropped; the
// handler that reads the body sees its connection end.
import type { IncomingMessage } from 'node:http';
import { HttpProblem } from '../http/http-problem.ts';

/** Called before anything reads the body. `refuse` is called once, later. @throws HttpProblem when too much is here already. */
export function limitBody(request: IncomingMessage, bytesMax: number, refuse: (problem: HttpProblem) => void): void {
  if (request.headers['transfer-encoding'] === undefined) return;
  const push = request.push.bind(request);
  let bytes = request.readableLength;
  if (bytes > bytesMax) throw tooLarge(bytesMax);
  let isRefused = false;
  // node:http hands the parser's chunks to the stream by this method alone; reading them here would start the flow.
  request.push = (chunk: unknown, encoding?: BufferEncoding): boolean => {
    if (chunk instanceof Uint8Array) bytes += chunk.length;
    if (bytes <= bytesMax || chunk === null) return isRefused ? false : push(chunk, encoding);
    if (!isRefused) {
      isRefused = true;
      refuse(tooLarge(bytesMax));
    }
    return false;
  };
}

function tooLarge(bytesMax: number): HttpProblem {
  const message = `a request of this key may have ${bytesMax} bytes, this one has more`;
  return new HttpProblem({ status: 413, code: 'PayloadTooLarge', message, details: { bytes_max: bytesMax } });
}
