// Names a program by what it computes: a checkpoint fits a pipeline whose program has the same fingerprint.
//
// Where something stands in the SQL text, how it was written, and which connectors a statement declares say nothing of
// the state and are left out. Pure.
import { createHash } from 'node:crypto';
import type { BoundProgram } from '../engine/messages.ts';

/** 64 hexadecimal digits. */
export function programFingerprint(program: BoundProgram): string {
  return createHash('sha256').update(JSON.stringify(program, plain)).digest('hex');
}

function plain(key: string, value: unknown): unknown {
  if (key === 'connectors' || key === 'place') return undefined;
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value);
  if (value instanceof Map) return [...value];
  const isSource = key === 'source' && typeof value === 'object' && value !== null && 'place' in value;
  return isSource ? undefined : value;
}
