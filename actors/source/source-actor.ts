// The actor of one input connector: opens its source, reads it to the end, sends what it reads to the engine.
//
// Promises: frames leave in the order of the input; none leaves between the answer to `pause` and `resume`; a failure
// is told after everything read before it has been sent; the source is torn down once, whatever happened; it is acknowledged only what
// the supervisor has stored. Rows that the format refuses are counted and listed and prevent nothing.
// `finish` is the graceful end: the source is asked to stop and read to its end; `stop` ends it where it is.
// This file only wires: how an input is read is in intake.ts and record-intake.ts, what a pause is in outbox.ts.
import { availableParallelism } from 'node:os';
import { registry } from '../../connectors/registry.ts';
import type { ConnectorRegistry } from '../../connectors/sdk/connector.ts';
import type { ParameterValues } from '../../connectors/sdk/parameters.ts';
import type { ProcessorChain } from '../../connectors/sdk/processor-chain.ts';
import type { Position, Source } from '../../connectors/sdk/source.ts';
import { wantsSchemas } from '../../connectors/sdk/source-middleware.ts';
import type { SchemaClient } from '../../connectors/standalone/schema-client.ts';
import type { Actor, ActorContext, Behaviour, Reply } from '../../runtime/actor/actor.ts';
import { assert, unreachable } from '../../runtime/assert.ts';
import type { ChangeBatch } from '../../runtime/batch/change-batch.ts';
import type { Timer } from '../../runtime/clock.ts';
import { errorToData } from '../../runtime/errors.ts';
import type { FrameSender } from '../../runtime/mailbox/channel.ts';
import { FrameRooms } from '../../runtime/mailbox/frame-rooms.ts';
import { openFrameSender } from '../../runtime/mailbox/port-channel.ts';
import { decodeThreads } from '../../runtime/thread/placement.ts';
import { countOn } from '../carried-counts.ts';
import { type LifecycleCall, phaseOf, tellEvent } from '../connector-calls.ts';
import { InspectionTaps } from '../inspection-taps.ts';
import { makeChain } from '../processor-opening.ts';
import { openSchemas } from '../schema-access.ts';
import { toldErrors } from '../told-errors.ts';
import { Acknowledgement } from './acknowledgement.ts';
import type { DecodePool } from './decode-pool.ts';
import { isUsed } from './encoded-batch.ts';
import { InFlightPositions } from './in-flight-positions.ts';
import { Intake, type Reading } from './intake.ts';
import { IntakeLedger } from './intake-ledger.ts';
import { sourcePosition } from './line-records.ts';
import type { SourceArguments, SourceMessage, SourceNotice } from './messages.ts';
import { Outbox, postFrame } from './outbox.ts';
import type { Decoded, DecodeRequest } from './piece-decoder.ts';
import { RecordIntake } from './record-intake.ts';
import { RecordPositions } from './record-positions.ts';
import { ReplayPoints } from './replay-points.ts';
import { isRecords, openSource } from './source-opening.ts';
import { decodeStreamPlace } from './stream-position.ts';

/** Bytes of an input before which no thread is started for it. */
const pooledInputBytesMin = 256 << 10;
/** Bytes of an input for which one is started before they come. */
const expectedInputBytesMin = 2 << 20;
const queueGaugesMs = 100;
/** What a read that is under way at `stop` gets to notice it, before the source is torn down all the same. */
const readPatienceMs = 2_000;

type Context = ActorContext<SourceMessage, SourceNotice>;

/** The behaviour of sources on one thread, which share `pool`. */
export function sourceBehaviour(
  pool: DecodePool,
  connectors: ConnectorRegistry = registry,
): Behaviour<SourceArguments, SourceMessage, SourceNotice> {
  return (args, context) => new SourceActor(args, context, pool, connectors);
}

interface Made {
  readonly source: Source;
  readonly reading: Reading | null;
  /** Its records are lines, and have positions of ours. */
  readonly makesLines: boolean;
  /** Its records become rows. */
  readonly convert: ((batch: ChangeBatch) => Decoded) | null;
  /** Read again, its input comes in the same order. */
  readonly repeats: boolean;
  readonly chain: ProcessorChain;
  readonly acknowledgement: Acknowledgement;
}

