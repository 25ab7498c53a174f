// The two directions of a Run stream as a plugin sees them: messages in, messages out with back-pressure. One for each call.
import type { ServerHttp2Stream } from 'node:http2';
import { MessageCutter, messagePrefixBytes } from './grpc-message.ts';

export class ServedStream {
  readonly #stream: ServerHttp2Stream;
  readonly #cutter = new MessageCutter();
  /** The host has cancelled it, or said that it sends no more. */
  readonly ended: Promise<void>;

  constructor(stream: ServerHttp2Stream) {
    this.#stream = stream;
    this.ended = new Promise((resolve) => {
      for (const event of ['end', 'close', 'aborted', 'error']) stream.once(event, () => resolve());
    });
  }

  get isOpen(): boolean {
    return !this.#stream.destroyed && !this.#stream.closed;
  }

  /** Bodies of the messages that come, until the end. */
  async *messages(): AsyncGenerator<Uint8Array> {
    try {
      for await (const chunk of this.#stream) {
        // SAFETY: a stream without an encoding yields buffers.
        this.#cutter.push(chunk as Buffer);
        if (!this.#cutter.hasMessage) continue;
        const bytes = this.#cutter.take();
        let at = 0;
        while (bytes.length - at >= messagePrefixBytes) {
          const end = at + messagePrefixBytes + bytes.readUInt32BE(at + 1);
          if (end > bytes.length) break;
          yield bytes.subarray(at + messagePrefixBytes, end);
          at = end;
        }
        this.#cutter.keep(bytes.subarray(at));
      }
    } catch (error) {
      // A host that ends the stream by cancelling it does what it should.
      if (this.isOpen) throw error;
    }
  }

  /** Framed messages, one or more; resolves when there is room for more. */
  async send(bytes: Uint8Array): Promise<void> {
    if (!this.isOpen || bytes.length === 0) return;
    if (this.#stream.write(bytes)) return;
    await new Promise<void>((resolve) => {
      const finish = (): void => {
        this.#stream.off('drain', finish).off('close', finish);
        resolve();
      };
      this.#stream.on('drain', finish).on('close', finish);
    });
  }
}
