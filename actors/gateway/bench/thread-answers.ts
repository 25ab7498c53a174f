// What a thread knows of itself: its number in the system, its heap, its garbage collections, how busy its event loop was.
import { readlinkSync } from 'node:fs';
import { basename } from 'node:path';
import { PerformanceObserver, performance } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';
import { BroadcastChannel, threadId } from 'node:worker_threads';

export const probeChannel = 'millrace bench';

/** In the place of the number of a question. */
export const unasked = 0;

export interface ThreadQuestion {
  readonly kind: 'how are you';
  readonly question: number;
}

/** Everything is counted from the start of the thread. */
export interface ThreadAnswer {
  readonly kind: 'answer';
  readonly question: number;
  /** Node's number of it. */
  readonly threadId: number;
  /** The system's number of it; null where that cannot be known. */
  readonly taskId: number | null;
  readonly name: string;
  /** Of this thread alone; null: this Node does not count it. */
  readonly cpuMs: number | null;
  readonly busyMs: number;
  readonly heapBytes: number;
  readonly externalBytes: number;
  readonly gcMs: number;
  /** Since the answer before. */
  readonly gcPauseMsMax: number;
}

/** Node has had it since 23.9. */
interface ThreadCpuUsage {
  threadCpuUsage?(): { readonly user: number; readonly system: number };
}

/** The system's number of the calling thread. */
function taskIdOf(): number | null {
  try {
    return Number(/task\/(\d+)$/.exec(readlinkSync('/proc/thread-self'))?.[1] ?? Number.NaN) || null;
  } catch {
    return null;
  }
}

/** Counts the garbage collections of the calling thread from now on. */
export class ThreadAccount {
  readonly #taskId: number | null = taskIdOf();
  readonly #observer: PerformanceObserver;
  #gcMs = 0;
  #gcPauseMsMax = 0;

  constructor() {
    this.#observer = new PerformanceObserver((list) => this.#note(list.getEntries()));
    this.#observer.observe({ entryTypes: ['gc'] });
  }

  answer(question: number): ThreadAnswer {
    this.#note(this.#observer.takeRecords());
    const { used_heap_size, external_memory } = getHeapStatistics();
    // SAFETY: a method that this Node may have; asked for before it is called.
    const cpu = (process as ThreadCpuUsage).threadCpuUsage?.();
    const gcPauseMsMax = this.#gcPauseMsMax;
    this.#gcPauseMsMax = 0;
    return {
      kind: 'answer',
      question,
      threadId,
      taskId: this.#taskId,
      name: threadName(),
      cpuMs: cpu === undefined ? null : (cpu.user + cpu.system) / 1000,
      busyMs: performance.eventLoopUtilization().active,
      heapBytes: used_heap_size,
      externalBytes: external_memory,
      gcMs: this.#gcMs,
      gcPauseMsMax,
    };
  }

  #note(entries: readonly { readonly duration: number }[]): void {
    for (const { duration } of entries) {
      this.#gcMs += duration;
      this.#gcPauseMsMax = Math.max(this.#gcPauseMsMax, duration);
    }
  }
}

/** WorkerThread gives its threads their names as an argument; those of libraries are known by their file. */
function threadName(): string {
  if (threadId === 0) return 'main';
  const [, file = '', name] = process.argv;
  if (/[\\/]piscina[\\/]/.test(file)) return 'decoding';
  return name ?? basename(file).replace(/\.[a-z]+$/, '');
}

/** Answers from now on, for as long as the thread lives; does not keep it alive. */
export function answerQuestions(): void {
  const account = new ThreadAccount();
  const channel = new BroadcastChannel(probeChannel);
  channel.onmessage = (event): void => {
    // SAFETY: nobody else speaks on this channel.
    const message = (event as { readonly data: ThreadQuestion | ThreadAnswer }).data;
    if (message.kind === 'how are you') channel.postMessage(account.answer(message.question));
  };
  // At once and unasked: a thread that never returns to its event loop, such as a worker of the engine, is known all the same.
  channel.postMessage(account.answer(unasked));
  channel.unref();
}
