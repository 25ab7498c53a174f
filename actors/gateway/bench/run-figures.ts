// What one run of a pipeline has come to, as plain data: made in the measured process, read by whoever has started it.

/** How a run was measured: from its start to the end of its inputs, or for a while after a warm-up. */
export type RunKind = 'whole' | 'window';

export interface ConnectorFigures {
  readonly endpoint: string;
  readonly direction: 'input' | 'output';
  readonly records: number;
  readonly bytes: number;
  /** Records that waited in its queue: in the mean and at most, over regular looks at it. */
  readonly queuedRecordsMean: number;
  readonly queuedRecordsMax: number;
  /** How full the queue was at most, 0 to 1: by records or by bytes, whichever is nearer to its limit. */
  readonly queueFillMean: number;
  readonly queueFillMax: number;
  /** Milliseconds that an input has waited for room in its queue; that the queue of an output was full, from look to look. */
  readonly throttledMs: number;
}

export interface ThreadFigures {
  /** `engine`, `intake`, `control`, …; `other` for what V8 and Node run beside. */
  readonly name: string;
  /** Who lives on it. */
  readonly actors: readonly string[];
  readonly cpuMs: number;
  /** Time in which its event loop had something to do; null where it has none. */
  readonly busyMs: number | null;
  /** The most that it was seen with; null where it has no heap of its own. */
  readonly heapBytesMax: number | null;
  /** Memory outside of the heap that it holds on to: columns, state. */
  readonly externalBytesMax: number | null;
  readonly gcMs: number | null;
  readonly gcPauseMsMax: number | null;
}

export interface ProcessFigures {
  /** How the CPU time of a thread is known: counted by the system, or guessed from its event loop. */
  readonly cpuFrom: 'system' | 'event loop';
  readonly cpuMs: number;
  readonly rssBytesMax: number;
  /** The busiest first. */
  readonly threads: readonly ThreadFigures[];
}

export interface LatencyFigures {
  readonly samples: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly max: number;
}

export interface RunFigures extends ProcessFigures {
  readonly kind: RunKind;
  readonly seconds: number;
  readonly rowsIn: number;
  readonly bytesIn: number;
  readonly rowsOut: number;
  readonly bytesOut: number;
  readonly steps: number;
  readonly stateRows: number;
  readonly stateBytes: number;
  /** Milliseconds from the moment that rows left their source until their effect had reached every output. */
  readonly latencyMs: readonly number[];
  readonly connectors: readonly ConnectorFigures[];
  /** From the SQL text to the pipeline that can be started. */
  readonly openMs: number;
}
