// How the threads of one engine speak within a step: messages that are waited for without an event loop.
//
// Each two threads have a port of their own. A sender posts its message and then counts up the receiver's cell in shared memory,
// which wakes it; a receiver looks into the port, and sleeps on its cell where there is nothing. So messages of one sender come in
// their order, and nothing but the one who is waited for can keep a thread waiting. A thread that has died cannot answer: its
// number is looked up now and then where the system lists threads; elsewhere only an end that it can still tell of is noticed.
// Not here: what messages mean (worker-messages.ts), who starts threads (worker-team.ts).
import { existsSync, readlinkSync } from 'node:fs';
import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import { type CodedErrorClass, defineError } from '../../../runtime/errors.ts';
import type { SenderPool } from './packed-batch.ts';
import { SharedRoom } from './shared-room.ts';

export const EngineWorkerLost: CodedErrorClass<{ readonly worker: number }> = defineError(
  'engine.worker_lost',
  {
    help: 'A thread of the engine has ended, for instance for want of memory, and its part of the state with it. Start the pipeline anew; with fewer `workers` it needs less memory.',
  },
  (f) => `worker ${f.worker} of the engine has ended`,
);

/** What each thread of an engine is started with: the same cells, and its own ends of the ports. */
export interface LineEnds {
  readonly worker: number;
  /** By the number of the other worker; null at its own. */
  readonly ports: readonly (MessagePort | null)[];
  readonly cells: Int32Array;
}

/** Cells of a worker lie so far apart that no two share a line of the cache. */
const cellWords = 16;
const threadAt = 1;
const endedAt = 2;
/** How long a thread sleeps before it looks whether the other one is still there. */
const lookMs = 500;

export function cellsFor(workers: number): Int32Array {
  return new Int32Array(new SharedArrayBuffer(workers * cellWords * 4));
}

export class WorkerLines {
  readonly worker: number;
  readonly workers: number;
  /** What the string pool of each worker is known by here. */
  readonly pools: readonly SenderPool[];
  /** For the arrays of what this thread sends, cleared when a step begins: nobody reads those of the one before any more. */
  readonly room: SharedRoom = new SharedRoom();
  readonly #ports: readonly (MessagePort | null)[];
  readonly #cells: Int32Array;

  constructor({ worker, ports, cells }: LineEnds) {
    this.worker = worker;
    this.workers = ports.length;
    this.pools = ports.map(() => ({ interned: {}, carried: {} }));
    this.#ports = ports;
    this.#cells = cells;
    Atomics.store(cells, worker * cellWords + threadAt, systemThread());
  }

  send(to: number, message: unknown): void {
    this.#ports[to]?.postMessage(message);
    Atomics.add(this.#cells, to * cellWords, 1);
    Atomics.notify(this.#cells, to * cellWords);
  }

  /** The next message of another worker. @throws EngineWorkerLost when it has ended */
  receive(from: number): unknown {
    const port = this.#ports[from];
    const cell = this.worker * cellWords;
    for (;;) {
      const seen = Atomics.load(this.#cells, cell);
      const found = port == null ? undefined : receiveMessageOnPort(port);
      if (found !== undefined) return found.message;
      if (this.#hasSaidEnd(from)) throw new EngineWorkerLost({ worker: from });
      const woke = Atomics.wait(this.#cells, cell, seen, lookMs);
      if (woke === 'timed-out' && this.#isGone(from)) throw new EngineWorkerLost({ worker: from });
    }
  }

  /** Called by a thread that ends: nobody waits for it any longer. */
  end(): void {
    Atomics.store(this.#cells, this.worker * cellWords + endedAt, 1);
    for (let other = 0; other < this.workers; other++) {
      Atomics.add(this.#cells, other * cellWords, 1);
      Atomics.notify(this.#cells, other * cellWords);
    }
  }

  /** Under which numbers the system lists the threads, where it does; by worker. */
  systemThreads(): readonly number[] {
    return Array.from({ length: this.workers }, (_, worker) =>
      Atomics.load(this.#cells, worker * cellWords + threadAt),
    );
  }

  close(): void {
    for (const port of this.#ports) port?.close();
  }

  #hasSaidEnd(worker: number): boolean {
    return Atomics.load(this.#cells, worker * cellWords + endedAt) !== 0;
  }

  #isGone(worker: number): boolean {
    const thread = Atomics.load(this.#cells, worker * cellWords + threadAt);
    return thread > 0 && !existsSync(`/proc/self/task/${thread}`);
  }
}

/** The number under which the system knows this thread; 0 where it does not tell. */
function systemThread(): number {
  try {
    return Number(/\d+$/.exec(readlinkSync('/proc/thread-self'))?.[0] ?? 0);
  } catch {
    return 0;
  }
}
