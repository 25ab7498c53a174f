// A connection to a broker: requests go out as they come, answers are told apart by their numbers.
//
//   request   size i32, key i16, version i16, number i32, client's name, tagged fields, body
//   answer    size i32, number i32, tagged fields, body
//
// The socket reads straight into the memory of the answer, which is known when its size is: no chunk of a stream is made on the way. That is
// why the library's connection is not used here: each chunk of 64 KiB is memory that V8 has to watch, and at hundreds of megabytes a second
// its collections of the whole heap cost as much as decoding does. Users with passwords go through the library (sasl-connection.ts).
// Not here: which broker, and what becomes of a failure (kafka-cluster.ts).
import { connect, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import type { Clock } from '../../runtime/clock.ts';
import type { BootstrapServer } from './bootstrap-servers.ts';
import { WireReader, WireWriter } from './wire-bytes.ts';

export interface BrokerRequest {
  readonly key: number;
  readonly version: number;
  readonly body: readonly Uint8Array[];
  /** False: the broker says nothing; it resolves when the request is on its way. */
  readonly isAnswered?: boolean;
  /** The answer lies in memory that is used again for the next but one answer to such a request. */
  readonly isTransient?: boolean;
}

export interface BrokerConnection {
  readonly socket: Socket | undefined;
  /** Behind the head of the answer. Rejects with why the connection was lost. */
  request(request: BrokerRequest): Promise<WireReader>;
  close(): Promise<void>;
}

export interface ConnectionParts {
  readonly address: BootstrapServer;
  readonly clientId: string;
  /** Null: none. */
  readonly tls: ConnectionOptions | null;
  readonly timeoutMs: number;
  readonly clock: Clock;
  /** It is up no longer. */
  readonly onLost: () => void;
}

interface Waiting {
  readonly isTransient: boolean;
  resolve(answer: WireReader): void;
  reject(error: Error): void;
}

/** What is longer is not what a broker would say. */
const answerBytesMax = 1 << 30;
/** Memory for longer answers is not kept. */
const roomBytesMax = 16 << 20;
const headBytes = 8;

export function openConnection(parts: ConnectionParts): Promise<BrokerConnection> {
  return new Promise((resolve, reject) => {
    const connection: OwnConnection = new OwnConnection(parts, () => resolve(connection), reject);
  });
}

class OwnConnection implements BrokerConnection {
  readonly socket: Socket;
  readonly #parts: ConnectionParts;
  readonly #waiting = new Map<number, Waiting>();
  readonly #head = Buffer.alloc(headBytes);
  /** Where the next bytes go: into the head, or into the body that it speaks of. */
  #target: Buffer = this.#head;
  #filled = 0;
  #rooms: [Buffer, Buffer] = [Buffer.alloc(0), Buffer.alloc(0)];
  #number = 0;
  #lost: Error | null = null;

  constructor(parts: ConnectionParts, opened: () => void, refused: (error: Error) => void) {
    this.#parts = parts;
    const { address, tls, timeoutMs, clock } = parts;
    const { host, port } = address;
    const onread = {
      buffer: () => this.#target.subarray(this.#filled),
      callback: (count: number) => this.#received(count),
    };
    const options = { host, port, onread };
    this.socket = tls === null ? connect(options) : connectTls({ ...tls, ...options });
    this.socket.setNoDelay(true);
    const timer = clock.after(timeoutMs, () => {
      this.socket.destroy(new Error(`${host}:${port} has not taken the connection for ${timeoutMs} ms`));
    });
    this.socket.once(tls === null ? 'connect' : 'secureConnect', () => {
      timer.cancel();
      opened();
    });
    this.socket.on('error', (error) => {
      this.#lost ??= error;
    });
    this.socket.on('close', () => {
      timer.cancel();
      const error = (this.#lost ??= new Error(`the connection to ${host}:${port} was closed`));
      for (const waiting of this.#waiting.values()) waiting.reject(error);
      this.#waiting.clear();
      parts.onLost();
      refused(error);
    });
  }

  request({ key, version, body, isAnswered = true, isTransient = false }: BrokerRequest): Promise<WireReader> {
    if (this.#lost !== null) return Promise.reject(this.#lost);
    const number = (this.#number = (this.#number + 1) & 0x7fffffff);
    const name = Buffer.from(this.#parts.clientId);
    const head = new WireWriter().int16(key).int16(version).int32(number).int16(name.length).raw(name).tags().finish();
    const size = body.reduce((sum, part) => sum + part.length, head.length);
    return new Promise((resolve, reject) => {
      if (isAnswered) this.#waiting.set(number, { isTransient, resolve, reject });
      this.socket.cork();
      this.socket.write(new WireWriter().int32(size).raw(head).finish());
      for (const part of body) this.socket.write(part);
      this.socket.uncork();
      if (!isAnswered) resolve(new WireReader(this.#head.subarray(0, 0)));
    });
  }

  async close(): Promise<void> {
    if (this.socket.closed) return;
    await new Promise<void>((resolve) => {
      this.socket.once('close', () => resolve());
      this.socket.destroy();
    });
  }

  /** So many bytes have come to where they belong: never more than are missing there. */
  #received(count: number): boolean {
    this.#filled += count;
    if (this.#filled < this.#target.length) return true;
    if (this.#target === this.#head) this.#begin();
    else this.#finish();
    return true;
  }

  /** The size of an answer, and whose it is, are known. */
  #begin(): void {
    const size = this.#head.readInt32BE(0) - 4;
    const waiting = this.#waiting.get(this.#head.readInt32BE(4));
    this.#filled = 0;
    if (size < 1 || size > answerBytesMax || waiting === undefined) {
      const { host, port } = this.#parts.address;
      this.socket.destroy(new Error(`what has come from ${host}:${port} is no answer of a broker`));
    } else this.#target = waiting.isTransient ? this.#room(size) : Buffer.allocUnsafeSlow(size);
  }

  #finish(): void {
    const number = this.#head.readInt32BE(4);
    const waiting = this.#waiting.get(number);
    this.#waiting.delete(number);
    const answer = new WireReader(this.#target);
    this.#target = this.#head;
    this.#filled = 0;
    answer.tags();
    waiting?.resolve(answer);
  }

  #room(size: number): Buffer {
    if (size > roomBytesMax) return Buffer.allocUnsafeSlow(size);
    const [next, last] = this.#rooms;
    const room = next.length >= size ? next : Buffer.allocUnsafeSlow(size);
    this.#rooms = [last, room];
    return room.subarray(0, size);
  }
}
