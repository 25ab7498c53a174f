// A chunked HTTP reply as a sink: each message is one HTTP chunk, plain or as a Server-Sent Event.
//
// The chunks are framed here, not by node:http, which would make a chunk of its own of every write: a message consists of a
// short head and a buffer that all listeners share. Node corks the socket for the length of a tick, so that what one message
// consists of leaves in one writev.
import type { ServerResponse } from 'node:http';
import { type EgressSink, sinkBytesMax } from './egress-sink.ts';

const lineEnd = '\r\n';
/** Ends an event (the data has ended its own line), then the HTTP chunk. */
const eventEnd = '\n\r\n';

/** Sends the head of the reply. */
export function openHttpSink(response: ServerResponse, events: boolean): EgressSink {
  return new HttpSink(response, events);
}

class HttpSink implements EgressSink {
  onReady: (() => void) | null = null;
  onClose: (() => void) | null = null;
  readonly #response: ServerResponse;
  readonly #events: boolean;
  /** False towards a client of HTTP/1.0, which reads to the end of the connection. */
  readonly #framed: boolean;
  /** Nothing is written any more. */
  #isEnded = false;
  #isOver = false;

  constructor(response: ServerResponse, events: boolean) {
    this.#response = response;
    this.#events = events;
    response.writeHead(200, {
      'Content-Type': events ? 'text/event-stream' : 'application/json',
      'Cache-Control': 'no-store',
      'X-Accel-Buffering': 'no',
    });
    response.flushHeaders();
    this.#framed = response.chunkedEncoding;
    response.chunkedEncoding = false;
    response.on('drain', () => this.onReady?.());
    response.on('close', () => this.#close());
    // A connection that breaks is closed too; the error says nothing more.
    response.on('error', () => this.#close());
  }

  get isReady(): boolean {
    return this.#response.writableLength < sinkBytesMax;
  }

  writeText(text: string, id: string | null): void {
    this.#write(this.#events ? `${idLine(id)}data: ${text}${lineEnd}\n` : `${text}${lineEnd}`);
  }

  writeReset(text: string): void {
    if (this.#events) this.#write(`event: reset\ndata: ${text}\n\n`);
  }

  writeChunk(head: string, data: Buffer, id: string | null): void {
    if (this.#isEnded) return;
    const opening = this.#events ? `${idLine(id)}data: ${head}` : head;
    // The data ends with the line end of its HTTP chunk.
    const length = Buffer.byteLength(opening) + data.length - lineEnd.length + (this.#events ? 1 : 0);
    this.#response.write(this.#framed ? `${length.toString(16)}${lineEnd}${opening}` : opening);
    if (this.#framed && !this.#events) {
      this.#response.write(data);
      return;
    }
    this.#response.write(data.subarray(0, data.length - lineEnd.length));
    if (this.#events) this.#response.write(this.#framed ? eventEnd : '\n');
  }

  end(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    if (this.#framed) this.#response.write(`0${lineEnd}${lineEnd}`);
    this.#response.end();
  }

  destroy(): void {
    this.#response.destroy();
  }

  #write(text: string): void {
    if (this.#isEnded) return;
    const chunk = this.#framed ? `${Buffer.byteLength(text).toString(16)}${lineEnd}${text}${lineEnd}` : text;
    this.#response.write(chunk);
  }

  #close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#isEnded = true;
    this.onClose?.();
  }
}

function idLine(id: string | null): string {
  return id === null ? '' : `id: ${id}\n`;
}
