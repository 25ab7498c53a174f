// Where the messages of one listener go: a chunked reply, Server-Sent Events or a WebSocket.
//
// A message is either a text of its own or a head and the data of a chunk that all listeners share; the data is never
// copied here. `isReady` is advice: a message is always taken, but what is written to a sink that is not ready waits in
// memory. Implemented in http-sink.ts and websocket-sink.ts.

/** Bytes that may wait in a connection before its sink is not ready any more. */
export const sinkBytesMax = 65_536;

export interface EgressSink {
  readonly isReady: boolean;
  /** Called when it is ready again after it was not. One listener. */
  onReady: (() => void) | null;
  /** Called once when the connection is over, whoever ended it. One listener. */
  onClose: (() => void) | null;
  /** `text` is one JSON object; `id` is where a listener may continue behind it, null: nowhere. */
  writeText(text: string, id: string | null): void;
  /** `data` is the data of an EgressChunk, `head` what stands before it. */
  writeChunk(head: string, data: Buffer, id: string | null): void;
  /** The listener has to forget what it knows. Only where a client cannot be refused (SSE). */
  writeReset(text: string): void;
  /** Everything was written: ends the reply. */
  end(): void;
  destroy(): void;
}
