// A pipeline as `/v0` shows it. The keys are exactly these, for each selector; what is unset is null.
import type { HostedPipeline } from '../hosting/hosted-pipeline.ts';
import { HttpProblem } from '../server/http-problem.ts';

export type Selector = 'all' | 'status' | 'status_with_connectors';

type JsonObject = Readonly<Record<string, unknown>>;

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
  const status = {
    ...describeStatus(pipeline),
    bootstrap_policy: record.bootstrapPolicy,
    silent_bootstrap: record.silentBootstrap,
    concurrent_bootstrap: record.concurrentBootstrap,
  };
  if (selector === 'all') return { ...status, ...describeProgram(pipeline) };
  if (selector === 'status' || record.runtime === null) return status;
  return { ...status, connectors: { num_errors: pipeline.numConnectorErrors } };
}

/** What creating and editing answer with. */
export function describeEdited(pipeline: HostedPipeline): JsonObject {
  return { ...describeStatus(pipeline), ...describeProgram(pipeline) };
}

function describeStatus(pipeline: HostedPipeline): JsonObject {
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

function describeRuntime({ record, approval, numConnectorErrors }: HostedPipeline): JsonObject | null {
  if (record.runtime === null) return null;
  if (approval !== null) return { approval_diff: approval.diff };
  return { connector_stats: { num_errors: numConnectorErrors } };
}

function describeProgram(pipeline: HostedPipeline): JsonObject {
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
