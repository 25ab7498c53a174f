// A data channel over a MessagePort: what channel.ts promises, between two threads.
//
//   to the receiver    a batch is an ArrayBuffer (batch-codec.ts), or lies in a room (frame-rooms.ts); a clear, a mark and the end as they are
//   to the sender      credit { rows, bytes }; a confirmation { confirm }; rows that are settled { rows }, or refused { row }; rooms
//
// A frame that comes encoded is transferred. One that is made here is copied: who sends batches computes on typed arrays, the engine above
// all, and once a thread has given any buffer away V8 asks of each of its accesses to a typed array whether the buffer is still there.
// That costs its loops 15 to 35 %, a copy of 4 MiB a third of a millisecond.
// Rows of a frame that was not decoded yet are known from its header note: a batch travels as { frame, rows }.
// An end whose peer is gone sends into the void; whoever waits for credit is rejected (ChannelClosed).
// Frames are decoded in take(), on the thread and at the time that the consumer chooses. A frame that cannot be decoded
// throws from take() and is gone. Ports may be handed over before anyone listens: they queue until an end is opened here.
// A port keeps its thread alive only while something is expected: a receiver until the end or the close, a sender while it
// has no credit or while marks are unconfirmed.
import type { MessagePort } from 'node:worker_threads';
import { assert } from '../assert.ts';
import type { ChangeBatch } from '../batch/change-batch.ts';
import type { ErrorData } from '../errors.ts';
import { decodeBatch, encodeBatch } from '../wire/batch-codec.ts';
import { markBytes } from './batch-bytes.ts';
import type { ChannelOptions, EncodedFrame, Frame, FrameReceiver, FrameSender } from './channel.ts';
import { ReturnCredit, SendCredit } from './credit.ts';
import type { FrameRooms, LentFrame } from './frame-rooms.ts';
import { Queue } from './mailbox.ts';
import { ChannelClosed, Readiness } from './readiness.ts';

type ToSender =
  | { readonly kind: 'rooms'; readonly rooms: readonly number[] }
  | { readonly kind: 'credit'; readonly rows: number; readonly bytes: number }
  | { readonly kind: 'confirm'; readonly mark: number }
  | { readonly kind: 'settle'; readonly rows: number }
  | { readonly kind: 'refuse'; readonly row: number; readonly error: ErrorData };

/** The producer's end. */
export function openFrameSender(port: MessagePort, options: ChannelOptions): FrameSender {
  return new PortSender(port, options);
}

/** The consumer's end. */
export function openFrameReceiver(port: MessagePort, options: ChannelOptions): FrameReceiver {
  return new PortReceiver(port, options);
}

class PortSender implements FrameSender {
  onReady: (() => void) | null = null;
  onConfirm: ((mark: number) => void) | null = null;
  onSettle: ((rows: number) => void) | null = null;
  onRefuse: ((row: number, error: ErrorData) => void) | null = null;
  onClose: (() => void) | null = null;
  readonly #port: MessagePort;
  readonly #credit: SendCredit;
  readonly #rooms: FrameRooms | null;
  readonly #readiness = new Readiness();
  #markSent = 0;
  #markConfirmed = 0;
  #isClosed = false;

