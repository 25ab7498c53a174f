// Keeps the events and the log of pipelines on disk: what has changed is written once a second, as a whole and bounded, and
// once more at the end. A crash loses the last second of it, which the next server tells by the epoch of the log.

import type { Clock, Timer } from '../../../runtime/clock.ts';
import type { Store } from '../../store/messages.ts';
import type { HostedPipeline } from './hosted-pipeline.ts';
import type { StoredHistory } from './stored-history.ts';

const everyMs = 1_000;
const linesMax = 2_000;
const charactersMax = 256 * 1024;

export class HistorySaver {
  readonly #store: Store;
  readonly #pipelines: () => readonly HostedPipeline[];
  readonly #onError: (error: unknown) => void;
  readonly #timer: Timer;
  /** What of each pipeline is on disk: the number of its latest line, and its latest event. */
  readonly #saved = new WeakMap<HostedPipeline, string>();
  #writing: Promise<void> | null = null;

  constructor(
    store: Store,
    clock: Clock,
    pipelines: () => readonly HostedPipeline[],
    onError: (error: unknown) => void,
  ) {
    this.#store = store;
    this.#pipelines = pipelines;
    this.#onError = onError;
    this.#timer = clock.every(everyMs, () => {
      if (this.#writing !== null) return;
      this.#writing = this.#write(false)
        .catch(onError)
        .finally(() => {
          this.#writing = null;
        });
    });
  }

  /** Nothing is written of any pipeline afterwards. */
  async close(): Promise<void> {
    this.#timer.cancel();
    await this.#writing;
    await this.#write(true).catch(this.#onError);
  }

  async #write(isWhole: boolean): Promise<void> {
    for (const pipeline of this.#pipelines()) {
      const { events } = pipeline.events;
      const state = `${pipeline.logs.lastSequence} ${events.at(-1)?.id}`;
      if (!isWhole && this.#saved.get(pipeline) === state) continue;
      const history: StoredHistory = { events, log: pipeline.logs.toStored(linesMax, charactersMax), isWhole };
      await this.#store.putHistory(pipeline.record.id, history);
      this.#saved.set(pipeline, state);
    }
  }
}