class SourceActor implements Actor<SourceMessage> {
  readonly #args: SourceArguments;
  readonly #context: Context;
  readonly #pool: DecodePool;
  readonly #connectors: ConnectorRegistry;
  /** Nothing more is wanted of it, and nothing more is to be read. */
  readonly #abort = new AbortController();
  readonly #reading = new AbortController();
  readonly #sender: FrameSender;
  readonly #rooms: FrameRooms;
  readonly #outbox: Outbox;
  readonly #ledger: IntakeLedger;
  readonly #replay: ReplayPoints;
  readonly #records: RecordPositions | null;
  readonly #taps: InspectionTaps;
  /** Of rows, where they are acknowledged as they leave the outputs. */
  #marked: InFlightPositions | null = null;
  #made: Made | null = null;
  #schemas: SchemaClient | null = null;
  #running: Promise<void> = Promise.resolve();
  #isOpen = false;
  #settleWaiters: (() => void)[] = [];
  #queueTimer: Timer | null = null;

  constructor(args: SourceArguments, context: Context, pool: DecodePool, connectors: ConnectorRegistry) {
    this.#args = args;
    this.#context = context;
    this.#pool = pool;
    this.#connectors = connectors;
    const { clock, gauges } = context;
    const { relation, connector, port } = args;
    const limits = { rowsMax: connector.maxQueuedRecords, bytesMax: connector.maxQueuedBytes };
    // What a full mailbox holds and as much again, which is in a step. A relay keeps what it is sent, so it is lent nothing.
    this.#rooms = new FrameRooms(2 * limits.bytesMax);
    this.#sender = openFrameSender(port, { schema: relation.schema, limits, rooms: this.#rooms });
    this.#abort.signal.addEventListener('abort', () => this.#reading.abort(), { once: true });
    // Without a reader there is nothing left to do; who took it away knows why.
    this.#sender.onClose = () => this.#abort.abort();
    this.#ledger = new IntakeLedger(clock, gauges);
    countOn(gauges, args.counted);
    const { position, skipRows = 0 } = args;
    const records = args.counted?.records ?? 0;
    this.#replay = new ReplayPoints(relation.schema, { position, skipRows, records });
    this.#outbox = new Outbox({ sender: this.#sender, clock, gauges, signal: this.#abort.signal });
    this.#records = isRecords(relation) ? new RecordPositions() : null;
    this.#taps = new InspectionTaps(gauges);
    pool.lease();
  }

