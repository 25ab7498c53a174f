// Start, stop, pause, resume, clear, dismiss_error: the guards of `/v0`, then the transitions of hosting/pipeline-run.ts.
// The wish is recorded before the answer; the answer waits a moment for its fulfilment.
import type { HostedPipeline } from '../hosting/hosted-pipeline.ts';
import type { Hosting } from '../hosting/hosting.ts';
import { withinMoment } from '../hosting/moment.ts';
import type { BootstrapPolicy, RuntimeDesired } from '../hosting/pipeline-record.ts';
import { pause, resume, stop } from '../hosting/pipeline-run.ts';
import { HttpProblem } from '../http/http-problem.ts';
import { nothing } from '../http/reply-shape.ts';
import { json, type Route, type RouteReply, type RouteRequest } from '../http/route.ts';
import { flag } from './query-flag.ts';

interface StartWish {
  readonly initial: RuntimeDesired;
  readonly policy: BootstrapPolicy;
  readonly silent: boolean;
  readonly concurrent: boolean;
}

export function lifecycleRoutes(hosting: Hosting): readonly Route[] {
  const route = (
    action: string,
    summary: string,
    ok: number,
    handle: (pipeline: HostedPipeline, request: RouteRequest) => Promise<RouteReply>,
    query: Readonly<Record<string, string>> = {},
  ): Route => ({
    method: 'POST',
    path: `/v0/pipelines/{pipeline_name}/${action}`,
    summary,
    access: 'write',
    query,
    ok: { [ok]: nothing },
    problems: [400, 404, 405, 409, 501, 503],
    handle: (request) => handle(hosting.pipelines.get(request.params['pipeline_name'] ?? ''), request),
  });
  return [
    route('start', 'Starts a stopped pipeline', 202, (pipeline, { query }) => onStart(hosting, pipeline, query), {
      initial: 'running or paused',
      dismiss_error: 'forget the error of the last deployment first (default true)',
    }),
    route(
      'stop',
      'Stops a pipeline; without force a checkpoint is taken first',
      202,
      async (pipeline, { query }) => {
        const force = flag(query, 'force');
        if (pipeline.record.desired !== 'Stopped') pipeline.change({ desired: 'Stopped' });
        if (!pipeline.isFullyStopped) {
          // A start that waits for approval holds everything behind it, and there is nothing yet that a checkpoint could hold.
          const work =
            force || pipeline.approval !== null
              ? stop(pipeline, { force: true })
              : pipeline.exclusively(() => hosting.suspend(pipeline));
          await withinMoment(hosting, work);
        }
        return json(202, undefined);
      },
      { force: 'at once, without a checkpoint (default false)' },
    ),
    route(
      'shutdown',
      'As older clients stop a pipeline: at once, and what is stored is dropped',
      202,
      async (pipeline) => {
        if (pipeline.record.desired !== 'Stopped') pipeline.change({ desired: 'Stopped' });
        const end = async (): Promise<void> => {
          if (!pipeline.isFullyStopped) await stop(pipeline, { force: true });
          pipeline.change({ storageStatus: 'Clearing' });
          await hosting.clear(pipeline);
        };
        await withinMoment(hosting, end());
        return json(202, undefined);
      },
    ),
    route('pause', 'Pauses a running pipeline', 202, async (pipeline) => {
      pipeline.deployed();
      await pipeline.steer(() => pause(pipeline));
      return json(202, undefined);
    }),
    route('resume', 'Resumes a paused pipeline', 202, async (pipeline) => {
      pipeline.deployed();
      await pipeline.steer(() => resume(pipeline));
      return json(202, undefined);
    }),
    route(
      'approve',
      'Lets a start go on whose program or connectors have changed since the checkpoint',
      200,
      async (pipeline, { query }) => {
        const { approval, record } = pipeline;
        if (approval === null) {
          throw new HttpProblem({
            status: 400,
            code: 'IllegalPipelineAction',
            message: `pipeline '${pipeline.name}': only a pipeline that awaits approval is approved`,
            details: { status: record.runtime ?? record.resources },
          });
        }
        pipeline.change({
          silentBootstrap: record.silentBootstrap || flag(query, 'silent_bootstrap'),
          concurrentBootstrap: record.concurrentBootstrap || flag(query, 'concurrent_bootstrap'),
        });
        approval.resolve(true);
        return json(200, undefined);
      },
      { silent_bootstrap: 'outputs are told nothing of what is computed again', concurrent_bootstrap: 'accepted' },
    ),
    route('activate', `Refused: ${noStandby}`, 200, async (pipeline) => {
      pipeline.deployed();
      const message = `pipeline '${pipeline.name}': ${noStandby}`;
      throw new HttpProblem({ status: 400, code: 'IllegalPipelineAction', message });
    }),
    route('dismiss_error', 'Forgets the error of the last deployment', 200, async (pipeline) => {
      dismissError(pipeline);
      return json(200, undefined);
    }),
    route('clear', 'Drops what is stored of a stopped pipeline', 202, async (pipeline) => {
      if (!pipeline.isFullyStopped) {
        throw new HttpProblem({
          status: 400,
          code: 'StorageStatusImmutableUnlessStopped',
          message: 'the storage of a pipeline can be cleared only while it is fully stopped',
        });
      }
      if (pipeline.record.storageStatus === 'InUse') {
        pipeline.change({ storageStatus: 'Clearing' });
        await withinMoment(hosting, hosting.clear(pipeline));
      }
      return json(202, undefined);
    }),
  ];
}

