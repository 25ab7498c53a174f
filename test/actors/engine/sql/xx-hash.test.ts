// XXH64 against published values.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { xxHash64 } from '../../../../actors/engine/sql/xx-hash.ts';

const published: readonly [text: string, seed: bigint, hash: bigint][] = [
  ['', 0n, 0xef46db3751d8e999n],
  ['abc', 0n, 0x44bc2cf5ad770999n],
  ['xxhash', 0n, 0x32dd38952c4bc720n],
  ['xxhash', 20141025n, 0xb559b98d844e0635n],
  ['Nobody inspects the spammish repetition', 0n, 0xfbcea83c8a378bf1n],
];

for (const [text, seed, hash] of published) {
  test(`the hash of "${text}" with seed ${seed}`, () => assert.is(xxHash64(Buffer.from(text), seed), hash));
}

test.run();
