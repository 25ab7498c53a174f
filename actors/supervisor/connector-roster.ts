// Every connector of one pipeline: their handles, the dependency graph over them, and what users see of them.
//
// The roster knows all connectors; a handle knows one; the supervisor decides when to look (`perform`). What has to
// happen comes from reconcile.ts. The graph is rebuilt whenever an input comes or goes.

import type { MessagePort } from 'node:worker_threads';
import type { Connector, InputConnector, OutputConnector } from '../../connectors/sdk/connector-configuration.ts';
import type { Relation } from '../../runtime/batch/schema.ts';
import type { MillraceError } from '../../runtime/errors.ts';
import { nearestName } from '../../runtime/nearest-name.ts';
import type { BoundProgram, EngineProgress } from '../engine/messages.ts';
import type { InspectionPoint } from '../inspection-point.ts';
import type { MetadataDefault } from '../metadata-defaults.ts';
import type { ConnectorContext } from './connector-context.ts';
import { inputStatistics, outputStatistics } from './connector-statistics.ts';
import { buildDependencyGraph, type DependencyGraph } from './dependency-graph.ts';
import { InputHandle } from './input-handle.ts';
import type {
  ConnectorStatus,
  Direction,
  InputCheckpoint,
  InputConnectorStats,
  OutputConnectorStats,
} from './messages.ts';
import { OutputHandle } from './output-handle.ts';
import { type Desired, type Observed, reconcile, stuckInputs, waitingFor } from './reconcile.ts';
import { ConnectorThreadLost, ConnectorUnknown, DependencyFailed, RelationUnknown } from './supervision-errors.ts';
import { whyNotCleared } from './table-clearing.ts';

export interface RosterOptions {
  readonly program: BoundProgram;
  readonly context: ConnectorContext;
  /** Endpoint of the output that keeps refused records; null: none does. */
  readonly deadLetters: string | null;
  /** JSON text of each column's DEFAULT, see DecoderContext. */
  readonly defaultsOf: (table: string) => readonly (string | null)[];
  readonly metadataOf?: (table: string) => readonly MetadataDefault[];
}

export class ConnectorRoster {
  readonly #options: RosterOptions;
  readonly #inputs = new Map<string, InputHandle>();
  readonly #outputs = new Map<string, OutputHandle>();
  #graph: DependencyGraph = buildDependencyGraph([]).graph;
  /** What the user wants of the pipeline as a whole. */
  pipeline: 'running' | 'paused' = 'running';

  constructor(options: RosterOptions, connectors: readonly Connector[]) {
    this.#options = options;
    for (const connector of connectors) {
      if (connector.kind === 'input') this.#makeInput(connector);
      else this.addOutput(connector);
    }
    this.#rebuildGraph();
  }

