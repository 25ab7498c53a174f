// Bundles what Millrace's own threads load, in place: dist/ as the compiler wrote it works as well, with twice the modules to find, read and link on
// each thread of each pipeline, which is most of what starting one costs. Run by setup.mjs and `npm run build` behind the compiler.
//
// Bundled are the control thread, the engine, and the engine's workers. What modules of users share with us in a thread stays as it is, modules
// of their own: runtime/, connectors/, the actors that run connectors, and everything that the entries of the package reach. An error of one copy of a
// class is not known to another. No arrow goes from there back into what is bundled, so that nothing is in a thread twice.
import { readFileSync, rmSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const dist = join(dirname(fileURLToPath(import.meta.url)), 'dist');
const bundledActors = ['control', 'engine', 'gateway', 'store', 'supervisor'];
const ofUsers = await reachedFrom(['index', 'connector', 'client']);
const isBundled = (file) =>
  bundledActors.some((name) => file.startsWith(join(dist, 'actors', name) + sep)) && !ofUsers.has(file);

// The compiler leaves alone what it believes to have written: next time it is to write these anew.
rmSync(join(dist, '.tsbuildinfo'), { force: true });
await bundle('actors/control', ['control-thread', 'behaviours']);
await bundle('actors/engine/workers', ['worker-entry']);

/** The modules that are loaded with these. */
async function reachedFrom(entries) {
  const { metafile } = await build({
    entryPoints: entries.map((entry) => join(dist, `${entry}.js`)),
    outdir: dist,
    bundle: true,
    format: 'esm',
    platform: 'node',
    packages: 'external',
    write: false,
    metafile: true,
    absWorkingDir: dist,
  });
  const { inputs } = metafile;
  const reached = new Set();
  const follow = (input) => {
    if (reached.has(input)) return;
    reached.add(input);
    for (const { path, kind, external } of inputs[input].imports)
      if (kind === 'import-statement' && external !== true) follow(path);
  };
  for (const entry of entries) follow(`${entry}.js`);
  return new Set([...reached].map((input) => join(dist, input)));
}

async function bundle(folder, entries) {
  const outdir = join(dist, folder);
  await build({
    entryPoints: entries.map((entry) => join(outdir, `${entry}.js`)),
    outdir,
    allowOverwrite: true,
    bundle: true,
    splitting: true,
    chunkNames: 'bundle-[hash]',
    format: 'esm',
    platform: 'node',
    target: 'node20',
    packages: 'external',
    sourcemap: true,
    sourcesContent: false,
    logLevel: 'warning',
    plugins: [ownModules(outdir)],
  });
}

/** What stays outside is imported from where it lies; a bundled module keeps the place that it had, for what it finds from there. */
function ownModules(outdir) {
  const fromBundle = (file) => `./${relative(outdir, file).replaceAll(sep, '/')}`;
  return {
    name: 'own modules',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^\./ }, ({ path, resolveDir }) => {
        const file = resolve(resolveDir, path);
        return isBundled(file) ? { path: file } : { path: fromBundle(file), external: true };
      });
      onLoad({ filter: /\.js$/ }, ({ path }) => {
        const text = readFileSync(path, 'utf8');
        if (!text.includes('import.meta.url')) return undefined;
        const place = `new URL(${JSON.stringify(fromBundle(path))}, import.meta.url).href`;
        return { contents: text.replaceAll('import.meta.url', place), resolveDir: dirname(path) };
      });
    },
  };
}
