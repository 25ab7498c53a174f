// Plugin processes on the official Go SDK, source and destination, and the server that runs them, killed at random moments while records
// flow: every record arrives with the value that it had, and no process is left behind. MILLRACE_LONG=1 kills for longer.
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Fixture } from '../embedded/pipeline-fixture.ts';
import { probePlugin } from '../plugins/probe-plugin.ts';
import { secondsOfFileMax } from './cli-process.ts';
import { ServerProcess } from './server-process.ts';

const tool = await probePlugin();
const isLong = process.env['MILLRACE_LONG'] === '1';
const kills = isLong ? 30 : 3;
const count = isLong ? 15_000 : 1_500;
const perSecond = isLong ? 600 : 700;
const secondsMax = isLong ? 600 : secondsOfFileMax;

/** Processes of this executable, zombies not among them. */
function processesOf(executable: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const isZombie = /\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
        return !isZombie && readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')[0] === executable;
      } catch {
        return false;
      }
    });
}

const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));

if ('missing' in tool || !existsSync('/proc')) {
  console.log(`skipped: ${'missing' in tool ? tool.missing : 'there is no /proc'}`);
  test.skip('plugins that are killed', () => {});
} else {
  const fixture = new Fixture();
  test.after(() => fixture.cleanUp());
  test('every record arrives although plugins and their server are killed at any moment, and no process is left', async () => {
    const { folder } = fixture;
    mkdirSync(join(folder, 'connectors'));
    const executable = join(folder, 'connectors', 'probe');
    copyFileSync(tool.path, executable);
    const out = join(folder, 'out');
    const lines = (): string[] => (existsSync(out) ? readFileSync(out, 'utf8').split('\n').slice(0, -1) : []);
    const started = (): ServerProcess =>
      new ServerProcess({ folder, args: ['--connectors', './connectors'], secondsMax });
    let server = started();
    await server.ready();
    const { id: pipelineId } = await server.call('POST', '/v1/pipelines', { config: { name: 'p', description: '' } });
    const connector = async (type: string, settings: object): Promise<void> => {
      const config = { name: type, settings };
      await server.call('POST', '/v1/connectors', { type, plugin: 'standalone:probe', pipelineId, config });
    };
    await connector('TYPE_SOURCE', {
      count: String(count),
      payload: 'structured',
      'sdk.batch.size': '20',
      'sdk.batch.delay': '5ms',
    });
    await connector('TYPE_DESTINATION', { out, 'sdk.rate.perSecond': String(perSecond), 'sdk.rate.burst': '20' });
    await server.call('POST', `/v1/pipelines/${pipelineId}/start`, {});
    for (let kill = 0; kill < kills; kill++) {
      const before = lines().length;
      const enough = Math.min(count, before + 1 + Math.floor((Math.random() * count) / kills / 2));
      while (lines().length < enough) await turn();
      if (kill % 3 === 2) {
        await server.end('SIGKILL');
        while (processesOf(executable).length > 0) await turn();
        server = started();
        await server.ready();
        continue;
      }
      const pids = processesOf(executable);
      const pid = pids[Math.floor(Math.random() * pids.length)];
      if (pid !== undefined) process.kill(pid, 'SIGKILL');
    }
    const numberOf = (line: string): string => line.split(' ')[2] ?? '';
    while (new Set(lines().map(numberOf)).size < count) await turn();
    await server.call('POST', `/v1/pipelines/${pipelineId}/stop`, {});
    await server.end('SIGTERM');
    while (processesOf(executable).length > 0) await turn();
    // What a killed process was in the middle of writing has no line end, and stands before the next line.
    for (const line of new Set(lines())) {
      const n = Number(numberOf(line));
      assert.ok(line.includes(`big=int64(${BigInt(n) + 2n ** 62n})`), line);
      assert.ok(line.includes(`big=int64(${BigInt(n) - 2n ** 62n})`), line);
    }
  });
}

test.run();
