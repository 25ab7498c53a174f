// Parameters under `sdk.` that every built-in destination of the record kind accepts, named as Conduit's Go SDK names them, and the
// bound on its rate.
import type { ChangeBatch } from '../../runtime/batch/change-batch.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { ParameterValues } from './parameters.ts';
import type { ProcessedBatch } from './processor.ts';
import { decodeRecordSchemas, mentionsSchemas } from './record-schemas.ts';
import type { SchemaRegistry } from './schema-registry.ts';
import { wait } from './wait.ts';

/** A bucket of tokens: `take` answers when so many records may be written. */
export class RateLimit {
  readonly #perMs: number;
  readonly #burst: number;
  readonly #clock: Clock;
  #tokens: number;
  #at: number;

  constructor(configuration: ParameterValues, clock: Clock) {
    const perSecond = Number(configuration['sdk.rate.perSecond'] ?? 0);
    this.#perMs = perSecond / 1000;
    this.#burst = Number(configuration['sdk.rate.burst'] ?? 0) || Math.ceil(perSecond);
    this.#clock = clock;
    this.#tokens = this.#burst;
    this.#at = clock.monotonic();
  }

  get isActive(): boolean {
    return this.#perMs > 0;
  }

  /** How many of `rows` may be written now, at least one; waits until there is one. 0: the destination is stopped. */
  async take(rows: number, signal: AbortSignal): Promise<number> {
    while (!signal.aborted) {
      const now = this.#clock.monotonic();
      this.#tokens = Math.min(this.#burst, this.#tokens + (now - this.#at) * this.#perMs);
      this.#at = now;
      const granted = Math.min(rows, Math.floor(this.#tokens));
      if (granted > 0) {
        this.#tokens -= granted;
        return granted;
      }
      await wait(this.#clock, Math.max(1, (1 - this.#tokens) / this.#perMs), signal);
    }
    return 0;
  }
}

/** The batch with what carries a schema decoded; a record that cannot be is refused. */
export async function decodeSchemas(
  batch: ChangeBatch,
  configuration: ParameterValues,
  schemas: SchemaRegistry | undefined,
): Promise<ProcessedBatch> {
  const fields = {
    payload: configuration['sdk.schema.extract.payload.enabled'] !== false,
    key: configuration['sdk.schema.extract.key.enabled'] !== false,
  };
  const isNeeded = (fields.payload || fields.key) && schemas !== undefined && mentionsSchemas(batch);
  return isNeeded ? await decodeRecordSchemas(batch, schemas, fields) : { batch, origins: null, failed: [] };
}

/** Where the rows that are left stand between those that are refused, in the order of the batch that came. */
export function rowsAndRefusals({ batch, origins, failed }: ProcessedBatch): readonly RowsOrRefusal[] {
  const parts: RowsOrRefusal[] = [];
  let from = 0;
  for (const { row, error } of failed) {
    let to = from;
    while (to < batch.rows && (origins?.[to] ?? to) < row) to++;
    if (to > from) parts.push({ from, to, refused: null });
    parts.push({ from: to, to, refused: error });
    from = to;
  }
  if (batch.rows > from) parts.push({ from, to: batch.rows, refused: null });
  return parts;
}

export interface RowsOrRefusal {
  readonly from: number;
  readonly to: number;
  /** Null: the rows are good. */
  readonly refused: Error | null;
}
