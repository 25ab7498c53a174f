// A data channel: frames one way, credit and confirmations the other.
//
//   producer thread                                    consumer thread
//   FrameSender ── frame (ArrayBuffer, transferred) ──► FrameReceiver (bounded mailbox)
//               ◄── credit {rows, bytes} · confirm n ──
//
// The receiver grants credit; a sender without credit waits. Bounds are soft by one frame: a frame may be sent while any
// credit is left. High and low water: once the mailbox is full, credit is granted again only when it has drained to
// half its bound, in one go. Nothing is dropped here. Implemented over message ports in port-channel.ts: no two ends of a
// channel are ever placed on one thread. Only batches carry rows; marks travel in order with them.
import type { ChangeBatch } from '../batch/change-batch.ts';
import type { Schema } from '../batch/schema.ts';
import type { ErrorData } from '../errors.ts';
import type { FrameRooms, LentFrame } from './frame-rooms.ts';

/** What travels on the data lane, in order. */
export type Frame =
  /** `sequence` numbers the batches of one sender from 1. */
  | {
      readonly kind: 'batch';
      readonly sequence: number;
      readonly batch: ChangeBatch;
      /** Where its memory is lent: what is given back (`giveBack`) when nobody looks at the batch any more. */
      readonly room?: number;
    }
  /** Everything before this belongs together: an engine step's outputs, or a push that has a completion token. */
  | { readonly kind: 'mark'; readonly mark: number }
  /** Everything before this is in the checkpoint of that name, nothing behind it is. Only to receivers that asked for it. */
  | { readonly kind: 'barrier'; readonly checkpoint: string }
  /** No further frame will come. */
  | { readonly kind: 'end' };

/** A frame as it came over the port: its batch is not decoded. */
export type EncodedFrame =
  | { readonly kind: 'batch'; readonly frame: ArrayBuffer; readonly rows: number }
  /** A batch in memory that is lent. Only to receivers that give it back. */
  | ({ readonly kind: 'lent batch'; readonly rows: number } & LentFrame)
  /** Rows that a processor has refused, in their order among the others; an error for each. */
  | {
      readonly kind: 'refused';
      readonly frame: ArrayBuffer;
      readonly rows: number;
      readonly errors: readonly ErrorData[];
    }
  /** Every row that the receiver's table holds goes. Counts as one row. */
  | { readonly kind: 'clear' }
  | { readonly kind: 'mark'; readonly mark: number }
  | { readonly kind: 'barrier'; readonly checkpoint: string }
  | { readonly kind: 'end' };

export interface FrameSender {
  /** Whether a frame may be sent now. */
  readonly hasCredit: boolean;
  /** Rows and bytes sent but not yet taken by the receiver. */
  readonly queuedRows: number;
  readonly queuedBytes: number;
  /** Sends at once, credit or not: ask `hasCredit` first. Gives the batch away. */
  send(frame: Frame): void;
  /** As `send` of a batch that is encoded already (wire/batch-codec). Gives the buffer away. */
  sendEncoded(frame: ArrayBuffer, rows: number): void;
  /** As `sendEncoded` of a frame in one of the channel's rooms, which is not written to until it comes back. */
  sendLent(frame: LentFrame, rows: number): void;
  /** An encoded batch of rows that are refused already. Only for receivers that take encoded frames. */
  sendRefused(frame: ArrayBuffer, errors: readonly ErrorData[]): void;
  /** A clear. Only for receivers that stand before a table. */
  sendClear(): void;
  /** Resolves when there is credit; rejects with the signal's reason. Resolves at once when there is some. */
  whenReady(signal?: AbortSignal): Promise<void>;
  /** Called when credit comes back after there was none. One listener. */
  onReady: (() => void) | null;
  /** Called with the highest mark that the receiver has confirmed. One listener. */
  onConfirm: ((mark: number) => void) | null;
  /** Called with how many rows in all, from the first one sent, the receiver has settled. One listener. */
  onSettle: ((rows: number) => void) | null;
  /** Called with a row that the receiver refuses, counted from 0 as above; it comes before the row is settled. One listener. */
  onRefuse: ((row: number, error: ErrorData) => void) | null;
  /** Called when the other end is gone. One listener. */
  onClose: (() => void) | null;
  close(): void;
}

export interface MailboxLimits {
  readonly rowsMax: number;
  readonly bytesMax: number;
}

export interface FrameReceiver {
  /** Rows and bytes in the mailbox, not yet taken. */
  readonly queuedRows: number;
  readonly queuedBytes: number;
  readonly isEmpty: boolean;
  /** The next frame without taking it; for a batch, `peekRows` says how many rows. */
  peek(): Exclude<EncodedFrame['kind'], 'lent batch'> | null;
  readonly peekRows: number;
  /** Takes the next frame and returns its credit to the sender. */
  take(): Frame | null;
  /** As `take`, for who hands frames on and does not look into them. */
  takeEncoded(): EncodedFrame | null;
  /** Nobody looks at the frames in these rooms any more. */
  giveBack(rooms: readonly number[]): void;
  /** Tells the sender that everything up to `mark` is done. */
  confirm(mark: number): void;
  /** Tells the sender that the first `rows` rows since the channel was opened are delivered or refused. Never goes back. */
  settle(rows: number): void;
  /** Tells the sender that row number `row` (from 0) is refused; before it is settled. */
  refuse(row: number, error: ErrorData): void;
  /** Called when a frame arrives in an empty mailbox. One listener. */
  onFrame: (() => void) | null;
  onClose: (() => void) | null;
  close(): void;
}

/** Ends of a channel; `schema` is the schema of every batch, checked on arrival. */
export interface ChannelOptions {
  readonly schema: Schema;
  readonly limits: MailboxLimits;
  /** Of a sender that lends frames. */
  readonly rooms?: FrameRooms;
}
