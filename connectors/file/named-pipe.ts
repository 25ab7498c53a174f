// Named pipes, whose other side may take its time: opened and used without ever blocking a thread.
//
// A thread that blocks in the operating system cannot be ended, not by a forced stop and not at the end of the process;
// so a pipe is opened without waiting and is left to the event loop. The calls wait for the other side all the same, as
// those of a plain file would, until `signal` is aborted.
import { close, constants, open } from 'node:fs';
import { Socket } from 'node:net';
import { promisify } from 'node:util';
import type { Clock } from '../../runtime/clock.ts';
import { wait } from '../sdk/wait.ts';

/** How often it is looked whether somebody reads. */
const readerPollMs = 20;

export interface PipeContext {
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** The writing end of a pipe. */
export class PipeWriter {
  readonly #socket: Socket;
  readonly #signal: AbortSignal;
  readonly #onAbort = (): void => {
    this.#socket.destroy(this.#signal.reason);
  };

  private constructor(socket: Socket, signal: AbortSignal) {
    this.#socket = socket;
    this.#signal = signal;
    // Every write tells of its own failure; between two of them there is nobody to tell.
    socket.on('error', () => {});
    signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** Waits until somebody reads. @throws the signal's reason, and what the operating system says. */
  static async open(path: string, { clock, signal }: PipeContext): Promise<PipeWriter> {
    for (;;) {
      signal.throwIfAborted();
      try {
        const fd = await promisify(open)(path, constants.O_WRONLY | constants.O_NONBLOCK);
        return new PipeWriter(new Socket({ fd, readable: false, writable: true }), signal);
      } catch (thrown) {
        // Nobody reads yet.
        if (!(thrown instanceof Error && 'code' in thrown && thrown.code === 'ENXIO')) throw thrown;
      }
      await wait(clock, readerPollMs, signal);
    }
  }

  /** Until the pipe has taken all bytes. @throws the signal's reason, and EPIPE once nobody reads any more. */
  async write(bytes: Uint8Array): Promise<void> {
    this.#signal.throwIfAborted();
    await new Promise<void>((resolve, reject) => {
      this.#socket.write(bytes, (error) => (error ? reject(error) : resolve()));
    });
  }

  async close(): Promise<void> {
    this.#signal.removeEventListener('abort', this.#onAbort);
    await closed(this.#socket);
  }
}

/** The reading end of a pipe. */
export class PipeReader {
  readonly #socket: Socket;
  readonly #chunks: AsyncIterator<Buffer>;
  readonly #signal: AbortSignal;
  readonly #onAbort = (): void => {
    this.#socket.destroy();
  };

  private constructor(socket: Socket, signal: AbortSignal) {
    this.#socket = socket;
    this.#signal = signal;
    this.#chunks = socket[Symbol.asyncIterator]();
    socket.on('error', () => {});
    signal.addEventListener('abort', this.#onAbort, { once: true });
  }

  /** Before anybody writes, too: the first `read` waits for that. @throws what the operating system says. */
  static async open(path: string, signal: AbortSignal): Promise<PipeReader> {
    const fd = await promisify(open)(path, constants.O_RDONLY | constants.O_NONBLOCK);
    if (signal.aborted) {
      await promisify(close)(fd);
      signal.throwIfAborted();
    }
    return new PipeReader(new Socket({ fd, readable: true, writable: false }), signal);
  }

  /** What has come; nothing once all who wrote have closed the pipe, and after an abort. The array is the caller's. */
  async read(): Promise<Uint8Array<ArrayBuffer>> {
    if (this.#signal.aborted) return new Uint8Array(0);
    try {
      const { done, value } = await this.#chunks.next();
      return done ? new Uint8Array(0) : new Uint8Array(value);
    } catch (thrown) {
      if (this.#signal.aborted) return new Uint8Array(0);
      throw thrown;
    }
  }

  async close(): Promise<void> {
    this.#signal.removeEventListener('abort', this.#onAbort);
    await closed(this.#socket);
  }
}

async function closed(socket: Socket): Promise<void> {
  if (socket.closed) return;
  const isClosed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.destroy();
  await isClosed;
}
