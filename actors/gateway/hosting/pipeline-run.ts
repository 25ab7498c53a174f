// How a pipeline is compiled, started, paused and stopped: the transitions of its record in the order in which clients see
// them, around the calls of its control thread.
//
// Nothing here asks whether it may (v0/lifecycle-routes.ts does). Whatever goes wrong while starting or running ends with
// the pipeline stopped and the error in its record; a start that a stop has overtaken gives up silently.

import { randomUUID } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { systemClock } from '../../../runtime/clock.ts';
import { type ErrorData, errorFromData, errorToData, MillraceError } from '../../../runtime/errors.ts';
import type { CheckpointImage, Store } from '../../store/messages.ts';
import type { PipelineStatus, StopReport } from '../../supervisor/messages.ts';
import { withoutBigints } from '../http/problem-reply.ts';
import { restoreApiInputs } from './api-input-record.ts';
import { planBootstrap, runBootstrap } from './bootstrap.ts';
import type { HostedPipeline } from './hosted-pipeline.ts';
import { type LiveDeployment, openDeployment } from './live-deployment.ts';
import { clockSettings, setClock } from './pipeline-clock.ts';
import { monitor } from './pipeline-monitor.ts';
import { environmentOf, hasStorage, isFaultTolerant, type RecordedProblem, workersOf } from './pipeline-record.ts';
import { compilePipeline } from './program-compilation.ts';
import { programErrorOf, successfulProgram } from './program-error.ts';
import { programInfo } from './program-info.ts';
import { relayDefinition } from './relay-pipeline.ts';

/** So that a stop in which a connector hangs is answered before its client gives up. The first is also what a drain may take. */
const endDeadlines = { stopMs: 30_000, teardownMs: 20_000 };
/** What acknowledgements and the end of the threads may take besides. */
const settleMs = 20_000;
/** Sources that take longer to open than this do so while the pipeline runs. */
const openingMs = 1_000;
const opening: ReadonlySet<string> = new Set(['created', 'opening']);

/** From Pending to Success or SqlError. Takes milliseconds; the states in between are there for the history. */
export async function compile(pipeline: HostedPipeline): Promise<void> {
  const validation = await pipeline.surroundings.validation();
  const { record } = pipeline;
  if (record.programStatus !== 'Pending') return;
  pipeline.change({ programStatus: 'CompilingSql' });
  const compiled = compilePipeline(record.source.programCode, validation);
  const failure = programErrorOf(compiled, record.source);
  if (failure !== null && failure.status === 'SqlError') {
    pipeline.change({
      programStatus: 'SqlError',
      programError: failure.error,
      refreshVersion: record.refreshVersion + 1,
    });
    return;
  }
  const info = programInfo(compiled);
  pipeline.change({ programStatus: 'SqlCompiled', programInfo: info, refreshVersion: record.refreshVersion + 1 });
  pipeline.change({ programStatus: 'CompilingRust' });
  pipeline.change({
    programStatus: failure === null ? 'Success' : failure.status,
    programError: failure === null ? successfulProgram : failure.error,
    refreshVersion: record.refreshVersion + 1,
  });
}

