// A body that is read without the library, piece by piece: what has come is given out as soon as it is asked for, and as much together as
// fits into a room. While two full rooms wait the server is held up.
import type { BodyTarget } from '../sdk/body-connection.ts';
import type { BodyRooms } from '../sdk/body-rooms.ts';
import type { BodyAnswer } from '../sdk/http-bodies.ts';
import type { PayloadBytes } from '../sdk/source.ts';

/** The body of an answer, whoever reads it. */
export interface ResponseBody {
  /** Each owns its memory, or has it from the rooms. What has come before a failure is given out before it. */
  pieces(): AsyncIterable<PayloadBytes>;
  /** Nobody wants the rest. */
  destroy(): void;
}

const readyMax = 2;

export class PlainBody implements ResponseBody, BodyTarget {
  readonly #answer: BodyAnswer;
  readonly #rooms: BodyRooms;
  readonly #ready: PayloadBytes[] = [];
  #room: PayloadBytes;
  #filled = 0;
  /** Of it, what has been given out. */
  #given = 0;
  /** Of the body, not in a room yet. */
  #left: number;
  #isHeld = false;
  #end: { readonly failure: unknown } | null = null;
  #wake: (() => void) | null = null;

  /** `length`: of the body. */
  constructor(answer: BodyAnswer, length: number, rooms: BodyRooms) {
    this.#answer = answer;
    this.#rooms = rooms;
    this.#left = length;
    this.#room = rooms.take(this.#left);
  }

  async *pieces(): AsyncIterable<PayloadBytes> {
    const ended = (failure: unknown): void => {
      this.#end = { failure };
      this.#wake?.();
    };
    this.#answer.read(this).then(() => ended(null), ended);
    for (;;) {
      const piece = this.#ready.shift() ?? this.#begun();
      if (piece !== null) {
        if (this.#isHeld) {
          this.#isHeld = false;
          this.#answer.goOn();
        }
        yield piece;
      } else if (this.#end !== null) {
        if (this.#end.failure !== null) throw this.#end.failure;
        return;
      } else {
        await new Promise<void>((resolve) => {
          // What comes in the same turn is taken together.
          this.#wake = () => void setImmediate(resolve);
        });
        this.#wake = null;
      }
    }
  }

  destroy(): void {
    if (this.#end === null) this.#answer.close();
  }

  // ── called by the connection ──

  room(): Uint8Array {
    return this.#room.subarray(this.#filled);
  }

  filled(bytes: number): boolean {
    this.#filled += bytes;
    this.#left -= bytes;
    if (this.#filled === this.#room.length) {
      this.#ready.push(this.#given === 0 ? this.#room : this.#rooms.copied(this.#room.subarray(this.#given)));
      if (this.#given > 0) this.#rooms.giveBack(this.#room);
      this.#filled = this.#given = 0;
      this.#room = this.#rooms.take(this.#left);
    }
    this.#wake?.();
    this.#isHeld = this.#ready.length >= readyMax;
    return !this.#isHeld;
  }

  /** What has come of a room that is not full, copied: the socket goes on writing behind it. */
  #begun(): PayloadBytes | null {
    if (this.#filled === this.#given) return null;
    const piece = this.#rooms.copied(this.#room.subarray(this.#given, this.#filled));
    this.#given = this.#filled;
    return piece;
  }
}
