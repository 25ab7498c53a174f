// How full the queue of each connector is, from regular looks at a pipeline's statistics, and what has passed it meanwhile.
//
// The engine answers between two steps: a look falls there, and so do the numbers of a whole run, which are those of whole steps.
import type { Clock } from '../../../runtime/clock.ts';
import type { InputConnectorStats, OutputConnectorStats, PipelineStats } from '../../supervisor/messages.ts';
import type { ConnectorFigures } from './run-figures.ts';

interface Seen {
  looks: number;
  recordsSum: number;
  recordsMax: number;
  fillSum: number;
  fillMax: number;
  fullMs: number;
  lookedAt: number;
}

export class QueueWatch {
  #first: PipelineStats | null = null;
  #last: PipelineStats | null = null;
  readonly #seen = new Map<string, Seen>();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Counts from here: what was before is left out. */
  begin(stats: PipelineStats): void {
    this.#first = stats;
    this.#seen.clear();
    this.look(stats);
  }

  look(stats: PipelineStats): void {
    this.#last = stats;
    for (const input of stats.inputs) {
      const { bufferedRecords, bufferedBytes, maxQueuedRecords, maxQueuedBytes } = input;
      // What has ended has no queue any more.
      if (input.state === 'ended' || input.state === 'failed') continue;
      this.#note(
        keyOf(input),
        bufferedRecords,
        Math.max(bufferedRecords / maxQueuedRecords, bufferedBytes / maxQueuedBytes),
      );
    }
    for (const output of stats.outputs) {
      const { queuedRecords, queuedBytes, maxQueuedRecords, maxQueuedBytes } = output;
      this.#note(
        keyOf(output),
        queuedRecords,
        Math.max(queuedRecords / maxQueuedRecords, queuedBytes / maxQueuedBytes),
      );
    }
  }

  get connectors(): readonly ConnectorFigures[] {
    const { inputs = [], outputs = [] } = this.#last ?? {};
    return [...inputs.map((input) => this.#input(input)), ...outputs.map((output) => this.#output(output))];
  }

  get steps(): number {
    return (this.#last?.engine?.steps ?? 0) - (this.#first?.engine?.steps ?? 0);
  }

  get state(): { readonly stateRows: number; readonly stateBytes: number } {
    const { stateRows = 0, stateBytes = 0 } = this.#last?.engine ?? {};
    return { stateRows, stateBytes };
  }

  #note(key: string, records: number, fill: number): void {
    const now = this.#clock.monotonic();
    let seen = this.#seen.get(key);
    if (seen === undefined) {
      seen = { looks: 0, recordsSum: 0, recordsMax: 0, fillSum: 0, fillMax: 0, fullMs: 0, lookedAt: now };
      this.#seen.set(key, seen);
    }
    // What is on its way when a queue is full counts as full.
    const share = Math.min(1, fill);
    seen.looks++;
    if (share === 1) seen.fullMs += now - seen.lookedAt;
    seen.lookedAt = now;
    seen.recordsSum += records;
    seen.recordsMax = Math.max(seen.recordsMax, records);
    seen.fillSum += share;
    seen.fillMax = Math.max(seen.fillMax, share);
  }

  #input(input: InputConnectorStats): ConnectorFigures {
    const before = this.#first?.inputs.find(({ endpoint }) => endpoint === input.endpoint);
    return {
      endpoint: input.endpoint,
      direction: 'input',
      records: input.takenRecords - (before?.takenRecords ?? 0),
      bytes: input.totalBytes - (before?.totalBytes ?? 0),
      ...this.#queue(keyOf(input)),
      throttledMs: input.throttledMs - (before?.throttledMs ?? 0),
    };
  }

  #output(output: OutputConnectorStats): ConnectorFigures {
    const before = this.#first?.outputs.find(({ endpoint }) => endpoint === output.endpoint);
    return {
      endpoint: output.endpoint,
      direction: 'output',
      records: output.transmittedRecords - (before?.transmittedRecords ?? 0),
      bytes: output.transmittedBytes - (before?.transmittedBytes ?? 0),
      ...this.#queue(keyOf(output)),
      throttledMs: this.#seen.get(keyOf(output))?.fullMs ?? 0,
    };
  }

  #queue(
    key: string,
  ): Pick<ConnectorFigures, 'queuedRecordsMean' | 'queuedRecordsMax' | 'queueFillMean' | 'queueFillMax'> {
    const { looks = 0, recordsSum = 0, recordsMax = 0, fillSum = 0, fillMax = 0 } = this.#seen.get(key) ?? {};
    return {
      queuedRecordsMean: recordsSum / Math.max(1, looks),
      queuedRecordsMax: recordsMax,
      queueFillMean: fillSum / Math.max(1, looks),
      queueFillMax: fillMax,
    };
  }
}

/** An input and an output may go by the same name. */
function keyOf({ direction, endpoint }: { readonly direction: string; readonly endpoint: string }): string {
  return `${direction} ${endpoint}`;
}
