// One input connector as the supervisor holds it: its state, its source actor and its input of the engine.
//
// The supervisor decides (reconcile.ts), this performs. Every change of state goes through the transition table. After
// the connector is over (ended, failed, removed) its actor is stopped, and its counters and lists of errors are kept.
// `onChange` is called after every change; it never throws into the caller. A failure never rejects a method: it is the
// connector's state.
import { MessageChannel } from 'node:worker_threads';
import type { InputConnector } from '../../connectors/sdk/connector-configuration.ts';
import { type ActorRef, actorId } from '../../runtime/actor/actor.ts';
import type { Relation } from '../../runtime/batch/schema.ts';
import type { Clock, Timer } from '../../runtime/clock.ts';
import { type ErrorData, errorFromData, errorToData, type MillraceError } from '../../runtime/errors.ts';
import type { Log } from '../../runtime/log.ts';
import type { Gauges } from '../../runtime/metrics.ts';
import type { EngineMessage } from '../engine/messages.ts';
import type { ReplayPoint, SourceArguments, SourceErrors, SourceMessage, SourceNotice } from '../source/messages.ts';
import type { ActorHost } from './actor-host.ts';
import { type ConnectorEvent, type ConnectorState, nextConnectorState } from './connector-lifecycle.ts';
import type { InputCheckpoint } from './messages.ts';
import type { InputDesired, InputObserved } from './reconcile.ts';
import { beginning, decodeReplayStart, encodeReplayStart, type ReplayStart, replayFrom } from './replay-position.ts';
import { restartDelay } from './restart-policy.ts';

/** Opening may mean a slow server and its retries. */
const openDeadlineMs = 120_000;
/** A source that does not come to a record border by then is cut off. */
const stopDeadlineMs = 5_000;
/** A record border may lie behind a large row group. */
const pauseDeadlineMs = 60_000;
const noErrors: SourceErrors = { parseErrors: [], transportErrors: [] };

export interface InputContext {
  readonly host: ActorHost;
  readonly engine: () => ActorRef<EngineMessage>;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
  readonly baseFolder: string;
  readonly thread: string;
  readonly decodeWorkers: number;
  /** `paused` in the configuration of an input that starts after labels holds it no longer than they do. */
  readonly labelsLiftPause?: boolean;
  readonly onChange: () => void;
}

export class InputHandle {
  readonly connector: InputConnector;
  readonly #relation: Relation;
  readonly #defaults: readonly (string | null)[];
  readonly #context: InputContext;
  #state: ConnectorState = 'created';
  #desired: InputDesired;
  #source: ActorRef<SourceMessage> | null = null;
  #gauges: Gauges | null = null;
  #errors: SourceErrors = noErrors;
  #error: ErrorData | null = null;
  /** Rows that have entered steps, as the engine last said. */
  takenRecords = 0;
  #isAttached = false;
  #isFlowing = false;
  #isBusy = false;
  #hasSourceEnded = false;
  #restarts = 0;
  #backOff: Timer | null = null;
  #attempt = 0;
  #closing: Promise<void> | null = null;
  /** Where its first row of this run is, and where others are, as its source last said. */
  #begin: ReplayStart = beginning;
  #points: readonly ReplayPoint[] | null = null;

  constructor(
    connector: InputConnector,
    relation: Relation,
    defaults: readonly (string | null)[],
    context: InputContext,
  ) {
    this.connector = connector;
    this.#relation = relation;
    this.#defaults = defaults;
    this.#context = context;
    const { onDependencyFailure, startAfter } = connector;
    const paused = connector.paused && !(context.labelsLiftPause === true && startAfter.length > 0);
    this.#desired = { paused, startedByHand: false, onDependencyFailure };
  }

  get state(): ConnectorState {
    return this.#state;
  }

  get error(): ErrorData | null {
    return this.#error;
  }

  get restarts(): number {
    return this.#restarts;
  }

  get gauges(): Gauges | null {
    return this.#gauges;
  }

  get desired(): InputDesired {
    return this.#desired;
  }

  set desired(desired: InputDesired) {
    this.#desired = desired;
  }

  get observed(): InputObserved {
    return {
      endpoint: this.connector.endpoint,
      state: this.#state,
      attached: this.#isAttached,
      flowing: this.#isFlowing,
      busy: this.#isBusy,
      backingOff: this.#backOff !== null,
    };
  }

  /** Ended, failed or stopped. */
  get isOver(): boolean {
    return this.#state === 'ended' || this.#state === 'failed' || this.#state === 'stopped';
  }

  /** Nothing of it is left in the engine's mailbox, and its actor is gone. */
  get isClosed(): boolean {
    return this.isOver && !this.#isAttached;
  }

  /** Everything that the source has is sent, whether or not a step has taken it. */
  get hasSourceEnded(): boolean {
    return this.#hasSourceEnded;
  }

