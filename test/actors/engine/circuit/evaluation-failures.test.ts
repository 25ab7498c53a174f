// Failing rows under both policies: what is thrown, what is counted, what is kept.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  EvaluationFailed,
  EvaluationFailures,
  evaluationFailuresMax,
} from '../../../../actors/engine/circuit/evaluation-failures.ts';
import { DivisionByZero } from '../../../../actors/engine/sql/evaluation-errors.ts';
import { errorFromData, errorToData, type MillraceError } from '../../../../runtime/errors.ts';

const expression = { place: { file: 'p.yaml', line: 4, column: 11 }, text: 'a / b' };

test('under stop the first failure is thrown with everything that is known of it', () => {
  const failures = new EvaluationFailures('stop');
  const cause = new DivisionByZero({});
  try {
    failures.report({ view: 'ratio', expression, error: cause, row: { a: 1n, b: 0 } });
    assert.unreachable();
  } catch (error) {
    assert.instance(error, EvaluationFailed);
    const failed = error as MillraceError;
    assert.is(failed.cause, cause);
    assert.is(failed.message, 'p.yaml:4:11: view "ratio": division by zero in a / b for the row {"a":1,"b":0}');
    const copy = errorFromData(structuredClone(errorToData(failed)));
    assert.is(copy.code, 'sql.evaluation_failed');
    assert.is((copy.cause as MillraceError).code, 'sql.division_by_zero');
  }
  assert.is(failures.count, 1);
});

test('under skip failures are counted and the latest are kept, oldest first', () => {
  const failures = new EvaluationFailures('skip');
  for (let i = 0; i < evaluationFailuresMax + 20; i++) {
    failures.report({ view: 'ratio', expression, error: new DivisionByZero({}), row: { i } });
  }
  assert.is(failures.count, evaluationFailuresMax + 20);
  assert.is(failures.latest.length, evaluationFailuresMax);
  assert.equal(failures.latest[0]?.row, { i: 20 });
});

test('a sample row that is very long is cut in the message', () => {
  const failures = new EvaluationFailures('stop');
  const row = { text: 'x'.repeat(10000) };
  assert.throws(
    () => failures.report({ view: 'v', expression, error: new DivisionByZero({}), row }),
    (error: Error) => error.message.length < 600,
  );
});

test.run();
