// The client's JSON: as JSON.parse reads it, but for numbers that a double cannot hold.
import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ClientError, parseJson, printJson } from '../../client.ts';

const exact = { integers: 'bigint', decimals: 'string' } as const;

test('64-bit integers come back as they were', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
      const text = printJson({ value });
      assert.equal(parseJson(text, exact), { value });
      const read = parseJson(text);
      const expected = BigInt(Number(value)) === value && Number.isSafeInteger(Number(value)) ? Number(value) : value;
      assert.equal(read, { value: expected });
    }),
  );
});

test('the exact reader and JSON.parse agree on every text where doubles suffice', () => {
  fc.assert(
    fc.property(fc.json(), fc.constantFrom('', ' ', '\n\t'), (text, space) => {
      // A long digit run in front makes the exact reader read everything.
      const probe = `[12345678901234567890,${space}${text}${space}]`;
      assert.equal(parseJson(probe), [12345678901234567890n, keepIntegers(JSON.parse(text))]);
    }),
  );
});

/** Integers that a double has rounded are not comparable: fc.json makes doubles, printed without an exponent up to 1e21. */
function keepIntegers(value: unknown): unknown {
  if (typeof value === 'number') {
    const text = JSON.stringify(value);
    return /^-?\d+$/.test(text) && !Number.isSafeInteger(value) ? BigInt(text) : value;
  }
  if (Array.isArray(value)) return value.map(keepIntegers);
  if (typeof value !== 'object' || value === null) return value;
  const made = {};
  for (const [key, item] of Object.entries(value)) {
    Object.defineProperty(made, key, {
      value: keepIntegers(item),
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
  return made;
}

test('both readers refuse the same texts', () => {
  fc.assert(
    fc.property(fc.json(), fc.nat(), fc.constantFrom('', '"', ',', '}', '\\', '0', 'e', '\u0001'), (text, at, put) => {
      const cut = at % (text.length + 1);
      const broken = text.slice(0, cut) + put + text.slice(cut + 1);
      let isJson = true;
      try {
        JSON.parse(broken);
      } catch {
        isJson = false;
      }
      const read = (): unknown => parseJson(broken, exact);
      if (isJson) read();
      else
        assert.throws(
          read,
          (error: unknown) => error instanceof ClientError && error.code === 'client.malformed_reply',
        );
    }),
  );
});

test('decimals can stay text', () => {
  assert.equal(parseJson('{"price":12.50,"n":3,"x":1e3}', { decimals: 'string' }), { price: '12.50', n: 3, x: '1e3' });
  assert.equal(parseJson('{"price":12.50}'), { price: 12.5 });
});

test('equal rows print alike whatever the order of their columns', () => {
  assert.is(printJson({ b: 1n, a: [new Uint8Array([1, 2]), null] }, true), '{"a":[[1,2],null],"b":1}');
  assert.throws(
    () => printJson({ a: Number.NaN }),
    (error: unknown) => error instanceof ClientError,
  );
});

test.run();
