// Positions in compiled files become those of the TypeScript that they came from, in what a failed test has printed.
//
// Node can do that itself (--enable-source-maps), and then reads the maps of all modules on every thread that it starts: a tenth of
// the time of a test that opens pipelines. Here a map is read when a trace names its file.
import { existsSync, readFileSync } from 'node:fs';
import { SourceMap, type SourceMapPayload } from 'node:module';
import { dirname, relative, resolve } from 'node:path';

/** `file:///…/dist/a/b.js:12:3` → `a/b.ts:10:5`, relative to `root`; what has no map stays as it is. */
export function sourcePositions(text: string, root: string): string {
  const maps = new Map<string, SourceMap | null>();
  return text.replace(
    /(?:file:\/\/)?(\/[^\s():]+\.js):(\d+):(\d+)/g,
    (found, path: string, line: string, column: string) => {
      const map = maps.get(path) ?? mapOf(path);
      maps.set(path, map);
      const entry = map?.findEntry(Number(line) - 1, Number(column) - 1);
      if (entry === undefined || !('originalSource' in entry)) return found;
      const source = relative(root, resolve(dirname(path), entry.originalSource));
      return `${source}:${entry.originalLine + 1}:${entry.originalColumn + 1}`;
    },
  );
}

function mapOf(path: string): SourceMap | null {
  const file = `${path}.map`;
  // SAFETY: the compiler writes maps of this shape beside what it compiles.
  return existsSync(file) ? new SourceMap(JSON.parse(readFileSync(file, 'utf8')) as SourceMapPayload) : null;
}
