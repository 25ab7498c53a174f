// What has happened to a pipeline, newest last: one entry for every change of a status that clients can see. Bounded.
import { randomUUID } from 'node:crypto';
import type { CheckpointMetadata, PipelineRecord, RecordedProblem } from './pipeline-record.ts';

const eventsMax = 1_000;

export interface PipelineEvent {
  readonly id: string;
  readonly recordedAt: string;
  readonly resources: string;
  readonly desired: string;
  readonly runtime: string | null;
  readonly runtimeDesired: string | null;
  readonly error: RecordedProblem | null;
  readonly program: string;
  readonly storage: string;
  readonly checkpoints: readonly CheckpointMetadata[] | null;
}

export class EventHistory {
  readonly #events: PipelineEvent[];
  #latest = '';

  constructor(earlier: readonly PipelineEvent[] = []) {
    this.#events = [...earlier];
  }

  /** Newest last. */
  get events(): readonly PipelineEvent[] {
    return this.#events;
  }

  /** Adds an entry unless it says the same as the one before; returns whether it did. */
  record(record: PipelineRecord, now: string): boolean {
    const seen = {
      resources: record.resources,
      desired: record.desired,
      runtime: record.runtime,
      runtimeDesired: record.runtimeDesired,
      error: record.deploymentError,
      program: record.programStatus,
      storage: record.storageStatus,
      checkpoints: record.checkpoints,
    };
    const text = JSON.stringify(seen);
    if (text === this.#latest) return false;
    this.#latest = text;
    this.#events.push({ id: randomUUID(), recordedAt: now, ...seen });
    if (this.#events.length > eventsMax) this.#events.shift();
    return true;
  }
}
