// The actor of one output connector: takes changes from the engine, prints them, writes them, and says what is flushed.
//
//   port ─► frame ─► [OutputBuffer] ─► encoder ─► destination.write … flush ─► confirm(mark) ─► port
//
// Promises: one call of the destination at a time; a mark is confirmed only after a flush that covers everything before it; frames that come
// before the destination is open wait. It is flushed when the queue runs empty, at a mark when the last flush is a while ago, at the end, and
// when asked. A destination that acknowledges says itself what is safe: a mark waits for its word. One that delivers exactly once is told of
// checkpoints, and its marks wait for them (checkpoint-turns.ts). The sender hears which rows are settled, and which are refused. Rows that cannot
// be printed are counted and listed, the others kept; a destination that cannot write has failed: that is told, what is lost is counted, and
// the port is closed, so that the engine does not wait for it. How a destination is made, opened and torn down is destination-life.ts' matter.
import { registry } from '../../connectors/registry.ts';
import type { ConnectorRegistry } from '../../connectors/sdk/connector.ts';
import type { Outgoing } from '../../connectors/sdk/destination.ts';
import type { Encoder } from '../../connectors/sdk/format.ts';
import type { Actor, ActorContext, Behaviour, Reply } from '../../runtime/actor/actor.ts';
import { unreachable } from '../../runtime/assert.ts';
import type { ChangeBatch } from '../../runtime/batch/change-batch.ts';
import type { Timer } from '../../runtime/clock.ts';
import { errorToData } from '../../runtime/errors.ts';
import type { Frame, FrameReceiver } from '../../runtime/mailbox/channel.ts';
import { openFrameReceiver } from '../../runtime/mailbox/port-channel.ts';
import { countOn } from '../carried-counts.ts';
import type { LifecycleCall } from '../connector-calls.ts';
import { InspectionTaps } from '../inspection-taps.ts';
import { toldErrors } from '../told-errors.ts';
import { printBatch } from './batch-printer.ts';
import { CallPatience } from './call-patience.ts';
import { CheckpointTurns } from './checkpoint-turns.ts';
import { DeliveryLedger } from './delivery-ledger.ts';
import { DestinationLife } from './destination-life.ts';
import { isRecords } from './destination-opening.ts';
import type { DestinationArguments, DestinationMessage, DestinationNotice } from './messages.ts';
import { OutputBuffer } from './output-buffer.ts';
import { RowRecords } from './row-records.ts';
import { SettledRows } from './settled-rows.ts';
import { WrittenMarks } from './written-marks.ts';

/** Between two flushes while the queue does not run empty. */
const flushMs = 100;
/** What a write that is under way at `stop` gets before its signal is aborted. */
const stopPatienceMs = 2_000;

type Context = ActorContext<DestinationMessage, DestinationNotice>;

export function destinationBehaviour(
  connectors: ConnectorRegistry = registry,
): Behaviour<DestinationArguments, DestinationMessage, DestinationNotice> {
  return (args, context) => new DestinationActor(args, context, connectors);
}

class DestinationActor implements Actor<DestinationMessage> {
  readonly #args: DestinationArguments;
  readonly #context: Context;
  readonly #life: DestinationLife;
  readonly #receiver: FrameReceiver;
  readonly #buffer: OutputBuffer | null;
  readonly #abort = new AbortController();
  readonly #ledger: DeliveryLedger;
  readonly #settled: SettledRows;
  readonly #taps: InspectionTaps;
  readonly #patience: CallPatience;
  readonly #marks = new WrittenMarks();
  /** Null: it delivers at least once, and hears nothing of checkpoints. */
  readonly #checkpoints: CheckpointTurns | null;
  /** Makes records of rows, for a destination of records. */
  #rowRecords: RowRecords | null = null;
  #encoder: Encoder | null = null;
  #state: 'opening' | 'open' | 'ended' | 'failed' | 'stopping' = 'opening';
  #running: Promise<void> | null = null;
  #flushAsked: Reply[] = [];
  #bufferTimer: Timer | null = null;
  #isDirty = false;
  #flushedAt: number;

