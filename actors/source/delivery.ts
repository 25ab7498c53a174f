// Puts decoded pieces back into order and hands them out, one after the other, while more are being decoded.
//
//   reader ── push ──► [being decoded][being decoded][decoded] ── handOut ──► outbox
//          ◄─ room ───  at most entriesMax and bytesMax
//
// Entries leave in the order in which they were pushed, whichever is decoded first. The reader asks for room before it
// reads on: that is the whole bound on memory between a source and the engine's mailbox.
// Not here: decoding, the meaning of an entry (its owner's `handOut`).

/** Something on its way: its result may still be in the making. */
export interface Entry<T> {
  readonly result: Promise<T> | T;
  /** What it counts towards the bound. */
  readonly bytes: number;
}

export interface DeliveryLimits {
  readonly entriesMax: number;
  readonly bytesMax: number;
}

export class Delivery<T> {
  readonly #limits: DeliveryLimits;
  readonly #handOut: (result: T) => Promise<void>;
  readonly #entries: Entry<T>[] = [];
  #bytes = 0;
  #running: Promise<void> | null = null;
  #failure: { readonly error: unknown } | null = null;
  readonly #reject: (error: unknown) => void;
  #waiting: (() => void)[] = [];
  /** Called when the last entry has been handed out. One listener. */
  onEmpty: (() => void) | null = null;
  /** Never resolves; rejects at once with what a result or `handOut` was rejected with. */
  readonly failed: Promise<never>;

  /** `handOut` is called for one result at a time. When it rejects, nothing more is handed out. */
  constructor(limits: DeliveryLimits, handOut: (result: T) => Promise<void>) {
    this.#limits = limits;
    this.#handOut = handOut;
    let reject: (error: unknown) => void = () => {};
    this.failed = new Promise<never>((_, refuse) => {
      reject = refuse;
    });
    this.failed.catch(() => {});
    this.#reject = reject;
  }

  get isEmpty(): boolean {
    return this.#entries.length === 0;
  }

  /** Resolves when a further entry may be pushed. @throws what a result or `handOut` was rejected with. */
  async room(): Promise<void> {
    while (this.#failure === null && this.#isFull()) await this.#change();
    this.#throwFailure();
  }

  /** Ask for `room` first. Takes care of a rejected result at its turn. */
  push(entry: Entry<T>): void {
    if (entry.result instanceof Promise) entry.result.catch(() => {});
    this.#entries.push(entry);
    this.#bytes += entry.bytes;
    this.#running ??= this.#run();
  }

  /** Resolves when everything has been handed out. @throws what a result or `handOut` was rejected with. */
  async finished(): Promise<void> {
    while (this.#failure === null && this.#entries.length > 0) await this.#change();
    this.#throwFailure();
  }

  async #run(): Promise<void> {
    try {
      for (let entry = this.#entries[0]; entry !== undefined; entry = this.#entries[0]) {
        await this.#handOut(await entry.result);
        this.#entries.shift();
        this.#bytes -= entry.bytes;
        this.#wake();
      }
      this.#running = null;
      this.onEmpty?.();
    } catch (error) {
      this.#failure = { error };
      this.#reject(error);
      this.#wake();
    }
  }

  #isFull(): boolean {
    return this.#entries.length >= this.#limits.entriesMax || (this.#bytes >= this.#limits.bytesMax && !this.isEmpty);
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }

  #throwFailure(): void {
    if (this.#failure !== null) throw this.#failure.error;
  }
}
