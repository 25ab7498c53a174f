// Names a program by what it computes: a checkpoint fits a pipeline whose program has the same fingerprint.
//
// Where something stands in the SQL text, how it was written, and which connectors a statement declares say nothing of
// the state and are left out. Pure.
import { createHash } from 'node:crypto';
import { canonicalJson } from '../../runtime/canonical-json.ts';
import type { BoundProgram } from '../engine/messages.ts';

/** 64 hexadecimal digits. */
export function programFingerprint(program: BoundProgram): string {
  return createHash('sha256').update(canonicalJson(program, isNoState)).digest('hex');
}

function isNoState(key: string, value: unknown): boolean {
  if (key === 'connectors' || key === 'place' || key === 'module' || key === 'declarations') return true;
  return key === 'source' && typeof value === 'object' && value !== null && 'place' in value;
}
