// GET /v0/pipelines/{p}/query?sql=&format=: ad-hoc SQL over the contents of a pipeline, the rows streamed in a chunked reply.
//
// Errors in the text are a 400 before the first byte; what goes wrong on a row, or later, ends the reply (text: a line with
// `ERROR: …`, json: a last object with `error`; other formats are cut off). A client that leaves gives up its query on the control
// thread too. Unknown parameters are ignored, `timeout_ms` lowers the time limit.
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { type Clock, systemClock } from '../../../runtime/clock.ts';
import { errorToData } from '../../../runtime/errors.ts';
import type { RawExchange, RawHandler } from '../hosting/deployment.ts';
import { HttpProblem } from '../http/http-problem.ts';
import { executeRequest, type QueryLimits } from './execute-request.ts';
import { printResult } from './print-result.ts';
import { asQueryProblem, queryProblem } from './query-errors.ts';
import { type QueryFormat, queryFormat } from './query-format.ts';

export interface QueryHandlerOptions {
  /** Default: 5 minutes. */
  readonly queryTimeoutMs?: number | undefined;
  /** Of a result, as columns in memory. Default: 512 MiB. */
  readonly resultBytesMax?: number | undefined;
  readonly clock?: Clock | undefined;
}

export function limitsOf(options: QueryHandlerOptions): QueryLimits {
  return { timeoutMs: options.queryTimeoutMs ?? 300_000, bytesMax: options.resultBytesMax ?? 512 * 1024 * 1024 };
}

export function makeQueryHandler(options: QueryHandlerOptions = {}): RawHandler {
  const limits = limitsOf(options);
  const clock = options.clock ?? systemClock;
  return async ({ query, deployment, response, signal }: RawExchange) => {
    const sql = query.get('sql');
    if (sql === null) {
      throw new HttpProblem({
        status: 400,
        code: 'MissingUrlEncodedParam',
        message: "the parameter 'sql' is missing",
        details: { param: 'sql' },
      });
    }
    const format = queryFormat(query.get('format') ?? 'text');
    const timeoutMs = Math.min(limits.timeoutMs, timeoutOf(query));
    const result = await executeRequest(deployment, sql, { ...limits, timeoutMs }, signal, clock);
    const pieces = printResult(result, format, signal);
    // The first piece decides whether there is anything to reply with.
    const first = await pieces.next().catch((error: unknown) => {
      throw printProblem(error);
    });
    response.writeHead(200, headersOf(format, clock));
    // A reply without rows in it has begun all the same.
    response.flushHeaders();
    try {
      if (first.done !== true) await write(response, first.value, signal);
      for await (const piece of pieces) await write(response, piece, signal);
      response.end();
    } catch (error) {
      if (signal.aborted || response.destroyed) {
        response.destroy();
        return;
      }
      if (format.failed === null) response.destroy();
      else response.end(format.failed(errorToData(error).message));
    }
  };
}

function timeoutOf(query: URLSearchParams): number {
  const text = query.get('timeout_ms');
  if (text === null) return Number.POSITIVE_INFINITY;
  if (/^[1-9]\d{0,9}$/.test(text)) return Number(text);
  throw new HttpProblem({
    status: 400,
    code: 'InvalidParam',
    message: `timeout_ms is a number of milliseconds, not '${text}'`,
    details: { parameter: 'timeout_ms', value: text },
  });
}

/** What a printer refuses (a type that Parquet lacks) is the fault of the query's columns. */
export function printProblem(error: unknown): unknown {
  const problem = asQueryProblem(error);
  if (problem instanceof HttpProblem) return problem;
  const { code, message } = errorToData(error);
  return code.startsWith('format.') ? queryProblem(message, { error_code: code }, error) : error;
}

function headersOf(format: QueryFormat, clock: Clock): Record<string, string> {
  const headers: Record<string, string> = { 'content-type': format.contentType };
  if (format.extension !== null) {
    const stamp = new Date(clock.now()).toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '_');
    headers['content-disposition'] = `attachment; filename="results_${stamp}.${format.extension}"`;
  }
  return headers;
}

async function write(response: ServerResponse, piece: Uint8Array, signal: AbortSignal): Promise<void> {
  if (piece.length === 0) return;
  if (!response.write(piece)) await once(response, 'drain', { signal });
}
