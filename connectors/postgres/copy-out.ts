// COPY … TO STDOUT as pieces of whole rows: the only road on which many rows leave a server.
//
//   'd'  int32 length  row bytes       one message for each row, whatever its format: rows are counted, and borders known, without a look into them
//   'H'  'S'  'N'  'A'                 passed over
//   everything else                    ends the copy: the client's own parser takes over from there
//
// While the copy runs its frames are taken off the socket here, straight into the pieces that are given out: the library hands each row over
// as a message or a chunk of its own. At most two pieces wait; then the socket is paused.
import type { Client } from 'pg';

export interface CopiedRows {
  /** Whole rows. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly rows: number;
}

/** A piece is given out when it has so many. */
const pieceBytes = 1 << 20;
const piecesMax = 2;

const copyData = 0x64;
/** CopyOutResponse, ParameterStatus, NoticeResponse, NotificationResponse. */
const passedOver: ReadonlySet<number> = new Set([0x48, 0x53, 0x4e, 0x41]);

type DataListener = (chunk: Buffer) => void;

interface CopyConnection {
  query(text: string): void;
  readonly stream: {
    listeners(event: 'data'): DataListener[];
    on(event: 'data', listener: DataListener): void;
    removeListener(event: 'data', listener: DataListener): void;
    pause(): void;
    resume(): void;
    destroy(): void;
  };
}

/** Ends behind the last row, or early when `signal` is aborted: the connection is of no use then. @throws what the server says */
export async function* copyOut(client: Client, statement: string, signal: AbortSignal): AsyncGenerator<CopiedRows> {
  const copy = new CopyOut(statement);
  const abort = (): void => copy.wake();
  signal.addEventListener('abort', abort, { once: true });
  try {
    client.query(copy);
    while (!signal.aborted) {
      const piece = await copy.take(signal);
      if (piece === null) return;
      yield piece;
    }
  } finally {
    signal.removeEventListener('abort', abort);
    copy.leave();
  }
}

/** What the library calls a submittable: it is told of what the server answers. */
class CopyOut {
  readonly #statement: string;
  #connection: CopyConnection | null = null;
  #listener: DataListener | null = null;
  readonly #onData: DataListener = (chunk) => this.#receive(chunk);
  /** Rows that are given out next. Filled again and again: what is given out is a copy. */
  #gathered: Uint8Array = new Uint8Array(pieceBytes + (64 << 10));
  #used = 0;
  #rows = 0;
  /** Of the message that is under way: its kind, what is left of it, its length, and what is left of that. */
  #code = 0;
  #left = 0;
  #length = 0;
  #headerLeft = 0;
  readonly #ready: CopiedRows[] = [];
  #isEnded = false;
  #failure: unknown = null;
  #wake: (() => void) | null = null;

  constructor(statement: string) {
    this.#statement = statement;
  }

  /** Null: no more. */
  async take(signal: AbortSignal): Promise<CopiedRows | null> {
    while (this.#ready.length === 0 && !this.#isEnded && !signal.aborted) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const piece = this.#ready.shift();
    if (piece === undefined && this.#failure !== null) throw this.#failure;
    if (this.#listener !== null) this.#connection?.stream.resume();
    return piece ?? null;
  }

  wake(): void {
    this.#wake?.();
  }

  /** Nobody takes any more. A copy that is not at its end leaves a connection in which nobody finds the next answer. */
  leave(): void {
    if (this.#listener === null || this.#isEnded) return;
    this.#detach();
    this.#connection?.stream.destroy();
  }

  // ── called by the library ──

  submit(connection: unknown): void {
    // SAFETY: a connected client has a connection with these members (pg/lib/connection.js).
    const taken = connection as CopyConnection;
    this.#connection = taken;
    const [listener = null] = taken.stream.listeners('data');
    this.#listener = listener;
    if (listener !== null) taken.stream.removeListener('data', listener);
    taken.stream.on('data', this.#onData);
    taken.query(this.#statement);
  }

  handleError(error: unknown): void {
    this.#detach();
    this.#failure = error;
    this.#end();
  }

  handleCommandComplete(): void {}

  handleReadyForQuery(): void {
    this.#end();
  }

  // ── rows ──

  #receive(chunk: Buffer): void {
    const end = chunk.length;
    let at = 0;
    while (at < end) {
      if (this.#headerLeft === 0 && this.#left === 0) {
        const code = chunk[at] ?? 0;
        if (code !== copyData && !passedOver.has(code)) {
          this.#give();
          // What the library makes of it comes back as one of the calls above.
          this.#detach()?.(chunk.subarray(at));
          return;
        }
        this.#code = code;
        this.#headerLeft = 4;
        this.#length = 0;
        at++;
      }
      if (this.#headerLeft > 0) {
        for (; this.#headerLeft > 0 && at < end; this.#headerLeft--)
          this.#length = (this.#length << 8) | (chunk[at++] ?? 0);
        if (this.#headerLeft > 0) return;
        // It counts itself.
        this.#left = this.#length - 4;
      }
      const taken = Math.min(this.#left, end - at);
      if (this.#code === copyData) this.#copy(chunk, at, at + taken);
      at += taken;
      this.#left -= taken;
      if (this.#left === 0 && this.#code === copyData && this.#rowEnded()) this.#connection?.stream.pause();
    }
  }

  #copy(chunk: Buffer, start: number, end: number): void {
    const needed = this.#used + end - start;
    if (needed > this.#gathered.length) {
      const grown = new Uint8Array(Math.max(needed, this.#gathered.length * 2));
      grown.set(this.#gathered.subarray(0, this.#used));
      this.#gathered = grown;
    }
    copyBytes(chunk, start, end, this.#gathered, this.#used);
    this.#used = needed;
  }

  /** True when nobody takes what has come. */
  #rowEnded(): boolean {
    this.#rows++;
    if (this.#used < pieceBytes) return false;
    this.#give();
    return this.#ready.length >= piecesMax;
  }

  #give(): void {
    if (this.#rows === 0) return;
    this.#ready.push({ bytes: this.#gathered.slice(0, this.#used), rows: this.#rows });
    this.#used = 0;
    this.#rows = 0;
    this.#wake?.();
  }

  /** The library listens again. */
  #detach(): DataListener | null {
    const [listener, stream] = [this.#listener, this.#connection?.stream];
    this.#listener = null;
    if (listener === null || stream === undefined) return null;
    stream.removeListener('data', this.#onData);
    stream.on('data', listener);
    return listener;
  }

  #end(): void {
    this.#isEnded = true;
    this.#wake?.();
  }
}

// ── data plane ──

/** Rows are short mostly: a loop beats a native call for each. */
function copyBytes(from: Uint8Array, start: number, end: number, out: Uint8Array, to: number): void {
  if (end - start > 160) {
    out.set(from.subarray(start, end), to);
    return;
  }
  for (let at = start, p = to; at < end; at++, p++) out[p] = from[at]!;
}
