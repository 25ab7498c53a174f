// A pipeline as `/v0` shows it. The keys are exactly these, for each selector; what is unset is null.
import type { HostedPipeline } from '../hosting/hosted-pipeline.ts';
import { HttpProblem } from '../http/http-problem.ts';
import {
  anyObject,
  anything,
  either,
  flag,
  list,
  moment,
  object,
  oneOf,
  orNull,
  type Shape,
  type Shaped,
  text,
  uuid,
  whole,
} from '../http/reply-shape.ts';
import { diffShape, programErrorShape, programInfoShape } from './program-shape.ts';

export type Selector = 'all' | 'status' | 'status_with_connectors';

type JsonObject = Readonly<Record<string, unknown>>;

const errorShape = object({ message: text, error_code: text, details: anything });
const checkpoint = object({
  uuid,
  identifier: orNull(text),
  fingerprint: whole,
  size: whole,
  steps: whole,
  processed_records: whole,
});
const errorCountShape = object({ num_errors: whole });

const statusKeys = {
  id: uuid,
  name: text,
  description: text,
  tags: list(text),
  created_at: moment,
  version: whole,
  platform_version: text,
  program_config: object({
    profile: orNull(text),
    cache: flag,
    runtime_version: orNull(text),
    use_platform_compiler: flag,
  }),
  program_version: whole,
  program_status: oneOf(
    'Pending',
    'CompilingSql',
    'SqlCompiled',
    'CompilingRust',
    'Success',
    'SqlError',
    'RustError',
    'SystemError',
  ),
  program_status_since: moment,
  deployment_status: oneOf(
    'Stopped',
    'Provisioning',
    'Initializing',
    'AwaitingApproval',
    'Bootstrapping',
    'Paused',
    'Running',
    'Suspended',
    'Stopping',
    'Provisioned',
  ),
  deployment_status_since: moment,
  deployment_desired_status: oneOf('Stopped', 'Paused', 'Running', 'Suspended'),
  deployment_desired_status_since: moment,
  deployment_error: orNull(errorShape),
  deployment_id: orNull(uuid),
  deployment_initial: orNull(oneOf('Paused', 'Running', 'Suspended')),
  deployment_resources_status: oneOf('Stopped', 'Provisioning', 'Provisioned', 'Stopping'),
  deployment_resources_status_since: moment,
  deployment_resources_desired_status: oneOf('Stopped', 'Provisioned'),
  deployment_resources_desired_status_since: moment,
  deployment_runtime_status: orNull(text),
  deployment_runtime_status_details: orNull(
    either(object({ approval_diff: diffShape }), object({ connector_stats: errorCountShape })),
  ),
  deployment_runtime_status_since: orNull(moment),
  deployment_runtime_desired_status: orNull(text),
  deployment_runtime_desired_status_since: orNull(moment),
  refresh_version: whole,
  storage_status: oneOf('Cleared', 'InUse', 'Clearing'),
  storage_status_details: orNull(object({ checkpoints: list(checkpoint) })),
} as const;

const programKeys = {
  runtime_config: anyObject,
  program_code: text,
  udf_rust: text,
  udf_toml: text,
  program_error: programErrorShape,
  program_info: orNull(programInfoShape),
  deployment_resources_status_details: orNull(anyObject),
} as const;

const policyKeys = {
  bootstrap_policy: orNull(oneOf('allow', 'reject', 'await_approval')),
  silent_bootstrap: flag,
  concurrent_bootstrap: flag,
} as const;

const status = object(statusKeys);
const program = object(programKeys);
const edited = object({ ...statusKeys, ...programKeys });
const shown = object({ ...statusKeys, ...policyKeys }, { ...programKeys, connectors: errorCountShape });

export const deploymentErrorShape: Shape<unknown> = errorShape;
export const checkpointShape: Shape<unknown> = checkpoint;
/** A pipeline by any selector. */
export const pipelineShape: Shape<unknown> = shown;
/** What creating and editing answer with. */
export const editedShape: Shape<unknown> = edited;

