// The grammar goes the same way at every place as under chevrotain's own analysis.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { IToken } from '../../../../actors/engine/sql/chevrotain-grammar.ts';
import { SqlParser } from '../../../../actors/engine/sql/statement-grammar.ts';
import { vocabulary } from '../../../../actors/engine/sql/tokens.ts';

type Choose = (this: object, alternatives: readonly object[]) => unknown;

/** What both kinds of parser have in them, which is nobody's but chevrotain's and the test's. */
interface Insides {
  readonly lookAheadFuncsCache: ReadonlyMap<number, Choose>;
  readonly shortRuleNameToFull: Readonly<Record<number, string>>;
  getLaFuncFromCache(key: number): Choose | undefined;
}

function insides(parser: SqlParser): Insides {
  // SAFETY: the members of chevrotain's parser, and the one that ours overrides.
  return parser as unknown as Insides;
}

const tokens: readonly IToken[] = vocabulary.map((tokenType) => ({
  image: '',
  startOffset: 0,
  tokenType,
  tokenTypeIdx: tokenType.tokenTypeIdx ?? 0,
}));

test("every place of the grammar chooses for every token as chevrotain's analysis does", () => {
  const analysed = insides(new SqlParser({ use: 'analyse' }));
  const lazy = insides(new SqlParser());
  assert.ok(analysed.lookAheadFuncsCache.size > 200, 'chevrotain looked at all places');
  for (const [key, theirs] of analysed.lookAheadFuncsCache) {
    const rule = analysed.shortRuleNameToFull[key & ~0xfff];
    const ours = lazy.getLaFuncFromCache(key);
    assert.ok(ours !== undefined, `${rule} ${key & 0xfff} is not known`);
    for (const token of tokens) {
      const input = { LA: () => token, LA_FAST: () => token };
      // Of OR the number of a way; of all else whether to go in, where `undefined` would be false.
      assert.equal(ours.call(input, []), theirs.call(input, []), `${rule} ${key & 0xfff} ${token.tokenType.name}`);
    }
  }
});

test.run();
