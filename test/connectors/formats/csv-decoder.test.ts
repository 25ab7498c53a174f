// The csv input format, record by record and against csv-parse.
import { type Options, parse as parseCsv } from 'csv-parse/sync';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { csvInput } from '../../../connectors/formats/csv-decoder.ts';
import type { SqlType } from '../../../runtime/batch/sql-type.ts';
import { bigint, decimal, decode, double, integer, splitAll, table, type Value, varchar } from './decoded-rows.ts';

const runs = process.env['MILLRACE_LONG'] === '1' ? 100000 : 2500;
const people = table([
  { name: 'id', type: bigint, notNull: true },
  { name: 'name', type: varchar },
  { name: 'age', type: integer },
]);

function value(type: SqlType, text: string, notNull = false): Value | string {
  const got = decode(
    csvInput,
    {},
    table([
      { name: 'x', type, notNull },
      { name: 'y', type: varchar },
    ]),
    `${text},y\n`,
  );
  return got.report.numParseErrors > 0 ? `error ${got.codes[0]}` : (got.rows[0]?.[0] ?? null);
}

test('fields are columns by position, with LF or CR LF, and without one at the end', () => {
  const got = decode(csvInput, {}, people, '1,a,2\r\n2,"b, ""c""\n",3\n\n\r\n3,é,4');
  assert.equal(got.rows, [
    [1n, 'a', 2],
    [2n, 'b, "c"\n', 3],
    [3n, 'é', 4],
  ]);
  assert.equal([got.report.records, got.report.numParseErrors], [3, 0]);
});

test('an empty field is NULL, an empty field in quotes is an empty string', () => {
  assert.equal(decode(csvInput, {}, people, '1,,\n2,"",""\n,a,1\n').rows, [
    [1n, null, null],
    [2n, '', null],
  ]);
  assert.is(value(varchar, '', true), '');
  assert.is(value(integer, '', true), 'error value.null');
  assert.is(value(varchar, 'NULL'), 'NULL');
});

test('a refused first line that names the columns of the table is said to be a header', () => {
  const told = (text: string, configuration = {}): string | undefined =>
    decode(csvInput, configuration, people, text).report.errors[0]?.message;
  assert.match(told('ID,name,age\n1,a,2\n') ?? '', /`headers: true` takes it as a header/);
  assert.match(told('id,name,years\n1,a,2\n') ?? '', /column id: id is no BIGINT/);
  assert.match(told('1,a,2\nid,name,age\n') ?? '', /column id: id is no BIGINT/);
  assert.is(told('id,name,age\n1,a,2\n', { headers: true }), undefined);
});

test('missing fields take the default or NULL, surplus ones are counted, or refused when strict or not flexible', () => {
  const target = table([
    { name: 'a', type: integer, notNull: true },
    { name: 'b', type: integer, notNull: true, default: '7' },
    { name: 'c', type: varchar },
  ]);
  const text = '1\n2,3\n4,5,x,more,"and, more"\n';
  const got = decode(csvInput, {}, target, text);
  assert.equal(got.rows, [
    [1, 7, null],
    [2, 3, null],
    [4, 5, 'x'],
  ]);
  assert.is(got.report.numUnknownFields, 2);
  assert.equal(decode(csvInput, {}, target, text, { strict: true }).codes, ['record.unknown_field']);
  assert.is(decode(csvInput, { flexible: false }, target, text).report.numParseErrors, 3);
  assert.equal(decode(csvInput, {}, people, '1,a\n"2"\n').rows.length, 2);
});

test('a header line maps columns by name', () => {
  const got = decode(csvInput, { headers: true }, people, '\ufeff"Name",ID\r\na,1\nb,2\n');
  assert.equal(got.rows, [
    [1n, 'a', null],
    [2n, 'b', null],
  ]);
  assert.equal(decode(csvInput, { headers: true }, people, '').report.fatal, null);
  assert.equal(decode(csvInput, { headers: true }, people, 'id,name').rows, []);
  const trimmed = decode(csvInput, { headers: true, trim: 'headers' }, people, ' id , name \n1, a \n');
  assert.equal(trimmed.rows, [[1n, ' a ', null]]);
});

test('a header that does not fit the table ends the connector and names the nearest column', () => {
  const fatal = (text: string): string => decode(csvInput, { headers: true }, people, text).report.fatal?.message ?? '';
  assert.match(fatal('id,nam\n1,a\n'), 'did you mean "name"');
  assert.match(fatal('id,nam\n1,a\n'), 'id, name, age');
  assert.match(fatal('name\na\n'), 'lacks column "id"');
  assert.match(fatal('id,ID\n1,1\n'), 'twice');
  assert.is(decode(csvInput, { headers: true }, people, 'x\n1\n').rows.length, 0);
});

