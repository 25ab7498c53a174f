// The kernels of a record table, generated for one number of key words: hashing and comparing are unrolled, and every
// width has functions (and type feedback) of its own. Only numbers enter the source, never a name or a value of a user.
//
// A kernel goes over `count` keys, key i beginning at word i * stride of `keys`, and writes a record number for each to
// `ids`. `header` is the table's [used, first free + 1, live, greatest small key, run: key, record, length, shift]; the table
// must have room for `count` more records. A small key is one whose words are 0 but for the first: dictionary codes, row
// numbers, most ids. The run is a range of small keys that came one after the other, as ids do, at a distance of 2^shift, so
// that their records follow one another as well: they need no memory at all. `direct` remembers the records of other small
// keys below its length, so that they need no probe; what neither knows is probed for.
// Probes into a large table wait for memory. A plain loop of loads keeps many of them under way, a loop that branches on
// what it loads does not; so slots and records are first touched by loops without branches (`warmth` keeps them alive).
// Between the two the slots tell by their hashes which records to touch.
// Each loop is a function that ends with it: V8 compiles a loop that it enters while it runs without knowing what stands behind it, gives
// the code up there, and does so call after call. So what a loop changes is in `header` all the time.
// `pending` and `hashes` are scratch for `count` keys. `homes` says where in the
// slots a hash is looked for first (hash-slots.ts).
// The cache of compiled kernels is a pure function of the number of words.
export interface RecordKernels {
  /** Finds each key, or gives it a record: the key is copied, the words behind it are 0. */
  readonly findOrInsert: (
    slots: Int32Array,
    words: Int32Array,
    width: number,
    keys: Int32Array,
    stride: number,
    count: number,
    ids: Int32Array,
    header: Int32Array,
    hashMask: number,
    direct: Int32Array,
    pending: Int32Array,
    hashes: Int32Array,
    homes: Int32Array,
  ) => number;
  /** Finds each key; -1 where there is none. */
  readonly find: (
    slots: Int32Array,
    words: Int32Array,
    width: number,
    keys: Int32Array,
    stride: number,
    count: number,
    ids: Int32Array,
    hashMask: number,
    homes: Int32Array,
  ) => void;
  /** The record of the one key at word `at` of `keys`, whose hash is known; -1 where there is none. */
  readonly findHashed: (
    slots: Int32Array,
    words: Int32Array,
    width: number,
    keys: Int32Array,
    at: number,
    hash: number,
    homes: Int32Array,
  ) => number;
  /** The hash of the key that begins at word `at`. */
  readonly hash: (words: Int32Array, at: number, hashMask: number) => number;
}

const unrolledMax = 24;
/** Keys of more words are not looked at as small keys. */
export const smallKeyWordsMax = 3;
/** A run of fewer keys is not one yet. */
const runMin = 64;
/** Slots beyond this many words are taken not to be in the cache. */
const warmWords = 16_384;
const compiled = new Map<number, RecordKernels>();

export function recordKernels(keyWords: number): RecordKernels {
  let kernels = compiled.get(keyWords);
  if (kernels === undefined) {
    // SAFETY: the source below returns an object of these functions.
    kernels = new Function(recordKernelSource(keyWords))() as RecordKernels;
    compiled.set(keyWords, kernels);
  }
  return kernels;
}

