// Where JSON values end: every cut of a stream decodes to the same rows.
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { jsonInput } from '../../../connectors/formats/json-decoder.ts';
import { decode, splitAll, table } from './decoded-rows.ts';

const runs = process.env['MILLRACE_LONG'] === '1' ? 50000 : 1500;
const raw = { update_format: 'raw' };
const target = table([{ name: 'x', type: { kind: 'VARIANT' } }]);
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const split = (text: string, configuration: Record<string, unknown> = raw): number =>
  jsonInput.splitter(configuration).split(bytesOf(text));

test('a value is complete with its last bracket, without waiting for what follows', () => {
  assert.is(split('{"x":1}'), 7);
  assert.is(split('{"x":1}\n'), 8);
  assert.is(split('{"x":1}\n{"x":'), 8);
  assert.is(split('{"x":1}{"x":2}{'), 14);
  assert.is(split('{"x":"}\\"]'), 0);
  assert.is(split('[[1],{"a":"]"}]  '), 15);
  assert.is(split('{"x":[1,\n2,\n{"a":1}\n'), 0);
});

test('a border inside of a value is none', () => {
  assert.is(split('[{"a":1}\n,{"a":2}'), 0);
  assert.is(split('{"x":[\n[1]\n,[2]]}\n{"x"'), 18);
});

test('garbage between values ends with its line', () => {
  assert.is(split('garbage "with\nmore'), 14);
  assert.is(split('garbage'), 0);
  assert.is(split('}}}]\n{"x":1}'), 12);
  assert.is(split('{"x":"open\n{"x":1}\n{"x'), 19);
});

test('lines: single cuts at the last line break', () => {
  const single = { ...raw, lines: 'single' };
  assert.is(split('{"x":1}\n{"x"\n:2', single), 13);
  assert.is(split('{"x":1}', single), 0);
});

test('any value over any number of lines, cut anywhere, gives the same rows', () => {
  const document = fc
    .tuple(fc.oneof(fc.jsonValue(), fc.array(fc.string())), fc.constantFrom(0, 1, 4))
    .map(([x, indent]) => JSON.stringify({ x }, null, indent));
  fc.assert(
    fc.property(
      fc.array(document, { maxLength: 8 }),
      fc.constantFrom('\n', '', ' ', '\r\n', '\n\n  '),
      fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 200, maxLength: 200 }),
      (documents, separator, sizes) => {
        const bytes = bytesOf(documents.join(separator));
        const { pieces } = splitAll(jsonInput, raw, bytes, [...sizes, 1 << 30]);
        const whole = decode(jsonInput, raw, target, bytes);
        const cut = decode(jsonInput, raw, target, bytes, { pieces });
        assert.is(whole.report.numParseErrors, 0);
        assert.equal(cut.rows, whole.rows);
        assert.is(cut.report.numParseErrors, 0);
        assert.is(Buffer.concat(pieces).compare(bytes), 0);
      },
    ),
    { numRuns: runs },
  );
});

test('good lines around bad ones survive every cut', () => {
  const line = fc.constantFrom(
    '{"x":1}',
    '{"x":[1,{"y":"}"}]}',
    'garbage',
    '{"x":"open',
    '{"x":{"y":1}',
    '}',
    '"',
    '{"x":1}]',
    '',
  );
  fc.assert(
    fc.property(
      fc.array(line, { maxLength: 12 }),
      fc.array(fc.integer({ min: 1, max: 20 }), { maxLength: 40 }),
      (lines, sizes) => {
        const bytes = bytesOf(lines.join('\n'));
        const { pieces } = splitAll(jsonInput, raw, bytes, [...sizes, 1 << 30]);
        assert.is(Buffer.concat(pieces).compare(bytes), 0);
        const cut = decode(jsonInput, raw, target, bytes, { pieces });
        // A good line before the first bad one, or after another good one, is kept; behind a bad one it may be its rest.
        let kept = 0;
        let isSafe = true;
        for (const text of lines) {
          const isGood = text === '{"x":1}' || text.startsWith('{"x":[');
          if (isGood && isSafe) kept++;
          isSafe = isGood || (isSafe && text === '');
        }
        assert.ok(cut.rows.length >= kept, `${cut.rows.length} of ${kept}`);
      },
    ),
    { numRuns: runs },
  );
});

test('a value of several megabytes is walked once, not once for each payload', () => {
  const bytes = bytesOf(`{"x":[${'"abc def",\n'.repeat(400000)}1]}\n{"x":2}\n`);
  const splitter = jsonInput.splitter(raw);
  let length = 0;
  for (let end = 4096; length === 0; end += 4096)
    length = splitter.split(bytes.subarray(0, Math.min(end, bytes.length)));
  assert.ok(length >= bytes.length - 9);
});

test.run();
