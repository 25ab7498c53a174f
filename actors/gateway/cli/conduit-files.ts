// Pipeline files of Conduit as commands read them: everything that is wrong with some of them.
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { modulesInFolder } from '../../../connectors/connector-modules.ts';
import { systemClock } from '../../../runtime/clock.ts';
import type { MillraceError } from '../../../runtime/errors.ts';
import { checkPlugins, type KnownPlugins } from '../conduit-file/check-plugins.ts';
import { type ConduitFile, conduitFilesAt, duplicates, readConduitFile } from '../conduit-file/conduit-file.ts';
import { loadPlugins } from '../hosting/connector-plugins.ts';
import { loadProcessors } from '../hosting/processor-specification.ts';
import type { OptionValues, Tools } from './command.ts';

export interface CheckedFiles {
  readonly files: readonly ConduitFile[];
  readonly problems: readonly MillraceError[];
  readonly warnings: readonly MillraceError[];
}

/** Each null where there is none, or none is known. */
export interface PluginFolders {
  /** Of plugin processes. */
  readonly connectors: string | null;
  /** Of modules that export connectors: code of a folder that only happens to be there is not loaded. */
  readonly modules: string | null;
  /** Of processors that are WebAssembly modules. */
  readonly processors: string | null;
}

/** As options name them; what is not named is in the folders that Conduit has for them, where they are there. */
export function pluginFolders({ connectors, processors }: OptionValues): PluginFolders {
  const named = typeof connectors === 'string' ? connectors : null;
  const there = (folder: string): string | null => (existsSync(folder) ? folder : null);
  return {
    connectors: named ?? there('connectors'),
    modules: named,
    processors: typeof processors === 'string' ? processors : there('processors'),
  };
}

/** A file or a folder of them. @throws PipelineFileUnreadable */
export async function checkConduitFiles(path: string, tools: Tools, folders: PluginFolders): Promise<CheckedFiles> {
  const files = conduitFilesAt(path).map((file) => readConduitFile(file, tools.environment));
  const known = await knownPlugins(tools, folders);
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

async function knownPlugins(
  tools: Tools,
  { connectors, modules, processors: modulesOfProcessors }: PluginFolders,
): Promise<KnownPlugins> {
  const { registry: shipped } = await tools.loadValidation();
  const registry = modules === null ? shipped : (await modulesInFolder(shipped, modules)).registry;
  const remembered = { cacheFile: null, clock: systemClock };
  const [{ plugins }, { processors }] = await Promise.all([
    loadPlugins(registry, tools.version, { folder: connectors, ...remembered }),
    loadProcessors(registry, tools.version, { folder: modulesOfProcessors, ...remembered }),
  ]);
  return {
    connectors: plugins,
    processors,
    registry,
    clock: systemClock,
    baseFolder: resolve('.'),
    isComplete: connectors !== null,
    areProcessorsComplete: modulesOfProcessors !== null,
  };
}
