// Pipeline files of Conduit as commands read them: everything that is wrong with some of them.
import { resolve } from 'node:path';
import { modulesInFolder } from '../../../connectors/connector-modules.ts';
import { systemClock } from '../../../runtime/clock.ts';
import type { MillraceError } from '../../../runtime/errors.ts';
import { checkPlugins, type KnownPlugins } from '../conduit-file/check-plugins.ts';
import { type ConduitFile, conduitFilesAt, duplicates, readConduitFile } from '../conduit-file/conduit-file.ts';
import { loadPlugins } from '../hosting/connector-plugins.ts';
import type { Tools } from './command.ts';

export interface CheckedFiles {
  readonly files: readonly ConduitFile[];
  readonly problems: readonly MillraceError[];
  readonly warnings: readonly MillraceError[];
}

/**
 * A file or a folder of them. `connectors`: folder of plugin processes, null: none is known; `modules`: folder of modules that export
 * connectors. @throws PipelineFileUnreadable
 */
export async function checkConduitFiles(
  path: string,
  tools: Tools,
  connectors: string | null,
  modules: string | null = connectors,
): Promise<CheckedFiles> {
  const files = conduitFilesAt(path).map((file) => readConduitFile(file, tools.environment));
  const known = await knownPlugins(tools, connectors, modules);
  const pipelines = files.flatMap((file) => file.pipelines);
  const findings = await Promise.all(pipelines.map((pipeline) => checkPlugins(pipeline, known)));
  const own = files.flatMap((file) => file.problems);
  const seen = new Set(own.map(({ message }) => message));
  return {
    files,
    problems: [
      ...own,
      ...duplicates(files).filter(({ message }) => !seen.has(message)),
      ...findings.flatMap(({ problems }) => problems),
    ],
    warnings: [...files.flatMap((file) => file.warnings), ...findings.flatMap(({ warnings }) => warnings)],
  };
}

async function knownPlugins(tools: Tools, connectors: string | null, modules: string | null): Promise<KnownPlugins> {
  const { registry: shipped } = await tools.loadValidation();
  const registry = modules === null ? shipped : (await modulesInFolder(shipped, modules)).registry;
  const { plugins, processors } = await loadPlugins(registry, tools.version, {
    folder: connectors,
    cacheFile: null,
    clock: systemClock,
  });
  const surroundings = { registry, clock: systemClock, baseFolder: resolve('.') };
  return { connectors: plugins, processors, ...surroundings, isComplete: connectors !== null };
}
