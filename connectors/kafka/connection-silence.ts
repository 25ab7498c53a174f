// Notices that a broker has fallen silent: an answer is awaited on its connection, and for a while not a byte has moved either way, as when
// a firewall has forgotten the connection or the broker's machine is gone without a word.
//
// A slow line is not silent. An answer of megabytes may take minutes over it; given up after a fixed time it would be asked for again, and
// again, and never come. So there is no deadline for a request, only one for silence. It is over after several looks without a change, not
// at a time: a process that was itself suspended finds what has come meanwhile before it looks often enough.
import type { Clock, Timer } from '../../runtime/clock.ts';

/** What is looked at of a socket. */
export interface MovingBytes {
  readonly bytesRead: number;
  readonly bytesWritten: number;
  readonly writableLength: number;
}

const looks = 5;

export class ConnectionSilence {
  readonly #clock: Clock;
  readonly #socket: MovingBytes;
  readonly #silentMs: number;
  readonly #onSilence: () => void;
  #awaited = 0;
  #moved = 0;
  #quiet = 0;
  #timer: Timer | null = null;

  constructor(clock: Clock, socket: MovingBytes, silentMs: number, onSilence: () => void) {
    this.#clock = clock;
    this.#socket = socket;
    this.#silentMs = silentMs;
    this.#onSilence = onSilence;
  }

  /** One more answer is awaited. */
  begin(): void {
    this.#awaited++;
    if (this.#timer === null) this.#start();
  }

  /** It has come, or will not. */
  end(): void {
    this.#awaited--;
    if (this.#awaited > 0) return;
    this.#timer?.cancel();
    this.#timer = null;
  }

  #start(): void {
    this.#moved = this.#bytes();
    this.#quiet = 0;
    this.#timer = this.#clock.every(Math.max(1, this.#silentMs / looks), () => this.#look());
  }

  #look(): void {
    const moved = this.#bytes();
    if (moved !== this.#moved) {
      this.#moved = moved;
      this.#quiet = 0;
      return;
    }
    if (++this.#quiet < looks) return;
    this.#quiet = 0;
    this.#onSilence();
  }

  /** What has come and what has gone: bytes that wait in this process have not. */
  #bytes(): number {
    const { bytesRead, bytesWritten, writableLength } = this.#socket;
    return bytesRead + bytesWritten - writableLength;
  }
}
