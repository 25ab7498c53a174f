// Where MessagePack values end: one walk over type bytes, whatever the values are.
//
// `walk` counts the values that are still to come; a value that is cut off is taken up again where the walk stopped, so
// that an array over many chunks is walked once.
import type { Splitter } from '../sdk/format.ts';

/** A walk inside one top-level value. */
export interface MsgpackWalk {
  position: number;
  pending: number;
}

export class MsgpackSplitter implements Splitter {
  readonly #walk: MsgpackWalk = { position: 0, pending: 1 };

  split(bytes: Uint8Array): number {
    const walk = this.#walk;
    let border = 0;
    for (;;) {
      const outcome = walkValue(bytes, walk);
      if (outcome === walkBroken) {
        // Nothing behind it can be found; the decoder says so.
        this.reset();
        return bytes.length;
      }
      if (outcome === walkCut) break;
      border = walk.position;
      walk.pending = 1;
    }
    walk.position -= border;
    return border;
  }

  reset(): void {
    this.#walk.position = 0;
    this.#walk.pending = 1;
  }

  resume(): void {
    this.reset();
  }
}

export const walkWhole = 0;
export const walkCut = 1;
export const walkBroken = 2;

// ── data plane ──

/** Bytes of the scalars from 0xc0 to 0xd8, their type byte included; 0: see below. */
const scalarBytes: readonly number[] = [1, 0, 1, 1, 0, 0, 0, 0, 0, 0, 5, 9, 2, 3, 5, 9, 2, 3, 5, 9, 3, 4, 6, 10, 18];

/** Walks on to the end of the value at hand; `walk.position` is behind it, or where it was cut. */
export function walkValue(bytes: Uint8Array, walk: MsgpackWalk): number {
  const end = bytes.length;
  const view = new DataView(bytes.buffer, bytes.byteOffset, end);
  let { position: i, pending } = walk;
  let outcome = walkWhole;
  while (pending > 0) {
    if (i >= end) {
      outcome = walkCut;
      break;
    }
    const type = bytes[i]!;
    let size = 1;
    let inner = 0;
    if (type < 0x80 || type >= 0xe0) size = 1;
    else if (type < 0x90) inner = 2 * (type & 15);
    else if (type < 0xa0) inner = type & 15;
    else if (type < 0xc0) size = 1 + (type & 31);
    else if (type === 0xc1) {
      outcome = walkBroken;
      break;
    } else if (type <= 0xd8 && scalarBytes[type - 0xc0]! > 0) size = scalarBytes[type - 0xc0]!;
    else {
      // A length of 1, 2 or 4 bytes follows: bin, ext, str; array and map have 2 or 4.
      const isContainer = type >= 0xdc;
      const width = isContainer
        ? 2 << (type & 1)
        : 1 << (type <= 0xc6 ? type - 0xc4 : type <= 0xc9 ? type - 0xc7 : type - 0xd9);
      if (i + 1 + width > end) {
        outcome = walkCut;
        break;
      }
      const length = width === 1 ? bytes[i + 1]! : width === 2 ? view.getUint16(i + 1) : view.getUint32(i + 1);
      size = 1 + width;
      if (isContainer) inner = type >= 0xde ? 2 * length : length;
      else size += length + (type >= 0xc7 && type <= 0xc9 ? 1 : 0);
    }
    if (i + size > end) {
      outcome = walkCut;
      break;
    }
    i += size;
    pending += inner - 1;
  }
  walk.position = i;
  walk.pending = pending;
  return outcome;
}
