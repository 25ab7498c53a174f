// UNNEST: arrays, rows in arrays, maps, several at once, with ordinality and from the left.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { problemOf, rowsOf } from './program-rows.ts';

const table = 'CREATE TABLE t (id INT, a INT ARRAY, m MAP<VARCHAR, INT>, r ROW(p INT, q VARCHAR) ARRAY);';
const rows = [
  [1, 1, '[5,6]', '{"x":1,"y":2}', '[{"p":1,"q":"a"}]'],
  [2, 2, '[]', null, null],
  [1, 3, '[null]', '{}', '[{"p":2,"q":null},{"p":3,"q":"c"}]'],
] as const;

function unnested(query: string): string[] {
  return rowsOf(`${table} CREATE MATERIALIZED VIEW v AS ${query};`, rows);
}

test('an alias of UNNEST is the name of its only column, too', () => {
  const of = (query: string): string[] => unnested(`${query} WHERE id = 1`);
  assert.equal(of('SELECT id, x FROM t, UNNEST(a) AS x'), of('SELECT id, x FROM t, UNNEST(a) AS u (x)'));
  assert.equal(of('SELECT id, x.x FROM t CROSS JOIN UNNEST(a) AS x'), ['{"id":1,"x":5}', '{"id":1,"x":6}']);
  assert.equal(
    of('SELECT id, x, ordinality FROM t, UNNEST(a) WITH ORDINALITY AS x'),
    of('SELECT id, x, ordinality FROM t, UNNEST(a) WITH ORDINALITY AS u (x, ordinality)'),
  );
});

test('an array gives a row for each element, with its number', () => {
  assert.equal(unnested('SELECT id, x, n FROM t, UNNEST(a) WITH ORDINALITY AS u (x, n)'), [
    '{"id":1,"x":5,"n":1}',
    '{"id":1,"x":6,"n":2}',
    '{"id":3,"x":null,"n":1}',
  ]);
});

test('an element is deleted with its row', () => {
  const program = `${table} CREATE MATERIALIZED VIEW v AS SELECT id, x FROM t CROSS JOIN UNNEST(a) AS u (x);`;
  assert.equal(rowsOf(program, rows, [[-1, 1, '[5,6]', '{"x":1,"y":2}', '[{"p":1,"q":"a"}]']]), ['{"id":3,"x":null}']);
});

test('rows in an array give their fields, a map its keys and values', () => {
  assert.equal(unnested('SELECT id, p, q FROM t, UNNEST(r) AS u'), [
    '{"id":1,"p":1,"q":"a"}',
    '{"id":3,"p":2,"q":null}',
    '{"id":3,"p":3,"q":"c"}',
  ]);
  assert.equal(unnested('SELECT id, k, n FROM t, UNNEST(m) AS u (k, n)'), [
    '{"id":1,"k":"x","n":1}',
    '{"id":1,"k":"y","n":2}',
  ]);
});

test('a LEFT JOIN keeps rows without elements', () => {
  assert.equal(unnested('SELECT id, x FROM t LEFT JOIN UNNEST(a) AS u (x) ON TRUE'), [
    '2 times {"id":2,"x":null}',
    '{"id":1,"x":5}',
    '{"id":1,"x":6}',
    '{"id":3,"x":null}',
  ]);
});

test('it stands in FROM by itself, and in a lateral subquery that reads columns around it', () => {
  assert.equal(unnested('SELECT x FROM UNNEST(ARRAY[1, 2]) AS u (x)'), ['{"x":1}', '{"x":2}']);
  assert.equal(
    unnested('SELECT id, s FROM t, LATERAL (SELECT SUM(x) AS s FROM UNNEST(t.a) AS u (x)) AS l WHERE id = 1'),
    ['{"id":1,"s":11}'],
  );
});

test('what has no elements is refused, and names that are too few', () => {
  const of = (query: string): string => problemOf(`${table} CREATE VIEW v AS ${query};`);
  assert.is(of('SELECT 1 AS o FROM t, UNNEST(id) AS u (x)'), '1:137: UNNEST takes an ARRAY or a MAP, id is INTEGER');
  assert.match(of('SELECT 1 AS o FROM t, UNNEST(m) AS u (x)'), 'u names 1 columns, UNNEST gives 2');
});

test.run();
