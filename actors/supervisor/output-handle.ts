// One output connector as the supervisor holds it: its state, its destination actor and its output of the engine.
//
// Opened before the engine sends anything; attached once it is open. A failed output is taken off the engine, so that
// it holds nobody back and `completed` no longer waits for it. While it is paused the engine discards what is meant for it.
// Counters and lists of errors outlive the actor.
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import type { OutputConnector } from '../../connectors/sdk/connector-configuration.ts';
import { type ActorRef, actorId } from '../../runtime/actor/actor.ts';
import { bareSchema } from '../../runtime/batch/bare-batch.ts';
import type { Relation } from '../../runtime/batch/schema.ts';
import type { Timer } from '../../runtime/clock.ts';
import { type ErrorData, errorFromData, errorToData, type MillraceError } from '../../runtime/errors.ts';
import { relate } from '../../runtime/log.ts';
import type { Gauges } from '../../runtime/metrics.ts';
import { countedBy } from '../carried-counts.ts';
import type {
  DestinationArguments,
  DestinationErrors,
  DestinationMessage,
  DestinationNotice,
} from '../destination/messages.ts';
import type { InspectionPoint } from '../inspection-point.ts';
import type { AwaitedCall } from './awaited-call.ts';
import { type ConnectorContext, startedConnector } from './connector-context.ts';
import { type ConnectorHealth, HealthWatch, healthy } from './connector-health.ts';
import { type ConnectorEvent, type ConnectorState, nextConnectorState } from './connector-lifecycle.ts';
import { type DetachedConnector, startConnector } from './connector-startup.ts';
import { emptyQueue, type OutputQueueState } from './connector-statistics.ts';
import { InspectionPorts } from './inspection-ports.ts';
import type { ConnectorFailure } from './messages.ts';
import { OutputPreparation } from './output-preparation.ts';
import { FailureWindow } from './restart-policy.ts';

const stopDeadlineMs = 10_000;
const noErrors: DestinationErrors = { encodeErrors: [], transportErrors: [] };

export class OutputHandle {
  readonly connector: OutputConnector;
  readonly #relation: Relation;
  /** It keeps what others refuse, and is told of no lifecycle events. */
  readonly #isDeadLetters: boolean;
  readonly #context: ConnectorContext;
  readonly #inspections = new InspectionPorts();
  #state: ConnectorState = 'created';
  #destination: ActorRef<DestinationMessage> | null = null;
  #gauges: Gauges | null = null;
  #errors: DestinationErrors = noErrors;
  #error: ErrorData | null = null;
  #lastFailure: ConnectorFailure | null = null;
  #enginePort: MessagePort | null = null;
  #isAttached = false;
  #isPaused = false;
  /** As the engine last said; kept when the output is detached. */
  queue: OutputQueueState = emptyQueue;
  readonly #failures: FailureWindow | null;
  #backOff: Timer | null = null;
  #attempt = 0;
  #restarts = 0;
  readonly #health = new HealthWatch();
  #releasing: Promise<void> | null = null;
  #isHasty = false;
  /** The pipeline stops and waits for it. */
  #drain: AwaitedCall | null = null;
  readonly #overListeners: (() => void)[] = [];
  #wasAttached = false;
  #isDraining = false;
  /** Its part in checkpoints; null: none are taken, or it may lose rows. */
  readonly preparation: OutputPreparation | null;

  constructor(connector: OutputConnector, relation: Relation, context: ConnectorContext, isDeadLetters = false) {
    this.#isDeadLetters = isDeadLetters;
    this.connector = connector;
    this.#relation = relation;
    this.#context = context;
    this.#failures = context.relay === null ? null : new FailureWindow(context.relay.recovery);
    const isAwaited = context.acknowledgesCheckpoints && connector.onFull === 'block';
    this.preparation = isAwaited ? this.#makePreparation() : null;
  }

