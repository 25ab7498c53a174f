// `millrace connector new`: what it writes compiles and passes its own tests as it stands.
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../..', import.meta.url));
const main = join(root, 'dist', 'main.js');

interface Failed {
  readonly code: number;
  readonly stderr: string;
}

const scaffold = suite<{ folder: string }>('connector new');
scaffold.before.each((context) => {
  Object.assign(context, { folder: mkdtempSync(join(tmpdir(), 'millrace-new-')) });
});
scaffold.after.each(({ folder }) => rmSync(folder, { recursive: true, force: true }));

/** What `npm install` would bring, from this checkout. */
function installed(folder: string): void {
  const modules = join(folder, 'node_modules');
  mkdirSync(join(modules, '@types'), { recursive: true });
  symlinkSync(root, join(modules, 'millrace'));
  symlinkSync(join(root, 'node_modules', '@types', 'node'), join(modules, '@types', 'node'));
}

for (const direction of ['source', 'destination']) {
  scaffold(`a new ${direction} compiles and passes its tests`, async ({ folder }) => {
    const flags = direction === 'destination' ? ['--destination'] : [];
    const { stdout } = await run(process.execPath, [main, 'connector', 'new', 'ticker', ...flags], { cwd: folder });
    assert.match(stdout, /ticker\/src\/connector\.ts/);
    const made = join(folder, 'ticker');
    // A checkout is of no registry: npm install in the new folder has to find it where it lies.
    const { dependencies } = JSON.parse(readFileSync(join(made, 'package.json'), 'utf8'));
    assert.equal(dependencies, { millrace: `file:${root.replace(/\/$/, '')}` });
    installed(made);
    await run(process.execPath, [join(root, 'node_modules', 'typescript', 'bin', 'tsc')], { cwd: made });
    const tests = readdirSync(join(made, 'dist')).filter((name) => name.endsWith('.test.js'));
    const { stdout: report } = await run(process.execPath, ['--test', `dist/${tests[0]}`], { cwd: made });
    assert.match(report, /fail 0/);
  });
}

scaffold('a bad name, a missing name and a folder that exists are refused', async ({ folder }) => {
  mkdirSync(join(folder, 'taken'));
  for (const [given, code] of [
    [['new', 'Bad Name'], 2],
    [['new'], 2],
    [['newer', 'x'], 2],
    [['new', 'taken'], 2],
    [['new', 'taken', 'more'], 2],
  ] as const) {
    const failed = await run(process.execPath, [main, 'connector', ...given], { cwd: folder }).then(
      () => null,
      (error: Failed) => error,
    );
    assert.is(failed?.code, code, given.join(' '));
  }
});

scaffold('a folder that cannot be written is told as what it is', async ({ folder }) => {
  // Permissions would not hold root back; a file where the folder should be holds everybody.
  writeFileSync(join(folder, 'pipelines'), '');
  const failed = await run(process.execPath, [main, 'pipelines', 'init', 'made'], { cwd: folder }).then(
    () => null,
    (error: Failed) => error,
  );
  assert.is(failed?.code, 2);
  assert.match(failed?.stderr ?? '', /cli\.unwritable_file: cannot write pipelines\/made\.yaml/);
});

scaffold.run();