/** The wish is in the record already. Never rejects. */
export async function start(
  pipeline: HostedPipeline,
  store: Store,
  readCheckpoint: () => Promise<CheckpointImage | null>,
): Promise<void> {
  const { record, surroundings } = pipeline;
  // While this start waited for its turn, a stop or another start may have come.
  if (record.desired !== 'Provisioned' || record.resources !== 'Stopped') return;
  const generation = pipeline.overtake();
  const isOvertaken = (): boolean => pipeline.generation !== generation;
  if (record.storageStatus === 'Cleared' && record.relay === undefined) {
    pipeline.change({ storageStatus: 'InUse', checkpoints: [] });
  }
  pipeline.change({ resources: 'Provisioning', deploymentId: randomUUID() });
  pipeline.checkpointSuccess = null;
  pipeline.checkpointFailure = null;
  try {
    const restore = await readCheckpoint();
    const bootstrap = restore === null ? null : await planBootstrap(pipeline, restore);
    if (bootstrap !== null) {
      if (record.bootstrapPolicy !== 'allow' && !(await pipeline.approved(bootstrap.diff))) return;
      if (isOvertaken()) return;
    }
    const isBootstrap = bootstrap !== null && !bootstrap.isSameProgram;
    if (restore === null || record.firstStartedAt === undefined) {
      pipeline.change({ firstStartedAt: surroundings.clock.now() });
      setClock(pipeline);
    }
    const parts = await surroundings.connectorParts(record);
    const deployment = await openDeployment({
      name: pipeline.name,
      request: {
        source: {
          definition:
            record.relay === undefined
              ? {
                  name: pipeline.name,
                  program: record.source.programCode,
                  transport_defaults: { clock: clockSettings(record) },
                  ...workersOf(record, availableParallelism()),
                }
              : { relay: relayDefinition(record, record.relay) },
          // Relative paths of a pipeline without SQL begin where the server was started, as in Conduit.
          baseFolder: record.relay === undefined ? surroundings.baseFolder : resolve('.'),
        },
        pipelineId: record.id,
        stepRowsMax: null,
        labelsLiftPause: true,
        environment: environmentOf(record),
        edits: record.connectorEdits ?? [],
        ...(restore === null || isBootstrap
          ? {}
          : { restore: { ...restore, inputs: bootstrap?.inputs ?? restore.inputs } }),
        ...(isBootstrap ? { continued: bootstrap.inputs, continuedOutputs: restore?.outputs ?? [] } : {}),
        ...parts.request,
        deadlines: {
          ...(record.relay === undefined ? {} : endDeadlines),
          ...surroundings.deadlines,
        },
        acknowledgesCheckpoints: hasStorage(record),
      },
      onEnded: parts.release,
      spare: surroundings.spare,
      onLog: (entry) => pipeline.logEntry(entry),
      onStatus: (status) => {
        if (!isOvertaken()) follow(pipeline, status);
      },
      journal: { store, id: record.id, keeps: isFaultTolerant(record) },
    });
    if (isOvertaken()) return await deployment.end();
    pipeline.deployment = deployment;
    pipeline.numConnectorErrors = 0;
    pipeline.storageMbSeconds = 0;
    if (restore !== null) {
      const stored = record.apiInputs ?? [];
      const kept = bootstrap?.keptTables;
      deployment.sentBefore = record.sentByOutputs ?? {};
      restoreApiInputs(deployment, kept === undefined ? stored : stored.filter((each) => kept.includes(each.relation)));
    }
    monitor(pipeline, deployment);
    const desired = record.runtimeDesired ?? record.initial ?? 'Running';
    pipeline.change({ resources: 'Provisioned', runtime: 'Initializing', runtimeDesired: desired });
    await repeatPauses(deployment, record.manualPauses ?? {});
    await pipeline.inspections.attach(deployment);
    const isPaused = isBootstrap || desired === 'Paused';
    await deployment.call('start', (control) => control.start({ paused: isPaused }));
    if (isBootstrap && restore !== null) {
      pipeline.change({ runtime: 'Bootstrapping' });
      await runBootstrap(pipeline, deployment, bootstrap, restore, store);
      if (isOvertaken()) return;
      if (desired === 'Running') await deployment.call('resume', (control) => control.resume());
    }
    await connectorsOpened(deployment);
    const replayed = await deployment.journal.replay();
    if (isOvertaken()) return;
    if (replayed > 0) pipeline.log('info', `${replayed} rows of HTTP input replayed`);
    pipeline.change({ runtime: desired === 'Paused' ? 'Paused' : 'Running' });
    pipeline.log('info', `pipeline is ${record.runtime}`);
  } catch (error) {
    if (!isOvertaken()) await fail(pipeline, problemOf(errorToData(error)));
  } finally {
    // A thread that waits has the compiler loaded, for which pipelines without SQL have no use.
    if (record.relay === undefined) surroundings.spare.refill();
  }
}

