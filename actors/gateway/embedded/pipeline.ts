// Pipeline: the embedded API. What a user's main thread holds of a pipeline that lives on other threads.
//
// The main thread carries one connection and no rows but those that the user pushes, queries or listens to; it may block
// for seconds without stalling the pipeline. Nothing is printed. Everything that waits takes a signal and a time-out.
// Errors are MillraceErrors with a code. A pipeline keeps the process alive until `stop`; after it, nothing does.
// What is used of rxjs by its own path: the package's entry loads two hundred modules of operators beside them.
import { basename } from 'node:path';
import { BehaviorSubject } from 'rxjs/internal/BehaviorSubject';
import type { Observable } from 'rxjs/internal/Observable';
import type { PublicForms } from '../../../runtime/batch/public-values.ts';
import { rowsFromBatch } from '../../../runtime/batch/row-objects.ts';
import type { Schema } from '../../../runtime/batch/schema.ts';
import { systemClock } from '../../../runtime/clock.ts';
import { errorToData } from '../../../runtime/errors.ts';
import { transfer } from '../../../runtime/thread/remote.ts';
import { decodeBatch } from '../../../runtime/wire/batch-codec.ts';
import type {
  DeadLetterReplayStatus,
  Direction,
  InputConnectorStats,
  OutputConnectorStats,
  PipelineStats,
  PipelineStatus,
} from '../../supervisor/messages.ts';
import { ChangeListener, type Changes } from './change-listener.ts';
import { completionFailure } from './completion-failure.ts';
import { ControlConnection } from './control-connection.ts';
import type { ControlReport, OpenedPipeline, TableDescription, ViewDescription } from './control-interface.ts';
import { DurableRun } from './durable-run.ts';
import { AmbiguousConnector, CallTimedOut, PushMalformed, PushWhilePaused } from './embedded-errors.ts';
import { eachChunk, observedChanges } from './listened-changes.ts';
import { openRequest } from './open-request.ts';
import type {
  AnyRow,
  AnyTables,
  CallOptions,
  ChunkSubscription,
  ConnectorDefinition,
  DirectionOptions,
  InputOptions,
  InputRow,
  ListenOptions,
  OpenOptions,
  StopOptions,
  UpdateFormat,
} from './pipeline-options.ts';

const pushTimeoutMs = 30_000;
const drainTimeoutMs = 600_000;
/** What stopping takes besides the drain. */
const stopMarginMs = 60_000;
const listenerRowsMax = 1_000_000;

type Name<Tables> = keyof Tables & string;

interface PipelineParts {
  readonly connection: ControlConnection;
  readonly opened: OpenedPipeline;
  readonly status: BehaviorSubject<PipelineStatus>;
  readonly durable: DurableRun | null;
  readonly forms: PublicForms;
}

/** What a data folder knows a pipeline by. */
function nameOf(options: OpenOptions): string {
  if ('file' in options && options.file !== undefined) return basename(options.file);
  return 'name' in options && typeof options.name === 'string' ? options.name : 'pipeline';
}

/**
 * A pipeline: connectors bring changes in, SQL views are kept up to date, connectors carry the changes out, all of it on other threads.
 *
 * `Pipeline.open` → `start` → … → `stop`. `Tables` gives rows their types (`millrace types FILE.yaml` prints them). Every rejection is a
 * `MillraceError` with a stable `code`, and with `help`.
 *
 * @example
 * await using pipeline = await Pipeline.open({ program: 'CREATE TABLE t (x BIGINT); CREATE MATERIALIZED VIEW v AS SELECT SUM(x) AS s FROM t;' });
 * await pipeline.start();
 * await pipeline.completed(await pipeline.inputJson('t', [{ x: 1 }, { x: 2 }]));
 * await pipeline.query('SELECT s FROM v'); // [{ s: 3 }]
 */
export class Pipeline<Tables extends object = AnyTables> implements AsyncDisposable {
  readonly #connection: ControlConnection;
  readonly #opened: OpenedPipeline;
  readonly #status: BehaviorSubject<PipelineStatus>;
  readonly #durable: DurableRun | null;
  readonly #forms: PublicForms;
  readonly #listeners = new Set<ChangeListener<unknown>>();
  #stopping: Promise<void> | null = null;

