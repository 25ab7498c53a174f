// Statistics of a pipeline in the form of `/v0`: those of the control thread, and those of HTTP inputs and outputs, which
// live in this thread.
//
// Rows that have come in are those that a step has taken and those that wait for one, so that "all processed" is exact.
import { totalmem } from 'node:os';
import { systemClock } from '../../../runtime/clock.ts';
import type { PipelineStats } from '../../supervisor/messages.ts';
import type { HostedPipeline } from '../hosting/hosted-pipeline.ts';
import type { LiveDeployment } from '../hosting/live-deployment.ts';
import { hasStorage, storageBytes } from '../hosting/pipeline-record.ts';
import {
  anyObject,
  byName,
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
import {
  apiInputStatus,
  apiOutputStatus,
  inputShape,
  inputStatus,
  outputShape,
  outputStatus,
} from './endpoint-status.ts';

const globalShape = object({
  state: oneOf('Paused', 'Running', 'Terminated'),
  bootstrap_in_progress: flag,
  transaction_status: oneOf('NoTransaction', 'TransactionInProgress', 'CommitInProgress'),
  transaction_id: whole,
  transaction_msecs: orNull(whole),
  transaction_records: orNull(whole),
  commit_progress: orNull(anyObject),
  transaction_initiators: object({
    transaction_id: orNull(whole),
    initiated_by_api: orNull(oneOf('Started', 'Committed')),
    initiated_by_connectors: byName(anyObject),
  }),
  concurrent_bootstrap_phase: oneOf('Inactive', 'ConcurrentBootstrapping', 'Synchronizing'),
  concurrent_bootstrap_progress: orNull(anyObject),
  rss_bytes: whole,
  memory_pressure: oneOf('low', 'moderate', 'high', 'critical'),
  memory_pressure_epoch: whole,
  cpu_msecs: whole,
  uptime_msecs: whole,
  start_time: whole,
  incarnation_uuid: uuid,
  initial_start_time: whole,
  storage_bytes: whole,
  storage_mb_secs: whole,
  runtime_elapsed_msecs: whole,
  buffered_input_records: whole,
  buffered_input_bytes: whole,
  total_input_records: whole,
  total_input_bytes: whole,
  total_processed_records: whole,
  total_processed_bytes: whole,
  total_completed_records: whole,
  output_stall_msecs: whole,
  total_initiated_steps: whole,
  total_completed_steps: whole,
  pipeline_complete: flag,
  workers: orNull(object({ asked: whole, used: whole, alone: list(text) })),
});
const suspendShape = object({}, { Permanent: list(text), Temporary: list(text) });
const activityShape = object({ status: oneOf('idle', 'in_progress') }, { started_at: moment });
const reply = object({
  global_metrics: globalShape,
  suspend_error: orNull(suspendShape),
  checkpoint_activity: activityShape,
  permanent_checkpoint_errors: orNull(list(text)),
  inputs: list(inputShape),
  outputs: list(outputShape),
});

export const statsShape: Shape<unknown> = reply;

export function statsReply(
  pipeline: HostedPipeline,
  deployment: LiveDeployment,
  stats: PipelineStats,
  options: { readonly now: number; readonly withErrors: boolean },
): Readonly<Record<string, unknown>> {
  const apiInputs = [...deployment.apiInputs.values()];
  return {
    global_metrics: globalMetrics(pipeline, deployment, stats, options.now),
    suspend_error: suspendError(pipeline, stats),
    checkpoint_activity: checkpointActivity(pipeline),
    permanent_checkpoint_errors: hasStorage(pipeline.record) ? null : [noStorage],
    inputs: [
      ...stats.inputs.map((input) => inputStatus(input, options.withErrors)),
      ...apiInputs.map((input) => apiInputStatus(input, options.withErrors)),
    ],
    outputs: [
      ...stats.outputs.map((output) => outputStatus(output, { deployment, withErrors: options.withErrors })),
      ...[...deployment.apiOutputs.values()].map((output) => apiOutputStatus(output, stats)),
    ],
  } satisfies Shaped<typeof reply>;
}

const noStorage = 'StorageRequired';

/** Why a checkpoint could not be taken now; null: it could. */
function suspendError({ record }: HostedPipeline, { transaction }: PipelineStats): Shaped<typeof suspendShape> | null {
  if (!hasStorage(record)) return { Permanent: [noStorage] };
  return transaction === null ? null : { Temporary: ['TransactionInProgress'] };
}

function checkpointActivity({ checkpointStartedAt }: HostedPipeline): Shaped<typeof activityShape> {
  if (checkpointStartedAt === null) return { status: 'idle' };
  return { status: 'in_progress', started_at: checkpointStartedAt };
}

/** Counts that several places agree on. */
export function totals(
  deployment: LiveDeployment,
  stats: PipelineStats,
): {
  readonly processed: number;
  readonly completed: number;
  readonly buffered: number;
  readonly bufferedBytes: number;
  readonly inputBytes: number;
} {
  let buffered = 0;
  let bufferedBytes = 0;
  let inputBytes = 0;
  for (const input of stats.inputs) {
    buffered += input.bufferedRecords;
    bufferedBytes += input.bufferedBytes;
    inputBytes += input.totalBytes;
  }
  for (const input of deployment.apiInputs.values()) {
    buffered += input.bufferedRecords();
    bufferedBytes += input.bufferedBytes();
    inputBytes += input.totalBytes;
  }
  for (const input of stats.gatewayInputs) {
    if (!deployment.apiInputs.has(input.endpoint)) buffered += input.queuedRecords;
  }
  return {
    processed: stats.engine?.processedRecords ?? 0,
    completed: stats.engine?.completedRecords ?? 0,
    buffered,
    bufferedBytes,
    inputBytes,
  };
}

/** Relations of the program have names with a dot in their endpoints; the clock is called by its own. */
const clockEndpoint = 'now';

function globalMetrics(
  pipeline: HostedPipeline,
  deployment: LiveDeployment,
  stats: PipelineStats,
  now: number,
): Shaped<typeof globalShape> {
  const { processed: stepped, completed, buffered, bufferedBytes, inputBytes } = totals(deployment, stats);
  const startTime = Math.floor((now - stats.uptimeMs) / 1_000);
  // The clock of a program that says NOW() never ends.
  const isOver = stats.inputs.every((input) => input.endOfInput || input.endpoint === clockEndpoint);
  const { transaction } = stats;
  // What a transaction holds is in no queue any more: it counts as processed, though no step has taken it yet.
  const untaken = stats.inputs.reduce(
    (sum, { totalRecords, takenRecords }) => sum + Math.max(0, totalRecords - takenRecords),
    0,
  );
  const held = transaction === null ? 0 : Math.max(0, untaken - buffered);
  const processed = stepped + held;
  const open = transaction === null ? null : pipeline.transaction;
  const { user, system } = process.cpuUsage();
  return {
    state: pipeline.record.runtime === 'Paused' ? 'Paused' : 'Running',
    bootstrap_in_progress: false,
    transaction_status:
      transaction === null
        ? 'NoTransaction'
        : transaction.status === 'started'
          ? 'TransactionInProgress'
          : 'CommitInProgress',
    transaction_id: transaction?.id ?? 0,
    transaction_msecs: open === null ? null : Math.round(systemClock.monotonic() - open.startedAt),
    transaction_records: open === null ? null : Math.max(0, processed + buffered - open.recordsBefore),
    commit_progress: null,
    transaction_initiators: {
      transaction_id: transaction?.id ?? null,
      initiated_by_api: transaction === null ? null : transaction.status === 'started' ? 'Started' : 'Committed',
      initiated_by_connectors: {},
    },
    concurrent_bootstrap_phase: 'Inactive',
    concurrent_bootstrap_progress: null,
    rss_bytes: stats.memory.rssBytes,
    memory_pressure: memoryPressure(stats.memory.rssBytes, pipeline.record.source.runtimeConfig['max_rss_mb']),
    memory_pressure_epoch: 0,
    // Of the process, as its memory is: threads of one process are not counted apart.
    cpu_msecs: Math.round((user + system) / 1_000),
    uptime_msecs: Math.round(stats.uptimeMs),
    start_time: startTime,
    incarnation_uuid: stats.incarnation,
    initial_start_time: Math.floor((pipeline.record.firstStartedAt ?? startTime * 1_000) / 1_000),
    storage_bytes: storageBytes(pipeline.record),
    storage_mb_secs: Math.round(pipeline.storageMbSeconds),
    runtime_elapsed_msecs: Math.round(stats.uptimeMs),
    buffered_input_records: buffered,
    buffered_input_bytes: bufferedBytes,
    total_input_records: processed + buffered,
    total_input_bytes: inputBytes,
    total_processed_records: processed,
    total_processed_bytes: Math.max(0, inputBytes - bufferedBytes),
    total_completed_records: completed,
    output_stall_msecs: Math.round(stats.engine?.heldMs ?? 0),
    total_initiated_steps: stats.engine?.steps ?? 0,
    total_completed_steps: stats.engine?.completedStep ?? 0,
    pipeline_complete: isOver && buffered === 0 && completed === processed,
    workers: workersReply(stats),
  };
}

/** Threads that compute the views, and what one of them computes alone; null without SQL. */
function workersReply({ engine }: PipelineStats): Shaped<typeof globalShape>['workers'] {
  if (engine === null || engine.sharing === null) return null;
  const { asked, workers: used, alone } = engine.sharing;
  return { asked, used, alone };
}

/** How much of the memory that there is, or that the pipeline may have, the process has taken. */
function memoryPressure(rssBytes: number, maxRssMb: unknown): 'low' | 'moderate' | 'high' | 'critical' {
  const share = rssBytes / (typeof maxRssMb === 'number' ? maxRssMb * 1e6 : totalmem());
  if (share < 0.85) return 'low';
  if (share < 0.9) return 'moderate';
  return share < 0.95 ? 'high' : 'critical';
}
