// `millrace serve` as a process: how it refuses to start, and how it ends.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Fixture } from '../embedded/pipeline-fixture.ts';
import { CliProcess, millrace } from './cli-process.ts';

const fixture = new Fixture();
const { folder } = fixture;
test.after(() => fixture.cleanUp());
const serve = ['serve', '--port', '0', '--data', './store'];

test('it listens on loopback only while there are no keys', async () => {
  const refused = await millrace([...serve, '--host', '0.0.0.0'], { folder });
  assert.is(refused.code, 2);
  assert.match(refused.err, /config\.server_option.*loopback only, not on '0\.0\.0\.0'/);
  assert.is(refused.out, '');
});

test('with an admin key it listens on every address', async () => {
  const environment = { MILLRACE_ADMIN_KEY: 'a-key-that-is-long-enough-for-everything' };
  const server = new CliProcess([...serve, '--host', '0.0.0.0'], { folder, environment });
  await server.until((out) => out.includes('millrace serve: http://0.0.0.0:'));
  server.kill('SIGTERM');
  assert.is((await server.exit).code, 0);
});

test('SIGTERM and SIGINT end it in order, with exit code 0', async () => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    const server = new CliProcess(serve, { folder });
    await server.until((out) => out.includes('millrace serve: http://'));
    server.kill(signal);
    const { code, signal: killedBy } = await server.exit;
    assert.is(killedBy, null);
    assert.is(code, 0);
  }
});

test('a port that is taken is told with what to do', async () => {
  const server = new CliProcess(serve, { folder });
  await server.until((out) => out.includes('millrace serve: http://'));
  const port = /:(\d+)\s*$/.exec(server.out)?.[1] ?? '';
  const args = ['serve', '--port', port, '--data', './other', '--connectors', './nowhere'];
  const second = await millrace(args, { folder });
  server.kill('SIGTERM');
  await server.exit;
  assert.is(second.code, 2);
  assert.match(second.err, /config\.address_unavailable.*another process listens there already/);
  assert.match(second.err, /--port/);
  // Misspelt more often than still to come: said, not refused.
  assert.match(second.err, /warn the folder that --connectors names is not there/);
});

test('every unknown key of millrace.yaml is told at once, with the nearest name', async () => {
  const place = join(folder, 'configured');
  mkdirSync(place);
  writeFileSync(join(place, 'millrace.yaml'), 'hots: 127.0.0.1\nprot: 1\n');
  const refused = await millrace(['serve'], { folder: place });
  assert.is(refused.code, 2);
  assert.match(
    refused.err,
    /unknown key 'hots' \(did you mean "host"\?\); unknown key 'prot' \(did you mean "port"\?\)/,
  );
});

test('of a folder that is only there by its name nothing but programs is started, and nothing is loaded', async () => {
  const place = join(folder, 'checkout');
  mkdirSync(join(place, 'connectors'), { recursive: true });
  const loaded = join(place, 'loaded');
  const touch = `import { writeFileSync } from 'node:fs';\nwriteFileSync('${loaded}', '');\n`;
  for (const name of ['source.ts', 'module.mjs']) writeFileSync(join(place, 'connectors', name), touch);
  for (const [flags, isLoaded] of [
    [[], false],
    [['--connectors', 'connectors'], true],
  ] as const) {
    const server = new CliProcess([...serve, ...flags], { folder: place });
    await server.until((out) => out.includes('millrace serve: http://'));
    // What is waited for comes after the folder has been looked through.
    const url = /(http:\/\/\S+)/.exec(server.out)?.[1];
    assert.is((await fetch(`${url}/v1/connectors/plugins`)).status, 200);
    server.kill('SIGTERM');
    const { err } = await server.exit;
    assert.not.match(err, /^(warn|error)/m);
    assert.is(existsSync(loaded), isLoaded);
  }
});

test.run();
