// The control thread's side of one embedded pipeline: answers the calls of the user's main thread.
//
// Lifecycle calls go straight to the supervisor. Pushed rows and listeners pass through here, because they are the user's
// own rows: nothing else of the data plane does. Waiting calls can be given up by number. Status is reported after every
// change, at most once in `statusGapMs`, and always before the answer to a call, so that the caller sees its effect.
import type { TransferListItem } from 'node:worker_threads';
import { BatchBuilder } from '../../../runtime/batch/batch-builder.ts';
import type { ChangeBatch } from '../../../runtime/batch/change-batch.ts';
import { writeCell } from '../../../runtime/batch/scalar-values.ts';
import type { Relation } from '../../../runtime/batch/schema.ts';
import type { Clock, Timer } from '../../../runtime/clock.ts';
import { errorFromData } from '../../../runtime/errors.ts';
import type { MailboxLimits } from '../../../runtime/mailbox/channel.ts';
import { openFrameReceiver } from '../../../runtime/mailbox/port-channel.ts';
import { nearestName } from '../../../runtime/nearest-name.ts';
import type { QueryResult } from '../../engine/messages.ts';
import type { InspectionPoint } from '../../inspection-point.ts';
import type { PositionMark } from '../../lifecycle-journal.ts';
import type {
  CompletionReport,
  DeadLetterReplayStatus,
  Direction,
  GatewayChannel,
  LatestDelivered,
  StopReport,
  SupervisorInterface,
} from '../../supervisor/messages.ts';
import type {
  CheckpointImage,
  CompletionStatus,
  ControlInterface,
  ControlReport,
  EgressPort,
  IngressPort,
  ListenerOptions,
  OpenedPipeline,
  OpenRequest,
  PulledSteps,
  PushOptions,
} from './control-interface.ts';
import { CallGivenUp, ListenerGone, NotOpen, PipelineClosed, UnknownRelation } from './embedded-errors.ts';
import { Ingress } from './ingress.ts';
import { type CompiledInsert, insertRows } from './insert-rows.ts';
import { StepFeed } from './step-feed.ts';

const statusGapMs = 25;
/** A listener may hold as many bytes as this behind its rows. */
const listenerBytesMax = 64 * 1024 * 1024;

/** A pipeline that has been validated and compiled. */
export interface MadePipeline {
  readonly supervisor: SupervisorInterface;
  readonly description: Omit<OpenedPipeline, 'status'>;
  readonly tables: readonly Relation[];
  readonly views: readonly Relation[];
  /** What NOW() is read from; null: the program does not say NOW(). */
  readonly clock: Relation | null;
  /** @throws PipelineInvalid; changes nothing either way. */
  readonly checkConnector: (direction: Direction, key: string, definition: unknown, replaced: string) => void;
  /** INSERT INTO. @throws the first problem of the text */
  readonly compileInsert: (sql: string) => CompiledInsert;
  /** JSON text of the DEFAULTs of a table for records with these metadata. */
  readonly defaultsWith: (table: string, metadata: string) => Promise<readonly (string | null)[]>;
  /** @throws a coded error when a row does not fit; nothing has been sent then. */
  readonly toBatches: (rows: readonly unknown[], relation: Relation, options: PushOptions) => readonly ChangeBatch[];
}

export interface ControlSurroundings {
  readonly clock: Clock;
  readonly make: (request: OpenRequest) => Promise<MadePipeline>;
  readonly report: (report: ControlReport) => void;
  readonly transfer: <T extends object>(value: T, items: readonly TransferListItem[]) => T;
}

export class PipelineControl implements ControlInterface {
  readonly #surroundings: ControlSurroundings;
  #made: MadePipeline | null = null;
  readonly #waits = new Map<number, AbortController>();
  readonly #pushes = new Set<number>();
  readonly #ingresses = new Map<string, Ingress>();
  readonly #feeds = new Map<number, { readonly feed: StepFeed; readonly endpoint: string }>();
  #feedsOpened = 0;
  #isStatusDue = false;
  #statusTimer: Timer | null = null;