test('every scalar type has its text form', () => {
  assert.is(value(bigint, '-9223372036854775808'), -9223372036854775808n);
  assert.is(value(bigint, '9223372036854775808'), 'error value.out_of_range');
  assert.is(value(bigint, '0x1F'), 31n);
  assert.is(value(bigint, '-0x8000000000000000'), -9223372036854775808n);
  assert.is(value(integer, '0xffffffff'), 'error value.out_of_range');
  assert.is(value(integer, '1.0'), 'error value.malformed');
  assert.is(value(integer, ' 1'), 'error value.malformed');
  assert.is(value(decimal(10, 2), '1.5'), 150n);
  assert.is(value(decimal(10, 2), '1.505'), 'error value.inexact');
  assert.is(value(double, '-Infinity'), -Infinity);
  assert.is(value(double, '"1.5e3"'), 1500);
  assert.is(value({ kind: 'BOOLEAN' }, 'True'), true);
  assert.is(value({ kind: 'DATE' }, '1970-01-02'), 1);
  assert.is(value({ kind: 'TIME' }, '00:00:01'), 1000000000n);
  assert.is(value({ kind: 'TIMESTAMP' }, '1970-01-01T00:00:01Z'), 1000000n);
  assert.is(value({ kind: 'UUID' }, '00000000-0000-0001-0000-000000000002'), (1n << 64n) | 2n);
  assert.equal(value({ kind: 'VARBINARY', length: null }, '"[1, 2]"'), [1, 2]);
  assert.is(value({ kind: 'VARIANT' }, '"{""a"": [1, 2]}"'), '{"a":[1,2]}');
  assert.is(value({ kind: 'VARIANT' }, 'abc'), 'error value.malformed');
});

test('a bad record is reported with its place and left out', () => {
  const got = decode(csvInput, {}, people, '1,a,x\n2,"b"c,1\n3,c,1\n"4,d,1\n5,e,1\n');
  assert.equal(got.rows, [
    [3n, 'c', 1],
    [5n, 'e', 1],
  ]);
  assert.equal(got.codes, ['value.malformed', 'record.malformed', 'record.malformed']);
  assert.equal(
    got.report.errors.map((error) => [error.record, error.offset, error.field, error.fragment]),
    [
      [1, 0, 'age', '1,a,x'],
      [2, 6, null, '2,"b"c,1'],
      [4, 21, null, '"4,d,1'],
    ],
  );
  assert.match(got.report.errors[0]?.message ?? '', 'x is no INTEGER');
  const invalid = Uint8Array.of(0x31, 0x2c, 0xff, 0x2c, 0x31, 0x0a, 0x32, 0x2c, 0x61, 0x2c, 0x31);
  assert.equal(decode(csvInput, {}, people, invalid).codes, ['record.invalid_encoding']);
  assert.equal(decode(csvInput, {}, people, invalid).rows, [[2n, 'a', 1]]);
});

test('delimiter, quote, escape, comment, quoting and trim do what they say', () => {
  const rows = (configuration: Record<string, unknown>, text: string): unknown =>
    decode(csvInput, configuration, people, text).rows.map((row) => row[1]);
  assert.equal(rows({ delimiter: '\t' }, '1\ta,b\t2\n'), ['a,b']);
  assert.equal(rows({ quote: "'" }, "1,'a,''b',2\n"), ["a,'b"]);
  assert.equal(rows({ escape: '\\' }, '1,"a\\"b\\\\c",2\n'), ['a"b\\c']);
  assert.equal(rows({ comment: '#' }, '#"x\n1,#a,2\n# y'), ['#a']);
  assert.equal(rows({ quoting: false }, '1,"a,2\n'), ['"a']);
  assert.equal(rows({ double_quote: false }, '1,"a""b",2\n2,"b",3\n'), ['b']);
  assert.equal(rows({ trim: 'fields' }, ' 1 , a , 2 \n 2\t, " b " ,3\n'), ['a', ' b ']);
  assert.equal(rows({}, '1, a ,2\n2,b"c,3\n'), [' a ', 'b"c']);
  const refused = (configuration: Record<string, unknown>): void =>
    assert.throws(
      () => csvInput.splitter(configuration),
      (error: { code?: string }) => error.code === 'format.conflicting_options',
    );
  refused({ delimiter: '"' });
  refused({ delimiter: '\n' });
  refused({ delimiter: 'é' });
  refused({ comment: ',' });
});

// Against csv-parse.

