// Where a pipeline's control thread begins: the composition root of the embedded API. Run by node:worker_threads
// (control-connection.ts), never imported.
//
// It puts the registry and the actor system into the hands of whoever makes the pipeline (program-pipeline.ts, relay-pipeline.ts), and the
// supervisor that comes of it into those of the gateway that answers the user's main thread.
import { availableParallelism } from 'node:os';
import { parentPort, workerData } from 'node:worker_threads';
import { registry } from '../../connectors/registry.ts';
import { systemClock } from '../../runtime/clock.ts';
import { errorToData } from '../../runtime/errors.ts';
import { type LogEntry, makeLog } from '../../runtime/log.ts';
import { expose, transfer } from '../../runtime/thread/remote.ts';
import { siblingModule, type ThreadDying } from '../../runtime/thread/worker-thread.ts';
import type { ControlReport, ControlThreadData, OpenRequest } from '../gateway/embedded/control-interface.ts';
import { type MadePipeline, PipelineControl } from '../gateway/embedded/pipeline-control.ts';
import { relayIn } from '../relay-definition.ts';
import { ActorSystemHost } from '../supervisor/actor-system-host.ts';
import { engineThread } from '../supervisor/engine-spawning.ts';
import { outputThreadsMax } from '../supervisor/output-placement.ts';
import type { ControlParts } from './control-parts.ts';

if (parentPort === null) throw new Error('control-thread is run as a worker thread');
const report = (value: ControlReport | ThreadDying): void => exposed.report(value);

// What nobody catches ends this thread and with it the pipeline; the main thread is told why.
process.on('uncaughtException', (error) => {
  report({ kind: 'thread dying', error: errorToData(error) });
  process.exit(1);
});

const onLog = (entry: LogEntry): void => report({ kind: 'log', entry });
const log = makeLog('supervisor', systemClock.now, onLog);
const host = new ActorSystemHost({
  behaviours: siblingModule('behaviours', import.meta.url),
  outputThreadsMax: outputThreadsMax(availableParallelism()),
  clock: systemClock,
  log,
  onLog,
});
const parts: ControlParts = { host, clock: systemClock, log, registry };
const programs = (): Promise<typeof import('./program-pipeline.ts')> => import('./program-pipeline.ts');
const relays = (): Promise<typeof import('./relay-pipeline.ts')> => import('./relay-pipeline.ts');

// Loading takes as long as the rest of a start: what is expected is loaded before it is asked for, here and on the engine's thread.
// SAFETY: control-connection.ts starts this thread, and nobody else does.
const { expected } = workerData as ControlThreadData;
host.prepare(engineThread, expected === 'relay' ? 'relay' : 'engine');
// A failure is told to who asks for a pipeline.
(expected === 'relay' ? relays() : programs()).catch(() => {});

const control = new PipelineControl({ clock: systemClock, make: makePipeline, report, transfer });
const exposed = expose(control, parentPort);

/** @throws PipelineInvalid, PipelineFileUnreadable */
async function makePipeline(request: OpenRequest): Promise<MadePipeline> {
  const { source } = request;
  const relay = 'definition' in source ? relayIn(source.definition) : null;
  if (relay !== null) return (await relays()).makeRelay(relay, request, parts);
  return (await programs()).makeProgram(request, parts);
}
