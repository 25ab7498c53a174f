// Errors of ad-hoc queries as HTTP tells them, and how what a pipeline throws becomes one.
//
// None of them has a status on which clients try again by themselves: a query that is wrong stays wrong.
import { errorToData, MillraceError } from '../../../runtime/errors.ts';
import { CallTimedOut } from '../embedded/embedded-errors.ts';
import { HttpProblem } from '../http/http-problem.ts';

const prefix = 'Error during query processing: ';

/** Codes of errors that a row causes, not the text of the query. */
const evaluationCodes: ReadonlySet<string> = new Set([
  'sql.evaluation_failed',
  'sql.division_by_zero',
  'sql.numeric_overflow',
  'sql.invalid_cast',
  'sql.invalid_argument',
]);

/** Whether the query was sound and a value that it met was not. Such errors end a reply that has begun. */
export function isEvaluationError(error: unknown): error is MillraceError {
  return error instanceof MillraceError && evaluationCodes.has(error.code);
}

export function queryProblem(message: string, details: unknown = null, cause?: unknown): HttpProblem {
  return new HttpProblem({ status: 400, code: 'AdHocQueryError', message: `${prefix}${message}`, details, cause });
}

export function resultTooLarge(bytes: number, bytesMax: number): HttpProblem {
  return new HttpProblem({
    status: 400,
    code: 'AdHocQueryResultTooLarge',
    message: `${prefix}the result has ${bytes} bytes, more than the ${bytesMax} that are allowed; add a LIMIT or a WHERE`,
    details: { bytes, bytes_max: bytesMax },
  });
}

/** What is thrown by a call to the pipeline, as a problem of the query. Anything that is not the query's fault stays. */
export function asQueryProblem(error: unknown): unknown {
  if (error instanceof CallTimedOut) {
    const { timeoutMs } = error.fields;
    return new HttpProblem({
      status: 400,
      code: 'AdHocQueryTimeout',
      message: `${prefix}the query did not come to an end within ${timeoutMs} ms`,
      details: { timeout_ms: timeoutMs },
      cause: error,
    });
  }
  if (!(error instanceof MillraceError) || !/^(sql|query|push|insert)\./.test(error.code)) return error;
  const { code, place, suggestion, help } = errorToData(error);
  const position = place === undefined ? {} : { line: place.line, column: place.column };
  return queryProblem(error.message, { error_code: code, ...position, suggestion: suggestion ?? null, help }, error);
}
