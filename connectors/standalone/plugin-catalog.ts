// Which plugins there are in a folder. Each executable file is started once to say what it is; what it said is remembered by path, size and
// time of change, so that the next start asks nobody. A file that cannot be asked is a problem that is told and harms no other.
// Files that may not be executed are no plugins and are left alone, but a program without that right is told: it was meant to be one.
// Two files with one name and version are both left out: nobody could say which is meant.
import { open, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../runtime/clock.ts';
import { type CodedErrorClass, defineError } from '../../runtime/errors.ts';
import type { PluginSpecification } from './plugin-specification.ts';

export interface PluginBinary extends PluginSpecification {
  readonly path: string;
}

export interface PluginProblem {
  readonly path: string;
  readonly error: Error;
}

export interface Discovery {
  /** By name, then by version as text. */
  readonly plugins: readonly PluginBinary[];
  readonly problems: readonly PluginProblem[];
}

export interface DiscoveryOptions {
  readonly folder: string;
  /** Null: nothing is remembered. */
  readonly cacheFile: string | null;
  readonly clock: Clock;
  /** For each file. Default 20 s. */
  readonly timeoutMs?: number;
}

export const PluginTwice: CodedErrorClass<{ readonly plugin: string; readonly paths: readonly string[] }> = defineError(
  'plugin.twice',
  { help: 'Remove all but one of the files. None of them is used as long as it is not clear which is meant.' },
  (f) => `${f.plugin} is there more than once: ${f.paths.join(', ')}`,
);

export const PluginNotExecutable: CodedErrorClass<{ readonly path: string }> = defineError(
  'plugin.not_executable',
  { help: 'Give the right to execute it: chmod +x. What is no connector is better kept elsewhere.' },
  (f) => `${f.path} is a program, but may not be executed`,
);

export const PluginFolderUnreadable: CodedErrorClass<{ readonly folder: string; readonly detail: string }> =
  defineError(
    'plugin.folder_unreadable',
    { help: 'Correct the path or its rights. Connectors that ship with Millrace work without it.' },
    (f) => `the folder of plugins ${f.folder} cannot be read: ${f.detail}`,
  );

/** Processes that are asked at a time. */
const askedAtOnce = 4;
const timeoutMsDefault = 20_000;
/** Of the owner, the group and others. */
const executableBits = 0o111;
/** Another one means: what is remembered is of another form. */
const cacheVersion = 1;

interface Remembered {
  readonly size: number;
  readonly mtimeMs: number;
  readonly specification: PluginSpecification;
}

/** Never throws: a folder that is not there has no plugins, one that cannot be read is a problem. */
export async function discoverPlugins(options: DiscoveryOptions): Promise<Discovery> {
  const { folder, cacheFile } = options;
  const problems: PluginProblem[] = [];
  const files = await filesOf(folder, problems);
  const remembered = await readCache(cacheFile);
  const found: PluginBinary[] = [];
  const next: Record<string, Remembered> = {};
  const queue = [...files];
  const ask = async (): Promise<void> => {
    for (let path = queue.shift(); path !== undefined; path = queue.shift()) {
      try {
        const file = await stat(path);
        const { size, mtimeMs } = file;
        if (!file.isFile()) continue;
        if ((file.mode & executableBits) === 0) {
          if (await isProgram(path)) throw new PluginNotExecutable({ path });
          continue;
        }
        const known = remembered[path];
        const isSame = known !== undefined && known.size === size && known.mtimeMs === mtimeMs;
        const specification = isSame ? known.specification : await specify(path, options);
        next[path] = { size, mtimeMs, specification };
        found.push({ ...specification, path });
      } catch (error) {
        problems.push({ path, error: error instanceof Error ? error : new Error(String(error)) });
      }
    }
  };
  await Promise.all(Array.from({ length: askedAtOnce }, ask));
  if (JSON.stringify(sortedByKey(next)) !== JSON.stringify(sortedByKey(remembered))) await writeCache(cacheFile, next);
  return { plugins: withoutTwins(found, problems), problems };
}

/** Starts the plugin for its specification alone. @throws a coded error */
export async function specify(path: string, { clock, timeoutMs }: DiscoveryOptions): Promise<PluginSpecification> {
  const { PluginSession } = await import('./plugin-session.ts');
  const session = await PluginSession.start({
    plugin: path,
    path,
    id: 'load-specifications',
    token: 'none',
    // Nobody asks for a schema here, but a plugin does not start without an address.
    schemaTarget: '127.0.0.1:9',
    logLevel: null,
    maxReceiveBytes: null,
    startTimeoutMs: timeoutMs ?? timeoutMsDefault,
    clock,
    print: () => {},
  });
  try {
    return await session.specify(timeoutMs ?? timeoutMsDefault);
  } finally {
    await session.kill();
  }
}

/** How programs begin: ELF, Mach-O in both orders and for several processors, scripts. */
const programStarts: readonly string[] = ['7f454c46', 'cffaedfe', 'feedfacf', 'cafebabe'];
const scriptStart = '2321';

async function isProgram(path: string): Promise<boolean> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(4), 0, 4, 0);
    const start = buffer.toString('hex', 0, bytesRead);
    return programStarts.includes(start) || start.startsWith(scriptStart);
  } finally {
    await file.close();
  }
}

async function filesOf(folder: string, problems: PluginProblem[]): Promise<readonly string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries
      .filter((entry) => !entry.isDirectory() && !entry.name.startsWith('.'))
      .map(({ name }) => join(folder, name))
      .sort();
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    const detail = error instanceof Error ? error.message : String(error);
    if (!isMissing)
      problems.push({ path: folder, error: new PluginFolderUnreadable({ folder, detail }, { cause: error }) });
    return [];
  }
}

function withoutTwins(found: readonly PluginBinary[], problems: PluginProblem[]): readonly PluginBinary[] {
  const byName = new Map<string, PluginBinary[]>();
  for (const plugin of found) {
    const key = `${plugin.name}@${plugin.version}`;
    byName.set(key, [...(byName.get(key) ?? []), plugin]);
  }
  const alone: PluginBinary[] = [];
  for (const [plugin, binaries] of [...byName].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const paths = binaries.map(({ path }) => path).sort();
    if (binaries.length === 1) alone.push(...binaries);
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
    return 'plugins' in json ? (json.plugins as Readonly<Record<string, Remembered>>) : {};
  } catch {
    // What cannot be read is asked for again.
    return {};
  }
}

async function writeCache(file: string | null, plugins: Readonly<Record<string, Remembered>>): Promise<void> {
  if (file === null) return;
  try {
    await writeFile(`${file}.new`, JSON.stringify({ version: cacheVersion, plugins }));
    await rename(`${file}.new`, file);
  } catch {
    // It only saves time; the next start asks again.
  }
}

function sortedByKey(plugins: Readonly<Record<string, Remembered>>): unknown {
  return Object.entries(plugins).sort(([a], [b]) => (a < b ? -1 : 1));
}
