// A socket that can hand what comes to a reader who copies it at once: its memory is used again then, and nothing is a chunk of a stream.
//
// Without a reader it is like any other. Each chunk of a stream is 64 KiB of memory that V8 has to watch, and with millions of rows its
// collections of the whole heap cost as much as the rows do. The library of PostgreSQL is given one where there is no TLS.
import { type OnReadOpts, Socket, type SocketConstructorOpts } from 'node:net';

/** Looks at `chunk` until it returns, and no longer. */
export type ChunkReader = (chunk: Buffer) => void;

const chunkBytes = 64 << 10;
const lentBytes = 256 << 10;

export class LendingSocket extends Socket {
  #reader: ChunkReader | null = null;
  #lent: Buffer | null = null;

  constructor() {
    const onread: OnReadOpts = {
      buffer: () => this.#room(),
      callback: (bytes, room) => this.#take(Buffer.from(room.buffer, room.byteOffset, bytes)),
    };
    // SAFETY: sockets take it here as they do where they are connected, though the types know it there alone.
    super({ onread } as SocketConstructorOpts);
  }

  /** From now on what comes goes to this reader alone; null: it is a stream again. */
  lendTo(reader: ChunkReader | null): void {
    this.#reader = reader;
    if (reader === null) this.#lent = null;
  }

  #room(): Buffer {
    if (this.#reader === null) return Buffer.allocUnsafeSlow(chunkBytes);
    return (this.#lent ??= Buffer.allocUnsafeSlow(lentBytes));
  }

  /** False: nothing more is read until somebody asks for it. */
  #take(chunk: Buffer): boolean {
    if (this.#reader === null) return this.push(chunk);
    this.#reader(chunk);
    return !this.isPaused();
  }
}
