// The order of VARIANTs: null, false, true, numbers by value, texts by code point, arrays, objects.
//
// Arrays compare element by element, then by length; objects field by field in the order of their names. Numbers compare with all of their
// digits. Two texts of one value (1 and 1.0) are told apart by their texts, so that only what is identical is equal: which values are
// equal is told by variant-spelling.ts. One parse of both texts for each comparison: for sorting, never for columns of scalars.
import { decimalOf, variantSpelling } from './variant-spelling.ts';

/** Negative, 0 or positive. Both are well-formed JSON. */
export function compareVariants(a: string, b: string): number {
  if (a === b) return 0;
  return new Pair(variantSpelling(a), variantSpelling(b)).compare() || compareTexts(a, b);
}

/** Kinds of values in their order, by what their text begins with. */
function rankOf(first: number): number {
  switch (first) {
    case 0x6e: // null
      return 0;
    case 0x66: // false
      return 1;
    case 0x74: // true
      return 2;
    case 0x22:
      return 4;
    case 0x5b:
      return 5;
    case 0x7b:
      return 6;
    default:
      return 3;
  }
}

/** Reads two spellings at once, as far as they are equal. */
class Pair {
  readonly #a: string;
  readonly #b: string;
  /** Where both are: up to the first difference they are the same text. */
  #at = 0;

  constructor(a: string, b: string) {
    this.#a = a;
    this.#b = b;
  }

  compare(): number {
    const [a, b] = [this.#a, this.#b];
    const at = this.#at;
    const [one, other] = [rankOf(a.charCodeAt(at)), rankOf(b.charCodeAt(at))];
    if (one !== other) return one - other;
    if (one <= 2) {
      this.#at += one === 1 ? 5 : 4;
      return 0;
    }
    if (one === 3) return this.#leaves(numberEnd, compareNumbers);
    if (one === 4) return this.#leaves(stringEnd, compareStrings);
    return this.#parts(one === 6);
  }

  /** A number or a text of each: equal ones end at one place. */
  #leaves(endOf: (text: string, from: number) => number, order: (a: string, b: string) => number): number {
    const from = this.#at;
    const [endA, endB] = [endOf(this.#a, from), endOf(this.#b, from)];
    this.#at = endA;
    return order(this.#a.slice(from, endA), this.#b.slice(from, endB));
  }

  #parts(isObject: boolean): number {
    const [a, b] = [this.#a, this.#b];
    this.#at++;
    const [isEnd, isOtherEnd] = [isClosing(a, this.#at), isClosing(b, this.#at)];
    if (isEnd || isOtherEnd) {
      this.#at++;
      return Number(isOtherEnd) - Number(isEnd);
    }
    for (;;) {
      if (isObject) {
        const named = this.#leaves(stringEnd, compareStrings);
        if (named !== 0) return named;
        this.#at++;
      }
      const compared = this.compare();
      if (compared !== 0) return compared;
      const [more, otherMore] = [a[this.#at] === ',', b[this.#at] === ','];
      this.#at++;
      if (!more || !otherMore) return Number(more) - Number(otherMore);
    }
  }
}

function isClosing(text: string, at: number): boolean {
  return text[at] === ']' || text[at] === '}';
}

function numberEnd(text: string, from: number): number {
  let at = from;
  while (at < text.length && !',]}'.includes(text[at]!)) at++;
  return at;
}

function stringEnd(text: string, from: number): number {
  let at = from + 1;
  while (text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at + 1;
}

function compareStrings(a: string, b: string): number {
  if (a === b) return 0;
  const [one, other]: unknown[] = [JSON.parse(a), JSON.parse(b)];
  return compareTexts(String(one), String(other));
}

function compareTexts(a: string, b: string): number {
  return a === b ? 0 : Buffer.compare(Buffer.from(a), Buffer.from(b));
}

function compareNumbers(a: string, b: string): number {
  if (a === b) return 0;
  const [x, y] = [Number(a), Number(b)];
  if (x !== y) return x - y;
  const [one, other] = [decimalOf(a), decimalOf(b)];
  // Beyond what a double holds; both have the same sign, or are the same.
  const sign = one.sign === '-' ? -1 : 1;
  if (one.power !== other.power) return sign * (one.power - other.power);
  return sign * compareTexts(one.kept, other.kept);
}
