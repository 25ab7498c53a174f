// Connectors that users write: modules whose exports are made by defineSource, defineDestination or defineProcessor.
//
// A module is named by its file, relative to the pipeline's folder, and loaded by every thread that needs one of its
// connectors; a definition carries the file that it comes from, so that a thread loads that file alone. Names are those of
// transports: one that is taken is refused. In a folder of connectors, modules lie beside plugins that are processes of their own.
//
// Who may name a module decides whose code runs: pipeline files, the embedded API and the operator of a server do, requests over HTTP
// do not.
import { readdir, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type CodedErrorClass, defineError, MillraceError, type Place } from '../runtime/errors.ts';
import { importReason } from '../runtime/import-reason.ts';
import type { ConnectorRegistry } from './sdk/connector.ts';

export const ModuleNotLoaded: CodedErrorClass<{ readonly file: string; readonly reason: string }> = defineError(
  'config.module_not_loaded',
  {
    help: 'Name a JavaScript module (compile TypeScript first) that exports what defineSource, defineDestination or defineProcessor has made.',
  },
  (f) => `connector module ${f.file}: ${f.reason}`,
);

export const ModuleNameTaken: CodedErrorClass<{ readonly file: string; readonly name: string }> = defineError(
  'config.module_name_taken',
  {
    help: 'Rename it: the name of a transport, or of a processor, is unique among those that ship with Millrace and all modules.',
  },
  (f) => `connector module ${f.file} exports "${f.name}", which exists already`,
);

export interface ModuleRegistry {
  readonly registry: ConnectorRegistry;
  readonly problems: readonly MillraceError[];
}

/** `registry` and what `files` (absolute) export. A file that has a problem is left out. */
export async function withModules(
  registry: ConnectorRegistry,
  files: readonly string[],
  placeOf: (index: number) => Place = () => ({}),
): Promise<ModuleRegistry> {
  let merged = registry;
  const problems: MillraceError[] = [];
  for (const [index, file] of files.entries()) {
    const place = placeOf(index);
    const found = await definitionsOf(file, place);
    if (found instanceof MillraceError) {
      problems.push(found);
      continue;
    }
    if (isEmpty(found)) {
      const reason = 'it exports nothing that defineSource, defineDestination or defineProcessor has made';
      problems.push(new ModuleNotLoaded({ file, reason }, { place }));
      continue;
    }
    const taken = takenName(merged, found);
    if (taken !== undefined) problems.push(new ModuleNameTaken({ file, name: taken }, { place }));
    else merged = merge(merged, found);
  }
  return { registry: merged, problems };
}

/** What a thread needs for one connector. @throws what is wrong with its module. */
export async function registryOf(
  transport: { readonly module?: string },
  shipped: ConnectorRegistry,
): Promise<ConnectorRegistry> {
  if (transport.module === undefined) return shipped;
  const { registry, problems } = await withModules(shipped, [transport.module]);
  if (problems[0] !== undefined) throw problems[0];
  return registry;
}

/** The modules that a definition names under `connector_modules`, absolute. What is no list of texts is refused elsewhere. */
export function modulesOf(definition: unknown, baseFolder: string): readonly string[] {
  if (typeof definition !== 'object' || definition === null || !('connector_modules' in definition)) return [];
  const list: unknown = definition.connector_modules;
  if (!Array.isArray(list)) return [];
  return list.filter((file) => typeof file === 'string').map((file) => resolve(baseFolder, file));
}

/** The processors that ship, and those of `modules`. @throws what is wrong with one of them */
export async function processorsWith(
  shipped: ConnectorRegistry,
  modules: readonly string[],
): Promise<ConnectorRegistry['processors']> {
  const own = shipped.processors.filter(({ module }) => module === undefined);
  if (modules.length === 0) return own;
  // Connectors of the modules may be in the registry already.
  const { registry, problems } = await withModules(
    { ...shipped, sources: [], destinations: [], processors: own },
    modules,
  );
  if (problems[0] !== undefined) throw problems[0];
  return registry.processors;
}

export interface FolderModules extends ModuleRegistry {
  /** Absolute, those whose connectors are in the registry. */
  readonly files: readonly string[];
}

/**
 * `registry` and what the modules of a folder export: .js and .mjs files that are no executables, in the order of their names.
 * One that exports no connector may belong to another and is left alone. A folder that is not there has none.
 */
export async function modulesInFolder(registry: ConnectorRegistry, folder: string): Promise<FolderModules> {
  const names = await readdir(folder).catch(() => []);
  const candidates = names.filter((name) => /^[^.].*\.m?js$/.test(name)).map((name) => resolve(folder, name));
  const files: string[] = [];
  const problems: MillraceError[] = [];
  let merged = registry;
  for (const file of candidates.sort()) {
    const status = await stat(file).catch(() => null);
    if (status?.isFile() !== true || (status.mode & executableBits) !== 0) continue;
    const found = await definitionsOf(file, {});
    if (found instanceof MillraceError) {
      problems.push(found);
      continue;
    }
    if (isEmpty(found)) continue;
    const taken = takenName(merged, found);
    if (taken !== undefined) {
      problems.push(new ModuleNameTaken({ file, name: taken }));
      continue;
    }
    merged = merge(merged, found);
    files.push(file);
  }
  return { registry: merged, problems, files };
}

/** Of the owner, the group and others. */
const executableBits = 0o111;

type Definitions = Pick<ConnectorRegistry, 'sources' | 'destinations' | 'processors'>;

async function definitionsOf(file: string, place: Place): Promise<Definitions | MillraceError> {
  let exported: Readonly<Record<string, unknown>>;
  try {
    exported = await import(pathToFileURL(file).href);
  } catch (cause) {
    return new ModuleNotLoaded({ file, reason: importReason(cause) }, { place, cause });
  }
  // A connector may be exported under several names, as the default too.
  const values = [...new Set(Object.values(exported))].filter(isDefinition);
  const tagged = (kind: string): unknown[] =>
    values.filter((value) => value.kind === kind).map((value) => ({ ...value, module: file }));
  // SAFETY: only defineSource, defineDestination and defineProcessor put these tags, on a typed parameter.
  return {
    sources: tagged('source'),
    destinations: tagged('destination'),
    processors: tagged('processor'),
  } as Definitions;
}

function isEmpty({ sources, destinations, processors }: Definitions): boolean {
  return sources.length + destinations.length + processors.length === 0;
}

function isDefinition(value: unknown): value is { readonly kind: string } {
  return typeof value === 'object' && value !== null && 'kind' in value && 'create' in value && 'parameters' in value;
}

function takenName(registry: ConnectorRegistry, found: Definitions): string | undefined {
  const sources = registry.sources.map(({ name }) => name);
  const destinations = registry.destinations.map(({ name }) => name);
  const processors = registry.processors.map(({ name }) => name);
  return (
    found.sources.find(({ name }) => sources.includes(name))?.name ??
    found.destinations.find(({ name }) => destinations.includes(name))?.name ??
    found.processors.find(({ name }) => processors.includes(name))?.name
  );
}

function merge(registry: ConnectorRegistry, found: Definitions): ConnectorRegistry {
  return {
    ...registry,
    sources: [...registry.sources, ...found.sources],
    destinations: [...registry.destinations, ...found.destinations],
    processors: [...registry.processors, ...found.processors],
  };
}
