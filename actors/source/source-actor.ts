// The actor of one input connector: opens its source, reads it to the end, sends what it reads to the engine.
//
// Promises: frames leave in the order of the input; none leaves between the answer to `pause` and `resume`; a failure
// is told after everything read before it has been sent; the source is torn down once, whatever happened.
// Rows that the format refuses are counted and listed and prevent nothing.
// This file only wires: how an input is read is in intake.ts, what a pause is in outbox.ts.
import { availableParallelism } from 'node:os';
import { registry } from '../../connectors/registry.ts';
import type { ConnectorRegistry } from '../../connectors/sdk/connector.ts';
import type { Source } from '../../connectors/sdk/source.ts';
import type { Actor, ActorContext, Behaviour, Reply } from '../../runtime/actor/actor.ts';
import { unreachable } from '../../runtime/assert.ts';
import type { Timer } from '../../runtime/clock.ts';
import { errorToData } from '../../runtime/errors.ts';
import type { FrameSender } from '../../runtime/mailbox/channel.ts';
import { openFrameSender } from '../../runtime/mailbox/port-channel.ts';
import { decodeThreads } from '../../runtime/thread/placement.ts';
import type { DecodePool } from './decode-pool.ts';
import { InFlightPositions } from './in-flight-positions.ts';
import { Intake } from './intake.ts';
import { IntakeLedger } from './intake-ledger.ts';
import type { SourceArguments, SourceMessage, SourceNotice } from './messages.ts';
import { Outbox, postFrame } from './outbox.ts';
import { ReplayPoints } from './replay-points.ts';
import { openSource, resumesAnywhere } from './source-opening.ts';

/** Bytes of an input before which no thread is started for it. */
const pooledInputBytesMin = 256 << 10;
const queueGaugesMs = 100;

type Context = ActorContext<SourceMessage, SourceNotice>;

/** The behaviour of sources on one thread, which share `pool`. */
export function sourceBehaviour(
  pool: DecodePool,
  connectors: ConnectorRegistry = registry,
): Behaviour<SourceArguments, SourceMessage, SourceNotice> {
  return (args, context) => new SourceActor(args, context, pool, connectors);
}

class SourceActor implements Actor<SourceMessage> {
  readonly #args: SourceArguments;
  readonly #context: Context;
  readonly #pool: DecodePool;
  readonly #connectors: ConnectorRegistry;
  readonly #abort = new AbortController();
  readonly #sender: FrameSender;
  readonly #outbox: Outbox;
  readonly #ledger: IntakeLedger;
  readonly #replay: ReplayPoints;
  #source: Source | null = null;
  #running: Promise<void> = Promise.resolve();
  #queueTimer: Timer | null = null;

  constructor(args: SourceArguments, context: Context, pool: DecodePool, connectors: ConnectorRegistry) {
    this.#args = args;
    this.#context = context;
    this.#pool = pool;
    this.#connectors = connectors;
    const { clock, gauges } = context;
    const { relation, connector, port } = args;
    const limits = { rowsMax: connector.maxQueuedRecords, bytesMax: connector.maxQueuedBytes };
    this.#sender = openFrameSender(port, { schema: relation.schema, limits });
    // Without a reader there is nothing left to do; who took it away knows why.
    this.#sender.onClose = () => this.#abort.abort();
    this.#ledger = new IntakeLedger(clock, gauges);
    const { position, skipRows = 0 } = args;
    this.#replay = new ReplayPoints(relation.schema, { position, skipRows });
    this.#outbox = new Outbox({ sender: this.#sender, clock, gauges, signal: this.#abort.signal });
    pool.lease();
  }

  receive(message: SourceMessage, reply: Reply): void {
    switch (message.kind) {
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
      case 'replay points':
        reply.resolve(this.#replay.toArray());
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
    const source = this.#source;
    try {
      await source?.stop?.();
      await this.#running;
    } finally {
      await source?.teardown?.();
      await this.#pool.release();
    }
  }

  async #open(): Promise<void> {
    const { signal } = this.#abort;
    const { clock } = this.#context;
    const reportError = (error: unknown): void => this.#ledger.transportError(error);
    const { source, reading } = await openSource(this.#args, this.#connectors, { signal, clock, reportError });
    // It may have been stopped while a module was loaded.
    if (signal.aborted) return await source.teardown?.();
    this.#source = source;
    await source.open(this.#args.position);
    const workers = this.#args.decodeWorkers ?? decodeThreads(availableParallelism());
    let bytesSeen = 0;
    const positions = new InFlightPositions();
    const acknowledges = source.ack !== undefined;
    const intake = new Intake({
      transport: this.#args.connector.transport.name,
      source,
      reading,
      decode: (request) => {
        bytesSeen += request.bytes.length;
        return this.#pool.decode(request, bytesSeen < pooledInputBytesMin ? 0 : workers);
      },
      entriesMax: workers + 1,
      outbox: this.#outbox,
      ledger: this.#ledger,
      positions,
      acknowledges,
      replay: this.#replay,
      resumes: resumesAnywhere(this.#args.connector),
      totals: (totals) => this.#showTotals(totals),
      signal,
    });
    if (acknowledges) this.#acknowledge(source, positions);
    this.#watchQueue();
    this.#running = this.#run(intake, acknowledges ? positions : null);
  }

  async #run(intake: Intake, positions: InFlightPositions | null): Promise<void> {
    const { signal } = this.#abort;
    try {
      await intake.run();
      const mark = positions?.takeMark(true) ?? null;
      if (mark !== null) await this.#outbox.send(postFrame({ kind: 'mark', mark }));
      await this.#outbox.send(postFrame({ kind: 'end' }));
      this.#context.notify({ kind: 'source ended' });
    } catch (error) {
      if (!signal.aborted) this.#context.notify({ kind: 'source failed', error: errorToData(error) });
    }
  }

  #acknowledge(source: Source, positions: InFlightPositions): void {
    this.#sender.onConfirm = (mark) => {
      const position = positions.confirmed(mark);
      if (position === null || this.#abort.signal.aborted) return;
      Promise.resolve(source.ack?.(position)).catch((error) => this.#ledger.transportError(error));
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