/** The settings of a source are looked at as a whole when it opens: one that cannot be is no pipeline to begin with. */
async function connectorsOpened(deployment: LiveDeployment): Promise<void> {
  const isOpening = (): boolean => deployment.status.connectors.some(({ state }) => opening.has(state));
  if (isOpening()) {
    await new Promise<void>((resolve) => {
      const timer = systemClock.after(openingMs, resolve);
      const leave = deployment.onStatus(() => {
        if (isOpening()) return;
        timer.cancel();
        resolve();
      });
      deployment.ended.addEventListener('abort', leave, { once: true });
    });
  }
  for (const { state, error } of deployment.status.connectors) {
    if (state === 'failed' && error?.code.startsWith('config.') === true) throw errorFromData(error);
  }
}

async function repeatPauses(deployment: LiveDeployment, pauses: Readonly<Record<string, boolean>>): Promise<void> {
  for (const { direction, endpoint } of deployment.status.connectors) {
    const isPaused = pauses[`${direction} ${endpoint}`];
    if (isPaused === undefined) continue;
    await deployment.call('connector', (control) =>
      isPaused ? control.pauseConnector(endpoint) : control.resumeConnector(endpoint),
    );
  }
}

/** What the control thread reports of a pipeline that runs. */
function follow(pipeline: HostedPipeline, status: PipelineStatus): void {
  if (status.state !== 'failed' || status.error === null || pipeline.record.resources !== 'Provisioned') return;
  const problem = problemOf(status.error);
  pipeline.overtake();
  fail(pipeline, problem).catch((error: unknown) => pipeline.log('error', String(error)));
}

/** Ends the deployment and leaves the error in the record. */
async function fail(pipeline: HostedPipeline, problem: RecordedProblem): Promise<void> {
  pipeline.log('error', `${problem.error_code}: ${problem.message}`);
  if (pipeline.record.desired !== 'Stopped') pipeline.change({ desired: 'Stopped' });
  pipeline.change({ resources: 'Stopping', runtime: null, runtimeDesired: null, deploymentError: problem });
  const { deployment } = pipeline;
  if (deployment !== null && !deployment.isLost && pipeline.record.relay !== undefined) {
    // Its connectors are torn down: those that are processes would go on without their pipeline.
    const { stopMs: timeoutMs } = endDeadlinesOf(pipeline);
    const force = deployment.call('stop', (control) => control.stop({ force: true, timeoutMs }), { timeoutMs });
    await force.catch((error: unknown) =>
      pipeline.log('warn', `ending: ${error instanceof Error ? error.message : error}`),
    );
  }
  await deployment?.end();
  settle(pipeline);
}

/** Ends it at once; the record says why. */
export async function stopWith(pipeline: HostedPipeline, problem: RecordedProblem): Promise<void> {
  pipeline.overtake();
  await fail(pipeline, problem);
}

/** The wish is in the record already. One with force has a stop that is under way come to its end at once. Never rejects. */
export async function stop(pipeline: HostedPipeline, options: { readonly force: boolean }): Promise<void> {
  const underWay = pipeline.stopping;
  if (underWay !== null) {
    const { deployment } = pipeline;
    const { stopMs: timeoutMs } = endDeadlinesOf(pipeline);
    const { force } = options;
    // Both are answered when the pipeline has stopped; what goes wrong is said by the first.
    if (force) deployment?.call('stop', (control) => control.stop({ force, timeoutMs })).catch(() => {});
    return await underWay;
  }
  pipeline.stopping = stopOnce(pipeline, options).finally(() => {
    pipeline.stopping = null;
  });
  await pipeline.stopping;
}

