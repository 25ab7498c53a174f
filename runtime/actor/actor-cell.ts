// One actor on its thread: behaviour, mailbox, lifecycle. The loop that feeds it.
//
// Everything from outside only puts into the mailbox; one turn of the event loop later the cell takes what is there by
// lane and hands it over, message by message. What is put meanwhile waits for the next turn, so that ports and timers of
// the thread get theirs. What an actor tells itself is on the data lane: requests from outside overtake its work. A throw from `receive`, `start` or the behaviour, or `context.fail`, is the actor's death: every
// request it owes is rejected at once, `stop()` is called, then the failure is reported. Reports are in order.
// Called by actor-loop.ts only. Not here: which thread, restarts.
import type { Clock } from '../clock.ts';
import { type ErrorData, errorToData } from '../errors.ts';
import { type LogEntry, makeLog } from '../log.ts';
import { Mailbox } from '../mailbox/mailbox.ts';
import type { Gauges } from '../metrics.ts';
import type { Actor, ActorContext, ActorId, Behaviour, Reply } from './actor.ts';
import { type ActorState, nextState } from './actor-lifecycle.ts';
import { ActorGone } from './request.ts';

/** What a cell tells the system, from whatever thread it is on. */
export type CellReport =
  | { readonly kind: 'notice'; readonly actor: ActorId; readonly notice: unknown }
  | { readonly kind: 'log'; readonly entry: LogEntry }
  | { readonly kind: 'failed'; readonly actor: ActorId; readonly error: ErrorData };

export interface CellSurroundings {
  readonly clock: Clock;
  readonly report: (report: CellReport) => void;
}

/** An answer on its way, with what is to be transferred. */
export interface Answer {
  readonly value: unknown;
  readonly transfer: NonNullable<Parameters<Reply['resolve']>[1]>;
}

type Item =
  | { readonly kind: 'message'; readonly message: unknown; readonly reply: Reply }
  | { readonly kind: 'ping'; readonly answer: () => void }
  | { readonly kind: 'stop' };

const nowhere: Reply = { resolve: () => {}, reject: () => {} };
/** How long a failed actor may take to release what it holds before its failure is reported all the same. */
const stopAfterFailureMs = 5_000;

export class ActorCell {
  readonly id: ActorId;
  readonly #surroundings: CellSurroundings;
  readonly #gauges: Gauges;
  readonly #mailbox: Mailbox<Item>;
  /** Requests that wait for their answer. */
  readonly #owed = new Set<(error: unknown) => void>();
  readonly #ended: Promise<void>;
  #end: () => void = () => {};
  #actor: Actor<unknown> | null = null;
  #state: ActorState = 'starting';
  #failure: unknown = null;
  #turn: NodeJS.Immediate | null = null;

