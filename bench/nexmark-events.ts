// The events of a Nexmark run as batches, made as the transport `nexmark` makes them, a step at a time.
import type { BoundProgram } from '../actors/engine/sql/bound.ts';
import { type EventStream, type NexmarkTable, rowsAmong } from '../connectors/nexmark/event-stream.ts';
import { columnsOf, makeBatch } from '../connectors/nexmark/fill-columns.ts';
import { BatchBuilder } from '../runtime/batch/batch-builder.ts';
import type { ChangeBatch } from '../runtime/batch/change-batch.ts';
import type { Relation } from '../runtime/batch/schema.ts';

const stream: EventStream = { seed: 0, gapMs: 10, hotAuctionRatio: 2, hotSellerRatio: 4, hotBidderRatio: 4 };
export const sideRows = 10_000;
/** The side table of q13 as CSV. */
export function sideText(): string {
  return Array.from({ length: sideRows }, (_, row) => `2015-07-15 00:00:00,${row},side ${row}\n`).join('');
}

const isEventTable = (name: string): name is NexmarkTable => ['person', 'auction', 'bid'].includes(name);

/** The tables of the program, whether or not its query reads them: the events are the same for every query. */
export class NexmarkEvents {
  readonly #relations: ReadonlyMap<NexmarkTable, Relation>;
  readonly #side: Relation | null;

  constructor(program: BoundProgram) {
    const relations = program.tables.map(({ relation }) => relation);
    this.#relations = new Map(
      relations.flatMap((relation) => (isEventTable(relation.name) ? [[relation.name, relation]] : [])),
    );
    this.#side = relations.find(({ name }) => name === 'side_input') ?? null;
  }

  /** Events first … end. */
  step(first: number, end: number): Map<string, ChangeBatch[]> {
    const batches = new Map<string, ChangeBatch[]>();
    for (const [table, relation] of this.#relations) {
      const firstRow = rowsAmong(table, first);
      const rows = rowsAmong(table, end) - firstRow;
      if (rows === 0) continue;
      const kinds = relation.schema.fields.map(({ name }) => {
        const kind = columnsOf(table).get(name.toLowerCase());
        if (kind === undefined) throw new Error(`${table} has no ${name}`);
        return kind;
      });
      batches.set(table, [makeBatch(relation.schema, kinds, table, stream, firstRow, rows)]);
    }
    return batches;
  }

  /** What q13 joins with: a row for each slot, from the beginning of time on. */
  sideInput(): Map<string, ChangeBatch[]> {
    if (this.#side === null) return new Map();
    const builder = new BatchBuilder(this.#side.schema, sideRows);
    const encoder = new TextEncoder();
    const [time, key, value] = builder.columns;
    for (let row = 0; row < sideRows; row++) {
      // SAFETY: the table is (TIMESTAMP, BIGINT, VARCHAR).
      (time!.values as BigInt64Array)[row] = 1_436_918_400_000_000n;
      (key!.values as BigInt64Array)[row] = BigInt(row);
      const text = encoder.encode(`side ${row}`);
      value!.appendBytes(text, 0, text.length);
      builder.commitRow();
    }
    return new Map([['side_input', [builder.finish()]]]);
  }
}
