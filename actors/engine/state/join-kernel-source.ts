// The kernels over the rows of one side of a join, generated for one number of payload words and one form of record.
//
// Copying a payload word by word in a loop costs more than the words themselves; unrolled, it is a few moves. Rows of a
// match are copied out to `staged` (payload words only, one pair after the other) while their cache line is at hand, so that
// nobody has to come back to the state for them. Only numbers enter the source.
// The cache of compiled kernels is a pure function of the record's form.

export interface JoinRecordForm {
  readonly payloadWords: number;
  /** Words of a record, and where in it payload, weight and the next record + 1 lie; weight -1: every weight is +1. */
  readonly width: number;
  readonly payloadAt: number;
  readonly weightAt: number;
  readonly nextAt: number;
  /** Records of a chunk as a power of two. */
  readonly chunkBits: number;
}

/** cursor: [next row of the block, next record of its chain + 1 or -1, pairs written] */
type Match<Words> = (
  words: Words,
  heads: Int32Array,
  weights: Int32Array,
  count: number,
  rows: Int32Array,
  staged: Int32Array,
  pairWeights: Int32Array,
  cursor: Int32Array,
) => void;

export interface JoinKernels {
  /** Writes the pairs of the rows from the cursor on, as many as `rows` has room for. */
  readonly match: Match<Int32Array>;
  readonly matchChunks: Match<readonly Int32Array[]>;
  /** Copies the payload of records ids[0 .. count) to `staged`. */
  readonly stage: (chunks: readonly Int32Array[], ids: Int32Array, count: number, staged: Int32Array) => void;
  /** Writes rows [from, to) as new records from word `at` on, the first of them being record `id`, and links them. */
  readonly append: (
    words: Int32Array,
    at: number,
    id: number,
    source: Int32Array,
    stride: number,
    shift: number,
    ids: Int32Array,
    from: number,
    to: number,
    keys: Int32Array,
    keyWidth: number,
    headAt: number,
  ) => void;
}

const unrolledMax = 24;
const compiled = new Map<string, JoinKernels>();

export function joinKernels(form: JoinRecordForm): JoinKernels {
  const key = [form.payloadWords, form.width, form.payloadAt, form.weightAt, form.nextAt, form.chunkBits].join();
  let kernels = compiled.get(key);
  if (kernels === undefined) {
    // SAFETY: the source below returns an object of these functions.
    kernels = new Function(joinKernelSource(form))() as JoinKernels;
    compiled.set(key, kernels);
  }
  return kernels;
}

export function joinKernelSource(form: JoinRecordForm): string {
  const { payloadWords, width, payloadAt, weightAt, nextAt, chunkBits } = form;
  const mask = 2 ** chunkBits - 1;
  const copy = (to: string, from: string): string =>
    payloadWords <= unrolledMax
      ? Array.from({ length: payloadWords }, (_, k) => `${to} + ${k}] = ${from} + ${k}];`).join(' ')
      : `for (let k = 0; k < ${payloadWords}; k++) ${to} + k] = ${from} + k];`;
  const match = (name: string, chunked: boolean): string => `
  function ${name}(${chunked ? 'chunks' : 'words'}, heads, weights, count, rows, staged, pairWeights, cursor) {
    const room = rows.length;
    let row = cursor[0], record = cursor[1], pairs = 0, to = 0;
    while (row < count) {
      if (record < 0) record = heads[row];
      while (record !== 0 && pairs < room) {
        ${chunked ? `const words = chunks[(record - 1) >>> ${chunkBits}];` : ''}
        const b = ${chunked ? `((record - 1) & ${mask})` : '(record - 1)'} * ${width};
        rows[pairs] = row;
        pairWeights[pairs++] = ${weightAt < 0 ? 'weights[row]' : `Math.imul(weights[row], words[b + ${weightAt}])`};
        ${copy('staged[to', `words[b + ${payloadAt}`)}
        to += ${payloadWords};
        record = words[b + ${nextAt}];
      }
      if (record !== 0) break;
      record = -1;
      row++;
    }
    cursor[0] = row; cursor[1] = record; cursor[2] = pairs;
  }`;
  return `'use strict';
  ${match('match', false)}
  ${match('matchChunks', true)}
  function stage(chunks, ids, count, staged) {
    for (let i = 0, to = 0; i < count; i++, to += ${payloadWords}) {
      const words = chunks[ids[i] >>> ${chunkBits}];
      const b = (ids[i] & ${mask}) * ${width};
      ${copy('staged[to', `words[b + ${payloadAt}`)}
    }
  }
  function append(words, at, id, source, stride, shift, ids, from, to, keys, keyWidth, headAt) {
    for (let i = from, b = at, read = from * stride + shift; i < to; i++, b += ${width}, read += stride) {
      const head = ids[i] * keyWidth + headAt;
      ${copy(`words[b + ${payloadAt}`, 'source[read')}
      words[b + ${nextAt}] = keys[head];
      keys[head] = ++id;
    }
  }
  return { match, matchChunks, stage, append };`;
}
