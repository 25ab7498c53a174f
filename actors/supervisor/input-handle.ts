// One input connector as the supervisor holds it: its state, its source actor and its input of the engine.
//
// The supervisor decides (reconcile.ts), this performs. Every change of state goes through the transition table. After
// the connector is over (ended, failed, removed) its actor is stopped, and its counters and lists of errors are kept.
// `onChange` is called after every change; it never throws into the caller. A failure never rejects a method: it is the
// connector's state.

import { MessageChannel, type MessagePort } from 'node:worker_threads';
import type { InputConnector } from '../../connectors/sdk/connector-configuration.ts';
import type { Position } from '../../connectors/sdk/source.ts';
import { type ActorRef, actorId } from '../../runtime/actor/actor.ts';
import type { Relation } from '../../runtime/batch/schema.ts';
import type { Timer } from '../../runtime/clock.ts';
import { type ErrorData, errorFromData, errorToData, type MillraceError } from '../../runtime/errors.ts';
import type { Gauges } from '../../runtime/metrics.ts';
import { countedBy } from '../carried-counts.ts';
import type { InspectionPoint } from '../inspection-point.ts';
import type { SourceErrors, SourceMessage, SourceNotice } from '../source/messages.ts';
import type { AwaitedCall } from './awaited-call.ts';
import { type ConnectorContext, startedConnector } from './connector-context.ts';
import { type ConnectorHealth, HealthWatch, healthy } from './connector-health.ts';
import { type ConnectorEvent, type ConnectorState, nextConnectorState } from './connector-lifecycle.ts';
import { type DetachedConnector, startConnector, withinDeadline } from './connector-startup.ts';
import { InputReplay } from './input-replay.ts';
import { InputRestarts } from './input-restarts.ts';
import { InspectionPorts } from './inspection-ports.ts';
import type { ConnectorFailure, InputCheckpoint } from './messages.ts';
import type { InputDesired, InputObserved } from './reconcile.ts';
import { sourceArguments, type TableTraits } from './source-arguments.ts';
import { SourceErrorLists } from './source-error-lists.ts';

/** A source that does not come to a record border by then is cut off. */
const stopDeadlineMs = 5_000;
/** A record border may lie behind a large row group. */
const pauseDeadlineMs = 60_000;

export class InputHandle {
  readonly connector: InputConnector;
  readonly #relation: Relation;
  readonly #traits: TableTraits;
  readonly #context: ConnectorContext;
  readonly #inspections = new InspectionPorts();
  #state: ConnectorState = 'created';
  #desired: InputDesired;
  #source: ActorRef<SourceMessage> | null = null;
  #gauges: Gauges | null = null;
  readonly #errors: SourceErrorLists;
  #error: ErrorData | null = null;
  #lastFailure: ConnectorFailure | null = null;
  /** Rows that have entered steps, as the engine last said. */
  takenRecords = 0;
  #isAttached = false;
  #isFlowing = false;
  #isBusy = false;
  /** The engine takes no row of it. */
  #isHeld = false;
  #hasSourceEnded = false;
  readonly #restarts: InputRestarts;
  #backOff: Timer | null = null;
  readonly #health = new HealthWatch();
  /** Nobody waits any longer for what it has sent. */
  readonly #impatience = new AbortController();
  #isHasty = false;
  /** Some of what it has sent will never be delivered. */
  #settlesPartly = false;
  /** Everything is delivered, and it is told so. */
  #release: AwaitedCall | null = null;
  readonly #replay = new InputReplay();
  #attempt = 0;
  #closing: Promise<void> | null = null;

  constructor(connector: InputConnector, relation: Relation, traits: TableTraits, context: ConnectorContext) {
    this.connector = connector;
    this.#relation = relation;
    this.#traits = traits;
    this.#context = context;
    this.#errors = new SourceErrorLists(context.log);
    this.#restarts = new InputRestarts(context);
    const { onDependencyFailure, startAfter } = connector;
    const paused = connector.paused && !(context.labelsLiftPause === true && startAfter.length > 0);
    this.#desired = { paused, startedByHand: false, onDependencyFailure };
  }

  /** It takes dead letters out of the queue again: nobody has configured it. */
  get isReplay(): boolean {
    return this.#context.replay !== undefined;
  }

