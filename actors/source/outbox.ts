// The door to the engine: frames leave one at a time, while it is open and there is credit.
//
// Closing it is what a pause is: `send` is synchronous at its last moment, so from `close()` on nothing more leaves, and what
// waits here or behind goes on with the next frame after `open()`. Waiting for credit is shown as `throttled`.
// One caller of `send` at a time. Not here: what is sent and in which order (delivery.ts).
import type { Clock } from '../../runtime/clock.ts';
import type { Frame, FrameSender } from '../../runtime/mailbox/channel.ts';
import type { Gauges } from '../../runtime/metrics.ts';

/** Where a frame goes: the channel, or its fast way for a batch that is encoded already. */
export type Post = (sender: FrameSender) => void;

export class Outbox {
  readonly #sender: FrameSender;
  readonly #clock: Clock;
  readonly #gauges: Gauges;
  readonly #signal: AbortSignal;
  #isOpen = true;
  #opened: (() => void)[] = [];

  constructor(options: {
    readonly sender: FrameSender;
    readonly clock: Clock;
    readonly gauges: Gauges;
    readonly signal: AbortSignal;
  }) {
    this.#sender = options.sender;
    this.#clock = options.clock;
    this.#gauges = options.gauges;
    this.#signal = options.signal;
    this.#signal.addEventListener('abort', () => this.#wake(), { once: true });
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** From now on nothing leaves. */
  close(): void {
    this.#isOpen = false;
  }

  open(): void {
    this.#isOpen = true;
    this.#wake();
  }

  /** Resolves when the door is open; rejects with the signal's reason. */
  async whenOpen(): Promise<void> {
    while (!this.#isOpen) {
      this.#signal.throwIfAborted();
      await new Promise<void>((resolve) => this.#opened.push(resolve));
    }
    this.#signal.throwIfAborted();
    // Whoever asks reads now.
    this.#gauges.set('repliedAt', this.#clock.now());
  }

  /** Calls `post` when the door is open and there is credit. Rejects with the signal's reason. */
  async send(post: Post): Promise<void> {
    while (!this.#isOpen || !this.#sender.hasCredit || this.#signal.aborted) {
      await this.whenOpen();
      if (!this.#sender.hasCredit) await this.#whenCredit();
    }
    post(this.#sender);
  }

  async #whenCredit(): Promise<void> {
    const since = this.#clock.monotonic();
    this.#gauges.set('throttled', 1);
    try {
      await this.#sender.whenReady(this.#signal);
    } finally {
      this.#gauges.set('throttled', 0);
      this.#gauges.add('throttledMs', this.#clock.monotonic() - since);
    }
  }

  #wake(): void {
    const waiting = this.#opened;
    this.#opened = [];
    for (const resolve of waiting) resolve();
  }
}

/** A post for frames of every kind. */
export function postFrame(frame: Frame): Post {
  return (sender) => sender.send(frame);
}
