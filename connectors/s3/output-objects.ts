// What both ways of writing objects have in common: settings, the parts of a key, and the body that is gathered between two requests.
import type { S3Settings } from './s3-bucket.ts';

export interface S3OutputSettings extends S3Settings {
  readonly prefix: string;
  readonly suffix: string;
  readonly content_type: string;
  readonly delivery: 'at_least_once' | 'exactly_once';
  readonly output_id?: string;
}

/** In UTC, to the millisecond; sorts as text. */
export function keyTime(ms: number): string {
  return new Date(ms).toISOString().replaceAll(/[-:]/g, '').replace('.', '');
}

export function keyNumber(object: number): string {
  return String(object).padStart(6, '0');
}

const bodyBytesMin = 1 << 20;
/** Memory of a larger body is let go. */
const keptBytesMax = 32 << 20;

/** Bytes one behind the other, in memory that is used again for the next body. */
export class ObjectBody {
  #memory: Buffer = Buffer.alloc(0);
  #used = 0;

  get length(): number {
    return this.#used;
  }

  /** Until the next call of another method. */
  get bytes(): Uint8Array {
    return this.#memory.subarray(0, this.#used);
  }

  /** The caller may use its array again afterwards. */
  add(bytes: Uint8Array): void {
    const needed = this.#used + bytes.length;
    if (needed > this.#memory.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.#memory.length * 2, bodyBytesMin));
      this.#memory.copy(grown, 0, 0, this.#used);
      this.#memory = grown;
    }
    this.#memory.set(bytes, this.#used);
    this.#used = needed;
  }

  clear(): void {
    this.#used = 0;
    if (this.#memory.length > keptBytesMax) this.#memory = Buffer.alloc(0);
  }
}
