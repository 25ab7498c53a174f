// A connector that is not run: its configuration is checked, and it is told that it is gone, on a fresh instance each.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type TrialOptions, tellDeleted, tryConfiguration } from '../../../../actors/gateway/hosting/trial-instance.ts';
import { withModules } from '../../../../connectors/connector-modules.ts';
import { registry } from '../../../../connectors/registry.ts';
import { systemClock } from '../../../../runtime/clock.ts';
import type { MillraceError } from '../../../../runtime/errors.ts';

interface Folder {
  folder: string;
  log: string;
}

const test = suite<Folder>('trial instance');
test.before.each((context) => {
  context.folder = mkdtempSync(join(tmpdir(), 'millrace-trial-'));
  context.log = join(context.folder, 'log');
});
test.after.each(({ folder }) => rmSync(folder, { recursive: true, force: true }));

const callsIn = (log: string): readonly string[] =>
  existsSync(log) ? readFileSync(log, 'utf8').split('\n').slice(0, -1) : [];

async function options({ folder, log }: Folder, settings: Readonly<Record<string, string>>): Promise<TrialOptions> {
  const module = fileURLToPath(new URL('../../../relay/trial-connectors.js', import.meta.url));
  const known = await withModules(registry, [module]);
  assert.equal(known.problems, []);
  return {
    registry: known.registry,
    type: 'source',
    plugin: { kind: 'builtin', name: 'trial', version: 'v1.0.0', path: null },
    id: 'check',
    settings: { log, ...settings },
    baseFolder: folder,
    clock: systemClock,
    signal: new AbortController().signal,
    process: {},
    deadlines: { callMs: 60_000, teardownMs: settings['hang'] === undefined ? 60_000 : 200 },
  };
}

async function errorOf(promise: Promise<void>): Promise<MillraceError> {
  const error = await promise.then(
    () => null,
    (thrown: MillraceError) => thrown,
  );
  assert.ok(error !== null, 'it is refused');
  return error;
}

test('a configuration is checked, and the instance torn down whatever it says', async (context) => {
  await tryConfiguration(await options(context, {}));
  assert.equal(callsIn(context.log), ['configure', 'teardown']);
  const refused = await errorOf(tryConfiguration(await options(context, { fail: 'configure', fail_times: '1' })));
  assert.is(refused.code, 'connector.trial_failed');
  assert.match(refused.message, 'configure fails as it was told to');
  assert.equal(callsIn(context.log), ['configure', 'teardown', 'configure', 'teardown']);
  const wrong = await errorOf(tryConfiguration(await options(context, { wrong: 'x', records: 'many' })));
  assert.match(wrong.message, 'wrong');
  assert.match(wrong.message, 'records');
});

test('one that is gone is told so with the settings of its last start, and torn down', async (context) => {
  await tellDeleted(await options(context, {}), { note: 'old' });
  assert.equal(callsIn(context.log), ['onDeleted "old"', 'teardown']);
});

test('one that does not come back is let go of, and the call named', async (context) => {
  // Deadlines alone keep no process alive.
  const awake = setInterval(() => {}, 1_000);
  const told = tellDeleted(await options(context, { hang: 'teardown' }), { note: 'old' });
  const late = await errorOf(told).finally(() => clearInterval(awake));
  assert.is(late.code, 'connector.trial_timed_out');
  assert.is(late.fields['phase'], 'teardown');
});

test.run();
