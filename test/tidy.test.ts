// Facts about the sources that are facts, not taste: import arrows between folders, no cycle, a header in every file, no
// clock outside clock.ts, allowed importers of some packages, forbidden file names.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..');

interface Import {
  readonly from: string;
  /** A path inside the repository, or a package's name. */
  readonly to: string;
  readonly typeOnly: boolean;
  /** `import()`: loaded when it is used, not when the importing file is. */
  readonly late: boolean;
}

function sources(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return sources(path);
    return entry.name.endsWith('.ts') && !entry.name.endsWith('.d.ts') ? [path] : [];
  });
}

const product = [
  ...['runtime', 'actors', 'connectors'].flatMap(sources),
  ...readdirSync(root).filter((name) => name.endsWith('.ts')),
];
const everything = [...product, ...sources('test'), ...sources('bench')];
const texts = new Map(everything.map((path) => [path, readFileSync(join(root, path), 'utf8')]));

const imports: readonly Import[] = everything.flatMap((path) => {
  const text = texts.get(path) ?? '';
  const statements = text.matchAll(/^(?:import|export)\s+(type\s+)?(?:[^'";]*?\sfrom\s+)?'([^']+)'/gm);
  const calls = text.matchAll(/\bimport\('([^']+)'\)/g);
  const resolved = (target = ''): string =>
    target.startsWith('.') ? relative(root, resolve(root, dirname(path), target)) : target;
  return [
    ...[...statements].map(([, type, to]) => ({
      from: path,
      to: resolved(to),
      typeOnly: type !== undefined,
      late: false,
    })),
    ...[...calls].map(([, to]) => ({ from: path, to: resolved(to), typeOnly: false, late: true })),
  ];
});

function check(title: string, problems: readonly string[]): void {
  assert.is(problems.length, 0, `${title}:\n${problems.join('\n')}`);
}

const isIn = (path: string, folder: string): boolean => path.startsWith(`${folder}/`);

test('runtime imports neither connectors nor actors, connectors import no actor', () => {
  const wrong = imports.filter(
    ({ from, to }) =>
      (isIn(from, 'runtime') && (isIn(to, 'connectors') || isIn(to, 'actors'))) ||
      (isIn(from, 'connectors') && isIn(to, 'actors')),
  );
  check(
    'arrows',
    wrong.map(({ from, to }) => `${from} imports ${to}`),
  );
});

test('actors import one another only as types, from messages.ts', () => {
  const folderOf = (path: string): string | null => /^actors\/([^/]+)\//.exec(path)?.[1] ?? null;
  const wrong = imports.filter(({ from, to, typeOnly }) => {
    const a = folderOf(from);
    const b = folderOf(to);
    // The control thread puts the actors of a pipeline together; the store is opened by who owns its folder.
    if (a === null || b === null || a === b || a === 'control' || to === 'actors/store/open-store.ts') return false;
    return !(typeOnly && to.endsWith('/messages.ts'));
  });
  check(
    'between actors',
    wrong.map(({ from, to }) => `${from} imports ${to}`),
  );
});

test('a connector imports the SDK and the runtime, never another connector, a format or a thread', () => {
  const roomOf = (path: string): string | null => /^connectors\/([^/]+)\//.exec(path)?.[1] ?? null;
  const wrong = imports.filter(({ from, to }) => {
    const room = roomOf(from);
    if (room === null) return false;
    const other = roomOf(to);
    // Rooms that are no connectors but what connectors of records share, the lowest first.
    const layers = ['sdk', 'templates', 'record-formats'];
    const own = layers.indexOf(room);
    const lower = own < 0 ? layers : layers.slice(0, own);
    if (other !== null) return other !== room && !lower.includes(other) && !(room === 'infer' && other === 'formats');
    return isIn(to, 'runtime/thread') || isIn(to, 'runtime/actor') || isIn(to, 'runtime/mailbox');
  });
  check(
    'connectors',
    wrong.map(({ from, to }) => `${from} imports ${to}`),
  );
});

test('inside the engine sql knows nothing of the rest, operators know only circuit/operator and state', () => {
  const roomOf = (path: string): string | null => /^actors\/engine\/([^/]+)\//.exec(path)?.[1] ?? null;
  const allowed: Readonly<Record<string, readonly string[]>> = {
    sql: ['sql'],
    state: ['state'],
    operators: ['operators', 'circuit', 'state'],
    circuit: ['circuit', 'state', 'sql'],
    plan: ['plan', 'sql', 'circuit', 'operators', 'state'],
    workers: ['workers', 'plan', 'sql', 'circuit', 'state'],
  };
  const wrong = imports.filter(({ from, to, typeOnly }) => {
    const a = roomOf(from);
    const b = roomOf(to);
    if (a === null || b === null) return false;
    // The circuit speaks of bound queries, and operators of window functions, only in types.
    if (a === 'circuit' && b === 'sql') return !typeOnly;
    if (a === 'operators' && to === 'actors/engine/sql/window-function.ts') return !typeOnly;
    return !(allowed[a] ?? []).includes(b);
  });
  check(
    'engine',
    wrong.map(({ from, to }) => `${from} imports ${to}`),
  );
});

/** Ways that lead back to where they begin. */
function circles(edges: ReadonlyMap<string, readonly string[]>): readonly string[] {
  const done = new Set<string>();
  const cycles: string[] = [];
  const walk = (path: string, trail: readonly string[]): void => {
    const at = trail.indexOf(path);
    if (at >= 0) cycles.push([...trail.slice(at), path].join(' -> '));
    if (at >= 0 || done.has(path)) return;
    for (const next of edges.get(path) ?? []) walk(next, [...trail, path]);
    done.add(path);
  };
  for (const path of edges.keys()) walk(path, []);
  return cycles;
}

function edgesBetween(nodeOf: (path: string) => string): ReadonlyMap<string, readonly string[]> {
  const edges = new Map<string, string[]>();
  for (const { from, to, late } of imports) {
    const [a, b] = [nodeOf(from), nodeOf(to)];
    if (!late && a !== b && texts.has(to)) edges.set(a, [...(edges.get(a) ?? []), b]);
  }
  return edges;
}

test('no file imports itself by way of others, not even for types', () => {
  check('cycles', circles(edgesBetween((path) => path)));
});

test('no folder of the product imports itself by way of others', () => {
  check('cycles', circles(edgesBetween((path) => (product.includes(path) ? dirname(path) : 'outside'))));
});

test('every file opens with a header that says what it is', () => {
  const bare = everything.filter((path) => {
    const text = (texts.get(path) ?? '').replace(/^#![^\n]*\n/, '');
    return !text.startsWith('// ') && !text.startsWith('/*');
  });
  check('no header', bare);
});

test('files are named after concepts', () => {
  const forbidden = /^(utils?|helpers?|common|shared|misc|types|constants|manager|service|base)\.ts$/;
  check(
    'forbidden names',
    product.filter((path) => {
      const name = path.split('/').at(-1) ?? '';
      return forbidden.test(name) || (name === 'index.ts' && path !== 'index.ts') || /[A-Z_]/.test(name);
    }),
  );
});

test('only clock.ts reads a clock, and nothing draws from Math.random', () => {
  const wrong = product.filter((path) => {
    if (path === 'runtime/clock.ts') return false;
    const code = (texts.get(path) ?? '').replaceAll(/\/\/[^\n]*/g, '');
    return /\bDate\.now\(|\bperformance\.now\(|\bMath\.random\(|\bnew Date\(\)/.test(code);
  });
  check('clocks and chance', wrong);
});

test('packages are imported only where they belong', () => {
  const owners: Readonly<Record<string, RegExp>> = {
    '@platformatic/kafka': /^connectors\/kafka\//,
    '@aws-sdk/client-s3': /^connectors\/(s3\/|kafka\/oauth-tokens\.ts)/,
    pg: /^connectors\/postgres\//,
    'pg-copy-streams': /^connectors\/postgres\//,
    lmdb: /^actors\/store\/lmdb-file\.ts$/,
    msgpackr: /^runtime\/wire\/msgpack\.ts$/,
    chevrotain: /^actors\/engine\/sql\/chevrotain-grammar\.ts$/,
    comlink: /^runtime\/thread\//,
    piscina: /^actors\/source\//,
    rxjs: /^(index\.ts|actors\/gateway\/)/,
    hyparquet: /^connectors\/(formats\/parquet-|infer\/)/,
    'hyparquet-compressors': /^connectors\/(formats\/parquet-|infer\/)/,
    'hyparquet-writer': /^connectors\/formats\/parquet-/,
    undici: /^connectors\/(url\/|processors\/webhook\.ts|formats\/schema-registry-client\.ts)/,
    fzstd: /^(actors\/gateway\/ingress\/zstd-decoder|connectors\/kafka\/decompression)\.ts$/,
  };
  const wrong = imports.filter(({ from, to }) => {
    // Packages of a scope have two parts.
    const owner =
      owners[
        to
          .split('/')
          .slice(0, to.startsWith('@') ? 2 : 1)
          .join('/')
      ];
    return product.includes(from) && texts.has(to) === false && owner?.test(from) === false;
  });
  check(
    'packages',
    wrong.map(({ from, to }) => `${from} imports ${to}`),
  );
});

test('every product file is reached from an entry', () => {
  const entries = ['index.ts', 'connector.ts', 'client.ts', 'main.ts'];
  // Entries of worker threads are named by URL.
  const named = product.map((path) => [path, urls(path)] as const).filter(([, lines]) => lines !== '');
  const byUrl = product.filter((path) => {
    const name = path.split('/').at(-1)?.replace(/\.ts$/, '') ?? '';
    const pattern = new RegExp(`['"\`/]${name}['"\`.$]`);
    return named.some(([other, lines]) => other !== path && pattern.test(lines));
  });
  const reached = new Set<string>();
  const queue = [...entries, ...byUrl];
  for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
    if (reached.has(path)) continue;
    reached.add(path);
    for (const { from, to } of imports) if (from === path && texts.has(to)) queue.push(to);
  }
  const allowed = new Set([
    'connectors/sdk/conformance.ts',
    'actors/supervisor/lifecycle-page.ts',
    'connectors/standalone/schema-client.ts',
  ]);
  check(
    'dead files',
    product.filter((path) => !reached.has(path) && !allowed.has(path)),
  );
});

/** The lines of a file that make a URL from import.meta. */
function urls(path: string): string {
  return (texts.get(path) ?? '')
    .split('\n')
    .filter((line) => line.includes('import.meta') && !line.startsWith('import '))
    .join('\n');
}

test.run();