async function stopOnce(pipeline: HostedPipeline, options: { readonly force: boolean }): Promise<void> {
  pipeline.overtake();
  const { deployment } = pipeline;
  if (pipeline.record.resources === 'Stopped') return settle(pipeline);
  pipeline.change({ resources: 'Stopping', runtime: null, runtimeDesired: null });
  if (deployment !== null && !deployment.isLost) {
    const { force } = options;
    const { stopMs, teardownMs } = endDeadlinesOf(pipeline);
    // Without SQL sources stop, outputs drain, and both are torn down, each with a deadline of its own.
    const timeoutMs = stopMs + (pipeline.record.relay === undefined ? 5_000 : stopMs + teardownMs + settleMs);
    // One that is failing already has said why.
    const hasSaidWhy = pipeline.record.deploymentError !== null;
    pipeline.stopReport = await deployment
      .call('stop', (control) => control.stop({ force, timeoutMs: stopMs }), { timeoutMs })
      .catch((error: unknown) => {
        pipeline.log('warn', `stopping: ${error instanceof Error ? error.message : error}`);
        if (pipeline.record.relay !== undefined && !hasSaidWhy)
          pipeline.change({ deploymentError: problemOf(errorToData(error)) });
        return detachedIn(error);
      });
    if (pipeline.record.relay !== undefined && !hasSaidWhy) noteLastErrors(pipeline, deployment);
  }
  await deployment?.end();
  settle(pipeline);
}

function endDeadlinesOf({ surroundings }: HostedPipeline): typeof endDeadlines {
  return { ...endDeadlines, ...surroundings.deadlines };
}

/** A stop that was cut off says which connectors hung. */
function detachedIn(error: unknown): StopReport | null {
  if (!(error instanceof MillraceError) || error.code !== 'pipeline.stop_timed_out') return null;
  // SAFETY: this is how the error of that code is defined.
  return { detached: error.fields['detached'] as StopReport['detached'] };
}

/** What connectors threw at their end is not lost: the pipeline is stopped, and says it. */
function noteLastErrors(pipeline: HostedPipeline, deployment: LiveDeployment): void {
  const failed = deployment.status.connectors.find(({ error }) => error !== null);
  const [stuck] = pipeline.stopReport?.detached ?? [];
  if (failed?.error !== null && failed?.error !== undefined) {
    const { message, ...problem } = problemOf(failed.error);
    pipeline.change({ deploymentError: { ...problem, message: `${failed.endpoint}: ${message}` } });
  } else if (stuck !== undefined) {
    const message = `${stuck.endpoint} did not come back from ${stuck.phase} and was cut off`;
    pipeline.change({ deploymentError: { message, error_code: 'connector.timed_out', details: stuck } });
  }
}

function settle(pipeline: HostedPipeline): void {
  pipeline.connectorsAtEnd = pipeline.deployment?.status.connectors ?? pipeline.connectorsAtEnd;
  pipeline.deployment = null;
  pipeline.transaction = null;
  pipeline.change({
    resources: 'Stopped',
    runtime: null,
    runtimeDesired: null,
    initial: null,
    deploymentId: null,
    bootstrapPolicy: null,
    silentBootstrap: false,
    concurrentBootstrap: false,
    manualPauses: {},
  });
  pipeline.log('info', 'pipeline is stopped');
}

export async function pause(pipeline: HostedPipeline): Promise<void> {
  await pipeline.deployed().call('pause', (control) => control.pause());
  pipeline.change({ runtime: 'Paused', runtimeDesired: 'Paused' });
  pipeline.log('info', 'pipeline is Paused');
}

export async function resume(pipeline: HostedPipeline): Promise<void> {
  await pipeline.deployed().call('resume', (control) => control.resume());
  pipeline.change({ runtime: 'Running', runtimeDesired: 'Running' });
  pipeline.log('info', 'pipeline is Running');
}

/** An expression that fails stops the worker that evaluates it, which `/v0` calls a panic. */
function problemOf(error: ErrorData): RecordedProblem {
  const codes = [error.code, ...error.causes.map((cause) => cause.code)];
  const isPanic = codes.some((code) => code === 'engine.failed' || /^sql\.|^pipeline\.(failed|engine_lost)/.test(code));
  return {
    message: [error.message, ...error.causes.map((cause) => cause.message)].join('\n'),
    error_code: isPanic ? 'RuntimeError.WorkerPanic' : error.code,
    // The fields hold a row, whose integers may be beyond what JSON.stringify takes.
    details: { code: error.code, fields: withoutBigints(error.fields), help: error.help },
  };
}
