// Parameters under `sdk.` that every source of the record kind accepts, named as Conduit's Go SDK names them.
//
// Batches: `sdk.batch.size` is the most records that go on at once, and with `sdk.batch.delay` fewer wait that long for more.
// Schemas (schema-extraction.ts): records inside Millrace keep their types as they are, 64-bit integers and bytes included, so that
// nothing is extracted unless a setting asks for it.
import type { ChangeBatch } from '../../runtime/batch/change-batch.ts';
import { concatBatches } from '../../runtime/batch/concat-batches.ts';
import { sliceBatch } from '../../runtime/batch/slice-batch.ts';
import type { Clock } from '../../runtime/clock.ts';
import { type CodedErrorClass, defineError } from '../../runtime/errors.ts';
import { parseDuration } from './duration.ts';
import type { ParameterValues } from './parameters.ts';
import { recordBytes, recordColumn, recordSchema } from './record-batch.ts';
import { recordPosition } from './record-position.ts';
import { type ExtractionOptions, extractionOptions, extractSchemas } from './schema-extraction.ts';
import type { BatchPayload, Payload, SourceContext } from './source.ts';

export const SchemaExtractionWithoutRegistry: CodedErrorClass<{ readonly endpoint: string }> = defineError(
  'connector.schema_extraction_without_registry',
  {
    help: 'Schemas are kept where pipelines without SQL run: in a server, or by `millrace run`. Else leave sdk.schema.extract.* out.',
  },
  (f) => `${f.endpoint} is to attach schemas to its records, and there is no schema registry here`,
);

export interface SourceMiddleware {
  /** 0: as they come. */
  readonly batchRows: number;
  readonly batchDelayMs: number;
  /** Null: records keep their types as they are. */
  readonly extraction: ExtractionOptions | null;
}

export function sourceMiddleware(configuration: ParameterValues): SourceMiddleware {
  return {
    batchRows: Number(configuration['sdk.batch.size'] ?? 0),
    batchDelayMs: parseDuration(String(configuration['sdk.batch.delay'] ?? '0')) ?? 0,
    extraction: extractionOptions(configuration),
  };
}

/** Whether a source with this configuration needs a registry of schemas. */
export function wantsSchemas(configuration: ParameterValues): boolean {
  return extractionOptions(configuration) !== null;
}

/**
 * What a source of records yields: batches of the configured size, with schemas where they are to be extracted.
 * @throws SchemaExtractionWithoutRegistry
 */
export async function* withMiddleware(
  payloads: AsyncIterable<Payload>,
  middleware: SourceMiddleware,
  context: Pick<SourceContext, 'clock' | 'schemas' | 'endpoint'>,
): AsyncIterable<Payload> {
  const { clock, schemas, endpoint } = context;
  const { extraction } = middleware;
  if (extraction === null) {
    yield* batchRecords(payloads, middleware, clock);
    return;
  }
  if (schemas === undefined) throw new SchemaExtractionWithoutRegistry({ endpoint });
  for await (const payload of batchRecords(payloads, middleware, clock)) {
    if (payload.kind === 'batch') {
      yield { ...payload, batch: await extractSchemas(payload.batch, schemas, extraction, endpoint) };
    } else yield payload;
  }
}

/** The payloads of a source of records, in batches of the configured size. The end of the source is the end of its last batch. */
async function* batchRecords(
  payloads: AsyncIterable<Payload>,
  middleware: SourceMiddleware,
  clock: Clock,
): AsyncIterable<Payload> {
  const { batchRows, batchDelayMs } = middleware;
  if (batchRows === 0 && batchDelayMs === 0) {
    yield* payloads;
    return;
  }
  const most = batchRows === 0 ? Number.POSITIVE_INFINITY : batchRows;
  const iterator = payloads[Symbol.asyncIterator]();
  let held: ChangeBatch[] = [];
  let rows = 0;
  let due: Promise<'due'> | null = null;
  let next = iterator.next();
  next.catch(() => {});
  for (;;) {
    const result = due === null ? await next : await Promise.race([next, due]);
    if (result === 'due' || result.done === true) {
      due = null;
      if (rows > 0) yield recordPayload(concatBatches(held, recordSchema));
      held = [];
      rows = 0;
      if (result !== 'due') return;
      continue;
    }
    const payload = result.value;
    next = iterator.next();
    next.catch(() => {});
    if (payload.kind !== 'batch') {
      if (batchDelayMs === 0 || rows === 0) yield payload;
      continue;
    }
    held.push(payload.batch);
    rows += payload.batch.rows;
    if (rows < most && batchDelayMs > 0) {
      due ??= new Promise((resolve) => clock.after(batchDelayMs, () => resolve('due')));
      continue;
    }
    const whole = concatBatches(held, recordSchema);
    const full = batchDelayMs > 0 ? whole.rows - (whole.rows % most) : whole.rows;
    for (let row = 0; row < full; row += most) {
      yield recordPayload(sliceBatch(whole, row, Math.min(row + most, full)));
    }
    held = full === whole.rows ? [] : [sliceBatch(whole, full, whole.rows)];
    rows = whole.rows - full;
    due = rows === 0 ? null : new Promise((resolve) => clock.after(batchDelayMs, () => resolve('due')));
  }
}

/** A batch of records as a payload: its position is that of its last record. */
export function recordPayload(batch: ChangeBatch): BatchPayload {
  return {
    kind: 'batch',
    batch,
    position: recordPosition(recordBytes(batch, recordColumn.position, batch.rows - 1)),
  };
}
