// PREPARE and EXECUTE in one request.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compileQuery } from '../../../../actors/engine/sql/compile-program.ts';
import { executedQuery } from '../../../../actors/engine/sql/prepared-query.ts';

test('arguments stand in the places of the parameters', () => {
  const text = "PREPARE p AS SELECT $2 AS a, '$1' AS b, f($1, $2); EXECUTE p (1 + 2, g('x,y', 3));";
  assert.is(executedQuery(text), "SELECT (g('x,y', 3)) AS a, '$1' AS b, f((1 + 2), (g('x,y', 3)))");
  assert.is(executedQuery('PREPARE p AS SELECT 1; EXECUTE p'), 'SELECT 1');
  assert.is(executedQuery('SELECT 1'), null);
  const typed = 'PREPARE p (DECIMAL(10, 2), VARCHAR) AS SELECT $1, $2, $3; EXECUTE p (1, NULL, 3);';
  assert.is(executedQuery(typed), 'SELECT CAST(1 AS DECIMAL(10, 2)), CAST(NULL AS VARCHAR), (3)');
});

test('a query that is prepared and executed is compiled as any other', () => {
  const { query } = compileQuery('PREPARE p AS SELECT $1 + 1 AS x; EXECUTE p(41);', []);
  assert.equal(
    query.schema.fields.map((field) => field.name),
    ['x'],
  );
});

test('what is missing is told', () => {
  assert.throws(() => executedQuery('PREPARE p AS SELECT 1'), /expected EXECUTE behind the prepared query/);
  assert.throws(() => executedQuery('PREPARE p AS SELECT 1; EXECUTE q'), /nothing is prepared under the name "q"/);
  assert.throws(() => executedQuery('PREPARE p AS SELECT $2; EXECUTE p(1)'), /1 arguments, the query has \$2/);
  assert.throws(() => executedQuery('PREPARE p SELECT 1; EXECUTE p'), /expected PREPARE name AS and a query/);
  assert.throws(() => compileQuery('SELECT $1', []), /1:8: a parameter is not supported; write the value/);
});

test.run();
