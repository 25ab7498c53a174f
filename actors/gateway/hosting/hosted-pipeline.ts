// One pipeline of the server: its record, its history, its log and, while it is deployed, its deployment.
//
// Every change of the record goes through `change`, which dates it, writes it into the history and has it stored. What may
// be asked in which state is guarded by the routes; how a pipeline starts and stops stands in pipeline-run.ts.
import type { Clock } from '../../../runtime/clock.ts';
import type { LogEntry } from '../../../runtime/log.ts';
import type { ConnectorDeadlines, ConnectorStatus, Direction, StopReport } from '../../supervisor/messages.ts';
import type { ConnectorEdit } from '../embedded/control-interface.ts';
import { HttpProblem } from '../http/http-problem.ts';
import type { ConnectorParts } from './connector-parts.ts';
import { EventHistory } from './event-history.ts';
import { InspectionSessions } from './inspection-sessions.ts';
import type { LiveDeployment } from './live-deployment.ts';
import { LogBuffer } from './log-buffer.ts';
import { type PipelineRecord, timeText } from './pipeline-record.ts';
import type { ApprovalDiff } from './program-change.ts';
import type { SpareControl } from './spare-control.ts';
import type { StoredHistory } from './stored-history.ts';
import { TimeSeries } from './time-series.ts';
import type { Validation } from './validation.ts';
import { WorkOrder } from './work-order.ts';

/** What every pipeline of a server is given. */
export interface HostingSurroundings {
  readonly clock: Clock;
  readonly spare: SpareControl;
  readonly validation: () => Promise<Validation>;
  readonly platformVersion: string;
  /** Relative paths of connectors start here. */
  readonly baseFolder: string;
  /** Of the calls of connectors, as far as they are not the default. */
  readonly deadlines?: Partial<ConnectorDeadlines>;
  /** Called after a change that has to survive a restart. */
  readonly save: (record: PipelineRecord) => Promise<void>;
  readonly remove: (record: PipelineRecord) => Promise<void>;
  /** What its connectors are run with: plugin processes, and what is remembered of them. For one deployment. */
  readonly connectorParts: (record: PipelineRecord) => Promise<ConnectorParts>;
}

type Fields = Partial<Omit<PipelineRecord, 'id' | 'createdAt'>>;

export class HostedPipeline {
  readonly record: PipelineRecord;
  readonly events: EventHistory;
  readonly logs: LogBuffer;
  readonly series: TimeSeries = new TimeSeries();
  readonly surroundings: HostingSurroundings;
  /** Those who look at records of its connectors and processors, across starts and stops. */
  readonly inspections: InspectionSessions = new InspectionSessions();
  deployment: LiveDeployment | null = null;
  /** A stop that is under way. */
  stopping: Promise<void> | null = null;
  /** How the latest stop went; null before the first. */
  stopReport: StopReport | null = null;
  /** What became of the connectors of the latest run. */
  connectorsAtEnd: readonly ConnectorStatus[] = [];
  /** Of all connectors and HTTP inputs of this deployment, as last counted. */
  numConnectorErrors = 0;
  /** What this deployment has kept on disk, and for how long: megabytes times seconds. */
  storageMbSeconds = 0;
  /** The latest work on it: changes that take time run one after the other. */
  readonly #work = new WorkOrder();
  /** Advanced by every start and stop: a start that has been overtaken gives up. */
  generation = 0;
  /** A start that waits to be approved. */
  approval: { readonly diff: ApprovalDiff; readonly resolve: (isApproved: boolean) => void } | null = null;
  #onApprovalAsked: () => void = () => {};
  /** The number of the latest checkpoint of this deployment, and the latest failure. */
  checkpointSequence = 0;
  /** Since when one is being taken; null: none is. */
  checkpointStartedAt: string | null = null;
  checkpointFailure: { readonly sequence_number: number; readonly error: string; readonly failed_at: string } | null =
    null;
  checkpointSuccess: number | null = null;
  /** `recordsBefore` had come in when it was started. */
  transaction: { readonly id: number; readonly startedAt: number; readonly recordsBefore: number } | null = null;

  /** `history`: of the pipeline under an earlier server; null: there was none. */
  constructor(record: PipelineRecord, surroundings: HostingSurroundings, history: StoredHistory | null = null) {
    this.record = record;
    this.surroundings = surroundings;
    this.events = new EventHistory(history?.events);
    this.logs = new LogBuffer(history?.log, history?.isWhole);
    this.logs.add(
      history === null
        ? `${this.now()} Fresh start of pipeline logs`
        : `${this.now()} INFO the server has been restarted`,
    );
    this.events.record(record, this.now());
  }

  get name(): string {
    return this.record.source.name;
  }