  get lastFailure(): ConnectorFailure | null {
    return this.#lastFailure;
  }

  get state(): ConnectorState {
    return this.#state;
  }

  get error(): ErrorData | null {
    return this.#error;
  }

  get restarts(): number {
    return this.#restarts.count;
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
      // What a held one had sent before it failed is taken when it is released.
      busy: this.#isBusy || (this.#closing !== null && !this.#isHeld),
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
    this.#replay.restore(position);
    // What has been opened once does not wait for labels again.
    this.#desired = { ...this.#desired, paused, startedByHand: position !== null };
    if (ended) this.#state = nextConnectorState(this.connector.endpoint, this.#state, 'end');
  }

  /** Where it goes on when `takenRecords` rows of this run have entered steps. */
  async checkpoint(takenRecords: number, ended: boolean): Promise<InputCheckpoint> {
    const { endpoint } = this.connector;
    const { paused } = this.#desired;
    await this.#replay.noteCheckpoint(this.#source, takenRecords);
    // Without an entry of the engine it has not been opened in this run, or not been attached for long.
    if (ended || (this.#state === 'ended' && this.#attempt === 0))
      return { endpoint, position: null, ended: true, paused };
    await this.#replay.keepPoints(this.#source);
    return { endpoint, position: this.#replay.positionBehind(takenRecords), ended: false, paused };
  }

  /** The latest checkpoint is stored: the source is told how far it holds its rows. */
  checkpointStored(): void {
    const position = this.#replay.checkpointStored(this.takenRecords);
    if (position !== null) this.#source?.tell({ kind: 'acknowledge', position });
  }

  /** Rows have entered steps of which the source waits to hear that they are durable. */
  get awaitsCheckpoint(): boolean {
    return this.#replay.isAwaiting(this.takenRecords);
  }

  // ── actions of reconcile ──

  wait(): void {
    this.#move('wait');
  }

  async open(): Promise<void> {
    const { endpoint, relation } = this.connector;
    const attempt = ++this.#attempt;
    this.#move('open');
    this.#health.reset();
    const counted = countedBy(this.#gauges);
    const takenRecords = counted.records ?? 0;
    this.#restarts.opened(takenRecords);
    if (this.#context.relay === null) this.#replay.goOnBehind(takenRecords);
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
            ...(this.#context.relay === null ? { takenRecords } : {}),
            ...(this.#context.replay === undefined ? {} : { replay: this.#context.replay }),
          },
          { transfer: [port2] },
        );
        this.#isAttached = true;
        await attached;
        this.#source = await this.#context.host.spawn<SourceMessage, SourceNotice>({
          id: actorId(attempt === 1 ? `source:${endpoint}` : `source:${endpoint}#${attempt}`),
          behaviour: 'source',
          thread: this.#context.thread,
          args: sourceArguments({
            connector: this.connector,
            relation: this.#relation,
            traits: this.#traits,
            context: this.#context,
            begin: this.#replay.begin,
            port: port1,
            counted,
          }),
          transfer: [port1],
          onNotice: (notice) => this.#onNotice(attempt, notice),
        });
        this.#gauges = this.#source.gauges;
        await this.#inspections.handTo(this.#source);
        const started = startedConnector(this.connector, this.#context.relay !== null);
        await startConnector(this.#source, { endpoint, started }, this.#context);
        if (this.#state !== 'opening') return;
        this.#isFlowing = true;
        this.#error = null;
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
        this.#isHeld = true;
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
        this.#isHeld = false;
        await this.#context.engine().ask({ kind: 'release input', endpoint: this.connector.endpoint });
        if (this.#state === 'recovering') return;
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
    this.#cancelBackOff();
    this.#move('end');
    void this.#close(this.#context.relay === null ? 'discard' : 'keep');
  }

  /** Ends it with this error, or has it opened again later when the error may pass. */
  fail(error: unknown, repeats = false): void {
    if (this.isOver || this.#state === 'recovering') return;
    const data = errorToData(error);
    const delay = this.#restarts.delayAfter(data, this.#gauges?.get('records') ?? 0, repeats);
    const { endpoint } = this.connector;
    this.#isFlowing = false;
    this.#error = data;
    this.#lastFailure = { error: data, time: this.#context.clock.now() };
    if (delay === null) {
      this.#context.log.error(`connector ${endpoint} has failed: ${data.message}`, { endpoint, code: data.code });
      this.#move('fail');
      void this.#close('keep');
      this.#context.relay?.onFatal(endpoint, error);
      return;
    }
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
    this.#move('retry');
    // What it has sent is on its way, and is not read again.
    void this.#close('keep');
  }

  /** Removed, or the pipeline stops. With `discard` what it has sent is not taken any more. */
  async stop(rows: 'keep' | 'discard'): Promise<void> {
    if (this.#state !== 'stopped') this.#move('stop');
    this.#cancelBackOff();
    this.#isFlowing = false;
    if (rows === 'discard') {
      this.#isHasty = true;
      this.#impatience.abort();
    } else await this.#finish();
    await this.#close(rows);
  }

  /** Reads no more, after what it already has; all of that is sent. The first half of a graceful stop. */
  async quiesce(): Promise<void> {
    // What it sends may be refused, and end everything, before its answer that it is open has come.
    const hasOpened = this.#source !== null && this.#gauges?.get('open') === 1;
    const isOpening = this.#state === 'opening' && !hasOpened;
    if (!this.isOver) this.#move('stop');
    this.#cancelBackOff();
    this.#isFlowing = false;
    if (isOpening && this.#context.relay !== null) {
      // It has read nothing yet, and may never come back from being opened: nobody waits for that.
      this.#isHasty = true;
      this.#impatience.abort();
      return;
    }
    await this.#finish();
    if (this.#context.relay !== null) return;
    // The sender's channel goes with the source: what its outputs still confirm is told to nobody.
    this.#impatience.abort();
    await this.#stopSource();
  }

  /** Has the source stop, and what it still has sent. One that fails, or has ended, has nothing left. */
  async #finish(): Promise<void> {
    const source = this.#source;
    if (source === null || this.#hasSourceEnded || this.#closing !== null) return;
    try {
      const { stopMs: deadlineMs } = this.#context.deadlines;
      const { endpoint } = this.connector;
      await withinDeadline(endpoint, 'stop', deadlineMs, () => source.ask({ kind: 'finish' }, { deadlineMs }));
    } catch (error) {
      this.#error ??= errorToData(error);
      this.#context.log.warn(`stopping ${this.connector.endpoint}`, { cause: errorToData(error).message });
    }
  }

  /** The second half: what was delivered is stored and acknowledged, for at most `patienceMs`; then it is torn down. */
  async release(patienceMs: number, isWhole: boolean): Promise<void> {
    if (this.#context.relay === null) return;
    this.#settlesPartly = !isWhole;
    const since = this.#context.clock.now();
    if (patienceMs > 0) this.#release = { call: 'acknowledge', since, until: since + patienceMs };
    this.#context.onChange();
    const timer = this.#context.clock.after(patienceMs, () => this.#impatience.abort());
    try {
      await this.#close('keep');
    } finally {
      timer.cancel();
    }
  }

  /** A connector that hung when it was let go of, and in what; null: it came back from everything. */
  get detached(): DetachedConnector | null {
    const { phase } = this.#health;
    return phase === null || this.#source !== null
      ? null
      : { endpoint: this.connector.endpoint, direction: 'input', phase };
  }

  get awaited(): AwaitedCall | null {
    return this.#source === null ? null : (this.#release ?? this.#health.awaited(this.#context.deadlines));
  }

  get health(): ConnectorHealth {
    const { clock, deadlines } = this.#context;
    if (this.isOver) return healthy;
    const repliedAt = this.#hasSourceEnded ? 0 : (this.#gauges?.get('repliedAt') ?? 0);
    return this.#health.health(this.#state, repliedAt, clock.now(), deadlines.stallMs);
  }

  /** Looks at the gauges: is it kept back just now? */
  sample(): void {
    if (this.#health.hasChanged(this.health)) this.#context.onChange();
    const isThrottled = this.#gauges?.get('throttled') === 1 && !this.#hasSourceEnded;
    if (this.#state === 'running' && isThrottled) this.#move('throttle');
    else if (this.#state === 'throttled' && !isThrottled) this.#move('flow');
  }

  /** A port on which records that pass come from now on, or from when it is opened. @throws ActorGone */
  inspect(point: InspectionPoint): Promise<MessagePort> {
    return this.#inspections.open(this.#source, point);
  }

  /** The latest errors, from the actor while it lives. */
  errors(): Promise<SourceErrors> {
    return this.#errors.ask(this.#source);
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
    switch (notice.kind) {
      case 'source ended':
        this.#hasSourceEnded = true;
        return;
      case 'source failed':
        this.fail(errorFromData(notice.error), notice.repeats);
        return;
      case 'phase':
        this.#health.entered(notice.phase, this.#context.clock.now());
        return;
      case 'stalled':
        this.#health.stalled(notice.reason, this.#context.clock.now() - notice.forMs);
        this.#context.onChange();
        return;
      case 'teardown failed':
        // What came before it is why it is torn down.
        this.#error ??= notice.error;
        this.#context.onChange();
        return;
      case 'wants acknowledgements':
        this.#replay.wantsAcknowledgements = true;
        return;
      case 'source said': {
        const { endpoint } = this.connector;
        this.#context.log.info(`connector ${endpoint}: ${notice.message}`, { endpoint, ...notice.fields });
        return;
      }
      case 'position reached':
        this.#reached(notice.sequence, notice.position);
    }
  }

  /** It is told once the position is stored; without a keeper nothing is to be stored. */
  #reached(sequence: number, position: Position): void {
    const { relay } = this.#context;
    const source = this.#source;
    relay?.positions.reached(this.connector.endpoint, position, () => source?.tell({ kind: 'stored', sequence }));
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
    if (this.#context.relay !== null) {
      // Its channel brings the word of what is delivered.
      if (rows === 'keep') await this.#settle();
      await this.#stopSource();
      return await this.#detach(rows);
    }
    // One that has come to its end is told what becomes of its rows, and keeps nobody waiting for that.
    if (this.#state === 'ended' && this.#replay.wantsAcknowledgements) {
      if (this.#context.acknowledgesCheckpoints) await this.#detach(rows);
      await this.#settle();
    }
    await this.#stopSource();
    await this.#detach(rows);
  }

  async #detach(rows: 'keep' | 'discard'): Promise<void> {
    if (!this.#isAttached) return;
    try {
      const detach = { kind: 'detach input', endpoint: this.connector.endpoint, discard: rows === 'discard' } as const;
      // Rows that are kept may have a long queue before them: the engine takes them at its own pace.
      await this.#context.engine().ask(detach, { deadlineMs: Number.POSITIVE_INFINITY });
    } catch (error) {
      this.#context.log.debug(`detaching ${this.connector.endpoint}`, { cause: errorToData(error).message });
    }
    this.#isAttached = false;
    this.#isHeld = false;
    this.#hasSourceEnded = false;
    this.#context.onChange();
  }

  /** Resolves when what it has sent is delivered, or in a checkpoint that is stored, and it has been told. */
  async #settle(): Promise<void> {
    const source = this.#source;
    if (source === null) return;
    const { signal } = this.#impatience;
    if (this.#context.acknowledgesCheckpoints && this.#context.relay === null)
      await this.#replay.whenDurable(this.takenRecords, signal);
    try {
      const message = { kind: 'settle', partly: this.#settlesPartly } as const;
      await source.ask(message, { deadlineMs: Number.POSITIVE_INFINITY, signal });
    } catch (error) {
      this.#context.log.debug(`settling ${source.id}`, { cause: errorToData(error).message });
    } finally {
      this.#release = null;
    }
  }

  async #stopSource(): Promise<void> {
    const source = this.#source;
    if (source === null) return;
    const errors = this.errors();
    const points = (this.#context.relay === null ? this.#replay.keepPoints(source) : Promise.resolve()).catch(
      (error) => {
        // It has died, or hangs: it is read again from where this run began.
        this.#context.log.debug(`no replay points from ${source.id}`, { cause: errorToData(error).message });
      },
    );
    await Promise.all([errors, points]);
    this.#errors.closeAttempt();
    this.#source = null;
    const isHasty = this.#isHasty || this.#context.relay === null;
    await source.stop(isHasty ? stopDeadlineMs : this.#context.deadlines.teardownMs);
  }
}