  private constructor({ connection, opened, status, durable, forms }: PipelineParts) {
    this.#connection = connection;
    this.#opened = opened;
    this.#status = status;
    this.#durable = durable;
    this.#forms = forms;
  }

  /**
   * Compiles and validates; nothing is read or written before `start` or `startPaused`.
   * @throws `pipeline.invalid` with every problem in `fields.problems`; `config.unreadable_file`; with a `dataFolder`
   * `store.folder_locked` (another process has it) and `checkpoint.mismatch` (it is of another program).
   */
  static async open<Tables extends object = AnyTables>(options: OpenOptions): Promise<Pipeline<Tables>> {
    const status = new BehaviorSubject<PipelineStatus>({ state: 'created', error: null, connectors: [] });
    const connection = new ControlConnection({
      name: 'millrace control',
      clock: systemClock,
      onReport: (report: ControlReport) => {
        if (report.kind === 'status') status.next(report.status);
        else options.log?.(report.entry);
      },
      onLost: (error) => status.next({ ...status.value, state: 'failed', error: errorToData(error) }),
    });
    let durable: DurableRun | null = null;
    try {
      const request = openRequest(options);
      const { dataFolder, log = () => {} } = options;
      if (dataFolder !== undefined) durable = await DurableRun.open(dataFolder, nameOf(options), log);
      const parts = (await durable?.parts()) ?? {};
      const whole = { ...request, ...parts };
      const moved = [parts.journal, ...(parts.restore?.parts ?? []).map(({ bytes }) => bytes)];
      const opened = await connection.call(
        'Pipeline.open',
        (control) =>
          control.open(
            transfer(
              whole,
              moved.filter((item) => item !== undefined),
            ),
          ),
        options,
      );
      status.next(opened.status);
      const { integers = 'auto', timestamps = 'text' } = options;
      return new Pipeline<Tables>({ connection, opened, status, durable, forms: { integers, timestamps } });
    } catch (error) {
      await connection.end();
      await durable?.close();
      throw error;
    }
  }

  // ── the whole pipeline ──

  get name(): string {
    return this.#opened.name;
  }

  tables(): readonly TableDescription[] {
    return this.#opened.tables;
  }

  views(): readonly ViewDescription[] {
    return this.#opened.views;
  }

  /** Endpoints of the inputs as opened, level by level: each level starts when those before it have finished. */
  startOrder(): readonly (readonly string[])[] {
    return this.#opened.startOrder;
  }

  get status(): PipelineStatus {
    return this.#status.value;
  }

  /** The status now, and after every change. Completes after `stop`. */
  get status$(): Observable<PipelineStatus> {
    return this.#status.asObservable();
  }

  /** Opens outputs, then inputs. A connector that cannot be opened is `failed`; the others go on. */
  async start(options: CallOptions = {}): Promise<void> {
    await this.#connection.call('start', (control) => control.start({ paused: false }), options);
    this.#durable?.begin(this.#connection);
  }

  /** As `start`, but no input is opened before `resume`. Listeners attached in between miss nothing. */
  async startPaused(options: CallOptions = {}): Promise<void> {
    await this.#connection.call('startPaused', (control) => control.start({ paused: true }), options);
    this.#durable?.begin(this.#connection);
  }

  /** Resolves when no further row of any input will enter a step. */
  pause(options: CallOptions = {}): Promise<void> {
    return this.#connection.call('pause', (control) => control.pause(), options);
  }

  resume(options: CallOptions = {}): Promise<void> {
    return this.#connection.call('resume', (control) => control.resume(), options);
  }

  /**
   * Inputs stop reading for good; resolves when everything that they have read has reached every output, which end then.
   * Tables and views can still be queried and counters looked at, as they are at the end; `stop` is what comes next.
   */
  async drain(options: CallOptions = {}): Promise<void> {
    await this.#lastCheckpoint();
    await this.#connection.wait('drain', (control, waitId) => control.drain(waitId), options);
  }

