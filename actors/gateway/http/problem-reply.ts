// What was thrown as a reply: status, headers and the body `{message, error_code, details}`.
//
// HttpProblems say themselves what they are. Coded errors keep their code; the status follows from it. Everything else is
// a defect: 500, with a code and without the text of what went wrong, which goes to the log alone.
import { MillraceError } from '../../../runtime/errors.ts';
import { HttpProblem } from './http-problem.ts';

interface CodeRule {
  readonly pattern: RegExp;
  readonly status: number;
  /** The name that `/v0` has for it, where it has one. */
  readonly code?: string;
  /** What to do about it over HTTP, where the error itself speaks to a program that has opened the pipeline. */
  readonly help?: string;
}

const startAgain = 'Start it again: POST /v0/pipelines/NAME/start, POST /v1/pipelines/ID/start without SQL.';

/** The first that matches. */
const rules: readonly CodeRule[] = [
  { pattern: /^connector\.(unknown|removed)$/, status: 404 },
  { pattern: /^(embedded|pipeline)\.unknown_relation$/, status: 404 },
  { pattern: /^connector\.dependency_cycle$/, status: 409 },
  { pattern: /^config\.duplicate_endpoint$/, status: 409 },
  { pattern: /^pipeline\.invalid$/, status: 400 },
  { pattern: /^token\.malformed$/, status: 400, code: 'InvalidParam' },
  { pattern: /^token\.foreign$/, status: 410, code: 'PipelineRestarted' },
  { pattern: /^transaction\.in_progress$/, status: 409, code: 'TransactionInProgress' },
  { pattern: /^transaction\.(none|not_in_progress)/, status: 400, code: 'NoTransactionInProgress' },
  { pattern: /^query\./, status: 400, code: 'AdHocQueryError' },
  { pattern: /^(embedded\.closed|embedded\.listener_gone|channel\.closed|thread\.gone)$/, status: 503 },
  { pattern: /^(embedded\.timed_out|thread\.call_timeout|actor\.(timeout|stuck|gone))$/, status: 503 },
  {
    pattern: /^pipeline\.not_started$/,
    status: 503,
    help: 'It is being started: GET /v0/pipelines/NAME?selector=status says when it is Running or Paused. POST /v0/pipelines/NAME/start starts one that is Stopped.',
  },
  { pattern: /^pipeline\.(stopped|engine_lost)$/, status: 503, help: startAgain },
  { pattern: /^pipeline\.failed$/, status: 503, help: `The cause says what went wrong. ${startAgain}` },
  { pattern: /^pipeline\.stop_timed_out$/, status: 503 },
  { pattern: /^(mailbox\.full|embedded\.push_waited)$/, status: 503 },
  { pattern: /^store\.version_conflict$/, status: 409 },
  { pattern: /^store\.(closed|folder_locked|write_failed)$/, status: 503 },
  { pattern: /^(runtime|state|wire|store)\./, status: 500 },
  { pattern: /./, status: 400 },
];

/** Statuses at which a client is told when to come again. */
const retryAfterSeconds = '5';

export function toProblem(thrown: unknown): HttpProblem {
  if (thrown instanceof HttpProblem) return thrown;
  if (thrown instanceof MillraceError) return fromCoded(thrown);
  const fastify = fromFastify(thrown);
  if (fastify !== null) return fastify;
  return new HttpProblem({
    status: 500,
    code: 'InternalError',
    message: 'the server has met a defect; its log says which, under the id of this request',
    cause: thrown,
  });
}

export function problemBody(problem: HttpProblem): string {
  return JSON.stringify({ message: problem.message, error_code: problem.code, details: problem.details });
}

function fromCoded(error: MillraceError): HttpProblem {
  const cause = error.cause instanceof MillraceError ? error.cause : null;
  // A pipeline that is invalid as a whole has its first problem as cause: a cycle is a conflict.
  const isCycle = /^(connector\.dependency_cycle|config\.duplicate_endpoint)$/.test(cause?.code ?? '');
  const rule = rules.find(({ pattern }) => pattern.test(error.code));
  const status = isCycle && error.code === 'pipeline.invalid' ? 409 : (rule?.status ?? 400);
  return new HttpProblem({
    status,
    code: rule?.code ?? error.code,
    message: error.message,
    details: {
      code: error.code,
      fields: withoutBigints(error.fields),
      help: rule?.help ?? error.help,
      place: error.place ?? null,
    },
    headers: status === 503 ? { 'Retry-After': retryAfterSeconds } : {},
    cause: error,
  });
}

/** What Fastify refuses before a route is reached: bodies that are no JSON, too large, of another type. */
function fromFastify(thrown: unknown): HttpProblem | null {
  if (!(thrown instanceof Error) || !('statusCode' in thrown) || typeof thrown.statusCode !== 'number') return null;
  if (thrown.statusCode < 400 || thrown.statusCode > 499) return null;
  const code =
    thrown.statusCode === 413 ? 'PayloadTooLarge' : thrown.statusCode === 415 ? 'UnsupportedMediaType' : 'InvalidParam';
  // The text about a path that cannot be decoded would repeat it with its query, which may hold a key.
  const isPath = 'code' in thrown && thrown.code === 'FST_ERR_BAD_URL';
  const message = isPath ? 'the path is no valid percent-encoding' : thrown.message;
  return new HttpProblem({ status: thrown.statusCode, code, message, cause: thrown });
}

/** The same as JSON can say it: 64-bit integers as texts of their digits. */
export function withoutBigints(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (_, item: unknown) => (typeof item === 'bigint' ? item.toString() : item)) ?? 'null',
  );
}
