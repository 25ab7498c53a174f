// One output connector as the supervisor holds it: its state, its destination actor and its output of the engine.
//
// Opened before the engine sends anything; attached once it is open. A failed output is taken off the engine, so that
// it holds nobody back and `completed` no longer waits for it. While it is paused the engine discards what is meant for it.
// Counters and lists of errors outlive the actor.
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import type { OutputConnector } from '../../connectors/sdk/connector-configuration.ts';
import { type ActorRef, actorId } from '../../runtime/actor/actor.ts';
import type { Relation } from '../../runtime/batch/schema.ts';
import { type ErrorData, errorFromData, errorToData, type MillraceError } from '../../runtime/errors.ts';
import type { Log } from '../../runtime/log.ts';
import type { Gauges } from '../../runtime/metrics.ts';
import type {
  DestinationArguments,
  DestinationErrors,
  DestinationMessage,
  DestinationNotice,
} from '../destination/messages.ts';
import type { EngineMessage } from '../engine/messages.ts';
import type { ActorHost } from './actor-host.ts';
import { type ConnectorEvent, type ConnectorState, nextConnectorState } from './connector-lifecycle.ts';
import type { OutputQueueState } from './connector-statistics.ts';

const openDeadlineMs = 120_000;
const stopDeadlineMs = 10_000;
const noErrors: DestinationErrors = { encodeErrors: [], transportErrors: [] };

export interface OutputContext {
  readonly host: ActorHost;
  readonly engine: () => ActorRef<EngineMessage>;
  readonly log: Log;
  readonly baseFolder: string;
  readonly onChange: () => void;
}

export class OutputHandle {
  readonly connector: OutputConnector;
  readonly #relation: Relation;
  readonly #context: OutputContext;
  #state: ConnectorState = 'created';
  #destination: ActorRef<DestinationMessage> | null = null;
  #gauges: Gauges | null = null;
  #errors: DestinationErrors = noErrors;
  #error: ErrorData | null = null;
  #enginePort: MessagePort | null = null;
  #isAttached = false;
  #isPaused = false;
  /** As the engine last said; kept when the output is detached. */
  queue: OutputQueueState = { droppedRecords: 0, queuedRecords: 0 };
  readonly #overListeners: (() => void)[] = [];

  constructor(connector: OutputConnector, relation: Relation, context: OutputContext) {
    this.connector = connector;
    this.#relation = relation;
    this.#context = context;
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

  /** Opens the destination. A failure is its state, not a rejection. */
  async open(): Promise<void> {
    const { endpoint } = this.connector;
    this.#move('open');
    try {
      const { port1, port2 } = new MessageChannel();
      this.#enginePort = port1;
      const args: DestinationArguments = {
        connector: this.connector,
        relation: this.#relation,
        port: port2,
        baseFolder: this.#context.baseFolder,
      };
      this.#destination = await this.#context.host.spawn<DestinationMessage, DestinationNotice>({
        id: actorId(`destination:${endpoint}`),
        behaviour: 'destination',
        thread: null,
        args,
        transfer: [port2],
        onNotice: (notice) => this.#onNotice(notice),
      });
      this.#gauges = this.#destination.gauges;
      await this.#destination.ask({ kind: 'open' }, { deadlineMs: openDeadlineMs });
      if (this.#state === 'opening') this.#move('opened');
      if (this.#state === 'running' && this.#isPaused) this.#move('pause');
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
      await this.#context
        .engine()
        .ask({ kind: 'attach output', endpoint, relation, port, limits, onFull, sendSnapshot }, { transfer: [port] });
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
    if (this.isOver) return;
    const data = errorToData(error);
    const { endpoint } = this.connector;
    this.#error = data;
    this.#context.log.error(`connector ${endpoint} has failed: ${data.message}`, { endpoint, code: data.code });
    this.#move('fail');
    void this.#release();
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

  /** What has been sent to it is written and flushed; then it is `ended`. */
  async drain(signal: AbortSignal): Promise<void> {
    if (this.isOver || this.#destination === null) return;
    await this.#detach();
    await this.#whenOver(signal);
  }

  /** Releases everything. What has ended or failed stays so; anything else is `stopped`, its queue lost. */
  async stop(): Promise<void> {
    if (!this.isOver) this.#move('stop');
    await this.#release();
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

  #onNotice(notice: DestinationNotice): void {
    const { endpoint } = this.connector;
    switch (notice.kind) {
      case 'destination ended':
        if (!this.isOver) this.#move('end');
        break;
      case 'destination failed':
        this.fail(errorFromData(notice.error));
        break;
      case 'destination said':
        this.#context.log.info(`connector ${endpoint}: ${notice.message}`, { endpoint, ...notice.fields });
    }
  }

  #move(event: ConnectorEvent): void {
    this.#state = nextConnectorState(this.connector.endpoint, this.#state, event);
    if (this.isOver) for (const listener of this.#overListeners.splice(0)) listener();
    this.#context.onChange();
  }

  async #detach(): Promise<void> {
    if (!this.#isAttached) return;
    this.#isAttached = false;
    try {
      await this.#context.engine().ask({ kind: 'detach output', endpoint: this.connector.endpoint });
    } catch (error) {
      this.#context.log.debug(`detaching ${this.connector.endpoint}`, { cause: errorToData(error).message });
    }
  }

  async #release(): Promise<void> {
    await this.#detach();
    this.#enginePort?.close();
    this.#enginePort = null;
    const destination = this.#destination;
    if (destination === null) return;
    await this.errors();
    this.#destination = null;
    await destination.stop(stopDeadlineMs);
    this.#context.onChange();
  }
}
