// The changes of a view or table over a WebSocket: the messages of …/egress/{relation}, one text message each.
//
// A socket that cannot be served is told why in a text message and closed with 4000 + the status of the same reply over HTTP.
import type { WebSocket } from 'ws';
import type { RawExchange } from '../hosting/deployment.ts';
import { problemBody, toProblem } from '../http/problem-reply.ts';
import { chunkBytesDefault } from './egress-handler.ts';
import { readRequest } from './egress-request.ts';
import { runEgress } from './egress-session.ts';
import type { EgressOptions } from './hub-directory.ts';
import { openWebSocketSink } from './websocket-sink.ts';

/** Resolves when the socket is over. Never rejects for what the client did. */
export async function acceptEgressSocket(
  socket: WebSocket,
  exchange: Omit<RawExchange, 'response'>,
  options: EgressOptions = {},
): Promise<void> {
  const { request, deployment, relation, query, signal } = exchange;
  // Until there is a sink, nobody else listens for errors.
  socket.on('error', () => socket.terminate());
  try {
    const read = { ...readRequest(query, null, options.chunkBytesMax ?? chunkBytesDefault), emptyData: false };
    await runEgress({
      deployment,
      relation,
      request: read.from === null ? { ...read, from: 'latest' } : read,
      options,
      signal,
      path: (request.url ?? '').split('?')[0] ?? '',
      lastEventId: null,
      makeSink: () => openWebSocketSink(socket),
    });
  } catch (error) {
    const problem = toProblem(error);
    if (socket.readyState === socket.OPEN) {
      socket.send(problemBody(problem));
      socket.close(4000 + problem.status, problem.code);
    }
    if (problem.status >= 500) throw error;
  }
}
