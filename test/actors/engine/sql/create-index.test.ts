// CREATE INDEX: checked, and without effect.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { problemOf, rowsOf } from './program-rows.ts';

test('an index is of columns that there are, and changes nothing', () => {
  const program = 'CREATE TABLE t (x INT); CREATE MATERIALIZED VIEW v AS SELECT x FROM t; CREATE INDEX i ON v (x);';
  assert.equal(rowsOf(program, [[1, 5]]), ['{"x":5}']);
  const of = (index: string): string => problemOf(`CREATE TABLE t (x INT); CREATE INDEX ${index};`);
  assert.match(of('i ON w (x)'), 'no table or view is named "w"');
  assert.match(of('i ON t (y)'), 'no column is named "y"');
  assert.match(of('i ON t (x, x)'), 'column of the index "x" is declared twice');
});

test.run();
