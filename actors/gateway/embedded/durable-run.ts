// What makes a pipeline of the embedded API outlive its process: a data folder with its checkpoints, and with what its connectors
// are remembered by. One process at a time has the folder.
//
// A checkpoint is taken while the pipeline runs, at the latest ten seconds after something has changed (within a second where a source
// waits to hear that what it has sent is safe), but so seldom that checkpoints take a tenth of the time at most (where one waits, and that would be more than ten seconds, a third), and once more at a
// graceful stop. The next run with the same program goes on there; another program is refused, and the folder is left as it is.
import { type Clock, systemClock, type Timer } from '../../../runtime/clock.ts';
import { errorToData } from '../../../runtime/errors.ts';
import { type LogEntry, makeLog } from '../../../runtime/log.ts';
import { journalPort } from '../../journal-port.ts';
import type { Store } from '../../store/messages.ts';
import { openStore } from '../../store/open-store.ts';
import type { ControlConnection } from './control-connection.ts';
import type { OpenRequest } from './control-interface.ts';
import { storeJournal } from './store-journal.ts';

const lookMs = 500;
const intervalMs = 10_000;
/** Of the time: how much checkpoints may take. */
const shareMax = 0.1;
/** Pipelines of a folder by name; a server's have ids. */
const idOf = (name: string): string => `run:${name}`;

export class DurableRun {
  readonly #store: Store;
  readonly #id: string;
  readonly #clock: Clock;
  readonly #log: ReturnType<typeof makeLog>;
  #timer: Timer | null = null;
  #stepsBefore = -1;
  #takenAt: number;
  #tookMs = 0;
  #working: Promise<void> = Promise.resolve();
  #isBusy = false;
  /** Why none is being taken, as it was last told. */
  #refusal: string | null = null;

  /** @throws FolderLocked, FolderUnusable, FormatTooNew */
  static async open(folder: string, name: string, onLog: (entry: LogEntry) => void): Promise<DurableRun> {
    const log = makeLog('store', systemClock.now, onLog);
    const store = await openStore(folder, { clock: systemClock, log });
    return new DurableRun(store, idOf(name), systemClock, log);
  }

  private constructor(store: Store, id: string, clock: Clock, log: ReturnType<typeof makeLog>) {
    this.#store = store;
    this.#id = id;
    this.#clock = clock;
    this.#log = log;
    this.#takenAt = clock.monotonic();
  }

  /** What a request to open the pipeline has besides its definition. The journal is to be transferred. */
  async parts(): Promise<Pick<OpenRequest, 'restore' | 'journal' | 'acknowledgesCheckpoints'>> {
    const found = await this.#store.readCheckpoint(this.#id);
    return {
      journal: journalPort(storeJournal(this.#store, this.#id)),
      acknowledgesCheckpoints: true,
      ...(found === null ? {} : { restore: found.image }),
    };
  }

  /** Takes checkpoints from now on. */
  begin(connection: ControlConnection): void {
    this.#timer = this.#clock.every(lookMs, () => {
      if (this.#isBusy) return;
      this.#isBusy = true;
      this.#working = this.#look(connection)
        // A pipeline that is ending does not answer; a checkpoint that has failed is tried again.
        .catch((error: unknown) => {
          const data = errorToData(error);
          if (data.message === this.#refusal) return;
          this.#refusal = data.message;
          this.#log.warn(`no checkpoint: ${data.message}`, { error: data });
        })
        .finally(() => {
          this.#isBusy = false;
        });
    });
  }

  /** The last checkpoint of a run: nothing enters a step any more. */
  async finish(connection: ControlConnection): Promise<void> {
    this.#timer?.cancel();
    await this.#working;
    await this.#take(connection);
  }

  async close(): Promise<void> {
    this.#timer?.cancel();
    await this.#working.catch(() => {});
    await this.#store.close();
  }

  async #look(connection: ControlConnection): Promise<void> {
    const { engine, state, transaction, awaitsCheckpoint, positionMoves } = await connection.call('stats', (control) =>
      control.stats(),
    );
    const steps = (engine?.steps ?? 0) + positionMoves;
    if (steps === this.#stepsBefore || transaction !== null || (state !== 'running' && state !== 'paused')) return;
    const sinceMs = this.#clock.monotonic() - this.#takenAt;
    const isDue = sinceMs >= (awaitsCheckpoint ? lookMs : intervalMs) && sinceMs >= this.#restMs(awaitsCheckpoint);
    if (!isDue) return;
    await this.#take(connection);
    this.#stepsBefore = steps;
  }

  /** What there has to be between two checkpoints. */
  #restMs(isAwaited: boolean): number {
    const restMs = this.#tookMs / shareMax;
    return isAwaited ? Math.min(restMs, Math.max(intervalMs, this.#tookMs * 2)) : restMs;
  }

  async #take(connection: ControlConnection): Promise<void> {
    const startedAt = this.#clock.monotonic();
    const image = await connection.wait('checkpoint', (control, waitId) => control.checkpoint(waitId));
    const imageMs = this.#clock.monotonic() - startedAt;
    const outputs = await connection.wait('checkpoint', (control, waitId) => control.checkpointPrepared(waitId));
    const preparedAt = this.#clock.monotonic();
    await this.#store.writeCheckpoint(this.#id, { ...image, outputs });
    // What outputs take for their part holds nobody up.
    this.#tookMs = this.#clock.monotonic() - preparedAt + imageMs;
    await connection.call('checkpoint', (control) => control.checkpointStored());
    this.#takenAt = this.#clock.monotonic();
    this.#refusal = null;
  }
}
