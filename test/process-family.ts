// The processes that a test file has started, directly or not: found by a mark in their environment, so that one that has left
// its group or lost its parent is found as well. Linux only; elsewhere nothing is found.
import { readdirSync, readFileSync } from 'node:fs';

export interface FamilyMember {
  readonly pid: number;
  /** Its command line. */
  readonly command: string;
  /** R running, S waiting, D waiting for a disk, Z ended but not waited for … */
  readonly state: string;
  readonly cpuSeconds: number;
}

/** Every living process whose environment holds `mark` (`NAME=value`). */
export function familyOf(mark: string): readonly FamilyMember[] {
  return pids().flatMap((pid) => {
    try {
      if (!readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0').includes(mark)) return [];
      const command = readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' ').trim();
      const fields = statFields(pid);
      const [state = '?'] = fields;
      // Ticks of a hundredth of a second, in user and in system mode.
      const cpuSeconds = (Number(fields[11]) + Number(fields[12])) / 100;
      return state === 'Z' ? [] : [{ pid, command, state, cpuSeconds }];
    } catch {
      // It has ended meanwhile, or belongs to somebody else.
      return [];
    }
  });
}

/** Of the children of this process that have ended, with what they have waited for themselves; null: not told here. */
export function cpuSecondsOfChildren(): number | null {
  try {
    const fields = statFields('self');
    return (Number(fields[13]) + Number(fields[14])) / 100;
  } catch {
    return null;
  }
}

/** Behind the name of the command, which may hold anything: the state is the first. */
function statFields(pid: number | 'self'): readonly string[] {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

export function describe({ pid, command, state, cpuSeconds }: FamilyMember): string {
  return `${pid} ${state} ${cpuSeconds.toFixed(1)} s of CPU: ${command.slice(0, 300)}`;
}

function pids(): readonly number[] {
  try {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number);
  } catch {
    return [];
  }
}
