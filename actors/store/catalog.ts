// What the server remembers of pipelines besides their data: definitions with versions, what has happened to them, and the
// API keys (hashes of them). JSON documents.
//
//   pipeline ID        StoredPipeline        history ID          whatever the server keeps of what has happened
//   counter KIND [ID]  the last number given key ID              StoredApiKey
import { clearCheckpoints } from './checkpoint-store.ts';
import { removeMarksOf } from './connector-marks.ts';
import { clearIngress } from './ingress-log.ts';
import type { LmdbFile } from './lmdb-file.ts';
import type { StoredApiKey, StoredPipeline } from './messages.ts';
import { VersionConflict } from './store-errors.ts';

export function readPipelines(file: LmdbFile): readonly StoredPipeline[] {
  // SAFETY: `putPipeline` writes nothing else under this kind, here and below.
  return file.documents('pipeline') as StoredPipeline[];
}

/** @throws VersionConflict */
export function putPipeline(file: LmdbFile, id: string, document: unknown, ifVersion?: number): StoredPipeline {
  const old = readPipeline(file, id);
  const oldVersion = old?.version ?? 0;
  if (ifVersion !== undefined && ifVersion !== oldVersion) throw new VersionConflict({ what: `pipeline ${id}` });
  const pipeline: StoredPipeline = { id, version: oldVersion + 1, document };
  file.putDocument(['pipeline', id], pipeline);
  return pipeline;
}

/** With everything that belongs to it. */
export function deletePipeline(file: LmdbFile, id: string): void {
  file.removeDocument(['pipeline', id]);
  file.removeDocument(['history', id]);
  clearCheckpoints(file, id);
  clearIngress(file, id);
  removeMarksOf(file, id);
}

export function readHistory(file: LmdbFile, id: string): unknown {
  return file.document(['history', id]) ?? null;
}

export function putHistory(file: LmdbFile, id: string, history: unknown): void {
  file.putDocument(['history', id], history);
}

export function readApiKeys(file: LmdbFile): readonly StoredApiKey[] {
  // SAFETY: `addApiKey` writes nothing else under this kind.
  return file.documents('key') as StoredApiKey[];
}

/** @throws VersionConflict when the id or the name is taken */
export function addApiKey(file: LmdbFile, key: StoredApiKey): void {
  if (readApiKeys(file).some((other) => other.id === key.id || other.name === key.name)) {
    throw new VersionConflict({ what: `API key ${key.name}` });
  }
  file.putDocument(['key', key.id], key);
}

export function removeApiKey(file: LmdbFile, id: string): boolean {
  if (file.document(['key', id]) === undefined) return false;
  file.removeDocument(['key', id]);
  return true;
}

function readPipeline(file: LmdbFile, id: string): StoredPipeline | undefined {
  return file.document(['pipeline', id]) as StoredPipeline | undefined; // SAFETY: see readPipelines.
}
