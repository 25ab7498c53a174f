// The state of a circuit of several workers as one list of parts.
//
//   head (the word `workers`, their number)   the parts of worker 0, those of worker 1, …   as many of each
// A circuit of one worker has no head: its first part begins with another word. Rows lie by the number of workers, so an image is
// only good for as many as took it.
import { SnapshotDamaged, SnapshotReader, SnapshotWriter } from '../state/snapshot-codec.ts';

const word = 'workers';

export function imageOf(parts: readonly (readonly Uint8Array[])[]): readonly Uint8Array[] {
  const head = new SnapshotWriter();
  head.text(word);
  head.number(parts.length);
  return [head.finish(), ...parts.flat()];
}

/** How many workers took an image. What is damaged is for the circuit that restores it to say. */
export function workersOfImage([first]: readonly Uint8Array[]): number {
  if (first === undefined) return 1;
  try {
    const head = new SnapshotReader(first);
    return head.text() === word ? head.number() : 1;
  } catch (error) {
    if (error instanceof SnapshotDamaged) return 1;
    throw error;
  }
}

/** The parts of each worker. @throws SnapshotDamaged */
export function partsOfImage(parts: readonly Uint8Array[], workers: number): readonly (readonly Uint8Array[])[] {
  const each = (parts.length - 1) / workers;
  if (workersOfImage(parts) !== workers || !Number.isInteger(each))
    throw new SnapshotDamaged({ detail: `it was not taken by ${workers} workers` });
  return Array.from({ length: workers }, (_, worker) => parts.slice(1 + worker * each, 1 + (worker + 1) * each));
}
