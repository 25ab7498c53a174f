// The supervisor: owner of every lifecycle transition of one pipeline.
//
// Lives on the control thread. It decides nothing: reconcile.ts says what has to happen to inputs, and the roster's
// handles perform it. Order at start: engine, destinations open, outputs attached, inputs. Stop is the reverse; with
// `force` what is queued is lost. Every call answers with a result or a coded error; nothing here touches a row.
import { type ActorRef, actorId, type SupervisionEvent } from '../../runtime/actor/actor.ts';
import { processMillis, type Timer } from '../../runtime/clock.ts';
import { type ErrorData, errorFromData, errorToData } from '../../runtime/errors.ts';
import type { MailboxLimits } from '../../runtime/mailbox/channel.ts';
import type {
  BoundQuery,
  EngineArguments,
  EngineCheckpoint,
  EngineMessage,
  EngineNotice,
  EngineProgress,
  QueryResult,
} from '../engine/messages.ts';
import type { InspectionPoint } from '../inspection-point.ts';
import type { PositionMark } from '../lifecycle-journal.ts';
import { CompletionLedger } from './completion-ledger.ts';
import { ConnectorRoster } from './connector-roster.ts';
import { engineStatistics } from './connector-statistics.ts';
import { DeadLetterReplay } from './dead-letter-replay.ts';
import { GatewayChannels } from './gateway-channels.ts';
import { tellGoneConnectors } from './gone-connectors.ts';
import type { InputHandle } from './input-handle.ts';
import { LifecycleKeeper } from './lifecycle-keeper.ts';
import type {
  CheckpointState,
  CompletionReport,
  DeadLetterReplayStatus,
  Direction,
  GatewayChannel,
  IngressChannel,
  InputConnectorStats,
  LatestDelivered,
  OutputConnectorStats,
  PipelineStats,
  PipelineStatus,
  StopReport,
  SupervisorInterface,
  TokenStatus,
  TransactionStatus,
} from './messages.ts';
import { nextPipelineState, type PipelineEvent, type PipelineState } from './pipeline-lifecycle.ts';
import { drainPipeline, type ReleasedPipeline, type ReleaseOptions, releasePipeline } from './pipeline-release.ts';
import { PositionKeeper } from './position-keeper.ts';
import { replayParts } from './replay-input.ts';
import {
  ConnectorFailed,
  ConnectorRemoved,
  EngineLost,
  NeedsNoProgram,
  PipelineAlreadyStarted,
  PipelineFailed,
  PipelineNotStarted,
  PipelineStopped,
  StopTimedOut,
} from './supervision-errors.ts';
import type { SupervisorArguments } from './supervisor-arguments.ts';

/** How often back-pressure is looked at. */
const sampleMs = 100;
/** What a failed pipeline's outputs get to write what was computed before the failure. */
const failureDrainMs = 10_000;
const stopDeadlineMs = 10_000;
const intakeThread = 'intake';
/** Whoever has the actor host may prepare it before there is a supervisor. */
export const engineThread = 'engine';
/** Of asks that a caller's signal bounds: a query, and the step before it, may take long. */
const noDeadline: number = Number.POSITIVE_INFINITY;

export class Supervisor implements SupervisorInterface {
  onStatus: (() => void) | null = null;
  readonly #args: SupervisorArguments;
  readonly #roster: ConnectorRoster;
  readonly #ledger: CompletionLedger;
  readonly #channels: GatewayChannels;
  readonly #lifecycle: LifecycleKeeper;
  readonly #positions: PositionKeeper;
  readonly #startedAt: number;
  /** What a drain and the end of everything work on. */
  readonly #released: ReleasedPipeline;
  /** Of dead letters; null: with SQL there are none. */
  readonly #replay: DeadLetterReplay | null;
  #state: PipelineState = 'created';
  #error: ErrorData | null = null;
  #transaction: TransactionStatus | null = null;
  #engine: ActorRef<EngineMessage> | null = null;
  #sampling: Timer | null = null;
  #stopping: Promise<StopReport> | null = null;
  #failing: Promise<void> | null = null;
  #isLookDue = false;

