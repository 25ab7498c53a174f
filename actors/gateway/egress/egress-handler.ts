// POST and GET …/egress/{relation}: the changes of a view or table as a chunked reply or as Server-Sent Events.
import type { RawExchange, RawHandler } from '../hosting/deployment.ts';
import { type EgressRequest, readBody, readRequest } from './egress-request.ts';
import { runEgress } from './egress-session.ts';
import { openHttpSink } from './http-sink.ts';
import type { EgressOptions } from './hub-directory.ts';

/** Chunk bound of GET, WebSocket and Server-Sent Events: a browser that splits what it reads by lines rarely meets half a line. */
export const chunkBytesDefault: number = 16 * 1024;

export function makeEgressHandler(options: EgressOptions = {}): RawHandler {
  return (exchange) => handle(exchange, options);
}

async function handle(exchange: RawExchange, options: EgressOptions): Promise<void> {
  const { request, response, deployment, relation, query, signal } = exchange;
  const isPost = request.method === 'POST';
  const configuration = isPost ? await readBody(request) : null;
  const events = request.headers.accept?.includes('text/event-stream') === true;
  const bytesDefault = isPost && !events ? null : (options.chunkBytesMax ?? chunkBytesDefault);
  const read = readRequest(query, configuration, bytesDefault);
  // Readers of a plain POST that say nothing of `array` are those that look into every message for rows.
  const plain: EgressRequest = isPost && !events && read.from === null ? read : { ...read, emptyData: false };
  // An event stream is always one that can be continued.
  const asked: EgressRequest = events && read.from === null ? { ...plain, from: 'latest' } : plain;
  const lastEventId = events ? (request.headers['last-event-id'] ?? null) : null;
  await runEgress({
    deployment,
    relation,
    request: asked,
    options,
    signal,
    path: (request.url ?? '').split('?')[0] ?? '',
    lastEventId: typeof lastEventId === 'string' && lastEventId !== '' ? lastEventId : null,
    makeSink: () => openHttpSink(response, events),
  });
}
