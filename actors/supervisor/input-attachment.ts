// What an input connector has while it is open: its source actor, and its input of the engine, with the port between them.
//
// Made once for a connector, attached anew for each attempt to open it. The handle (input-handle.ts) decides what is done and keeps the state;
// here is how: attach and start, hold and release, finish, settle, detach, stop. Closing happens once at a time, however often it is asked for.
// What the actor has counted outlives it. `onChange` of the context is called when it has been taken off the engine.
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import type { InputConnector } from '../../connectors/sdk/connector-configuration.ts';
import { type ActorRef, actorId } from '../../runtime/actor/actor.ts';
import type { Relation } from '../../runtime/batch/schema.ts';
import { type ErrorData, errorToData } from '../../runtime/errors.ts';
import type { Gauges } from '../../runtime/metrics.ts';
import { countedBy } from '../carried-counts.ts';
import type { InspectionPoint } from '../inspection-point.ts';
import type { SourceErrors, SourceMessage, SourceNotice } from '../source/messages.ts';
import type { AwaitedCall } from './awaited-call.ts';
import { type ConnectorContext, startedConnector } from './connector-context.ts';
import { startConnector, withinDeadline } from './connector-startup.ts';
import type { InputReplay } from './input-replay.ts';
import { InspectionPorts } from './inspection-ports.ts';
import { sourceArguments, type TableTraits } from './source-arguments.ts';
import { SourceErrorLists } from './source-error-lists.ts';

/** A source that does not come to a record border by then is cut off. */
const stopDeadlineMs = 5_000;
/** A record border may lie behind a large row group. */
const pauseDeadlineMs = 60_000;

/** What becomes of the rows that it has sent and no step has taken. */
export type UnreadRows = 'keep' | 'discard';

export class InputAttachment {
  readonly #connector: InputConnector;
  readonly #relation: Relation;
  readonly #traits: TableTraits;
  readonly #context: ConnectorContext;
  readonly #replay: InputReplay;
  readonly #inspections = new InspectionPorts();
  readonly #errors: SourceErrorLists;
  #source: ActorRef<SourceMessage> | null = null;
  #gauges: Gauges | null = null;
  #isAttached = false;
  /** The engine takes no row of it. */
  #isHeld = false;
  #hasSourceEnded = false;
  /** Nobody waits any longer for what it has sent. */
  readonly #impatience = new AbortController();
  #isHasty = false;
  /** Everything is delivered, and it is told so. */
  #release: AwaitedCall | null = null;
  /** Some of what it has sent will never be delivered. */
  settlesPartly = false;
  #closing: Promise<void> | null = null;

  constructor(
    connector: InputConnector,
    relation: Relation,
    traits: TableTraits,
    context: ConnectorContext,
    replay: InputReplay,
  ) {
    this.#connector = connector;
    this.#relation = relation;
    this.#traits = traits;
    this.#context = context;
    this.#replay = replay;
    this.#errors = new SourceErrorLists(context.log);
  }

  /** The actor while it lives. */
  get source(): ActorRef<SourceMessage> | null {
    return this.#source;
  }

  get gauges(): Gauges | null {
    return this.#gauges;
  }

  /** The engine has an input for it, in which rows may lie. */
  get isAttached(): boolean {
    return this.#isAttached;
  }

  get isHeld(): boolean {
    return this.#isHeld;
  }

  get isClosing(): boolean {
    return this.#closing !== null;
  }

  /** Everything that the source has is sent, whether or not a step has taken it. */
  get hasSourceEnded(): boolean {
    return this.#hasSourceEnded;
  }

  /** What it waits for while it is let go of. */
  get release(): AwaitedCall | null {
    return this.#release;
  }

  /** It is being told what was delivered, until then at most. */
  releases(until: AwaitedCall): void {
    this.#release = until;
  }

  /** The actor has said that it has sent everything. */
  sourceEnded(): void {
    this.#hasSourceEnded = true;
  }

