// Where an input goes on behind one of its records: the source's own position, and in the middle of a stream whose records need its head
// (the header of a CSV file, the schema of an Arrow stream) that head.
//
//   { offset: 4711 }                                        between two streams, or of a format without a head
//   { source: { offset: 4711 }, head: "aWQsbmFtZQo=" }      in the middle of one; base64, empty for CSV without a header
//
// It is kept in checkpoints. The source sees only its own part. Pure.
import type { Position } from '../../connectors/sdk/source.ts';

/** A longer head is not kept: the stream is read again from its start then. */
export const headBytesMax: number = 64 << 10;

export interface StreamPlace {
  readonly position: Position;
  readonly head: Uint8Array<ArrayBuffer> | null;
}

export function encodeStreamPlace({ position, head }: StreamPlace): Position {
  if (head === null) return position;
  return { source: position, head: Buffer.from(head).toString('base64') };
}

export function decodeStreamPlace(kept: Position): StreamPlace {
  const { source, head } = kept;
  if (typeof head !== 'string' || typeof source !== 'object' || source === null || Object.keys(kept).length !== 2) {
    return { position: kept, head: null };
  }
  // SAFETY: an object that a source has said, put here by `encodeStreamPlace`.
  return { position: source as Position, head: new Uint8Array(Buffer.from(head, 'base64')) };
}
