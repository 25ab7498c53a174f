// Runs the statements of one query request against a pipeline and gives what the last of them returns.
//
// The last SELECT is computed before the INSERTs of the same request are carried out, so it sees the state before the
// request, whatever the pipeline does meanwhile. A request whose SELECT is wrong inserts nothing. The result is held in
// memory as encoded batches; what does not fit the limit is refused as a whole.
import { BatchBuilder } from '../../../runtime/batch/batch-builder.ts';
import { writeCell } from '../../../runtime/batch/scalar-values.ts';
import { makeSchema, type Schema } from '../../../runtime/batch/schema.ts';
import type { Clock } from '../../../runtime/clock.ts';
import { encodeBatch } from '../../../runtime/wire/batch-codec.ts';
import { CallTimedOut } from '../embedded/embedded-errors.ts';
import type { Deployment } from '../hosting/deployment.ts';
import { asQueryProblem, isEvaluationError, resultTooLarge } from './query-errors.ts';
import { readStatements } from './statements.ts';

export interface QueryLimits {
  readonly timeoutMs: number;
  /** Of the result, as encoded batches. */
  readonly bytesMax: number;
}

export interface RequestResult {
  readonly schema: Schema;
  /** Encoded batches (wire/batch-codec). */
  readonly frames: readonly ArrayBuffer[];
  /** The query failed on a row: there is no result, and the reply says so. */
  readonly failure: Error | null;
}

const countSchema: Schema = makeSchema([{ name: 'count', type: { kind: 'BIGINT' }, nullable: false }]);
const nothing: Schema = makeSchema([]);

/** @throws HttpProblem, and whatever the pipeline throws that is not the fault of the text */
export async function executeRequest(
  deployment: Pick<Deployment, 'wait'>,
  text: string,
  limits: QueryLimits,
  signal: AbortSignal,
  clock: Clock,
): Promise<RequestResult> {
  const { inserts, last } = readStatements(text);
  const deadline = clock.monotonic() + limits.timeoutMs;
  const options = (): { signal: AbortSignal; timeoutMs: number } => {
    signal.throwIfAborted();
    const timeoutMs = deadline - clock.monotonic();
    if (timeoutMs <= 0) throw new CallTimedOut({ call: 'query', timeoutMs: limits.timeoutMs });
    return { signal, timeoutMs };
  };
  const insert = async (sql: string): Promise<number> => {
    const made = await deployment.wait('query', (control, waitId) => control.insert(waitId, sql), options());
    return made.count;
  };
  const select = async (sql: string): Promise<RequestResult> => {
    try {
      const result = await deployment.wait('query', (control, waitId) => control.query(waitId, sql), options());
      return { ...result, failure: null };
    } catch (error) {
      if (!isEvaluationError(error)) throw error;
      return { schema: nothing, frames: [], failure: error };
    }
  };
  try {
    const selected = last.kind === 'query' ? await select(last.sql) : null;
    const bytes = selected?.frames.reduce((sum, frame) => sum + frame.byteLength, 0) ?? 0;
    if (bytes > limits.bytesMax) throw resultTooLarge(bytes, limits.bytesMax);
    for (const sql of inserts) await insert(sql);
    return selected ?? countResult(await insert(last.sql));
  } catch (error) {
    signal.throwIfAborted();
    // What was left of the time is of no interest to anybody.
    const isTimeout = error instanceof CallTimedOut;
    throw asQueryProblem(isTimeout ? new CallTimedOut({ call: 'query', timeoutMs: limits.timeoutMs }) : error);
  }
}

function countResult(count: number): RequestResult {
  const builder = new BatchBuilder(countSchema, 1);
  builder.reserve(1);
  for (const column of builder.columns) writeCell(column, 0, BigInt(count));
  builder.commitRow(1);
  return { schema: countSchema, frames: [encodeBatch(builder.finish())], failure: null };
}