  /** Attaches an input of the engine and starts the source; resolves when it is open. @throws what the source fails with */
  async attach(attempt: number, takenRecords: number, onNotice: (notice: SourceNotice) => void): Promise<void> {
    const { endpoint, relation, maxQueuedRecords, maxQueuedBytes, maxBatchSize } = this.#connector;
    const { relay, replay, host, thread } = this.#context;
    const counted = countedBy(this.#gauges);
    const { port1, port2 } = new MessageChannel();
    const attached = this.#context.engine().ask(
      {
        kind: 'attach input',
        endpoint,
        table: relation,
        port: port2,
        limits: { rowsMax: maxQueuedRecords, bytesMax: maxQueuedBytes },
        batchRowsMax: maxBatchSize,
        held: false,
        tellsRecords: true,
        ...(relay === null ? { takenRecords } : {}),
        ...(replay === undefined ? {} : { replay }),
      },
      { transfer: [port2] },
    );
    this.#isAttached = true;
    await attached;
    const source = await host.spawn<SourceMessage, SourceNotice>({
      id: actorId(attempt === 1 ? `source:${endpoint}` : `source:${endpoint}#${attempt}`),
      behaviour: 'source',
      thread,
      args: sourceArguments({
        connector: this.#connector,
        relation: this.#relation,
        traits: this.#traits,
        context: this.#context,
        begin: this.#replay.begin,
        port: port1,
        counted,
      }),
      transfer: [port1],
      onNotice,
    });
    this.#source = source;
    this.#gauges = source.gauges;
    await this.#inspections.handTo(source);
    const started = startedConnector(this.#connector, relay !== null);
    await startConnector(source, { endpoint, started }, this.#context);
  }

  /** Resolves when no further row of it will enter a step. */
  async hold(): Promise<void> {
    await this.#context.engine().ask({ kind: 'hold input', endpoint: this.#connector.endpoint });
    this.#isHeld = true;
    if (!this.#hasSourceEnded) await this.#source?.ask({ kind: 'pause' }, { deadlineMs: pauseDeadlineMs });
  }

  /** The engine takes rows of it again. */
  async takeAgain(): Promise<void> {
    this.#isHeld = false;
    await this.#context.engine().ask({ kind: 'release input', endpoint: this.#connector.endpoint });
  }

  async resumeSource(): Promise<void> {
    if (!this.#hasSourceEnded) await this.#source?.ask({ kind: 'resume' });
  }

  /** Has the source stop, and what it still has sent; answers with what it failed with. One that fails, or has ended, has nothing left. */
  async finish(): Promise<ErrorData | null> {
    const source = this.#source;
    if (source === null || this.#hasSourceEnded || this.#closing !== null) return null;
    try {
      const { stopMs: deadlineMs } = this.#context.deadlines;
      const { endpoint } = this.#connector;
      await withinDeadline(endpoint, 'stop', deadlineMs, () => source.ask({ kind: 'finish' }, { deadlineMs }));
      return null;
    } catch (error) {
      this.#context.log.warn(`stopping ${this.#connector.endpoint}`, { cause: errorToData(error).message });
      return errorToData(error);
    }
  }

  /** From now on nobody waits for what it has sent. */
  giveUpWaiting(): void {
    this.#impatience.abort();
  }

  /** The same, and its actor has little time to stop. */
  hurry(): void {
    this.#isHasty = true;
    this.#impatience.abort();
  }

  /** Stops the actor, keeping its last words, and takes it off the engine. `hasEnded`: it has come to its end. */
  close(rows: UnreadRows, hasEnded: boolean): Promise<void> {
    this.#closing ??= this.#closeNow(rows, hasEnded).finally(() => {
      this.#closing = null;
      this.#context.onChange();
    });
    return this.#closing;
  }

  /** Resolves when nothing closes it. */
  async whenClosed(): Promise<void> {
    await this.#closing;
  }

  /** A port on which records that pass come from now on, or from when it is opened. @throws ActorGone */
  inspect(point: InspectionPoint): Promise<MessagePort> {
    return this.#inspections.open(this.#source, point);
  }

  /** The latest errors, from the actor while it lives. */
  errors(): Promise<SourceErrors> {
    return this.#errors.ask(this.#source);
  }

  async stopSource(): Promise<void> {
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

  async #closeNow(rows: UnreadRows, hasEnded: boolean): Promise<void> {
    if (this.#context.relay !== null) {
      // Its channel brings the word of what is delivered.
      if (rows === 'keep') await this.#settle();
      await this.stopSource();
      return await this.#detach(rows);
    }
    // One that has come to its end is told what becomes of its rows, and keeps nobody waiting for that.
    if (hasEnded && this.#replay.wantsAcknowledgements) {
      if (this.#context.acknowledgesCheckpoints) await this.#detach(rows);
      await this.#settle();
    }
    await this.stopSource();
    await this.#detach(rows);
  }

  async #detach(rows: UnreadRows): Promise<void> {
    if (!this.#isAttached) return;
    try {
      const detach = { kind: 'detach input', endpoint: this.#connector.endpoint, discard: rows === 'discard' } as const;
      // Rows that are kept may have a long queue before them: the engine takes them at its own pace.
      await this.#context.engine().ask(detach, { deadlineMs: Number.POSITIVE_INFINITY });
    } catch (error) {
      this.#context.log.debug(`detaching ${this.#connector.endpoint}`, { cause: errorToData(error).message });
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
    if (this.#context.acknowledgesCheckpoints && this.#context.relay === null) await this.#replay.whenDurable(signal);
    try {
      const message = { kind: 'settle', partly: this.settlesPartly } as const;
      await source.ask(message, { deadlineMs: Number.POSITIVE_INFINITY, signal });
    } catch (error) {
      this.#context.log.debug(`settling ${source.id}`, { cause: errorToData(error).message });
    } finally {
      this.#release = null;
    }
  }
}
