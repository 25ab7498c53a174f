// CPU and memory of each thread of this process, from `begin` on: what the system counts, and what the threads say.
//
// The system's own count (`/proc/self/task`, Linux) is read at regular looks and at the end, so that a thread that has ended
// meanwhile is counted up to the last look. Elsewhere a thread's time is what Node counts for it or, in Nodes that do not, the time
// in which its event loop was busy. Threads answer through thread-probe.ts; those without one (V8's helpers, the pool of libuv) are
// `other`. Of a thread that never comes round to its event loop only the CPU time is known.
import { readdirSync, readFileSync } from 'node:fs';
import { BroadcastChannel } from 'node:worker_threads';
import { type Clock, processMillis, type Timer } from '../../../runtime/clock.ts';
import type { ProcessFigures, ThreadFigures } from './run-figures.ts';
import { probeChannel, ThreadAccount, type ThreadAnswer, type ThreadQuestion, unasked } from './thread-answers.ts';

const lookEveryMs = 100;
const tasksFolder = '/proc/self/task';

interface Known {
  first: ThreadAnswer;
  last: ThreadAnswer;
  heapBytesMax: number;
  externalBytesMax: number;
  gcPauseMsMax: number;
}

interface Task {
  begun: number;
  last: number;
}

export class ProcessWatch {
  readonly #clock: Clock;
  readonly #channel: BroadcastChannel;
  readonly #account: ThreadAccount = new ThreadAccount();
  readonly #threads = new Map<number, Known>();
  readonly #tasks = new Map<number, Task>();
  readonly #actors = new Map<string, Set<string>>();
  readonly #waiting: (() => void)[] = [];
  #timer: Timer | null = null;
  #question = 0;
  #cpuBegun = 0;
  #rssBytesMax = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#channel = new BroadcastChannel(probeChannel);
    this.#channel.onmessage = (event): void => {
      // SAFETY: nobody else speaks on this channel.
      const message = (event as { readonly data: ThreadQuestion | ThreadAnswer }).data;
      if (message.kind === 'answer') this.#hear(message);
    };
    this.#channel.unref();
    this.#timer = clock.every(lookEveryMs, () => this.look());
    this.begin();
  }

  /** Counts from here: what was before is left out. */
  begin(): void {
    this.look();
    this.#cpuBegun = cpuMillis();
    this.#rssBytesMax = process.memoryUsage.rss();
    for (const task of this.#tasks.values()) task.begun = task.last;
    for (const known of this.#threads.values()) {
      known.first = known.last;
      known.heapBytesMax = known.last.heapBytes;
      known.externalBytesMax = known.last.externalBytes;
      known.gcPauseMsMax = 0;
    }
  }

  /** Who lives on which thread, as the pipeline itself says. */
  name(threads: readonly { readonly name: string; readonly actors: readonly string[] }[]): void {
    for (const { name, actors } of threads) {
      const all = this.#actors.get(name) ?? new Set();
      this.#actors.set(name, all);
      for (const actor of actors) all.add(actor);
    }
  }

  look(): void {
    this.#rssBytesMax = Math.max(this.#rssBytesMax, process.memoryUsage.rss());
    for (const [task, millis] of taskMillis()) {
      const known = this.#tasks.get(task);
      // A task that was not there at the beginning has begun at nothing.
      if (known === undefined) this.#tasks.set(task, { begun: 0, last: millis });
      else known.last = millis;
    }
    this.#hear(this.#account.answer(++this.#question));
    this.#channel.postMessage({ kind: 'how are you', question: this.#question } satisfies ThreadQuestion);
  }

  /** Resolves when every thread that answers questions has answered one of now, or does not within `patienceMs`. */
  async settle(patienceMs: number): Promise<void> {
    this.look();
    const asked = this.#question;
    const until = processMillis() + patienceMs;
    const isAnswered = (): boolean =>
      [...this.#threads.values()].every(({ last }) => last.question === unasked || last.question >= asked);
    while (!isAnswered() && processMillis() < until) {
      await new Promise<void>((resolve) => {
        const timer = this.#clock.after(patienceMs, resolve);
        this.#waiting.push(() => {
          timer.cancel();
          resolve();
        });
      });
    }
  }

  close(): void {
    this.#timer?.cancel();
    this.#channel.close();
  }

  /** As of the last look and the last answers. */
  figures(): ProcessFigures {
    const isCounted = this.#tasks.size > 0;
    const threads = [...this.#threads.values()].map((known) => this.#figuresOf(known, isCounted));
    const cpuMs = cpuMillis() - this.#cpuBegun;
    const otherMs = Math.max(0, cpuMs - threads.reduce((sum, thread) => sum + thread.cpuMs, 0));
    const other: ThreadFigures = {
      name: 'other',
      actors: [],
      cpuMs: otherMs,
      busyMs: null,
      heapBytesMax: null,
      externalBytesMax: null,
      gcMs: null,
      gcPauseMsMax: null,
    };
    return {
      cpuFrom: isCounted || threads.length === 0 || this.#countsItself ? 'system' : 'event loop',
      cpuMs,
      rssBytesMax: this.#rssBytesMax,
      threads: [...threads, other].sort((a, b) => b.cpuMs - a.cpuMs),
    };
  }

  get #countsItself(): boolean {
    return [...this.#threads.values()].every(({ last }) => last.cpuMs !== null);
  }

  #figuresOf({ first, last, heapBytesMax, externalBytesMax, gcPauseMsMax }: Known, isCounted: boolean): ThreadFigures {
    const task = this.#tasks.get(last.taskId ?? -1);
    const busyMs = last.busyMs - first.busyMs;
    const own = last.cpuMs === null ? busyMs : last.cpuMs - (first.cpuMs ?? 0);
    const answers = last.question !== unasked;
    return {
      name: last.name,
      actors: [...(this.#actors.get(last.name) ?? [])],
      cpuMs: isCounted && task !== undefined ? task.last - task.begun : own,
      busyMs: answers ? busyMs : null,
      heapBytesMax: answers ? heapBytesMax : null,
      externalBytesMax: answers ? externalBytesMax : null,
      gcMs: answers ? last.gcMs - first.gcMs : null,
      gcPauseMsMax: answers ? gcPauseMsMax : null,
    };
  }

  #hear(answer: ThreadAnswer): void {
    const known = this.#threads.get(answer.threadId);
    const { heapBytes, externalBytes, gcPauseMsMax } = answer;
    if (known === undefined) {
      // It was born after the beginning, and everything that it has taken counts; else `begin` moves its first answer.
      const first = { ...answer, cpuMs: answer.cpuMs === null ? null : 0, busyMs: 0, gcMs: 0 };
      this.#threads.set(answer.threadId, {
        first,
        last: answer,
        heapBytesMax: heapBytes,
        externalBytesMax: externalBytes,
        gcPauseMsMax,
      });
    } else {
      known.last = answer;
      known.heapBytesMax = Math.max(known.heapBytesMax, heapBytes);
      known.externalBytesMax = Math.max(known.externalBytesMax, externalBytes);
      known.gcPauseMsMax = Math.max(known.gcPauseMsMax, gcPauseMsMax);
    }
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

/** Milliseconds of CPU of the whole process. */
function cpuMillis(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/** Milliseconds of CPU of every task of this process; none where the system does not tell. */
export function taskMillis(): [task: number, millis: number][] {
  let names: string[];
  try {
    names = readdirSync(tasksFolder);
  } catch {
    return [];
  }
  return names.flatMap((name): [number, number][] => {
    try {
      const [nanoseconds = '0'] = readFileSync(`${tasksFolder}/${name}/schedstat`, 'utf8').split(' ');
      return [[Number(name), Number(nanoseconds) / 1e6]];
    } catch {
      // It has ended between the listing and the look.
      return [];
    }
  });
}
