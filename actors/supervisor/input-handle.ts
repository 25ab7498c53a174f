// One input connector as the supervisor holds it: its state, what is wanted of it, its failures and restarts.
//
// The supervisor decides (reconcile.ts), this performs, by way of its source actor and its input of the engine (input-attachment.ts).
// Every change of state goes through the transition table. After the connector is over (ended, failed, removed) its actor is stopped, and its
// counters and lists of errors are kept. `onChange` is called after every change; it never throws into the caller. A failure never rejects a
// method: it is the connector's state.

import type { MessagePort } from 'node:worker_threads';
import type { InputConnector } from '../../connectors/sdk/connector-configuration.ts';
import type { Position } from '../../connectors/sdk/source.ts';
import type { Relation } from '../../runtime/batch/schema.ts';
import type { Timer } from '../../runtime/clock.ts';
import { type ErrorData, errorFromData, errorToData, type MillraceError } from '../../runtime/errors.ts';
import { relate } from '../../runtime/log.ts';
import type { Gauges } from '../../runtime/metrics.ts';
import { countedBy } from '../carried-counts.ts';
import type { InspectionPoint } from '../inspection-point.ts';
import type { SourceErrors, SourceNotice } from '../source/messages.ts';
import type { AwaitedCall } from './awaited-call.ts';
import type { ConnectorContext } from './connector-context.ts';
import { type ConnectorHealth, HealthWatch, healthy } from './connector-health.ts';
import { type ConnectorEvent, type ConnectorState, nextConnectorState } from './connector-lifecycle.ts';
import type { DetachedConnector } from './connector-startup.ts';
import { InputAttachment, type UnreadRows } from './input-attachment.ts';
import { InputReplay } from './input-replay.ts';
import { InputRestarts } from './input-restarts.ts';
import type { ConnectorFailure, InputCheckpoint } from './messages.ts';
import type { InputDesired, InputObserved } from './reconcile.ts';
import type { TableTraits } from './source-arguments.ts';

export class InputHandle {
  readonly connector: InputConnector;
  readonly #context: ConnectorContext;
  readonly #replay = new InputReplay();
  readonly #attachment: InputAttachment;
  #state: ConnectorState = 'created';
  #desired: InputDesired;
  #error: ErrorData | null = null;
  #lastFailure: ConnectorFailure | null = null;
  #isFlowing = false;
  #isBusy = false;
  readonly #restarts: InputRestarts;
  #backOff: Timer | null = null;
  readonly #health = new HealthWatch();
  #attempt = 0;

  constructor(connector: InputConnector, relation: Relation, traits: TableTraits, context: ConnectorContext) {
    this.connector = connector;
    this.#context = context;
    this.#attachment = new InputAttachment(connector, relation, traits, context, this.#replay);
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
    return this.#attachment.gauges;
  }

  /** Rows of this run that have entered steps, as the engine last said. */
  get takenRecords(): number {
    return this.#replay.takenRecords;
  }

