// The folder that a server keeps everything in: made when it is missing, readable by its owner alone, used by one process at
// a time, of a known format.
//
//   lock           {pid, host, start, since} of the process that uses it; `start` tells a process from a later one of its pid
//   format.json    {"format": 1}: what the rest of the folder looks like
//   store.lmdb     the store
//   audit.log      what was done, see server/access
//
// A lock of a process of this host that is gone is taken over; one of another host is respected, since nobody can tell.
import { randomUUID } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, renameSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import type { Clock } from '../../runtime/clock.ts';
import { FolderLocked, FolderUnusable, FormatTooNew } from './store-errors.ts';

export const folderFormat = 1;
const attemptsMax = 5;

export interface DataFolder {
  readonly path: string;
  /** Where lmdb keeps its file. */
  readonly storeFile: string;
  /** True: the process that had used it before has died without letting go. */
  readonly wasTakenOver: boolean;
  /** Idempotent. */
  unlock(): void;
}

interface LockHolder {
  readonly pid: number;
  readonly host: string;
  readonly start: string | null;
  readonly since: string;
}

/** @throws FolderLocked, FormatTooNew, FolderUnusable */
export function lockDataFolder(folder: string, clock: Clock): DataFolder {
  const path = resolve(folder);
  try {
    makeFolder(path);
  } catch (cause) {
    throw new FolderUnusable({ folder: path, detail: messageOf(cause) }, { cause });
  }
  const wasTakenOver = takeLock(path, clock);
  try {
    checkFormat(path);
  } catch (error) {
    removeIfThere(join(path, 'lock'));
    throw error;
  }
  let isLocked = true;
  const unlock = (): void => {
    if (!isLocked) return;
    isLocked = false;
    removeIfThere(join(path, 'lock'));
  };
  return { path, storeFile: join(path, 'store.lmdb'), wasTakenOver, unlock };
}

/** With the folders above it. Not by `recursive`: Node 20 goes on for ever where a folder cannot hold another, such as /proc. */
function makeFolder(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return;
  const above = dirname(path);
  if (above !== path) makeFolder(above);
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    // Another process may have made it meanwhile.
    if (codeOf(error) !== 'EEXIST' || !statSync(path).isDirectory()) throw error;
  }
}

/** The folder is locked: nobody else writes the file. */
function checkFormat(path: string): void {
  const file = join(path, 'format.json');
  const text = readIfThere(file);
  if (text === null) {
    try {
      // A rename is whole or not at all: a crash leaves no empty file behind that would say nothing for ever.
      writeFileSync(`${file}.new`, `${JSON.stringify({ format: folderFormat })}\n`, { mode: 0o600 });
      renameSync(`${file}.new`, file);
    } catch (cause) {
      throw new FolderUnusable({ folder: path, detail: messageOf(cause) }, { cause });
    }
    return;
  }
  const found = formatOf(text);
  if (found === null) throw new FolderUnusable({ folder: path, detail: 'format.json names no format' });
  if (found > folderFormat) throw new FormatTooNew({ folder: path, found, supported: folderFormat });
}

function formatOf(text: string): number | null {
  try {
    const value: unknown = JSON.parse(text);
    const found = typeof value === 'object' && value !== null && 'format' in value ? value.format : null;
    return typeof found === 'number' && Number.isSafeInteger(found) && found >= 1 ? found : null;
  } catch {
    return null;
  }
}

/** True when the lock of a dead process was taken over. */
function takeLock(path: string, clock: Clock): boolean {
  const lock = join(path, 'lock');
  const own = join(path, `lock.${process.pid}.${randomUUID()}`);
  const since = new Date(clock.now()).toISOString();
  const holder: LockHolder = {
    pid: process.pid,
    host: hostname(),
    start: processOf(process.pid)?.start ?? null,
    since,
  };
  let wasTakenOver = false;
  try {
    writeFileSync(own, JSON.stringify(holder), { mode: 0o600 });
    for (let attempt = 0; attempt < attemptsMax; attempt++) {
      // A link is made whole or not at all: nobody reads half a lock, and only one process makes it.
      if (linkIfFree(own, lock)) return wasTakenOver;
      const text = readIfThere(lock);
      if (text === null) continue;
      const other = holderOf(text);
      if (other === null || isAlive(other)) throw lockedBy(path, other);
      wasTakenOver = moveAside(lock, `${own}.stale`, text) || wasTakenOver;
    }
    throw new FolderUnusable({ folder: path, detail: 'its lock keeps changing hands' });
  } catch (cause) {
    if (cause instanceof FolderLocked || cause instanceof FolderUnusable) throw cause;
    throw new FolderUnusable({ folder: path, detail: messageOf(cause) }, { cause });
  } finally {
    // Where it could not be made it cannot be removed: what is thrown says why.
    try {
      removeIfThere(own);
    } catch {}
  }
}

/** False when the lock that was moved is not the one that was read: it is put back. */
function moveAside(lock: string, aside: string, expected: string): boolean {
  try {
    renameSync(lock, aside);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false;
    throw error;
  }
  const isExpected = readIfThere(aside) === expected;
  if (!isExpected) linkIfFree(aside, lock);
  removeIfThere(aside);
  return isExpected;
}

function lockedBy(path: string, holder: LockHolder | null): Error {
  if (holder === null) return new FolderUnusable({ folder: path, detail: 'its file `lock` cannot be read' });
  const { pid, host, since } = holder;
  return new FolderLocked({ folder: path, pid, host, since });
}

function holderOf(text: string): LockHolder | null {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null) return null;
    const { pid, host, start, since } = value as Record<string, unknown>; // SAFETY: an object; fields are checked below.
    if (typeof pid !== 'number' || typeof host !== 'string' || typeof since !== 'string') return null;
    return { pid, host, since, start: typeof start === 'string' ? start : null };
  } catch {
    return null;
  }
}

function isAlive(holder: LockHolder): boolean {
  if (holder.host !== hostname()) return true;
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    // EPERM: it is there and belongs to somebody else.
    return codeOf(error) === 'EPERM';
  }
  const found = processOf(holder.pid);
  if (found === null) return true;
  // Killed, and not yet asked after by its parent: it is still listed, and does nothing any more.
  if (found.state === 'Z' || found.state === 'X') return false;
  return holder.start === null || found.start === holder.start;
}

/**
 * What the system tells of a process (proc(5), `stat`); null: nothing. `start` is its boot and time of start, which tell it from a later
 * process of the same number.
 */
function processOf(pid: number): { readonly state: string; readonly start: string } | null {
  const status = readIfThere(`/proc/${pid}/stat`);
  const boot = readIfThere('/proc/sys/kernel/random/boot_id');
  // The name of the program, in brackets, may hold spaces and brackets; state and start are the 1st and 20th word behind it.
  const words = status?.slice(status.lastIndexOf(')') + 2).split(' ') ?? [];
  const [state, ticks] = [words[0], words[19]];
  return state === undefined || ticks === undefined || boot === null
    ? null
    : { state, start: `${boot.trim()}/${ticks}` };
}

function linkIfFree(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

function readIfThere(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ESRCH') return null;
    throw error;
  }
}

function removeIfThere(file: string): void {
  try {
    unlinkSync(file);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
}

function codeOf(error: unknown): string | null {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : null;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
