// nexmark: the events of one table of the Nexmark benchmark, as columns, from a seed.
//
// The three tables of a program have a connector each; they share nothing but their options, from which every event follows
// (event-stream.ts). Position: { row }, the next row of the table. With a rate a batch is held back until its last event is due.
import { setImmediate } from 'node:timers/promises';
import { nearestName } from '../../runtime/nearest-name.ts';
import { ConfigInvalidValue, ConfigUnknownKey } from '../sdk/configuration-errors.ts';
import type { ParameterValues } from '../sdk/parameters.ts';
import type { Payload, Position, Source, SourceContext, SourceDefinition } from '../sdk/source.ts';
import { wait } from '../sdk/wait.ts';
import { nexmarkDeclaration } from './declarations.ts';
import { type EventStream, eventNumbers, type NexmarkTable, rowsAmong } from './event-stream.ts';
import { type ColumnKind, ColumnRoom, columnsOf, makeBatch } from './fill-columns.ts';

/** Rows of about 2 MiB: the memory of a batch is that of one before, for as long as the engine keeps up. */
const batchRowsMax: Readonly<Record<NexmarkTable, number>> = { person: 8_192, auction: 4_096, bid: 16_384 };
/** The first batch is so many times smaller, and each one twice as large as the one before: the engine begins while more are made. */
const firstBatchShare = 16;
/** With a rate, so many batches are made in a second where it allows. */
const batchesPerSecond = 10;

export const nexmark: SourceDefinition = {
  ...nexmarkDeclaration,
  create: (configuration, context) => new NexmarkSource(configuration, context),
};

class NexmarkSource implements Source {
  readonly #context: SourceContext;
  readonly #table: NexmarkTable;
  readonly #stream: EventStream;
  readonly #kinds: readonly ColumnKind[];
  readonly #rows: number;
  /** Events a millisecond. */
  readonly #rate: number;
  #row = 0;
  /** Of the next batch. */
  #batchRowsMax: number;
  /** Arrays that nobody reads any more. */
  #room: ColumnRoom | null = null;

  constructor(configuration: ParameterValues, context: SourceContext) {
    this.#context = context;
    // SAFETY: the values have been validated against the declaration.
    this.#table = configuration['table'] as NexmarkTable;
    const options = (configuration['options'] ?? {}) as ParameterValues;
    this.#stream = {
      seed: Number(options['seed'] ?? 0),
      gapMs: Number(options['event_gap_ms'] ?? 10),
      hotAuctionRatio: Number(options['hot_auction_ratio'] ?? 2),
      hotSellerRatio: Number(options['hot_seller_ratio'] ?? 4),
      hotBidderRatio: Number(options['hot_bidder_ratio'] ?? 4),
    };
    this.#rate = Number(options['rate'] ?? Number.POSITIVE_INFINITY) / 1000;
    this.#rows = rowsAmong(this.#table, Number(options['events'] ?? 100_000_000));
    this.#kinds = kindsOf(this.#table, context);
    this.#batchRowsMax = batchRowsMax[this.#table] / firstBatchShare;
  }

  async open(position: Position | null): Promise<void> {
    this.#row = Number(position?.['row'] ?? 0);
  }

  async *read(): AsyncIterable<Payload> {
    const { clock, signal, relation } = this.#context;
    const startedAt = clock.monotonic();
    const firstEvent = this.#eventOf(this.#row);
    while (this.#row < this.#rows && !signal.aborted) {
      const rows = Math.min(this.#batchRows(), this.#rows - this.#row);
      const due = startedAt + (this.#eventOf(this.#row + rows - 1) + 1 - firstEvent) / this.#rate;
      if (due > clock.monotonic()) yield { kind: 'idle' };
      // Timers may fire early by a fraction.
      for (let left = due - clock.monotonic(); left > 0 && !signal.aborted; left = due - clock.monotonic()) {
        await wait(clock, left, signal);
      }
      if (signal.aborted) return;
      const room = this.#room ?? new ColumnRoom();
      this.#room = null;
      const batch = makeBatch(relation.schema, this.#kinds, this.#table, this.#stream, this.#row, rows, room);
      this.#row += rows;
      const release = (): void => {
        this.#room = room;
      };
      yield { kind: 'batch', batch, position: { row: this.#row }, release };
      // Nothing here waits for the outside, so whoever asks the thread something has to be let in.
      await setImmediate();
    }
  }

  recordsTotal(): number {
    return this.#rows;
  }

  #batchRows(): number {
    const most = this.#batchRowsMax;
    this.#batchRowsMax = Math.min(batchRowsMax[this.#table], 2 * most);
    if (!Number.isFinite(this.#rate)) return most;
    const events = Math.max(1, Math.floor((this.#rate * 1000) / batchesPerSecond));
    return Math.max(1, Math.min(most, rowsAmong(this.#table, events)));
  }

  #eventOf(row: number): number {
    const number = new Float64Array(1);
    eventNumbers(this.#table, row, number);
    return number[0] ?? 0;
  }
}

/** @throws a coded error when the table has columns that such events do not have. */
function kindsOf(table: NexmarkTable, { relation }: SourceContext): readonly ColumnKind[] {
  const columns = columnsOf(table);
  return relation.schema.fields.map(({ name, type }) => {
    const kind = columns.get(name.toLowerCase());
    const owner = `Nexmark's ${table}`;
    if (kind === undefined) {
      throw new ConfigUnknownKey({ key: name, owner }, { suggestion: nearestName(name, [...columns.keys()]) });
    }
    if (kind.type !== type.kind) {
      throw new ConfigInvalidValue({ key: name, reason: `is ${type.kind}, and ${kind.type} in ${owner}` });
    }
    return kind;
  });
}
