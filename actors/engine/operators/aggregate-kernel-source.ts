// The kernels of an aggregate whose cells are only counts and sums of integers, generated for its cells.
//
// Such an aggregate is the most frequent one, and what it costs is fetching the records of its groups; so a row updates
// all cells of its group at once, and the results of a group are made at once, while its record is at hand. What the
// kernels do not cover is left to the general code (aggregate-cells.ts, aggregate-results.ts), which gives the same:
// blocks with NULLs or great weights, sums that need more than two limbs or come near the limit of their type.
// Only numbers enter the source. The cache of compiled kernels is a pure function of the source.
import { limbsOfTwoWords, limbsOfWord } from '../state/exact-sum.ts';

/** Where a sum lies in a group's record, and where its operand lies in a row. */
export interface PlainSum {
  readonly at: number;
  readonly limbs: number;
  readonly shift: number;
}

export type PlainResult =
  | { readonly kind: 'count'; readonly at: number; readonly offset: number }
  | {
      readonly kind: 'sum';
      readonly at: number;
      readonly limbs: number;
      readonly countAt: number;
      readonly offset: number;
      readonly words: number;
      readonly nullWord: number;
      readonly nullBit: number;
      /** Sums of a smaller magnitude fit the type. */
      readonly safe: number;
    };

/** Adds the rows of a block to the cells of their groups. Weights are small, and every row is seen by every cell. */
export type AddKernel = (
  ids: Int32Array,
  weights: Int32Array,
  count: number,
  doubles: Float64Array,
  words: Int32Array,
  stride: number,
  carry: (doubles: Float64Array, at: number, limbs: number) => void,
) => void;

/** Writes the results of groups ids[0 .. count); false when one of them needs the general code. */
export type ResultKernel = (
  doubles: Float64Array,
  ids: Int32Array,
  count: number,
  words: Int32Array,
  stride: number,
) => boolean;

const carryAt = 4503599627370496;
const compiled = new Map<string, unknown>();

export function addKernel(width: number, counts: readonly number[], sums: readonly PlainSum[]): AddKernel {
  const adding = sums.map(({ at, limbs, shift }, s) => {
    if (limbs === limbsOfWord)
      return `
    const s${s} = doubles[g + ${at}] + words[r + ${shift}] * w;
    doubles[g + ${at}] = s${s};
    if (s${s} >= ${carryAt} || s${s} <= -${carryAt}) carry(doubles, g + ${at}, ${limbsOfWord});`;
    return `
    const l${s} = doubles[g + ${at}] + (words[r + ${shift}] >>> 0) * w;
    const h${s} = doubles[g + ${at + 1}] + words[r + ${shift + 1}] * w;
    doubles[g + ${at}] = l${s};
    doubles[g + ${at + 1}] = h${s};
    if (l${s} >= ${carryAt} || l${s} <= -${carryAt} || h${s} >= ${carryAt} || h${s} <= -${carryAt}) carry(doubles, g + ${at}, ${limbsOfTwoWords});`;
  });
  const source = `'use strict'; return function add(ids, weights, count, doubles, words, stride, carry) {
  for (let i = 0, r = 0; i < count; i++, r += stride) {
    const w = weights[i], g = ids[i] * ${width};
    ${counts.map((at) => `doubles[g + ${at}] += w;`).join(' ')}${adding.join('')}
  }
}`;
  // SAFETY: the source is that of such a function.
  return compile(source) as AddKernel;
}

/** `always`: a group has a row whatever its count of rows, which lies at `rowCountAt`. */
export function resultKernel(
  width: number,
  rowCountAt: number,
  always: boolean,
  results: readonly PlainResult[],
): ResultKernel {
  const writing = results.map((result) => {
    if (result.kind === 'count')
      return `
    { const c = doubles[g + ${result.at}]; words[o + ${result.offset}] = c | 0; words[o + ${result.offset + 1}] = Math.floor(c / 4294967296); }`;
    const { at, limbs, countAt, offset, nullWord, nullBit, safe } = result;
    const isNull = nullWord < 0 ? '' : `words[o + ${nullWord}] |= ${nullBit};`;
    return `
    if (doubles[g + ${countAt}] === 0) { ${isNull} } else {
      ${limbs > limbsOfWord ? `if (doubles[g + ${at + limbsOfWord}] !== 0) return false;` : ''}
      let low = doubles[g + ${at}], high = doubles[g + ${at + 1}];
      if (low < 0 || low >= 4294967296) { const over = Math.floor(low / 4294967296); low -= over * 4294967296; high += over; }
      if (high < -2147483648 || high > 2147483647) return false;
      const size = high * 4294967296 + low;
      if (size >= ${safe} || size <= -${safe}) return false;
      words[o + ${offset}] = low; words[o + ${offset + 1}] = high;
      ${result.words === 4 ? `words[o + ${offset + 2}] = words[o + ${offset + 3}] = high < 0 ? -1 : 0;` : ''}
    }`;
  });
  const source = `'use strict'; return function results(doubles, ids, count, words, stride) {
  for (let t = 0, o = 0; t < count; t++, o += stride) {
    const g = ids[t] * ${width};${writing.join('')}
    words[o + stride - 1] = ${always ? '1' : `doubles[g + ${rowCountAt}] > 0 ? 1 : 0`};
  }
  return true;
}`;
  // SAFETY: the source is that of such a function.
  return compile(source) as ResultKernel;
}

function compile(source: string): unknown {
  let made = compiled.get(source);
  if (made === undefined) {
    made = new Function(source)() as unknown;
    compiled.set(source, made);
  }
  return made;
}
