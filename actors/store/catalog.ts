// What the server remembers of pipelines besides their data: definitions with versions, the desired state, what was paused,
// ended and fulfilled, what has happened, and the API keys (hashes of them). Small JSON documents.
//
//   pipeline ID        StoredPipeline        event ID SEQUENCE   StoredEvent
//   marks ID           PipelineMarks         key ID              StoredApiKey
//   counter KIND [ID]  the last number given
import { clearCheckpoints } from './checkpoint-store.ts';
import { clearIngress } from './ingress-log.ts';
import type { LmdbFile } from './lmdb-file.ts';
import type { DesiredState, PipelineMarks, StoredApiKey, StoredEvent, StoredPipeline } from './messages.ts';
import { VersionConflict } from './store-errors.ts';

const eventsMax = 1000;
const noMarks: PipelineMarks = { manualPauses: [], endedInputs: [], fulfilledLabels: [] };

export function readPipelines(file: LmdbFile): readonly StoredPipeline[] {
  // SAFETY: `putPipeline` writes nothing else under this kind, here and below.
  return file.documents('pipeline') as StoredPipeline[];
}

/** @throws VersionConflict */
export function putPipeline(file: LmdbFile, id: string, document: unknown, ifVersion?: number): StoredPipeline {
  const old = readPipeline(file, id);
  const oldVersion = old?.version ?? 0;
  if (ifVersion !== undefined && ifVersion !== oldVersion) throw new VersionConflict({ what: `pipeline ${id}` });
  const pipeline: StoredPipeline = { id, version: oldVersion + 1, document, desired: old?.desired ?? 'stopped' };
  file.putDocument(['pipeline', id], pipeline);
  return pipeline;
}

/** @throws VersionConflict when there is no such pipeline */
export function setDesired(file: LmdbFile, id: string, desired: DesiredState): void {
  const old = readPipeline(file, id);
  if (old === undefined) throw new VersionConflict({ what: `pipeline ${id}` });
  if (old.desired !== desired) file.putDocument(['pipeline', id], { ...old, desired });
}

/** With everything that belongs to it. */
export function deletePipeline(file: LmdbFile, id: string): void {
  file.removeDocument(['pipeline', id]);
  file.removeDocument(['marks', id]);
  file.removeAll(['event', id]);
  clearCheckpoints(file, id);
  clearIngress(file, id);
}

export function readMarks(file: LmdbFile, id: string): PipelineMarks {
  // SAFETY: `putMarks` writes nothing else under this kind.
  return (file.document(['marks', id]) as PipelineMarks | undefined) ?? noMarks;
}

export function putMarks(file: LmdbFile, id: string, marks: PipelineMarks): void {
  file.putDocument(['marks', id], marks);
}

export function appendEvent(file: LmdbFile, id: string, time: number, event: unknown): number {
  const sequence = file.nextNumber(['counter', 'event']);
  const stored: StoredEvent = { sequence, time, event };
  file.putDocument(['event', id, sequence], stored);
  const kept = file.numberedDocuments(['event', id], { limit: 2 + eventsMax });
  // SAFETY: nothing else is written under this kind, here and below.
  for (const old of kept.slice(0, Math.max(0, kept.length - eventsMax)) as StoredEvent[]) {
    file.removeDocument(['event', id, old.sequence]);
  }
  return sequence;
}

export function readEvents(file: LmdbFile, id: string, limit: number): readonly StoredEvent[] {
  return file.numberedDocuments(['event', id], { newestFirst: true, limit }) as StoredEvent[]; // SAFETY: see above.
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
