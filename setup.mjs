// Prepares a checkout for `npm start`, `npm test` and `npm run bench`: installs what package-lock.json says, when it is not
// there yet, compiles to dist/ and bundles the threads. Says what it does. Plain JavaScript: it runs before anything is installed.
//
// What was compiled is used again while no source has been written since: dist/.sources holds a hash of paths, sizes and times of
// writing, and is there only when a build was completed.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(fileURLToPath(import.meta.url));
const [major = 0, minor = 0, patch = 0] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && (minor < 19 || (minor === 19 && patch < 4)))) {
  console.error(`Millrace needs Node 20.19.4 or newer; this is ${process.version}.`);
  process.exit(1);
}

function run(title, command, args) {
  console.log(`setup: ${title}`);
  const started = performance.now();
  const result = spawnSync(command, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
  if (result.error !== undefined) {
    console.error(`setup: ${command} could not be started: ${result.error.message}`);
    process.exit(1);
  }
  if (result.status !== 0) {
    console.error(`setup: ${title} failed with exit code ${result.status}`);
    process.exit(result.status ?? 1);
  }
  console.log(`setup: ${title}: ${((performance.now() - started) / 1000).toFixed(1)} s`);
}

/** Whether node_modules holds the versions of package-lock.json (npm keeps a copy of the lock that it installed). */
function isInstalled() {
  const installed = join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(installed)) return false;
  const wanted = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages;
  const found = JSON.parse(readFileSync(installed, 'utf8')).packages;
  return Object.entries(wanted).every(
    ([path, entry]) => path === '' || entry.optional === true || found[path]?.version === entry.version,
  );
}

/** Of everything that a build is made from, and of the compiler that makes it. */
function sourcesHash() {
  const hash = createHash('sha256').update(process.version);
  const visit = (folder) => {
    for (const entry of readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) {
        if (!/^(node_modules|dist.*|docs|\..*)$/.test(entry.name)) visit(path);
      } else if (/\.(ts|mjs|json)$/.test(entry.name)) {
        const { size, mtimeMs } = statSync(path);
        hash.update(`${relative(root, path)}\n${size} ${mtimeMs}\n`);
      }
    }
  };
  visit(root);
  return hash.digest('hex');
}

// npm warns of packages inside of ours that ask for Node 22 (what is used of them runs on 20.19.4: the tests say so) and of install
// scripts, which nothing here needs. A stranger cannot do anything about either; errors are shown.
const install = ['ci', '--no-audit', '--no-fund', '--loglevel=error'];
const npm = process.env.npm_execpath;
if (isInstalled()) console.log('setup: packages are installed');
else if (npm?.endsWith('.js')) run('installing packages', process.execPath, [npm, ...install]);
else run('installing packages', 'npm', install);

const stamp = join(root, 'dist', '.sources');
const sources = sourcesHash();
if (existsSync(stamp) && readFileSync(stamp, 'utf8') === sources) {
  console.log('setup: nothing has changed since it was compiled');
} else {
  // What was compiled from a file that is gone must not be loaded or tested.
  rmSync(join(root, 'dist'), { recursive: true, force: true });
  run('compiling', process.execPath, [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', root]);
  run('bundling threads', process.execPath, [join(root, 'bundle-threads.mjs')]);
  writeFileSync(stamp, sources);
}