/**
 * How long the answer to a start waits for the pipeline to run (or to ask for approval): a script that pushes rows in its next line
 * finds it running on a busy machine, too.
 */
const startMomentMs = 10_000;

/** A state that a pipeline here is never in: clients that ask are told so. */
const noStandby = 'only a pipeline in standby is activated';

async function onStart(hosting: Hosting, pipeline: HostedPipeline, query: URLSearchParams): Promise<RouteReply> {
  const { record } = pipeline;
  const wish = readWish(query);
  if (record.desired === 'Provisioned') {
    refuseOtherWish(pipeline, wish);
    return json(202, undefined);
  }
  if (record.resources !== 'Stopped') {
    throw new HttpProblem({
      status: 400,
      code: 'IllegalPipelineAction',
      message: `the pipeline cannot be started while it is ${record.resources}`,
      details: {
        status: record.resources,
        current_desired_status: record.desired,
        new_desired_status: 'Provisioned',
        hint: 'wait until it is stopped',
      },
    });
  }
  if (flag(query, 'dismiss_error', true)) dismissError(pipeline);
  if (record.deploymentError !== null) refuse('CannotStartWithUndismissedError', 'its error has not been dismissed');
  if (record.storageStatus === 'Clearing') refuse('CannotStartWhileClearingStorage', 'its storage is being cleared');
  if (['SqlError', 'RustError', 'SystemError'].includes(record.programStatus)) {
    refuse('CannotStartWithCompilationError', `its program does not compile (${record.programStatus})`);
  }
  pipeline.change({
    desired: 'Provisioned',
    initial: wish.initial,
    bootstrapPolicy: wish.policy,
    silentBootstrap: wish.silent,
    concurrentBootstrap: wish.concurrent,
  });
  const asked = pipeline.approvalAsked();
  const started = pipeline.exclusively(() => hosting.start(pipeline));
  await withinMoment(hosting, Promise.race([started, asked]), startMomentMs);
  return json(202, undefined);
}

function readWish(query: URLSearchParams): StartWish {
  const initial = query.get('initial') ?? 'running';
  const policy = query.get('bootstrap_policy') ?? 'await_approval';
  const silent = flag(query, 'silent_bootstrap');
  const concurrent = flag(query, 'concurrent_bootstrap');
  if (initial === 'standby') refuse('InitialStandbyNotAllowed', 'standby needs storage that pipelines share');
  if (initial !== 'running' && initial !== 'paused') {
    throw new HttpProblem({
      status: 405,
      code: 'UnsupportedPipelineAction',
      message: `a pipeline cannot be started as '${initial}': running and paused are possible`,
    });
  }
  if (policy !== 'allow' && policy !== 'reject' && policy !== 'await_approval') {
    throw new HttpProblem({ status: 400, code: 'InvalidParam', message: `there is no bootstrap_policy '${policy}'` });
  }
  if (silent && concurrent) refuse('InvalidBootstrapConfig', 'silent and concurrent bootstrap exclude one another');
  return { initial: initial === 'paused' ? 'Paused' : 'Running', policy, silent, concurrent };
}

function refuseOtherWish(pipeline: HostedPipeline, wish: StartWish): void {
  const { record } = pipeline;
  if (record.initial !== wish.initial) {
    refuse('InitialImmutableUnlessStopped', `it has been started as ${record.initial}`);
  }
  if (record.bootstrapPolicy !== wish.policy) {
    refuse('BootstrapPolicyImmutableUnlessStopped', `it has been started with ${record.bootstrapPolicy}`);
  }
}

function dismissError(pipeline: HostedPipeline): void {
  if (pipeline.record.deploymentError === null) return;
  if (!pipeline.isFullyStopped) {
    throw new HttpProblem({
      status: 400,
      code: 'DismissErrorRestrictedToFullyStopped',
      message: 'the error of a pipeline can be dismissed only while it is fully stopped',
    });
  }
  pipeline.change({ deploymentError: null });
}

function refuse(code: string, why: string): never {
  throw new HttpProblem({ status: 400, code, message: `the pipeline cannot be started: ${why}` });
}
