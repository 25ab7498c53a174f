// The random numbers of rows: a generator for each row of a batch, xoshiro256++ seeded by the seed plus the number of the row.
//
// Generator, seeding (eight words of PCG32), integers of a range (Lemire's multiplication with rejection), fractions and Zipf
// ranks are those of the Rust crates rand 0.8 and rand_distr 0.4, so that programs written for a generator that is built on
// them see the values that they know. A row's draws follow one another in the order of its columns; row r is the same
// whatever was generated before it, so resuming costs nothing and batches may be cut anywhere.
// Not for secrets. What is independent of the columns before it (texts, BOOLEAN) is drawn by random.ts instead.

/** One generator a row; `next` leaves its 64 bits in `drawn`, the lower half first. */
export class RowRandom {
  readonly #words: Int32Array;
  readonly drawn: Uint32Array = new Uint32Array(2);

  constructor(seed: number, firstRow: number, count: number) {
    this.#words = new Int32Array(count * 8);
    let state = BigInt(seed) + BigInt(firstRow);
    let growth = 1n;
    for (let i = 0; i < 8; i++) {
      state = BigInt.asUintN(64, state * pcgMultiplier + pcgIncrement);
      growth = BigInt.asUintN(64, growth * pcgMultiplier);
      seedRows(this.#words, i, state, growth);
    }
  }

  next(row: number): void {
    const words = this.#words;
    const at = row * 8;
    const a0 = words[at]!;
    const a1 = words[at + 1]!;
    const d0 = words[at + 6]!;
    const d1 = words[at + 7]!;
    // rotl(a + d, 23) + a
    const sum0 = (a0 + d0) | 0;
    const sum1 = (a1 + d1 + carry(a0, sum0)) | 0;
    const turned0 = (sum0 << 23) | (sum1 >>> 9);
    const turned1 = (sum1 << 23) | (sum0 >>> 9);
    const low = (turned0 + a0) | 0;
    this.drawn[0] = low;
    this.drawn[1] = turned1 + a1 + carry(a0, low);
    const b0 = words[at + 2]!;
    const b1 = words[at + 3]!;
    const c0 = words[at + 4]! ^ a0;
    const c1 = words[at + 5]! ^ a1;
    const e0 = d0 ^ b0;
    const e1 = d1 ^ b1;
    words[at + 2] = b0 ^ c0;
    words[at + 3] = b1 ^ c1;
    words[at] = a0 ^ e0;
    words[at + 1] = a1 ^ e1;
    words[at + 4] = c0 ^ (b0 << 17);
    words[at + 5] = c1 ^ ((b1 << 17) | (b0 >>> 15));
    // The last word turned by 45, that is by 13 with its halves exchanged.
    words[at + 6] = (e1 << 13) | (e0 >>> 19);
    words[at + 7] = (e0 << 13) | (e1 >>> 19);
  }

  /** Uniform in [0, span), span from 1 to 2^32; `excess` is `excessOf(span)`. */
  below(row: number, span: number, excess: number): number {
    for (;;) {
      this.next(row);
      const low = this.drawn[0]!;
      const high = this.drawn[1]!;
      if (span === 4294967296) return high;
      const product = Math.imul(high, span) >>> 0;
      // Nothing that the lower half adds reaches the result.
      if (product + span < 4294967296) return multiplyHigh(high, span);
      const middle = product + multiplyHigh(low, span);
      const accepted = middle % 4294967296 !== 4294967295 || Math.imul(low, span) >>> 0 <= 4294967295 - excess;
      if (accepted) return multiplyHigh(high, span) + (middle >= 4294967296 ? 1 : 0);
    }
  }

  /** Uniform in [0, span) for any span up to 2^64. */
  belowWide(row: number, span: bigint): bigint {
    const excess = (1n << 64n) % span;
    for (;;) {
      const product = this.bits(row) * span;
      if (BigInt.asUintN(64, product) < (1n << 64n) - excess) return product >> 64n;
    }
  }

  bits(row: number): bigint {
    this.next(row);
    return (BigInt(this.drawn[1]!) << 32n) | BigInt(this.drawn[0]!);
  }

  /** Uniform in [0, 1), 53 bits. */
  fraction(row: number): number {
    this.next(row);
    return (this.drawn[1]! * 2097152 + (this.drawn[0]! >>> 11)) / 9007199254740992;
  }

  /** Uniform in [0, 1), 52 bits: what ranges of REAL and DOUBLE are made of. */
  shortFraction(row: number): number {
    this.next(row);
    return (this.drawn[1]! * 1048576 + (this.drawn[0]! >>> 12)) / 4503599627370496;
  }

  /** Ranks in [0, span): rank k has a probability proportional to (k + 1)^-exponent. By rejection, constant time for any span. */
  zipf(row: number, span: number, exponent: number): number {
    const power = 1 - exponent;
    const area = exponent === 1 ? 1 + Math.log(span) : (span ** power - exponent) / power;
    for (;;) {
      const drawn = this.fraction(row) * area;
      const inverse =
        drawn <= 1 ? drawn : exponent === 1 ? Math.exp(drawn - 1) : (drawn * power + exponent) ** (1 / power);
      const rank = Math.floor(inverse + 1);
      const ratio = rank > 1 ? rank ** -exponent * inverse ** exponent : rank ** -exponent;
      if (this.fraction(row) < ratio) return rank - 1;
    }
  }

  /** One of the 62 letters and digits, as a byte. */
  alphanumeric(row: number): number {
    for (;;) {
      this.next(row);
      const choice = this.drawn[1]! >>> 26;
      if (choice < 26) return 65 + choice;
      if (choice < 52) return 71 + choice;
      if (choice < 62) return choice - 4;
    }
  }
}

const pcgMultiplier = 6364136223846793005n;
const pcgIncrement = 11634580027462260723n;

/** How many of the 2^64 draws have to be drawn again for a uniform integer below `span`. */
export function excessOf(span: number): number {
  return Number((1n << 64n) % BigInt(span));
}

// ── data plane ──────────────────────────────────────────────────────────────────────────────────────────────────────

/**
 * Word i of every row. The states of one row are state · multiplier + increment after one another, so from one row to the next,
 * whose seed is greater by one, state i grows by the multiplier to the power of i + 1.
 */
function seedRows(words: Int32Array, i: number, first: bigint, growth: bigint): void {
  let low = Number(BigInt.asIntN(32, first));
  let high = Number(BigInt.asIntN(32, first >> 32n));
  const growthLow = Number(BigInt.asIntN(32, growth));
  const growthHigh = Number(BigInt.asIntN(32, growth >> 32n));
  for (let at = i; at < words.length; at += 8) {
    words[at] = permuted(low, high);
    const sum = (low + growthLow) | 0;
    high = (high + growthHigh + carry(low, sum)) | 0;
    low = sum;
  }
}

/** The output of PCG32: the upper bits folded, turned by the uppermost five. */
function permuted(low: number, high: number): number {
  // ((state >> 18) ^ state) >> 27, its lower 32 bits
  const folded0 = ((low >>> 18) | (high << 14)) ^ low;
  const folded1 = (high >>> 18) ^ high;
  const folded = (folded0 >>> 27) | (folded1 << 5);
  const turn = high >>> 27;
  return (folded >>> turn) | (folded << (-turn & 31));
}

/** Whether `part + something`, both taken as 32 unsigned bits, overflowed into `sum`. */
function carry(part: number, sum: number): number {
  return sum >>> 0 < part >>> 0 ? 1 : 0;
}

/** The upper 32 bits of the product of two unsigned 32-bit integers. */
function multiplyHigh(a: number, b: number): number {
  const a0 = a & 0xffff;
  const a1 = a >>> 16;
  const b0 = b & 0xffff;
  const b1 = b >>> 16;
  const first = a1 * b0 + ((a0 * b0) >>> 16);
  const second = a0 * b1 + (first & 0xffff);
  return a1 * b1 + (first >>> 16) + (second >>> 16);
}
