// A data folder that lives as long as a test, and images to fill it with.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CheckpointImage, Store } from '../../../actors/store/messages.ts';
import { openStore } from '../../../actors/store/open-store.ts';
import { systemClock } from '../../../runtime/clock.ts';
import { makeLog } from '../../../runtime/log.ts';

export const quietLog: ReturnType<typeof makeLog> = makeLog('store', systemClock.now, () => {});

export async function withFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-store-'));
  try {
    await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export async function withStore(folder: string, use: (store: Store) => Promise<void>): Promise<void> {
  const store = await openStore(folder, { clock: systemClock, log: quietLog });
  try {
    await use(store);
  } finally {
    await store.close();
  }
}

/** Parts whose every byte says which checkpoint they belong to. */
export function trialImage(steps: number, sizes: readonly number[] = [0, 10, 3_000_000]): CheckpointImage {
  return {
    fingerprint: `program ${steps}`,
    steps,
    processedRecords: steps * 10,
    parts: sizes.map((size, i) => ({ name: `part-${i}`, bytes: new Uint8Array(size).fill(steps & 255).buffer })),
    inputs: [{ endpoint: 'users.file', position: { offset: steps }, ended: false, paused: steps % 2 === 0 }],
  };
}

export async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : String(error);
  }
  return 'nothing was thrown';
}
