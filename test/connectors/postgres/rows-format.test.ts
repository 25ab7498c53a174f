// Rows of COPY: what is read straight into columns is what the long way over JSON makes of it, for values of every kind, in any mixture.
import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CopyTextReader } from '../../../connectors/formats/copy-text-lane.ts';
import { jsonInput } from '../../../connectors/formats/json-decoder.ts';
import type { FittedColumn } from '../../../connectors/postgres/column-fit.ts';
import { postgresRows } from '../../../connectors/postgres/rows-format.ts';
import { oid } from '../../../connectors/postgres/type-catalog.ts';
import type { DecodeReport } from '../../../connectors/sdk/format.ts';
import { BatchBuilder } from '../../../runtime/batch/batch-builder.ts';
import { rowsFromBatch } from '../../../runtime/batch/row-objects.ts';
import type { Relation } from '../../../runtime/batch/schema.ts';
import type { SqlType } from '../../../runtime/batch/sql-type.ts';
import { relationOf, varchar } from '../connector-context.ts';

const kind = (name: string): SqlType => ({ kind: name }) as SqlType;

/** By name: the type here, and the number and category of the server's. */
const columns: Readonly<Record<string, readonly [SqlType, number, string]>> = {
  i4: [kind('INTEGER'), 23, 'N'],
  i8: [kind('BIGINT'), 20, 'N'],
  n: [{ kind: 'DECIMAL', precision: 12, scale: 4 }, 1700, 'N'],
  wide: [{ kind: 'DECIMAL', precision: 38, scale: 10 }, 1700, 'N'],
  d: [kind('DOUBLE'), 701, 'N'],
  b: [kind('BOOLEAN'), oid.bool, 'B'],
  'needed!': [varchar, 25, 'S'],
  t: [varchar, 25, 'S'],
  da: [kind('DATE'), oid.date, 'D'],
  ts: [{ kind: 'TIMESTAMP', precision: 6 } as SqlType, oid.timestamp, 'D'],
  tz: [{ kind: 'TIMESTAMP', precision: 6 } as SqlType, oid.timestamptz, 'D'],
  u: [kind('UUID'), oid.uuid, 'U'],
};

const relation: Relation = relationOf({
  ...Object.fromEntries(Object.entries(columns).map(([name, [type]]) => [name, type])),
  absent: varchar,
});
const fitted: FittedColumn[] = Object.entries(columns).map(([key, [, typeOid, category]]) => {
  const name = key.replace('!', '');
  const field = relation.schema.fields.find((each) => each.name === name);
  assert.ok(field !== undefined);
  return { name, field, type: { oid: typeOid, name: 'x', category, element: null, members: null } };
});

const escapes: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  '\t': '\\t',
  '\n': '\\n',
  '\r': '\\r',
  '\b': '\\b',
  '\f': '\\f',
  '\v': '\\v',
};
const asCopied = (text: string): string => text.replaceAll(/[\\\t\n\r\b\f\v]/g, (letter) => escapes[letter] ?? letter);
const someTime = fc.constantFrom(
  '2024-02-29 12:34:56.123456',
  '1969-12-31 23:59:59',
  '0044-03-15 12:00:00 BC',
  'infinity',
  '9999-12-31 00:00:00.5',
);
const text = fc
  .oneof(
    fc.string({ maxLength: 12 }),
    fc.string({ unit: 'grapheme', maxLength: 90 }),
    fc.constantFrom('', 'NULL', '\\N', 'a\tb', 'line\nline', '"', '\u0001', 'x'.repeat(300)),
  )
  .filter((each) => !each.includes('\0'));
const values: Readonly<Record<string, fc.Arbitrary<string>>> = {
  i4: fc.oneof(fc.integer().map(String), fc.constantFrom('2147483647', '-2147483648', '2147483648')),
  i8: fc.oneof(
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String),
    fc.constantFrom('0', '-1', '9223372036854775808'),
  ),
  n: fc.oneof(
    fc.integer({ min: -99_999_999, max: 99_999_999 }).map((n) => (n / 10_000).toFixed(4)),
    fc.constantFrom('NaN', '0.00005', '12345678901'),
  ),
  wide: fc.oneof(
    fc.bigInt({ min: -(10n ** 27n), max: 10n ** 27n }).map((n) => `${n}.0123456789`),
    fc.constantFrom('Infinity', '1'),
  ),
  d: fc.oneof(fc.double().map(String), fc.constantFrom('NaN', '-Infinity', '1e-10', '-0')),
  b: fc.constantFrom('t', 'f'),
  needed: text,
  t: text,
  da: fc.constantFrom('2024-02-29', '0001-01-01', 'infinity', '0044-03-15 BC', '12345-01-01'),
  ts: someTime,
  tz: someTime.map((time) => (/^\d.*\d$/.test(time) ? `${time}+00` : time.replace(' BC', '+00 BC'))),
  u: fc.uuid(),
};
const row = fc
  .tuple(...fitted.map(({ name }) => fc.option((values[name] ?? text).map(asCopied), { nil: '\\N', freq: 6 })))
  .map((cells) => `${cells.join('\t')}\n`);

const decoded = (bytes: Uint8Array, isFast: boolean): unknown => {
  const context = { relation, defaults: relation.schema.fields.map(() => null), strict: false };
  const format = postgresRows(jsonInput, isFast ? CopyTextReader.of : () => null);
  const decoder = format.decoder({}, { ...context, found: { columns: fitted } });
  const report: DecodeReport = { records: 0, numParseErrors: 0, numUnknownFields: 0, errors: [], fatal: null };
  const builder = new BatchBuilder(relation.schema, 8);
  decoder.decode(bytes, builder, report, true, new Uint8Array(0));
  return {
    rows: rowsFromBatch(builder.peek()),
    records: report.records,
    refused: report.numParseErrors,
  };
};

test('rows of COPY are the same straight and over JSON', () => {
  const common = fc.array(row, { maxLength: 30 });
  // Rows alike, so that there is something to read fast, with others in between.
  const many = fc
    .tuple(row, fc.array(row, { maxLength: 4 }))
    .map(([one, others]) => others.flatMap((other) => [...Array(40).fill(one), other]));
  fc.assert(
    fc.property(fc.oneof(common, many), (rows) => {
      const bytes = Buffer.from(rows.join(''));
      assert.equal(decoded(bytes, true), decoded(bytes, false));
    }),
    { numRuns: process.env['MILLRACE_LONG'] === undefined ? 150 : 5_000 },
  );
});

test('plain rows are read straight', () => {
  const context = { relation, defaults: relation.schema.fields.map(() => null), strict: false };
  const reader = CopyTextReader.of(context, [
    { name: 'i8', form: 'number' },
    { name: 'needed', form: 'text' },
    { name: 'tz', form: 'zoned' },
    { name: 'b', form: 'boolean' },
  ]);
  const line = '9223372036854775807\té\t2024-02-29 12:34:56.5+00\tt\n';
  const bytes = Buffer.from(line.repeat(200));
  const builder = new BatchBuilder(relation.schema, 8);
  const stop = reader?.read(bytes, 0, builder) ?? 0;
  // The last few are left: a lane looks ahead.
  assert.ok(builder.rows > 150 && stop === builder.rows * Buffer.byteLength(line), `${builder.rows} rows`);
  assert.is(CopyTextReader.of(context, [{ name: 'i8', form: 'text' }]), null);
});

test.run();
