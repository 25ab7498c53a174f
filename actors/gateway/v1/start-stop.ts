// Starting and stopping under `/v1`. A start is answered when the pipeline is running or when a moment is over; a stop when it
// has stopped, and its answer names the connectors that had to be cut off.
import type { HostedPipeline } from '../hosting/hosted-pipeline.ts';
import type { Hosting } from '../hosting/hosting.ts';
import { withinMoment } from '../hosting/moment.ts';
import { stop } from '../hosting/pipeline-run.ts';
import { HttpProblem } from '../http/http-problem.ts';
import { list, object, type Shape, type Shaped, text } from '../http/reply-shape.ts';
import { v1Detail, v1Problem } from './v1-problem.ts';
import type { JsonObject } from './v1-reply.ts';

const stopped = object({}, { detached: list(object({ connectorId: text, phase: text })), error: text });

/** Nothing but what Conduit says, as long as nothing went wrong. */
export const stopShape: Shape<unknown> = stopped;

/** @throws HttpProblem pipeline.running, and what a start within the moment has failed with */
export async function startPipeline(hosting: Hosting, pipeline: HostedPipeline): Promise<void> {
  const { record } = pipeline;
  if (!pipeline.isFullyStopped) {
    throw v1Problem('pipeline.running', `pipeline '${pipeline.name}' is running already`);
  }
  assertComplete(pipeline);
  pipeline.change({
    desired: 'Provisioned',
    initial: 'Running',
    bootstrapPolicy: 'allow',
    deploymentError: null,
    isStoppedByUser: false,
  });
  await withinMoment(
    hosting,
    pipeline.exclusively(() => hosting.start(pipeline)),
  );
  if (record.deploymentError === null || !pipeline.isFullyStopped) return;
  const { message, error_code: code, details } = record.deploymentError;
  throw new HttpProblem({ status: /^(?:config|pipeline\.invalid)/.test(code) ? 400 : 500, code, message, details });
}

function assertComplete(pipeline: HostedPipeline): void {
  const { relay } = pipeline.record;
  if (relay === undefined) return;
  const missing = (['source', 'destination'] as const).filter((type) =>
    relay.connectors.every((connector) => connector.type !== type),
  );
  if (missing.length === 0) return;
  throw v1Problem(
    'config.field_required',
    `pipeline '${pipeline.name}' cannot be started without a ${missing.join(' and a ')}`,
    missing.map((type) => v1Detail('config.field_required', { configPath: 'connectors', expected: type })),
  );
}

/** @throws HttpProblem pipeline.not_running */
export async function stopPipeline(hosting: Hosting, pipeline: HostedPipeline, force: boolean): Promise<JsonObject> {
  if (pipeline.isFullyStopped) {
    throw v1Problem('pipeline.not_running', `pipeline '${pipeline.name}' is not running`);
  }
  pipeline.change({ desired: 'Stopped', isStoppedByUser: true });
  // What is being opened is not waited for: nothing of it has to be drained.
  const isStarting = pipeline.record.resources === 'Provisioning' || pipeline.record.runtime === 'Initializing';
  if (force || isStarting) await stop(pipeline, { force: true });
  else await pipeline.exclusively(() => hosting.suspend(pipeline));
  const detached = pipeline.stopReport?.detached ?? [];
  const { deploymentError } = pipeline.record;
  return {
    ...(detached.length === 0
      ? {}
      : { detached: detached.map(({ endpoint, phase }) => ({ connectorId: endpoint, phase })) }),
    ...(deploymentError === null ? {} : { error: deploymentError.message }),
  } satisfies Shaped<typeof stopped>;
}
