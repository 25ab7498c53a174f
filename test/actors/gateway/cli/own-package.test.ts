// Where a new package gets Millrace from.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { dependencyOnMillrace } from '../../../../actors/gateway/cli/own-package.ts';

test('from where it was installed: a registry by version, a checkout or a tarball by folder', () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-own-'));
  try {
    assert.is(dependencyOnMillrace(folder, '1.2.3'), `file:${folder}`);
    const installed = join(folder, 'node_modules', 'millrace');
    mkdirSync(installed, { recursive: true });
    // Without a note of npm: another package manager.
    assert.is(dependencyOnMillrace(installed, '1.2.3'), '^1.2.3');
    const note = (resolved: string): void =>
      writeFileSync(
        join(folder, 'node_modules', '.package-lock.json'),
        JSON.stringify({ packages: { 'node_modules/millrace': { version: '1.2.3', resolved } } }),
      );
    note('https://registry.npmjs.org/millrace/-/millrace-1.2.3.tgz');
    assert.is(dependencyOnMillrace(installed, '1.2.3'), '^1.2.3');
    note('file:../millrace-1.2.3.tgz');
    assert.is(dependencyOnMillrace(installed, '1.2.3'), `file:${installed}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test.run();
