// Which files of a folder are taken for plugins, without starting one that is none.
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { discoverPlugins } from '../../../connectors/standalone/plugin-catalog.ts';
import { systemClock } from '../../../runtime/clock.ts';
import { MillraceError } from '../../../runtime/errors.ts';

const folder = mkdtempSync(join(tmpdir(), 'millrace-plugins-'));
test.after(() => rmSync(folder, { recursive: true, force: true }));
const discover = async (): Promise<readonly [string, string][]> => {
  const { plugins, problems } = await discoverPlugins({ folder, cacheFile: null, clock: systemClock });
  assert.equal(plugins, []);
  return problems.map(({ path, error }) => [
    path.slice(folder.length + 1),
    error instanceof MillraceError ? error.code : '',
  ]);
};

test('sources, modules, documents, hidden files and folders are left alone', async () => {
  writeFileSync(join(folder, 'connector.ts'), 'export const connector = 1;\n');
  writeFileSync(join(folder, 'connector.mjs'), 'export const connector = 1;\n');
  writeFileSync(join(folder, 'README.md'), '# Connectors\n');
  writeFileSync(join(folder, 'empty'), '');
  writeFileSync(join(folder, '.hidden'), '#!/bin/sh\n', { mode: 0o755 });
  mkdirSync(join(folder, 'file'));
  assert.equal(await discover(), []);
});

test('a program that may not be executed is told, and is not started', async () => {
  const started = join(folder, '.started');
  writeFileSync(join(folder, 'script'), `#!/bin/sh\ntouch '${started}'\n`, { mode: 0o644 });
  writeFileSync(join(folder, 'binary'), Buffer.from('7f454c46020101', 'hex'), { mode: 0o644 });
  assert.equal((await discover()).toSorted(), [
    ['binary', 'plugin.not_executable'],
    ['script', 'plugin.not_executable'],
  ]);
  assert.not(existsSync(started));
  chmodSync(join(folder, 'script'), 0o755);
  assert.equal((await discover()).toSorted(), [
    ['binary', 'plugin.not_executable'],
    ['script', 'plugin.not_started'],
  ]);
  assert.ok(existsSync(started));
});

test.run();