  // ── checkpoints ──

  /** Goes on where a checkpoint was taken. Before anything else is asked of it. */
  restore({ position, ended, paused }: InputCheckpoint): void {
    this.#begin = decodeReplayStart(position);
    // What has been opened once does not wait for labels again.
    this.#desired = { ...this.#desired, paused, startedByHand: position !== null };
    if (ended) this.#state = nextConnectorState(this.connector.endpoint, this.#state, 'end');
  }

  /** Where it goes on when `takenRecords` rows of this run have entered steps. */
  async checkpoint(takenRecords: number, ended: boolean): Promise<InputCheckpoint> {
    const { endpoint } = this.connector;
    const { paused } = this.#desired;
    // Without an entry of the engine it has not been opened in this run, or not been attached for long.
    if (ended || (this.#state === 'ended' && this.#attempt === 0))
      return { endpoint, position: null, ended: true, paused };
    await this.#keepPoints();
    const points = this.#points ?? [{ records: 0, ...this.#begin }];
    return { endpoint, position: encodeReplayStart(replayFrom(points, takenRecords)), ended: false, paused };
  }

  async #keepPoints(): Promise<void> {
    const source = this.#source;
    if (source === null) return;
    try {
      this.#points = await source.ask<readonly ReplayPoint[]>(
        { kind: 'replay points' },
        { deadlineMs: stopDeadlineMs },
      );
    } catch (error) {
      // One that is being stopped has said it before.
      if (this.#points === null) throw error;
    }
  }

  // ── actions of reconcile ──

  wait(): void {
    this.#move('wait');
  }

  async open(): Promise<void> {
    const { endpoint, relation } = this.connector;
    const attempt = ++this.#attempt;
    this.#move('open');
    await this.#whileBusy(async () => {
      try {
        const { port1, port2 } = new MessageChannel();
        const attached = this.#context.engine().ask(
          {
            kind: 'attach input',
            endpoint,
            table: relation,
            port: port2,
            limits: { rowsMax: this.connector.maxQueuedRecords, bytesMax: this.connector.maxQueuedBytes },
            batchRowsMax: this.connector.maxBatchSize,
            held: false,
            tellsRecords: true,
          },
          { transfer: [port2] },
        );
        this.#isAttached = true;
        await attached;
        const args: SourceArguments = {
          connector: this.connector,
          relation: this.#relation,
          defaults: this.#defaults,
          port: port1,
          position: this.#begin.position,
          skipRows: this.#begin.skipRows,
          baseFolder: this.#context.baseFolder,
          decodeWorkers: this.#context.decodeWorkers,
        };
        this.#source = await this.#context.host.spawn<SourceMessage, SourceNotice>({
          id: actorId(attempt === 1 ? `source:${endpoint}` : `source:${endpoint}#${attempt}`),
          behaviour: 'source',
          thread: this.#context.thread,
          args,
          transfer: [port1],
          onNotice: (notice) => this.#onNotice(attempt, notice),
        });
        this.#gauges = this.#source.gauges;
        await this.#source.ask({ kind: 'open' }, { deadlineMs: openDeadlineMs });
        if (this.#state !== 'opening') return;
        this.#isFlowing = true;
        this.#move('opened');
      } catch (error) {
        this.fail(error);
      }
    });
  }

  /** Resolves when no further row of it will enter a step. */
  async pause(): Promise<void> {
    if (!this.#isAttached) {
      this.#cancelBackOff();
      return this.#move('pause');
    }
    await this.#whileBusy(async () => {
      try {
        await this.#context.engine().ask({ kind: 'hold input', endpoint: this.connector.endpoint });
        if (!this.#hasSourceEnded) await this.#source?.ask({ kind: 'pause' }, { deadlineMs: pauseDeadlineMs });
      } catch (error) {
        return this.fail(error);
      }
      this.#isFlowing = false;
      if (!this.isOver) this.#move('pause');
    });
  }

  async resume(): Promise<void> {
    await this.#whileBusy(async () => {
      try {
        await this.#context.engine().ask({ kind: 'release input', endpoint: this.connector.endpoint });
        if (!this.#hasSourceEnded) await this.#source?.ask({ kind: 'resume' });
      } catch (error) {
        return this.fail(error);
      }
      this.#isFlowing = true;
      if (!this.isOver) this.#move('resume');
    });
  }

  // ── what happens to it ──

  /** The engine has computed the step with its last row. */
  finished(): void {
    if (this.isOver) return;
    this.#isFlowing = false;
    this.#move('end');
    void this.#close('discard');
  }

  /** Ends it with this error, or has it opened again later when the error may pass. */
  fail(error: unknown): void {
    if (this.isOver) return;
    const data = errorToData(error);
    const wasOpening = this.#state === 'opening';
    const hasSent = !wasOpening || (this.#gauges?.get('records') ?? 0) > 0;
    const delay = restartDelay({ retry: data.retry, restarts: this.#restarts, hasSent }, this.#context.random());
    const { endpoint } = this.connector;
    this.#isFlowing = false;
    if (delay === null) {
      this.#error = data;
      this.#context.log.error(`connector ${endpoint} has failed: ${data.message}`, { endpoint, code: data.code });
      this.#move('fail');
      void this.#close('keep');
      return;
    }
    this.#restarts++;
    this.#context.log.warn(`connector ${endpoint} will be opened again in ${Math.round(delay)} ms: ${data.message}`, {
      endpoint,
      code: data.code,
      delayMs: delay,
    });
    const timer = this.#context.clock.after(delay, () => {
      if (this.#backOff !== timer) return;
      this.#backOff = null;
      this.#context.onChange();
    });
    this.#backOff = timer;
    void this.#close('discard');
  }

  /** Removed, or the pipeline stops. With `discard` what it has sent is not taken any more. */
  async stop(rows: 'keep' | 'discard'): Promise<void> {
    if (this.#state !== 'stopped') this.#move('stop');
    this.#cancelBackOff();
    this.#isFlowing = false;
    await this.#close(rows);
  }

  /** Reads no more; what it has sent stays in the engine's mailbox. The first half of a graceful stop. */
  async quiesce(): Promise<void> {
    if (!this.isOver) this.#move('stop');
    this.#cancelBackOff();
    this.#isFlowing = false;
    await this.#stopSource();
  }

  /** Looks at the gauges: is it kept back just now? */
  sample(): void {
    const isThrottled = this.#gauges?.get('throttled') === 1 && !this.#hasSourceEnded;
    if (this.#state === 'running' && isThrottled) this.#move('throttle');
    else if (this.#state === 'throttled' && !isThrottled) this.#move('flow');
  }

  /** The latest errors, from the actor while it lives. */
  async errors(): Promise<SourceErrors> {
    const source = this.#source;
    if (source === null) return this.#errors;
    try {
      this.#errors = await source.ask<SourceErrors>({ kind: 'errors' }, { deadlineMs: 5_000 });
    } catch (error) {
      // It has just ended or is stuck: what it said before is the latest there is.
      this.#context.log.debug(`no errors from ${source.id}`, { cause: errorToData(error).message });
    }
    return this.#errors;
  }

  /** The error it has failed with, as an error. */
  get cause(): MillraceError | null {
    return this.#error === null ? null : errorFromData(this.#error);
  }

  /** Id of its actor while it lives. */
  get actor(): string | null {
    return this.#source?.id ?? null;
  }

  #onNotice(attempt: number, notice: SourceNotice): void {
    if (attempt !== this.#attempt) return;
    if (notice.kind === 'source ended') this.#hasSourceEnded = true;
    else this.fail(errorFromData(notice.error));
  }

  #move(event: ConnectorEvent): void {
    this.#state = nextConnectorState(this.connector.endpoint, this.#state, event);
    this.#context.onChange();
  }

  async #whileBusy(work: () => Promise<void>): Promise<void> {
    this.#isBusy = true;
    try {
      await work();
      await this.#closing;
    } finally {
      this.#isBusy = false;
      this.#context.onChange();
    }
  }

  #cancelBackOff(): void {
    this.#backOff?.cancel();
    this.#backOff = null;
  }

  /** Stops the actor, keeping its last words, and takes it off the engine. */
  #close(rows: 'keep' | 'discard'): Promise<void> {
    this.#closing ??= this.#closeNow(rows).finally(() => {
      this.#closing = null;
      this.#context.onChange();
    });
    return this.#closing;
  }

  async #closeNow(rows: 'keep' | 'discard'): Promise<void> {
    await this.#stopSource();
    if (!this.#isAttached) return;
    try {
      const detach = { kind: 'detach input', endpoint: this.connector.endpoint, discard: rows === 'discard' } as const;
      // Rows that are kept may have a long queue before them: the engine takes them at its own pace.
      await this.#context.engine().ask(detach, { deadlineMs: Number.POSITIVE_INFINITY });
    } catch (error) {
      this.#context.log.debug(`detaching ${this.connector.endpoint}`, { cause: errorToData(error).message });
    }
    this.#isAttached = false;
    this.#hasSourceEnded = false;
  }

  async #stopSource(): Promise<void> {
    const source = this.#source;
    if (source === null) return;
    const errors = this.errors();
    const points = this.#keepPoints().catch((error) => {
      // It has died, or hangs: it is read again from where this run began.
      this.#context.log.debug(`no replay points from ${source.id}`, { cause: errorToData(error).message });
    });
    await Promise.all([errors, points]);
    this.#source = null;
    await source.stop(stopDeadlineMs);
  }
}