  /**
   * Ends the pipeline; idempotent. What has been read reaches the outputs first (at most `timeoutMs`, default 10 min),
   * unless `force` is set; a later call with `force` ends one that is under way. Listeners can still be read to their end.
   */
  stop(options: StopOptions = {}): Promise<void> {
    if (this.#stopping !== null && options.force === true) {
      const { timeoutMs = drainTimeoutMs } = options;
      // What goes wrong is said by the first.
      this.#connection.call('stop', (control) => control.stop({ force: true, timeoutMs })).catch(() => {});
    }
    this.#stopping ??= this.#stop(options);
    return this.#stopping;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /**
   * Resolves when every input connector has ended and everything read or pushed has reached every output.
   * @throws `pipeline.connectors_failed` once the others are through, when a connector has failed.
   */
  async waitForCompletion(options: CallOptions = {}): Promise<void> {
    const { failed, stuck } = await this.#connection.wait(
      'waitForCompletion',
      (control, waitId) => control.allCompleted(waitId),
      options,
    );
    if (failed.length === 0 && stuck.length === 0) return;
    throw completionFailure({ failed, stuck }, await this.stats().catch(() => null));
  }

  /** Threads, memory (bytes), queues (rows and bytes), engine and every connector's counters, times in milliseconds. */
  stats(options: CallOptions = {}): Promise<PipelineStats> {
    return this.#connection.call('stats', (control) => control.stats(), options);
  }

  // ── rows ──

