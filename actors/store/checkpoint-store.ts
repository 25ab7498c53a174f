// Checkpoints on disk: each is written by one job, hence in one transaction; there is never half of one. The latest two stay.
//
//   checkpoint ID NUMBER               sealed head: CheckpointInfo, inputs, and name, size and CRC-32 of each part
//   part ID NUMBER PART CHUNK          bytes, `chunkBytes` at most
//   counter checkpoint ID              the last number given; outlives `clear`
import { crc32 } from 'node:zlib';
import type { LmdbFile } from './lmdb-file.ts';
import type { CheckpointImage, CheckpointInfo, CheckpointInput, CheckpointOutput } from './messages.ts';
import { openRecord, sealRecord } from './sealed-record.ts';
import { CheckpointCorrupt } from './store-errors.ts';

const keptMax = 2;
const chunkBytes = 1 << 20;

interface PartHead {
  readonly name: string;
  readonly bytes: number;
  readonly crc: number;
}

interface CheckpointHead {
  readonly info: CheckpointInfo;
  readonly inputs: readonly CheckpointInput[];
  /** Absent: of a version that knew none. */
  readonly outputs?: readonly CheckpointOutput[];
  readonly parts: readonly PartHead[];
}

export interface CheckpointOrigin {
  readonly uuid: string;
  readonly time: number;
}

/** Inside a job. */
export function writeCheckpoint(
  file: LmdbFile,
  id: string,
  image: CheckpointImage,
  origin: CheckpointOrigin,
): CheckpointInfo {
  const number = file.nextNumber(['counter', 'checkpoint', id]);
  const parts: PartHead[] = [];
  for (const [ordinal, { name, bytes }] of image.parts.entries()) {
    let crc = 0;
    for (let at = 0, chunk = 0; at < bytes.byteLength; at += chunkBytes, chunk++) {
      const piece = new Uint8Array(bytes, at, Math.min(chunkBytes, bytes.byteLength - at));
      crc = crc32(piece, crc);
      file.putBlob(['part', id, number, ordinal, chunk], piece);
    }
    parts.push({ name, bytes: bytes.byteLength, crc });
  }
  const info: CheckpointInfo = {
    number,
    uuid: origin.uuid,
    fingerprint: image.fingerprint,
    steps: image.steps,
    processedRecords: image.processedRecords,
    bytes: parts.reduce((sum, part) => sum + part.bytes, 0),
    time: origin.time,
  };
  const head: CheckpointHead = { info, inputs: image.inputs, ...outputsOf(image), parts };
  file.putBlob(['checkpoint', id, number], sealRecord(head));
  const numbers = file.blobNumbers(['checkpoint', id]);
  for (const old of numbers.slice(0, Math.max(0, numbers.length - keptMax))) {
    file.removeAll(['checkpoint', id, old]);
    file.removeAll(['part', id, old]);
  }
  return info;
}

/** Newest first. One whose head is damaged is left out: `readCheckpoint` says so. */
export function listCheckpoints(file: LmdbFile, id: string): readonly CheckpointInfo[] {
  const heads = file.blobNumbers(['checkpoint', id]).map((number) => readHead(file, id, number));
  return heads.flatMap((head) => (head === null ? [] : [head.info])).reverse();
}

/** The latest when `number` is not given; null: there is none. @throws CheckpointCorrupt */
export function readCheckpoint(
  file: LmdbFile,
  id: string,
  number: number | undefined,
): { readonly info: CheckpointInfo; readonly image: CheckpointImage } | null {
  const wanted = number ?? file.blobNumbers(['checkpoint', id]).at(-1);
  if (wanted === undefined || file.blob(['checkpoint', id, wanted]) === undefined) return null;
  const corrupt = (detail: string): never => {
    throw new CheckpointCorrupt({ pipeline: id, number: wanted, detail });
  };
  const head = readHead(file, id, wanted) ?? corrupt('the checksum of its head does not match');
  const parts = head.parts.map((part, ordinal) => ({
    name: part.name,
    bytes:
      readPart(file, ['part', id, wanted, ordinal], part) ?? corrupt(`part ${part.name} does not match its checksum`),
  }));
  const { info, inputs } = head;
  const { fingerprint, steps, processedRecords } = info;
  return { info, image: { fingerprint, steps, processedRecords, parts, inputs, ...outputsOf(head) } };
}

/** Inside a job. */
export function clearCheckpoints(file: LmdbFile, id: string): void {
  file.removeAll(['checkpoint', id]);
  file.removeAll(['part', id]);
}

function readHead(file: LmdbFile, id: string, number: number): CheckpointHead | null {
  const record = file.blob(['checkpoint', id, number]);
  const opened = record === undefined ? null : openRecord(record);
  return opened === null ? null : (opened.head as CheckpointHead); // SAFETY: sealed by writeCheckpoint, checksum verified.
}

/** Null when it is damaged or incomplete. */
function readPart(file: LmdbFile, prefix: readonly (string | number)[], part: PartHead): ArrayBuffer | null {
  const bytes = new Uint8Array(part.bytes);
  let at = 0;
  for (let chunk = 0; at < part.bytes; chunk++) {
    const piece = file.blob([...prefix, chunk]);
    if (piece === undefined || at + piece.length > part.bytes) return null;
    bytes.set(piece, at);
    at += piece.length;
  }
  return crc32(bytes) === part.crc ? bytes.buffer : null;
}

function outputsOf({ outputs }: Pick<CheckpointHead, 'outputs'>): Pick<CheckpointHead, 'outputs'> {
  return outputs === undefined ? {} : { outputs };
}