  #makePreparation(): OutputPreparation {
    const { clock, log } = this.#context;
    return new OutputPreparation({
      endpoint: this.connector.endpoint,
      clock,
      log,
      isExactlyOnce: this.connector.isExactlyOnce === true,
      destination: () => this.#destination,
      isOver: () => this.isOver,
      failure: () => (this.#state === 'failed' ? this.#error : null),
      hasEnd: () => this.#state === 'ended' || this.#isDraining,
      wasAttached: () => this.#wasAttached,
      progress: () => this.#gauges?.get('records') ?? 0,
    });
  }

  /** What it was written waits for a checkpoint, to be delivered. */
  get awaitsCheckpoint(): boolean {
    return this.#gauges?.get('awaitsCheckpoint') === 1;
  }

  get restarts(): number {
    return this.#restarts;
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

  get cause(): MillraceError | null {
    return this.#error === null ? null : errorFromData(this.#error);
  }

  /** Paused by the user, whatever the state. */
  get isPaused(): boolean {
    return this.#isPaused;
  }

  get health(): ConnectorHealth {
    const { clock, deadlines } = this.#context;
    if (this.isOver) return healthy;
    return this.#health.health(this.#state, 0, clock.now(), deadlines.stallMs);
  }

  get awaited(): AwaitedCall | null {
    return this.#destination === null ? null : (this.#drain ?? this.#health.awaited(this.#context.deadlines));
  }

  /** Looks whether its health is another. */
  sample(): void {
    if (this.#health.hasChanged(this.health)) this.#context.onChange();
  }

  get gauges(): Gauges | null {
    return this.#gauges;
  }

  /** Id of its actor while it lives. */
  get actor(): string | null {
    return this.#destination?.id ?? null;
  }

  get isOver(): boolean {
    return this.#state === 'ended' || this.#state === 'failed' || this.#state === 'stopped';
  }

  /** A relay sends records as they are. */
  get #isBare(): boolean {
    return this.connector.ignoresColumns === true && this.#context.relay === null;
  }

  /** Opens the destination. A failure is its state, not a rejection. */
  async open(): Promise<void> {
    const { endpoint } = this.connector;
    const { relay, host, baseFolder } = this.#context;
    const attempt = ++this.#attempt;
    this.#move('open');
    this.#health.reset();
    try {
      const { port1, port2 } = new MessageChannel();
      this.#enginePort = port1;
      const args: DestinationArguments = {
        connector: this.connector,
        relation: this.#isBare ? { ...this.#relation, schema: bareSchema, primaryKey: [] } : this.#relation,
        port: port2,
        baseFolder,
        processors: relay?.processors.get(endpoint) ?? [],
        ...(relay?.schemas === undefined ? {} : { schemas: relay.schemas }),
        counted: countedBy(this.#gauges),
        stallMs: this.#context.deadlines.stallMs,
        pipeline: this.#context.name,
        recovered: this.#context.recoveredOutputs?.find((each) => each.endpoint === endpoint) ?? null,
      };
      const destination = await host.spawn<DestinationMessage, DestinationNotice>({
        id: actorId(attempt === 1 ? `destination:${endpoint}` : `destination:${endpoint}#${attempt}`),
        behaviour: 'destination',
        thread: null,
        args,
        transfer: [port2],
        onNotice: (notice) => this.#onNotice(attempt, notice),
      });
      this.#destination = destination;
      this.#gauges = destination.gauges;
      await this.#inspections.handTo(destination);
      const started = this.#isDeadLetters ? null : startedConnector(this.connector, relay !== null);
      await startConnector(destination, { endpoint, started }, this.#context);
      if (this.#state !== 'opening') return;
      this.#error = null;
      this.#move('opened');
      if (this.#isPaused) this.#move('pause');
    } catch (error) {
      this.fail(error);
    }
  }

  /** Connects it to the engine, if it is open. */
  async attach(): Promise<void> {
    const port = this.#enginePort;
    if (port === null || this.isOver) return;
    const { endpoint, relation, maxQueuedRecords, maxQueuedBytes, onFull, sendSnapshot } = this.connector;
    this.#enginePort = null;
    try {
      const limits = { rowsMax: maxQueuedRecords, bytesMax: maxQueuedBytes };
      this.#isAttached = true;
      this.#wasAttached = true;
      await this.#context.engine().ask(
        {
          kind: 'attach output',
          endpoint,
          relation,
          port,
          limits,
          onFull,
          sendSnapshot,
          keepsUnsettled: this.#context.relay !== null,
          withoutColumns: this.#isBare,
          takesBarriers: this.preparation !== null,
        },
        { transfer: [port] },
      );
      if (this.#isPaused) await this.#context.engine().ask({ kind: 'pause output', endpoint });
    } catch (error) {
      this.#isAttached = false;
      this.fail(error);
    }
  }

  /** What is computed from now on is discarded for it; what was sent before is still written. */
  async pause(): Promise<void> {
    if (this.isOver) return;
    this.#isPaused = true;
    await this.#tellPause('pause output');
    if (this.#state === 'running') this.#move('pause');
    else this.#context.onChange();
  }

  /** Goes on with the next step; what came meanwhile is not sent. */
  async resume(): Promise<void> {
    if (this.isOver) return;
    this.#isPaused = false;
    await this.#tellPause('resume output');
    if (this.#state === 'paused') this.#move('resume');
    else this.#context.onChange();
  }

  async #tellPause(kind: 'pause output' | 'resume output'): Promise<void> {
    if (this.#isAttached) await this.#context.engine().ask({ kind, endpoint: this.connector.endpoint });
  }

  fail(error: unknown): void {
    if (this.isOver || this.#state === 'recovering') return;
    const data = errorToData(error);
    const { endpoint } = this.connector;
    const { clock, random, relay } = this.#context;
    this.#error = data;
    this.#lastFailure = { error: data, time: clock.now() };
    const delay = this.#failures?.failed(clock.monotonic(), random()) ?? null;
    if (delay !== null) {
      this.#openAgain(delay, data);
      return;
    }
    this.#context.log.error(`connector ${endpoint} has failed: ${data.message}`, { endpoint, code: data.code });
    this.#move('fail');
    void this.#release();
    relay?.onFatal(endpoint, error);
  }

  /** Its place at the engine is kept: what it has not settled comes again. */
  #openAgain(delayMs: number, { code, message }: ErrorData): void {
    const { endpoint } = this.connector;
    this.#restarts++;
    this.#context.log.warn(`connector ${endpoint} will be opened again in ${Math.round(delayMs)} ms: ${message}`, {
      endpoint,
      code,
      delayMs,
    });
    this.#move('retry');
    this.#isAttached = false;
    const released = this.#release();
    const timer = this.#context.clock.after(delayMs, () => {
      released.then(() => {
        if (this.#backOff !== timer) return;
        this.#backOff = null;
        void this.open().then(() => this.attach());
      });
    });
    this.#backOff = timer;
  }

  #cancelBackOff(): void {
    this.#backOff?.cancel();
    this.#backOff = null;
  }

  /** Somebody waits for everything up to this step: an output buffer may not keep it. */
  writeThrough(step: number): void {
    if (!this.connector.enableOutputBuffer) return;
    const { endpoint } = this.connector;
    this.#destination?.ask({ kind: 'write through', step }).catch((error) => {
      // One that is gone holds nothing back any more.
      this.#context.log.debug(`writing ${endpoint} through`, { cause: errorToData(error).message });
    });
  }

  /** The pipeline stops: it is waited for, for so long. One that does not answer at all fails at once. */
  await(timeoutMs: number): void {
    const destination = this.#destination;
    if (destination === null || this.isOver || this.#state === 'opening') return;
    const since = this.#context.clock.now();
    // What keeps dead letters has its end behind all others: it would always be among those that are waited for.
    if (!this.#isDeadLetters) this.#drain = { call: 'drain', since, until: since + timeoutMs };
    destination.tell({ kind: 'ping' });
    this.#context.onChange();
  }

  /** What has been sent to it is written and flushed; then it is `ended`. */
  async drain(signal: AbortSignal): Promise<void> {
    // What is not open now has nothing to write to; without SQL it is not settled and comes again at the next start.
    if (this.isOver || this.#destination === null || this.#state === 'opening' || this.#state === 'recovering') return;
    this.#isDraining = true;
    await this.#detach();
    await this.#whenOver(signal);
  }

  /** Releases everything. What has ended or failed stays so; anything else is `stopped`, its queue lost. */
  async stop(isHasty = true): Promise<void> {
    this.#cancelBackOff();
    this.#drain = null;
    this.#isHasty = isHasty;
    if (!this.isOver) this.#move('stop');
    await this.#release();
  }

  /** Whatever it has not settled, nobody waits for it any more. */
  async abandon(): Promise<void> {
    if (this.#context.relay === null) return;
    await this.#tellDetached(true);
  }

  /** A connector that hung when it was let go of, and in what; null: it came back from everything. */
  get detached(): DetachedConnector | null {
    const { phase } = this.#health;
    return phase === null || this.#destination !== null
      ? null
      : { endpoint: this.connector.endpoint, direction: 'output', phase };
  }

  /** A port on which records that pass come from now on, or from when it is opened. @throws ActorGone */
  inspect(point: InspectionPoint): Promise<MessagePort> {
    return this.#inspections.open(this.#destination, point);
  }

  async errors(): Promise<DestinationErrors> {
    const destination = this.#destination;
    if (destination === null) return this.#errors;
    try {
      this.#errors = await destination.ask<DestinationErrors>({ kind: 'errors' }, { deadlineMs: 5_000 });
    } catch (error) {
      this.#context.log.debug(`no errors from ${destination.id}`, { cause: errorToData(error).message });
    }
    return this.#errors;
  }

  async #whenOver(signal: AbortSignal): Promise<void> {
    if (this.isOver) return;
    let onAbort = (): void => {};
    try {
      await new Promise<void>((resolve, reject) => {
        onAbort = () => reject(signal.reason);
        this.#overListeners.push(resolve);
        signal.addEventListener('abort', onAbort);
      });
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }

  #onNotice(attempt: number, notice: DestinationNotice): void {
    if (attempt !== this.#attempt) return;
    const { endpoint } = this.connector;
    switch (notice.kind) {
      case 'destination ended':
        if (!this.isOver) this.#move('end');
        break;
      case 'checkpoint prepared':
        this.preparation?.notePrepared(notice);
        break;
      case 'destination failed':
        this.fail(errorFromData(notice.error));
        break;
      case 'phase':
        this.#health.entered(notice.phase, this.#context.clock.now());
        break;
      case 'stalled':
        this.#health.stalled(notice.reason, this.#context.clock.now() - notice.forMs);
        this.#context.onChange();
        break;
      case 'teardown failed':
        this.#error ??= notice.error;
        this.#context.onChange();
        break;
      case 'destination said':
        relate(this.#context.log, `connector ${endpoint}: ${notice.message}`, { endpoint, ...notice.fields });
    }
  }

  #move(event: ConnectorEvent): void {
    this.#state = nextConnectorState(this.connector.endpoint, this.#state, event);
    if (this.isOver) for (const listener of this.#overListeners.splice(0)) listener();
    this.preparation?.look();
    this.#context.onChange();
  }

  async #detach(): Promise<void> {
    if (!this.#isAttached) return;
    this.#isAttached = false;
    await this.#tellDetached(false);
  }

  async #tellDetached(abandon: boolean): Promise<void> {
    const { endpoint } = this.connector;
    try {
      await this.#context.engine().ask({ kind: 'detach output', endpoint, ...(abandon ? { abandon } : {}) });
    } catch (error) {
      this.#context.log.debug(`detaching ${endpoint}`, { cause: errorToData(error).message });
    }
  }

  #release(): Promise<void> {
    this.#releasing ??= this.#releaseNow().finally(() => {
      this.#releasing = null;
    });
    return this.#releasing;
  }

  async #releaseNow(): Promise<void> {
    await this.#detach();
    this.#enginePort?.close();
    this.#enginePort = null;
    const destination = this.#destination;
    if (destination === null) return;
    await this.errors();
    this.#destination = null;
    const isHasty = this.#isHasty || this.#context.relay === null;
    await destination.stop(isHasty ? stopDeadlineMs : this.#context.deadlines.teardownMs);
    this.#context.onChange();
  }
}
