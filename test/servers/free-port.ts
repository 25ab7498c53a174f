// A port of this machine for a server that a test starts, stops and starts again: nobody else takes it in between.
//
// It lies outside the range from which the system gives ports to connections and to servers that ask for any, and it belongs to
// this process, by a file that is named after it, until the process has ended: tests run beside one another.
import { randomInt } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const claims = join(tmpdir(), 'millrace-test-ports');
const attemptsMax = 1_000;

export async function freePort(): Promise<number> {
  const [first, last] = quietRange();
  for (let attempt = 0; attempt < attemptsMax; attempt++) {
    const port = randomInt(first, last + 1);
    if (!claim(port)) continue;
    if (await isFree(port)) return port;
    rmSync(join(claims, String(port)), { force: true });
  }
  throw new Error(`no port from ${first} to ${last} is free`);
}

/** Below the ports that are given away by themselves, where that leaves enough; else any of the usual ones. */
function quietRange(): readonly [number, number] {
  try {
    const [low = 0] = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').trim().split(/\s+/).map(Number);
    if (low > 12_000) return [10_100, low - 1];
  } catch {
    // Another system: its ranges are not known.
  }
  return [10_100, 32_000];
}

/** False: another living process has it. */
function claim(port: number): boolean {
  const file = join(claims, String(port));
  mkdirSync(claims, { recursive: true });
  for (const isLast of [false, true]) {
    try {
      writeFileSync(file, String(process.pid), { flag: 'wx' });
      process.once('exit', () => rmSync(file, { force: true }));
      return true;
    } catch {
      if (isLast || isAlive(ownerOf(file))) return false;
      rmSync(file, { force: true });
    }
  }
  return false;
}

function ownerOf(file: string): number {
  try {
    // Empty: it is being written just now.
    return Number(readFileSync(file, 'utf8') || process.pid);
  } catch {
    return process.pid;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