export function recordKernelSource(keyWords: number): string {
  const unrolled = keyWords <= unrolledMax;
  const each = Array.from({ length: keyWords }, (_, k) => k);
  const load = unrolled ? each.map((k) => `const k${k} = keys[at + ${k}];`).join(' ') : '';
  const hash = (array: string): string =>
    unrolled
      ? `let h = ${0x3c6ef372 | 0}; ${each.map((k) => mix(array === 'keys' ? `k${k}` : `words[at + ${k}]`)).join(' ')} ${finish}`
      : `let h = ${0x3c6ef372 | 0}; for (let k = 0; k < ${keyWords}; k++) { ${mix(`${array}[at + k]`)} } ${finish}`;
  const equal = unrolled
    ? `if (${each.map((k) => `words[b + ${k}] === k${k}`).join(' && ') || 'true'}) { id = r; break; }`
    : `let k = 0; while (k < ${keyWords} && words[b + k] === keys[at + k]) k++; if (k === ${keyWords}) { id = r; break; }`;
  const copy = unrolled
    ? each.map((k) => `words[w + ${k}] = k${k};`).join(' ')
    : `for (let k = 0; k < ${keyWords}; k++) words[w + k] = keys[at + k];`;
  const others = each.slice(1);
  const small = keyWords > 0 && keyWords <= smallKeyWordsMax;
  const isSmall = ['k0 >= 0', ...others.map((k) => `k${k} === 0`)].join(' && ');
  const known = (record: string): string =>
    `if (${isSmall}) { const d = k0 - runKey, q = d >> runShift; if (d >= 0 && q < runLength && q << runShift === d) ${record} = runId + q + 1; else if (k0 < known) ${record} = direct[k0]; }`;
  // A short run gives way to the key that came last; what is in a long one is not in `direct`.
  const remember = `if (${isSmall}) {
        const gap = k0 - header[4], runId = header[5], runLength = header[6];
        if (runLength === 1 && id === runId + 1 && gap > 0 && (gap & (gap - 1)) === 0) header[7] = 31 - Math.clz32(gap);
        const follows = id === runId + runLength && gap === runLength * (1 << header[7]) && gap > 0;
        if (follows) header[6] = runLength + 1;
        else if (runLength < ${runMin}) { header[4] = k0; header[5] = id; header[6] = 1; header[7] = 0; }
        if (!follows || header[6] <= ${runMin}) {
          if (k0 < direct.length) direct[k0] = id + 1; else if (k0 > header[3]) header[3] = k0;
        }
      }`;
  const probe = (absent: string): string => `
      ${home('s', 'h')}
      let id;
      for (;;) {
        const r = slots[s + 1] - 1;
        if (r < 0) { ${absent} break; }
        if (slots[s] === h) { const b = r * width; ${equal} }
        s += 2;
      }
      ids[i] = id;`;
  const firstPass = small
    ? `const known = direct.length;
    let i = 0, at = 0;
    for (; i < count - 3; i += 4) {
      ${[0, 1, 2, 3].map((u) => `let r${u} = 0; { ${load} at += stride; ${known(`r${u}`)} }`).join('\n      ')}
      ${[0, 1, 2, 3].map((u) => `ids[i + ${u}] = r${u} - 1;`).join(' ')}
      if (r0 === 0 || r1 === 0 || r2 === 0 || r3 === 0) {
        ${[0, 1, 2, 3].map((u) => `if (r${u} === 0) pending[n++] = i + ${u};`).join(' ')}
      }
    }
    for (; i < count; i++, at += stride) {
      ${load}
      let r = 0;
      ${known('r')}
      ids[i] = r - 1;
      if (r === 0) pending[n++] = i;
    }`
    : `for (; n < count; n++) pending[n] = n;`;
  return `'use strict';
  function recall(keys, stride, count, ids, header, direct, pending) {
    let n = 0;
    ${small ? 'const runKey = header[4], runId = header[5], runLength = header[6], runShift = header[7];' : ''}
    ${firstPass}
    return n;
  }
  function hashAll(keys, stride, pending, n, hashMask, hashes) {
    for (let p = 0; p < n; p++) {
      const at = pending[p] * stride;
      ${load} ${hash('keys')}
      hashes[p] = h;
    }
  }
  function warmSlots(slots, hashes, n, homes) {
    const mask = homes[0], last = homes[1] - 1, half = (mask + 1) >> 1;
    let warmth = 0;
    for (let p = 0; p < n - 3; p += 4) {
      ${[0, 1, 2, 3].map((u) => home(`s${u}`, `hashes[p + ${u}]`)).join(' ')}
      warmth ^= slots[s0] ^ slots[s1] ^ slots[s2] ^ slots[s3];
    }
    return warmth;
  }
  function guess(slots, hashes, pending, n, ids, homes) {
    const mask = homes[0], last = homes[1] - 1, half = (mask + 1) >> 1;
    for (let p = 0; p < n; p++) {
      const h = hashes[p];
      ${home('s', 'h')}
      while (slots[s + 1] !== 0 && slots[s] !== h) s += 2;
      ids[pending[p]] = slots[s + 1];
    }
  }
  function warmRecords(words, width, pending, n, ids) {
    let warmth = 0;
    for (let p = 0; p < n - 3; p += 4) {
      ${[0, 1, 2, 3].map((u) => `const r${u} = ids[pending[p + ${u}]];`).join(' ')}
      warmth ^= ${[0, 1, 2, 3].map((u) => `words[(r${u} === 0 ? 0 : r${u} - 1) * width]`).join(' ^ ')};
    }
    return warmth;
  }
  function insertAll(slots, words, width, keys, stride, n, ids, header, direct, pending, hashes, homes) {
    const mask = homes[0], last = homes[1] - 1, half = (mask + 1) >> 1;
    for (let p = 0; p < n; p++) {
      const i = pending[p], at = i * stride, h = hashes[p];
      ${load}${probe(`
          const free = header[1];
          if (free !== 0) { id = free - 1; header[1] = words[id * width]; } else id = header[0]++;
          header[2]++;
          const w = id * width;
          ${keyWords === 0 ? 'words[w] = 0;' : copy}
          slots[s] = h; slots[s + 1] = id + 1;`)}
      ${small ? remember : ''}
    }
  }
  function findOrInsert(slots, words, width, keys, stride, count, ids, header, hashMask, direct, pending, hashes, homes) {
    const n = recall(keys, stride, count, ids, header, direct, pending);
    if (n === 0) return 0;
    hashAll(keys, stride, pending, n, hashMask, hashes);
    let warmth = 0;
    if (homes[1] - 1 > ${warmWords}) {
      warmth = warmSlots(slots, hashes, n, homes);
      guess(slots, hashes, pending, n, ids, homes);
      warmth ^= warmRecords(words, width, pending, n, ids);
    }
    insertAll(slots, words, width, keys, stride, n, ids, header, direct, pending, hashes, homes);
    return warmth;
  }
  function find(slots, words, width, keys, stride, count, ids, hashMask, homes) {
    const mask = homes[0], last = homes[1] - 1, half = (mask + 1) >> 1;
    for (let i = 0, at = 0; i < count; i++, at += stride) {
      ${load} ${hash('keys')}${probe('id = -1;')}
    }
  }
  function findHashed(slots, words, width, keys, at, h, homes) {
    const mask = homes[0], last = homes[1] - 1, half = (mask + 1) >> 1;
    ${load}
    ${home('s', 'h')}
    let id;
    for (;;) {
      const r = slots[s + 1] - 1;
      if (r < 0) return -1;
      if (slots[s] === h) { const b = r * width; ${equal} }
      s += 2;
    }
    return id;
  }
  function hash(words, at, hashMask) { ${hash('words')} return h; }
  return { findOrInsert, find, findHashed, hash };`;
}

/** Declares where a hash is looked for first: without a branch, which nobody could guess. */
function home(name: string, hash: string): string {
  return `let ${name} = (${hash} << 1) & mask; ${name} -= half & ((last - ${name}) >> 31);`;
}

function mix(word: string): string {
  return `h = Math.imul(((h << 13) | (h >>> 19)) ^ ${word}, ${0x9e3779b1 | 0});`;
}

const finish = `h ^= h >>> 15; h = Math.imul(h, ${0x2c1b3c6d | 0}); h ^= h >>> 13; h &= hashMask;`;
