// One connection to an HTTP/1.1 server whose answers are read straight into where their bytes belong.
//
//   GET path, headers        status line, headers, blank line    body of so many bytes
//
// The socket writes into the memory that a target names; no chunk of a stream is made on the way. Each chunk of 64 KiB would be memory that V8
// has to watch: with the libraries of HTTP, reading took seven times the CPU time of this, most of it collections of the heap. It
// knows plain answers alone: HTTP/1.1 with a Content-Length. What else there is (parts of unknown length, upgrades) is told by
// `length: null`, and the caller asks a library instead. One request at a time; which connection is http-bodies.ts' matter.
import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { TlsOptions } from './tls-settings.ts';

export interface AnswerHead {
  /** 0: it is not plain. */
  readonly status: number;
  /** Names in lower case; values of a name that comes again with a comma between them. */
  readonly headers: ReadonlyMap<string, string>;
  /** Bytes of the body; null: it cannot be read here. */
  readonly length: number | null;
}

/** Where a body goes. */
export interface BodyTarget {
  /** Memory for the next bytes, never empty. It is written to until it is asked for again. */
  room(): Uint8Array;
  /** So many bytes stand at the beginning of that room. False: no more until the connection is told to go on. */
  filled(bytes: number): boolean;
}

export interface ServerAddress {
  readonly protocol: string;
  readonly host: string;
  readonly port: number;
}

export interface ConnectionLimits {
  readonly connectMs: number;
  /** Without a byte while some are wanted. */
  readonly idleMs: number;
}

/** A head that is longer is not plain. */
const headBytesMax = 16 << 10;

interface Waiting<R> {
  resolve(result: R): void;
  reject(error: Error): void;
}

export class BodyConnection {
  readonly #socket: Socket;
  readonly #limits: ConnectionLimits;
  readonly #onLost: () => void;
  /** Heads, and what comes while nobody has said where it belongs. */
  readonly #scratch: Buffer = Buffer.allocUnsafeSlow(headBytesMax);
  #used = 0;
  #state: 'connecting' | 'idle' | 'head' | 'held' | 'body' = 'connecting';
  /** A request that waits for the connection. */
  #asked: string | null = null;
  #head: Waiting<AnswerHead> | null = null;
  #body: Waiting<void> | null = null;
  #target: BodyTarget | null = null;
  /** Of the body, still to come, and what of it has come with the head. */
  #left = 0;
  #early: Buffer = Buffer.alloc(0);
  #lost: Error | null = null;
  /** It has answered: it may be asked again when it is idle. */
  #staysOpen = false;
  /** Any byte of the answer that is waited for has come. */
  hasBegun = false;