  constructor(port: MessagePort, options: ChannelOptions) {
    this.#port = port;
    this.#credit = new SendCredit(options.limits);
    this.#rooms = options.rooms ?? null;
    port.on('message', (message: ToSender) => this.#receive(message));
    port.on('close', () => this.#closed());
    if (isDead(port)) setImmediate(() => this.#closed());
    port.unref();
  }

  get hasCredit(): boolean {
    return this.#credit.isOpen;
  }

  get queuedRows(): number {
    return this.#credit.queuedRows;
  }

  get queuedBytes(): number {
    return this.#credit.queuedBytes;
  }

  send(frame: Frame): void {
    if (this.#isClosed) return;
    switch (frame.kind) {
      case 'batch':
        this.#sendBatch(frame.batch, frame.sequence);
        break;
      case 'mark':
        this.#markSent = frame.mark;
        this.#post({ kind: 'mark', mark: frame.mark }, 0, markBytes);
        break;
      case 'barrier':
      case 'end':
        this.#post(frame, 0, markBytes);
        break;
    }
    this.#keepAlive();
  }

  sendEncoded(frame: ArrayBuffer, rows: number): void {
    if (this.#isClosed) return;
    this.#postBatch(frame, rows);
    this.#keepAlive();
  }

  sendLent(frame: LentFrame, rows: number): void {
    if (this.#isClosed) return;
    this.#post({ kind: 'lent batch', ...frame, rows }, rows, frame.bytes);
    this.#keepAlive();
  }

  sendRefused(frame: ArrayBuffer, errors: readonly ErrorData[]): void {
    if (this.#isClosed) return;
    const rows = errors.length;
    const bytes = frame.byteLength;
    this.#port.postMessage({ kind: 'refused', frame, rows, errors } satisfies EncodedFrame, [frame]);
    this.#credit.spend(rows, bytes);
    this.#keepAlive();
  }

  sendClear(): void {
    if (this.#isClosed) return;
    this.#post({ kind: 'clear' }, 1, markBytes);
    this.#keepAlive();
  }

  whenReady(signal?: AbortSignal): Promise<void> {
    if (this.#isClosed) return Promise.reject(new ChannelClosed({}));
    return this.#credit.isOpen ? Promise.resolve() : this.#readiness.wait(signal);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#port.close();
    this.#readiness.close();
  }

  #sendBatch(batch: ChangeBatch, sequence: number): void {
    const frame = encodeBatch(batch, sequence, 'in memory');
    this.#post({ kind: 'batch', frame, rows: batch.rows }, batch.rows, frame.byteLength);
  }

  #postBatch(frame: ArrayBuffer, rows: number): void {
    const bytes = frame.byteLength;
    this.#port.postMessage({ kind: 'batch', frame, rows } satisfies EncodedFrame, [frame]);
    this.#credit.spend(rows, bytes);
  }

  #post(message: EncodedFrame, rows: number, bytes: number): void {
    this.#port.postMessage(message);
    this.#credit.spend(rows, bytes);
  }

  #receive(message: ToSender): void {
    if (this.#isClosed) return;
    switch (message.kind) {
      case 'confirm':
        this.#markConfirmed = Math.max(this.#markConfirmed, message.mark);
        this.#keepAlive();
        this.onConfirm?.(message.mark);
        return;
      case 'rooms':
        this.#rooms?.giveBack(message.rooms);
        return;
      case 'settle':
        this.onSettle?.(message.rows);
        return;
      case 'refuse':
        this.onRefuse?.(message.row, message.error);
        return;
      case 'credit':
        this.#returned(message.rows, message.bytes);
    }
  }

  #returned(rows: number, bytes: number): void {
    const opened = this.#credit.giveBack(rows, bytes);
    this.#keepAlive();
    if (!opened) return;
    this.#readiness.release();
    this.onReady?.();
  }

  #keepAlive(): void {
    const expected = !this.#credit.isOpen || (this.onConfirm !== null && this.#markConfirmed < this.#markSent);
    if (expected) this.#port.ref();
    else this.#port.unref();
  }

  #closed(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#readiness.close();
    this.onClose?.();
  }
}

class PortReceiver implements FrameReceiver {
  onFrame: (() => void) | null = null;
  onClose: (() => void) | null = null;
  readonly #port: MessagePort;
  readonly #options: ChannelOptions;
  readonly #credit: ReturnCredit;
  readonly #queue = new Queue<EncodedFrame>();
  #queuedRows = 0;
  #queuedBytes = 0;
  #isClosed = false;

  constructor(port: MessagePort, options: ChannelOptions) {
    this.#port = port;
    this.#options = options;
    this.#credit = new ReturnCredit(options.limits);
    port.on('message', (message: EncodedFrame) => this.#receive(message));
    port.on('close', () => this.#closed());
    if (isDead(port)) setImmediate(() => this.#closed());
  }

  get queuedRows(): number {
    return this.#queuedRows;
  }

  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  get isEmpty(): boolean {
    return this.#queue.size === 0;
  }

  get peekRows(): number {
    return rowsOf(this.#queue.peek());
  }

  peek(): Exclude<EncodedFrame['kind'], 'lent batch'> | null {
    const kind = this.#queue.peek()?.kind ?? null;
    return kind === 'lent batch' ? 'batch' : kind;
  }

  take(): Frame | null {
    const message = this.takeEncoded();
    if (message === null) return null;
    assert(message.kind !== 'refused', 'refused rows go to those who take encoded frames');
    assert(message.kind !== 'clear', 'clears go to those who take encoded frames');
    const { schema } = this.#options;
    if (message.kind === 'lent batch') {
      const { memory, bytes, room } = message;
      return { kind: 'batch', ...decodeBatch(memory, schema, 'in memory', bytes), room };
    }
    if (message.kind !== 'batch') return message;
    return { kind: 'batch', ...decodeBatch(message.frame, schema, 'in memory') };
  }

  takeEncoded(): EncodedFrame | null {
    const message = this.#queue.take();
    if (message === undefined) return null;
    const rows = rowsOf(message);
    const bytes = bytesOf(message);
    this.#queuedRows -= rows;
    this.#queuedBytes -= bytes;
    if (this.#credit.take(rows, bytes, this.isEmpty)) this.#post({ kind: 'credit', ...this.#credit.collect() });
    return message;
  }

  giveBack(rooms: readonly number[]): void {
    this.#post({ kind: 'rooms', rooms });
  }

  confirm(mark: number): void {
    this.#post({ kind: 'confirm', mark });
  }

  settle(rows: number): void {
    this.#post({ kind: 'settle', rows });
  }

  refuse(row: number, error: ErrorData): void {
    this.#post({ kind: 'refuse', row, error });
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#port.close();
  }

  #post(message: ToSender): void {
    if (!this.#isClosed) this.#port.postMessage(message);
  }

  #receive(message: EncodedFrame): void {
    if (this.#isClosed) return;
    const wasEmpty = this.isEmpty;
    this.#queue.put(message);
    this.#queuedRows += rowsOf(message);
    this.#queuedBytes += bytesOf(message);
    if (message.kind === 'end') this.#port.unref();
    if (wasEmpty) this.onFrame?.();
  }

  #closed(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.onClose?.();
  }
}

/**
 * Whether the other end closed before anyone listened here, so that no 'close' will come. A port that has just got a
 * listener for messages keeps its thread alive, unless it is closed.
 */
function isDead(port: MessagePort): boolean {
  // SAFETY: Node has this method since 18.1; its types forget it.
  return !(port as MessagePort & { hasRef(): boolean }).hasRef();
}

function rowsOf(message: EncodedFrame | undefined): number {
  if (message?.kind === 'clear') return 1;
  return message !== undefined && 'rows' in message ? message.rows : 0;
}

function bytesOf(message: EncodedFrame): number {
  if (message.kind === 'lent batch') return message.bytes;
  return 'frame' in message ? message.frame.byteLength : markBytes;
}