  constructor(args: SupervisorArguments) {
    this.#args = args;
    const { host, clock, log, program, defaultsOf } = args;
    const engine = (): ActorRef<EngineMessage> => this.#liveEngine();
    const onChange = (): void => this.#changed();
    this.#lifecycle = new LifecycleKeeper(args.journal);
    this.#positions = new PositionKeeper(args.journal, clock, log);
    const relay = args.relay && {
      ...args.relay,
      positions: this.#positions,
      onFatal: (endpoint: string, error: unknown) => this.#fail(new ConnectorFailed({ endpoint }, { cause: error })),
    };
    const context = { ...args, relay, lifecycle: this.#lifecycle, thread: intakeThread, engine, onChange };
    const deadLetters = args.relay?.args.deadLetters.endpoint ?? null;
    const connectors = [...args.inputs, ...args.outputs];
    this.#roster = new ConnectorRoster(
      { program, context, defaultsOf, deadLetters, ...(args.metadataOf && { metadataOf: args.metadataOf }) },
      connectors,
    );
    this.#replay =
      args.relay && relay
        ? new DeadLetterReplay(
            replayParts(args.relay, {
              roster: this.#roster,
              context: { ...context, relay },
              ended: (endpoint, signal) => this.connectorEnded('input', endpoint, signal),
              onGone: (endpoint) => this.#ledger.forget(endpoint),
            }),
          )
        : null;
    this.#ledger = new CompletionLedger(args.incarnation);
    this.#channels = new GatewayChannels(engine, log, (endpoint) => this.#roster.has(endpoint));
    this.#startedAt = clock.now();
    this.#released = {
      roster: this.#roster,
      host,
      log,
      isRelay: args.relay !== null,
      hasFailed: () => this.#error !== null,
      engine: () => this.#engine,
      giveUpEngine: () => {
        const engine = this.#engine;
        this.#engine = null;
        return engine;
      },
    };
    for (const image of [...(args.restore?.inputs ?? []), ...(args.continued ?? [])]) this.#roster.restore(image);
    host.onSupervision = (event) => this.#onSupervision(event);
  }

  // ── pipeline ──

  get status(): PipelineStatus {
    return { state: this.#state, error: this.#error, connectors: this.#roster.status };
  }

  async start(options: { readonly paused: boolean }): Promise<void> {
    const call = options.paused ? 'startPaused' : 'start';
    this.#refuseUnlessLive(call);
    if (this.#state !== 'created') throw new PipelineAlreadyStarted({ call, state: this.#state });
    this.#move('start');
    this.#sampling = this.#args.clock.every(sampleMs, () => this.#sample());
    try {
      await Promise.all([this.#lifecycle.load(), this.#positions.load()]);
      const here = this.#roster.handles.map(({ connector }) => connector);
      await tellGoneConnectors(here, this.#lifecycle, this.#args);
      // Both threads load what they run at the same time.
      if (this.#roster.inputs.length > 0) this.#args.host.prepare(intakeThread, 'source');
      this.#engine = await this.#spawnEngine();
      await Promise.all(this.#roster.outputs.map((output) => output.open()));
      for (const output of this.#roster.outputs) await output.attach();
    } catch (error) {
      this.#fail(error);
    }
    // It may have failed, or been stopped meanwhile.
    this.#refuseUnlessLive(call);
    this.#move(options.paused ? 'started paused' : 'started');
  }

  async pause(): Promise<void> {
    this.#refuseUnlessStarted('pause');
    if (this.#state === 'running') this.#move('pause');
    await this.#whenSettled('pause', () => this.#roster.inputs);
  }

  async resume(): Promise<void> {
    this.#refuseUnlessStarted('resume');
    if (this.#state === 'paused') this.#move('resume');
  }

  async drain(signal: AbortSignal): Promise<void> {
    this.#refuseUnlessStarted('drain');
    await Promise.all(this.#roster.inputs.map((input) => input.quiesce()));
    await drainPipeline(this.#released, signal);
    this.#refuseUnlessLive('drain');
  }

  stop(options: ReleaseOptions): Promise<StopReport> {
    this.#stopping ??= this.#stopOnce(options);
    return this.#stopping;
  }

  // ── connectors ──

  async pauseConnector(endpoint: string): Promise<void> {
    this.#refuseUnlessLive('pauseConnector');
    const output = this.#roster.outputOf(endpoint);
    if (output !== null) return await output.pause();
    const input = this.#roster.input(endpoint);
    input.desired = { ...input.desired, paused: true };
    this.#changed();
    await this.#whenSettled('pauseConnector', () => [input]);
  }

  async resumeConnector(endpoint: string): Promise<void> {
    this.#refuseUnlessLive('resumeConnector');
    const output = this.#roster.outputOf(endpoint);
    if (output !== null) return await output.resume();
    const input = this.#roster.input(endpoint);
    const startedByHand = input.desired.startedByHand || this.#roster.waitingFor(endpoint).length > 0;
    input.desired = { ...input.desired, paused: false, startedByHand };
    this.#changed();
    await this.#whenSettled('resumeConnector', () => [input]);
    if (input.state === 'failed') throw new ConnectorFailed({ endpoint }, { cause: input.cause });
  }

  async addConnector(direction: Direction, key: string, definition: unknown): Promise<string> {
    this.#refuseUnlessLive('addConnector');
    const connector = this.#args.extend(direction, key, definition);
    if (connector.kind === 'input') {
      this.#roster.addInput(connector);
    } else {
      const output = this.#roster.addOutput(connector);
      if (this.#engine !== null) {
        await output.open();
        await output.attach();
      }
    }
    this.#changed();
    return connector.endpoint;
  }

  async removeConnector(direction: Direction, endpoint: string): Promise<void> {
    this.#refuseUnlessLive('removeConnector');
    if (direction === 'output') {
      const output = this.#roster.output(endpoint);
      await output.drain(AbortSignal.timeout(stopDeadlineMs)).catch((error) => output.fail(error));
      await output.stop();
      await output.abandon();
    } else {
      const input = this.#roster.input(endpoint);
      this.#roster.assertRemovable(input);
      // Rows of a held input would never be taken.
      await input.stop(input.observed.flowing ? 'keep' : 'discard');
    }
    this.#roster.forget(direction, endpoint);
    if (direction === 'input') this.#ledger.forget(endpoint);
    this.#args.shrink(direction, endpoint);
    this.#changed();
  }

  // ── waiting ──

  async connectorEnded(direction: Direction, endpoint: string, signal: AbortSignal): Promise<void> {
    const handle = this.#roster.handle(direction, endpoint);
    await this.#ledger.when(() => {
      if (handle.state === 'failed') throw new ConnectorFailed({ endpoint }, { cause: handle.cause });
      if (handle.state === 'ended') return true;
      // While a graceful stop drains it, a connector may still come to its end.
      if (this.#state !== 'draining' || handle.state === 'stopped') this.#refuseUnlessLive('connectorEnded');
      if (handle.state === 'stopped') throw new ConnectorRemoved({ endpoint });
      return false;
    }, signal);
  }

  async allCompleted(signal: AbortSignal): Promise<CompletionReport> {
    this.#refuseUnlessStarted('waitForCompletion');
    const when = (isDone: () => boolean): Promise<void> =>
      this.#ledger.when(() => {
        this.#refuseUnlessLive('waitForCompletion');
        return isDone();
      }, signal);
    await when(() => this.#roster.areInputsThrough && this.#ledger.areMarksStepped);
    // Rows of an input that failed are in a step too, of which nobody was told.
    const { steps } = await this.#liveEngine().ask<EngineProgress>({ kind: 'progress' }, { signal });
    for (const output of this.#roster.outputs) output.writeThrough(steps);
    await when(() => this.#ledger.completedStep >= steps);
    return { failed: this.#roster.failed, stuck: [...this.#roster.stuck] };
  }

  async whenRunning(signal: AbortSignal): Promise<void> {
    await this.#ledger.when(() => {
      this.#refuseUnlessStarted('inputJson');
      return this.#state === 'running';
    }, signal);
  }

  async tokenCompleted(token: string, signal: AbortSignal): Promise<void> {
    const isComplete = this.#ledger.isTokenComplete(token);
    await this.#ledger.when(() => {
      if (isComplete()) return true;
      // A graceful stop still carries out what was pushed.
      if (this.#state !== 'draining') this.#refuseUnlessLive('completed');
      return false;
    }, signal);
  }

  // ── data for gateways ──

  async query(sql: string | BoundQuery, signal: AbortSignal): Promise<QueryResult> {
    this.#refuseUnlessStarted('query');
    const query = typeof sql === 'string' ? this.#args.compileQuery(sql) : sql;
    return await this.#liveEngine().ask<QueryResult>({ kind: 'query', query }, { signal, deadlineMs: noDeadline });
  }

  async openIngress(table: string, limits: MailboxLimits): Promise<GatewayChannel> {
    this.#refuseUnlessStarted('inputJson');
    return await this.#channels.openIngress(table, limits);
  }

  nextMark(endpoint: string): { mark: number; token: string } {
    return this.#ledger.nextMark(endpoint);
  }

  async openEgress(relation: string, limits: MailboxLimits, sendSnapshot: boolean): Promise<GatewayChannel> {
    this.#refuseUnlessStarted('listen');
    return await this.#channels.openEgress(relation, limits, sendSnapshot);
  }

  closeEgress(endpoint: string): Promise<void> {
    return this.#channels.closeEgress(endpoint);
  }

  async openIngressPort(table: string, endpoint: string, limits: MailboxLimits): Promise<IngressChannel> {
    this.#refuseUnlessStarted('openIngressPort');
    const channel = await this.#channels.openIngress(table, limits, endpoint);
    this.#ledger.admit(channel.endpoint);
    return { ...channel, defaults: this.#args.defaultsOf(table), incarnation: this.#ledger.incarnation };
  }

  closeIngressPort(endpoint: string): Promise<void> {
    return this.#channels.closeIngress(endpoint);
  }

  async openEgressPort(
    relation: string,
    endpoint: string,
    limits: MailboxLimits,
    options: { readonly sendSnapshot: boolean; readonly everyStep: boolean },
  ): Promise<GatewayChannel & { readonly step: number }> {
    this.#refuseUnlessStarted('openEgressPort');
    const { sendSnapshot, everyStep } = options;
    return await this.#channels.openEgress(relation, limits, sendSnapshot, {
      endpoint,
      everyStep,
      closesSnapshot: true,
    });
  }

  async openInspection(endpoint: string, point: InspectionPoint): Promise<GatewayChannel> {
    this.#refuseUnlessLive('openInspection');
    return { endpoint, port: await this.#roster.inspect(endpoint, point) };
  }

  tokenStatus(token: string): TokenStatus {
    return this.#ledger.tokenStatus(token);
  }

  async connectorToken(endpoint: string): Promise<string> {
    const input = this.#roster.input(endpoint);
    return this.#ledger.recordsToken(endpoint, input.gauges?.get('records') ?? 0);
  }

  async latestDelivered(endpoint: string, signal: AbortSignal): Promise<LatestDelivered | null> {
    const { gauges } = this.#roster.input(endpoint);
    if (gauges === null || gauges.get('sentAt') === 0) return null;
    let sentAt: number;
    let records: number;
    // Its thread may write meanwhile: moment and number have to be of the same batch.
    do {
      sentAt = gauges.get('sentAt');
      records = gauges.get('records');
    } while (sentAt !== gauges.get('sentAt'));
    await this.tokenCompleted(this.#ledger.recordsToken(endpoint, records), signal);
    return { records, milliseconds: processMillis() - sentAt };
  }

  async checkpoint(signal: AbortSignal): Promise<CheckpointState> {
    this.#refuseUnlessStarted('checkpoint');
    const ask = { signal, deadlineMs: noDeadline };
    const taken = await this.#liveEngine().ask<EngineCheckpoint>({ kind: 'checkpoint' }, ask);
    const counted = new Map(taken.inputs.map((input) => [input.endpoint, input]));
    const inputs = await Promise.all(
      this.#roster.inputs.map((input) => {
        const { takenRecords = 0, ended = false } = counted.get(input.connector.endpoint) ?? {};
        return input.checkpoint(takenRecords, ended);
      }),
    );
    const { steps, processedRecords } = taken;
    const parts = taken.parts.map((bytes, n) => ({ name: `circuit-${String(n).padStart(5, '0')}`, bytes }));
    return { fingerprint: this.#args.fingerprint, steps, processedRecords, parts, inputs };
  }

  checkpointStored(): void {
    for (const input of this.#roster.inputs) input.checkpointStored();
  }

  async startTransaction(): Promise<number> {
    this.#refuseUnlessStarted('startTransaction');
    const id = await this.#liveEngine().ask<number>({ kind: 'start transaction' }, { deadlineMs: noDeadline });
    this.#transaction = { id, status: 'started' };
    return id;
  }

  async commitTransaction(): Promise<void> {
    this.#refuseUnlessStarted('commitTransaction');
    const transaction = this.#transaction;
    if (transaction !== null) this.#transaction = { ...transaction, status: 'committing' };
    await this.#liveEngine().ask({ kind: 'commit transaction' }, { deadlineMs: noDeadline });
  }

  async replayDeadLetters(signal: AbortSignal): Promise<DeadLetterReplayStatus> {
    this.#refuseUnlessStarted('replayDeadLetters');
    if (this.#replay === null) throw new NeedsNoProgram({ call: 'replayDeadLetters' });
    return await this.#replay.run(signal);
  }

  get deadLetterReplay(): DeadLetterReplayStatus {
    return this.#replay?.status ?? { state: 'none', replayed: 0, unreadable: 0, error: null };
  }

  get positions(): readonly PositionMark[] {
    return [...this.#positions.all].map(([connector, position]) => ({ connector, position }));
  }

  inputStats(endpoint: string): Promise<InputConnectorStats> {
    return this.#roster.inputStats(endpoint);
  }

  async outputStats(endpoint: string): Promise<OutputConnectorStats> {
    await this.#progress();
    return await this.#roster.outputStats(endpoint);
  }

  async stats(): Promise<PipelineStats> {
    const engine = this.#engine;
    const progress = await this.#progress();
    const roster = this.#roster.stats;
    const { rss, heapUsed, arrayBuffers } = process.memoryUsage();
    return {
      state: this.#state,
      incarnation: this.#ledger.incarnation,
      uptimeMs: this.#args.clock.now() - this.#startedAt,
      threads: this.#args.host.threads,
      memory: { rssBytes: rss, heapBytes: heapUsed, arrayBuffersBytes: arrayBuffers },
      engine: engine === null || progress === null ? null : engineStatistics(engine.gauges, progress),
      ...roster,
      // In a transaction no step is taken before the commit, for which clients wait until the inputs have ended.
      inputs:
        this.#transaction === null
          ? roster.inputs
          : roster.inputs.map((input) => ({
              ...input,
              endOfInput: input.endOfInput || this.#roster.input(input.endpoint).hasSourceEnded,
            })),
      gatewayInputs: (progress?.inputs ?? []).filter(({ endpoint }) => !this.#roster.has(endpoint)),
      gatewayOutputs: (progress?.outputs ?? []).filter(({ endpoint }) => !this.#roster.has(endpoint)),
      transaction: this.#transaction,
      awaitsCheckpoint: this.#roster.inputs.some((input) => input.awaitsCheckpoint),
    };
  }

  // ── inside ──

  async #spawnEngine(): Promise<ActorRef<EngineMessage>> {
    const { program, onError, stepRowsMax, workers = 1, host, relay } = this.#args;
    const common = {
      id: actorId('engine'),
      thread: engineThread,
      onNotice: (notice: EngineNotice) => this.#onEngineNotice(notice),
    };
    if (relay !== null) return await host.spawn({ ...common, behaviour: 'relay', args: relay.args, transfer: [] });
    const { restore: image } = this.#args;
    const parts = (image?.parts ?? []).map(({ bytes }) => bytes);
    const restore = image && { steps: image.steps, processedRecords: image.processedRecords, parts };
    const args: EngineArguments = { program, onError, stepRowsMax, workers, restore };
    return await host.spawn<EngineMessage, EngineNotice>({
      ...common,
      behaviour: 'engine',
      args,
      transfer: parts,
    });
  }

  /** null while there is no engine, or when it is gone before it can answer. */
  async #progress(): Promise<EngineProgress | null> {
    const progress = await this.#engine?.ask<EngineProgress>({ kind: 'progress' }).catch(() => null);
    this.#roster.noteQueues(progress?.outputs ?? []);
    return progress ?? null;
  }

  #onEngineNotice(notice: EngineNotice): void {
    switch (notice.kind) {
      case 'input finished':
        this.#roster.finished(notice.endpoint);
        break;
      case 'mark stepped':
        this.#ledger.markStepped(notice.endpoint, notice.mark, notice.step);
        break;
      case 'records stepped':
        this.#roster.noteTaken(notice.endpoint, notice.records);
        this.#ledger.recordsStepped(notice.endpoint, notice.records, notice.step);
        break;
      case 'transaction committed':
        if (this.#transaction?.id === notice.id) this.#transaction = null;
        break;
      case 'step completed':
        this.#ledger.stepCompleted(notice.step);
        break;
      case 'evaluation failed':
      case 'refused too often':
        this.#fail(errorFromData(notice.error));
    }
  }

  #onSupervision(event: SupervisionEvent): void {
    if (event.kind === 'actor stopped') return;
    const actors: readonly string[] = event.kind === 'actor failed' ? [event.actor] : event.actors;
    if (this.#engine !== null && actors.includes(this.#engine.id)) {
      this.#engine = null;
      this.#fail(new EngineLost({}, { cause: event.error }));
    }
    this.#roster.lost(actors, event.error);
  }

  #fail(error: unknown): void {
    if (this.#state === 'failed' || this.#state === 'stopped') return;
    this.#error = errorToData(error);
    this.#transaction = null;
    this.#args.log.error(`the pipeline has failed: ${this.#error.message}`, { code: this.#error.code });
    this.#move('fail');
    this.#failing = this.#release({ force: this.#engine === null, timeoutMs: failureDrainMs }).then(
      () => undefined,
      (cause) => this.#args.log.debug('releasing a failed pipeline', { cause: errorToData(cause).message }),
    );
  }

  async #stopOnce(options: ReleaseOptions): Promise<StopReport> {
    await this.#failing;
    this.#move('stop');
    const isDrained = await this.#release(options);
    this.#move('drained');
    const detached = this.#roster.handles.flatMap((handle) => handle.detached ?? []);
    if (!isDrained && !options.force) throw new StopTimedOut({ timeoutMs: options.timeoutMs, detached });
    return { detached };
  }

  #release(options: ReleaseOptions): Promise<boolean> {
    this.#sampling?.cancel();
    return releasePipeline(this.#released, options);
  }

  #move(event: PipelineEvent): void {
    this.#state = nextPipelineState(this.#state, event);
    this.#roster.pipeline = this.#state === 'paused' ? 'paused' : 'running';
    this.#changed();
  }

  /** Something has changed: connectors are looked at once the present call is through, and everybody is told. */
  #changed(): void {
    if (this.#isLookDue) return;
    this.#isLookDue = true;
    queueMicrotask(() => {
      this.#isLookDue = false;
      if (this.#state === 'running' || this.#state === 'paused') this.#roster.perform();
      this.#ledger.check();
      this.onStatus?.();
    });
  }

  #sample(): void {
    for (const handle of this.#roster.handles) handle.sample();
  }

  async #whenSettled(call: string, inputs: () => readonly InputHandle[]): Promise<void> {
    if (this.#state === 'created') return;
    await this.#ledger.when(() => {
      this.#refuseUnlessLive(call);
      return this.#roster.isSettled(inputs());
    }, new AbortController().signal);
  }

  #liveEngine(): ActorRef<EngineMessage> {
    if (this.#engine === null) throw new EngineLost({});
    return this.#engine;
  }

  #refuseUnlessStarted(call: string): void {
    this.#refuseUnlessLive(call);
    if (this.#state === 'created' || this.#state === 'starting') throw new PipelineNotStarted({ call });
  }

  #refuseUnlessLive(call: string): void {
    if (this.#state === 'failed') {
      const cause = this.#error === null ? {} : { cause: errorFromData(this.#error) };
      throw new PipelineFailed({ call, reason: this.#error?.message ?? 'for no known reason' }, cause);
    }
    if (this.#state === 'stopped' || this.#state === 'draining') {
      throw new PipelineStopped({ call, state: this.#state });
    }
  }
}
