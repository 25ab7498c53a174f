// Keeps the records of pipelines on disk. A change while a write is under way goes with the next one: however quickly a
// record changes, one write follows another, and the last one holds the last state.
import type { Store } from '../../store/messages.ts';
import type { PipelineRecord } from './pipeline-record.ts';

interface Writing {
  /** Of the write that is under way, and of the one behind it. */
  current: Promise<void>;
  next: Promise<void> | null;
}

export class RecordSaver {
  readonly #store: Store;
  readonly #writes = new Map<string, Writing>();
  #isClosed = false;

  constructor(store: Store) {
    this.#store = store;
  }

  /** Resolves when the record, as it is now or later, is on disk. */
  save(record: PipelineRecord): Promise<void> {
    if (this.#isClosed) return Promise.resolve();
    const writing = this.#writes.get(record.id);
    if (writing === undefined) {
      const made: Writing = { current: this.#write(record), next: null };
      this.#writes.set(record.id, made);
      this.#settle(record.id, made);
      return made.current;
    }
    writing.next ??= writing.current
      .catch(() => {})
      .then(() => {
        writing.current = this.#write(record);
        writing.next = null;
        this.#settle(record.id, writing);
        return writing.current;
      });
    return writing.next;
  }

  async remove(record: PipelineRecord): Promise<void> {
    const writing = this.#writes.get(record.id);
    await (writing?.next ?? writing?.current ?? Promise.resolve()).catch(() => {});
    await this.#store.deletePipeline(record.id);
  }

  /** What is stored now is what the next server finds. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.allSettled([...this.#writes.values()].map((writing) => writing.next ?? writing.current));
  }

  async #write(record: PipelineRecord): Promise<void> {
    await this.#store.putPipeline(record.id, record);
  }

  #settle(id: string, writing: Writing): void {
    const forget = (): void => {
      if (writing.next === null && this.#writes.get(id) === writing) this.#writes.delete(id);
    };
    writing.current.then(forget, forget);
  }
}

/** A record as the last server has left it, before its pipeline is started again. */
export function asStopped(record: PipelineRecord): PipelineRecord {
  const isWished = record.desired === 'Provisioned';
  return {
    ...record,
    resources: 'Stopped',
    runtime: null,
    runtimeSince: null,
    runtimeDesired: null,
    runtimeDesiredSince: null,
    deploymentId: null,
    initial: isWished ? (record.runtimeDesired ?? record.initial ?? 'Running') : null,
    storageStatus: record.storageStatus === 'Clearing' ? 'InUse' : record.storageStatus,
  };
}
