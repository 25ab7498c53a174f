// How a request's body can fail on its way into the table, as replies: each says how many of its rows were taken and, where any were,
// their token.
import { HttpProblem } from '../http/http-problem.ts';

export interface TakenRows {
  readonly rows: number;
  readonly token: string;
}

/** It has waited as long as it may. */
export function waitedTooLong(taken: TakenRows, numErrors: number, isPaused: boolean): HttpProblem {
  const reason = isPaused ? 'the pipeline is paused' : 'the table has no room for more rows';
  return new HttpProblem({
    status: 503,
    code: 'IngressTimeout',
    message: `${reason}; ${taken.rows} rows of this request were taken within timeout_ms`,
    details: { num_records: taken.rows, num_errors: numErrors, token: tokenOf(taken) },
  });
}

export function cannotDecompress(taken: TakenRows, error: Error): HttpProblem {
  return new HttpProblem({
    status: 400,
    code: 'InvalidContentEncoding',
    message: `the body cannot be decompressed: ${error.message}`,
    details: { num_records: taken.rows, token: tokenOf(taken) },
    cause: error,
  });
}

export function brokenOff(taken: TakenRows, error: Error): HttpProblem {
  return new HttpProblem({
    status: 500,
    code: 'InputTransportError',
    message: `the body broke off: ${error.message}`,
    details: { num_records: taken.rows, token: tokenOf(taken) },
    cause: error,
  });
}

export function clientGone(): HttpProblem {
  return new HttpProblem({ status: 500, code: 'InputTransportError', message: 'the client has gone' });
}

function tokenOf({ rows, token }: TakenRows): string | null {
  return rows > 0 ? token : null;
}
