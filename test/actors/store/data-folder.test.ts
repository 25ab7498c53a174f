// Who may use a data folder: one process at a time, of a version that knows its format.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { lockDataFolder } from '../../../actors/store/data-folder.ts';
import { systemClock } from '../../../runtime/clock.ts';
import { siblingModule } from '../../../runtime/thread/worker-thread.ts';
import { pollPause } from '../../poll-pause.ts';
import { withFolder } from './trial-folder.ts';

const writer = fileURLToPath(siblingModule('./trial-checkpoint-writer', import.meta.url));

test('a second process is refused by name, and takes over when the first is killed', () =>
  withFolder(async (folder) => {
    const child = spawn(process.execPath, [writer, folder, 'lock'], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(child.stdout, 'data');
    assert.throws(
      () => lockDataFolder(folder, systemClock),
      (error: Error & { code: string }) =>
        error.code === 'store.folder_locked' && error.message.includes(`process ${child.pid} on ${hostname()}`),
    );
    child.kill('SIGKILL');
    await once(child, 'close');
    const taken = lockDataFolder(folder, systemClock);
    assert.is(taken.wasTakenOver, true);
    taken.unlock();
  }));

test('the lock of a killed process is taken over although its parent has not asked after it', () =>
  withFolder(async (folder) => {
    if (process.platform !== 'linux') return;
    // The shell becomes `sleep`, which never asks after its child.
    const parent = spawn('sh', ['-c', '"$0" "$1" "$2" lock & exec sleep 600', process.execPath, writer, folder], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      await once(parent.stdout, 'data');
      const { pid } = JSON.parse(readFileSync(join(folder, 'lock'), 'utf8')) as { pid: number };
      assert.throws(() => lockDataFolder(folder, systemClock), new RegExp(`process ${pid} `));
      process.kill(pid, 'SIGKILL');
      while (!/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))) await pollPause();
      const taken = lockDataFolder(folder, systemClock);
      assert.is(taken.wasTakenOver, true);
      taken.unlock();
    } finally {
      parent.kill('SIGKILL');
    }
  }));

test('a folder that cannot be made is refused at once, wherever on the way it fails', () =>
  withFolder(async (folder) => {
    writeFileSync(join(folder, 'file'), '');
    const places = [join(folder, 'file'), join(folder, 'file', 'below')];
    // The kernel's own folder, which takes none: ENOENT, although the folder above is there.
    if (process.platform === 'linux') places.push('/proc/millrace-test', '/proc/millrace-test/below');
    for (const place of places) {
      assert.throws(
        () => lockDataFolder(place, systemClock),
        (error: Error & { code: string }) => error.code === 'store.folder_unusable' && error.message.includes(place),
      );
    }
    const made = lockDataFolder(join(folder, 'a', 'b'), systemClock);
    assert.is(statSync(join(folder, 'a', 'b')).mode & 0o777, 0o700);
    made.unlock();
  }));

test('the same process is refused too, until it has let go', () =>
  withFolder(async (folder) => {
    const first = lockDataFolder(folder, systemClock);
    assert.throws(() => lockDataFolder(folder, systemClock), /in use by process/);
    first.unlock();
    first.unlock();
    const second = lockDataFolder(folder, systemClock);
    assert.is(second.wasTakenOver, false);
    second.unlock();
  }));

test('a lock of another host is respected, one of an earlier process with this pid is not', () =>
  withFolder(async (folder) => {
    const write = (holder: object): void => writeFileSync(join(folder, 'lock'), JSON.stringify(holder));
    write({ pid: 1, host: 'elsewhere', start: null, since: '2026-01-01T00:00:00.000Z' });
    assert.throws(() => lockDataFolder(folder, systemClock), /process 1 on elsewhere since 2026/);
    if (process.platform !== 'linux') return;
    write({ pid: process.pid, host: hostname(), start: 'another-boot/1', since: '2026-01-01T00:00:00.000Z' });
    lockDataFolder(folder, systemClock).unlock();
  }));

test('a newer format is refused naming both, and the folder is not left locked', () =>
  withFolder(async (folder) => {
    lockDataFolder(folder, systemClock).unlock();
    assert.is(readFileSync(join(folder, 'format.json'), 'utf8'), '{"format":1}\n');
    writeFileSync(join(folder, 'format.json'), '{"format":7}');
    assert.throws(
      () => lockDataFolder(folder, systemClock),
      (error: Error & { code: string }) =>
        error.code === 'store.format_too_new' && /format 7.*up to format 1/.test(error.message),
    );
    writeFileSync(join(folder, 'format.json'), 'what');
    assert.throws(() => lockDataFolder(folder, systemClock), /names no format/);
    writeFileSync(join(folder, 'format.json'), '{"format":1}');
    lockDataFolder(folder, systemClock).unlock();
  }));

test('a new folder is closed to others, and what cannot be a folder is refused', () =>
  withFolder(async (folder) => {
    const made = lockDataFolder(join(folder, 'deep', 'data'), systemClock);
    assert.is(statSync(made.path).mode & 0o077, 0);
    made.unlock();
    writeFileSync(join(folder, 'file'), '');
    assert.throws(() => lockDataFolder(join(folder, 'file'), systemClock), /cannot be used/);
  }));

test.run();
