// The csv output format.
import { parse as parseCsv } from 'csv-parse/sync';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { csvInput } from '../../../connectors/formats/csv-decoder.ts';
import { csvOutput } from '../../../connectors/formats/csv-encoder.ts';
import type { ParameterValues } from '../../../connectors/sdk/parameters.ts';
import type { ChangeBatch } from '../../../runtime/batch/change-batch.ts';
import type { Relation } from '../../../runtime/batch/schema.ts';
import type { SqlType } from '../../../runtime/batch/sql-type.ts';
import { decimal, decode, double, integer, table, varchar } from './decoded-rows.ts';

function encode(relation: Relation, batch: ChangeBatch, configuration: ParameterValues = {}): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(
    csvOutput.encoder(configuration, relation).encode(batch).bytes,
  );
}

test('the weight is the last field, deletions stand before insertions', () => {
  const target = table([
    { name: 'a', type: integer },
    { name: 'b', type: varchar },
  ]);
  const batch = decode(csvInput, {}, target, '1,x\n2,\n3,""\n').batch;
  assert.is(encode(target.relation, batch), '1,x,1\n2,,1\n3,"",1\n');
  const weighted = { ...batch, weights: Int32Array.of(2, -1, 1) };
  assert.is(encode(target.relation, weighted, { delimiter: ';' }), '2;;-1\n1;x;2\n3;"";1\n');
  const { records } = csvOutput.encoder({}, target.relation).encode(weighted);
  assert.is(records, 4);
});

test('a dictionary column prints as its entries, quoted where they have to be', () => {
  const { relation } = table([{ name: 'x', type: varchar }]);
  const long = 'over the lazy dog '.repeat(12);
  const entries = ['plain text', 'a,b', 'says "no"', '', 'x', long];
  const ends = entries.map((_, i) => Buffer.byteLength(entries.slice(0, i + 1).join('')));
  const dictionary = {
    identity: {},
    size: 6,
    offsets: Int32Array.of(0, ...ends),
    bytes: Buffer.from(entries.join('')),
  };
  const codes = Int32Array.of(5, 4, 3, 2, 1, 0, 0);
  const column = { layout: 'dictionary', type: varchar, validity: Uint8Array.of(0x7d), codes, dictionary } as const;
  const batch = { schema: relation.schema, rows: 7, weights: null, columns: [column], presence: null };
  const lines = [long, '', '""', '"says ""no"""', '"a,b"', 'plain text', 'plain text'];
  assert.is(encode(relation, batch), lines.map((line) => `${line},1\n`).join(''));
});

test('every type is printed in its text form', () => {
  const columns: [SqlType, string][] = [
    [{ kind: 'BOOLEAN' }, 'false'],
    [decimal(10, 2), '1.50'],
    [double, 'NaN'],
    [{ kind: 'DATE' }, '2024-02-29'],
    [{ kind: 'TIME' }, '01:02:03.5'],
    [{ kind: 'TIMESTAMP' }, '2024-02-29 01:02:03'],
    [{ kind: 'UUID' }, '01234567-89ab-cdef-0123-456789abcdef'],
    [{ kind: 'VARBINARY', length: null }, '"[1,2]"'],
    [{ kind: 'VARIANT' }, '"{""a"":[1,2]}"'],
  ];
  const target = table(columns.map(([type], i) => ({ name: `c${i}`, type })));
  const line = columns.map(([, text]) => text).join(',');
  const batch = decode(csvInput, {}, target, line).batch;
  assert.is(encode(target.relation, batch), `${line},1\n`);
  for (const delimiter of [':', '-', '.', ' ', '1', 'a']) {
    const printed = encode(target.relation, batch, { delimiter });
    assert.equal(
      decode(csvInput, { delimiter }, target, printed).rows,
      decode(csvInput, {}, target, line).rows,
      delimiter,
    );
  }
});

test('any text comes back through this decoder and through csv-parse', () => {
  const target = table([
    { name: 'a', type: varchar },
    { name: 'b', type: varchar, notNull: true },
  ]);
  const text = fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.constantFrom('', '"', ',', '\n', '\r', '""'));
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.option(text), text)), fc.constantFrom(',', ';', '\t', '|'), (rows, delimiter) => {
      const wanted = rows.map((row) => row.map((value) => (value === null ? null : Buffer.from(value).toString())));
      const quoted = wanted
        .map((row) => row.map((v) => (v === null ? '' : `"${v.replaceAll('"', '""')}"`)).join(','))
        .join('\n');
      const printed = encode(target.relation, decode(csvInput, {}, target, quoted).batch, { delimiter });
      assert.equal(decode(csvInput, { delimiter }, target, printed).rows, wanted);
      const parsed = parseCsv(printed, { delimiter, record_delimiter: '\n' }) as string[][];
      assert.equal(
        parsed,
        wanted.map((row) => [...row.map((value) => value ?? ''), '1']),
      );
    }),
    { numRuns: 500 },
  );
});

test.run();
