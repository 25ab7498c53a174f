// Which tables can be emptied as a whole, and why others cannot.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compileProgram } from '../../../actors/engine/sql/compile-program.ts';
import { whyNotCleared } from '../../../actors/supervisor/table-clearing.ts';

function why(definition: string): string | null {
  const { program, problems } = compileProgram(`CREATE TABLE t ${definition};`);
  assert.equal(problems, []);
  return whyNotCleared(program!.tables[0]!);
}

test('a table is emptied that has a primary key, or keeps whole rows', () => {
  assert.is(why('(k BIGINT NOT NULL PRIMARY KEY, v VARCHAR)'), null);
  assert.is(why(`(k BIGINT, v VARCHAR) WITH ('materialized' = 'true')`), null);
  assert.is(why('(k BIGINT NOT NULL PRIMARY KEY, at TIMESTAMP LATENESS INTERVAL 1 DAY)'), null);
});

test('one is not that keeps no rows, or would not take deletions of all of them', () => {
  assert.match(why('(k BIGINT, v VARCHAR)') ?? '', /no primary key and is not materialized/);
  assert.match(why(`(k BIGINT) WITH ('append_only' = 'true', 'materialized' = 'true')`) ?? '', /append_only/);
  assert.match(why('(at TIMESTAMP NOT NULL LATENESS INTERVAL 1 DAY PRIMARY KEY)') ?? '', /"at" has LATENESS/);
  assert.match(
    why(`(k BIGINT, at TIMESTAMP LATENESS INTERVAL 1 DAY) WITH ('materialized' = 'true')`) ?? '',
    /"at" has LATENESS/,
  );
  assert.match(
    why(`(k BIGINT, at TIMESTAMP NOT NULL WATERMARK INTERVAL 1 HOUR) WITH ('materialized' = 'true')`) ?? '',
    /WATERMARK/,
  );
});

test.run();