  constructor(surroundings: ControlSurroundings) {
    this.#surroundings = surroundings;
  }

  async open(request: OpenRequest): Promise<OpenedPipeline> {
    const made = await this.#surroundings.make(request);
    this.#made = made;
    made.supervisor.onStatus = () => this.#statusChanged();
    return { ...made.description, status: made.supervisor.status };
  }

  start(options: { readonly paused: boolean }): Promise<void> {
    return this.#answer((supervisor) => supervisor.start(options));
  }

  pause(): Promise<void> {
    return this.#answer((supervisor) => supervisor.pause());
  }

  resume(): Promise<void> {
    return this.#answer((supervisor) => supervisor.resume());
  }

  drain(waitId: number): Promise<void> {
    return this.#wait(waitId, (signal) => this.#supervisor.drain(signal));
  }

  async stop(options: { readonly force: boolean; readonly timeoutMs: number }): Promise<StopReport> {
    // Pushes that wait for room would go on into a pipeline that drains.
    for (const push of this.#pushes) this.#waits.get(push)?.abort(new PipelineClosed({ call: 'inputJson' }));
    const report = await this.#answer((supervisor) => supervisor.stop(options));
    await Promise.all([...this.#ingresses.values()].map((ingress) => ingress.close()));
    this.#statusTimer?.cancel();
    return report;
  }

  async positions(): Promise<readonly PositionMark[]> {
    return this.#supervisor.positions;
  }

  replayDeadLetters(waitId: number): Promise<DeadLetterReplayStatus> {
    return this.#wait(waitId, (signal) => this.#supervisor.replayDeadLetters(signal));
  }

  async deadLetterReplay(): Promise<DeadLetterReplayStatus> {
    return this.#supervisor.deadLetterReplay;
  }

  pauseConnector(endpoint: string): Promise<void> {
    return this.#answer((supervisor) => supervisor.pauseConnector(endpoint));
  }

  resumeConnector(endpoint: string): Promise<void> {
    return this.#answer((supervisor) => supervisor.resumeConnector(endpoint));
  }

  addConnector(direction: Direction, key: string, definition: unknown): Promise<string> {
    return this.#answer((supervisor) => supervisor.addConnector(direction, key, definition));
  }

  async checkConnector(direction: Direction, key: string, definition: unknown, replaced: string): Promise<void> {
    this.#pipeline.checkConnector(direction, key, definition, replaced);
  }

  removeConnector(direction: Direction, endpoint: string): Promise<void> {
    return this.#answer((supervisor) => supervisor.removeConnector(direction, endpoint));
  }

  connectorEnded(waitId: number, direction: Direction, endpoint: string): Promise<void> {
    return this.#wait(waitId, (signal) => this.#supervisor.connectorEnded(direction, endpoint, signal));
  }

  allCompleted(waitId: number): Promise<CompletionReport> {
    return this.#wait(waitId, (signal) => this.#supervisor.allCompleted(signal));
  }

  tokenCompleted(waitId: number, token: string): Promise<void> {
    return this.#wait(waitId, (signal) => this.#supervisor.tokenCompleted(token, signal));
  }

  latestDelivered(waitId: number, endpoint: string): Promise<LatestDelivered | null> {
    return this.#wait(waitId, (signal) => this.#supervisor.latestDelivered(endpoint, signal));
  }

  cancel(waitId: number): void {
    this.#waits.get(waitId)?.abort(new CallGivenUp({ reason: 'the caller has given up' }));
  }

  async query(waitId: number, sql: string): Promise<QueryResult> {
    const result = await this.#wait(waitId, (signal) => this.#supervisor.query(sql, signal));
    return this.#surroundings.transfer(result, result.frames);
  }

  push(waitId: number, table: string, rows: readonly unknown[], options: PushOptions): Promise<string> {
    this.#pushes.add(waitId);
    const pushed = this.#wait(waitId, (signal) => {
      const { tables, toBatches } = this.#pipeline;
      const relation = findRelation(tables, table, 'table');
      const batches = toBatches(rows, relation, options);
      return this.#ingressOf(relation).push(batches, options.force, signal);
    });
    return pushed.finally(() => this.#pushes.delete(waitId));
  }

  insert(waitId: number, sql: string): Promise<{ readonly count: number; readonly token: string }> {
    this.#pushes.add(waitId);
    const inserted = this.#wait(waitId, async (signal) =>
      insertRows(this.#pipeline.compileInsert(sql), {
        query: (query) => this.#supervisor.query(query, signal),
        push: (relation, batches) => this.#ingressOf(relation).push(batches, false, signal),
      }),
    );
    return inserted.finally(() => this.#pushes.delete(waitId));
  }

  tick(waitId: number, milliseconds: number): Promise<void> {
    return this.#wait(waitId, async (signal) => {
      const { clock } = this.#pipeline;
      if (clock === null) return;
      const builder = new BatchBuilder(clock.schema, 1);
      builder.reserve(1);
      for (const column of builder.columns) writeCell(column, 0, BigInt(milliseconds) * 1000n);
      builder.commitRow();
      await this.#ingressOf(clock).push([builder.finish()], true, signal);
    });
  }

  #ingressOf(relation: Relation): Ingress {
    let ingress = this.#ingresses.get(relation.name);
    if (ingress === undefined) {
      ingress = new Ingress(this.#supervisor, relation);
      this.#ingresses.set(relation.name, ingress);
    }
    return ingress;
  }

  async openListener(name: string, options: ListenerOptions): Promise<number> {
    const { tables, views, supervisor } = this.#pipeline;
    const relation = findRelation([...views, ...tables], name, 'view or table');
    const limits = { rowsMax: options.rowsMax, bytesMax: listenerBytesMax };
    const { endpoint, port } = await supervisor.openEgress(relation.name, limits, options.sendSnapshot);
    const receiver = openFrameReceiver(port, { schema: relation.schema, limits });
    const id = ++this.#feedsOpened;
    this.#feeds.set(id, { feed: new StepFeed(receiver, options), endpoint });
    return id;
  }

  async pullSteps(listener: number): Promise<PulledSteps> {
    const open = this.#feeds.get(listener);
    if (open === undefined) throw new ListenerGone({});
    const pulled = await open.feed.pull();
    const frames = pulled.steps.flatMap((step) => step.frames);
    if (frames.length === 0) this.#feeds.delete(listener);
    return this.#surroundings.transfer(pulled, frames);
  }

  async closeListener(listener: number): Promise<void> {
    const open = this.#feeds.get(listener);
    if (open === undefined) return;
    this.#feeds.delete(listener);
    open.feed.close();
    await this.#supervisor.closeEgress(open.endpoint);
  }

  inputStats(endpoint: string): ReturnType<SupervisorInterface['inputStats']> {
    return this.#answer((supervisor) => supervisor.inputStats(endpoint));
  }

  outputStats(endpoint: string): ReturnType<SupervisorInterface['outputStats']> {
    return this.#answer((supervisor) => supervisor.outputStats(endpoint));
  }

  async openIngressPort(table: string, endpoint: string, limits: MailboxLimits): Promise<IngressPort> {
    const { supervisor, tables } = this.#pipeline;
    const opened = await supervisor.openIngressPort(findRelation(tables, table, 'table').name, endpoint, limits);
    return this.#surroundings.transfer(opened, [opened.port]);
  }

  defaultsWith(table: string, metadata: string): Promise<readonly (string | null)[]> {
    return this.#pipeline.defaultsWith(findRelation(this.#pipeline.tables, table, 'table').name, metadata);
  }

  closeIngressPort(endpoint: string): Promise<void> {
    return this.#supervisor.closeIngressPort(endpoint);
  }

  async openEgressPort(
    name: string,
    endpoint: string,
    limits: MailboxLimits,
    options: { readonly sendSnapshot: boolean; readonly everyStep: boolean },
  ): Promise<EgressPort> {
    const { supervisor, tables, views } = this.#pipeline;
    const relation = findRelation([...views, ...tables], name, 'view or table');
    const opened = await supervisor.openEgressPort(relation.name, endpoint, limits, options);
    return this.#surroundings.transfer(opened, [opened.port]);
  }

  closeEgressPort(endpoint: string): Promise<void> {
    return this.#supervisor.closeEgress(endpoint);
  }

  async openInspection(endpoint: string, point: InspectionPoint): Promise<GatewayChannel> {
    const opened = await this.#supervisor.openInspection(endpoint, point);
    return this.#surroundings.transfer(opened, [opened.port]);
  }

  async completionStatus(token: string): Promise<CompletionStatus> {
    return this.#supervisor.tokenStatus(token);
  }

  connectorToken(endpoint: string): Promise<string> {
    return this.#supervisor.connectorToken(endpoint);
  }

  async checkpoint(waitId: number): Promise<CheckpointImage> {
    const image = await this.#wait(waitId, (signal) => this.#supervisor.checkpoint(signal));
    return this.#surroundings.transfer(
      image,
      image.parts.map(({ bytes }) => bytes),
    );
  }

  checkpointPrepared(waitId: number): Promise<NonNullable<CheckpointImage['outputs']>> {
    return this.#wait(waitId, (signal) => this.#supervisor.checkpointPrepared(signal));
  }

  async checkpointStored(): Promise<void> {
    await this.#supervisor.checkpointStored();
  }

  startTransaction(): Promise<number> {
    return this.#answer((supervisor) => supervisor.startTransaction());
  }

  commitTransaction(): Promise<void> {
    return this.#answer((supervisor) => supervisor.commitTransaction());
  }

  stats(): ReturnType<SupervisorInterface['stats']> {
    return this.#answer((supervisor) => supervisor.stats());
  }

  get #pipeline(): MadePipeline {
    if (this.#made === null) throw new NotOpen({});
    return this.#made;
  }

  get #supervisor(): SupervisorInterface {
    return this.#pipeline.supervisor;
  }

  /** The caller shall see the status that its call has led to. */
  async #answer<R>(call: (supervisor: SupervisorInterface) => Promise<R>): Promise<R> {
    try {
      return await call(this.#supervisor);
    } finally {
      this.#reportStatus();
    }
  }

  async #wait<R>(waitId: number, call: (signal: AbortSignal) => Promise<R>): Promise<R> {
    const abort = new AbortController();
    this.#waits.set(waitId, abort);
    try {
      return await call(abort.signal);
    } finally {
      this.#waits.delete(waitId);
      this.#reportStatus();
    }
  }

  #statusChanged(): void {
    this.#isStatusDue = true;
    const { error, state } = this.#supervisor.status;
    if (state === 'failed' && error !== null) this.#endFeeds();
    if (this.#statusTimer !== null) return;
    this.#reportStatus();
    this.#statusTimer = this.#surroundings.clock.after(statusGapMs, () => {
      this.#statusTimer = null;
      if (this.#isStatusDue) this.#statusChanged();
    });
  }

  #reportStatus(): void {
    if (!this.#isStatusDue || this.#made === null) return;
    this.#isStatusDue = false;
    this.#surroundings.report({ kind: 'status', status: this.#made.supervisor.status });
  }

  /** Listeners of a failed pipeline end with its error, after what was computed before. */
  #endFeeds(): void {
    const { error } = this.#supervisor.status;
    const failure = new ListenerGone({}, error === null ? {} : { cause: errorFromData(error) });
    for (const { feed } of this.#feeds.values()) feed.fail(failure);
  }
}

/** By exact name, or folded to lower case as SQL folds an unquoted identifier. */
function findRelation(relations: readonly Relation[], name: string, wanted: string): Relation {
  const found =
    relations.find((relation) => relation.name === name) ??
    relations.find((relation) => relation.name === name.toLowerCase());
  if (found !== undefined) return found;
  const suggestion = nearestName(
    name,
    relations.map((relation) => relation.name),
  );
  throw new UnknownRelation({ relation: name, wanted }, { suggestion });
}
