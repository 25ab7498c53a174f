// Cuts a stream of payloads into pieces of whole records, each of which can be decoded alone, on any thread.
//
//   payloads   |······|······|······|        bytes as they came
//   buffer     [left over][new bytes      ]  what the splitter is asked about
//   pieces     [whole records      ][rest]   the rest waits for more
//
// Invariants: the pieces, one after the other, are the payloads, one after the other; nothing is looked at twice beyond
// what the splitter itself does; the left-over is copied once for each doubling, so that a record over many payloads
// costs linear time. A piece owns its whole buffer and may be transferred. Payloads that are larger than
// `pieceBytesMax` are cut into several pieces. A piece of a payload that is lent stays where it is, and is lent on; what is left over of one
// goes in front of the next one. Not here: what a record is (the format's splitter), decoding.
import type { Splitter } from '../../connectors/sdk/format.ts';
import { isLent, type PayloadBytes } from '../../connectors/sdk/source.ts';
import { assert } from '../../runtime/assert.ts';
import { RecordTooLarge } from './source-errors.ts';

/** Whole records, in the order of the stream. */
export interface Piece {
  readonly bytes: PayloadBytes;
  /** Of bytes that are lent: called when nobody looks at them any more. */
  readonly release: (() => void) | null;
  /** The head of a stream: a CSV header stands here. */
  readonly first: boolean;
  readonly prologue: Uint8Array<ArrayBuffer>;
  /** Bytes of the whole input before this piece, and up to its end. */
  readonly startOffset: number;
  readonly endOffset: number;
}

export interface CutterLimits {
  /** A record longer than this is refused. */
  readonly recordBytesMax: number;
  /** Above this, a payload becomes several pieces of about a quarter of it. */
  readonly pieceBytesMax: number;
}

export const cutterLimits: CutterLimits = { recordBytesMax: 256 << 20, pieceBytesMax: 4 << 20 };

const noBytes: Uint8Array<ArrayBuffer> = new Uint8Array(0);

export class RecordCutter {
  readonly #splitter: Splitter;
  readonly #limits: CutterLimits;
  /** Left over and new bytes: `#buffer[0 .. #used)`. Of these the splitter has seen the first `#seen`. */
  #buffer: PayloadBytes = noBytes;
  /** Whoever gave the buffer wants to hear that it is not looked at any more. */
  #release: (() => void) | null = null;
  #used = 0;
  #seen = 0;
  /** Offset of `#buffer[0]` in the whole input. */
  #offset = 0;
  #first = true;
  #prologue: Uint8Array<ArrayBuffer> | null = null;

  constructor(splitter: Splitter, limits: CutterLimits = cutterLimits) {
    this.#splitter = splitter;
    this.#limits = limits;
  }

