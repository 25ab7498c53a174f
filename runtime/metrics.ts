// Counters and gauges in shared memory: a writer's thread counts, the supervisor's thread reads, no message between.
//
// One Float64Array over a SharedArrayBuffer for each actor; slot k is gauge k of the list below. Doubles are exact to
// 2^53, and an aligned 8-byte store is not torn on the machines that Node runs on. `heartbeat` is advanced by row loops:
// a long step is not a dead actor.

/** Every gauge that an actor may write. What a slot means is the same for all actors. */
export const gaugeNames = [
  /** Advanced by loops that make progress. */
  'heartbeat',
  /** Milliseconds since 1970 of the last progress. */
  'activeAt',
  /** When the latest records were sent, in milliseconds of the process (clock.ts). */
  'sentAt',
  'bytes',
  'records',
  'batches',
  'queuedRecords',
  'queuedBytes',
  /** In the buffer of an output. */
  'bufferedRecords',
  'bufferedBatches',
  'bufferedBytes',
  'numParseErrors',
  'numUnknownFields',
  'numTransportErrors',
  'numEncodeErrors',
  'droppedRecords',
  /** 1 while a sender waits for credit. */
  'throttled',
  /** Milliseconds spent waiting for credit. */
  'throttledMs',
  'steps',
  /** Nanoseconds spent in steps. */
  'stepNanos',
  'stateRows',
  'stateBytes',
  /** Rows refused while evaluating (`on_error: skip`). */
  'numEvaluationErrors',
  /** Known size of the whole input in bytes, for progress; 0 = unknown. */
  'bytesTotal',
  /** Known rows of the whole input, for progress; 0 = unknown. */
  'recordsTotal',
  /** Records that one who looked at them had no room for. */
  'inspectorDroppedRecords',
  /** 1 from when a source has been opened: it may have sent rows before anybody heard that it is open. */
  'open',
  /** 1 while a destination has been written what no stored checkpoint holds, and waits for one. */
  'awaitsCheckpoint',
  /** Milliseconds since 1970 of the last time that a read of a source has given something, or that it was let read again. */
  'repliedAt',
] as const;

export type GaugeName = (typeof gaugeNames)[number];

const slots = new Map<GaugeName, number>(gaugeNames.map((name, slot) => [name, slot]));

export class Gauges {
  readonly buffer: SharedArrayBuffer;
  readonly #values: Float64Array;

  /** Over the buffer of another thread's gauges, or a new one. */
  constructor(buffer: SharedArrayBuffer = new SharedArrayBuffer(gaugeNames.length * 8)) {
    this.buffer = buffer;
    this.#values = new Float64Array(buffer);
  }

  get(name: GaugeName): number {
    return this.#values[slots.get(name)!]!;
  }

  set(name: GaugeName, value: number): void {
    this.#values[slots.get(name)!] = value;
  }

  add(name: GaugeName, amount: number): void {
    this.#values[slots.get(name)!]! += amount;
  }
}
