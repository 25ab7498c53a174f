// Errors as `/v1` tells them: `{code, message, details}`, where `code` is the number that gRPC has for the kind of error and each
// detail carries a stable reason with its metadata. Made by the routes with `v1Problem`; what others throw is put into this
// form too.
import { HttpProblem } from '../http/http-problem.ts';
import { suggestionFor } from './v1-suggestion.ts';

/** What a detail says beside its reason, such as `configPath` and `suggestion`. */
export type DetailMetadata = Readonly<Record<string, string>>;

export interface V1Detail {
  readonly reason: string;
  readonly metadata: DetailMetadata;
}

const grpc = {
  cancelled: 1,
  unknown: 2,
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  alreadyExists: 6,
  permissionDenied: 7,
  resourceExhausted: 8,
  failedPrecondition: 9,
  aborted: 10,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  unauthenticated: 16,
} as const;

type GrpcName = keyof typeof grpc;

const statuses: Readonly<Record<GrpcName, number>> = {
  cancelled: 499,
  unknown: 500,
  invalidArgument: 400,
  deadlineExceeded: 504,
  notFound: 404,
  alreadyExists: 409,
  permissionDenied: 403,
  resourceExhausted: 429,
  failedPrecondition: 400,
  aborted: 409,
  unimplemented: 501,
  internal: 500,
  unavailable: 503,
  unauthenticated: 401,
};

/** What went wrong, stable. Those of the last group are of our own: Conduit has none for them. */
export type V1Reason =
  | 'pipeline.instance_not_found'
  | 'connector.instance_not_found'
  | 'processor.instance_not_found'
  | 'connector.plugin_not_found'
  | 'processor.plugin_not_found'
  | 'pipeline.running'
  | 'pipeline.not_running'
  | 'pipeline.name_already_exists'
  | 'pipeline.name_missing'
  | 'connector.invalid_type'
  | 'orchestrator.invalid_processor_parent_type'
  | 'orchestrator.pipeline_has_processors_attached'
  | 'orchestrator.pipeline_has_connectors_attached'
  | 'orchestrator.connector_has_processors_attached'
  | 'orchestrator.immutable_provisioned_by_config'
  | 'config.field_required'
  | 'config.field_invalid'
  | 'config.field_too_long'
  | 'config.id_duplicate'
  | 'config.field_renamed'
  | 'config.parse_error'
  | 'provisioning.plan_stale'
  | 'provisioning.pipeline_running'
  | 'provisioning.live_apply_unauthorized'
  | 'common.invalid_argument'
  | 'common.not_found'
  | 'common.unavailable'
  | 'common.unimplemented'
  | 'pipeline.has_program'
  | 'connector.configuration_refused'
  | 'connector.configuration_timed_out'
  | 'connector.teardown_failed'
  | 'connector.plugin_failed';

const kinds: Readonly<Record<V1Reason, GrpcName>> = {
  'pipeline.instance_not_found': 'notFound',
  'connector.instance_not_found': 'notFound',
  'processor.instance_not_found': 'notFound',
  'connector.plugin_not_found': 'notFound',
  'processor.plugin_not_found': 'notFound',
  'pipeline.running': 'failedPrecondition',
  'pipeline.not_running': 'failedPrecondition',
  'pipeline.name_already_exists': 'alreadyExists',
  'pipeline.name_missing': 'invalidArgument',
  'connector.invalid_type': 'invalidArgument',
  'orchestrator.invalid_processor_parent_type': 'invalidArgument',
  'orchestrator.pipeline_has_processors_attached': 'failedPrecondition',
  'orchestrator.pipeline_has_connectors_attached': 'failedPrecondition',
  'orchestrator.connector_has_processors_attached': 'failedPrecondition',
  'orchestrator.immutable_provisioned_by_config': 'failedPrecondition',
  'config.field_required': 'invalidArgument',
  'config.field_invalid': 'invalidArgument',
  'config.field_too_long': 'invalidArgument',
  'config.id_duplicate': 'invalidArgument',
  'config.field_renamed': 'invalidArgument',
  'config.parse_error': 'invalidArgument',
  'provisioning.plan_stale': 'failedPrecondition',
  'provisioning.pipeline_running': 'failedPrecondition',
  'provisioning.live_apply_unauthorized': 'failedPrecondition',
  'common.invalid_argument': 'invalidArgument',
  'common.not_found': 'notFound',
  'common.unavailable': 'unavailable',
  'common.unimplemented': 'unimplemented',

  'pipeline.has_program': 'aborted',
  'connector.configuration_refused': 'failedPrecondition',
  'connector.configuration_timed_out': 'failedPrecondition',
  'connector.teardown_failed': 'internal',
  'connector.plugin_failed': 'failedPrecondition',
};

