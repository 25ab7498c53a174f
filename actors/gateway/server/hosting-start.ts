// What the routes of a server work on: its pipelines, its keys, its store; opened before the first request and closed
// after the last.
//
// Pipelines that are to run when the server closes are checkpointed and stopped, but their records say still that they are
// wished for: the next server starts them from there.

import { readdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { systemClock, type Timer } from '../../../runtime/clock.ts';
import type { Log } from '../../../runtime/log.ts';
import { openStore } from '../../store/open-store.ts';
import { AccessControl } from '../access/access-control.ts';
import { AuditLog } from '../access/audit-log.ts';
import { storeJournal } from '../embedded/store-journal.ts';
import { ConnectorPlugins } from '../hosting/connector-plugins.ts';
import { HistorySaver } from '../hosting/history-saver.ts';
import type { HostedPipeline } from '../hosting/hosted-pipeline.ts';
import { type Hosting, platformVersion } from '../hosting/hosting.ts';
import { OwedDeletions } from '../hosting/owed-deletions.ts';
import {
  beginCheckpoint,
  checkpointRegularly,
  latestCheckpoint,
  suspend,
  takeCheckpoint,
} from '../hosting/pipeline-checkpoint.ts';
import { HostedPipelines } from '../hosting/pipeline-directory.ts';
import { type PipelineRecord, timeText } from '../hosting/pipeline-record.ts';
import { compile, start, stop } from '../hosting/pipeline-run.ts';
import { asStopped, RecordSaver } from '../hosting/record-saver.ts';
import { SpareControl } from '../hosting/spare-control.ts';
import type { StoredHistory } from '../hosting/stored-history.ts';
import { provision } from './provisioning.ts';
import type { ServerOptions } from './server-options.ts';

/** The most that closing waits for a checkpoint, and for a start that gives up. */
const checkpointMs = 60_000;
const startEndMs = 10_000;
/** The most that the store may take to answer a server that is ready. */
const readinessMs = 5_000;

export async function openHosting(options: ServerOptions, log: Log): Promise<Hosting> {
  const store = await openStore(options.dataFolder, { clock: systemClock, log });
  const { adminKey } = options;
  const access = await AccessControl.open({
    store,
    clock: systemClock,
    host: options.host,
    adminKey,
    corsOrigins: options.corsOrigins,
    ...options.keyLimits,
  });
  const audit = new AuditLog({
    file: join(store.folder, 'audit.log'),
    clock: systemClock,
    log,
    keyOf: (request) => access.principalOf(request)?.key ?? null,
  });
  const saver = new RecordSaver(store);
  const version = options.version ?? '0.0.0';
  const deadLetterFolder = resolve(store.folder, 'dead-letters');
  const plugins = new ConnectorPlugins({
    loadRegistry: async () => (await options.loadValidation()).registry,
    version,
    clock: systemClock,
    log,
    // As in Conduit: where the server was started.
    baseFolder: resolve('.'),
    folder: options.connectorsFolder ?? null,
    processorsFolder: options.processorsFolder ?? null,
    modulesFolder: options.modulesFolder ?? null,
    cacheFile: join(store.folder, 'plugins.json'),
    deadLetterFolder,
    schemas: store,
    journalOf: (pipeline) => storeJournal(store, pipeline),
    onOwed: (mark, error) => owed.failed(mark, error),
  });
  const spare = new SpareControl(systemClock);
  const pipelines = new HostedPipelines({
    clock: systemClock,
    spare,
    validation: async () => ({ ...(await options.loadValidation()), registry: await plugins.registry() }),
    platformVersion,
    baseFolder: resolve(options.baseFolder ?? '.'),
    ...(options.deadlines === undefined ? {} : { deadlines: options.deadlines }),
    save: (record) => saver.save(record),
    remove: async (record) => {
      await saver.remove(record);
      await removeKeptLetters(deadLetterFolder, record.id);
    },
    connectorParts: (record) => plugins.partsFor(record),
  });
  for (const { document } of await store.pipelines()) {
    // SAFETY: documents are written by the saver alone, and the folder's format says that it is of this version.
    const record = document as PipelineRecord;
    // SAFETY: as above.
    pipelines.restore(asStopped(record), (await store.history(record.id)) as StoredHistory | null);
  }
  const owed: OwedDeletions = new OwedDeletions({
    read: () => store.owedMarks(),
    tell: (mark) => plugins.tellOwed(mark),
    forget: ({ pipeline, mark }) => store.removeConnectorMark(pipeline, mark.connector),
    exclusively: async (id, work) => await (pipelines.byId(id)?.exclusively(work) ?? work()),
    clock: systemClock,
    log,
  });
  const histories = new HistorySaver(
    store,
    systemClock,
    () => pipelines.list(),
    (error) => log.error('the history of a pipeline could not be written', { error: String(error) }),
  );
  const now = (): string => timeText(systemClock.now());
  let isClosing = false;
  const startFromCheckpoint = async (pipeline: HostedPipeline): Promise<void> => {
    // The wish is in the record: the next server starts it.
    if (isClosing) return;
    await start(pipeline, store, () => latestCheckpoint(pipeline, store));
    checkpointRegularly(pipeline, store);
  };
  const end = async (pipeline: HostedPipeline): Promise<void> => {
    pipeline.logs.end();
    if (pipeline.deployment === null) {
      // A start that is under way gives up; it must not outlive the store.
      pipeline.overtake();
      await within(
        startEndMs,
        pipeline.exclusively(async () => {}),
      ).catch(() => log.warn('a start did not give up in time', { pipeline: pipeline.name }));
      return;
    }
    if (pipeline.record.resources === 'Provisioned' && pipeline.record.relay === undefined) {
      await within(checkpointMs, takeCheckpoint(pipeline, store, { ends: true })).catch((error: unknown) =>
        log.warn('no checkpoint before the end', { pipeline: pipeline.name, error: String(error) }),
      );
    }
  };
  return {
    pipelines,
    plugins,
    deadLetterFolder,
    owed,
    version,
    access,
    log,
    startedAt: now(),
    hasKeys: access.keys().length > 0 || (adminKey !== undefined && adminKey !== ''),
    now,
    start: startFromCheckpoint,
    // Without SQL there is no state but the positions, which are stored as they are acknowledged.
    suspend: (pipeline) =>
      pipeline.record.relay === undefined ? suspend(pipeline, store) : stop(pipeline, { force: false }),
    beginCheckpoint: (pipeline) => beginCheckpoint(pipeline, store),
    clear: async (pipeline) => {
      await store.clearCheckpoints(pipeline.record.id);
      await store.truncateIngress(pipeline.record.id, Number.MAX_SAFE_INTEGER);
      pipeline.change({ storageStatus: 'Cleared', checkpoints: null, checkpointProgram: undefined });
    },
    authorize: async (scope, request, pipeline, isFiltered = false) => {
      access.authorize(request, { scope, pipeline, isFiltered });
    },
    audit: (request, response, requestId) => audit.watch(request, response, requestId),
    auditUpgrade: (request, requestId, status) => audit.record(request, requestId, status),
    unready: async () => {
      if (isClosing) return 'the server is shutting down';
      try {
        await within(readinessMs, store.apiKeys());
        return null;
      } catch (error) {
        return `the store does not answer: ${error instanceof Error ? error.message : String(error)}`;
      }
    },
    startWished: async () => {
      // The compiler is loaded before the first program comes.
      await options.loadValidation();
      await plugins.loaded();
      // A plugin that hangs must not hold up the pipelines.
      void owed.begin();
      const { pipelinesPath, environment = process.env } = options;
      if (pipelinesPath !== undefined) {
        await provision({ path: pipelinesPath, environment, pipelines, plugins, log });
      }
      spare.refill();
      for (const pipeline of pipelines.list()) {
        pipeline
          .exclusively(async () => {
            await compile(pipeline);
            if (pipeline.record.desired === 'Provisioned') await startFromCheckpoint(pipeline);
          })
          .catch((error: unknown) => log.error('a pipeline could not be started', { error: String(error) }));
      }
    },
    close: async () => {
      isClosing = true;
      owed.close();
      await spare.close();
      await plugins.close();
      await Promise.all(pipelines.list().map(end));
      await saver.close();
      await Promise.all(
        pipelines.list().map((pipeline) => (pipeline.deployment === null ? null : stop(pipeline, { force: false }))),
      );
      await histories.close();
      await audit.flush();
      await store.close();
    },
  };
}

/** And how far they were replayed. Another pipeline of the same id begins without them. */
async function removeKeptLetters(folder: string, pipeline: string): Promise<void> {
  const own = `${encodeURIComponent(pipeline)}.jsonl`;
  const names = await readdir(folder).catch(() => []);
  const gone = names.filter((name) => name === own || (name.startsWith(`${own}.`) && name.endsWith('.replayed')));
  await Promise.all(gone.map((name) => rm(join(folder, name), { force: true })));
}

/** @throws Error when the work takes longer; it goes on unwatched. */
async function within(ms: number, work: Promise<unknown>): Promise<void> {
  let timer: Timer | null = null;
  const late = new Promise<never>((_, reject) => {
    timer = systemClock.after(ms, () => reject(new Error(`it took longer than ${ms} ms`)));
  });
  await Promise.race([work, late]).finally(() => timer?.cancel());
}
