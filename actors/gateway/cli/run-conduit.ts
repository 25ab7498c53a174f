// `millrace run` of a pipeline file of Conduit: its pipelines run side by side, each on a control thread of its own, until their
// sources have ended or a signal comes. Positions and lifecycle marks are kept in `--data`, where it is given.
import { join, resolve } from 'node:path';
import { systemClock } from '../../../runtime/clock.ts';
import { errorToData } from '../../../runtime/errors.ts';
import { type LogEntry, makeLog } from '../../../runtime/log.ts';
import { transfer } from '../../../runtime/thread/remote.ts';
import { deadLettersOf } from '../../relay-definition.ts';
import type { Store } from '../../store/messages.ts';
import { openStore } from '../../store/open-store.ts';
import type { PipelineStats } from '../../supervisor/messages.ts';
import type { FilePipeline } from '../conduit-file/read-pipeline.ts';
import { ControlConnection } from '../embedded/control-connection.ts';
import { storeJournal } from '../embedded/store-journal.ts';
import { ConnectorPlugins } from '../hosting/connector-plugins.ts';
import { forgetfulJournal } from '../hosting/forgetful-journal.ts';
import { jsonText } from '../terminal/json-text.ts';
import { formatCount } from '../terminal/quantities.ts';
import { exitCodes, type OptionValues, type Tools } from './command.ts';
import { checkConduitFiles, pluginFolders } from './conduit-files.ts';
import { onEndSignals } from './end-signals.ts';
import { problemLines, problemReport } from './problem-text.ts';

const stopTimeoutMs = 30_000;
const connectorEndMs = 120_000;

interface Surroundings {
  readonly plugins: ConnectorPlugins;
  readonly interrupted: AbortSignal;
  readonly tools: Tools;
  readonly isJson: boolean;
}

export async function runConduit(path: string, options: OptionValues, tools: Tools): Promise<number> {
  const isJson = options['json'] === true;
  const folders = pluginFolders(options);
  const { files, problems, warnings } = await checkConduitFiles(path, tools, folders);
  for (const { code, message } of warnings) tools.err(`warning ${code}: ${message}\n`);
  if (problems.length > 0) {
    if (isJson) tools.out(`${jsonText({ event: 'invalid', problems: problems.map(errorToData) })}\n`);
    else tools.err(problemReport(path, problems));
    return exitCodes.invalid;
  }
  const { data } = options;
  const log = makeLog('run', systemClock.now, (entry) => tools.err(`${logText(entry)}\n`));
  const store = typeof data === 'string' ? await openStore(data, { clock: systemClock, log }) : null;
  if (store === null)
    tools.err('a first run: without --data no positions are kept, and no connector is told that it was deleted\n');
  const plugins = new ConnectorPlugins({
    loadRegistry: async () => (await tools.loadValidation()).registry,
    version: tools.version,
    clock: systemClock,
    log,
    baseFolder: resolve('.'),
    folder: folders.connectors,
    modulesFolder: folders.modules,
    processorsFolder: folders.processors,
    cacheFile: store === null ? null : join(store.folder, 'plugins.json'),
    deadLetterFolder: store === null ? null : resolve(store.folder, 'dead-letters'),
    schemas: store ?? { schemas: async () => [], putSchema: async () => {} },
    journalOf: (pipeline) => (store === null ? forgetfulJournal() : storeJournal(store, pipeline)),
  });
  const interrupt = new AbortController();
  const ignoreSignals = onEndSignals(systemClock, {
    drain: (signal) => {
      tools.err(`${signal}: draining; once more ends at once\n`);
      interrupt.abort(signal);
    },
    endAtOnce: () => process.exit(exitCodes.interrupted),
  });
  try {
    const wanted = files.flatMap(({ pipelines }) => pipelines).filter(({ status }) => status === 'running');
    const surroundings = { plugins, interrupted: interrupt.signal, tools, isJson };
    const ended = await Promise.all(wanted.map((pipeline) => runOne(pipeline, surroundings)));
    return ended.every((isGood) => isGood) ? exitCodes.ok : exitCodes.failed;
  } finally {
    ignoreSignals();
    await plugins.close();
    await closeStore(store);
  }
}

async function closeStore(store: Store | null): Promise<void> {
  await store?.close();
}

/** With what was wrong, where that is beside the message. */
function logText({ level, message, fields: { error } }: LogEntry): string {
  return `${level}: ${message}${typeof error === 'string' ? `: ${error}` : ''}`;
}

/** Whether it ended without a failure. */
async function runOne({ definition }: FilePipeline, surroundings: Surroundings): Promise<boolean> {
  const { plugins, tools, interrupted, isJson } = surroundings;
  const say = (text: string): void => tools.err(`${definition.id}: ${text}\n`);
  const connection = new ControlConnection({
    name: definition.id,
    clock: systemClock,
    expected: 'relay',
    onReport: (report) => {
      if (report.kind !== 'log') return;
      const { entry } = report;
      // Those of the user: the records of a destination `log`.
      if (entry.level === 'debug' || (entry.level === 'info' && entry.fields['user'] !== true)) return;
      if (isJson) tools.out(`${jsonText({ event: 'log', pipeline: definition.id, ...entry })}\n`);
      else say(`${entry.level}: ${entry.message}`);
    },
    onLost: (error) => say(error instanceof Error ? error.message : String(error)),
  });
  const parts = await plugins.partsOf(definition.id, definition);
  const { journal } = parts.request;
  const request = {
    source: { definition: { relay: definition }, baseFolder: resolve('.') },
    stepRowsMax: null,
    ...parts.request,
  };
  let isGood = true;
  try {
    await connection.call('open', (control) => control.open(transfer(request, journal === undefined ? [] : [journal])));
    await connection.call('start', (control) => control.start({ paused: false }));
    try {
      await connection.wait('run', (control, waitId) => control.allCompleted(waitId), { signal: interrupted });
    } catch (error) {
      if (!interrupted.aborted) throw error;
    }
    const stats = await connection.call('stats', (control) => control.stats());
    const timeoutMs = stopTimeoutMs + connectorEndMs;
    await connection.call('stop', (control) => control.stop({ force: false, timeoutMs: stopTimeoutMs }), { timeoutMs });
    isGood = summary(definition.id, stats, tools, isJson);
  } catch (error) {
    isGood = false;
    tools.err(`${problemLines(error).join('\n')}\n`);
  } finally {
    await connection.end();
    parts.release();
  }
  return isGood;
}

function summary(pipeline: string, stats: PipelineStats, tools: Tools, isJson: boolean): boolean {
  const failed = [...stats.inputs, ...stats.outputs].filter(({ state }) => state === 'failed');
  if (isJson) tools.out(`${jsonText({ event: 'summary', pipeline, stats })}\n`);
  else {
    const read = stats.inputs.reduce((sum, input) => sum + input.totalRecords, 0);
    const [letters, written] = [true, false].map((isQueue) =>
      stats.outputs
        .filter(({ endpoint }) => (endpoint === deadLettersOf(pipeline)) === isQueue)
        .reduce((sum, output) => sum + output.transmittedRecords, 0),
    );
    const queued = letters === 0 ? '' : `, ${formatCount(letters ?? 0)} to the dead-letter queue`;
    tools.out(`${pipeline}: ${formatCount(read)} records read, ${formatCount(written ?? 0)} written${queued}\n`);
    for (const { endpoint, error } of failed) tools.out(`${endpoint} failed: ${error?.message ?? ''}\n`);
  }
  return failed.length === 0 && stats.state !== 'failed';
}