  set takenRecords(records: number) {
    this.#replay.takenRecords = records;
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
      attached: this.#attachment.isAttached,
      flowing: this.#isFlowing,
      // What a held one had sent before it failed is taken when it is released.
      busy: this.#isBusy || (this.#attachment.isClosing && !this.#attachment.isHeld),
      backingOff: this.#backOff !== null,
    };
  }

  /** Ended, failed or stopped. */
  get isOver(): boolean {
    return this.#state === 'ended' || this.#state === 'failed' || this.#state === 'stopped';
  }

  /** Nothing of it is left in the engine's mailbox, and its actor is gone. */
  get isClosed(): boolean {
    return this.isOver && !this.#attachment.isAttached;
  }

  /** Everything that the source has is sent, whether or not a step has taken it. */
  get hasSourceEnded(): boolean {
    return this.#attachment.hasSourceEnded;
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
    const { source } = this.#attachment;
    await this.#replay.noteCheckpoint(source, takenRecords);
    // Without an entry of the engine it has not been opened in this run, or not been attached for long.
    if (ended || (this.#state === 'ended' && this.#attempt === 0))
      return { endpoint, position: null, ended: true, paused };
    await this.#replay.keepPoints(source);
    return { endpoint, position: this.#replay.positionBehind(takenRecords), ended: false, paused };
  }

  /** The latest checkpoint is stored: the source is told how far it holds its rows. */
  checkpointStored(): void {
    const position = this.#replay.checkpointStored();
    if (position !== null) this.#attachment.source?.tell({ kind: 'acknowledge', position });
  }

  /** Rows have entered steps, or it has moved on without any, and its source waits to hear that this is durable. */
  get awaitsCheckpoint(): boolean {
    return this.#replay.isAwaiting;
  }

  /** How often it has moved on without a row: what no step tells of. */
  get moves(): number {
    return this.#replay.moves;
  }

  // ── actions of reconcile ──

  wait(): void {
    this.#move('wait');
  }

  async open(): Promise<void> {
    const attempt = ++this.#attempt;
    this.#move('open');
    this.#health.reset();
    const takenRecords = countedBy(this.gauges).records ?? 0;
    this.#restarts.opened(takenRecords);
    if (this.#context.relay === null) this.#replay.goOnBehind(takenRecords);
    await this.#whileBusy(async () => {
      try {
        await this.#attachment.attach(attempt, takenRecords, (notice) => this.#onNotice(attempt, notice));
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
    if (!this.#attachment.isAttached) {
      this.#cancelBackOff();
      return this.#move('pause');
    }
    await this.#whileBusy(async () => {
      try {
        await this.#attachment.hold();
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
        await this.#attachment.takeAgain();
        if (this.#state === 'recovering') return;
        await this.#attachment.resumeSource();
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
    const delay = this.#restarts.delayAfter(data, this.gauges?.get('records') ?? 0, repeats);
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
  async stop(rows: UnreadRows): Promise<void> {
    if (this.#state !== 'stopped') this.#move('stop');
    this.#cancelBackOff();
    this.#isFlowing = false;
    if (rows === 'discard') this.#attachment.hurry();
    else await this.#finish();
    await this.#close(rows);
  }

  /** Reads no more, after what it already has; all of that is sent. The first half of a graceful stop. */
  async quiesce(): Promise<void> {
    // What it sends may be refused, and end everything, before its answer that it is open has come.
    const hasOpened = this.#attachment.source !== null && this.gauges?.get('open') === 1;
    const isOpening = this.#state === 'opening' && !hasOpened;
    if (!this.isOver) this.#move('stop');
    this.#cancelBackOff();
    this.#isFlowing = false;
    if (isOpening && this.#context.relay !== null) {
      // It has read nothing yet, and may never come back from being opened: nobody waits for that.
      this.#attachment.hurry();
      return;
    }
    await this.#finish();
    if (this.#context.relay !== null) return;
    // The sender's channel goes with the source: what its outputs still confirm is told to nobody.
    this.#attachment.giveUpWaiting();
    await this.#attachment.stopSource();
  }

  async #finish(): Promise<void> {
    const failure = await this.#attachment.finish();
    if (failure !== null) this.#error ??= failure;
  }

  /** The second half: what was delivered is stored and acknowledged, for at most `patienceMs`; then it is torn down. */
  async release(patienceMs: number, isWhole: boolean): Promise<void> {
    if (this.#context.relay === null) return;
    this.#attachment.settlesPartly = !isWhole;
    const since = this.#context.clock.now();
    if (patienceMs > 0) this.#attachment.releases({ call: 'acknowledge', since, until: since + patienceMs });
    this.#context.onChange();
    const timer = this.#context.clock.after(patienceMs, () => this.#attachment.giveUpWaiting());
    try {
      await this.#close('keep');
    } finally {
      timer.cancel();
    }
  }

  /** A connector that hung when it was let go of, and in what; null: it came back from everything. */
  get detached(): DetachedConnector | null {
    const { phase } = this.#health;
    return phase === null || this.#attachment.source !== null
      ? null
      : { endpoint: this.connector.endpoint, direction: 'input', phase };
  }

  get awaited(): AwaitedCall | null {
    const { source, release } = this.#attachment;
    return source === null ? null : (release ?? this.#health.awaited(this.#context.deadlines));
  }

  get health(): ConnectorHealth {
    const { clock, deadlines } = this.#context;
    if (this.isOver) return healthy;
    const repliedAt = this.hasSourceEnded ? 0 : (this.gauges?.get('repliedAt') ?? 0);
    return this.#health.health(this.#state, repliedAt, clock.now(), deadlines.stallMs);
  }

  /** Looks at the gauges: is it kept back just now? */
  sample(): void {
    if (this.#health.hasChanged(this.health)) this.#context.onChange();
    const isThrottled = this.gauges?.get('throttled') === 1 && !this.hasSourceEnded;
    if (this.#state === 'running' && isThrottled) this.#move('throttle');
    else if (this.#state === 'throttled' && !isThrottled) this.#move('flow');
  }

  /** A port on which records that pass come from now on, or from when it is opened. @throws ActorGone */
  inspect(point: InspectionPoint): Promise<MessagePort> {
    return this.#attachment.inspect(point);
  }

  /** The latest errors, from the actor while it lives. */
  errors(): Promise<SourceErrors> {
    return this.#attachment.errors();
  }

  /** The error it has failed with, as an error. */
  get cause(): MillraceError | null {
    return this.#error === null ? null : errorFromData(this.#error);
  }

  /** Id of its actor while it lives. */
  get actor(): string | null {
    return this.#attachment.source?.id ?? null;
  }

  #onNotice(attempt: number, notice: SourceNotice): void {
    if (attempt !== this.#attempt) return;
    switch (notice.kind) {
      case 'source ended':
        this.#attachment.sourceEnded();
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
      case 'position moved':
        this.#replay.moved();
        return;
      case 'source said': {
        const { endpoint } = this.connector;
        relate(this.#context.log, `connector ${endpoint}: ${notice.message}`, { endpoint, ...notice.fields });
        return;
      }
      case 'position reached':
        this.#reached(notice.sequence, notice.position);
    }
  }

  /** It is told once the position is stored; without a keeper nothing is to be stored. */
  #reached(sequence: number, position: Position): void {
    const { relay } = this.#context;
    const { source } = this.#attachment;
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
      await this.#attachment.whenClosed();
    } finally {
      this.#isBusy = false;
      this.#context.onChange();
    }
  }

  #cancelBackOff(): void {
    this.#backOff?.cancel();
    this.#backOff = null;
  }

  #close(rows: UnreadRows): Promise<void> {
    return this.#attachment.close(rows, this.#state === 'ended');
  }
}
