// How many threads outputs may have. Pure.
//
// The control thread, the engine and the intake have a thread each. A busy output should be alone; two hundred idle ones
// must cost no more threads than cores + 4 in all. Beyond the bound, outputs share (runtime/thread/placement.ts).

/** Threads for outputs on a machine with `cores`. */
export function outputThreadsMax(cores: number): number {
  return Math.max(1, Math.min(4, cores - 1));
}
