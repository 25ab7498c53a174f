// HTTP input after the latest checkpoint, in order of arrival: one sealed record for each append. The record's sequence is
// given inside the transaction, so the order of sequences is the order on the disk.
//
//   ingress ID SEQUENCE       sealed head: endpoint, table, kind, format, sizes of the chunks; body: the chunks
//   counter ingress ID        the last sequence given; outlives truncation
import type { LmdbFile } from './lmdb-file.ts';
import type { IngressEntry, IngressRecord } from './messages.ts';
import { openRecord, sealRecord } from './sealed-record.ts';
import { IngressLogCorrupt } from './store-errors.ts';

interface IngressHead {
  readonly endpoint: string;
  readonly table: string;
  readonly kind: IngressEntry['kind'];
  readonly format: unknown;
  readonly chunks: readonly number[];
}

/** The record as it will lie on the disk; made before the transaction, which then only copies. */
export function sealIngress(entry: IngressEntry): Uint8Array {
  const { endpoint, table, kind, format, chunks } = entry;
  const head: IngressHead = {
    endpoint,
    table,
    kind,
    format: format ?? null,
    chunks: chunks.map((chunk) => chunk.byteLength),
  };
  return sealRecord(head, chunks);
}

/** Inside a job. */
export function appendIngress(file: LmdbFile, id: string, sealed: Uint8Array): number {
  const sequence = file.nextNumber(['counter', 'ingress', id]);
  file.putBlob(['ingress', id, sequence], sealed);
  return sequence;
}

/** Records after `after`, at least one if there is one, until they hold `bytesMax`. @throws IngressLogCorrupt */
export function readIngress(file: LmdbFile, id: string, after: number, bytesMax: number): IngressRecord[] {
  const records: IngressRecord[] = [];
  let bytes = 0;
  for (const sequence of file.blobNumbers(['ingress', id], after + 1)) {
    const blob = file.blob(['ingress', id, sequence]);
    const opened = blob === undefined ? null : openRecord(blob);
    if (opened === null) {
      // What lies before it can be used; the next call meets it first.
      if (records.length > 0) return records;
      throw new IngressLogCorrupt({ pipeline: id, sequence, detail: 'its checksum does not match' });
    }
    const { chunks, ...head } = opened.head as IngressHead; // SAFETY: sealed by sealIngress, checksum verified.
    records.push({ sequence, ...head, chunks: cut(opened.body, chunks) });
    bytes += opened.body.length;
    if (bytes >= bytesMax) break;
  }
  return records;
}

/** Inside a job. */
export function truncateIngress(file: LmdbFile, id: string, upTo: number): void {
  for (const sequence of file.blobNumbers(['ingress', id], 0, upTo)) file.removeAll(['ingress', id, sequence]);
}

/** Inside a job. */
export function clearIngress(file: LmdbFile, id: string): void {
  file.removeAll(['ingress', id]);
}

/** Fresh buffers: they go to another thread. */
function cut(body: Uint8Array, sizes: readonly number[]): ArrayBuffer[] {
  let at = 0;
  return sizes.map((size) => {
    const start = at;
    at += size;
    return new Uint8Array(body.subarray(start, at)).buffer;
  });
}
