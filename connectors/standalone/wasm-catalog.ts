// Which WebAssembly processors there are in a folder. Each file is started once to say what it is; what it said is remembered by path,
// size and time of change. A file that cannot be asked is a problem that is told and harms no other; what does not begin like a module
// is left alone. Two files with one name and version are both left out: nobody could say which is meant.
import { open, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../runtime/clock.ts';
import { compileModule } from './compile-module.ts';
import { PluginFolderUnreadable, type PluginProblem, PluginTwice } from './plugin-catalog.ts';
import { WasmUnusable } from './wasm-errors.ts';
import { WasmInstance } from './wasm-instance.ts';
import { isWasm } from './wasm-memory-limit.ts';
import { readWasmSpecification, type WasmSpecification } from './wasm-protocol.ts';

export interface WasmModule extends WasmSpecification {
  readonly path: string;
}

export interface WasmDiscovery {
  /** By name, then by version as text. */
  readonly modules: readonly WasmModule[];
  readonly problems: readonly PluginProblem[];
}

export interface WasmDiscoveryOptions {
  readonly folder: string;
  /** null: nothing is remembered. */
  readonly cacheFile: string | null;
  readonly clock: Clock;
  /** For each file. Default 60 s. */
  readonly deadlineMs?: number;
}

const deadlineMsDefault = 60_000;
const cacheVersion = 1;

interface Remembered {
  readonly size: number;
  readonly mtimeMs: number;
  readonly specification: WasmSpecification;
}

/** Never throws: a folder that is not there has no modules, one that cannot be read is a problem. */
export async function discoverModules(options: WasmDiscoveryOptions): Promise<WasmDiscovery> {
  const { folder, cacheFile } = options;
  const problems: PluginProblem[] = [];
  const remembered = await readCache(cacheFile);
  const next: Record<string, Remembered> = {};
  const found: WasmModule[] = [];
  // One by one: each takes a thread, and a core while it is compiled.
  for (const path of await filesOf(folder, problems)) {
    try {
      const { size, mtimeMs } = await stat(path);
      if (!(await beginsAsModule(path))) continue;
      const known = remembered[path];
      const isSame = known !== undefined && known.size === size && known.mtimeMs === mtimeMs;
      const specification = isSame ? known.specification : await specifyModule(path, options);
      next[path] = { size, mtimeMs, specification };
      found.push({ ...specification, path });
    } catch (error) {
      problems.push({ path, error: error instanceof Error ? error : new Error(String(error)) });
    }
  }
  await writeCache(cacheFile, next);
  return { modules: withoutTwins(found, problems), problems };
}

/** Runs the module for its specification alone. @throws WasmUnusable */
export async function specifyModule(
  path: string,
  { clock, deadlineMs = deadlineMsDefault }: Pick<WasmDiscoveryOptions, 'clock' | 'deadlineMs'>,
): Promise<WasmSpecification> {
  const module = await compileModule(path);
  const instance = new WasmInstance({
    module,
    processor: path,
    id: 'load-specifications',
    clock,
    deadlineMs,
    log: () => {},
  });
  try {
    const specification = readWasmSpecification(await instance.call('specify'));
    if (specification.name === '') throw new Error('it says no name');
    return specification;
  } catch (cause) {
    const detail = cause instanceof Error ? cause.message : String(cause);
    throw new WasmUnusable({ path, detail }, { cause });
  } finally {
    await instance.end();
  }
}

async function beginsAsModule(path: string): Promise<boolean> {
  const file = await open(path);
  try {
    const { buffer } = await file.read(Buffer.alloc(4), 0, 4, 0);
    return isWasm(buffer);
  } finally {
    await file.close();
  }
}

async function filesOf(folder: string, problems: PluginProblem[]): Promise<readonly string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    const files = entries.filter((entry) => !entry.isDirectory() && !entry.name.startsWith('.'));
    return files.map(({ name }) => join(folder, name)).sort();
  } catch (cause) {
    const isMissing = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
    const detail = cause instanceof Error ? cause.message : String(cause);
    if (!isMissing) problems.push({ path: folder, error: new PluginFolderUnreadable({ folder, detail }, { cause }) });
    return [];
  }
}

function withoutTwins(found: readonly WasmModule[], problems: PluginProblem[]): readonly WasmModule[] {
  const byName = new Map<string, WasmModule[]>();
  for (const module of found) {
    const key = `${module.name}@${module.version}`;
    byName.set(key, [...(byName.get(key) ?? []), module]);
  }
  const alone: WasmModule[] = [];
  for (const [plugin, modules] of [...byName].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const paths = modules.map(({ path }) => path).sort();
    if (modules.length === 1) alone.push(...modules);
    else for (const path of paths) problems.push({ path, error: new PluginTwice({ plugin, paths }) });
  }
  return alone;
}

async function readCache(file: string | null): Promise<Readonly<Record<string, Remembered>>> {
  if (file === null) return {};
  try {
    const json: unknown = JSON.parse(await readFile(file, 'utf8'));
    if (typeof json !== 'object' || json === null || !('version' in json) || json.version !== cacheVersion) return {};
    // SAFETY: a cache of this version was written by writeCache.
    return 'modules' in json ? (json.modules as Readonly<Record<string, Remembered>>) : {};
  } catch {
    // What cannot be read is asked for again.
    return {};
  }
}

async function writeCache(file: string | null, modules: Readonly<Record<string, Remembered>>): Promise<void> {
  if (file === null) return;
  try {
    await writeFile(`${file}.new`, JSON.stringify({ version: cacheVersion, modules }));
    await rename(`${file}.new`, file);
  } catch {
    // It only saves time; the next start asks again.
  }
}
