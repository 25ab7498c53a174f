// The json output format.
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { jsonInput } from '../../../connectors/formats/json-decoder.ts';
import { jsonOutput } from '../../../connectors/formats/json-encoder.ts';
import type { ParameterValues } from '../../../connectors/sdk/parameters.ts';
import type { ChangeBatch } from '../../../runtime/batch/change-batch.ts';
import type { Relation } from '../../../runtime/batch/schema.ts';
import type { SqlType } from '../../../runtime/batch/sql-type.ts';
import { bigint, decimal, decode, double, integer, type TestTable, table, varchar } from './decoded-rows.ts';

function encode(
  relation: Relation,
  batch: ChangeBatch,
  configuration: ParameterValues = {},
): { text: string; records: number } {
  const { bytes, records } = jsonOutput.encoder(configuration, relation).encode(batch);
  return { text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes), records };
}

function echo(target: TestTable, input: string, configuration: ParameterValues = {}): string {
  return encode(target.relation, decode(jsonInput, {}, target, input).batch, configuration).text;
}

const bag = table([
  { name: 'id', type: bigint, notNull: true },
  { name: 'na"me', type: varchar },
]);

test('deletions of a batch stand before its insertions, a weight makes copies', () => {
  const batch = decode(
    jsonInput,
    {},
    bag,
    '{"insert":{"id":1}}\n{"delete":{"id":2,"na\\"me":"x"}}\n{"insert":{"id":3}}',
  ).batch;
  const weighted = { ...batch, weights: Int32Array.of(2, -2, 1) };
  const { text, records } = encode(bag.relation, weighted);
  const deletion = '{"delete":{"id":2,"na\\"me":"x"}}\n';
  const insertion = '{"insert":{"id":1,"na\\"me":null}}\n';
  assert.is(text, `${deletion}${deletion}${insertion}${insertion}{"insert":{"id":3,"na\\"me":null}}\n`);
  assert.is(records, 5);
  assert.throws(
    () => encode(bag.relation, { ...batch, weights: Int32Array.of(1, -1000001, 1) }),
    (error: { code?: string }) => error.code === 'format.weight_too_large',
  );
});

test('arrays hold at most buffer_size_records records', () => {
  const input = [1, 2, 3, 4, 5].map((id) => `{"insert":{"id":${id}}}`).join('\n');
  const lines = echo(bag, input, { array: true, buffer_size_records: 2 }).trimEnd().split('\n');
  assert.equal(
    lines.map((line) => JSON.parse(line).map((record: { insert: { id: number } }) => record.insert.id)),
    [[1, 2], [3, 4], [5]],
  );
  assert.is(echo(bag, '', { array: true }), '');
});

test('every type is printed in its JSON form and read back', () => {
  const columns: [SqlType, string][] = [
    [{ kind: 'BOOLEAN' }, 'true'],
    [{ kind: 'TINYINT' }, '-128'],
    [{ kind: 'SMALLINT' }, '32767'],
    [integer, '-2147483648'],
    [bigint, '9223372036854775807'],
    [{ kind: 'REAL' }, '0.1'],
    [double, '1e-7'],
    [decimal(10, 2), '-0.50'],
    [decimal(38, 10), '1234567890123456789012345678.0000000001'],
    [{ kind: 'CHAR', length: 3 }, '"abc"'],
    [varchar, '"\\u0001\\n\\"\\\\/é😀\\u007f"'],
    [{ kind: 'VARBINARY', length: null }, '[0,255]'],
    [{ kind: 'BINARY', length: 0 }, '[]'],
    [{ kind: 'DATE' }, '"2024-02-29"'],
    [{ kind: 'TIME' }, '"23:59:59.000001"'],
    [{ kind: 'TIMESTAMP' }, '"1969-12-31 23:59:59.5"'],
    [{ kind: 'UUID' }, '"01234567-89ab-cdef-0123-456789abcdef"'],
    [{ kind: 'VARIANT' }, '{"a":[1,null,"x y"]}'],
  ];
  const target = table(columns.map(([type], i) => ({ name: `c${i}`, type })));
  const row = `{"insert":{${columns.map(([, text], i) => `"c${i}":${text}`).join(',')}}}\n`;
  assert.is(echo(target, row), row.replace('\\u007f', '\u007f'));
  assert.is(echo(target, echo(target, row)), row.replace('\\u007f', '\u007f'));
  assert.equal(JSON.parse(echo(target, row)), JSON.parse(row));
});