/** Without details the reason stands alone in the only one. */
export function v1Problem(reason: V1Reason, message: string, details: readonly V1Detail[] = []): HttpProblem {
  return new HttpProblem({ status: statuses[kinds[reason]], code: reason, message, details });
}

/** `configPath` and what else is known. */
export function v1Detail(reason: V1Reason, metadata: DetailMetadata): V1Detail {
  return { reason, metadata };
}

/** Whether a path belongs to this interface, and its problems are told in this form. */
export function isV1Path(url: string): boolean {
  return /^\/(?:v1(?:[/?]|$)|info(?:\?|$)|readyz(?:\?|$))/.test(url) || /^\/healthz\?(?:.*&)?service=/.test(url);
}

export function v1ProblemBody(problem: HttpProblem, isPretty: boolean): string {
  const details = problem.code === 'UnknownRoute' ? [] : detailsOf(problem).map(detailJson);
  const message = problem.code === 'UnknownRoute' ? 'Not Found' : problem.message;
  return JSON.stringify({ code: codeOf(problem), message, details }, null, isPretty ? 2 : undefined);
}

function codeOf(problem: HttpProblem): number {
  if (problem.code in kinds) {
    // SAFETY: the line before.
    const reason = problem.code as V1Reason;
    // A status that was asked for otherwise counts.
    if (statuses[kinds[reason]] === problem.status) return grpc[kinds[reason]];
  }
  const byStatus: Readonly<Record<number, GrpcName>> = {
    400: 'invalidArgument',
    401: 'unauthenticated',
    403: 'permissionDenied',
    404: 'notFound',
    409: 'aborted',
    413: 'resourceExhausted',
    429: 'resourceExhausted',
    499: 'cancelled',
    501: 'unimplemented',
    503: 'unavailable',
    504: 'deadlineExceeded',
  };
  return grpc[byStatus[problem.status] ?? (problem.status < 500 ? 'invalidArgument' : 'internal')];
}

function detailsOf(problem: HttpProblem): readonly V1Detail[] {
  if (Array.isArray(problem.details) && problem.details.length > 0 && problem.details.every(isDetail)) {
    return problem.details;
  }
  return [{ reason: problem.code, metadata: metadataOf(problem.details) }];
}

function isDetail(value: unknown): value is V1Detail {
  return typeof value === 'object' && value !== null && 'reason' in value && 'metadata' in value;
}

/** What coded errors of the runtime carry: the place inside the configuration, and what to do. */
function metadataOf(details: unknown): DetailMetadata {
  const metadata: Record<string, string> = {};
  if (typeof details !== 'object' || details === null || Array.isArray(details)) return metadata;
  for (const [key, value] of Object.entries(details)) {
    if (key === 'place' && typeof value === 'object' && value !== null && 'path' in value) {
      metadata['configPath'] = String(value.path);
    } else if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') {
      metadata[key] = String(value);
    }
  }
  return metadata;
}

function detailJson({ reason, metadata }: V1Detail): Readonly<Record<string, unknown>> {
  const suggestion = metadata['suggestion'] ?? suggestionFor(reason);
  return {
    '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
    reason,
    domain: 'conduit',
    metadata: suggestion === undefined ? metadata : { ...metadata, suggestion },
  };
}