  constructor(address: ServerAddress, tls: TlsOptions, limits: ConnectionLimits, onLost: () => void) {
    this.#limits = limits;
    this.#onLost = onLost;
    const { protocol, host, port } = address;
    const onread = {
      buffer: () => this.#room(),
      callback: (bytes: number, room: Uint8Array) => this.#received(bytes, room),
    };
    const options = { host, port, onread };
    const isSecure = protocol === 'https:';
    const named = isIP(host) === 0 ? { servername: host } : {};
    this.#socket = isSecure ? connectTls({ ...tls, ...named, ...options }) : connect(options);
    this.#socket.setNoDelay(true);
    this.#patience(limits.connectMs, `${host}:${port} has not taken the connection`);
    this.#socket.once(isSecure ? 'secureConnect' : 'connect', () => {
      this.#state = 'idle';
      if (this.#asked !== null) this.#send(this.#asked);
    });
    this.#socket.on('error', (error) => {
      // Of several addresses that were tried, the first.
      const [first] = error instanceof AggregateError ? error.errors : [];
      this.#lost ??= first instanceof Error ? first : error;
    });
    this.#socket.on('close', () => {
      const error = (this.#lost ??= new Error('the server closed the connection'));
      this.#head?.reject(error);
      this.#body?.reject(error);
      this.#head = this.#body = null;
      this.#onLost();
    });
  }

  get isIdle(): boolean {
    return this.#state === 'idle' && this.#staysOpen && this.#lost === null;
  }

  /** Sends a request. Resolves with the head of its answer; `body` or `close` is next. @throws why the connection was lost */
  ask(text: string): Promise<AnswerHead> {
    return new Promise((resolve, reject) => {
      if (this.#lost !== null) return reject(this.#lost);
      this.#head = { resolve, reject };
      if (this.#state === 'connecting') this.#asked = text;
      else this.#send(text);
    });
  }

  #send(text: string): void {
    this.#asked = null;
    this.#state = 'head';
    this.#used = 0;
    this.hasBegun = false;
    this.#patience(this.#limits.idleMs, 'the server does not answer');
    this.#socket.write(text, 'latin1');
  }

  /** Resolves when the whole body stands where it belongs. @throws why the connection was lost */
  body(target: BodyTarget): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#lost !== null) return reject(this.#lost);
      this.#state = 'body';
      this.#target = target;
      this.#body = { resolve, reject };
      const early = this.#early;
      this.#early = early.subarray(0, 0);
      if (this.#place(early)) this.goOn();
    });
  }

  /** The target takes bytes again. */
  goOn(): void {
    if (this.#lost !== null || this.#state !== 'body') return;
    this.#patience(this.#limits.idleMs, 'the server sends nothing more');
    this.#socket.resume();
  }

  close(reason: Error = new Error('the connection is closed')): void {
    this.#lost ??= reason;
    this.#socket.destroy();
  }

  /** 0: as long as it takes. */
  #patience(ms: number, why: string): void {
    this.#socket.removeAllListeners('timeout');
    this.#socket.setTimeout(ms);
    if (ms > 0) this.#socket.once('timeout', () => this.close(new Error(`${why} for ${ms} ms`)));
  }

  #room(): Uint8Array {
    if (this.#state !== 'body' || this.#target === null) return this.#scratch.subarray(this.#used);
    const room = this.#target.room();
    return room.length <= this.#left ? room : room.subarray(0, this.#left);
  }

  /** False: nothing more is read for now. */
  #received(bytes: number, room: Uint8Array): boolean {
    this.hasBegun = true;
    if (this.#state === 'body') {
      const isScratch = room.buffer === this.#scratch.buffer;
      return isScratch ? this.#place(this.#scratch.subarray(0, bytes)) : this.#counted(bytes);
    }
    if (this.#state !== 'head') {
      this.close(new Error('the server sent what it was not asked for'));
      return false;
    }
    this.#used += bytes;
    const end = this.#scratch.subarray(0, this.#used).indexOf('\r\n\r\n');
    if (end < 0 && this.#used < headBytesMax) return true;
    const head = end < 0 ? notPlain : readHead(this.#scratch.toString('latin1', 0, end));
    this.#early = Buffer.from(this.#scratch.subarray(end + 4, this.#used));
    this.#used = 0;
    this.#left = head.length ?? 0;
    this.#staysOpen = head.length !== null && head.headers.get('connection')?.toLowerCase() !== 'close';
    this.#state = 'held';
    this.#patience(0, '');
    this.#head?.resolve(head);
    this.#head = null;
    return false;
  }

  /** Bytes that stand elsewhere. */
  #place(bytes: Buffer): boolean {
    if (bytes.length > this.#left) {
      this.close(new Error('the server sent more than it said'));
      return false;
    }
    let isMore = true;
    for (let at = 0; at < bytes.length; ) {
      const room = this.#target?.room() ?? bytes;
      const count = Math.min(room.length, bytes.length - at);
      room.set(bytes.subarray(at, at + count));
      at += count;
      isMore = this.#counted(count);
    }
    return this.#left === 0 ? this.#counted(0) : isMore;
  }

  #counted(bytes: number): boolean {
    this.#left -= bytes;
    const isMore = bytes === 0 || this.#target?.filled(bytes) !== false;
    if (this.#left > 0) {
      if (!isMore) this.#patience(0, '');
      return isMore;
    }
    const done = this.#body;
    this.#body = this.#target = null;
    this.#state = 'idle';
    this.#patience(0, '');
    if (!this.#staysOpen) this.close();
    done?.resolve();
    // So that an end of the connection is heard of.
    this.#socket.resume();
    return true;
  }
}

const notPlain: AnswerHead = { status: 0, headers: new Map(), length: null };

function readHead(text: string): AnswerHead {
  const [first = '', ...lines] = text.split('\r\n');
  const status = /^HTTP\/1\.1 ([2-5]\d\d)(?: |$)/.exec(first)?.[1];
  if (status === undefined) return notPlain;
  const headers = new Map<string, string>();
  for (const line of lines) {
    const [, name = '', value = ''] = /^([^\s:]+):[ \t]*(.*?)[ \t]*$/.exec(line) ?? [];
    if (name === '') return notPlain;
    const key = name.toLowerCase();
    const before = headers.get(key);
    headers.set(key, before === undefined ? value : `${before}, ${value}`);
  }
  const length = headers.get('content-length') ?? '';
  const isPlain = /^\d{1,15}$/.test(length) && !headers.has('transfer-encoding');
  return { status: Number(status), headers, length: isPlain ? Number(length) : null };
}
