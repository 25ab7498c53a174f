// What a connector has counted before it was opened again: the counters of a run do not begin anew with each attempt, since
// statistics, completion tokens and replay points speak of the run. Queues and times of an attempt are not carried.
import type { GaugeName, Gauges } from '../runtime/metrics.ts';

export type Counted = Readonly<Partial<Record<GaugeName, number>>>;

const carried = [
  'activeAt',
  'bytes',
  'records',
  'batches',
  'numParseErrors',
  'numUnknownFields',
  'numTransportErrors',
  'numEncodeErrors',
  'droppedRecords',
  'throttledMs',
] as const satisfies readonly GaugeName[];

/** By an earlier attempt; nothing of a connector that is opened for the first time. */
export function countedBy(gauges: Gauges | null): Counted {
  return gauges === null ? {} : Object.fromEntries(carried.map((name) => [name, gauges.get(name)]));
}

/** By the actor of the next attempt, before anything else. */
export function countOn(gauges: Gauges, counted: Counted | undefined): void {
  for (const name of carried) {
    const value = counted?.[name];
    if (value !== undefined) gauges.set(name, value);
  }
}
