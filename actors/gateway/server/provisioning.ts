// Pipelines from files, made to be what the files say when the server starts: new ones are created, changed ones changed (a
// connector keeps its position as long as it keeps its id and type), those that are in no file any more deleted with their
// connectors. `status` of the file says whether a pipeline runs.
//
// What is wrong in a file is logged and leaves that pipeline alone; as long as anything cannot be read nothing is deleted,
// since it may stand in what was not read. A pipeline of the same id that was created otherwise is never touched.
import { existsSync } from 'node:fs';
import type { MillraceError } from '../../../runtime/errors.ts';
import type { Log } from '../../../runtime/log.ts';
import { type ConduitFile, conduitFilesAt, duplicates, readConduitFile } from '../conduit-file/conduit-file.ts';
import type { FilePipeline } from '../conduit-file/read-pipeline.ts';
import type { ConnectorPlugins } from '../hosting/connector-plugins.ts';
import type { HostedPipelines } from '../hosting/pipeline-directory.ts';
import { timeText } from '../hosting/pipeline-record.ts';
import { goneConnectors, relayFrom } from '../hosting/relay-changes.ts';
import { relaySource } from '../hosting/relay-pipeline.ts';

export interface Provisioning {
  /** A folder or a file. */
  readonly path: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly pipelines: HostedPipelines;
  readonly plugins: ConnectorPlugins;
  readonly log: Log;
}

/** Nothing runs yet. Resolves when everything is stored; the wishes are in the records. Never rejects because of a file. */
export async function provision(provisioning: Provisioning): Promise<void> {
  const { path, log, pipelines } = provisioning;
  if (!existsSync(path)) {
    const kept = pipelines.list().filter(({ record }) => record.relay?.provisionedBy === 'file').length;
    if (kept > 0) log.warn('the pipeline files are gone: what they have defined is left as it is', { path });
    return;
  }
  const files = readFiles(provisioning);
  const problems = [...files.flatMap((file) => file.problems), ...acrossFiles(files)];
  for (const problem of problems) log.error('a pipeline file is not valid', { error: problem.message });
  for (const warning of files.flatMap((file) => file.warnings)) log.warn(warning.message);
  const broken = new Set(duplicateIds(files));
  for (const pipeline of files.flatMap((file) => file.pipelines)) {
    if (pipeline.isValid && !broken.has(pipeline.definition.id)) await provisionOne(provisioning, pipeline);
  }
  const named = new Set(files.flatMap((file) => file.pipelines.map(({ definition }) => definition.id)));
  const gone = pipelines.list().filter(({ record }) => record.relay?.provisionedBy === 'file' && !named.has(record.id));
  if (gone.length > 0 && problems.length > 0) {
    log.warn('pipelines that are in no file are kept until all files are valid', { count: gone.length });
    return;
  }
  for (const pipeline of gone) {
    log.info('a pipeline is deleted: it is in no file any more', { pipeline: pipeline.name });
    for (const connector of pipeline.record.relay?.connectors ?? []) {
      await provisioning.plugins.connectorDeleted(pipeline, connector);
    }
    await pipelines.delete(pipeline);
  }
}

function readFiles({ path, environment, log }: Provisioning): readonly ConduitFile[] {
  return conduitFilesAt(path).flatMap((file) => {
    try {
      return [readConduitFile(file, environment)];
    } catch (error) {
      log.error('a pipeline file cannot be read', { file, error: error instanceof Error ? error.message : `${error}` });
      return [{ file, folder: '', pipelines: [], problems: [error as MillraceError], warnings: [] }];
    }
  });
}

/** What stands twice in one file is among its problems already. */
function acrossFiles(files: readonly ConduitFile[]): readonly MillraceError[] {
  const known = new Set(files.flatMap((file) => file.problems.map(({ message }) => message)));
  return duplicates(files).filter(({ message }) => !known.has(message));
}

function duplicateIds(files: readonly ConduitFile[]): readonly string[] {
  const ids = files.flatMap((file) => file.pipelines.map(({ definition }) => definition.id));
  return ids.filter((id, i) => ids.indexOf(id) !== i);
}

async function provisionOne(provisioning: Provisioning, { definition, status }: FilePipeline): Promise<void> {
  const { pipelines, plugins, log } = provisioning;
  const { id, name, description } = definition;
  const found = pipelines.byId(id);
  const named = pipelines.find(name);
  if (named !== undefined && named !== found) {
    log.error('a pipeline of a file has the name of another one: it is left out', { pipeline: id, name });
    return;
  }
  if (found !== undefined && found.record.relay?.provisionedBy !== 'file') {
    log.error('a pipeline of a file has the id of one that was created otherwise: it is left out', { pipeline: id });
    return;
  }
  const before = found?.record.relay;
  const now = timeText(pipelines.surroundings.clock.now());
  const relay = relayFrom(definition, before, 'file', now);
  const pipeline = found ?? pipelines.create(relaySource(name, description), { id, relay });
  for (const connector of before === undefined ? [] : goneConnectors(before, relay)) {
    await plugins.connectorDeleted(pipeline, connector);
  }
  pipelines.rename(pipeline, name);
  pipeline.change({
    relay,
    source: { ...pipeline.record.source, name, description },
    ...(status === 'running'
      ? { desired: 'Provisioned', initial: 'Running', deploymentError: null, isStoppedByUser: false }
      : { desired: 'Stopped', initial: null }),
  });
  await pipeline.save();
}
