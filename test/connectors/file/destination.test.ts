// file_output against real files.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { fileOutput } from '../../../connectors/file/destination.ts';
import { bigint, codeOf, contextFor, relationOf } from '../connector-context.ts';

const folder = mkdtempSync(join(tmpdir(), 'millrace-file-destination-'));
const relation = relationOf({ id: bigint });
const path = join(folder, 'out.txt');

test.after(() => rmSync(folder, { recursive: true }));

async function write(mode: string, ...texts: readonly string[]): Promise<readonly string[]> {
  const context = contextFor(relation, folder);
  const destination = fileOutput.create({ path: 'out.txt', mode }, context);
  try {
    await destination.open();
    const reused = Buffer.alloc(3_000_000);
    for (const text of texts) {
      const length = reused.write(text, 'latin1');
      await destination.write({ kind: 'bytes', bytes: reused.subarray(0, length), records: 1 });
      reused.fill(0);
    }
    await destination.flush?.();
    return context.logged;
  } finally {
    await destination.teardown?.();
  }
}

test('replace says how many bytes it replaced, append writes behind them, fail refuses', async () => {
  assert.equal(await write('replace', 'a', 'b'), []);
  assert.is(readFileSync(path, 'utf8'), 'ab');
  await write('append', 'c');
  assert.is(readFileSync(path, 'utf8'), 'abc');
  assert.equal(await write('replace', 'd'), [`${path}: replaced 3 bytes`]);
  assert.is(readFileSync(path, 'utf8'), 'd');
  assert.is(await codeOf(() => write('fail', 'e')), 'file.exists');
  assert.is(readFileSync(path, 'utf8'), 'd');
});

(existsSync('/dev/full') ? test : test.skip)('a full disk is told with the path, once', async () => {
  const full = fileOutput.create({ path: '/dev/full', mode: 'append' }, contextFor(relation, folder));
  await full.open();
  try {
    await full.write({ kind: 'bytes', bytes: Buffer.from('x'), records: 1 });
    await full.flush?.();
    assert.unreachable('a full disk');
  } catch (error) {
    assert.match(String(error), /: \/dev\/full: ENOSPC/);
    assert.is(String(error).split('/dev/full').length, 2);
  } finally {
    await full.teardown?.()?.catch?.(() => {});
  }
});

test('pieces small and large arrive whole and in order, from an array that is reused', async () => {
  const texts = [1, 700_000, 500_000, 2_500_000, 3].map((length, i) => String(i).repeat(length));
  await write('replace', ...texts);
  assert.ok(readFileSync(path, 'latin1') === texts.join(''));
});

test('flush puts everything written so far into the file', async () => {
  const destination = fileOutput.create({ path }, contextFor(relation, folder));
  await destination.open();
  await destination.write({ kind: 'bytes', bytes: Buffer.from('x'), records: 1 });
  await destination.flush?.();
  assert.is(readFileSync(path, 'utf8'), 'x');
  await destination.teardown?.();
});

test('a folder that is missing is not made, and named', async () => {
  writeFileSync(join(folder, 'f'), '');
  const open = (name: string): Promise<string> =>
    codeOf(() => fileOutput.create({ path: name }, contextFor(relation, folder)).open());
  assert.is(await open('no/where/out.txt'), 'file.not_found');
  assert.not.ok(existsSync(join(folder, 'no')));
  assert.is(await open('.'), 'file.is_directory');
});

test.run();
