// Shared memory that one sender writes frames into, again and again: a frame is lent to its receiver, who gives the room back.
//
//   take(bytes) ──► room ── frame, lent ──► receiver … looks at it for the last time ── room number ──► giveBack
//
// A fresh buffer for each frame costs more than what is written into it: the system clears its pages, V8 counts it and collects the whole
// heap of both threads for every 64 MiB of such buffers, and a thread that has transferred one checks every access to a typed array from
// then on. Rooms are taken from the latest that came back, which are in the caches still. At most `bytesMax` are out or kept; who gets
// none sends a buffer of its own. When nothing is out any more, a flood is over: all but a few MiB are let go.
// One sender, one thread. What a frame is, and how it travels, is port-channel.ts'.

/** A frame in a room: its first `bytes` bytes. */
export interface LentFrame {
  readonly memory: SharedArrayBuffer;
  readonly bytes: number;
  readonly room: number;
}

/** Where memory for a frame may be had; null: there is none for so many bytes. */
export interface FrameMemory {
  take(bytes: number): LentFrame | null;
}

/** A room that was taken for a frame of which only the most is known: it goes to the first frame that fits. */
export function oneRoom(room: LentFrame): FrameMemory {
  let isFree = true;
  return {
    take: (bytes) => {
      if (!isFree || bytes > room.memory.byteLength) return null;
      isFree = false;
      return { ...room, bytes };
    },
  };
}

/** Rooms are as large as what is asked for and an eighth, in pieces of this size. */
const grainBytes = 64 << 10;
/** A frame below this is cheaper copied into a message than looked after. */
export const lentBytesMin: number = 16 << 10;
/** A room that is so many times too large is left for larger frames. */
const slackMax = 8;
const quietBytesMax = 8 << 20;

export class FrameRooms implements FrameMemory {
  readonly #bytesMax: number;
  readonly #free: { readonly memory: SharedArrayBuffer; readonly room: number }[] = [];
  readonly #out = new Map<number, SharedArrayBuffer>();
  #bytes = 0;
  #rooms = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Rooms that are out, and bytes in all. */
  get held(): { readonly out: number; readonly bytes: number } {
    return { out: this.#out.size, bytes: this.#bytes };
  }

  /** Room for a frame of so many bytes, with whatever is in it; null: send a buffer of its own. */
  take(bytes: number): LentFrame | null {
    if (bytes < lentBytesMin) return null;
    const at = this.#free.findLastIndex(({ memory }) => fits(memory.byteLength, bytes));
    const found = at < 0 ? this.#make(bytes) : this.#free.splice(at, 1)[0];
    if (found === null || found === undefined) return null;
    this.#out.set(found.room, found.memory);
    return { memory: found.memory, bytes, room: found.room };
  }

  /** Nobody looks at these frames any more. A room that is not out is not known. */
  giveBack(rooms: readonly number[]): void {
    for (const room of rooms) {
      const memory = this.#out.get(room);
      if (memory === undefined) continue;
      this.#out.delete(room);
      this.#free.push({ memory, room });
    }
    if (this.#out.size === 0) this.#shrinkTo(quietBytesMax);
  }

  #make(bytes: number): { readonly memory: SharedArrayBuffer; readonly room: number } | null {
    const size = Math.ceil((bytes * 1.125) / grainBytes) * grainBytes;
    if (this.#bytes + size > this.#bytesMax) this.#shrinkTo(this.#bytesMax - size);
    if (this.#bytes + size > this.#bytesMax) return null;
    this.#bytes += size;
    return { memory: new SharedArrayBuffer(size), room: ++this.#rooms };
  }

  /** Lets free rooms go, those first that have lain longest. */
  #shrinkTo(bytes: number): void {
    while (this.#bytes > bytes && this.#free.length > 0) this.#bytes -= this.#free.shift()?.memory.byteLength ?? 0;
  }
}

function fits(roomBytes: number, bytes: number): boolean {
  return bytes <= roomBytes && roomBytes <= bytes * slackMax;
}
