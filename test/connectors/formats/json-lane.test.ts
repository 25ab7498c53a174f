// Lanes give what the general reader gives: records that look alike, with others strewn in, against one decoder for each record.
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { jsonInput } from '../../../connectors/formats/json-decoder.ts';
import type { SqlType } from '../../../runtime/batch/sql-type.ts';
import { bigint, decimal, decode, double, integer, type TestTable, table, varchar } from './decoded-rows.ts';

const runs = process.env['MILLRACE_LONG'] === '1' ? 20000 : 150;

/** Values of each type as JSON text: usual spellings, and the edges where a fast path has to let go. */
const number = fc.oneof(
  fc.integer().map(String),
  fc.bigInt({ min: -(2n ** 64n), max: 2n ** 64n }).map(String),
  fc.tuple(fc.integer(), fc.bigInt({ min: 0n, max: 10n ** 12n })).map(([a, b]) => `${a}.${b}`),
  fc.constantFrom(
    '0',
    '-0',
    '00',
    '01',
    '-',
    '1.',
    '.5',
    '1e3',
    '1E-2',
    '1.50',
    '0.5',
    '123456789',
    '1234567890',
    '999999999999999',
    '1000000000000000',
    '9223372036854775807',
    '-9223372036854775808',
    '99999999.99',
    '0.005',
    '12.340',
    '+1',
    '1.5.5',
  ),
);
const string = fc.oneof(
  fc.string({ maxLength: 80 }).map((text) => JSON.stringify(text)),
  fc.string({ unit: 'binary', maxLength: 80 }).map((text) => JSON.stringify(text)),
  fc.constantFrom(
    '""',
    '"\\u0041"',
    '"\\ud800"',
    '"a\tb"',
    '"open',
    `"${'é'.repeat(32)}"`,
    `"${'x'.repeat(62)}"`,
    `"${'x'.repeat(63)}"`,
    `"${'x'.repeat(64)}"`,
    '5',
    'null',
  ),
);
/** Dates and times as they are usually spelled, with what a fast path must not take for one mixed in. */
const separator = fc.constantFrom(' ', 'T', ' ', 'T', 't', '  ');
const fraction = fc.oneof(
  { weight: 4, arbitrary: fc.stringMatching(/^\.\d{1,6}$/) },
  { weight: 1, arbitrary: fc.constantFrom('', '.', '.1234567', '.123456789', '.1234567890', '.12x', '.000', ',5') },
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
const quoted = (text: string): string => `"${text}"`;
const other = fc.constantFrom(
  '"2024-01-01"',
  '"2024-01-01x00:00:00"',
  '""',
  '"\\u0032024-01-01 00:00:00"',
  'null',
  '5',
);
const timestamp = fc.oneof(
  { weight: 8, arbitrary: fc.tuple(day, separator, clock, fraction, zone).map((parts) => quoted(parts.join(''))) },
  { weight: 1, arbitrary: other },
);
const time = fc.oneof(
  { weight: 8, arbitrary: fc.tuple(clock, fraction, zone).map((parts) => quoted(parts.join(''))) },
  { weight: 1, arbitrary: other },
);
const date = fc.oneof({ weight: 8, arbitrary: day.map(quoted) }, { weight: 1, arbitrary: other });
const flag = fc.constantFrom('true', 'false', 'null', 'tru', 'truex', '1');

const spellings: readonly [SqlType, fc.Arbitrary<string>][] = [
  [bigint, number],
  [integer, number],
  [{ kind: 'TINYINT' }, number],
  [double, number],
  [{ kind: 'REAL' }, number],
  [decimal(10, 2), number],
  [decimal(18, 0), number],
  [decimal(30, 10), number],
  [varchar, string],
  [{ kind: 'TIMESTAMP' }, timestamp],
  [{ kind: 'TIME' }, time],
  [{ kind: 'DATE' }, date],
  [{ kind: 'BOOLEAN' }, flag],
  [{ kind: 'VARIANT' }, fc.jsonValue().map((value) => JSON.stringify(value))],
  [
    { kind: 'VARBINARY', length: null },
    fc.array(fc.integer({ min: -1, max: 256 }), { maxLength: 4 }).map((value) => JSON.stringify(value)),
  ],
  [{ kind: 'UUID' }, fc.uuid().map((text) => `"${text}"`)],
];

const columns = fc.array(fc.tuple(fc.constantFrom(...spellings), fc.boolean()), { minLength: 1, maxLength: 5 });

interface Sample {
  readonly target: TestTable;
  readonly lines: readonly string[];
}

const sample = columns.chain((chosen) => {
  const target = table(chosen.map(([[type], notNull], i) => ({ name: `c${i}`, type, notNull })));
  const values = fc.tuple(...chosen.map(([[, text]]) => text));
  const row = fc
    .tuple(
      values,
      fc.constantFrom(
        'same',
        'same',
        'same',
        'same',
        'same',
        'same',
        'null',
        'missing',
        'unknown',
        'order',
        'space',
        'broken',
        'twice',
      ),
      fc.nat(),
    )
    .map(([texts, kind, at]) => {
      const parts = texts.map((text, i) => `"c${i}":${kind === 'null' && at % texts.length === i ? 'null' : text}`);
      if (kind === 'missing') parts.splice(at % parts.length, 1);
      if (kind === 'unknown') parts.splice(at % parts.length, 0, '"q":[1,{"x":"}"}]');
      if (kind === 'order') parts.reverse();
      if (kind === 'twice') parts.push(parts[0] ?? '"q":1');
      return `{${parts.join(kind === 'space' ? ' , ' : ',')}${kind === 'broken' ? '' : '}'}`;
    });
  return fc.array(row, { minLength: 1, maxLength: 30 }).map((lines): Sample => ({ target, lines }));
});

test('a lane and the general reader agree on every record', () => {
  let good = 0;
  fc.assert(
    fc.property(sample, fc.boolean(), ({ target, lines }, envelope) => {
      const configuration = envelope ? {} : { update_format: 'raw' };
      const single = lines.map((line) => {
        const text = envelope ? `{"insert":${line}}` : line;
        return { text, got: decode(jsonInput, configuration, target, text) };
      });
      // A record that the general reader takes, often enough that a lane is learned from it; then the sample, several times; then the margin
      // in which no lane runs.
      const model = single.find(({ got }) => got.rows.length === 1);
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
        ...new Array(20).fill(model),
      ];
      const together = decode(jsonInput, configuration, target, all.map(({ text }) => text).join('\n'));
      const isBroken = all.some(
        ({ got }) => got.codes.includes('record.malformed') || got.codes.includes('record.invalid_encoding'),
      );
      assert.equal(
        together.rows,
        all.flatMap(({ got }) => got.rows),
      );
      assert.is(
        together.report.numUnknownFields,
        all.reduce((sum, { got }) => sum + got.report.numUnknownFields, 0),
      );
      if (!isBroken) assert.is(together.report.records, all.length);
      if (!isBroken) assert.is(together.report.numParseErrors, all.filter(({ got }) => got.rows.length === 0).length);
    }),
    { numRuns: runs },
  );
  assert.ok(good > runs / 4);
});

