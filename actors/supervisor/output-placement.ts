// Which thread an output runs on. Pure.
//
// The control thread, the engine and the intake have a thread each; outputs share what is left, in turn, so that a few
// busy ones are alone and two hundred idle ones cost no more threads than there are cores to run them.

/** Threads for outputs on a machine with `cores`: at least one, and never more than keeps the total at cores + 4. */
export function outputThreadsMax(cores: number): number {
  return Math.max(1, Math.min(4, cores - 1));
}

/** Name of the thread of the `ordinal`th output, from 0. */
export function outputThread(ordinal: number, cores: number): string {
  return `output-${(ordinal % outputThreadsMax(cores)) + 1}`;
}
