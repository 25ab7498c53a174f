// COPY … TO STDOUT as pieces of whole rows: the only road on which many rows leave a server.
//
//   'd'  int32 length  row bytes       one message for each row, whatever its format: rows are counted, and borders known, without a look into them
//   'H'  'S'  'N'  'A'                 passed over
//   everything else                    ends the copy: the client's own parser takes over from there
//
// While the copy runs its frames are taken off the socket here, straight into the pieces that are given out: the library hands each row over
// as a message or a chunk of its own. At most two pieces wait; then the socket is paused. A socket of ours lends its memory meanwhile.
import type { Client } from 'pg';
import { copyBytes } from '../../runtime/batch/copy-bytes.ts';
import type { Clock, Timer } from '../../runtime/clock.ts';
import { BodyRooms } from '../sdk/body-rooms.ts';
import type { PayloadBytes } from '../sdk/source.ts';
import { LendingSocket } from './lending-socket.ts';

export interface CopiedRows {
  /** Whole rows. */
  readonly bytes: PayloadBytes;
  readonly rows: number;
  /** The server has sent nothing for a while: more of a piece was not to be had. */
  readonly isEarly: boolean;
  /** Nobody looks at the bytes any more. */
  readonly release: () => void;
}

/** A piece is given out when it has so many, in a room with some space for the last row. */
const pieceBytes = 1 << 20;
const roomBytes = pieceBytes + (64 << 10);
const piecesMax = 2;
/** Besides those that wait: one that is being filled, and those that are being decoded. */
const roomsKept = piecesMax + 4;

const copyData = 0x64;
/** CopyOutResponse, ParameterStatus, NoticeResponse, NotificationResponse. */
const passedOver: ReadonlySet<number> = new Set([0x48, 0x53, 0x4e, 0x41]);

type DataListener = (chunk: Buffer) => void;

interface CopyStream {
  listeners(event: 'data'): DataListener[];
  on(event: 'data', listener: DataListener): void;
  removeListener(event: 'data', listener: DataListener): void;
  pause(): void;
  resume(): void;
  destroy(): void;
}

interface CopyConnection {
  query(text: string): void;
  readonly stream: CopyStream | (CopyStream & LendingSocket);
}

/** Rows of a server that is slow are given out after so long. */
const patienceMs = 100;

