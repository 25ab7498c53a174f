// The supervisor: owner of the dependency graph and of every lifecycle transition of one pipeline.
//
// Lives on the control thread. It decides nothing: reconcile.ts says what has to happen to inputs, and the handles
// perform it. Order at start: engine, destinations open, outputs attached, inputs. Stop is the reverse; with `force`
// what is queued is lost. Every call answers with a result or a coded error; nothing here touches a row.
import type { Connector, InputConnector, OutputConnector } from '../../connectors/sdk/connector-configuration.ts';
import { type ActorRef, actorId, type SupervisionEvent } from '../../runtime/actor/actor.ts';
import type { Relation } from '../../runtime/batch/schema.ts';
import type { Clock, Timer } from '../../runtime/clock.ts';
import { type ErrorData, errorFromData, errorToData, type MillraceError } from '../../runtime/errors.ts';
import type { Log } from '../../runtime/log.ts';
import type { MailboxLimits } from '../../runtime/mailbox/channel.ts';
import { nearestName } from '../../runtime/nearest-name.ts';
import type {
  BoundProgram,
  EngineArguments,
  EngineMessage,
  EngineNotice,
  EngineProgress,
  QueryResult,
} from '../engine/messages.ts';
import type { ActorHost } from './actor-host.ts';
import { CompletionLedger } from './completion-ledger.ts';
import { engineStatistics, inputStatistics, outputStatistics } from './connector-statistics.ts';
import { buildDependencyGraph, type DependencyGraph } from './dependency-graph.ts';
import { GatewayChannels } from './gateway-channels.ts';
import { InputHandle } from './input-handle.ts';
import type {
  CompletionReport,
  ConnectorStatus,
  Direction,
  GatewayChannel,
  InputConnectorStats,
  OutputConnectorStats,
  PipelineStats,
  PipelineStatus,
  SupervisorInterface,
} from './messages.ts';
import { OutputHandle } from './output-handle.ts';
import { outputThread } from './output-placement.ts';
import { nextPipelineState, type PipelineEvent, type PipelineState } from './pipeline-lifecycle.ts';
import { type Desired, reconcile, stuckInputs, waitingFor } from './reconcile.ts';
import {
  ConnectorFailed,
  ConnectorRemoved,
  ConnectorThreadLost,
  ConnectorUnknown,
  DependencyFailed,
  EngineLost,
  PipelineAlreadyStarted,
  PipelineFailed,
  PipelineNotStarted,
  PipelineStopped,
  RelationUnknown,
  StopTimedOut,
} from './supervision-errors.ts';

/** How often back-pressure is looked at. */
const sampleMs = 100;
/** What a failed pipeline's outputs get to write what was computed before the failure. */
const failureDrainMs = 10_000;
const stopDeadlineMs = 10_000;
/** Queries, and a step before them, may take long; the caller has a signal of its own. */
const longDeadlineMs = 2 ** 31 - 1;

export interface SupervisorArguments {
  readonly name: string;
  readonly program: BoundProgram;
  readonly inputs: readonly InputConnector[];
  readonly outputs: readonly OutputConnector[];
  readonly onError: EngineArguments['onError'];
  readonly stepRowsMax: number;
  readonly baseFolder: string;
  readonly cores: number;
  /** Unique to this run: completion tokens of another run are refused. */
  readonly incarnation: string;
  readonly host: ActorHost;
  readonly clock: Clock;
  readonly log: Log;
  /** In [0, 1). */
  readonly random: () => number;
  /** JSON text of each column's DEFAULT, see DecoderContext. */
  readonly defaultsOf: (table: string) => readonly (string | null)[];
  /** Validates the whole definition with one connector more and returns that one. @throws PipelineInvalid */
  readonly extend: (direction: Direction, key: string, definition: unknown) => Connector;
  /** The definition without this connector. */
  readonly shrink: (direction: Direction, endpoint: string) => void;
}

export class Supervisor implements SupervisorInterface {
  onStatus: (() => void) | null = null;
  readonly #args: SupervisorArguments;
  readonly #inputs = new Map<string, InputHandle>();
  readonly #outputs = new Map<string, OutputHandle>();
  readonly #ledger: CompletionLedger;
  readonly #channels: GatewayChannels;
  readonly #startedAt: number;
  #graph: DependencyGraph;
  #state: PipelineState = 'created';
  #error: ErrorData | null = null;
  #engine: ActorRef<EngineMessage> | null = null;
  #sampling: Timer | null = null;
  #stopping: Promise<void> | null = null;
  #teardown: Promise<void> | null = null;
  #isReconcileQueued = false;
  #outputsPlaced = 0;

