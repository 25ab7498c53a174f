// How long threads of this process were ready to run and had no core, as Linux counts it (/proc/…/schedstat, nanoseconds).
//
// A latency by the clock on a machine with other work to do is mostly such waiting. What remains without it is what the program takes.
// The threads that a row passes do not compute at the same time, so that their waits add up. Not on Linux: nothing is known, and none is
// counted.
import { readdirSync, readFileSync } from 'node:fs';

const tasks = '/proc/self/task';

interface Schedule {
  readonly ranMs: number;
  readonly waitedMs: number;
}

export class CoreWaits {
  readonly #threads: readonly string[];

  private constructor(threads: readonly string[]) {
    this.#threads = threads;
  }

  /** Of the threads that have computed most so far. */
  static ofBusiest(count: number): CoreWaits {
    const byWork = taskIds().map((id) => ({ id, ranMs: scheduleOf(id).ranMs }));
    byWork.sort((a, b) => b.ranMs - a.ranMs);
    return new CoreWaits(byWork.slice(0, count).map(({ id }) => id));
  }

  /** Of all threads that there are now. */
  static ofAll(): CoreWaits {
    return new CoreWaits(taskIds());
  }

  /** Of all of them together, since they began. */
  waitedMs(): number {
    return this.#threads.reduce((sum, id) => sum + scheduleOf(id).waitedMs, 0);
  }
}

function taskIds(): readonly string[] {
  try {
    return readdirSync(tasks);
  } catch {
    return [];
  }
}

function scheduleOf(id: string): Schedule {
  try {
    const [ran = 0, waited = 0] = readFileSync(`${tasks}/${id}/schedstat`, 'utf8').split(' ').map(Number);
    return { ranMs: ran / 1e6, waitedMs: waited / 1e6 };
  } catch {
    return { ranMs: 0, waitedMs: 0 };
  }
}
