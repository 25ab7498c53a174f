// Which thread an actor is placed on. Pure: names in, a name out.
//
//   a name was asked for   that thread ('here': the thread of the actor system itself)
//   quiet                  one thread for all quiet actors, 'quiet'
//   hot                    a thread of its own, 'hot-1', 'hot-2', …, while there are fewer than `hotMax`; then the hot
//                          thread with the fewest actors; 'quiet' when hotMax is 0
//
// The arithmetic for one pipeline on c cores: the control thread (1, made by index.ts; the actor system lives on it), the
// engine (1, hot), intake (1, named: sources and the master of the decode pool), the pool (c at most), quiet destinations (1): c + 4,
// with two hundred idle connectors or with two. Busy connectors placed as hot add at most hotMax - 1.
export type Heat = 'hot' | 'quiet';

export interface PlacementWish {
  readonly heat: Heat;
  readonly thread: string | null;
}

export interface ThreadLoad {
  readonly name: string;
  readonly actors: number;
}

export const quietThread = 'quiet';
/** The thread of the actor system. */
export const ownThread = 'here';

/** The name of the thread for one more actor. `threads` are those that run, in the order they were made. */
export function placeActor(wish: PlacementWish, threads: readonly ThreadLoad[], hotMax: number): string {
  if (wish.thread !== null) return wish.thread;
  if (wish.heat === 'quiet' || hotMax === 0) return quietThread;
  const hot = threads.filter((thread) => isHotName(thread.name));
  if (hot.length < hotMax) return freeHotName(hot);
  return hot.reduce((least, thread) => (thread.actors < least.actors ? thread : least)).name;
}

function freeHotName(hot: readonly ThreadLoad[]): string {
  const taken = new Set(hot.map((thread) => thread.name));
  let number = 1;
  while (taken.has(`hot-${number}`)) number++;
  return `hot-${number}`;
}

function isHotName(name: string): boolean {
  return /^hot-\d+$/.test(name);
}

/**
 * Threads that decode large inputs: one for each core but the one that the engine keeps busy, at least one. On two cores a
 * second decoder only takes time from the engine: in three paired runs of each, `decode_workers: 1` against 2 made the
 * orders benchmark 11 % and the flights example 33 % faster (medians, noisy machine).
 */
export function decodeThreads(cores: number): number {
  return Math.max(1, cores - 1);
}
