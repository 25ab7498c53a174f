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
      const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
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
