// The end of a pipeline's actors, in the reverse order of their start: inputs, outputs, engine, threads.
//
// Without force what has been read reaches the outputs first, within a time; what was delivered is acknowledged before anything is torn
// down. Used by the supervisor, for a stop and for a failure alike; it decides which, and what the pipeline is then called.
import { setMaxListeners } from 'node:events';
import type { ActorRef } from '../../runtime/actor/actor.ts';
import { errorToData } from '../../runtime/errors.ts';
import type { Log } from '../../runtime/log.ts';
import type { EngineMessage } from '../engine/messages.ts';
import type { ActorHost } from './actor-host.ts';
import type { ConnectorRoster } from './connector-roster.ts';

export interface ReleasedPipeline {
  readonly roster: ConnectorRoster;
  readonly host: ActorHost;
  readonly log: Log;
  /** An engine of records takes further steps whatever has failed. */
  readonly isRelay: boolean;
  readonly hasFailed: () => boolean;
  readonly engine: () => ActorRef<EngineMessage> | null;
  /** From now on there is no engine; the one that there was. */
  readonly giveUpEngine: () => ActorRef<EngineMessage> | null;
}

export interface StopOptions {
  readonly force: boolean;
  readonly timeoutMs: number;
}

export interface ReleaseOptions extends StopOptions {
  /** Aborted: force is used after all. */
  readonly hurry: AbortSignal;
}

const stopDeadlineMs = 10_000;
/** What positions that were reached get to be stored, and sources to be told, when everything is delivered. */
const settleMs = 10_000;

/** Returns false when the drain had to be cut off. */
export async function releasePipeline(pipeline: ReleasedPipeline, options: ReleaseOptions): Promise<boolean> {
  const { roster, host, hasFailed, giveUpEngine } = pipeline;
  const { inputs, outputs } = roster;
  const { hurry, timeoutMs } = options;
  if (!options.force && !hurry.aborted) await unlessHurried(hurry, Promise.all(inputs.map((input) => input.quiesce())));
  if (options.force || hurry.aborted) await Promise.all(inputs.map((input) => input.stop('discard')));
  const isForced = (): boolean => options.force || hurry.aborted;
  if (!isForced()) for (const output of outputs) output.await(timeoutMs);
  const isDrained = isForced() || (await isDrainedWithin(pipeline, timeoutMs, hurry));
  // What was delivered is acknowledged before anything is torn down; what was not has no one to wait for.
  const isWhole = !hasFailed() && outputs.every(({ state }) => state === 'ended');
  const patienceMs = isForced() ? 0 : settleMs;
  const released = Promise.all(inputs.map((input) => input.release(patienceMs, isDrained && isWhole)));
  if (!isForced()) await unlessHurried(hurry, released);
  if (isForced()) await Promise.all(inputs.map((input) => input.stop('discard')));
  await released;
  // One that has not come back from the drain is not waited for again.
  await Promise.all(outputs.map((output) => output.stop(isForced() || !isDrained)));
  await giveUpEngine()?.stop(stopDeadlineMs);
  await host.stop(stopDeadlineMs);
  return isDrained;
}

/** Resolves when what has been read is flushed by every output. @throws the signal's reason */
export async function drainPipeline(pipeline: ReleasedPipeline, signal: AbortSignal): Promise<void> {
  const { roster, engine, hasFailed, isRelay } = pipeline;
  // One listener for each output: Node would print a warning from the eleventh on.
  setMaxListeners(0, signal);
  // An engine that has failed takes no further step; its outputs still get what was computed before.
  const isAble = !hasFailed() || isRelay;
  if (isAble) await engine()?.ask({ kind: 'drain' }, { deadlineMs: Number.POSITIVE_INFINITY, signal });
  await Promise.all(roster.outputs.map((output) => output.drain(signal)));
}

/** Waits for `work`, or until there is hurry. */
async function unlessHurried(hurry: AbortSignal, work: Promise<unknown>): Promise<void> {
  let leave = (): void => {};
  const hurried = new Promise<void>((resolve) => {
    leave = resolve;
    hurry.addEventListener('abort', leave, { once: true });
    if (hurry.aborted) resolve();
  });
  await Promise.race([work, hurried]);
  hurry.removeEventListener('abort', leave);
}

async function isDrainedWithin(pipeline: ReleasedPipeline, timeoutMs: number, hurry: AbortSignal): Promise<boolean> {
  // Not AbortSignal.any: what it makes of a time-out may be collected as garbage before the time is up.
  const late = AbortSignal.timeout(timeoutMs);
  const enough = new AbortController();
  const cut = (): void => enough.abort(hurry.aborted ? hurry.reason : late.reason);
  late.addEventListener('abort', cut);
  hurry.addEventListener('abort', cut);
  if (hurry.aborted) cut();
  try {
    await drainPipeline(pipeline, enough.signal);
    return true;
  } catch (error) {
    pipeline.log.warn('the drain was cut off', { cause: errorToData(error).message });
    return false;
  } finally {
    late.removeEventListener('abort', cut);
    hurry.removeEventListener('abort', cut);
  }
}
