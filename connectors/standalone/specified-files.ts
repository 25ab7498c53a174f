// Which plugins there are in a folder, of either kind: each file is asked once what it is, and what it said is remembered by path, size and
// time of change, so that the next start asks nobody. A file that cannot be asked is a problem that is told and harms no other.
// Two files with one name and version are both left out: nobody could say which is meant.
// Not here: how a file is asked, and which files are left alone (plugin-catalog.ts, wasm-catalog.ts).
import type { Stats } from 'node:fs';
import { open, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type CodedErrorClass, defineError } from '../../runtime/errors.ts';

export interface PluginProblem {
  readonly path: string;
  readonly error: Error;
}

/** What a file says of itself. */
interface Specification {
  readonly name: string;
  readonly version: string;
}

export interface SpecifiedFiles<S extends Specification> {
  readonly folder: string;
  /** null: nothing is remembered. */
  readonly cacheFile: string | null;
  /** Files that are asked at a time. */
  readonly askedAtOnce: number;
  /** False: it is no plugin and left alone. @throws what is wrong with it, when it was meant to be one */
  readonly isPlugin: (path: string, file: Stats) => Promise<boolean>;
  /** @throws a coded error */
  readonly specify: (path: string) => Promise<S>;
}

export const PluginTwice: CodedErrorClass<{ readonly plugin: string; readonly paths: readonly string[] }> = defineError(
  'plugin.twice',
  { help: 'Remove all but one of the files. None of them is used as long as it is not clear which is meant.' },
  (f) => `${f.plugin} is there more than once: ${f.paths.join(', ')}`,
);

export const PluginFolderUnreadable: CodedErrorClass<{ readonly folder: string; readonly detail: string }> =
  defineError(
    'plugin.folder_unreadable',
    { help: 'Correct the path or its rights. Connectors that ship with Millrace work without it.' },
    (f) => `the folder of plugins ${f.folder} cannot be read: ${f.detail}`,
  );

/** Another one means: what is remembered is of another form. */
const cacheVersion = 2;

interface Remembered<S> {
  readonly size: number;
  readonly mtimeMs: number;
  readonly specification: S;
}

type Cache<S> = Readonly<Record<string, Remembered<S>>>;

/** By name, then by version as text. Never throws: a folder that is not there is empty, one that cannot be read is a problem. */
export async function discoverFiles<S extends Specification>({
  folder,
  cacheFile,
  askedAtOnce,
  isPlugin,
  specify,
}: SpecifiedFiles<S>): Promise<{
  readonly found: readonly (S & { readonly path: string })[];
  readonly problems: readonly PluginProblem[];
}> {
  const problems: PluginProblem[] = [];
  const queue = [...(await filesOf(folder, problems))];
  const remembered: Cache<S> = await readCache(cacheFile);
  const found: (S & { readonly path: string })[] = [];
  const next: Record<string, Remembered<S>> = {};
  const ask = async (): Promise<void> => {
    for (let path = queue.shift(); path !== undefined; path = queue.shift()) {
      try {
        const file = await stat(path);
        const { size, mtimeMs } = file;
        if (!file.isFile() || !(await isPlugin(path, file))) continue;
        const known = remembered[path];
        const isSame = known !== undefined && known.size === size && known.mtimeMs === mtimeMs;
        const specification = isSame ? known.specification : await specify(path);
        next[path] = { size, mtimeMs, specification };
        found.push({ ...specification, path });
      } catch (error) {
        problems.push({ path, error: error instanceof Error ? error : new Error(String(error)) });
      }
    }
  };
  await Promise.all(Array.from({ length: askedAtOnce }, ask));
  if (JSON.stringify(sortedByKey(next)) !== JSON.stringify(sortedByKey(remembered))) await writeCache(cacheFile, next);
  return { found: withoutTwins(found, problems), problems };
}

/** The first four bytes, in hexadecimal digits. */
export async function startOfFile(path: string): Promise<string> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(4), 0, 4, 0);
    return buffer.toString('hex', 0, bytesRead);
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
  } catch (cause) {
    const isMissing = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
    const detail = cause instanceof Error ? cause.message : String(cause);
    if (!isMissing) problems.push({ path: folder, error: new PluginFolderUnreadable({ folder, detail }, { cause }) });
    return [];
  }
}

function withoutTwins<F extends Specification & { readonly path: string }>(
  found: readonly F[],
  problems: PluginProblem[],
): readonly F[] {
  const byName = new Map<string, F[]>();
  for (const file of found) {
    const key = `${file.name}@${file.version}`;
    byName.set(key, [...(byName.get(key) ?? []), file]);
  }
  const alone: F[] = [];
  for (const [plugin, files] of [...byName].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const paths = files.map(({ path }) => path).sort();
    if (files.length === 1) alone.push(...files);
    else for (const path of paths) problems.push({ path, error: new PluginTwice({ plugin, paths }) });
  }
  return alone;
}

async function readCache<S>(file: string | null): Promise<Cache<S>> {
  if (file === null) return {};
  try {
    const json: unknown = JSON.parse(await readFile(file, 'utf8'));
    if (typeof json !== 'object' || json === null || !('version' in json) || json.version !== cacheVersion) return {};
    // SAFETY: a cache of this version was written by writeCache; each kind of plugin has a file of its own.
    return 'files' in json ? (json.files as Cache<S>) : {};
  } catch {
    // What cannot be read is asked for again.
    return {};
  }
}

async function writeCache(file: string | null, files: Cache<unknown>): Promise<void> {
  if (file === null) return;
  try {
    await writeFile(`${file}.new`, JSON.stringify({ version: cacheVersion, files }));
    await rename(`${file}.new`, file);
  } catch {
    // It only saves time; the next start asks again.
  }
}

function sortedByKey(files: Cache<unknown>): unknown {
  return Object.entries(files).sort(([a], [b]) => (a < b ? -1 : 1));
}
