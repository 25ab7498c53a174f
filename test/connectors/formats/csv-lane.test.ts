// Lanes give what the general reader gives: plain CSV lines with others strewn in, against one decoder for each record.
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { csvInput } from '../../../connectors/formats/csv-decoder.ts';
import type { SqlType } from '../../../runtime/batch/sql-type.ts';
import { bigint, decimal, decode, double, integer, table, varchar } from './decoded-rows.ts';

const runs = process.env['MILLRACE_LONG'] === '1' ? 20000 : 150;

const number = fc.oneof(
  fc.integer().map(String),
  fc.bigInt({ min: -(2n ** 64n), max: 2n ** 64n }).map(String),
  fc.tuple(fc.integer(), fc.bigInt({ min: 0n, max: 10n ** 12n })).map(([a, b]) => `${a}.${b}`),
  fc.constantFrom(
    '',
    '0',
    '-0',
    '007',
    '-',
    '1.',
    '.5',
    '1e3',
    '1.50',
    '0x1f',
    '+1',
    '1 ',
    '"5"',
    '""',
    '123456789',
    '1234567890',
    '999999999999999',
    '1000000000000000',
    '9223372036854775807',
    '12.340',
    '0.005',
    'x',
    '1.5.5',
    'NaN',
  ),
);
const string = fc.oneof(
  fc.string({ maxLength: 80 }).map((text) => text.replace(/[",\r\n#]/g, 'x')),
  fc.string({ unit: 'binary', maxLength: 80 }).map((text) => `"${Buffer.from(text).toString().replaceAll('"', '""')}"`),
  fc.constantFrom(
    '',
    '""',
    '"a""b"',
    '"a\nb"',
    '"a,b"',
    'a"b',
    '"a"b',
    'a\rb',
    'x'.repeat(63),
    'x'.repeat(64),
    'é'.repeat(32),
    '"é"',
  ),
);
/** Dates and times as they are usually spelled, with what a fast path must not take for one mixed in. */
const separator = fc.constantFrom(' ', 'T', ' ', 'T', 't', '  ');
const fraction = fc.oneof(
  { weight: 4, arbitrary: fc.stringMatching(/^\.\d{1,6}$/) },
  { weight: 1, arbitrary: fc.constantFrom('', '.', '.1234567', '.123456789', '.1234567890', '.12x', '.000', ';5') },
);
const zone = fc.constantFrom('', '', '', 'Z', 'Z', 'z', 'ZZ', '+02:00', '-0330', '+01', ' ', '"');
const day = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .date({ min: new Date(-6e13), max: new Date(2e14), noInvalidDate: true })
      .map((date) => date.toISOString().slice(0, 10)),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom('2024-02-30', '2023-02-29', '0000-01-01', '2024-1-2', '2024-13-01', '2024-0:-01'),
  },
);
const clock = fc.oneof(
  { weight: 6, arbitrary: fc.nat({ max: 86399 }).map((n) => new Date(n * 1000).toISOString().slice(11, 19)) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('24:00:00', '23:60:00', '23:59:60', '1:2:3', '00:00', '0::00:00', '12:34:5/'),
  },
);
const other = fc.constantFrom('', '"2024-01-01 00:00:00.25"', '"12:00:00.5"', '2024-01-01', 'x', '5');
const timestamp = fc.oneof(
  { weight: 8, arbitrary: fc.tuple(day, separator, clock, fraction, zone).map((parts) => parts.join('')) },
  { weight: 1, arbitrary: other },
);
const time = fc.oneof(
  { weight: 8, arbitrary: fc.tuple(clock, fraction, zone).map((parts) => parts.join('')) },
  { weight: 1, arbitrary: other },
);
const date = fc.oneof({ weight: 8, arbitrary: day }, { weight: 1, arbitrary: other });
const spellings: readonly [SqlType, fc.Arbitrary<string>][] = [
  [bigint, number],
  [integer, number],
  [{ kind: 'SMALLINT' }, number],
  [double, number],
  [decimal(10, 2), number],
  [decimal(30, 10), number],
  [varchar, string],
  [{ kind: 'TIMESTAMP' }, timestamp],
  [{ kind: 'TIME' }, time],
  [{ kind: 'DATE' }, date],
  [{ kind: 'BOOLEAN' }, fc.constantFrom('true', 'false', 'TRUE', '', 'truex', '"true"')],
  [{ kind: 'UUID' }, fc.uuid()],
  [{ kind: 'VARIANT' }, fc.constantFrom('', '1', '"[1, 2]"', '[1]', 'x')],
];

const sample = fc
  .array(fc.tuple(fc.constantFrom(...spellings), fc.boolean()), { minLength: 2, maxLength: 5 })
  .chain((chosen) => {
    const target = table(chosen.map(([[type], notNull], i) => ({ name: `c${i}`, type, notNull })));
    const record = fc
      .tuple(
        fc.tuple(...chosen.map(([[, text]]) => text)),
        fc.constantFrom('same', 'same', 'same', 'same', 'few', 'many', 'crlf', 'comment', 'blank'),
      )
      .map(([texts, kind]) => {
        if (kind === 'few') return `${texts.slice(0, -1).join(',')}\n`;
        if (kind === 'many') return `${texts.join(',')},more\n`;
        if (kind === 'comment') return `#${texts.join(',').replaceAll('\n', ' ')}\n`;
        return kind === 'blank' ? '\r\n' : `${texts.join(',')}${kind === 'crlf' ? '\r' : ''}\n`;
      });
    return fc.array(record, { minLength: 1, maxLength: 30 }).map((records) => ({ target, records }));
  });

test('a lane and the general reader agree on every record', () => {
  let good = 0;
  fc.assert(
    fc.property(sample, fc.constantFrom({}, { comment: '#' }, { quoting: false }), ({ target, records }, options) => {
      const configuration = { comment: '#', ...options };
      const single = records.map((text) => ({ text, got: decode(csvInput, configuration, target, text) }));
      const model = single.find(({ got }) => got.rows.length === 1 && got.report.records === 1);
      if (model === undefined) return;
      good++;
      const all = [
        ...new Array(80).fill(model),
        ...single,
        model,
        model,
        model,
        ...single,
        ...single,
        ...new Array(40).fill(model),
      ];
      const together = decode(csvInput, configuration, target, all.map(({ text }) => text).join(''));
      const sum = (of: 'records' | 'numParseErrors' | 'numUnknownFields'): number =>
        all.reduce((n, { got }) => n + got.report[of], 0);
      assert.equal(
        together.rows,
        all.flatMap(({ got }) => got.rows),
      );
      assert.is(together.report.records, sum('records'));
      assert.is(together.report.numParseErrors, sum('numParseErrors'));
      assert.is(together.report.numUnknownFields, sum('numUnknownFields'));
    }),
    { numRuns: runs },
  );
  assert.ok(good > runs / 4);
});

test('a header in another order, with columns that it lacks, runs in a lane', () => {
  const target = table([
    { name: 'a', type: integer },
    { name: 'b', type: varchar, default: '"xyz"' },
    { name: 'c', type: varchar },
  ]);
  const got = decode(csvInput, { headers: true }, target, `c,a\n${'é,1\n'.repeat(3000)}`);
  assert.is(got.rows.length, 3000);
  for (const row of got.rows) assert.equal(row, [1, 'xyz', 'é']);
});

test('invalid UTF-8 in a lane is refused like anywhere else', () => {
  const target = table([{ name: 'x', type: varchar }]);
  const got = decode(
    csvInput,
    {},
    target,
    Buffer.concat([Buffer.from('é\n'.repeat(100)), Buffer.of(0xc3, 10), Buffer.from('é\n'.repeat(300))]),
  );
  assert.is(got.rows.length, 400);
  assert.is(got.report.errors[0]?.record, 101);
});

test('numbers are not taken across a delimiter that they are spelled with', () => {
  const target = table([
    { name: 'a', type: decimal(10, 2) },
    { name: 'b', type: integer },
  ]);
  const got = decode(csvInput, { delimiter: '.' }, target, '1.5\n'.repeat(300));
  assert.is(got.rows.length, 300);
  for (const row of got.rows) assert.equal(row, [100n, 5]);
});

test.run();
