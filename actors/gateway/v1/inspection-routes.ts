// Looking at records: GET /v1/connectors/{id}/inspect, /v1/processors/{id}/inspect-in and inspect-out, as a chunked reply of one JSON
// object a line or as a WebSocket of one a message.
//
// Routes beside Fastify's: their replies do not end. A pipeline with SQL has no records to show: 409. Not here: the session itself
// (record-inspection.ts).
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { WebSocket } from 'ws';
import { systemClock, type Timer } from '../../../runtime/clock.ts';
import type { EgressSink } from '../egress/egress-sink.ts';
import { openHttpSink } from '../egress/http-sink.ts';
import { openWebSocketSink } from '../egress/websocket-sink.ts';
import type { HostedPipeline } from '../hosting/hosted-pipeline.ts';
import type { Hosting } from '../hosting/hosting.ts';
import { type InspectedThing, RecordInspection } from './record-inspection.ts';
import { connectorById, findConnector, findProcessor, processorById, relayOf } from './v1-catalog.ts';

/** What an authorized request is about. */
export interface Inspection {
  readonly pipeline: HostedPipeline;
  readonly thing: InspectedThing;
}

const pathPattern = /^\/v1\/(?:connectors\/([^/]+)\/inspect|processors\/([^/]+)\/inspect-(in|out))$/;
const pingMs = 54_000;
const pongWaitMs = 60_000;
/** One who looks has nothing to say. */
const messageBytesMax = 512;

/** null: another path, or another method. */
export function findInspection({ method, url = '/' }: IncomingMessage): InspectedThing | null {
  const mark = url.indexOf('?');
  const found = method === 'GET' ? pathPattern.exec(mark < 0 ? url : url.slice(0, mark)) : null;
  if (found === null) return null;
  const [, connector, processor = '', side] = found;
  try {
    if (connector !== undefined) return { kind: 'connector', id: decodeURIComponent(connector) };
    return { kind: side === 'in' ? 'processor in' : 'processor out', id: decodeURIComponent(processor) };
  } catch {
    // A path that is no percent-encoding names nothing.
    return null;
  }
}

/** @throws HttpProblem: what the key may not see, what is not there, pipeline.has_program */
export async function authorizedInspection(
  hosting: Hosting,
  thing: InspectedThing,
  request: IncomingMessage,
): Promise<Inspection> {
  const { pipelines } = hosting;
  const { kind, id } = thing;
  const owner = kind === 'connector' ? findConnector(pipelines, id) : findProcessor(pipelines, id);
  await hosting.authorize('read', request, owner?.pipeline.name ?? null);
  const { pipeline } = kind === 'connector' ? connectorById(pipelines, id) : processorById(pipelines, id);
  relayOf(pipeline);
  return { pipeline, thing };
}

export function inspectOverHttp(inspection: Inspection, response: ServerResponse, closing: AbortSignal): void {
  inspect(inspection, openHttpSink(response, false), closing);
}

export function inspectOverSocket(inspection: Inspection, socket: WebSocket, closing: AbortSignal): void {
  socket.on('message', (data: Buffer) => {
    if (data.length > messageBytesMax) socket.close(1009);
  });
  watchPongs(socket);
  inspect(inspection, openWebSocketSink(socket), closing);
}

function inspect({ pipeline, thing }: Inspection, sink: EgressSink, closing: AbortSignal): void {
  const session = new RecordInspection(pipeline, thing, sink);
  const close = (): void => session.close();
  if (closing.aborted) close();
  closing.addEventListener('abort', close, { once: true });
  const { onClose } = sink;
  sink.onClose = () => {
    closing.removeEventListener('abort', close);
    onClose?.();
  };
}

/** One who does not answer is gone. */
function watchPongs(socket: WebSocket): void {
  const patience = (): Timer => systemClock.after(pongWaitMs, () => socket.terminate());
  let waiting = patience();
  const pings = systemClock.every(pingMs, () => socket.ping());
  socket.on('pong', () => {
    waiting.cancel();
    waiting = patience();
  });
  socket.once('close', () => {
    waiting.cancel();
    pings.cancel();
  });
}
