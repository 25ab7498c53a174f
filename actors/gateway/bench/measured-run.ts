// The measured process: opens one pipeline file, runs it, and sends what it took to the process that has started it.
//
// Run by measured-process.ts with thread-probe.ts in every thread, never imported. The pipeline is the embedded one, on a control
// thread of its own; this thread looks, and does nothing else. A whole run lasts until every input has ended and every output is
// flushed; a window begins after the warm-up. Connectors really read and write. Signals of the terminal are left to the parent.
import { systemClock } from '../../../runtime/clock.ts';
import { errorToData } from '../../../runtime/errors.ts';
import type { LogEntry } from '../../../runtime/log.ts';
import type { PipelineStats } from '../../supervisor/messages.ts';
import { completionFailure } from '../embedded/completion-failure.ts';
import { ControlConnection } from '../embedded/control-connection.ts';
import { NothingToMeasure } from './bench-errors.ts';
import { LatencySampler } from './latency-sampler.ts';
import { openMeasured } from './measured-pipeline.ts';
import type { MeasuredAnswer, MeasuredRequest } from './measured-process.ts';
import { ProcessWatch } from './process-watch.ts';
import { QueueWatch } from './queue-watch.ts';
import type { RunFigures, RunKind } from './run-figures.ts';

const lookEveryMs = 100;
/** What a thread may take to come round to a question at the end. */
const settleMs = 2_000;

process.on('SIGINT', () => {}).on('SIGTERM', () => {});
// Whoever has started it is gone.
process.once('disconnect', () => process.exit(1));
process.once('message', (message) => {
  // SAFETY: measured-process.ts sends nothing else.
  run(message as MeasuredRequest).then(
    (figures) => answer({ kind: 'figures', figures }),
    (error: unknown) => answer({ kind: 'failed', error: errorToData(error) }),
  );
});

function answer(message: MeasuredAnswer): void {
  process.send?.(message, () => process.exit(0));
}

async function run(request: MeasuredRequest): Promise<RunFigures> {
  const watch = new ProcessWatch(systemClock);
  const connection = new ControlConnection({
    name: 'control',
    clock: systemClock,
    onReport: (report) => {
      if (report.kind === 'log') sayAloud(report.entry);
    },
    onLost: () => {},
  });
  let release = async (): Promise<void> => {};
  try {
    const opening = systemClock.monotonic();
    release = await openMeasured(request.pipeline, connection, sayAloud);
    return await measure(request, connection, watch, opening);
  } finally {
    watch.close();
    await connection
      .call('stop', (control) => control.stop({ force: true, timeoutMs: 1_000 }), { timeoutMs: 5_000 })
      .catch(() => {});
    await connection.end();
    await release();
  }
}

/** What a person should know of. */
function sayAloud({ level, message }: LogEntry): void {
  if (level === 'warn' || level === 'error') process.stderr.write(`${level}: ${message}\n`);
}

async function measure(
  { name, kind, warmUpSeconds, seconds }: MeasuredRequest,
  connection: ControlConnection,
  watch: ProcessWatch,
  opening: number,
): Promise<RunFigures> {
  const openMs = systemClock.monotonic() - opening;
  const queues = new QueueWatch(systemClock);
  const readStats = async (): Promise<PipelineStats> => {
    const stats = await connection.call('stats', (control) => control.stats());
    watch.name(stats.threads);
    return stats;
  };
  queues.begin(await readStats());
  const endpoints = queues.connectors.flatMap(({ direction, endpoint }) => (direction === 'input' ? [endpoint] : []));
  if (endpoints.length === 0) throw new NothingToMeasure({ file: name });
  watch.begin();
  let begun = systemClock.monotonic();
  await connection.call('start', (control) => control.start({ paused: false }));
  const completed = completion(connection, readStats);
  const looks = everySoOften(async () => queues.look(await readStats()));
  const latency = new LatencySampler({
    clock: systemClock,
    endpoints,
    follow: (endpoint) =>
      connection.wait('latestDelivered', (control, waitId) => control.latestDelivered(waitId, endpoint)),
  });
  let measured: RunKind = 'whole';
  try {
    if (kind === 'whole') await completed;
    else if (!(await withinSeconds(warmUpSeconds, completed))) {
      const stats = await readStats();
      queues.begin(stats);
      watch.begin();
      latency.begin();
      begun = systemClock.monotonic();
      if (!(await withinSeconds(seconds, completed))) measured = 'window';
    }
    const ended = systemClock.monotonic();
    latency.close();
    await looks.end();
    const stats = await readStats();
    // In a window the last look is the end of it: its numbers are those of that moment.
    const elapsed = ((measured === 'window' ? systemClock.monotonic() : ended) - begun) / 1000;
    refuseFailed(stats);
    queues.look(stats);
    await watch.settle(settleMs);
    return {
      ...watch.figures(),
      ...totals(queues),
      kind: measured,
      seconds: elapsed,
      latencyMs: latency.samples,
      openMs,
    };
  } finally {
    latency.close();
    await looks.end().catch(() => {});
  }
}

function totals(
  queues: QueueWatch,
): Pick<
  RunFigures,
  'rowsIn' | 'bytesIn' | 'rowsOut' | 'bytesOut' | 'steps' | 'stateRows' | 'stateBytes' | 'connectors'
> {
  const { connectors, steps } = queues;
  const sum = (direction: 'input' | 'output', of: 'records' | 'bytes'): number =>
    connectors.reduce((all, connector) => all + (connector.direction === direction ? connector[of] : 0), 0);
  return {
    rowsIn: sum('input', 'records'),
    bytesIn: sum('input', 'bytes'),
    rowsOut: sum('output', 'records'),
    bytesOut: sum('output', 'bytes'),
    steps,
    ...queues.state,
    connectors,
  };
}

/** Resolves when everything has gone through; rejects when a connector or the pipeline has failed. */
async function completion(connection: ControlConnection, readStats: () => Promise<PipelineStats>): Promise<void> {
  const { failed, stuck } = await connection.wait('run', (control, waitId) => control.allCompleted(waitId));
  if (failed.length > 0 || stuck.length > 0) throw completionFailure({ failed, stuck }, await readStats());
}

/** @throws CompletionFailed with the cause of the first connector that has failed */
function refuseFailed(stats: PipelineStats): void {
  const failed = [...stats.inputs, ...stats.outputs].filter(({ state }) => state === 'failed');
  if (failed.length === 0) return;
  throw completionFailure({ failed: failed.map(({ endpoint }) => endpoint), stuck: [] }, stats);
}

/** Whether it has ended within so many seconds. Rejects as it does. */
async function withinSeconds(seconds: number, ends: Promise<void>): Promise<boolean> {
  let isOver = false;
  await new Promise<void>((resolve, reject) => {
    const timer = systemClock.after(seconds * 1000, resolve);
    ends.then(
      () => {
        isOver = true;
        timer.cancel();
        resolve();
      },
      (error: unknown) => {
        timer.cancel();
        reject(error);
      },
    );
  });
  return isOver;
}

/** One call at a time, until `end`, which waits for the last of them. */
function everySoOften(look: () => Promise<void>): { end(): Promise<void> } {
  let running: Promise<void> | null = null;
  const timer = systemClock.every(lookEveryMs, () => {
    running ??= look().then(
      () => {
        running = null;
      },
      // Of a pipeline that has failed; who waits for its end is told.
      () => {},
    );
  });
  return {
    end: async () => {
      timer.cancel();
      await running;
    },
  };
}
