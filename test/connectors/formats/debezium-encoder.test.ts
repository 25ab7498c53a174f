// Changes as events of Debezium, with the types of Kafka Connect.
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { jsonInput } from '../../../connectors/formats/json-decoder.ts';
import { jsonOutput } from '../../../connectors/formats/json-encoder.ts';
import type { SqlType } from '../../../runtime/batch/sql-type.ts';
import { bigint, decimal, decode, double, integer, type TestTable, table, varchar } from './decoded-rows.ts';

interface Message {
  readonly key: { readonly schema: unknown; readonly payload: Readonly<Record<string, unknown>> };
  readonly value: {
    readonly schema: { readonly fields: readonly { readonly fields: readonly { readonly type: string }[] }[] };
    readonly payload: Readonly<Record<string, unknown>>;
  };
  readonly text: string;
}

function events(target: TestTable, input: string, keys?: readonly string[], weights?: readonly number[]): Message[] {
  const configuration = { update_format: 'debezium', ...(keys === undefined ? {} : { key_fields: keys }) };
  const { batch } = decode(jsonInput, {}, target, input);
  const weighted = weights === undefined ? batch : { ...batch, weights: Int32Array.from(weights) };
  const { bytes, messages, records } = jsonOutput.encoder(configuration, target.relation).encode(weighted);
  assert.is(messages?.count, records);
  const text = (from: number, to: number): string =>
    new TextDecoder('utf-8', { fatal: true }).decode(bytes.slice(from, to));
  return Array.from({ length: records }, (_, i) => {
    const start = i === 0 ? 0 : (messages?.valueEnds[i - 1] ?? 0);
    const key = messages?.keyEnds[i] ?? 0;
    const value = text(key, messages?.valueEnds[i] ?? 0);
    return { key: JSON.parse(text(start, key)), value: JSON.parse(value), text: value };
  });
}

const people = table([
  { name: 'id', type: bigint, notNull: true },
  { name: 'na"me', type: varchar },
]);

test('an insertion has the row after it, a deletion the row before it and comes first; both have the key fields as key', () => {
  const input = '{"insert":{"id":1,"na\\"me":"é\\n"}}\n{"insert":{"id":2}}';
  const [deletion, insertion, again, ...others] = events(people, input, ['ID'], [2, -1]);
  assert.equal(others, []);
  assert.equal(deletion?.value.payload, { op: 'd', before: { id: 2, 'na"me': null } });
  assert.equal(insertion?.value.payload, { op: 'c', after: { id: 1, 'na"me': 'é\n' } });
  assert.equal(again, insertion);
  assert.equal(insertion?.key, {
    schema: { type: 'struct', fields: [{ field: 'id', type: 'int64', optional: false }], optional: false },
    payload: { id: 1 },
  });
  const fields = [
    { field: 'id', type: 'int64', optional: false },
    { field: 'na"me', type: 'string', optional: true },
  ];
  assert.equal(insertion?.value.schema, {
    type: 'struct',
    fields: [
      { type: 'struct', fields, optional: true, field: 'before' },
      { type: 'struct', fields, optional: true, field: 'after' },
      { type: 'string', optional: false, field: 'op' },
    ],
    optional: false,
  });
});

test('without key fields the whole row is the key; one that is no column is refused with the nearest name', () => {
  assert.equal(events(people, '{"insert":{"id":7}}')[0]?.key.payload, { id: 7, 'na"me': null });
  assert.throws(
    () => events(people, '', ['idd']),
    (error: { code?: string; suggestion?: string }) =>
      error.code === 'format.unknown_column' && error.suggestion === 'id',
  );
});

test('every type has a type of Kafka Connect and is spelled as that', () => {
  const columns: readonly [SqlType, string, string, string?][] = [
    [{ kind: 'BOOLEAN' }, 'true', 'boolean'],
    [{ kind: 'TINYINT' }, '-128', 'int8'],
    [{ kind: 'SMALLINT' }, '32767', 'int16'],
    [integer, '-2147483648', 'int32'],
    [bigint, '9223372036854775807', 'int64'],
    [{ kind: 'REAL' }, '0.1', 'float'],
    [double, '1e-7', 'double'],
    [
      decimal(38, 10),
      '-1234567890123456789012345678.0000000001',
      'string',
      '"-1234567890123456789012345678.0000000001"',
    ],
    [varchar, '"a\\"b"', 'string'],
    [{ kind: 'VARBINARY', length: null }, '[0,255,62,7]', 'bytes', '"AP8+Bw=="'],
    [{ kind: 'VARBINARY', length: null }, '[]', 'bytes', '""'],
    [{ kind: 'VARBINARY', length: null }, '[251,255]', 'bytes', '"+/8="'],
    [{ kind: 'DATE' }, '"1969-12-30"', 'int32', '-2'],
    [{ kind: 'TIME' }, '"23:59:59.001999"', 'int32', '86399001'],
    [{ kind: 'TIMESTAMP' }, '"1969-12-31 23:59:59.5"', 'int64', '-500'],
    [{ kind: 'UUID' }, '"01234567-89ab-cdef-0123-456789abcdef"', 'string'],
    [{ kind: 'VARIANT' }, '{"a":[1,null,"x y"]}', 'string', JSON.stringify('{"a":[1,null,"x y"]}')],
    [{ kind: 'ARRAY', element: decimal(5, 2) }, '[1.50,null]', 'array', '["1.50",null]'],
  ];
  const target = table(columns.map(([type], i) => ({ name: `c${i}`, type })));
  const [event] = events(target, `{"insert":{${columns.map(([, text], i) => `"c${i}":${text}`).join(',')}}}`);
  const expected = columns.map(([, text, , spelled = text], i) => `"c${i}":${spelled}`).join(',');
  assert.ok(event?.text.endsWith(`"payload":{"op":"c","after":{${expected}}}}`), event?.text);
  const [before] = event?.value.schema.fields ?? [];
  assert.equal(
    before?.fields.map(({ type }) => type),
    columns.map(([, , type]) => type),
  );
});

test('a TIMESTAMP is a number of milliseconds, rounded down, in any year', () => {
  const target = table([{ name: 'x', type: { kind: 'TIMESTAMP' } }]);
  const years = { min: new Date('0001-01-02T00:00:00Z'), max: new Date('9999-12-30T00:00:00Z'), noInvalidDate: true };
  fc.assert(
    fc.property(fc.date(years), fc.integer({ min: 0, max: 999 }), (at, micros) => {
      const text = at.toISOString().replace('T', ' ').replace('Z', String(micros).padStart(3, '0'));
      const [event] = events(target, JSON.stringify({ insert: { x: text } }));
      assert.equal(event?.value.payload['after'], { x: at.getTime() });
    }),
    { numRuns: 200 },
  );
});

test.run();