  constructor(args: DestinationArguments, context: Context, connectors: ConnectorRegistry) {
    const { connector, relation, port } = args;
    this.#args = args;
    this.#context = context;
    countOn(context.gauges, args.counted);
    this.#flushedAt = context.clock.monotonic();
    this.#ledger = new DeliveryLedger(context.clock, context.gauges, connector.format?.name ?? '');
    this.#taps = new InspectionTaps(context.gauges);
    this.#patience = new CallPatience(context.clock, args.stallMs, (reason, forMs) =>
      context.notify({ kind: 'stalled', reason, forMs }),
    );
    const limits = { rowsMax: connector.maxQueuedRecords, bytesMax: connector.maxQueuedBytes };
    this.#receiver = openFrameReceiver(port, { schema: relation.schema, limits });
    this.#receiver.onFrame = () => this.#pump();
    this.#settled = new SettledRows(connector.endpoint, this.#receiver, (error, node) =>
      this.#ledger.refused(error, node),
    );
    this.#life = this.#makeLife(connectors);
    this.#checkpoints = connector.isExactlyOnce === true ? this.#makeTurns() : null;
    const rowsMax = connector.maxOutputBufferSizeRecords;
    const timeMsMax = connector.maxOutputBufferTimeMillis;
    this.#buffer = connector.enableOutputBuffer ? new OutputBuffer({ rowsMax, timeMsMax }) : null;
  }

  receive(message: DestinationMessage, reply: Reply): void {
    switch (message.kind) {
      case 'prepare':
        this.#prepare(message.event).then(reply.resolve, reply.reject);
        return;
      case 'open':
        this.#open().then(reply.resolve, reply.reject);
        return;
      case 'flush':
        this.#flushAsked.push(reply);
        this.#pump();
        return;
      case 'write through':
        this.#marks.awaited(message.step);
        reply.resolve();
        this.#pump();
        return;
      case 'prepare checkpoint':
      case 'checkpoint stored':
        this.#askCheckpoint(message, reply);
        return;
      case 'ping':
        reply.resolve();
        this.#ping().catch((error: unknown) => this.#fail(error));
        return;
      case 'inspect':
        this.#taps.add(message.point, message.port);
        reply.resolve();
        return;
      case 'errors':
        reply.resolve(this.#ledger.errors);
        return;
      default:
        unreachable(message);
    }
  }

  async stop(): Promise<void> {
    const wasOpen = this.#state === 'open';
    this.#state = 'stopping';
    this.#bufferTimer?.cancel();
    this.#patience.end();
    const impatience = this.#context.clock.after(stopPatienceMs, () => this.#abort.abort());
    try {
      await this.#running;
      if (wasOpen && this.#isDirty) await this.#flush().catch((error) => this.#ledger.transportError(error));
    } finally {
      impatience.cancel();
      this.#abort.abort();
      this.#receiver.close();
      this.#taps.close();
      try {
        await this.#life.stop();
      } finally {
        await this.#life.teardown();
      }
    }
  }

  #makeLife(connectors: ConnectorRegistry): DestinationLife {
    const say = (message: string, fields: Readonly<Record<string, unknown>> = {}): void =>
      this.#context.notify({ kind: 'destination said', message, fields });
    return new DestinationLife(this.#args, connectors, this.#context, {
      signal: this.#abort.signal,
      reportError: toldErrors(this.#ledger, this.#context.clock, say),
      acknowledged: (count) => this.#answered(() => this.#settled.acknowledged(count)),
      refused: (error) => this.#answered(() => this.#settled.refused(error)),
      // A call that is under way says so itself.
      failed: (error) => this.#state === 'open' && this.#fail(error),
      log: say,
      stalled: (reason) => this.#patience.note('its own', reason),
      stallMs: this.#patience.stallMs,
    });
  }

  #makeTurns(): CheckpointTurns {
    return new CheckpointTurns({
      during: (call, work) => this.#patience.during(call, work),
      prepared: (checkpoint, note) =>
        this.#context.notify({ kind: 'checkpoint prepared', checkpoint, ...(note === null ? {} : { note }) }),
      confirm: (mark) => this.#settled.flushed(mark),
      showWaiting: (isWaiting) => this.#context.gauges.set('awaitsCheckpoint', isWaiting ? 1 : 0),
    });
  }

  #askCheckpoint({ kind, checkpoint }: Extract<DestinationMessage, { checkpoint: string }>, reply: Reply): void {
    if (this.#checkpoints === null || this.#state === 'failed') {
      reply.resolve();
      return;
    }
    this.#checkpoints.ask(kind === 'checkpoint stored' ? 'commit' : 'prepare', checkpoint, reply);
    this.#pump();
  }

  /** What was asked about checkpoints and can be answered now. */
  async #answerCheckpoints(): Promise<void> {
    const { destination } = this.#life;
    if (destination === null || !this.#isLive) return;
    await this.#checkpoints?.answer(destination, this.#state === 'ended', this.#marks.written);
  }

  /** One that is being opened, or is over, has nothing to answer for. */
  async #ping(): Promise<void> {
    if (this.#state === 'open') await this.#life.destination?.ping?.();
  }

  async #prepare(event: LifecycleCall | null): Promise<void> {
    const { acknowledges, takesRecords } = await this.#life.prepare(event);
    this.#settled.acknowledges = acknowledges;
    if (this.#life.chain !== null) this.#life.chain.observer = this.#taps;
    const { relation } = this.#args;
    if (takesRecords && !isRecords(relation)) {
      this.#rowRecords = new RowRecords(relation.name, this.#context.clock.now());
    }
  }

  async #open(): Promise<void> {
    this.#encoder = await this.#life.encoder();
    // It may have been stopped meanwhile.
    if (this.#state !== 'opening') return;
    if (this.#life.destination === null) await this.#prepare(null);
    if (this.#state !== 'opening') return;
    await this.#life.open(this.#checkpoints !== null);
    if (this.#state !== 'opening') return;
    this.#state = 'open';
    this.#pump();
  }

  /** Sees to it that whatever waits is worked on. */
  #pump(): void {
    if (this.#running !== null || this.#state === 'opening') return;
    this.#running = this.#run().finally(() => {
      this.#running = null;
      // Something may have come in while the last flush was under way.
      const isDue = (): boolean => this.#isBufferDue(this.#context.clock.monotonic());
      if (this.#checkpoints?.isDue(this.#state === 'ended') === true && this.#isLive) this.#pump();
      if (this.#state === 'open' && (!this.#receiver.isEmpty || this.#flushAsked.length > 0 || isDue())) this.#pump();
    });
  }

  get #isLive(): boolean {
    return this.#state === 'open' || this.#state === 'ended';
  }

  async #run(): Promise<void> {
    try {
      await this.#answerCheckpoints();
      while (this.#state === 'open') {
        const frame = this.#receiver.take();
        this.#showQueue();
        if (frame === null) break;
        await this.#take(frame);
        const now = this.#context.clock.monotonic();
        if (this.#isBufferDue(now)) await this.#writeBuffer();
        if (frame.kind === 'mark' && now - this.#flushedAt >= flushMs) await this.#flush();
        await this.#answerCheckpoints();
      }
      await this.#idle();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** The queue has run empty, or nothing more is to be taken. */
  async #idle(): Promise<void> {
    const asked = this.#flushAsked.splice(0);
    if (this.#state !== 'open') {
      for (const reply of asked) reply.resolve();
      return;
    }
    try {
      if (asked.length > 0 || this.#isBufferDue(this.#context.clock.monotonic())) await this.#writeBuffer();
      await this.#flush();
    } catch (error) {
      for (const reply of asked) reply.reject(error);
      throw error;
    }
    for (const reply of asked) reply.resolve();
    this.#setBufferTimer();
  }

  async #take(frame: Frame): Promise<void> {
    switch (frame.kind) {
      case 'batch':
        if (this.#buffer === null) await this.#write(frame.batch);
        else this.#buffer.add(frame.batch, this.#context.clock.monotonic());
        this.#showQueue();
        return;
      case 'mark':
        this.#marks.seen(frame.mark);
        this.#settled.marked(frame.mark);
        if (this.#buffer === null || this.#buffer.rows === 0) this.#marks.wrote();
        return;
      case 'barrier':
        return await this.#prepareCheckpoint(frame.checkpoint);
      case 'end':
        return await this.#end();
      default:
        return unreachable(frame);
    }
  }

  async #prepareCheckpoint(checkpoint: string): Promise<void> {
    await this.#writeBuffer();
    await this.#flush();
    const { destination } = this.#life;
    if (this.#checkpoints === null) {
      this.#settled.whenPresentSettled(() => this.#context.notify({ kind: 'checkpoint prepared', checkpoint }));
    } else if (destination !== null) {
      await this.#checkpoints.prepare(destination, checkpoint, this.#marks.written);
    }
  }

  async #end(): Promise<void> {
    await this.#writeBuffer();
    if (!this.#life.streamPerFlush) await this.#endStream();
    await this.#flush();
    await this.#life.stop();
    await this.#allSettled();
    this.#showQueue();
    if (this.#state !== 'open') return;
    this.#state = 'ended';
    this.#context.notify({ kind: 'destination ended' });
  }

  #isBufferDue(now: number): boolean {
    return this.#buffer !== null && (this.#marks.isAwaited || this.#buffer.isDue(now));
  }

  async #writeBuffer(): Promise<void> {
    const buffer = this.#buffer;
    if (buffer === null || buffer.rows === 0) return;
    const batches = buffer.take(this.#args.relation.schema, this.#encoder?.isDivisible === true);
    this.#showQueue();
    for (const batch of batches) await this.#write(batch);
    this.#marks.wrote();
  }

  async #write(batch: ChangeBatch): Promise<void> {
    const encoder = this.#encoder;
    this.#context.gauges.add('batches', 1);
    if (isRecords(this.#args.relation)) return await this.#writeRecords(batch);
    const records = this.#rowRecords?.convert(batch, this.#context.clock.now()) ?? null;
    if (records !== null) return await this.#writeRecords(records);
    if (encoder === null) {
      this.#settled.written(batch.rows, { batch, origins: null, failed: [] });
      return await this.#send({ kind: 'batch', batch });
    }
    const before = this.#context.gauges.get('records');
    await printBatch(
      encoder,
      batch,
      (printed) => this.#send({ kind: 'bytes', ...printed }),
      (error, row) => this.#ledger.encodeError(error, before + row + 1),
    );
  }

  async #writeRecords(batch: ChangeBatch): Promise<void> {
    const { chain } = this.#life;
    const chained = chain === null ? { batch, origins: null, failed: [] } : await chain.process(batch);
    this.#settled.written(batch.rows, chained);
    this.#taps.connector(chained.batch);
    if (chained.batch.rows > 0) await this.#send({ kind: 'batch', batch: chained.batch });
    this.#settled.tellSoon();
  }

  // ── what is settled ──

  /** The destination has said something of what it was written. */
  #answered(note: () => void): void {
    if (!this.#settled.acknowledges) return;
    this.#patience.progressed();
    try {
      note();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Resolves when the destination has answered for everything, if it does answer. */
  async #allSettled(): Promise<void> {
    if (!this.#settled.acknowledges || this.#settled.areAllSettled) return;
    this.#life.enter('flush');
    await this.#settled.whenAllSettled();
    this.#life.enter(null);
  }

  // ── writing ──

  async #send(data: Outgoing): Promise<void> {
    this.#isDirty = true;
    this.#checkpoints?.written();
    await this.#patience.during('write', async () => await this.#life.destination?.write(data));
    this.#ledger.written(data);
  }

  /** What the format writes behind the last row, such as the directory of a Parquet file. */
  async #endStream(): Promise<void> {
    const bytes = this.#encoder?.finish?.() ?? null;
    if (bytes !== null && bytes.length > 0) await this.#send({ kind: 'bytes', bytes, records: 0 });
  }

  /** Flushes what was written, if anything was, and confirms what that covers. */
  async #flush(): Promise<void> {
    const mark = this.#marks.written;
    if (this.#isDirty) {
      if (this.#life.streamPerFlush) {
        await this.#endStream();
        this.#encoder = await this.#life.encoder();
      }
      this.#isDirty = false;
      await this.#patience.during('flush', async () => await this.#life.destination?.flush?.());
    }
    this.#flushedAt = this.#context.clock.monotonic();
    if (this.#checkpoints === null) this.#settled.flushed(mark);
  }

  #setBufferTimer(): void {
    this.#bufferTimer?.cancel();
    this.#bufferTimer = null;
    const ms = this.#buffer?.dueIn(this.#context.clock.monotonic()) ?? null;
    if (ms !== null) this.#bufferTimer = this.#context.clock.after(ms, () => this.#pump());
  }

  #fail(error: unknown): void {
    if (this.#state === 'stopping' || this.#state === 'failed') return;
    this.#state = 'failed';
    this.#ledger.transportError(error);
    // Records that are not settled come again.
    if (isRecords(this.#args.relation)) this.#settled.tell();
    else this.#context.gauges.add('droppedRecords', this.#receiver.queuedRows + (this.#buffer?.rows ?? 0));
    this.#receiver.close();
    for (const reply of this.#flushAsked.splice(0)) reply.reject(error);
    this.#checkpoints?.refuse(error);
    this.#context.notify({ kind: 'destination failed', error: errorToData(error) });
  }

  #showQueue(): void {
    this.#ledger.waiting({ queued: this.#receiver, buffer: this.#buffer });
  }
}
