// The supervisor: owner of every lifecycle transition of one pipeline.
//
// Lives on the control thread. It decides nothing: reconcile.ts says what has to happen to inputs, and the roster's
// handles perform it. Order at start: engine, destinations open, outputs attached, inputs. Stop is the reverse; with
// `force` what is queued is lost. Every call answers with a result or a coded error; nothing here touches a row.
import type { InputConnector } from '../../connectors/sdk/connector-configuration.ts';
import type { ActorRef, SupervisionEvent } from '../../runtime/actor/actor.ts';
import type { Timer } from '../../runtime/clock.ts';
import { errorFromData, errorToData } from '../../runtime/errors.ts';
import type { MailboxLimits } from '../../runtime/mailbox/channel.ts';
import type { BoundQuery, EngineMessage, EngineNotice, EngineProgress, QueryResult } from '../engine/messages.ts';
import type { InspectionPoint } from '../inspection-point.ts';
import type { PositionMark } from '../lifecycle-journal.ts';
import type { ExpectedInput } from '../source/messages.ts';
import { CompletionLedger } from './completion-ledger.ts';
import { CompletionWaits } from './completion-waits.ts';
import { ConnectorCommands } from './connector-commands.ts';
import { ConnectorRoster } from './connector-roster.ts';
import { engineStatistics } from './connector-statistics.ts';
import { DeadLetterReplay } from './dead-letter-replay.ts';
import { spawnEngine } from './engine-spawning.ts';
import { GatewayChannels } from './gateway-channels.ts';
import { tellGoneConnectors } from './gone-connectors.ts';
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
  OutputCheckpoint,
  OutputConnectorStats,
  PipelineStats,
  PipelineStatus,
  StopReport,
  SupervisorInterface,
  TokenStatus,
  TransactionStatus,
} from './messages.ts';
import { PipelineCheckpoints } from './pipeline-checkpoint.ts';
import { PipelineCondition } from './pipeline-condition.ts';
import type { PipelineEvent } from './pipeline-lifecycle.ts';
import { drainPipeline, type ReleasedPipeline, releasePipeline, type StopOptions } from './pipeline-release.ts';
import { PositionKeeper } from './position-keeper.ts';
import { replayParts } from './replay-input.ts';
import {
  ConnectorFailed,
  EngineLost,
  NeedsNoProgram,
  PipelineAlreadyStarted,
  StopTimedOut,
} from './supervision-errors.ts';
import type { SupervisorArguments } from './supervisor-arguments.ts';

/** How often back-pressure is looked at. */
const sampleMs = 100;
/** What a failed pipeline's outputs get to write what was computed before the failure. */
const failureDrainMs = 10_000;
const intakeThread = 'intake';
/** Of asks that a caller's signal bounds: a query, and the step before it, may take long. */
const noDeadline: number = Number.POSITIVE_INFINITY;

