// Arrays of words that grow: what was in them is there, and large ones stay where they are.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { asDoubles, grownWords, pageWords, touchPages } from '../../../../actors/engine/state/grown-words.ts';

const grown = suite('grown words');

grown('an array keeps its words and has room for more, which are 0', () => {
  let words = new Int32Array(10).fill(7);
  for (const needed of [11, 1000, 200_000, 300_000, 3_000_000]) {
    const before = words.length;
    words = grownWords(words, needed) as Int32Array<ArrayBuffer>;
    assert.ok(words.length >= needed, `${words.length} words, ${needed} needed`);
    assert.is(words[before - 1], 7);
    assert.is(words[before], 0);
    words.fill(7);
  }
});

grown('a large one grows in place, so that an earlier view sees what is written through a later one', () => {
  const large = grownWords(new Int32Array(1), 1_000_000);
  const larger = grownWords(large, 5_000_000);
  assert.is(larger.buffer, large.buffer);
  larger[3] = 42;
  assert.is(large[3], 42);
  // A view with a length of its own: one that follows its memory is slow to read.
  assert.ok(large.length < larger.length);
});

grown('the words of two columns are one array of doubles', () => {
  const words = grownWords(new Int32Array(1), 1_000_000);
  const doubles = asDoubles(words);
  doubles[1] = 1;
  assert.is(doubles.length, words.length >> 1);
  assert.is(words[3], 0x3ff00000);
});

grown('pages that are asked for keep what is in them, up to the end of the array', () => {
  for (const words of [new Int32Array(5 * pageWords + 3), grownWords(new Int32Array(1), 1_000_000)]) {
    for (let at = 0; at < 5 * pageWords; at += 512) words[at] = at + 1;
    touchPages(words, 0, 3 * pageWords);
    touchPages(words, pageWords, words.length + 10 * pageWords);
    for (let at = 0; at < 5 * pageWords; at++) assert.is(words[at], at % 512 === 0 ? at + 1 : 0);
  }
});

grown.run();