  get isFullyStopped(): boolean {
    return this.record.resources === 'Stopped' && this.record.desired === 'Stopped';
  }

  now(): string {
    return timeText(this.surroundings.clock.now());
  }

  /** Changes the record: dates follow, the history notes it, the store is told. */
  change(fields: Fields): void {
    const { record } = this;
    const now = this.now();
    const dated: Fields = {};
    if (fields.resources !== undefined && fields.resources !== record.resources) dated.resourcesSince = now;
    if (fields.desired !== undefined && fields.desired !== record.desired) dated.desiredSince = now;
    if (fields.programStatus !== undefined && fields.programStatus !== record.programStatus) {
      dated.programStatusSince = now;
    }
    if (fields.runtime !== undefined && fields.runtime !== record.runtime) {
      dated.runtimeSince = fields.runtime === null ? null : now;
    }
    if (fields.runtimeDesired !== undefined && fields.runtimeDesired !== record.runtimeDesired) {
      dated.runtimeDesiredSince = fields.runtimeDesired === null ? null : now;
    }
    Object.assign(record, fields, dated);
    this.events.record(record, now);
    if (fields.relay !== undefined) this.inspections.review(fields.relay);
    this.save().catch((error: unknown) => this.log('error', `the store has failed: ${error}`));
  }

  /** Resolves when the record is stored. */
  save(): Promise<void> {
    return this.surroundings.save(this.record);
  }

  /** A connector has come (`definition`) or gone (null) while the pipeline runs: the next start is with it or without it. */
  noteConnector(edit: ConnectorEdit): void {
    const others = (this.record.connectorEdits ?? []).filter(
      ({ direction, endpoint }) => direction !== edit.direction || endpoint !== edit.endpoint,
    );
    const pauses = { ...this.record.manualPauses };
    delete pauses[pauseKey(edit)];
    this.change({ connectorEdits: [...others, edit], manualPauses: pauses });
  }

  /** A connector has been paused or started by hand. */
  notePause(connector: { readonly direction: Direction; readonly endpoint: string }, paused: boolean): void {
    this.change({ manualPauses: { ...this.record.manualPauses, [pauseKey(connector)]: paused } });
  }

  log(level: LogEntry['level'], message: string): void {
    this.logs.add(`${this.now()} ${level.toUpperCase()} ${message}`);
  }

  logEntry(entry: LogEntry): void {
    const fields = Object.keys(entry.fields).length === 0 ? '' : ` ${jsonLine(entry.fields)}`;
    this.logs.add(`${timeText(entry.time)} ${entry.level.toUpperCase()} [${entry.source}] ${entry.message}${fields}`);
  }

  /** Resolves when a start asks for approval. For the latest caller. */
  approvalAsked(): Promise<void> {
    return new Promise((resolve) => {
      this.#onApprovalAsked = resolve;
    });
  }

  /** Resolves with whether the start may go on, which somebody has to say. */
  async approved(diff: ApprovalDiff): Promise<boolean> {
    const isApproved = await new Promise<boolean>((resolve) => {
      this.approval = { diff, resolve };
      this.#onApprovalAsked();
      this.change({ resources: 'Provisioned', runtime: 'AwaitingApproval' });
      this.log('info', 'the program or its connectors have changed since the checkpoint: the start awaits approval');
    });
    this.approval = null;
    return isApproved;
  }

  /** A start that is under way gives up when it sees this. */
  overtake(): number {
    this.approval?.resolve(false);
    return ++this.generation;
  }

  /** Runs when what was begun before is over. */
  exclusively<R>(work: (onlyWaits: () => void) => Promise<R>): Promise<R> {
    return this.#work.exclusively(work);
  }

  /** Pause and resume: they do not wait for outputs of which a checkpoint is taken. */
  steer<R>(work: () => Promise<R>): Promise<R> {
    return this.#work.steer(work);
  }

  /** @throws HttpProblem PipelineInteractionNotDeployed */
  deployed(): LiveDeployment {
    const { deployment, record } = this;
    if (deployment !== null && record.resources === 'Provisioned' && !deployment.ended.aborted) return deployment;
    throw new HttpProblem({
      status: 503,
      code: 'PipelineInteractionNotDeployed',
      message: `pipeline '${this.name}' is not deployed (it is ${record.resources}): start it, or wait until it is running`,
      details: { pipeline_name: this.name, status: record.resources, desired_status: record.desired },
      headers: { 'Retry-After': '5' },
    });
  }
}

function pauseKey({ direction, endpoint }: { readonly direction: Direction; readonly endpoint: string }): string {
  return `${direction} ${endpoint}`;
}

function jsonLine(value: unknown): string {
  try {
    return JSON.stringify(value, (_, item: unknown) => (typeof item === 'bigint' ? item.toString() : item));
  } catch {
    return '';
  }
}
