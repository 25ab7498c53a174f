// Runs the statements of one query request against a pipeline and gives what the last of them returns.
//
// The last SELECT is computed before the INSERTs of the same request are carried out, so it sees the state before the
// request, whatever the pipeline does meanwhile. A request whose SELECT is wrong inserts nothing. A reply to an INSERT comes when
// queries see its rows, unless a transaction holds them back. The result is held in
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

const visiblePollMsMin = 2;
const visiblePollMsMax = 50;

/** @throws HttpProblem, and whatever the pipeline throws that is not the fault of the text */
export async function executeRequest(
  deployment: Pick<Deployment, 'wait' | 'call'>,
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
  const tokens: string[] = [];
  const insert = async (sql: string): Promise<number> => {
    const made = await deployment.wait('query', (control, waitId) => control.insert(waitId, sql), options());
    if (made.count > 0) tokens.push(made.token);
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
    const result = selected ?? countResult(await insert(last.sql));
    await untilVisible(deployment, tokens, { signal, clock, deadline });
    return result;
  } catch (error) {
    signal.throwIfAborted();
    // What was left of the time is of no interest to anybody.
    const isTimeout = error instanceof CallTimedOut;
    throw asQueryProblem(isTimeout ? new CallTimedOut({ call: 'query', timeoutMs: limits.timeoutMs }) : error);
  }
}

interface Patience {
  readonly signal: AbortSignal;
  readonly clock: Clock;
  /** Of the request: the rows are in by then, seen or not. */
  readonly deadline: number;
}

/** Resolves when the rows behind the tokens are in steps, or wait for the end of a transaction. */
async function untilVisible(
  deployment: Pick<Deployment, 'call'>,
  tokens: readonly string[],
  { signal, clock, deadline }: Patience,
): Promise<void> {
  for (const token of tokens) {
    for (let pollMs = visiblePollMsMin; !signal.aborted && clock.monotonic() < deadline; ) {
      const { step } = await deployment.call('query', (control) => control.completionStatus(token), { signal });
      if (step !== null) break;
      if (pollMs === visiblePollMsMax) {
        const { transaction } = await deployment.call('query', (control) => control.stats(), { signal });
        if (transaction !== null) return;
      }
      await new Promise<void>((resolve) => {
        // The socket of the request keeps the process alive meanwhile.
        clock.after(pollMs, resolve);
      });
      pollMs = Math.min(visiblePollMsMax, pollMs * 2);
    }
  }
}

function countResult(count: number): RequestResult {
  const builder = new BatchBuilder(countSchema, 1);
  builder.reserve(1);
  for (const column of builder.columns) writeCell(column, 0, BigInt(count));
  builder.commitRow(1);
  return { schema: countSchema, frames: [encodeBatch(builder.finish())], failure: null };
}
