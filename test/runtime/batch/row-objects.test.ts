// Rows as objects, in and out: every form of every type, names, defaults, verbs, and the way there and back.
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { assertBatch, presenceBytes } from '../../../runtime/batch/change-batch.ts';
import { rowFromBatch, rowsFromBatch, rowsToBatch } from '../../../runtime/batch/row-objects.ts';
import { type Field, makeSchema, type Relation } from '../../../runtime/batch/schema.ts';
import type { SqlType } from '../../../runtime/batch/sql-type.ts';

function relation(fields: readonly Field[], primaryKey: readonly number[] = []): Relation {
  return { name: 'items', schema: makeSchema(fields), primaryKey };
}

function one(type: SqlType, nullable = true): Relation {
  return relation([{ name: 'x', type, nullable }]);
}

function noDefaults(target: Relation): readonly null[] {
  return target.schema.fields.map(() => null);
}

const varchar: SqlType = { kind: 'VARCHAR', length: null };
const id = '01234567-89ab-cdef-fedc-ba9876543210';

/** [type, given, read back]; undefined: refused. */
const forms: readonly (readonly [SqlType, unknown, unknown])[] = [
  [{ kind: 'BOOLEAN' }, true, true],
  [{ kind: 'BOOLEAN' }, 'true', undefined],
  [{ kind: 'TINYINT' }, 127, 127],
  [{ kind: 'TINYINT' }, 128, undefined],
  [{ kind: 'SMALLINT' }, '-32768', -32768],
  [{ kind: 'INTEGER' }, 5n, 5],
  [{ kind: 'INTEGER' }, 5.5, undefined],
  [{ kind: 'INTEGER' }, 'five', undefined],
  [{ kind: 'BIGINT' }, 5, 5],
  [{ kind: 'BIGINT' }, 9223372036854775807n, 9223372036854775807n],
  [{ kind: 'BIGINT' }, '9223372036854775807', 9223372036854775807n],
  [{ kind: 'BIGINT' }, 9223372036854775808n, undefined],
  [{ kind: 'BIGINT' }, 1e17, undefined],
  [{ kind: 'REAL' }, 0.5, 0.5],
  [{ kind: 'DOUBLE' }, 0.1, 0.1],
  [{ kind: 'DOUBLE' }, '0.1', 0.1],
  [{ kind: 'DOUBLE' }, Number.NaN, Number.NaN],
  [{ kind: 'DECIMAL', precision: 10, scale: 2 }, '12.5', '12.50'],
  [{ kind: 'DECIMAL', precision: 10, scale: 2 }, 12.5, '12.50'],
  [{ kind: 'DECIMAL', precision: 10, scale: 2 }, 12n, '12.00'],
  [{ kind: 'DECIMAL', precision: 10, scale: 2 }, 12.345, undefined],
  [{ kind: 'DECIMAL', precision: 4, scale: 2 }, 100, undefined],
  [{ kind: 'DECIMAL', precision: 38, scale: 30 }, '-1.5', `-1.5${'0'.repeat(29)}`],
  [{ kind: 'CHAR', length: 3 }, 'abc', 'abc'],
  [varchar, 'zürich \u{1f600}', 'zürich \u{1f600}'],
  [varchar, '\ufeffx', '\ufeffx'],
  [varchar, 5, undefined],
  [{ kind: 'VARBINARY', length: null }, Uint8Array.of(1, 255), Uint8Array.of(1, 255)],
  [{ kind: 'VARBINARY', length: null }, [1, 255], Uint8Array.of(1, 255)],
  [{ kind: 'VARBINARY', length: null }, [256], undefined],
  [{ kind: 'DATE' }, '2001-02-03', '2001-02-03'],
  [{ kind: 'DATE' }, new Date('2001-02-03T23:00:00Z'), '2001-02-03'],
  [{ kind: 'DATE' }, 'yesterday', undefined],
  [{ kind: 'TIME' }, '12:34:56.500', '12:34:56.5'],
  [{ kind: 'TIMESTAMP' }, '2001-02-03 04:05:06.000001', '2001-02-03 04:05:06.000001'],
  [{ kind: 'TIMESTAMP' }, '2001-02-03T04:05:06Z', '2001-02-03 04:05:06'],
  [{ kind: 'TIMESTAMP' }, new Date('1969-12-31T23:59:59.999Z'), '1969-12-31 23:59:59.999'],
  [{ kind: 'TIMESTAMP' }, new Date(Number.NaN), undefined],
  [{ kind: 'INTERVAL_MONTHS' }, '1-02', '1-02'],
  [{ kind: 'INTERVAL_MICROS' }, '1 02:03:04', '1 02:03:04'],
  [{ kind: 'UUID' }, id.toUpperCase(), id],
  [{ kind: 'VARIANT' }, { a: [1, 9007199254740993n, null, 'x'] }, { a: [1, 9007199254740993n, null, 'x'] }],
  [{ kind: 'VARIANT' }, 'text', 'text'],
  [{ kind: 'VARIANT' }, Number.NaN, undefined],
];