  constructor(args: SupervisorArguments) {
    this.#args = args;
    this.#ledger = new CompletionLedger(args.incarnation);
    const isTaken = (endpoint: string): boolean => this.#inputs.has(endpoint) || this.#outputs.has(endpoint);
    this.#channels = new GatewayChannels(() => this.#liveEngine(), args.log, isTaken);
    this.#startedAt = args.clock.now();
    for (const input of args.inputs) this.#addInput(input);
    for (const output of args.outputs) this.#addOutput(output);
    this.#graph = buildDependencyGraph(args.inputs).graph;
    args.host.onSupervision = (event) => this.#onSupervision(event);
  }

  // ── pipeline ──

  get status(): PipelineStatus {
    const stuck = this.#stuck();
    const inputs = [...this.#inputs.values()].map((handle) => this.#inputStatus(handle, stuck));
    const outputs = [...this.#outputs.values()].map((handle) => this.#outputStatus(handle));
    return { state: this.#state, error: this.#error, connectors: [...inputs, ...outputs] };
  }

  async start(options: { readonly paused: boolean }): Promise<void> {
    const call = options.paused ? 'startPaused' : 'start';
    if (this.#state !== 'created') {
      this.#refuseUnlessLive(call);
      throw new PipelineAlreadyStarted({ call, state: this.#state });
    }
    this.#move('start');
    try {
      this.#engine = await this.#spawnEngine();
      const outputs = [...this.#outputs.values()];
      await Promise.all(outputs.map((output) => output.open()));
      for (const output of outputs) await output.attach();
    } catch (error) {
      this.#fail(error);
    }
    // A stop may have come while it started.
    if (this.#state !== 'starting') return this.#refuseUnlessLive(call);
    this.#sampling = this.#args.clock.every(sampleMs, () => this.#sample());
    this.#move(options.paused ? 'started paused' : 'started');
  }

  async pause(): Promise<void> {
    this.#refuseUnlessStarted('pause');
    if (this.#state === 'running') this.#move('pause');
    await this.#whenSettled('pause', () => [...this.#inputs.values()]);
  }

  async resume(): Promise<void> {
    this.#refuseUnlessStarted('resume');
    if (this.#state === 'paused') this.#move('resume');
  }

  stop(options: { readonly force: boolean; readonly timeoutMs: number }): Promise<void> {
    this.#stopping ??= this.#stopOnce(options);
    return this.#stopping;
  }

  // ── connectors ──

  async pauseConnector(endpoint: string): Promise<void> {
    this.#refuseUnlessLive('pauseConnector');
    const input = this.#input(endpoint);
    input.desired = { ...input.desired, paused: true };
    this.#changed();
    await this.#whenSettled('pauseConnector', () => [input]);
  }

  async resumeConnector(endpoint: string): Promise<void> {
    this.#refuseUnlessLive('resumeConnector');
    const input = this.#input(endpoint);
    const startedByHand = input.desired.startedByHand || this.#waitingFor(endpoint).length > 0;
    input.desired = { ...input.desired, paused: false, startedByHand };
    this.#changed();
    await this.#whenSettled('resumeConnector', () => [input]);
    if (input.state === 'failed') throw new ConnectorFailed({ endpoint }, { cause: input.cause });
  }

  async addConnector(direction: Direction, key: string, definition: unknown): Promise<string> {
    this.#refuseUnlessLive('addConnector');
    const connector = this.#args.extend(direction, key, definition);
    if (connector.kind === 'input') {
      this.#addInput(connector);
      this.#graph = buildDependencyGraph([...this.#inputs.values()].map((handle) => handle.connector)).graph;
      this.#changed();
      return connector.endpoint;
    }
    const output = this.#addOutput(connector);
    if (this.#engine !== null) {
      await output.open();
      await output.attach();
    }
    return connector.endpoint;
  }

  async removeConnector(direction: Direction, endpoint: string): Promise<void> {
    this.#refuseUnlessLive('removeConnector');
    if (direction === 'output') {
      const output = this.#output(endpoint);
      await output.drain(AbortSignal.timeout(stopDeadlineMs)).catch((error) => output.fail(error));
      await output.stop();
      this.#outputs.delete(endpoint);
    } else {
      const input = this.#input(endpoint);
      const others = [...this.#inputs.values()].filter((handle) => handle !== input);
      // What has started needs its labels no more.
      const needs = others.map(({ connector, observed, desired, isOver }) =>
        observed.attached || isOver || desired.startedByHand ? { ...connector, startAfter: [] } : connector,
      );
      const problem = buildDependencyGraph(needs).problems[0];
      if (problem !== undefined) throw problem;
      // Rows of a held input would never be taken.
      await input.stop(input.observed.flowing ? 'keep' : 'discard');
      this.#inputs.delete(endpoint);
      this.#graph = buildDependencyGraph(others.map((handle) => handle.connector)).graph;
    }
    this.#args.shrink(direction, endpoint);
    this.#changed();
  }

  // ── waiting ──

  async connectorEnded(direction: Direction, endpoint: string, signal: AbortSignal): Promise<void> {
    const handle = direction === 'input' ? this.#input(endpoint) : this.#output(endpoint);
    await this.#ledger.when(() => {
      if (handle.state === 'failed') throw new ConnectorFailed({ endpoint }, { cause: handle.cause });
      if (handle.state === 'ended') return true;
      this.#refuseUnlessLive('connectorEnded');
      if (handle.state === 'stopped') throw new ConnectorRemoved({ endpoint });
      return false;
    }, signal);
  }

  async allCompleted(signal: AbortSignal): Promise<CompletionReport> {
    const call = 'waitForCompletion';
    this.#refuseUnlessStarted(call);
    await this.#ledger.when(() => {
      this.#refuseUnlessLive(call);
      const stuck = this.#stuck();
      const inputs = [...this.#inputs.values()];
      const areInputsOver = inputs.every((input) => input.isClosed || stuck.has(input.connector.endpoint));
      return areInputsOver && this.#ledger.areMarksComplete;
    }, signal);
    const { steps } = await this.#liveEngine().ask<EngineProgress>({ kind: 'progress' }, { signal });
    await this.#ledger.when(() => {
      this.#refuseUnlessLive(call);
      return this.#ledger.completedStep >= steps;
    }, signal);
    const handles = [...this.#inputs.values(), ...this.#outputs.values()];
    const failed = handles.filter((handle) => handle.state === 'failed').map((handle) => handle.connector.endpoint);
    return { failed, stuck: [...this.#stuck()] };
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
      this.#refuseUnlessLive('completed');
      return false;
    }, signal);
  }

  // ── data for gateways ──

  query(sql: string, signal: AbortSignal): Promise<QueryResult> {
    this.#refuseUnlessStarted('query');
    return this.#liveEngine().ask<QueryResult>({ kind: 'query', sql }, { signal, deadlineMs: longDeadlineMs });
  }

  openIngress(table: string, limits: MailboxLimits): Promise<GatewayChannel> {
    this.#refuseUnlessStarted('inputJson');
    return this.#channels.openIngress(table, limits);
  }

  nextMark(endpoint: string): { mark: number; token: string } {
    return this.#ledger.nextMark(endpoint);
  }

  openEgress(relation: string, limits: MailboxLimits, sendSnapshot: boolean): Promise<GatewayChannel> {
    this.#refuseUnlessStarted('listen');
    return this.#channels.openEgress(relation, limits, sendSnapshot);
  }

  closeEgress(endpoint: string): Promise<void> {
    return this.#channels.closeEgress(endpoint);
  }

  async inputStats(endpoint: string): Promise<InputConnectorStats> {
    const input = this.#input(endpoint);
    const errors = await input.errors();
    input.sample();
    return inputStatistics(this.#inputStatus(input, this.#stuck()), input.gauges, errors);
  }

  async outputStats(endpoint: string): Promise<OutputConnectorStats> {
    const output = this.#output(endpoint);
    return outputStatistics(this.#outputStatus(output), output.gauges, await output.errors());
  }

  async stats(): Promise<PipelineStats> {
    const none = { parseErrors: [], encodeErrors: [], transportErrors: [] };
    const stuck = this.#stuck();
    const engine = this.#engine;
    const progress = await engine?.ask<EngineProgress>({ kind: 'progress' }).catch(() => null);
    const { rss, heapUsed, arrayBuffers } = process.memoryUsage();
    return {
      state: this.#state,
      incarnation: this.#ledger.incarnation,
      uptimeMs: this.#args.clock.now() - this.#startedAt,
      threads: this.#args.host.threads,
      memory: { rssBytes: rss, heapBytes: heapUsed, arrayBuffersBytes: arrayBuffers },
      engine: engine == null || progress == null ? null : engineStatistics(engine.gauges, progress),
      inputs: [...this.#inputs.values()].map((h) => inputStatistics(this.#inputStatus(h, stuck), h.gauges, none)),
      outputs: [...this.#outputs.values()].map((h) => outputStatistics(this.#outputStatus(h), h.gauges, none)),
    };
  }

  // ── inside ──

  async #spawnEngine(): Promise<ActorRef<EngineMessage>> {
    const { program, onError, stepRowsMax, host } = this.#args;
    const args: EngineArguments = { program, onError, stepRowsMax };
    return await host.spawn<EngineMessage, EngineNotice>({
      id: actorId('engine'),
      behaviour: 'engine',
      thread: 'engine',
      args,
      transfer: [],
      onNotice: (notice) => this.#onEngineNotice(notice),
    });
  }

  #onEngineNotice(notice: EngineNotice): void {
    switch (notice.kind) {
      case 'input finished':
        return this.#inputs.get(notice.endpoint)?.finished();
      case 'mark stepped':
        return this.#ledger.markStepped(notice.endpoint, notice.mark, notice.step);
      case 'step completed':
        return this.#ledger.stepCompleted(notice.step);
      case 'evaluation failed':
        return this.#fail(errorFromData(notice.error));
    }
  }

  #onSupervision(event: SupervisionEvent): void {
    if (event.kind === 'actor stopped') return;
    const actors: readonly string[] = event.kind === 'actor failed' ? [event.actor] : event.actors;
    if (this.#engine !== null && actors.includes(this.#engine.id)) {
      this.#engine = null;
      this.#fail(new EngineLost({}, { cause: event.error }));
    }
    const handles = [...this.#inputs.values(), ...this.#outputs.values()];
    for (const handle of handles) {
      const id = handle instanceof InputHandle ? handle.sourceId : handle.destinationId;
      if (id === null || !actors.includes(id)) continue;
      handle.fail(new ConnectorThreadLost({ endpoint: handle.connector.endpoint }, { cause: event.error }));
    }
  }

  #fail(error: unknown): void {
    if (this.#state === 'failed' || this.#state === 'stopped') return;
    this.#error = errorToData(error);
    this.#args.log.error(`the pipeline has failed: ${this.#error.message}`, { code: this.#error.code });
    this.#move('fail');
    this.#teardown = this.#release({ force: this.#engine === null, timeoutMs: failureDrainMs }).then(
      () => undefined,
      (cause) => this.#args.log.debug('releasing a failed pipeline', { cause: errorToData(cause).message }),
    );
  }

  async #stopOnce(options: { readonly force: boolean; readonly timeoutMs: number }): Promise<void> {
    if (this.#state === 'stopped') return;
    await this.#teardown;
    if (this.#state === 'created' || this.#state === 'starting') this.#sampling?.cancel();
    this.#move('stop');
    const drained = await this.#release(options);
    this.#move('drained');
    if (!drained && !options.force) throw new StopTimedOut({ timeoutMs: options.timeoutMs });
  }

  /** Reverse order of the start. Returns false when the drain had to be cut off. */
  async #release(options: { readonly force: boolean; readonly timeoutMs: number }): Promise<boolean> {
    this.#sampling?.cancel();
    const inputs = [...this.#inputs.values()].filter((input) => !input.isOver);
    const outputs = [...this.#outputs.values()].filter((output) => !output.isOver);
    await Promise.all(inputs.map((input) => input.quiesce()));
    let drained = true;
    if (!options.force) {
      const signal = AbortSignal.timeout(options.timeoutMs);
      try {
        if (this.#state !== 'failed') await this.#engine?.ask({ kind: 'drain' }, { deadlineMs: longDeadlineMs, signal });
        await Promise.all(outputs.map((output) => output.drain(signal)));
      } catch (error) {
        drained = false;
        this.#args.log.warn('the drain was cut off', { cause: errorToData(error).message });
      }
    }
    await Promise.all([...this.#outputs.values()].map((output) => (output.isOver ? undefined : output.stop())));
    const engine = this.#engine;
    this.#engine = null;
    await engine?.stop(stopDeadlineMs);
    await this.#args.host.stop(stopDeadlineMs);
    return drained;
  }

  #move(event: PipelineEvent): void {
    this.#state = nextPipelineState(this.#state, event);
    this.#changed();
  }

  /** Something has changed: connectors are looked at once the present call is through, and everybody is told. */
  #changed(): void {
    if (this.#isReconcileQueued) return;
    this.#isReconcileQueued = true;
    queueMicrotask(() => {
      this.#isReconcileQueued = false;
      this.#reconcile();
      this.#ledger.check();
      this.onStatus?.();
    });
  }

  #reconcile(): void {
    if (this.#state !== 'running' && this.#state !== 'paused') return;
    for (const action of reconcile(this.#desired(), this.#observed())) {
      const input = this.#inputs.get(action.endpoint);
      if (input === undefined) continue;
      if (action.kind === 'fail') input.fail(new DependencyFailed(action));
      else void input[action.kind]();
    }
  }

  #desired(): Desired {
    const inputs = new Map([...this.#inputs].map(([endpoint, handle]) => [endpoint, handle.desired]));
    return { pipeline: this.#state === 'paused' ? 'paused' : 'running', graph: this.#graph, inputs };
  }

  #observed(): Map<string, InputHandle['observed']> {
    return new Map([...this.#inputs].map(([endpoint, handle]) => [endpoint, handle.observed]));
  }

  #stuck(): ReadonlySet<string> {
    return new Set(stuckInputs(this.#desired(), this.#observed()));
  }

  #waitingFor(endpoint: string): readonly string[] {
    return waitingFor(endpoint, this.#desired(), this.#observed());
  }

  /** Until nothing is under way, nor to be begun, for any of `inputs`. */
  async #whenSettled(call: string, inputs: () => readonly InputHandle[]): Promise<void> {
    if (this.#state === 'created') return;
    await this.#ledger.when(() => {
      this.#refuseUnlessLive(call);
      const endpoints = new Set(inputs().map((input) => input.connector.endpoint));
      if (inputs().some((input) => input.observed.busy && !input.isOver)) return false;
      return !reconcile(this.#desired(), this.#observed()).some((action) => endpoints.has(action.endpoint));
    }, new AbortController().signal);
  }

  #sample(): void {
    for (const input of this.#inputs.values()) input.sample();
  }

  #addInput(connector: InputConnector): InputHandle {
    const { host, clock, log, random, baseFolder } = this.#args;
    const onChange = (): void => this.#changed();
    const context = { host, clock, log, random, baseFolder, onChange, thread: 'intake', engine: () => this.#liveEngine() };
    const relation = this.#relation(connector.relation, 'table');
    const handle = new InputHandle(connector, relation, this.#args.defaultsOf(connector.relation), context);
    this.#inputs.set(connector.endpoint, handle);
    return handle;
  }

  #addOutput(connector: OutputConnector): OutputHandle {
    const { host, log, baseFolder, cores } = this.#args;
    const onChange = (): void => this.#changed();
    const thread = outputThread(this.#outputsPlaced++, cores);
    const context = { host, log, baseFolder, thread, onChange, engine: () => this.#liveEngine() };
    const handle = new OutputHandle(connector, this.#relation(connector.relation, 'view or table'), context);
    this.#outputs.set(connector.endpoint, handle);
    return handle;
  }

  #relation(name: string, wanted: 'table' | 'view or table'): Relation {
    const { tables, views } = this.#args.program;
    const candidates = wanted === 'table' ? tables : [...views, ...tables];
    const found = candidates.find((candidate) => candidate.relation.name === name);
    if (found !== undefined) return found.relation;
    const suggestion = nearestName(
      name,
      candidates.map((candidate) => candidate.relation.name),
    );
    throw new RelationUnknown({ relation: name, wanted }, { suggestion });
  }

  #input(endpoint: string): InputHandle {
    return this.#inputs.get(endpoint) ?? unknownConnector('input', endpoint, this.#inputs.keys());
  }

  #output(endpoint: string): OutputHandle {
    return this.#outputs.get(endpoint) ?? unknownConnector('output', endpoint, this.#outputs.keys());
  }

  #inputStatus(handle: InputHandle, stuck: ReadonlySet<string>): ConnectorStatus {
    const { endpoint, relation, name } = handle.connector;
    const { state, error, restarts } = handle;
    return {
      direction: 'input',
      endpoint,
      relation,
      name,
      state,
      waitingFor: state === 'waiting' ? this.#waitingFor(endpoint) : [],
      paused: handle.desired.paused,
      stuck: stuck.has(endpoint),
      error,
      restarts,
    };
  }

  #outputStatus(handle: OutputHandle): ConnectorStatus {
    const { endpoint, relation, name } = handle.connector;
    const { state, error } = handle;
    const direction = 'output';
    return {
      direction,
      endpoint,
      relation,
      name,
      state,
      waitingFor: [],
      paused: false,
      stuck: false,
      error,
      restarts: 0,
    };
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
      const cause = this.#error === null ? undefined : errorFromData(this.#error);
      throw new PipelineFailed({ call }, { cause });
    }
    if (this.#state === 'stopped' || this.#state === 'draining') {
      throw new PipelineStopped({ call, state: this.#state });
    }
  }
}

function unknownConnector(direction: Direction, endpoint: string, known: Iterable<string>): never {
  const error: MillraceError = new ConnectorUnknown({ endpoint, direction }, { suggestion: nearestName(endpoint, known) });
  throw error;
}