  /**
   * Pushes rows into a table and resolves with a completion token once they are on their way. Pushes keep their order.
   * @throws a coded error, and takes nothing, when a row does not fit; `embedded.push_waited` while paused or full.
   */
  async inputJson<T extends Name<Tables>, Format extends UpdateFormat = 'raw'>(
    table: T,
    rows: readonly InputRow<Tables[T], Format>[],
    options: InputOptions<Format> = {},
  ): Promise<string> {
    const { updateFormat = 'raw', force = false, signal, timeoutMs = pushTimeoutMs } = options;
    // Callers without a type checker: an object would pass as an empty list.
    if (!Array.isArray(rows)) throw new PushMalformed({ table, detail: 'an array of rows is expected' });
    if (updateFormat !== 'raw' && updateFormat !== 'insert_delete') {
      throw new PushMalformed({ table, detail: `there is no update format '${String(updateFormat)}'` });
    }
    try {
      return await this.#connection.wait(
        'inputJson',
        (control, waitId) => control.push(waitId, table, rows, { updateFormat, force }),
        { signal, timeoutMs },
      );
    } catch (error) {
      if (error instanceof CallTimedOut) throw new PushWhilePaused({ table, timeoutMs }, { cause: error });
      throw error;
    }
  }

  /**
   * Resolves when everything pushed before the token was given has reached every output.
   * @throws `token.malformed`, and what the pipeline has failed by meanwhile
   */
  completed(token: string, options: CallOptions = {}): Promise<void> {
    return this.#connection.wait('completed', (control, waitId) => control.tokenCompleted(waitId, token), options);
  }

  /**
   * SELECT over tables with a primary key and materialized relations, between two steps: all of its rows, in memory. Values have the forms
   * of docs/embedded.md: DECIMAL and times as text, integers beyond 2^53 as bigint. A row of weight n stands n times.
   * @throws `sql.…` with a place in the text; `query.not_materialized`
   */
  async query<Row = AnyRow>(sql: string, options: CallOptions = {}): Promise<Row[]> {
    const result = await this.#connection.wait('query', (control, waitId) => control.query(waitId, sql), options);
    const rows: object[] = [];
    for (const frame of result.frames) {
      const part = rowsFromBatch(decodeBatch(frame, result.schema).batch, this.#forms);
      for (const [i, row] of part.rows.entries()) {
        rows.push(row);
        for (let copies = part.weights[i] ?? 1; copies > 1; copies--) rows.push({ ...row });
      }
    }
    // SAFETY: the user's own generic says what rows look like.
    return rows as Row[];
  }

  /**
   * The changes of a view or table from now on, an item for each step that changed it. Listening begins with this call.
   * Leave the loop, or call `close()`, when done: a listener that is not read holds the pipeline up in the end.
   * @throws (from the first `next`) `embedded.unknown_relation`; with `sendSnapshot` `query.not_materialized`
   */
  listen<V extends Name<Tables>>(view: V, options: ListenOptions = {}): ChangeListener<Tables[V]> {
    const { backpressure = true, sendSnapshot = false, queuedRowsMax = listenerRowsMax } = options;
    const connection = this.#connection;
    const unlimited = { timeoutMs: Number.POSITIVE_INFINITY };
    const opened = connection.call('listen', (control) =>
      control.openListener(view, { backpressure, sendSnapshot, rowsMax: queuedRowsMax }),
    );
    const listener: ChangeListener<Tables[V]> = new ChangeListener<Tables[V]>(
      {
        opened,
        pull: (id) => connection.call('listen', (control) => control.pullSteps(id), unlimited),
        close: (id) => {
          this.#listeners.delete(listener);
          return connection.call('close', (control) => control.closeListener(id));
        },
      },
      () => this.#schemaOf(view),
      this.#forms,
    );
    this.#listeners.add(listener);
    return listener;
  }

  /** As `listen`: listening begins with the subscription and ends with it. */
  changes$<V extends Name<Tables>>(view: V, options: ListenOptions = {}): Observable<Changes<Tables[V]>> {
    return observedChanges(() => this.listen(view, options));
  }

  /** Calls back for every step that changes the view, one at a time. Resolves once it listens. */
  async foreachChunk<V extends Name<Tables>>(
    view: V,
    callback: (chunk: Changes<Tables[V]>) => void | Promise<void>,
    options: ListenOptions = {},
  ): Promise<ChunkSubscription> {
    return await eachChunk(this.listen(view, options), callback);
  }

  // ── dead letters ──

  /**
   * Of a pipeline without SQL whose dead-letter queue is `builtin:file`: what is in it now is tried again, in order. Resolves when each
   * is delivered or has been refused again (then it stands at the end of the queue). What breaks off goes on there at the next call.
   * @throws `dead_letters.not_kept` where the queue cannot be read
   */
  replayDeadLetters(options: CallOptions = {}): Promise<DeadLetterReplayStatus> {
    return this.#connection.wait('replayDeadLetters', (control, waitId) => control.replayDeadLetters(waitId), options);
  }

  // ── connectors ──

  /**
   * Resolves when no further row of it will enter a step. It stays paused across pause and resume of the pipeline.
   * @throws `connector.unknown`
   */
  pauseConnector(relation: string, connector: string, options: CallOptions = {}): Promise<void> {
    const endpoint = this.#endpoint(relation, connector);
    return this.#connection.call('pauseConnector', (control) => control.pauseConnector(endpoint), options);
  }

  /** Goes on with the next row. One that waits for labels starts at once. @throws `connector.unknown` */
  resumeConnector(relation: string, connector: string, options: CallOptions = {}): Promise<void> {
    const endpoint = this.#endpoint(relation, connector);
    return this.#connection.call('resumeConnector', (control) => control.resumeConnector(endpoint), options);
  }

  inputConnectorStats(relation: string, connector: string, options: CallOptions = {}): Promise<InputConnectorStats> {
    const endpoint = this.#endpoint(relation, connector);
    return this.#connection.call('inputConnectorStats', (control) => control.inputStats(endpoint), options);
  }

  outputConnectorStats(relation: string, connector: string, options: CallOptions = {}): Promise<OutputConnectorStats> {
    const endpoint = this.#endpoint(relation, connector);
    return this.#connection.call('outputConnectorStats', (control) => control.outputStats(endpoint), options);
  }

  /**
   * Resolves when the end of the input is reached and the step with its last row is computed.
   * @throws `connector.unknown`, `connector.failed`
   */
  async connectorEnded(relation: string, connector: string, options: DirectionOptions = {}): Promise<void> {
    const endpoint = this.#endpoint(relation, connector);
    const direction = this.#direction(endpoint, options.direction);
    await this.#connection.wait(
      'connectorEnded',
      (control, waitId) => control.connectorEnded(waitId, direction, endpoint),
      options,
    );
  }

  /**
   * Adds a connector, labels and order validated as a whole; resolves with its endpoint, `relation.name`.
   * @throws `pipeline.invalid`
   */
  addConnector(
    direction: Direction,
    name: string,
    definition: ConnectorDefinition,
    options: CallOptions = {},
  ): Promise<string> {
    return this.#connection.call(
      'addConnector',
      (control) => control.addConnector(direction, name, definition),
      options,
    );
  }

  /** An input's rows that were read are taken, an output's queue is written, before it goes. */
  async removeConnector(relation: string, connector: string, options: DirectionOptions = {}): Promise<void> {
    const endpoint = this.#endpoint(relation, connector);
    const direction = this.#direction(endpoint, options.direction);
    return this.#connection.call('removeConnector', (control) => control.removeConnector(direction, endpoint), options);
  }

  // ── inside ──

  async #stop(options: StopOptions): Promise<void> {
    const { force = false, timeoutMs = drainTimeoutMs, signal } = options;
    // The engine cannot drain into a listener that nobody reads: what is left of each is fetched here.
    const drains = [...this.#listeners].map((listener) => listener.drain().catch(() => {}));
    try {
      // Of a control thread that has died nothing is left to be stopped.
      if (this.#connection.isLost) return;
      // Without a last checkpoint it stops in order all the same: what was computed reaches the outputs that can take it.
      const unstored = force
        ? null
        : await this.#lastCheckpoint().then(
            () => null,
            (error: unknown) => ({ error }),
          );
      await this.#connection.call('stop', (control) => control.stop({ force, timeoutMs }), {
        signal,
        timeoutMs: timeoutMs + stopMarginMs,
      });
      await Promise.race([Promise.all(drains), new Promise<void>((resolve) => systemClock.after(1_000, resolve))]);
      if (unstored !== null) throw unstored.error;
    } finally {
      await this.#connection.end();
      await this.#durable?.close();
      if (this.#status.value.state !== 'stopped') this.#status.next({ ...this.#status.value, state: 'stopped' });
      this.#status.complete();
    }
  }

  /** Where the next run goes on: what is computed behind it would come to the outputs twice. */
  async #lastCheckpoint(): Promise<void> {
    const { state } = this.#status.value;
    if (this.#durable === null || (state !== 'running' && state !== 'paused')) return;
    await this.pause();
    await this.#durable.finish(this.#connection);
  }

  #endpoint(relation: string, connector: string): string {
    // Without SQL all connectors are of one relation, and go by their ids.
    if (relation === 'records' && this.status.connectors.some(({ endpoint }) => endpoint === connector))
      return connector;
    const names = [...this.#opened.tables, ...this.#opened.views].map((candidate) => candidate.name);
    // As SQL does: an unquoted name is folded to lower case.
    const canonical = names.includes(relation) ? relation : relation.toLowerCase();
    return `${canonical}.${connector}`;
  }

  /** Which kind of connector a name means when the user has not said so. */
  #direction(endpoint: string, wanted: Direction | undefined): Direction {
    if (wanted !== undefined) return wanted;
    const found = this.status.connectors.filter((connector) => connector.endpoint === endpoint);
    if (found.length > 1) throw new AmbiguousConnector({ endpoint });
    return found[0]?.direction ?? 'input';
  }

  #schemaOf(relation: string): Schema {
    const all = [...this.#opened.views, ...this.#opened.tables];
    const found =
      all.find((candidate) => candidate.name === relation) ??
      all.find((candidate) => candidate.name === relation.toLowerCase());
    // The control thread has found it, or the listener would not be open.
    return found?.schema ?? { fields: [], fingerprint: 0 };
  }
}