interface Dialect {
  readonly ours: Record<string, unknown>;
  readonly theirs: Options;
}
const dialects: readonly Dialect[] = [
  { ours: {}, theirs: {} },
  { ours: { delimiter: ';', quote: "'" }, theirs: { delimiter: ';', quote: "'", escape: "'" } },
  { ours: { escape: '\\', double_quote: false }, theirs: { escape: '\\' } },
  { ours: { comment: '#' }, theirs: { comment: '#', comment_no_infix: true } },
  { ours: { quoting: false }, theirs: { quote: null } },
  { ours: { trim: 'fields' }, theirs: { trim: true } },
];
const texts = table([
  { name: 'a', type: varchar, notNull: true },
  { name: 'b', type: varchar, notNull: true, default: '"?"' },
  { name: 'c', type: varchar, notNull: true, default: '"?"' },
]);

const csvText = fc
  .array(
    fc.constantFrom(',', ',', '\n', '\r\n', '"', '"', '""', 'a', 'b c', ' ', 'é', '#', '\\', ';', "'", '\r', '\t', '1'),
    { maxLength: 30 },
  )
  .map((parts) => parts.join(''));

test('what csv-parse accepts decodes to the same fields, in one piece or cut anywhere', () => {
  let agreed = 0;
  fc.assert(
    fc.property(
      csvText,
      fc.constantFrom(...dialects),
      fc.array(fc.integer({ min: 1, max: 5 }), { maxLength: 12 }),
      (text, dialect, sizes) => {
        let expected: string[][];
        try {
          expected = parseCsv(text, {
            relax_column_count: true,
            skip_empty_lines: true,
            record_delimiter: ['\n', '\r\n'],
            ...dialect.theirs,
          }) as string[][];
        } catch {
          return;
        }
        // A line of nothing but blanks is a record here and an empty line there; so is a comment behind blanks.
        if (
          dialect.ours['trim'] !== undefined &&
          /(^|\n)[ \t\r\v\f]*([ \t]|\r(?!\n))[ \t\r]*(\n|$)|\r(?!\n)/.test(text)
        )
          return;
        // Behind a closing quote csv-parse begins a comment even when it is told not to.
        if (dialect.ours['comment'] !== undefined && text.includes('"#')) return;
        // csv-parse lets text follow a closing quote when there is white space between them; here that refuses the record.
        if (dialect.ours['trim'] !== undefined && /"[ \t]+[^ \t,\r\n]/.test(text)) return;
        agreed++;
        const bytes = new TextEncoder().encode(text);
        const wanted = expected.map((fields) => [0, 1, 2].map((i) => fields[i] ?? '?'));
        const whole = decode(csvInput, dialect.ours, texts, bytes);
        assert.equal(whole.rows, wanted, JSON.stringify(text));
        const { pieces } = splitAll(csvInput, dialect.ours, bytes, [...sizes, 1 << 30]);
        assert.is(Buffer.concat(pieces).compare(bytes), 0);
        assert.equal(decode(csvInput, dialect.ours, texts, bytes, { pieces }).rows, wanted);
      },
    ),
    { numRuns: runs },
  );
  assert.ok(agreed > runs / 10);
});

test('records written with quotes where needed come back, cut anywhere', () => {
  const field = fc.oneof(
    fc.string(),
    fc.string({ unit: 'binary' }),
    fc.constantFrom('', '"', '""', ',', '\n', '\r\n', '\r', '"\n"'),
  );
  fc.assert(
    fc.property(
      fc.array(fc.tuple(field, field, field)),
      fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 30 }),
      (rows, sizes) => {
        const wanted = rows.map((row) => row.map((text) => Buffer.from(text).toString()));
        const text = wanted.map((row) => row.map((f) => `"${f.replaceAll('"', '""')}"`).join(',')).join('\n');
        const bytes = new TextEncoder().encode(text);
        const { pieces } = splitAll(csvInput, {}, bytes, [...sizes, 1 << 30]);
        assert.equal(decode(csvInput, {}, texts, bytes, { pieces }).rows, wanted);
      },
    ),
    { numRuns: runs },
  );
});

test('bytes that are no text at all neither throw nor hang, and every cut gives the same rows', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), fc.constantFrom(...dialects), csvText, (noise, dialect, text) => {
      const bytes = new Uint8Array([...new TextEncoder().encode(text), ...noise]);
      const whole = decode(csvInput, dialect.ours, people, bytes);
      assert.is(whole.rows.length + whole.report.numParseErrors, whole.report.records);
      decode(csvInput, { ...dialect.ours, headers: true }, people, bytes);
    }),
    { numRuns: runs },
  );
});

test.run();
