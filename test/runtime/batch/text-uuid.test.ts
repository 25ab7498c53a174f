// UUIDs as text.
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { malformed, parsed } from '../../../runtime/batch/text-outcome.ts';
import { parseUuid, printUuid } from '../../../runtime/batch/text-uuid.ts';
import { wordsOf } from '../../../runtime/batch/text-words.ts';

function parse(text: string): { outcome: number; high: bigint; low: bigint } {
  const values = new BigInt64Array(4);
  const bytes = new TextEncoder().encode(text);
  const outcome = parseUuid(bytes, 0, bytes.length, wordsOf(values), 1);
  return { outcome, low: BigInt.asUintN(64, values[2] ?? 0n), high: BigInt.asUintN(64, values[3] ?? 0n) };
}

test('the first eight bytes are the high word, the last eight the low word', () => {
  const got = parse('00112233-4455-6677-8899-AABBCCDDEEFF');
  assert.equal(got, { outcome: parsed, high: 0x0011223344556677n, low: 0x8899aabbccddeeffn });
  assert.equal(parse('00112233445566778899aabbccddeeff'), got);
});

test('every UUID survives printing and parsing', () => {
  const out = new Uint8Array(40);
  fc.assert(
    fc.property(fc.uuid(), (text) => {
      const values = new BigInt64Array(4);
      const bytes = new TextEncoder().encode(text);
      assert.is(parseUuid(bytes, 0, 36, wordsOf(values), 1), parsed);
      assert.is(new TextDecoder().decode(out.subarray(0, printUuid(wordsOf(values), 1, out, 0))), text);
    }),
  );
});

test('anything else is malformed', () => {
  for (const text of [
    '',
    '0',
    '00112233-4455-6677-8899-AABBCCDDEEF',
    '0011223344-55-6677-8899-AABBCCDDEEFF',
    'g0112233-4455-6677-8899-AABBCCDDEEFF',
  ]) {
    assert.is(parse(text).outcome, malformed, text);
  }
});

test.run();
