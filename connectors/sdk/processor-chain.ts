// Processors one behind the other, as one: what the first answers is what the second sees.
//
// The answer speaks of the rows that came in: origins are composed, and a record that fails anywhere is one failure of the row that it
// came from, with the processor that refused it. When a record had been split before, its other parts go with it: a record is delivered
// whole or refused whole. Batches of no rows reach no processor. Calls do not overlap; one owner, the actor of the connector.
// Not here: conditions (processors/conditional.ts) and what becomes of refused records.
import { assert } from '../../runtime/assert.ts';
import type { ChangeBatch } from '../../runtime/batch/change-batch.ts';
import { gatherRows } from '../../runtime/batch/gather-rows.ts';
import type { FailedRecord, ProcessedBatch, Processor } from './processor.ts';

export interface ChainLink {
  /** Id of the processor in its pipeline. */
  readonly id: string;
  readonly processor: Processor;
}

export interface ChainFailure extends FailedRecord {
  /** Id of the processor that refused the record. */
  readonly node: string;
}

export interface ChainedBatch {
  readonly batch: ChangeBatch;
  /** The row of the batch that came in of each row of `batch`, ascending; null: row i comes from row i, all of them. */
  readonly origins: Int32Array | null;
  /** Ascending, one a row that came in; none of them is among `origins`. */
  readonly failed: readonly ChainFailure[];
}

/** Sees what passes each processor. It may not keep a batch, nor take long. */
export interface ChainObserver {
  entering(processor: string, batch: ChangeBatch): void;
  left(processor: string, batch: ChangeBatch): void;
}

export class ProcessorChain {
  observer: ChainObserver | null = null;
  readonly #links: readonly ChainLink[];
  #opened = 0;

  constructor(links: readonly ChainLink[]) {
    this.#links = links;
  }

  get isEmpty(): boolean {
    return this.#links.length === 0;
  }

  /** In order. What has been opened before one fails is torn down by `teardown`. */
  async open(): Promise<void> {
    for (const { processor } of this.#links) {
      this.#opened++;
      await processor.open?.();
    }
  }

  async process(batch: ChangeBatch): Promise<ChainedBatch> {
    let current: ChainedBatch = { batch, origins: null, failed: [] };
    for (const link of this.#links) {
      if (current.batch.rows === 0) break;
      this.observer?.entering(link.id, current.batch);
      const answer = await link.processor.process(current.batch);
      this.observer?.left(link.id, answer.batch);
      current = composeAnswer(current, answer, link.id);
    }
    return current;
  }

  /** All that were opened, the last first, whatever one of them says. @throws the first error. */
  async teardown(): Promise<void> {
    const errors: unknown[] = [];
    for (; this.#opened > 0; this.#opened--) {
      try {
        await this.#links[this.#opened - 1]?.processor.teardown?.();
      } catch (thrown) {
        errors.push(thrown);
      }
    }
    if (errors.length > 0) throw errors[0];
  }
}

/** Two steps of one processor as one. */
export function composeAnswers(before: ProcessedBatch, answer: ProcessedBatch): ProcessedBatch {
  const { batch, origins, failed } = composeAnswer(
    { ...before, failed: before.failed.map((failure) => ({ ...failure, node: '' })) },
    answer,
    '',
  );
  return { batch, origins, failed: failed.map(({ row, error }) => ({ row, error })) };
}

function composeAnswer(before: ChainedBatch, answer: ProcessedBatch, node: string): ChainedBatch {
  const { batch } = answer;
  assert(answer.origins === null || answer.origins.length >= batch.rows, 'a processor names the origin of every row');
  assert(answer.origins !== null || batch.rows === before.batch.rows, 'without origins every row has stayed');
  const origins = composeOrigins(before.origins, answer.origins, batch.rows);
  if (answer.failed.length === 0) return { batch, origins, failed: before.failed };
  const refused = new Map<number, ChainFailure>();
  for (const { row, error } of answer.failed) {
    const origin = before.origins === null ? row : (before.origins[row] ?? row);
    if (!refused.has(origin)) refused.set(origin, { row: origin, error, node });
  }
  const failed = [...before.failed, ...refused.values()].sort((a, b) => a.row - b.row);
  const kept = new Int32Array(batch.rows);
  let count = 0;
  for (let row = 0; row < batch.rows; row++) {
    if (!refused.has(origins === null ? row : (origins[row] ?? row))) kept[count++] = row;
  }
  if (count === batch.rows) return { batch, origins, failed };
  const rows = kept.subarray(0, count);
  return {
    batch: gatherRows(batch, rows, count, null),
    origins: origins === null ? rows : composeOrigins(origins, rows, count),
    failed,
  };
}

// ── data plane ──

/** The origins in the first batch of rows of the third, whose origins in the second are `inner`. */
function composeOrigins(outer: Int32Array | null, inner: Int32Array | null, rows: number): Int32Array | null {
  if (inner === null) return outer;
  if (outer === null) return inner;
  const composed = new Int32Array(rows);
  for (let row = 0; row < rows; row++) composed[row] = outer[inner[row]!]!;
  return composed;
}