/** Ends behind the last row, or early when `signal` is aborted: the connection is of no use then. @throws what the server says */
export async function* copyOut(
  client: Client,
  statement: string,
  { signal, clock }: { readonly signal: AbortSignal; readonly clock: Clock },
): AsyncGenerator<CopiedRows> {
  const copy = new CopyOut(statement, clock);
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
  readonly #clock: Clock;
  #connection: CopyConnection | null = null;
  #listener: DataListener | null = null;
  readonly #onData: DataListener = (chunk) => this.#receive(chunk);
  /** Rows that are given out next, in a room of their own. */
  readonly #rooms = new BodyRooms(roomBytes, roomsKept);
  #gathered: PayloadBytes = this.#rooms.take(roomBytes);
  #view: DataView = viewOf(this.#gathered);
  #used = 0;
  #rows = 0;
  /** Behind the last whole row. */
  #rowsEnd = 0;
  /** Of the message that is under way: its kind, what is left of it, its length, and what is left of that. */
  #code = 0;
  #left = 0;
  #length = 0;
  #headerLeft = 0;
  readonly #copied: RowsCopied = { at: 0, used: 0, rows: 0 };
  readonly #ready: CopiedRows[] = [];
  #isEnded = false;
  #failure: unknown = null;
  #wake: (() => void) | null = null;

  constructor(statement: string, clock: Clock) {
    this.#statement = statement;
    this.#clock = clock;
  }

  /** Null: no more. */
  async take(signal: AbortSignal): Promise<CopiedRows | null> {
    while (this.#ready.length === 0 && !this.#isEnded && !signal.aborted) {
      let timer: Timer | null = null;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        timer = this.#clock.after(patienceMs, () => {
          if (this.#ready.length === 0) this.#giveEarly();
          resolve();
        });
      });
      // SAFETY: set by the promise above, which the compiler does not follow.
      (timer as Timer | null)?.cancel();
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
    if (taken.stream instanceof LendingSocket) taken.stream.lendTo(this.#onData);
    else {
      if (listener !== null) taken.stream.removeListener('data', listener);
      taken.stream.on('data', this.#onData);
    }
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
    const source = new DataView(chunk.buffer, chunk.byteOffset, end);
    let at = 0;
    while (at < end) {
      if (this.#headerLeft === 0 && this.#left === 0) {
        at = this.#copyWhole(source, at, end);
        if (at === end) return;
        const code = chunk[at] ?? 0;
        if (code !== copyData && !passedOver.has(code)) {
          this.#give();
          // What the library makes of it comes back as one of the calls above. It keeps what is not whole, and a socket may have lent this.
          this.#detach()?.(Buffer.from(chunk.subarray(at)));
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
      if (this.#code === copyData) this.#copy(chunk, source, at, at + taken);
      at += taken;
      this.#left -= taken;
      if (this.#left === 0 && this.#code === copyData) this.#rowEnded();
    }
  }

  /** The short rows from `at` on that have come as a whole; where the first other message begins. */
  #copyWhole(source: DataView, start: number, end: number): number {
    const copied = this.#copied;
    copied.at = start;
    while (copied.at < end) {
      copied.rows = 0;
      copied.used = this.#used;
      copyRows(source, end, this.#view, pieceBytes, copied);
      if (copied.rows === 0) break;
      this.#rows += copied.rows;
      this.#used = this.#rowsEnd = copied.used;
      if (this.#used >= pieceBytes) this.#giveFull();
    }
    return copied.at;
  }

  #copy(chunk: Buffer, source: DataView, start: number, end: number): void {
    const needed = this.#used + end - start;
    if (needed > this.#gathered.length) {
      const grown = new Uint8Array(Math.max(needed, this.#gathered.length * 2));
      grown.set(this.#gathered.subarray(0, this.#used));
      this.#rooms.giveBack(this.#gathered);
      this.#gathered = grown;
      this.#view = viewOf(grown);
    }
    if (end - start > copiedBytesMax) copyBytes(this.#gathered, this.#used, chunk.subarray(start, end));
    else copyWords(source, start, end - start, this.#view, this.#used);
    this.#used = needed;
  }

  #rowEnded(): void {
    this.#rows++;
    this.#rowsEnd = this.#used;
    if (this.#used >= pieceBytes) this.#giveFull();
  }

  /** The socket waits when nobody takes what has come. */
  #giveFull(): void {
    this.#give();
    if (this.#ready.length >= piecesMax) this.#connection?.stream.pause();
  }

  #give(): void {
    if (this.#rows === 0) return;
    // A little of a room is copied out of it, and the room filled again.
    const isLittle = this.#used < pieceBytes >> 2;
    const bytes = isLittle ? this.#gathered.slice(0, this.#used) : this.#gathered.subarray(0, this.#used);
    this.#ready.push({ bytes, rows: this.#rows, isEarly: false, release: () => this.#rooms.giveBack(bytes) });
    if (!isLittle) {
      this.#gathered = this.#rooms.take(roomBytes);
      this.#view = viewOf(this.#gathered);
    }
    this.#used = 0;
    this.#rows = 0;
    this.#rowsEnd = 0;
    this.#wake?.();
  }

  /** The whole rows that have come; what has come of the next one is of the next piece. */
  #giveEarly(): void {
    if (this.#rows === 0) return;
    const bytes = this.#gathered.slice(0, this.#rowsEnd);
    this.#ready.push({ bytes, rows: this.#rows, isEarly: true, release: () => {} });
    this.#gathered.copyWithin(0, this.#rowsEnd, this.#used);
    this.#used -= this.#rowsEnd;
    this.#rows = 0;
    this.#rowsEnd = 0;
  }

  /** The library listens again. */
  #detach(): DataListener | null {
    const [listener, stream] = [this.#listener, this.#connection?.stream];
    this.#listener = null;
    if (listener === null || stream === undefined) return null;
    if (stream instanceof LendingSocket) stream.lendTo(null);
    else {
      stream.removeListener('data', this.#onData);
      stream.on('data', listener);
    }
    return listener;
  }

  #end(): void {
    this.#isEnded = true;
    this.#wake?.();
  }
}

function viewOf({ buffer, byteOffset, byteLength }: PayloadBytes): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}

// ── data plane ──

const copiedBytesMax = 4096;

interface RowsCopied {
  /** Behind the last row that was copied. */
  at: number;
  used: number;
  rows: number;
}

/** Copies rows from `copied.at` on to `copied.used`: whole and short ones, while fewer than `usedMax` bytes are used. */
function copyRows(source: DataView, end: number, target: DataView, usedMax: number, copied: RowsCopied): void {
  let { at, used, rows } = copied;
  while (used < usedMax && at + 5 <= end && source.getUint8(at) === copyData) {
    const length = source.getInt32(at + 1) - 4;
    if (length < 0 || length > copiedBytesMax || at + 5 + length > end) break;
    copyWords(source, at + 5, length, target, used);
    at += 5 + length;
    used += length;
    rows++;
  }
  copied.at = at;
  copied.used = used;
  copied.rows = rows;
}

/** Rows are short mostly: a loop over words beats a native call for each. */
function copyWords(source: DataView, from: number, count: number, target: DataView, to: number): void {
  let i = 0;
  for (; i + 4 <= count; i += 4) target.setInt32(to + i, source.getInt32(from + i, true), true);
  for (; i < count; i++) target.setUint8(to + i, source.getUint8(from + i));
}
