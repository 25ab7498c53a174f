// A WebSocket as a sink: a text message for each JSON object.
//
// The head and the shared data of a chunk go out as two fragments of one message, so that the data is not copied for each
// listener. The socket is ready while little is buffered in it; the callback of a write tells when that has changed.
import type { WebSocket } from 'ws';
import { type EgressSink, sinkBytesMax } from './egress-sink.ts';

const chunkEndBytes = 4;

export function openWebSocketSink(socket: WebSocket): EgressSink {
  return new WebSocketSink(socket);
}

class WebSocketSink implements EgressSink {
  onReady: (() => void) | null = null;
  onClose: (() => void) | null = null;
  readonly #socket: WebSocket;
  #isWaiting = false;
  #isOver = false;

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('close', () => this.#close());
    socket.on('error', () => socket.terminate());
  }

  get isReady(): boolean {
    const ready = this.#socket.bufferedAmount < sinkBytesMax;
    if (!ready) this.#isWaiting = true;
    return ready;
  }

  writeText(text: string): void {
    if (!this.#isOver) this.#socket.send(text, { compress: false }, this.#written);
  }

  writeChunk(head: string, data: Buffer): void {
    if (this.#isOver) return;
    this.#socket.send(head, { fin: false, binary: false, compress: false });
    // Without the line ends of the message and of the HTTP chunk.
    const rest = data.subarray(0, data.length - chunkEndBytes);
    this.#socket.send(rest, { fin: true, binary: false, compress: false }, this.#written);
  }

  writeReset(): void {
    // A client of a WebSocket can be refused: it is told by an error instead.
  }

  end(): void {
    this.#socket.close(1000);
  }

  destroy(): void {
    this.#socket.terminate();
  }

  readonly #written = (): void => {
    if (!this.#isWaiting || !this.isReady) return;
    this.#isWaiting = false;
    this.onReady?.();
  };

  #close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.onClose?.();
  }
}