  receive(message: SourceMessage, reply: Reply): void {
    switch (message.kind) {
      case 'prepare':
        this.#prepare(message.event).then(reply.resolve, reply.reject);
        return;
      case 'open':
        this.#open().then(reply.resolve, reply.reject);
        return;
      case 'pause':
        this.#outbox.close();
        reply.resolve();
        return;
      case 'resume':
        this.#outbox.open();
        reply.resolve();
        return;
      case 'finish':
        this.#finish().then(reply.resolve, reply.reject);
        return;
      case 'settle':
        this.#settled(message.partly === true).then(reply.resolve, reply.reject);
        return;
      case 'stored':
        this.#made?.acknowledgement.stored(message.sequence);
        return;
      case 'acknowledge':
        this.#made?.acknowledgement.durable(message.position);
        return;
      case 'replay points':
        reply.resolve(this.#replay.toArray());
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
    this.#abort.abort();
    this.#queueTimer?.cancel();
    this.#sender.close();
    this.#taps.close();
    const made = this.#made;
    try {
      await this.#readEnds();
    } finally {
      if (made !== null) this.#enter('teardown');
      try {
        await made?.source.teardown?.();
        this.#enter(null);
      } catch (error) {
        this.#enter(null);
        this.#context.notify({ kind: 'teardown failed', error: errorToData(error) });
      } finally {
        await made?.chain.teardown();
        await this.#schemas?.close();
        await this.#pool.release();
      }
    }
  }

  /** Resolves when reading has ended, or does not seem to. */
  async #readEnds(): Promise<void> {
    await new Promise<void>((resolve) => {
      const timer = this.#context.clock.after(readPatienceMs, resolve);
      this.#running.finally(() => {
        timer.cancel();
        resolve();
      });
    });
  }

  #enter(phase: Extract<SourceNotice, { kind: 'phase' }>['phase']): void {
    this.#context.notify({ kind: 'phase', phase });
  }

  async #prepare(event: LifecycleCall | null): Promise<void> {
    const { source } = await this.#make();
    this.#enter('configure');
    await source.configure?.();
    if (event !== null) {
      this.#enter(phaseOf(event));
      await tellEvent(source, event);
    }
    this.#enter(null);
  }

  async #make(): Promise<Made> {
    const { clock } = this.#context;
    const { signal } = this.#reading;
    const say = (message: string, fields: Readonly<Record<string, unknown>> = {}): void =>
      this.#context.notify({ kind: 'source said', message, fields });
    const reportError = toldErrors(this.#ledger, clock, say);
    const { baseFolder, processors = [] } = this.#args;
    const { log } = this.#context;
    const isAsked = processors.length > 0 || wantsSchemas(settingsOf(this.#args));
    this.#schemas = isAsked ? await openSchemas(this.#args.schemas, clock) : null;
    const schemas = this.#schemas === null ? {} : { schemas: this.#schemas };
    const chain = await makeChain(processors, this.#connectors, { baseFolder, signal, clock, log, ...schemas });
    chain.observer = this.#taps;
    const opened = await openSource(this.#args, this.#connectors, {
      signal,
      clock,
      reportError,
      log: say,
      stalled: (reason, forMs) => this.#context.notify({ kind: 'stalled', reason, forMs }),
      ...(this.#args.stallMs === undefined ? {} : { stallMs: this.#args.stallMs }),
      ...schemas,
    });
    const { source } = opened;
    const acknowledgement = new Acknowledgement({
      clock,
      ack: async (position) => await source.ack?.(this.#toSource(position)),
      store: (sequence, position) => this.#context.notify({ kind: 'position reached', sequence, position }),
      onError: reportError,
    });
    this.#made = { ...opened, chain, acknowledgement };
    return this.#made;
  }

  /** A position as the source itself speaks of it. */
  #toSource(position: Position): Position {
    return this.#made?.makesLines === true ? sourcePosition(position) : decodeStreamPlace(position).position;
  }

  async #open(): Promise<void> {
    if (this.#made === null) await this.#prepare(null);
    const made = this.#made;
    // It may have been stopped meanwhile.
    this.#abort.signal.throwIfAborted();
    assert(made !== null, 'a source is made before it is opened');
    const { position } = this.#args;
    this.#enter('open');
    await made.source.open(position === null ? null : this.#toSource(position));
    const head = position === null ? null : decodeStreamPlace(position).head;
    if (head !== null && made.reading?.kind === 'stream') made.reading.cutter.resume(head);
    await made.chain.open();
    this.#enter(null);
    this.#isOpen = true;
    this.#context.gauges.set('open', 1);
    this.#watchQueue();
    this.#running = this.#records === null ? this.#runRows(made) : this.#runRecords(made, this.#records);
  }

  #runRecords({ source, chain, acknowledgement }: Made, positions: RecordPositions): Promise<void> {
    let settledBefore = 0;
    this.#sender.onSettle = (rows) => {
      const position = positions.settled(rows);
      if (position !== null) acknowledgement.reached(position, rows - settledBefore);
      settledBefore = rows;
      this.#wakeSettled();
    };
    const intake = new RecordIntake({
      connector: this.#args.connector.endpoint,
      source,
      chain,
      taps: this.#taps,
      outbox: this.#outbox,
      ledger: this.#ledger,
      positions,
      clock: this.#context.clock,
      // A batch of which nothing was left is settled with what was sent before it, and nobody else says so.
      onFiltered: () => {
        const position = positions.settled();
        if (position !== null) acknowledgement.reached(position, 0);
      },
      totals: (totals) => this.#showTotals(totals),
      signal: this.#abort.signal,
      reading: this.#reading.signal,
    });
    return this.#run(async () => await intake.run());
  }

  #runRows({ source, reading, convert, repeats, acknowledgement }: Made): Promise<void> {
    assert(reading !== null, 'rows are read with a format, or come as batches');
    const { signal } = this.#abort;
    const workers = this.#args.decodeWorkers ?? decodeThreads(availableParallelism());
    // The thread that decodes starts while the first bytes are on their way.
    if (reading.kind === 'stream' && (source.bytesTotal?.() ?? 0) >= expectedInputBytesMin) {
      this.#pool.expect(reading.setup, workers);
    }
    let bytesSeen = 0;
    const positions = new InFlightPositions();
    const isLater = this.#args.acknowledgesLater === true;
    if (source.ack !== undefined) this.#context.notify({ kind: 'wants acknowledgements' });
    const acknowledges = source.ack !== undefined && !isLater;
    const isAwaited = source.ack !== undefined && isLater;
    const intake = new Intake({
      transport: this.#args.connector.transport.name,
      source,
      reading,
      convert,
      decode: (request) => {
        bytesSeen += request.bytes.length;
        return this.#decode(request, bytesSeen < pooledInputBytesMin ? 0 : workers);
      },
      entriesMax: workers + 1,
      outbox: this.#outbox,
      rooms: this.#rooms,
      ledger: this.#ledger,
      positions,
      moved: () => {
        if (isAwaited) this.#context.notify({ kind: 'position moved' });
      },
      acknowledges,
      replay: this.#replay,
      unclearable: this.#args.unclearable ?? null,
      repeats,
      totals: (totals) => this.#showTotals(totals),
      signal,
    });
    if (acknowledges) this.#acknowledge(acknowledgement, positions);
    return this.#run(async () => {
      await intake.run();
      const mark = acknowledges ? positions.takeMark(true) : null;
      if (mark !== null) await this.#outbox.send(postFrame({ kind: 'mark', mark }));
    });
  }

  /** Columns mostly take less than the text that they are made of; what takes more has a buffer of its own. */
  #decode(request: DecodeRequest, workers: number): Promise<Decoded> | Decoded {
    const room = request.kind === 'piece' ? this.#rooms.take(request.bytes.length) : null;
    if (request.kind !== 'piece' || room === null) return this.#pool.decode(request, workers);
    const decoded = this.#pool.decode({ ...request, room }, workers);
    const freed = (result: Decoded): Decoded => {
      if (!isUsed(room, result.batches)) this.#rooms.giveBack([room.room]);
      return result;
    };
    // A thread that has failed may still write to it: it is not used again.
    return decoded instanceof Promise ? decoded.then(freed) : freed(decoded);
  }

  async #run(read: () => Promise<void>): Promise<void> {
    const { signal } = this.#abort;
    try {
      await read();
      if (signal.aborted) return;
      await this.#outbox.send(postFrame({ kind: 'end' }));
      this.#context.notify({ kind: 'source ended' });
    } catch (error) {
      if (signal.aborted) return;
      const repeats = this.#made?.repeats ?? false;
      this.#context.notify({ kind: 'source failed', error: errorToData(error), repeats });
    }
  }

  /** Asks a source that can stop to do so, and reads what it still has; ends what cannot. */
  async #finish(): Promise<void> {
    const source = this.#made?.source;
    const isHeld = !this.#outbox.isOpen || !this.#isOpen;
    if (isHeld || (source?.stop === undefined && this.#records === null)) this.#abort.abort();
    else if (source?.stop === undefined) this.#reading.abort();
    else {
      this.#enter('stop');
      await source.stop();
    }
    await this.#running;
    this.#enter(null);
  }

  async #settled(isPartly: boolean): Promise<void> {
    // What the relay has said before is here after a turn or two.
    for (let turn = 0; isPartly && turn < 3; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
    const sent = this.#records ?? this.#marked;
    while (!isPartly && sent !== null && !sent.isEmpty && !this.#abort.signal.aborted) {
      await new Promise<void>((resolve) => this.#settleWaiters.push(resolve));
    }
    await this.#made?.acknowledgement.whenIdle();
  }

  #wakeSettled(): void {
    for (const resolve of this.#settleWaiters.splice(0)) resolve();
  }

  #acknowledge(acknowledgement: Acknowledgement, positions: InFlightPositions): void {
    this.#marked = positions;
    this.#sender.onConfirm = (mark) => {
      const position = positions.confirmed(mark);
      if (position === null || this.#abort.signal.aborted) return;
      acknowledgement.durable(position);
      // What was sent meanwhile may be the last for long: it does not wait for more.
      const next = this.#outbox.isOpen ? positions.takeMark() : null;
      if (next !== null) this.#sender.send({ kind: 'mark', mark: next });
      this.#wakeSettled();
    };
  }

  #showTotals(totals: { readonly bytes?: number | null; readonly records?: number | null }): void {
    const { gauges } = this.#context;
    if (typeof totals.bytes === 'number') gauges.set('bytesTotal', totals.bytes);
    if (typeof totals.records === 'number') gauges.set('recordsTotal', totals.records);
  }

  /** The engine takes rows without telling this actor but by credit, so the queue is looked at from time to time. */
  #watchQueue(): void {
    const { gauges, clock } = this.#context;
    const show = (): void => {
      gauges.set('queuedRecords', this.#sender.queuedRows);
      gauges.set('queuedBytes', this.#sender.queuedBytes);
    };
    this.#queueTimer = clock.every(queueGaugesMs, show);
  }
}

/** Of its transport, as far as they are an object. */
function settingsOf({ connector }: SourceArguments): ParameterValues {
  const { config } = connector.transport;
  // SAFETY: an object that is no list has values by name.
  return typeof config === 'object' && config !== null && !Array.isArray(config) ? (config as ParameterValues) : {};
}
