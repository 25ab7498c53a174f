// A data channel within one thread: the same promises as a port's (channel.ts), the batch handed over as it is.
//
// Frames arrive later, in a microtask, as they would from a port: `send` never runs the consumer. Credit comes back in a
// microtask for the same reason. Bytes are those of the batch's arrays (batch-bytes.ts). The batch keeps its dictionary's
// identity. Closing one end tells the other.
import { decodeBatch, SchemaMismatch } from '../wire/batch-codec.ts';
import { batchBytes, markBytes } from './batch-bytes.ts';
import type { ChannelOptions, Frame, FrameReceiver, FrameSender } from './channel.ts';
import { ReturnCredit, SendCredit } from './credit.ts';
import { Queue } from './mailbox.ts';
import { ChannelClosed, Readiness } from './readiness.ts';

export interface LocalChannel {
  readonly sender: FrameSender;
  readonly receiver: FrameReceiver;
}

export function makeLocalChannel(options: ChannelOptions): LocalChannel {
  const sender = new LocalSender(options);
  const receiver = new LocalReceiver(options, sender);
  sender.peer = receiver;
  return { sender, receiver };
}

class LocalSender implements FrameSender {
  onReady: (() => void) | null = null;
  onConfirm: ((mark: number) => void) | null = null;
  onClose: (() => void) | null = null;
  /** Set once, right after both ends are made. */
  peer: LocalReceiver | null = null;
  readonly #options: ChannelOptions;
  readonly #credit: SendCredit;
  readonly #readiness = new Readiness();
  #isClosed = false;

  constructor(options: ChannelOptions) {
    this.#options = options;
    this.#credit = new SendCredit(options.limits);
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
    if (frame.kind === 'batch') {
      assertSchema(frame.batch.schema.fingerprint, this.#options);
    }
    this.#credit.spend(rowsOf(frame), bytesOf(frame));
    queueMicrotask(() => this.peer?.arrive(frame));
  }

  sendEncoded(frame: ArrayBuffer, _rows: number): void {
    this.send({ kind: 'batch', ...decodeBatch(frame, this.#options.schema) });
  }

  whenReady(signal?: AbortSignal): Promise<void> {
    if (this.#isClosed) return Promise.reject(new ChannelClosed({}));
    return this.#credit.isOpen ? Promise.resolve() : this.#readiness.wait(signal);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#readiness.close();
    queueMicrotask(() => this.peer?.peerClosed());
  }

  giveBack(rows: number, bytes: number): void {
    if (this.#isClosed || !this.#credit.giveBack(rows, bytes)) return;
    this.#readiness.release();
    this.onReady?.();
  }

  confirmed(mark: number): void {
    if (!this.#isClosed) this.onConfirm?.(mark);
  }

  peerClosed(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#readiness.close();
    this.onClose?.();
  }
}

class LocalReceiver implements FrameReceiver {
  onFrame: (() => void) | null = null;
  onClose: (() => void) | null = null;
  readonly #sender: LocalSender;
  readonly #credit: ReturnCredit;
  readonly #queue = new Queue<Frame>();
  #queuedRows = 0;
  #queuedBytes = 0;
  #isClosed = false;

  constructor(options: ChannelOptions, sender: LocalSender) {
    this.#sender = sender;
    this.#credit = new ReturnCredit(options.limits);
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

  peek(): Frame['kind'] | null {
    return this.#queue.peek()?.kind ?? null;
  }

  take(): Frame | null {
    const frame = this.#queue.take();
    if (frame === undefined) return null;
    const rows = rowsOf(frame);
    const bytes = bytesOf(frame);
    this.#queuedRows -= rows;
    this.#queuedBytes -= bytes;
    if (this.#credit.take(rows, bytes, this.isEmpty)) {
      const returned = this.#credit.collect();
      queueMicrotask(() => this.#sender.giveBack(returned.rows, returned.bytes));
    }
    return frame;
  }

  confirm(mark: number): void {
    queueMicrotask(() => this.#sender.confirmed(mark));
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    queueMicrotask(() => this.#sender.peerClosed());
  }

  arrive(frame: Frame): void {
    if (this.#isClosed) return;
    const wasEmpty = this.isEmpty;
    this.#queue.put(frame);
    this.#queuedRows += rowsOf(frame);
    this.#queuedBytes += bytesOf(frame);
    if (wasEmpty) this.onFrame?.();
  }

  peerClosed(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.onClose?.();
  }
}

function assertSchema(found: number, options: ChannelOptions): void {
  const expected = options.schema.fingerprint;
  if (found !== expected) throw new SchemaMismatch({ expected, found });
}

function rowsOf(frame: Frame | undefined): number {
  return frame?.kind === 'batch' ? frame.batch.rows : 0;
}

function bytesOf(frame: Frame): number {
  return frame.kind === 'batch' ? batchBytes(frame.batch) : markBytes;
}