test('every form of every type is taken and given back in its public form, or refused', () => {
  for (const [type, given, expected] of forms) {
    const target = one(type);
    const { batch, problems } = rowsToBatch([{ x: given }, { x: null }], target, noDefaults(target), {
      updateFormat: 'raw',
    });
    assertBatch(batch);
    const label = `${type.kind} ${String(given)}`;
    if (expected === undefined) {
      assert.is(problems.length, 1, label);
      assert.is(problems[0]?.field, 'x');
      assert.is(batch.rows, 1);
    } else {
      assert.equal(problems, [], label);
      const { rows, weights } = rowsFromBatch(batch);
      assert.equal(rows, [{ x: expected }, { x: null }], label);
      assert.equal(weights, [1, 1]);
      assert.equal(rowFromBatch(batch, 0), { x: expected }, label);
    }
  }
});

test('integers can be bigint always and timestamps Date', () => {
  const target = relation([
    { name: 'n', type: { kind: 'BIGINT' }, nullable: false },
    { name: 'd', type: { kind: 'DATE' }, nullable: false },
    { name: 't', type: { kind: 'TIMESTAMP' }, nullable: true },
  ]);
  const rows = [
    { n: 1, d: '1969-12-31', t: '1969-12-31 23:59:59.999999' },
    { n: 2, d: '2000-01-01', t: null },
  ];
  const { batch } = rowsToBatch(rows, target, noDefaults(target), { updateFormat: 'raw' });
  assert.equal(rowsFromBatch(batch, { integers: 'bigint', timestamps: 'date' }).rows, [
    { n: 1n, d: new Date('1969-12-31'), t: new Date('1969-12-31T23:59:59.999Z') },
    { n: 2n, d: new Date('2000-01-01'), t: null },
  ]);
});

const users = relation(
  [
    { name: 'id', type: { kind: 'BIGINT' }, nullable: false },
    { name: 'name', type: varchar, nullable: true },
    { name: 'Age', type: { kind: 'INTEGER' }, nullable: false, quoted: true },
    { name: 'role', type: varchar, nullable: false },
  ],
  [0],
);
const userDefaults = [null, null, null, '"guest"'];

test('names match in any case unless they are quoted, and unknown keys are counted', () => {
  const given = [
    { ID: 1, Name: 'Ann', Age: 30, extra: 1 },
    { id: 2, age: 31 },
  ];
  const { batch, problems, numUnknownFields } = rowsToBatch(given, users, userDefaults, { updateFormat: 'raw' });
  assert.equal(rowsFromBatch(batch).rows, [{ id: 1, name: 'Ann', Age: 30, role: 'guest' }]);
  assert.is(numUnknownFields, 1);
  assert.is(problems.length, 1);
  assert.is(problems[0]?.row, 2);
  assert.is(problems[0]?.suggestion, 'Age');
});

test('a missing column is its default, else NULL, else a problem with the nearest name given; null is never a default', () => {
  const given = [{ idd: 1, Age: 1 }, { id: 1, Age: 1, role: null }, { id: 1, Age: 2, name: undefined }, 7, [1, 'a']];
  const { batch, problems } = rowsToBatch(given, users, userDefaults, { updateFormat: 'raw' });
  assert.equal(rowsFromBatch(batch).rows, [{ id: 1, name: null, Age: 2, role: 'guest' }]);
  assert.equal(
    problems.map(({ row, field, suggestion }) => [row, field, suggestion]),
    [
      [1, 'id', 'idd'],
      [2, 'role', null],
      [4, null, null],
      [5, 'Age', null],
    ],
  );
});