  /** What whoever takes the stream up behind a piece needs to know of it. */
  get taken(): 'again from its start' | 'with its head' | 'anywhere' {
    if (this.#splitter.resume === undefined) return 'again from its start';
    return this.#splitter.prologue === undefined ? 'anywhere' : 'with its head';
  }

  /** What comes stands in the middle of a stream, behind a piece whose prologue this is. */
  resume(prologue: Uint8Array<ArrayBuffer>): void {
    assert(this.#splitter.resume !== undefined, 'only a stream that can be taken up is');
    this.#splitter.resume();
    this.#first = false;
    this.#prologue = prologue;
  }

  /** Bytes that came and have not been cut yet. */
  get waitingBytes(): number {
    return this.#used;
  }

  /** Bytes that came and that the splitter has not been asked about: `cut` may yield something. */
  get unseenBytes(): number {
    return this.#used - this.#seen;
  }

  /** Takes `bytes` over. They are not looked at before `cut` or `end`. */
  append(bytes: PayloadBytes, release: (() => void) | null = null): void {
    if (bytes.length === 0) {
      release?.();
      return;
    }
    if (this.#used === 0) {
      this.#buffer = bytes;
      this.#used = bytes.length;
      this.#release = release;
      return;
    }
    if (isLent(bytes) && this.#used <= bytes.byteOffset) {
      this.#joinInFront(bytes, release);
      return;
    }
    const needed = this.#used + bytes.length;
    if (needed > this.#buffer.length) {
      // The first growth of a short rest is exact; a record that goes on and on doubles.
      const doubled = Math.min(this.#used * 2, this.#limits.recordBytesMax + bytes.length);
      const grown = new Uint8Array(Math.max(needed, doubled));
      grown.set(this.#buffer.subarray(0, this.#used));
      this.#buffer = grown;
      this.#giveBack();
    }
    this.#buffer.set(bytes, this.#used);
    this.#used = needed;
    release?.();
  }

  #joinInFront(bytes: Uint8Array<SharedArrayBuffer>, release: (() => void) | null): void {
    const used = this.#used;
    const joined = new Uint8Array(bytes.buffer, bytes.byteOffset - used, used + bytes.length);
    joined.set(this.#buffer.subarray(0, used));
    this.#giveBack();
    this.#buffer = joined;
    this.#used = joined.length;
    this.#release = release;
  }

  #giveBack(): void {
    const release = this.#release;
    this.#release = null;
    release?.();
  }

  /**
   * The whole records of what came so far.
   * @throws RecordTooLarge when what is left over is longer than a record may be.
   */
  cut(): Piece[] {
    const pieces: Piece[] = [];
    if (this.unseenBytes === 0) return pieces;
    const whole = this.unseenBytes <= this.#limits.pieceBytesMax;
    const window = whole ? this.#used : this.#limits.pieceBytesMax >> 2;
    let start = 0;
    let end = this.#seen;
    while (end < this.#used) {
      end = Math.min(this.#used, end + window);
      const length = this.#splitter.split(this.#buffer.subarray(start, end));
      assert(length >= 0 && length <= end - start, 'a splitter returns a part of what it was given');
      if (length > 0) {
        // A piece of its own buffer; the last one of a whole payload takes the buffer itself, see below.
        const bytes = this.#buffer.subarray(start, start + length);
        if (whole) pieces.push(this.#lendingPiece(bytes, this.#offset + start));
        else pieces.push(this.#piece(bytes.slice(), this.#offset + start, null));
        start += length;
      } else if (end - start > this.#limits.recordBytesMax) {
        throw new RecordTooLarge({
          recordBytesMax: this.#limits.recordBytesMax,
          offset: this.#offset + start,
        });
      }
    }
    if (start > 0) {
      this.#buffer = start === this.#used ? noBytes : this.#buffer.slice(start, this.#used);
      // Pieces of a large payload, and what is left of it, are copies.
      if (!whole) this.#giveBack();
      this.#used -= start;
      this.#offset += start;
    }
    this.#seen = this.#used;
    return pieces;
  }

  /** The stream ends: everything that is left. The next bytes start a new stream. */
  end(): Piece[] {
    const pieces = this.cut();
    if (this.#used > 0) {
      pieces.push(this.#lendingPiece(this.#buffer.subarray(0, this.#used), this.#offset));
      this.#offset += this.#used;
    }
    this.#buffer = noBytes;
    this.#used = 0;
    this.#seen = 0;
    this.#first = true;
    this.#prologue = null;
    this.#splitter.reset();
    return pieces;
  }

  /** Takes the buffer with it. */
  #lendingPiece(bytes: PayloadBytes, startOffset: number): Piece {
    const release = isLent(bytes) ? this.#release : null;
    this.#release = null;
    return this.#piece(bytes, startOffset, release);
  }

  #piece(bytes: PayloadBytes, startOffset: number, release: (() => void) | null): Piece {
    this.#prologue ??= new Uint8Array(this.#splitter.prologue?.(bytes) ?? noBytes);
    const first = this.#first;
    this.#first = false;
    return { bytes, release, first, prologue: this.#prologue, startOffset, endOffset: startOffset + bytes.length };
  }
}
