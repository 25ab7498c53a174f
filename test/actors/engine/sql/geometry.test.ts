// Points and distances, whether a point is made in place or comes from a column.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { constantOf, problemOf, rowsOf } from './program-rows.ts';

test('the distance of two points, and of points that a query around made', () => {
  assert.is(constantOf('ST_DISTANCE(ST_POINT(0, 0), ST_POINT(3, -4))'), 5);
  const view = 'SELECT ST_DISTANCE(p, ST_POINT(0, b)) AS d FROM (SELECT ST_POINT(a, b) AS p, b FROM t)';
  assert.equal(rowsOf(`CREATE TABLE t (a DOUBLE, b DOUBLE); CREATE MATERIALIZED VIEW v AS ${view};`, [[1, 2.5, 7]]), [
    '{"d":2.5}',
  ]);
});

test('a NULL makes no point and no distance', () => {
  assert.is(constantOf('ST_POINT(NULL, 1)'), null);
  assert.is(constantOf('ST_DISTANCE(NULL, ST_POINT(0, 0))'), null);
});

test('what is no point is refused', () => {
  assert.match(problemOf('CREATE VIEW v AS SELECT ST_DISTANCE(1, 2, 3, 4);'), /ST_DISTANCE: takes two points/);
});

test.run();