test('invalid UTF-8 in a lane is refused like anywhere else', () => {
  const target = table([{ name: 'x', type: varchar }]);
  const good = Buffer.from('{"x":"é"}\n'.repeat(100));
  const bad = Buffer.from([...Buffer.from('{"x":"'), 0xc3, ...Buffer.from('"}\n')]);
  const got = decode(jsonInput, { update_format: 'raw' }, target, Buffer.concat([good, bad, good, good]));
  assert.is(got.rows.length, 300);
  assert.equal(got.codes, ['record.invalid_encoding']);
  assert.is(got.report.errors[0]?.record, 101);
});

test('defaults of missing columns are written in a lane', () => {
  const target = table([
    { name: 'a', type: integer },
    { name: 'b', type: varchar, default: '"xyz"' },
    { name: 'c', type: decimal(10, 2), notNull: true, default: '1.5' },
    { name: 'd', type: varchar },
  ]);
  const got = decode(jsonInput, {}, target, '{"insert": {"a": 1, "q": 2}}\n'.repeat(3000));
  assert.is(got.rows.length, 3000);
  assert.is(got.report.numUnknownFields, 3000);
  for (const row of got.rows) assert.equal(row, [1, 'xyz', 150n, null]);
});

test('deletions and updates between the rows of a lane keep their place', () => {
  const target = table([
    { name: 'id', type: bigint, notNull: true, key: true },
    { name: 'x', type: varchar },
  ]);
  const lines = Array.from({ length: 3000 }, (_, id) => {
    if (id % 97 === 96) return `{"delete":{"id":${id}}}`;
    return id % 89 === 88 ? `{"update":{"id":${id}}}` : `{"insert":{"id":${id},"x":"${id}"}}`;
  });
  const got = decode(jsonInput, {}, target, lines.join('\n'));
  assert.equal(
    got.rows.map((row) => row[0]),
    lines.map((_, id) => BigInt(id)),
  );
  assert.equal(
    got.weights,
    lines.map((_, id) => (id % 97 === 96 ? -1 : 1)),
  );
});

test.run();