export class Supervisor implements SupervisorInterface {
  onStatus: (() => void) | null = null;
  readonly #args: SupervisorArguments;
  readonly #condition: PipelineCondition = new PipelineCondition();
  readonly #roster: ConnectorRoster;
  readonly #ledger: CompletionLedger;
  readonly #waits: CompletionWaits;
  readonly #commands: ConnectorCommands;
  readonly #channels: GatewayChannels;
  readonly #checkpoints: PipelineCheckpoints;
  readonly #lifecycle: LifecycleKeeper;
  readonly #positions: PositionKeeper;
  readonly #startedAt: number;
  /** What a drain and the end of everything work on. */
  readonly #released: ReleasedPipeline;
  /** Of dead letters; null: with SQL there are none. */
  readonly #replay: DeadLetterReplay | null;
  #transaction: TransactionStatus | null = null;
  #engine: ActorRef<EngineMessage> | null = null;
  #sampling: Timer | null = null;
  #stopping: Promise<StopReport> | null = null;
  /** Aborted by a stop with force, which a stop in order that is under way becomes. */
  readonly #hurry = new AbortController();
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
    const parts = { condition: this.#condition, roster: this.#roster, ledger: this.#ledger };
    this.#waits = new CompletionWaits({ ...parts, engine });
    this.#commands = new ConnectorCommands({
      ...parts,
      extend: args.extend,
      shrink: args.shrink,
      waits: this.#waits,
      hasEngine: () => this.#engine !== null,
      onChange,
    });
    this.#channels = new GatewayChannels(engine, log, (endpoint) => this.#roster.has(endpoint));
    const { fingerprint, incarnation } = args;
    const isPushed = (): boolean => this.#channels.hasOpenedIngress;
    this.#checkpoints = new PipelineCheckpoints({ engine, roster: this.#roster, fingerprint, incarnation, isPushed });
    this.#startedAt = clock.now();
    this.#released = {
      roster: this.#roster,
      host,
      log,
      isRelay: args.relay !== null,
      hasFailed: () => this.#condition.error !== null,
      engine: () => this.#engine,
      giveUpEngine: () => {
        const engine = this.#engine;
        this.#engine = null;
        return engine;
      },
    };
    for (const image of [...(args.restore?.inputs ?? []), ...(args.continued ?? [])]) this.#roster.restore(image);
    host.onSupervision = (event) => this.#onSupervision(event);
    // All threads load what they run at the same time, before anybody waits for it.
    if (args.inputs.length > 0) host.prepare(intakeThread, 'source', args.inputs.map(expectedOf));
  }

  // ── pipeline ──

  get status(): PipelineStatus {
    return { state: this.#condition.state, error: this.#condition.error, connectors: this.#roster.status };
  }

  async start(options: { readonly paused: boolean }): Promise<void> {
    const call = options.paused ? 'startPaused' : 'start';
    this.#condition.refuseUnlessLive(call);
    if (this.#condition.state !== 'created') throw new PipelineAlreadyStarted({ call, state: this.#condition.state });
    this.#move('start');
    this.#sampling = this.#args.clock.every(sampleMs, () => this.#sample());
    try {
      await Promise.all([this.#lifecycle.load(), this.#positions.load()]);
      const here = this.#roster.handles.map(({ connector }) => connector);
      await tellGoneConnectors(here, this.#lifecycle, this.#args);
      this.#engine = await spawnEngine(this.#args, (notice) => this.#onEngineNotice(notice));
      await Promise.all(this.#roster.outputs.map((output) => output.open()));
      for (const output of this.#roster.outputs) await output.attach();
    } catch (error) {
      this.#fail(error);
    }
    // It may have failed, or been stopped meanwhile.
    this.#condition.refuseUnlessLive(call);
    this.#move(options.paused ? 'started paused' : 'started');
  }

  async pause(): Promise<void> {
    this.#condition.refuseUnlessStarted('pause');
    if (this.#condition.state === 'running') this.#move('pause');
    await this.#waits.settled('pause', () => this.#roster.inputs);
  }

  async resume(): Promise<void> {
    this.#condition.refuseUnlessStarted('resume');
    if (this.#condition.state === 'paused') this.#move('resume');
  }

  async drain(signal: AbortSignal): Promise<void> {
    this.#condition.refuseUnlessStarted('drain');
    await Promise.all(this.#roster.inputs.map((input) => input.quiesce()));
    await drainPipeline(this.#released, signal);
    this.#condition.refuseUnlessLive('drain');
  }

  stop(options: StopOptions): Promise<StopReport> {
    if (options.force) this.#hurry.abort();
    this.#stopping ??= this.#stopOnce(options);
    return this.#stopping;
  }

  // ── connectors ──

  pauseConnector(endpoint: string): Promise<void> {
    return this.#commands.pause(endpoint);
  }

  resumeConnector(endpoint: string): Promise<void> {
    return this.#commands.resume(endpoint);
  }

  addConnector(direction: Direction, key: string, definition: unknown): Promise<string> {
    return this.#commands.add(direction, key, definition);
  }

  removeConnector(direction: Direction, endpoint: string): Promise<void> {
    return this.#commands.remove(direction, endpoint);
  }

  // ── waiting ──

  connectorEnded(direction: Direction, endpoint: string, signal: AbortSignal): Promise<void> {
    return this.#waits.connectorEnded(direction, endpoint, signal);
  }

  allCompleted(signal: AbortSignal): Promise<CompletionReport> {
    return this.#waits.allCompleted(signal);
  }

  whenRunning(signal: AbortSignal): Promise<void> {
    return this.#waits.running(signal);
  }

  tokenCompleted(token: string, signal: AbortSignal): Promise<void> {
    return this.#waits.tokenCompleted(token, signal);
  }

  latestDelivered(endpoint: string, signal: AbortSignal): Promise<LatestDelivered | null> {
    return this.#waits.latestDelivered(endpoint, signal);
  }

  // ── data for gateways ──

  async query(sql: string | BoundQuery, signal: AbortSignal): Promise<QueryResult> {
    this.#condition.refuseUnlessStarted('query');
    const query = typeof sql === 'string' ? this.#args.compileQuery(sql) : sql;
    return await this.#liveEngine().ask<QueryResult>({ kind: 'query', query }, { signal, deadlineMs: noDeadline });
  }

  async openIngress(table: string, limits: MailboxLimits): Promise<GatewayChannel> {
    this.#condition.refuseUnlessStarted('inputJson');
    return await this.#channels.openIngress(table, limits);
  }

  nextMark(endpoint: string): { mark: number; token: string } {
    return this.#ledger.nextMark(endpoint);
  }

  async openEgress(relation: string, limits: MailboxLimits, sendSnapshot: boolean): Promise<GatewayChannel> {
    this.#condition.refuseUnlessStarted('listen');
    return await this.#channels.openEgress(relation, limits, sendSnapshot);
  }

  closeEgress(endpoint: string): Promise<void> {
    return this.#channels.closeEgress(endpoint);
  }

  async openIngressPort(table: string, endpoint: string, limits: MailboxLimits): Promise<IngressChannel> {
    this.#condition.refuseUnlessStarted('openIngressPort');
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
    this.#condition.refuseUnlessStarted('openEgressPort');
    const { sendSnapshot, everyStep } = options;
    return await this.#channels.openEgress(relation, limits, sendSnapshot, {
      endpoint,
      everyStep,
      closesSnapshot: true,
    });
  }

  async openInspection(endpoint: string, point: InspectionPoint): Promise<GatewayChannel> {
    this.#condition.refuseUnlessLive('openInspection');
    return { endpoint, port: await this.#roster.inspect(endpoint, point) };
  }

  tokenStatus(token: string): TokenStatus {
    return this.#ledger.tokenStatus(token);
  }

  async connectorToken(endpoint: string): Promise<string> {
    const input = this.#roster.input(endpoint);
    return this.#ledger.recordsToken(endpoint, input.gauges?.get('records') ?? 0);
  }

  async checkpoint(signal: AbortSignal): Promise<CheckpointState> {
    this.#condition.refuseUnlessStarted('checkpoint');
    return await this.#checkpoints.take(signal);
  }

  checkpointPrepared(signal: AbortSignal): Promise<readonly OutputCheckpoint[]> {
    return this.#checkpoints.prepared(signal);
  }

  checkpointStored(): Promise<void> {
    return this.#checkpoints.stored();
  }

  async startTransaction(): Promise<number> {
    this.#condition.refuseUnlessStarted('startTransaction');
    const id = await this.#liveEngine().ask<number>({ kind: 'start transaction' }, { deadlineMs: noDeadline });
    this.#transaction = { id, status: 'started' };
    return id;
  }

  async commitTransaction(): Promise<void> {
    this.#condition.refuseUnlessStarted('commitTransaction');
    const transaction = this.#transaction;
    if (transaction !== null) this.#transaction = { ...transaction, status: 'committing' };
    await this.#liveEngine().ask({ kind: 'commit transaction' }, { deadlineMs: noDeadline });
  }

  async replayDeadLetters(signal: AbortSignal): Promise<DeadLetterReplayStatus> {
    this.#condition.refuseUnlessStarted('replayDeadLetters');
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
      state: this.#condition.state,
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
      awaitsCheckpoint: this.#checkpoints.areAwaited,
      positionMoves: this.#roster.inputs.reduce((sum, input) => sum + input.moves, 0),
    };
  }

  // ── inside ──

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
    if (!this.#condition.canFail) return;
    const { message, code } = this.#condition.blame(error);
    this.#transaction = null;
    this.#args.log.error(`the pipeline has failed: ${message}`, { code });
    this.#move('fail');
    this.#failing = this.#release({ force: this.#engine === null, timeoutMs: failureDrainMs }).then(
      () => undefined,
      (cause) => this.#args.log.debug('releasing a failed pipeline', { cause: errorToData(cause).message }),
    );
  }

  async #stopOnce(options: StopOptions): Promise<StopReport> {
    await this.#failing;
    this.#move('stop');
    const isDrained = await this.#release(options);
    this.#move('drained');
    const detached = this.#roster.handles.flatMap((handle) => handle.detached ?? []);
    if (!isDrained && !options.force && !this.#hurry.signal.aborted)
      throw new StopTimedOut({ timeoutMs: options.timeoutMs, detached });
    return { detached };
  }

  #release(options: StopOptions): Promise<boolean> {
    this.#sampling?.cancel();
    return releasePipeline(this.#released, { ...options, hurry: this.#hurry.signal });
  }

  #move(event: PipelineEvent): void {
    this.#condition.move(event);
    this.#roster.pipeline = this.#condition.state === 'paused' ? 'paused' : 'running';
    this.#changed();
  }

  /** Something has changed: connectors are looked at once the present call is through, and everybody is told. */
  #changed(): void {
    if (this.#isLookDue) return;
    this.#isLookDue = true;
    queueMicrotask(() => {
      this.#isLookDue = false;
      if (this.#condition.state === 'running' || this.#condition.state === 'paused') this.#roster.perform();
      this.#ledger.check();
      this.onStatus?.();
    });
  }

  #sample(): void {
    for (const handle of this.#roster.handles) handle.sample();
  }

  #liveEngine(): ActorRef<EngineMessage> {
    if (this.#engine === null) throw new EngineLost({});
    return this.#engine;
  }
}

function expectedOf({ transport, format }: InputConnector): ExpectedInput {
  return { transport: transport.name, format: format?.name ?? null };
}
