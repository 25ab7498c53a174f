// The stream of changes behind a position: a connection of the replication protocol, from START_REPLICATION to its end.
//
// Gives what the server sends, in order, and tells it how far everything is durable: when it asks, when that has grown, and every few
// seconds, so that it does not take this end for dead. Never more than that: a slot that stands ahead of what is durable is known to be another one.
// A table that is quiet beside busy ones must not keep their log, nor hold up a server that is going down and waits for it: where everything is
// settled, the server's own end is a position worth keeping. While nobody takes what has come, the socket is paused.
import type { Client } from 'pg';
import type { Clock, Timer } from '../../runtime/clock.ts';
import { formatLsn, type ReplicationMessage, readFrame, readMessage, statusUpdate } from './pgoutput.ts';
import { quoteName, quoteText } from './postgres-connection.ts';

const statusMs = 5_000;
/** So much log that holds nothing of ours is worth a position, so often; a server that asks has one sooner. */
const quietBytesMin = 16n << 20n;
const quietMs = 30_000;
const askedMs = 1_000;
const heldBytesMax = 8 << 20;
/** 2000-01-01 in milliseconds since 1970. */
const postgresEpochMs = 946_684_800_000;

/** Part of the library's connection that its types leave out. */
interface CopyConnection {
  on(event: 'copyData', listener: (message: { readonly chunk: Buffer }) => void): void;
  sendCopyFromChunk(chunk: Buffer): void;
  readonly stream: { pause(): void; resume(): void; destroy(): void };
}

export class ChangeStream {
  readonly #connection: CopyConnection;
  readonly #client: Client;
  readonly #clock: Clock;
  readonly #timer: Timer;
  readonly #isSettled: () => boolean;
  #held: Buffer[] = [];
  #heldBytes = 0;
  #durable: bigint;
  /** Up to here the log holds nothing that was not given out. */
  #quietEnd = 0n;
  #isAsked = false;
  #quietAt: number;
  #toldAt = Number.NEGATIVE_INFINITY;
  #failure: unknown = null;
  #isEnded = false;
  #wake: (() => void) | null = null;

  /** `isSettled`: asked while nobody is at work on what has come: is everything that was given out durable, and no transaction open? */
  constructor(client: Client, clock: Clock, durable: bigint, isSettled: () => boolean) {
    this.#client = client;
    this.#isSettled = isSettled;
    // SAFETY: a connected client has a connection with these members (pg/lib/connection.js).
    this.#connection = (client as unknown as { readonly connection: CopyConnection }).connection;
    this.#clock = clock;
    this.#durable = durable;
    this.#quietAt = clock.monotonic();
    this.#connection.on('copyData', ({ chunk }) => this.#receive(chunk));
    client.on('error', (error) => this.#end(error));
    client.on('end', () => this.#end(null));
    this.#timer = clock.every(statusMs, () => this.#tell());
  }

  /** Resolves when the server has begun to send. @throws what the server says */
  start(slot: string, publication: string, from: bigint): Promise<void> {
    const options = `proto_version '1', publication_names ${quoteText(quoteName(publication))}`;
    const text = `START_REPLICATION SLOT ${quoteName(slot)} LOGICAL ${formatLsn(from)} (${options})`;
    return new Promise((resolve, reject) => {
      // The query itself ends with the stream.
      this.#client.query(text).then(
        () => this.#end(null),
        (error: unknown) => {
          this.#end(error);
          reject(error);
        },
      );
      // SAFETY: as above: this event says that both ends may send now.
      (this.#connection as unknown as { once(event: string, listener: () => void): void }).once(
        'replicationStart',
        resolve,
      );
    });
  }

  /** Everything up to `lsn` is durable. */
  acknowledge(lsn: bigint): void {
    if (lsn <= this.#durable) return;
    this.#durable = lsn;
    this.#tell();
  }

  /** A position behind which nothing of ours has come for long, when it is time to keep it; null: it is not. */
  takeQuietEnd(): bigint | null {
    const [beyond, now] = [this.#quietEnd - this.#durable, this.#clock.monotonic()];
    const isDue = this.#isAsked
      ? now - this.#quietAt >= askedMs
      : beyond >= quietBytesMin && now - this.#quietAt >= quietMs;
    if (beyond <= 0n || !isDue) return null;
    this.#quietAt = now;
    this.#isAsked = false;
    return this.#quietEnd;
  }

  /** Messages that have come, empty when `waitMs` have passed without any; null at the end. @throws what broke the stream */
  async take(waitMs: number, signal: AbortSignal): Promise<readonly ReplicationMessage[] | null> {
    if (this.#held.length === 0 && !this.#isEnded && !signal.aborted) await this.#whenWoken(waitMs, signal);
    if (signal.aborted) return null;
    if (this.#held.length === 0 && this.#isEnded) {
      if (this.#failure !== null) throw this.#failure;
      throw new Error('the server has closed the connection');
    }
    const held = this.#held;
    this.#held = [];
    this.#heldBytes = 0;
    this.#connection.stream.resume();
    return held.map(readMessage);
  }

  close(): void {
    this.#timer.cancel();
    this.#connection.stream.destroy();
    this.#end(null);
  }

  #receive(chunk: Buffer): void {
    const frame = readFrame(chunk);
    if (frame.kind === 'keepalive') {
      if (this.#held.length === 0 && this.#isSettled()) this.#quietEnd = frame.walEnd;
      if (frame.replyRequested) this.#answer(frame.walEnd);
      return;
    }
    // The library's buffer is its own again afterwards.
    this.#held.push(Buffer.from(frame.body));
    this.#heldBytes += frame.body.length;
    if (this.#heldBytes > heldBytesMax) this.#connection.stream.pause();
    this.#wake?.();
  }

  /** A server that goes down asks again at once until everything is durable: it is answered when it is, and now and then. */
  #answer(walEnd: bigint): void {
    this.#isAsked = true;
    if (this.#durable >= walEnd || this.#clock.monotonic() - this.#toldAt >= askedMs) this.#tell();
  }

  #tell(): void {
    if (this.#isEnded) return;
    this.#toldAt = this.#clock.monotonic();
    const micros = BigInt(this.#clock.now() - postgresEpochMs) * 1000n;
    this.#connection.sendCopyFromChunk(statusUpdate(this.#durable, micros));
  }

  #end(error: unknown): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#failure = error;
    this.#timer.cancel();
    this.#wake?.();
  }

  #whenWoken(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const finish = (): void => {
        timer.cancel();
        signal.removeEventListener('abort', finish);
        this.#wake = null;
        resolve();
      };
      const timer = this.#clock.after(ms, finish);
      signal.addEventListener('abort', finish, { once: true });
      this.#wake = finish;
    });
  }
}
