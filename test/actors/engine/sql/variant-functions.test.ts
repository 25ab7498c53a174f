// Functions on the parts of a VARIANT: lambdas over it, fields of one type, merging, paths.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { constantOf, problemOf, rowsOf } from './program-rows.ts';

const json = (value: unknown): string => `PARSE_JSON('${JSON.stringify(value)}')`;
const tree = json({ id: 7, tags: ['p', { deep: 'q' }], 'odd.key': { x: 1 }, none: null });

/** An expression that gives a VARIANT or a MAP, and what it holds. */
const cases: readonly [what: string, expression: string, expected: unknown][] = [
  [
    'every field is replaced',
    `VARIANT_MAP(${json({ a: 1, b: 'x' })}, (k, v) -> CAST(v AS BIGINT) + 1)`,
    { a: 2, b: null },
  ],
  ['the key of a field is a VARIANT', `VARIANT_MAP(${json({ a: 1 })}, (k, v) -> k)`, { a: 'a' }],
  [
    'a field that is an object is one value',
    `VARIANT_MAP(${json({ a: { b: 1 } })}, (k, v) -> TYPEOF(v))`,
    { a: 'MAP' },
  ],
  ['an array is one value without a key', `VARIANT_MAP(${json([1, 2])}, (k, v) -> k IS NULL)`, true],
  ['an object without fields stays one', `VARIANT_MAP(${json({})}, (k, v) -> 1)`, {}],
  [
    'leaves at any depth have paths',
    `VARIANT_DEEP_MAP(${tree}, (p, v) -> p)`,
    { id: 'id', tags: ['tags[1]', { deep: 'tags[2].deep' }], 'odd.key': { x: '"odd.key".x' }, none: 'none' },
  ],
  ['a leaf at the top has no path', `VARIANT_DEEP_MAP(${json(3)}, (p, v) -> p IS NULL)`, true],
  ['fields are kept whole', `VARIANT_FILTER(${tree}, (k, v) -> TYPEOF(v) = 'ARRAY')`, { tags: ['p', { deep: 'q' }] }],
  ['a condition that is NULL keeps nothing', `VARIANT_FILTER(${json({ a: 1 })}, (k, v) -> NULL)`, {}],
  ['what is no object is kept as a whole', `VARIANT_FILTER(${json('s')}, (k, v) -> k IS NULL)`, 's'],
  ['or not at all', `VARIANT_FILTER(${json('s')}, (k, v) -> k IS NOT NULL)`, null],
  [
    'what lies in a dropped container is dropped, and arrays become shorter',
    `VARIANT_DEEP_FILTER(${tree}, (p, v) -> p <> 'tags[1]' AND p <> '"odd.key"')`,
    { id: 7, tags: [{ deep: 'q' }], none: null },
  ],
  [
    'a condition sees a container as it was',
    `VARIANT_DEEP_FILTER(${json([[1], [2]])}, (p, v) -> TYPEOF(v) = 'ARRAY')`,
    [[], []],
  ],
  [
    'objects are merged at any depth',
    `VARIANT_MERGE(${json({ a: { x: 1, y: 2 } })}, ${json({ a: { y: 3 }, b: [4] })})`,
    { a: { x: 1, y: 3 }, b: [4] },
  ],
  ['a null replaces', `VARIANT_MERGE(${json({ a: 1 })}, ${json({ a: null })})`, { a: null }],
  ['arrays replace', `VARIANT_MERGE(${json([1, 2])}, ${json([3])})`, [3]],
  ['whole numbers', `JSON_EACH_BIGINT(${json({ a: 1, b: 1.5, c: '1', d: null })})`, { a: 1 }],
  ['texts', `JSON_EACH_STRING(${json({ a: 'x', b: 1 })})`, { a: 'x' }],
  ['truth values', `JSON_EACH_BOOLEAN(${json({ a: false, b: 0 })})`, { a: false }],
  ['dates', `JSON_EACH_DATE(${json({ a: '2020-02-29', b: '2021-02-29' })})`, { a: '2020-02-29' }],
  ['times', `JSON_EACH_TIME(${json({ a: '10:20:30', b: 'noon' })})`, { a: '10:20:30' }],
  ['timestamps, of dates too', `JSON_EACH_TIMESTAMP(${json({ a: '2020-01-02' })})`, { a: '2020-01-02 00:00:00' }],
  ['no fields of an array', `JSON_EACH_BIGINT(${json([1])})`, {}],
  ['NULL stays NULL', 'VARIANT_MAP(CAST(PARSE_JSON(NULL) AS VARIANT), (k, v) -> 1)', null],
  ['a path into a text', `JSON_GET_INT('{"a": [5, 6]}', 'a', 1)`, 6],
  ['a path to nothing', `JSON_GET_STR('{"a": [5, 6]}', 'b', 1)`, null],
  ['another type', `JSON_GET_BOOL('{"a": [5, 6]}', 'a')`, null],
  ['what is not JSON', `JSON_GET_INT('a', 'a')`, null],
  ['a number as text', `JSON_AS_TEXT('{"a": [5, 6]}', 'a', 0)`, '5'],
  ['a path into a VARIANT', `JSON_CONTAINS(${tree}, 'tags', 1, 'deep')`, true],
  ['columns of the row in a lambda', `VARIANT_MAP(${json({ a: 1 })}, (k, v) -> CAST(v AS INT) + x)`, { a: 2 }],
  [
    'a lambda in a lambda',
    `VARIANT_MAP(${json({ a: 1 })}, (k, v) -> TRANSFORM(ARRAY[10, 20], y -> y + CAST(v AS INT)))`,
    { a: [11, 21] },
  ],
];

for (const [what, expression, expected] of cases) {
  test(`${what}: ${expression}`, () => assert.equal(constantOf(expression), expected));
}

test('fields become rows', () => {
  const program = `CREATE TABLE t (id INT, j VARIANT);
    CREATE MATERIALIZED VIEW v AS SELECT id, f.k, f.v FROM t, UNNEST(JSON_EACH_BIGINT(t.j)) AS f (k, v);`;
  assert.equal(rowsOf(program, [[1, 9, '{"b":2,"a":1,"c":"x"}']]), [
    '{"id":9,"k":"a","v":1}',
    '{"id":9,"k":"b","v":2}',
  ]);
});

test('a lambda has as many parameters as its function gives', () => {
  const problem = problemOf("CREATE VIEW v AS SELECT VARIANT_MAP(PARSE_JSON('1'), k -> 1) AS a;");
  assert.match(problem, 'VARIANT_MAP: takes a lambda of two parameters');
  assert.match(
    problemOf('CREATE VIEW v AS SELECT TRANSFORM(ARRAY[1], (k, x) -> 1) AS a;'),
    'takes a lambda of one parameter',
  );
});

test('-> and ->> take a field or an element, counted from 0, as a VARIANT and as text', () => {
  const doc = `PARSE_JSON('{"name": "Bob", "o": {"x": 1.5}, "scores": [8, 10]}')`;
  assert.is(constantOf(`${doc} ->> 'name' = 'Bob'`), true);
  assert.is(constantOf(`${doc} -> 'o' ->> 'x'`), '1.5');
  assert.is(constantOf(`CAST(${doc} -> 'scores' -> 1 AS INT) + 1`), 11);
  assert.is(constantOf(`${doc} ->> 'none'`), null);
  assert.equal(constantOf(`TRANSFORM(ARRAY[1, 2], x -> x + 1)`), [2, 3]);
  assert.is(constantOf(`UPPER((SELECT q.d->>'name' FROM (VALUES (${doc})) AS q (d)))`), 'BOB');
});

test.run();