test('arrays are rows by position', () => {
  const { batch, problems, numUnknownFields } = rowsToBatch([[1, null, 5, 'admin', 'surplus']], users, userDefaults, {
    updateFormat: 'raw',
  });
  assert.equal(problems, []);
  assert.is(numUnknownFields, 1);
  assert.equal(rowsFromBatch(batch).rows, [{ id: 1, name: null, Age: 5, role: 'admin' }]);
});

test('verbs become weights and presence bits, several in one object in the order delete, insert, update', () => {
  const given = [
    { insert: { id: 1, Age: 5 } },
    { delete: { id: 1 } },
    { update: { id: 2, name: 'B' }, delete: { id: 3 }, table: 'users' },
  ];
  const { batch, problems } = rowsToBatch(given, users, userDefaults, { updateFormat: 'insert_delete' });
  assert.equal(problems, []);
  assertBatch(batch);
  assert.is(presenceBytes(4), 1);
  assert.equal([...(batch.weights ?? [])], [1, -1, -1, 1]);
  const presence = batch.presence ?? new Uint8Array(4);
  assert.is((presence[0] ?? 0) & 15, 15);
  assert.is((presence[3] ?? 0) & 15, 0b0011);
  assert.equal(
    rowsFromBatch(batch).rows.map((row) => Object.values(row).slice(0, 2)),
    [
      [1, null],
      [1, null],
      [3, null],
      [2, 'B'],
    ],
  );
});

test('a change with a bad verb, no verb, a bad row or no key is refused as a whole', () => {
  const given = [
    { insrt: { id: 1, Age: 5 } },
    {},
    { delete: { id: 9 }, insert: { id: 'x', Age: 5 } },
    { update: { name: 'B' } },
    { update: { id: 7, role: null } },
    null,
    { insert: { id: 8, Age: 5 } },
  ];
  const { batch, problems } = rowsToBatch(given, users, userDefaults, { updateFormat: 'insert_delete' });
  assert.equal(rowsFromBatch(batch), { rows: [{ id: 8, name: null, Age: 5, role: 'guest' }], weights: [1] });
  assert.equal(
    problems.map((problem) => problem.row),
    [1, 2, 3, 4, 5, 6],
  );
  assert.is(problems[0]?.suggestion, 'insert');
});

test('a table without a key takes full rows to delete and no updates', () => {
  const target = relation([
    { name: 'a', type: { kind: 'INTEGER' }, nullable: false },
    { name: 'b', type: varchar, nullable: true },
  ]);
  const given = [{ delete: { a: 1, b: 'x' } }, { update: { a: 1 } }, { delete: { b: 'x' } }];
  const { batch, problems } = rowsToBatch(given, target, noDefaults(target), { updateFormat: 'insert_delete' });
  assert.equal(rowsFromBatch(batch), { rows: [{ a: 1, b: 'x' }], weights: [-1] });
  assert.equal(
    problems.map((problem) => problem.row),
    [2, 3],
  );
});

test('many rows survive the way there and back, in both layouts', () => {
  const target = relation([
    { name: 'n', type: { kind: 'BIGINT' }, nullable: false },
    { name: 's', type: varchar, nullable: true },
    { name: 'd', type: { kind: 'DECIMAL', precision: 25, scale: 3 }, nullable: true },
    { name: 'f', type: { kind: 'DOUBLE' }, nullable: true },
    { name: '__proto__', type: { kind: 'BOOLEAN' }, nullable: true },
  ]);
  const row = fc.tuple(
    fc.maxSafeInteger(),
    fc.option(fc.string({ unit: 'binary' })),
    fc.option(fc.bigInt({ min: -(10n ** 21n), max: 10n ** 21n }).map((value) => `${value}.125`)),
    fc.option(fc.double()),
    fc.option(fc.boolean()),
  );
  fc.assert(
    fc.property(fc.array(row, { maxLength: 40 }), (rows) => {
      const { batch, problems } = rowsToBatch(rows, target, noDefaults(target), { updateFormat: 'raw' });
      assert.equal(problems, []);
      const back = rowsFromBatch(batch).rows.map((object) =>
        target.schema.fields.map((field) => Reflect.get(object, field.name)),
      );
      // Text that is not Unicode (lone surrogates) cannot be stored as UTF-8.
      assert.equal(
        back,
        rows.map(([n, s, ...rest]) => [n, s === null ? null : Buffer.from(s).toString(), ...rest]),
      );
    }),
    { numRuns: 200 },
  );
});

test.run();
