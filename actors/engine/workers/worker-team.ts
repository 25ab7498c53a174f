// The threads that compute one engine's circuit beside the engine's own, seen from there: started, ordered about, ended.
//
// The engine's thread is worker 0. Orders are synchronous: all other workers carry out an order at once, and the engine's thread
// sleeps until the last one has answered. After a failure of any worker every order throws that failure.
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import { type ErrorData, errorFromData, type MillraceError } from '../../../runtime/errors.ts';
import { siblingModule } from '../../../runtime/thread/worker-thread.ts';
import type { ShardLink } from '../circuit/shard-link.ts';
import type { BoundProgram } from '../sql/bound.ts';
import type { SenderPool } from './packed-batch.ts';
import type { SharedRoom } from './shared-room.ts';
import { cellsFor, EngineWorkerLost, type LineEnds, WorkerLines } from './worker-line.ts';
import { type Answer, type LineMessage, linkOver, type Order, spreadFailure } from './worker-messages.ts';

/** What a worker thread is started with. */
export interface WorkerStart {
  readonly program: BoundProgram;
  readonly onError: 'stop' | 'skip';
  readonly ends: LineEnds;
}

export interface TeamOptions {
  readonly program: BoundProgram;
  readonly onError: 'stop' | 'skip';
  /** With the engine's own thread: two at least. */
  readonly workers: number;
  /** A thread has ended although nobody asked it to. */
  readonly onLost: (error: MillraceError) => void;
}

export class WorkerTeam {
  readonly workers: number;
  readonly link: ShardLink;
  readonly #lines: WorkerLines;
  readonly #threads: readonly Worker[];
  #failure: MillraceError | null = null;
  #isStopped = false;

  private constructor(lines: WorkerLines, threads: readonly Worker[]) {
    this.workers = lines.workers;
    this.#lines = lines;
    this.#threads = threads;
    this.link = linkOver(lines);
  }

  /** Resolves when every thread has made its circuit. @throws what a thread cannot do so for */
  static async start({ program, onError, workers, onLost }: TeamOptions): Promise<WorkerTeam> {
    const cells = cellsFor(workers);
    const ports = portsBetween(workers);
    const lines = new WorkerLines({ worker: 0, ports: ports[0]!, cells });
    const entry = siblingModule('./worker-entry', import.meta.url);
    const threads = ports.slice(1).map((own, i): Worker => {
      const ends: LineEnds = { worker: i + 1, ports: own, cells };
      const transferList = own.filter((port) => port !== null);
      const workerData: WorkerStart = { program, onError, ends };
      const name = `engine-worker-${i + 1}`;
      return new Worker(entry, { name, argv: [name], workerData, transferList });
    });
    const team = new WorkerTeam(lines, threads);
    try {
      await Promise.all(threads.map(becomesReady));
    } catch (error) {
      await Promise.all(threads.map((thread) => thread.terminate()));
      throw error;
    }
    threads.forEach((thread, i) => {
      thread.on('exit', () => {
        if (team.#isStopped) return;
        team.#failure ??= new EngineWorkerLost({ worker: i + 1 });
        onLost(team.#failure);
      });
    });
    return team;
  }

  /** Numbers of the threads for the tools of the system, by worker; 0 where the system does not tell. */
  get systemThreads(): readonly number[] {
    return this.#lines.systemThreads();
  }

  /** For what worker 0 tells the others. */
  get room(): SharedRoom {
    return this.#lines.room;
  }

  /** What the string pool of a worker is known by here. */
  poolOf(worker: number): SenderPool {
    return this.#lines.pools[worker]!;
  }

  /** Gives an order to all and does not wait. @throws what any worker has failed of */
  give(order: Order): void {
    if (this.#failure !== null) throw this.#failure;
    for (let worker = 1; worker < this.workers; worker++) this.#lines.send(worker, order);
  }

  /** Waits for the answers to an order, by worker from 1 on. @throws what any worker has failed of */
  answers(): readonly Answer[] {
    try {
      return Array.from({ length: this.workers - 1 }, (_, i): Answer => {
        for (;;) {
          // SAFETY: workers of one engine send one another nothing else.
          const message = this.#lines.receive(i + 1) as LineMessage;
          if (message.kind === 'failed') throw this.fail(message.error);
          if (message.kind === 'done') return message;
        }
      });
    } catch (error) {
      if (error instanceof EngineWorkerLost) this.#failure ??= error;
      throw error;
    }
  }

  /** To each its own order. */
  giveEach(orders: readonly Order[]): void {
    if (this.#failure !== null) throw this.#failure;
    orders.forEach((order, i) => {
      this.#lines.send(i + 1, order);
    });
  }

  /** The engine's own part of a step has failed: the others end theirs. */
  abandon(thrown: MillraceError): void {
    this.#failure ??= thrown;
    spreadFailure(this.#lines, thrown);
  }

  fail(error: ErrorData): MillraceError {
    this.#failure ??= errorFromData(error);
    return this.#failure;
  }

  /** Ends the threads; resolves when they are gone. */
  async stop(): Promise<void> {
    if (this.#isStopped) return;
    this.#isStopped = true;
    // A thread that has ended has no number any more, and says nothing again.
    const living = this.#threads.filter(({ threadId }) => threadId !== -1);
    const gone = living.map((thread) => new Promise((resolve) => thread.once('exit', resolve)));
    for (let worker = 1; worker < this.workers; worker++) this.#lines.send(worker, { kind: 'stop' } satisfies Order);
    await Promise.all(gone);
    this.#lines.close();
  }
}

/** A port between each two workers: of worker a to b at [a][b]. */
function portsBetween(workers: number): (MessagePort | null)[][] {
  const ports = Array.from({ length: workers }, () => new Array<MessagePort | null>(workers).fill(null));
  for (let a = 0; a < workers; a++) {
    for (let b = a + 1; b < workers; b++) {
      const { port1, port2 } = new MessageChannel();
      ports[a]![b] = port1;
      ports[b]![a] = port2;
    }
  }
  return ports;
}

function becomesReady(thread: Worker): Promise<void> {
  return new Promise((resolve, reject) => {
    thread.once('message', () => resolve());
    thread.once('error', reject);
    thread.once('exit', (code) => reject(new Error(`a worker of the engine ended with code ${code} before it began`)));
  });
}
