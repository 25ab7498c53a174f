// A copy of a view that keeps itself up to date, for a user interface: a multiset of rows and an event for each step.
//
// Nothing is shown half: a step is applied as a whole, and a snapshot replaces the copy when it is complete, told as the
// difference to what was there. A row is known by the canonical JSON of all its columns.
import type { ChangeListener, Changes, ConnectionState, ResetReason } from './change-listener.ts';
import { ClientError } from './client-error.ts';
import { printJson } from './exact-json.ts';

export interface LiveChange<Row> {
  /** Rows whose number has changed, and by how many. Empty for a snapshot that changes nothing. */
  readonly rows: readonly Row[];
  readonly weights: readonly number[];
  /** The copy was taken anew, `reason` says why; otherwise a step has changed it. */
  readonly snapshot: boolean;
  readonly reason: ResetReason | null;
}

export type LiveState = 'connecting' | 'live' | 'reconnecting' | 'ended' | 'failed';

interface Entry<Row> {
  readonly row: Row;
  weight: number;
}

export class LiveView<Row> {
  /** Resolves with the first complete copy. */
  readonly ready: Promise<void>;
  /** Resolves when the copy is no longer kept (pipeline stopped, `close`); rejects with what it has failed by. */
  readonly closed: Promise<void>;
  readonly #listener: ChangeListener<Row>;
  readonly #listeners = new Set<(change: LiveChange<Row>) => void>();
  readonly #stateListeners = new Set<(state: LiveState) => void>();
  #entries = new Map<string, Entry<Row>>();
  #rows: readonly Row[] | null = null;
  #state: LiveState = 'connecting';
  #snapshots = 0;
  #becomeReady: () => void = () => {};

  /** `listen` opens the stream, with a snapshot and with every end of a step. */
  constructor(listen: (onConnection: (state: ConnectionState) => void) => ChangeListener<Row>) {
    this.#listener = listen((connection) => this.#onConnection(connection));
    let failReady: (error: unknown) => void = () => {};
    this.ready = new Promise((resolve, reject) => {
      this.#becomeReady = resolve;
      failReady = reject;
    });
    this.closed = this.#run().then(
      () => {
        this.#enter('ended');
        failReady(new ClientError({ code: 'client.closed', message: 'the view was closed before it was read' }));
      },
      (error: unknown) => {
        this.#enter('failed');
        failReady(error);
        throw error;
      },
    );
    // Whoever does not await them does not want the process to end for them.
    this.ready.catch(() => {});
    this.closed.catch(() => {});
  }

  get state(): LiveState {
    return this.#state;
  }

  /** How often the copy was taken anew, the first time included. */
  get snapshots(): number {
    return this.#snapshots;
  }

  /** The rows now, one that occurs n times n times. The same array until something changes. */
  rows(): readonly Row[] {
    this.#rows ??= [...this.#entries.values()].flatMap(({ row, weight }) =>
      weight === 1 ? [row] : Array.from({ length: weight }, () => row),
    );
    return this.#rows;
  }

  /** Called after each change of the copy. Returns what ends it. */
  onChange(listener: (change: LiveChange<Row>) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Called with the state now, and whenever it changes. Returns what ends it. */
  onState(listener: (state: LiveState) => void): () => void {
    this.#stateListeners.add(listener);
    listener(this.#state);
    return () => this.#stateListeners.delete(listener);
  }

  /** The copy stays as it is. Idempotent. */
  async close(): Promise<void> {
    await this.#listener.close();
    await this.closed.catch(() => {});
  }

  async #run(): Promise<void> {
    let step: Changes<Row>[] = [];
    let reason: ResetReason | null = null;
    try {
      for await (const changes of this.#listener) {
        if (changes.reset !== null) {
          // What has come of a step or of another snapshot is part of this one.
          step = [];
          reason = changes.reset;
          continue;
        }
        step.push(changes);
        if (changes.snapshotEnd) this.#replace(step, reason);
        else if (changes.processedSteps !== null && !changes.snapshot) this.#change(step);
        else continue;
        step = [];
      }
    } finally {
      await this.#listener.close();
    }
  }

  #change(step: readonly Changes<Row>[]): void {
    const touched = applied(step, this.#entries);
    for (const [key, { weight }] of touched) {
      const left = this.#entries.get(key)?.weight ?? 0;
      if (left === 0) this.#entries.delete(key);
      if (left >= 0 || weight >= 0) continue;
      throw new ClientError({ code: 'client.copy_diverged', message: `a row has gone that was not there: ${key}` });
    }
    const changed = [...touched.values()].filter(({ weight }) => weight !== 0);
    if (changed.length > 0) this.#tell(changed, false, null);
  }

  #replace(snapshot: readonly Changes<Row>[], reason: ResetReason | null): void {
    const entries = new Map<string, Entry<Row>>();
    applied(snapshot, entries);
    const difference: Entry<Row>[] = [];
    for (const [key, { row, weight }] of this.#entries) {
      const now = entries.get(key)?.weight ?? 0;
      if (now !== weight) difference.push({ row, weight: now - weight });
    }
    for (const [key, entry] of entries) if (!this.#entries.has(key)) difference.push({ ...entry });
    this.#entries = entries;
    this.#snapshots++;
    this.#enter('live');
    this.#tell(difference, true, reason);
    this.#becomeReady();
  }

  #tell(changed: readonly Entry<Row>[], snapshot: boolean, reason: ResetReason | null): void {
    this.#rows = null;
    const rows = changed.map(({ row }) => row);
    const weights = changed.map(({ weight }) => weight);
    for (const listener of [...this.#listeners]) listener({ rows, weights, snapshot, reason });
  }

  #onConnection(connection: ConnectionState): void {
    if (connection.state === 'reconnecting') this.#enter('reconnecting');
    else if (this.#snapshots > 0) this.#enter('live');
  }

  #enter(state: LiveState): void {
    if (this.#state === state) return;
    this.#state = state;
    for (const listener of [...this.#stateListeners]) listener(state);
  }
}

/** Adds the changes to the entries, which may go below zero in between; returns what was added by row. */
function applied<Row>(step: readonly Changes<Row>[], entries: Map<string, Entry<Row>>): Map<string, Entry<Row>> {
  const touched = new Map<string, Entry<Row>>();
  for (const { rows, weights } of step) {
    for (const [i, row] of rows.entries()) {
      const key = printJson(row, true);
      for (const map of [touched, entries]) {
        const entry = map.get(key);
        if (entry === undefined) map.set(key, { row, weight: weights[i] ?? 0 });
        else entry.weight += weights[i] ?? 0;
      }
    }
  }
  return touched;
}