test('any string comes out as JSON.stringify spells it, or equal to it', () => {
  const target = table([{ name: 'x', type: varchar }]);
  fc.assert(
    fc.property(fc.array(fc.option(fc.oneof(fc.string(), fc.string({ unit: 'binary', maxLength: 200 })))), (values) => {
      const texts = values.map((value) => (value === null ? null : Buffer.from(value).toString()));
      const input = texts.map((x) => JSON.stringify({ insert: { x } })).join('\n');
      const lines = echo(target, input).split('\n').slice(0, -1);
      assert.equal(
        lines.map((line) => JSON.parse(line).insert.x),
        texts,
      );
    }),
    { numRuns: 300 },
  );
});

test('a dictionary column prints as its entries, also when the dictionary grows or is replaced', () => {
  const { relation } = table([{ name: 'x', type: varchar }]);
  const encoder = jsonOutput.encoder({}, relation);
  const print = (entries: readonly string[], codes: readonly number[], identity: object): string => {
    const offsets = Int32Array.from([0, ...entries].map((_, i) => Buffer.byteLength(entries.slice(0, i).join(''))));
    const dictionary = { identity, size: entries.length, offsets, bytes: Buffer.from(entries.join('')) };
    const column = {
      layout: 'dictionary',
      type: varchar,
      validity: null,
      codes: Int32Array.from(codes),
      dictionary,
    } as const;
    const batch = { schema: relation.schema, rows: codes.length, weights: null, columns: [column], presence: null };
    return new TextDecoder().decode(encoder.encode(batch).bytes);
  };
  const expected = (...values: string[]): string =>
    values.map((x) => `${JSON.stringify({ insert: { x } })}\n`).join('');
  const identity = {};
  assert.is(print(['a', 'b"'], [1, 0, 1], identity), expected('b"', 'a', 'b"'));
  assert.is(print(['a', 'b"', '\n', ''], [2, 1, 3, 3], identity), expected('\n', 'b"', '', ''));
  assert.is(print(['z', 'y'], [0, 1], {}), expected('z', 'y'));
  assert.is(print(['p', 'q', 'r'], [2], {}), expected('r'));
});

test('what JSON cannot spell refuses the batch by name', () => {
  const { relation } = table([{ name: 'x', type: double }]);
  const column = { layout: 'fixed', type: double, validity: null, values: Float64Array.of(1, Number.NaN) } as const;
  const batch = { schema: relation.schema, rows: 2, weights: null, columns: [column], presence: null };
  assert.throws(
    () => encode(relation, batch),
    (error: { code?: string; message: string }) =>
      error.code === 'format.unencodable_value' && error.message.includes('NaN of x'),
  );
  assert.throws(
    () => jsonOutput.encoder({ update_format: 'raw' }, relation),
    (error: { code?: string }) => error.code === 'format.unsupported_option',
  );
});

test('a DECIMAL inside of an ARRAY, MAP or ROW is a number with every digit, as it is outside of them', () => {
  const exact: SqlType = { kind: 'DECIMAL', precision: 38, scale: 2 };
  const text: SqlType = { kind: 'VARCHAR', length: null };
  const nested = table([
    { name: 'a', type: { kind: 'ARRAY', element: exact } },
    { name: 'm', type: { kind: 'MAP', key: text, value: { kind: 'ARRAY', element: exact } } },
    {
      name: 'r',
      type: {
        kind: 'ROW',
        fields: [
          { name: 'd', type: exact },
          { name: 's', type: text },
          { name: 'n', type: { kind: 'DOUBLE' } },
        ],
      },
    },
  ]);
  const row =
    '{"insert":{"a":[12345678901234567890.12,-0.50,null],"m":{"x\\"]":[1.00],"y":[]},"r":{"d":123456789012345678.90,"s":"1.50","n":0.1}}}\n';
  assert.is(echo(nested, row), row);
  assert.is(echo(nested, row.replace('-0.50', '"-0.5"')), row);
  assert.is(
    echo(nested, '{"insert":{"a":[],"m":null,"r":{"d":null}}}'),
    '{"insert":{"a":[],"m":null,"r":{"d":null,"s":null,"n":null}}}\n',
  );
});

test.run();