/** @throws HttpProblem InvalidParam */
export function readSelector(query: URLSearchParams): Selector {
  const text = query.get('selector') ?? 'all';
  if (text === 'all' || text === 'status' || text === 'status_with_connectors') return text;
  throw new HttpProblem({
    status: 400,
    code: 'InvalidParam',
    message: `selector '${text}' is none of all, status, status_with_connectors`,
  });
}

export function describePipeline(pipeline: HostedPipeline, selector: Selector): JsonObject {
  const { record } = pipeline;
  const part = {
    ...describeStatus(pipeline),
    bootstrap_policy: record.bootstrapPolicy,
    silent_bootstrap: record.silentBootstrap,
    concurrent_bootstrap: record.concurrentBootstrap,
  };
  if (selector === 'all') return { ...part, ...describeProgram(pipeline) } satisfies Shaped<typeof shown>;
  if (selector === 'status' || record.runtime === null) return part satisfies Shaped<typeof shown>;
  return { ...part, connectors: { num_errors: pipeline.numConnectorErrors } } satisfies Shaped<typeof shown>;
}

export function describeEdited(pipeline: HostedPipeline): JsonObject {
  return { ...describeStatus(pipeline), ...describeProgram(pipeline) } satisfies Shaped<typeof edited>;
}

function describeStatus(pipeline: HostedPipeline): Shaped<typeof status> {
  const { record } = pipeline;
  const { source } = record;
  const isProvisioned = record.resources === 'Provisioned';
  const desired = record.desired === 'Stopped' ? 'Stopped' : (record.runtimeDesired ?? record.initial ?? 'Running');
  return {
    id: record.id,
    name: source.name,
    description: source.description,
    tags: source.tags,
    created_at: record.createdAt,
    version: record.version,
    platform_version: record.platformVersion,
    program_config: source.programConfig,
    program_version: record.programVersion,
    program_status: record.programStatus,
    program_status_since: record.programStatusSince,
    deployment_status: isProvisioned ? (record.runtime ?? 'Initializing') : record.resources,
    deployment_status_since: latest(record.resourcesSince, record.runtimeSince),
    deployment_desired_status: desired,
    deployment_desired_status_since: latest(record.desiredSince, record.runtimeDesiredSince),
    deployment_error: record.deploymentError,
    deployment_id: record.deploymentId,
    deployment_initial: record.initial,
    deployment_resources_status: record.resources,
    deployment_resources_status_since: record.resourcesSince,
    deployment_resources_desired_status: record.desired,
    deployment_resources_desired_status_since: record.desiredSince,
    deployment_runtime_status: record.runtime,
    deployment_runtime_status_details: describeRuntime(pipeline),
    deployment_runtime_status_since: record.runtimeSince,
    deployment_runtime_desired_status: record.runtimeDesired,
    deployment_runtime_desired_status_since: record.runtimeDesiredSince,
    refresh_version: record.refreshVersion,
    storage_status: record.storageStatus,
    storage_status_details: record.checkpoints === null ? null : { checkpoints: record.checkpoints },
  };
}

function describeRuntime({
  record,
  approval,
  numConnectorErrors,
}: HostedPipeline): Shaped<typeof status>['deployment_runtime_status_details'] {
  if (record.runtime === null) return null;
  if (approval !== null) return { approval_diff: approval.diff };
  return { connector_stats: { num_errors: numConnectorErrors } };
}

function describeProgram(pipeline: HostedPipeline): Shaped<typeof program> {
  const { record } = pipeline;
  const { source } = record;
  return {
    runtime_config: source.runtimeConfig,
    program_code: source.programCode,
    udf_rust: source.udfRust,
    udf_toml: source.udfToml,
    program_error: record.programError,
    program_info: record.programInfo,
    deployment_resources_status_details: null,
  };
}

function latest(a: string, b: string | null): string {
  return b !== null && b > a ? b : a;
}
