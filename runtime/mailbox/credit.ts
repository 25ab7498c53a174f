// Credit: the right to send, in rows and in bytes. Pure accounting; no port, no clock.
//
//   sender   SendCredit    open ──(queued reaches a bound: high water)──► closed
//                          closed ──(rows and bytes are at most half of their bounds: low water)──► open
//   receiver ReturnCredit  collects what was taken and says when it is worth a message
//
// "Queued" is sent and not yet known to be taken. A bound is soft by one frame: a sender that is open may send a frame of
// any size, so a frame larger than the bound passes as well. The receiver returns credit when its mailbox runs empty or
// an eighth of a bound has been taken; the first is why a closed sender is always opened again.
import { assert } from '../assert.ts';
import type { MailboxLimits } from './channel.ts';

/** The sender's side. */
export class SendCredit {
  readonly #limits: MailboxLimits;
  #rows = 0;
  #bytes = 0;
  #isOpen = true;

  constructor(limits: MailboxLimits) {
    assertLimits(limits);
    this.#limits = limits;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  get queuedRows(): number {
    return this.#rows;
  }

  get queuedBytes(): number {
    return this.#bytes;
  }

  /** Counts a frame that is sent. */
  spend(rows: number, bytes: number): void {
    this.#rows += rows;
    this.#bytes += bytes;
    if (this.#rows >= this.#limits.rowsMax || this.#bytes >= this.#limits.bytesMax) this.#isOpen = false;
  }

  /** Counts what the receiver has taken; true when this opens what was closed. */
  giveBack(rows: number, bytes: number): boolean {
    assert(rows <= this.#rows && bytes <= this.#bytes, 'no more credit comes back than was spent');
    this.#rows -= rows;
    this.#bytes -= bytes;
    if (this.#isOpen) return false;
    this.#isOpen = this.#rows * 2 <= this.#limits.rowsMax && this.#bytes * 2 <= this.#limits.bytesMax;
    return this.#isOpen;
  }
}

/** The receiver's side. */
export class ReturnCredit {
  readonly #limits: MailboxLimits;
  #rows = 0;
  #bytes = 0;

  constructor(limits: MailboxLimits) {
    assertLimits(limits);
    this.#limits = limits;
  }

  /** Counts a frame that was taken; true when it is time to `collect`. */
  take(rows: number, bytes: number, isEmpty: boolean): boolean {
    this.#rows += rows;
    this.#bytes += bytes;
    return isEmpty || this.#rows * 8 >= this.#limits.rowsMax || this.#bytes * 8 >= this.#limits.bytesMax;
  }

  /** What is to be returned; counts anew from 0. */
  collect(): { readonly rows: number; readonly bytes: number } {
    const returned = { rows: this.#rows, bytes: this.#bytes };
    this.#rows = 0;
    this.#bytes = 0;
    return returned;
  }
}

function assertLimits(limits: MailboxLimits): void {
  assert(limits.rowsMax >= 1 && limits.bytesMax >= 1, 'the limits of a mailbox are at least 1');
}