  get inputs(): readonly InputHandle[] {
    return [...this.#inputs.values()];
  }

  get outputs(): readonly OutputHandle[] {
    return [...this.#outputs.values()];
  }

  get handles(): readonly (InputHandle | OutputHandle)[] {
    return [...this.#inputs.values(), ...this.#outputs.values()];
  }

  has(endpoint: string): boolean {
    return this.#inputs.has(endpoint) || this.#outputs.has(endpoint);
  }

  /** @throws ConnectorUnknown */
  input(endpoint: string): InputHandle {
    return this.#inputs.get(endpoint) ?? unknownConnector('input', endpoint, this.#inputs.keys());
  }

  /** @throws ConnectorUnknown */
  output(endpoint: string): OutputHandle {
    return this.#outputs.get(endpoint) ?? unknownConnector('output', endpoint, this.#outputs.keys());
  }

  /** An output that no input shares its name with, or null. */
  outputOf(endpoint: string): OutputHandle | null {
    return this.#inputs.has(endpoint) ? null : (this.#outputs.get(endpoint) ?? null);
  }

  handle(direction: Direction, endpoint: string): InputHandle | OutputHandle {
    return direction === 'input' ? this.input(endpoint) : this.output(endpoint);
  }

  /** @throws ConnectorUnknown, ActorGone */
  inspect(endpoint: string, point: InspectionPoint): Promise<MessagePort> {
    return (this.outputOf(endpoint) ?? this.input(endpoint)).inspect(point);
  }

  /** The engine has computed the step with the last row of this input; one of a gateway's is none of ours. */
  finished(endpoint: string): void {
    this.#inputs.get(endpoint)?.finished();
  }

  // ── coming and going ──

  addInput(connector: InputConnector, context: ConnectorContext = this.#options.context): InputHandle {
    const handle = this.#makeInput(connector, context);
    this.#rebuildGraph();
    return handle;
  }

  addOutput(connector: OutputConnector): OutputHandle {
    const relation = this.#relation(connector.relation, 'view or table');
    const isDeadLetters = connector.endpoint === this.#options.deadLetters;
    const handle = new OutputHandle(connector, relation, this.#options.context, isDeadLetters);
    this.#outputs.set(connector.endpoint, handle);
    return handle;
  }

  /** @throws UnknownLabel when a connector that has not started yet waits for a label of this one. */
  assertRemovable(input: InputHandle): void {
    const others = this.inputs.filter((handle) => handle !== input);
    // What has started needs its labels no more.
    const needs = others.map(({ connector, observed, desired, isOver }) =>
      observed.attached || isOver || desired.startedByHand ? { ...connector, startAfter: [] } : connector,
    );
    const problem = buildDependencyGraph(needs).problems[0];
    if (problem !== undefined) throw problem;
  }

  forget(direction: Direction, endpoint: string): void {
    if (direction === 'output') this.#outputs.delete(endpoint);
    else this.#inputs.delete(endpoint);
    this.#rebuildGraph();
  }

  // ── what has to happen ──

  perform(): void {
    for (const action of reconcile(this.#desired, this.#observed)) {
      const input = this.#inputs.get(action.endpoint);
      if (input === undefined) continue;
      if (action.kind === 'fail') input.fail(new DependencyFailed(action));
      else void input[action.kind]();
    }
  }

  /** Whether nothing is under way, nor to be begun, for any of `inputs`. */
  isSettled(inputs: readonly InputHandle[]): boolean {
    if (inputs.some((input) => input.observed.busy && !input.isOver)) return false;
    const endpoints = new Set(inputs.map((input) => input.connector.endpoint));
    return !reconcile(this.#desired, this.#observed).some((action) => endpoints.has(action.endpoint));
  }

  /** Whether every input is through, or will never start unless the user does something. */
  get areInputsThrough(): boolean {
    const stuck = this.stuck;
    const clock = this.#options.program.clock?.name;
    // The clock never ends: it is through when it has told the time.
    const hasTicked = (input: InputHandle): boolean => input.connector.relation === clock && input.takenRecords > 0;
    return this.inputs.every((input) => input.isClosed || stuck.has(input.connector.endpoint) || hasTicked(input));
  }

  get stuck(): ReadonlySet<string> {
    return new Set(stuckInputs(this.#desired, this.#observed));
  }

  get failed(): readonly string[] {
    return this.handles.filter((handle) => handle.state === 'failed').map((handle) => handle.connector.endpoint);
  }

  waitingFor(endpoint: string): readonly string[] {
    return waitingFor(endpoint, this.#desired, this.#observed);
  }

  /** Actors have died: their connectors fail, or are opened again. */
  lost(actors: readonly string[], cause: unknown): void {
    for (const handle of this.handles) {
      if (handle.actor === null || !actors.includes(handle.actor)) continue;
      handle.fail(new ConnectorThreadLost({ endpoint: handle.connector.endpoint }, { cause }));
    }
  }

  /** An input goes on where a checkpoint was taken; one that is configured no more has nothing to go on with. */
  restore(image: InputCheckpoint): void {
    this.#inputs.get(image.endpoint)?.restore(image);
  }

  /** So many rows of an input have entered steps; one of a gateway's is none of ours. */
  noteTaken(endpoint: string, records: number): void {
    const input = this.#inputs.get(endpoint);
    if (input !== undefined) input.takenRecords = records;
  }

  /** The engine has said how its queues stand. */
  noteQueues(queues: NonNullable<EngineProgress['outputs']>): void {
    for (const { endpoint, ...queue } of queues) {
      const output = this.#outputs.get(endpoint);
      if (output !== undefined) output.queue = queue;
    }
  }

  // ── what users see ──

  get status(): readonly ConnectorStatus[] {
    const stuck = this.stuck;
    return this.handles
      .filter((handle) => handle instanceof OutputHandle || !handle.isReplay)
      .map((handle) => this.#statusOf(handle, stuck));
  }

  async inputStats(endpoint: string): Promise<InputConnectorStats> {
    const input = this.input(endpoint);
    const errors = await input.errors();
    input.sample();
    return inputStatistics(input, this.#statusOf(input, this.stuck), errors);
  }

  async outputStats(endpoint: string): Promise<OutputConnectorStats> {
    const output = this.output(endpoint);
    return outputStatistics(output, this.#statusOf(output, this.stuck), await output.errors());
  }

  /** Every connector's counters, without lists of errors: no actor is asked. */
  get stats(): { readonly inputs: readonly InputConnectorStats[]; readonly outputs: readonly OutputConnectorStats[] } {
    const none = { parseErrors: [], encodeErrors: [], transportErrors: [] };
    const stuck = this.stuck;
    return {
      inputs: this.inputs
        .filter(({ isReplay }) => !isReplay)
        .map((input) => inputStatistics(input, this.#statusOf(input, stuck), none)),
      outputs: this.outputs.map((output) => outputStatistics(output, this.#statusOf(output, stuck), none)),
    };
  }

  // ── inside ──

  #statusOf(handle: InputHandle | OutputHandle, stuck: ReadonlySet<string>): ConnectorStatus {
    const { endpoint, relation, name, kind } = handle.connector;
    const { state, error } = handle;
    const isInput = handle instanceof InputHandle;
    return {
      direction: kind,
      endpoint,
      relation,
      name,
      state,
      waitingFor: isInput && state === 'waiting' ? this.waitingFor(endpoint) : [],
      paused: isInput ? handle.desired.paused : handle.isPaused,
      stuck: isInput && stuck.has(endpoint),
      error,
      restarts: handle.restarts,
      lastFailure: handle.lastFailure,
      health: handle.health,
      awaited: handle.awaited,
    };
  }

  get #desired(): Desired {
    const inputs = new Map([...this.#inputs].map(([endpoint, handle]) => [endpoint, handle.desired]));
    return { pipeline: this.pipeline, graph: this.#graph, inputs };
  }

  get #observed(): Observed {
    return new Map([...this.#inputs].map(([endpoint, handle]) => [endpoint, handle.observed]));
  }

  #makeInput(connector: InputConnector, context: ConnectorContext = this.#options.context): InputHandle {
    const { defaultsOf, metadataOf } = this.#options;
    const relation = this.#relation(connector.relation, 'table');
    const handle = new InputHandle(
      connector,
      relation,
      {
        defaults: defaultsOf(connector.relation),
        metadata: metadataOf?.(connector.relation) ?? [],
        unclearable: this.#whyNotCleared(connector.relation),
      },
      context,
    );
    this.#inputs.set(connector.endpoint, handle);
    return handle;
  }

  #whyNotCleared(table: string): string | null {
    const definition = this.#options.program.tables.find(({ relation }) => relation.name === table);
    return definition === undefined ? 'it is no table of the program' : whyNotCleared(definition);
  }

  #rebuildGraph(): void {
    this.#graph = buildDependencyGraph(this.inputs.map((handle) => handle.connector)).graph;
  }

  #relation(name: string, wanted: 'table' | 'view or table'): Relation {
    const { tables, views, clock } = this.#options.program;
    const candidates: readonly { readonly relation: Relation }[] = wanted === 'table' ? tables : [...views, ...tables];
    // The clock is no table that anybody else may speak of.
    if (wanted === 'table' && clock?.name === name) return clock;
    const found = candidates.find((candidate) => candidate.relation.name === name);
    if (found !== undefined) return found.relation;
    const names = candidates.map((candidate) => candidate.relation.name);
    throw new RelationUnknown({ relation: name, wanted }, { suggestion: nearestName(name, names) });
  }
}

function unknownConnector(direction: Direction, endpoint: string, known: Iterable<string>): never {
  const suggestion = nearestName(endpoint, known);
  const error: MillraceError = new ConnectorUnknown({ endpoint, direction }, { suggestion });
  throw error;
}