  constructor(id: ActorId, gauges: Gauges, surroundings: CellSurroundings) {
    this.id = id;
    this.#gauges = gauges;
    this.#surroundings = surroundings;
    this.#mailbox = new Mailbox(id);
    this.#ended = new Promise((resolve) => {
      this.#end = resolve;
    });
  }

  /** @throws what the behaviour or the actor's start threw; the actor is gone then, and not reported. */
  async start(behaviour: Behaviour<unknown, unknown, unknown>, args: unknown): Promise<void> {
    try {
      this.#actor = await behaviour(args, this.#context());
      await this.#actor.start?.();
    } catch (error) {
      this.#failure ??= error;
      this.#state = nextState(this.#state, 'fail');
    }
    if (this.#state === 'failed') {
      await this.#release();
      throw this.#failure;
    }
    this.#state = nextState(this.#state, 'started');
    this.#schedule();
  }

  tell(message: unknown): void {
    if (this.#isGone()) return;
    this.#put('control', { kind: 'message', message, reply: nowhere });
  }

  ask(message: unknown): Promise<Answer> {
    if (this.#isGone()) return Promise.reject(this.#gone());
    return new Promise((resolve, reject) => {
      const fail = (error: unknown): void => {
        this.#owed.delete(fail);
        reject(error);
      };
      this.#owed.add(fail);
      const reply: Reply = {
        resolve: (value, transfer = []) => {
          this.#owed.delete(fail);
          resolve({ value, transfer });
        },
        reject: fail,
      };
      try {
        this.#put('control', { kind: 'message', message, reply });
      } catch (error) {
        fail(error);
      }
    });
  }

  /** Resolves when the loop has come round to it. */
  ping(): Promise<void> {
    if (this.#state !== 'running') return Promise.resolve();
    return new Promise((resolve) => this.#put('supervision', { kind: 'ping', answer: resolve }));
  }

  /** Resolves when the actor has stopped, or has failed and released what it held. */
  stop(): Promise<void> {
    if (!this.#isGone()) this.#put('signal', { kind: 'stop' });
    return this.#ended;
  }

  #context(): ActorContext<unknown, unknown> {
    const { clock, report } = this.#surroundings;
    const { id } = this;
    return {
      id,
      clock,
      log: makeLog(
        id,
        () => clock.now(),
        (entry) => report({ kind: 'log', entry }),
      ),
      gauges: this.#gauges,
      notify: (notice) => report({ kind: 'notice', actor: id, notice }),
      self: (message) => {
        if (!this.#isGone()) this.#put('data', { kind: 'message', message, reply: nowhere });
      },
      fail: (error) => this.#fail(error),
    };
  }

  #put(lane: 'signal' | 'supervision' | 'control' | 'data', item: Item): void {
    this.#mailbox.put(lane, item);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#state !== 'running' || this.#turn !== null || this.#mailbox.size === 0) return;
    this.#turn = setImmediate(() => this.#run());
  }

  #run(): void {
    this.#turn = null;
    for (let left = this.#mailbox.size; left > 0 && this.#state === 'running'; left--) {
      const item = this.#mailbox.take();
      if (item !== undefined) this.#handle(item);
    }
    this.#schedule();
  }

  #handle(item: Item): void {
    switch (item.kind) {
      case 'message':
        try {
          this.#actor?.receive(item.message, item.reply);
        } catch (error) {
          this.#fail(error);
        }
        break;
      case 'ping':
        item.answer();
        break;
      case 'stop':
        this.#stop();
        break;
    }
  }

  #stop(): void {
    this.#state = nextState(this.#state, 'stop');
    Promise.resolve()
      .then(() => this.#actor?.stop())
      .then(
        () => {
          this.#state = nextState(this.#state, 'stopped');
          this.#letGo();
        },
        (error: unknown) => this.#died(error),
      );
  }

  #fail(error: unknown): void {
    // During its start the one who spawns is told; once it is stopping or gone nobody asked any more.
    if (this.#isGone() || this.#state === 'stopping') return;
    const wasStarting = this.#state === 'starting';
    this.#failure = error;
    this.#state = nextState(this.#state, 'fail');
    if (wasStarting) return;
    this.#rejectOwed();
    this.#release().then(() => this.#reportFailure());
  }

  #died(error: unknown): void {
    this.#failure = error;
    this.#state = nextState(this.#state, 'fail');
    this.#letGo();
    this.#reportFailure();
  }

  #reportFailure(): void {
    // The stack stays on its thread but for this line; the failure itself travels as data.
    const stack = this.#failure instanceof Error ? this.#failure.stack : undefined;
    const { clock, report } = this.#surroundings;
    makeLog(
      this.id,
      () => clock.now(),
      (entry) => report({ kind: 'log', entry }),
    ).debug('the actor failed', { stack });
    report({ kind: 'failed', actor: this.id, error: errorToData(this.#failure) });
  }

  /** Stops an actor that has failed, for a bounded time and whatever comes of it. */
  async #release(): Promise<void> {
    const stopped = Promise.resolve()
      .then(() => this.#actor?.stop())
      .catch(() => {
        // The first failure is the one to be told; this one follows from it.
      });
    await new Promise<void>((resolve) => {
      const timer = this.#surroundings.clock.after(stopAfterFailureMs, resolve);
      stopped.then(() => {
        timer.cancel();
        resolve();
      });
    });
    this.#letGo();
  }

  #letGo(): void {
    this.#rejectOwed();
    for (let item = this.#mailbox.take(); item !== undefined; item = this.#mailbox.take()) {
      if (item.kind === 'ping') item.answer();
    }
    this.#end();
  }

  #rejectOwed(): void {
    const error = this.#gone();
    for (const reject of [...this.#owed]) reject(error);
  }

  #isGone(): boolean {
    return this.#state === 'stopped' || this.#state === 'failed';
  }

  #gone(): InstanceType<typeof ActorGone> {
    return new ActorGone({ actor: this.id }, this.#failure === null ? {} : { cause: this.#failure });
  }
}
