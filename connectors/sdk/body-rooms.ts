// Shared memory that payloads are read into, used again when it is released: fresh memory costs as much as what is written into it, and memory
// that is transferred to the thread that decodes it never comes back.
//
// In front of each room is space, which is lent with it: there goes what is left over of the payload before, so that a record that lies in two
// payloads moves nothing but itself.
import { copyBytes } from '../../runtime/batch/copy-bytes.ts';
import { isLent, type PayloadBytes } from './source.ts';

const frontBytes = 64 << 10;
/** Less than this is not worth a room. */
const roomBytesMin = 64 << 10;

export class BodyRooms {
  readonly #bytes: number;
  readonly #keptMax: number;
  readonly #kept: SharedArrayBuffer[] = [];

  /** `bytes`: of a room. */
  constructor(bytes: number, keptMax: number) {
    this.#bytes = bytes;
    this.#keptMax = keptMax;
  }

  /** For what is still to come, `left` bytes: a room or a part of one, or a little memory that is not lent. */
  take(left: number): PayloadBytes {
    if (left < roomBytesMin) return new Uint8Array(Math.max(1, left));
    const memory = this.#kept.pop() ?? new SharedArrayBuffer(frontBytes + this.#bytes);
    return new Uint8Array(memory, frontBytes, Math.min(left, this.#bytes));
  }

  /** The same bytes in another room, at most as many as it has. */
  copied(bytes: Uint8Array): PayloadBytes {
    const copy = this.take(bytes.length);
    copyBytes(copy, 0, bytes);
    return copy;
  }

  /** Nobody looks at it any more; it may be a part of a room. */
  giveBack(bytes: PayloadBytes): void {
    if (!isLent(bytes)) return;
    const isOurs = bytes.buffer.byteLength === frontBytes + this.#bytes;
    if (isOurs && this.#kept.length < this.#keptMax) this.#kept.push(bytes.buffer);
  }
}
