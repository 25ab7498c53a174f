// What `npm start`, `npm test` and `npm run example` do first, in a small project of its own with the real compiler.
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Fixture } from '../embedded/pipeline-fixture.ts';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const fixture = new Fixture();
test.after(() => fixture.cleanUp());
const { folder } = fixture;

function setUp(): readonly string[] {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['setup.mjs'], { cwd: folder, encoding: 'utf8' });
  assert.is(status, 0, stdout + stderr);
  return stdout.split('\n').filter((line) => !/: [\d.]+ s$/.test(line) && line !== '');
}

test('a checkout is compiled when a source has been written or a build was not completed, and not otherwise', () => {
  copyFileSync(join(root, 'setup.mjs'), join(folder, 'setup.mjs'));
  mkdirSync(join(folder, 'node_modules'));
  for (const name of ['typescript', '@typescript']) {
    symlinkSync(join(root, 'node_modules', name), join(folder, 'node_modules', name));
  }
  fixture.write('package-lock.json', '{ "packages": {} }');
  fixture.write('node_modules/.package-lock.json', '{ "packages": {} }');
  fixture.write('tsconfig.json', '{ "compilerOptions": { "outDir": "dist", "rootDir": "." }, "include": ["*.ts"] }');
  fixture.write('bundle-threads.mjs', '');
  fixture.write('one.ts', 'export const one = 1;\n');
  const compiled = ['setup: packages are installed', 'setup: compiling', 'setup: bundling threads'];
  const left = ['setup: packages are installed', 'setup: nothing has changed since it was compiled'];
  assert.equal(setUp(), compiled);
  assert.ok(existsSync(fixture.path('dist/one.js')));
  assert.equal(setUp(), left);
  fixture.write('one.ts', 'export const one = 1;\nexport const two: string = one;\n');
  const { status } = spawnSync(process.execPath, ['setup.mjs'], { cwd: folder });
  assert.is.not(status, 0, 'it does not compile');
  fixture.write('one.ts', 'export const one = 1;\n');
  fixture.write('two.ts', 'export const two = 2;\n');
  assert.equal(setUp(), compiled);
  assert.ok(existsSync(fixture.path('dist/two.js')));
});

test.run();
