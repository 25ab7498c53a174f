// A bounded queue with lanes: signal > supervision > control > data. The actor loop takes from it, everything else only puts.
//
// Within a lane order is kept; a message of a higher lane is always taken before one of a lower lane. Each lane has its own
// bound, so that a flood of control messages cannot keep a signal out. At its bound a lane refuses (MailboxFull): nothing
// is dropped in silence and nothing grows without end.
// Not here: batches. They are counted in rows and bytes and come through channels (channel.ts, credit.ts).
import { type CodedErrorClass, defineError } from '../errors.ts';

/** In order of precedence. */
export const lanes = ['signal', 'supervision', 'control', 'data'] as const;
export type Lane = (typeof lanes)[number];

export const MailboxFull: CodedErrorClass<{
  readonly owner: string;
  readonly lane: Lane;
  readonly messagesMax: number;
}> = defineError(
  'mailbox.full',
  { help: 'The actor takes messages more slowly than they come. Send again later, or send less.', retry: 'later' },
  (f) => `${f.owner}: lane ${f.lane} of its mailbox is at its limit, ${f.messagesMax} messages`,
);

/** Messages that a lane holds at most, unless its owner says otherwise. */
export const laneMessagesMax = 100_000;

export class Mailbox<Item> {
  readonly #owner: string;
  readonly #messagesMax: number;
  readonly #queues: Readonly<Record<Lane, Queue<Item>>>;

  constructor(owner: string, messagesMax: number = laneMessagesMax) {
    this.#owner = owner;
    this.#messagesMax = messagesMax;
    this.#queues = { signal: new Queue(), supervision: new Queue(), control: new Queue(), data: new Queue() };
  }

  get size(): number {
    let size = 0;
    for (const lane of lanes) size += this.#queues[lane].size;
    return size;
  }

  /** @throws MailboxFull when the lane is at its bound. */
  put(lane: Lane, item: Item): void {
    const queue = this.#queues[lane];
    if (queue.size >= this.#messagesMax) {
      throw new MailboxFull({ owner: this.#owner, lane, messagesMax: this.#messagesMax });
    }
    queue.put(item);
  }

  /** The next item by lane, or undefined when every lane is empty. */
  take(): Item | undefined {
    for (const lane of lanes) {
      const queue = this.#queues[lane];
      if (queue.size > 0) return queue.take();
    }
    return undefined;
  }
}

/** First in, first out, in amortised constant time. */
export class Queue<Item> {
  #items: (Item | undefined)[] = [];
  #head = 0;

  get size(): number {
    return this.#items.length - this.#head;
  }

  put(item: Item): void {
    this.#items.push(item);
  }

  peek(): Item | undefined {
    return this.#items[this.#head];
  }

  take(): Item | undefined {
    if (this.size === 0) return undefined;
    const item = this.#items[this.#head];
    // The slot is cleared so that what was taken can be collected before the array is cut.
    this.#items[this.#head++] = undefined;
    if (this.#head === this.#items.length) {
      this.#items = [];
      this.#head = 0;
    } else if (this.#head >= 1024 && this.#head * 2 >= this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }
}
