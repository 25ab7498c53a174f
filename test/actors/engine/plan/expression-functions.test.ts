// Functions in compiled expressions: by their rows, only where no argument is NULL, and inlined ones of dates and times.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { EvaluationFailures } from '../../../../actors/engine/circuit/evaluation-failures.ts';
import { castValue } from '../../../../actors/engine/plan/cast-table.ts';
import type { FunctionCall, Scalar } from '../../../../actors/engine/sql/bound.ts';
import { resolveFunction } from '../../../../actors/engine/sql/functions.ts';
import { bindNamedFunction } from '../../../../actors/engine/sql/named-function.ts';
import { ScratchRoom } from '../../../../runtime/batch/scratch-room.ts';
import type { SqlType } from '../../../../runtime/batch/sql-type.ts';
import { compile, computed, rowsOf } from './compiled-rows.ts';
import {
  batchOf,
  cast,
  column,
  date,
  double,
  integer,
  literal,
  schemaOf,
  timestamp,
  varchar,
  withDictionaries,
} from './scalar-nodes.ts';

const source = { place: {}, text: 'f' };

test('functions are computed by their rows, strict ones only where no argument is NULL', () => {
  const text = column(0, varchar);
  const upper = bindNamedFunction('upper', [text], source);
  const like = bindNamedFunction('like', [text, literal('%o%', varchar)], source);
  const greatest = bindNamedFunction('greatest_ignore_nulls', [column(1, integer), column(2, integer)], source);
  const rows = [
    ['bob', 1, null],
    [null, null, null],
    ['ann', 5, 7],
  ];
  const types = [varchar, integer, integer];
  const program = compile(types, null, [upper, like, greatest]);
  for (const batch of [batchOf(schemaOf(types), rows), withDictionaries(batchOf(schemaOf(types), rows))]) {
    assert.equal(rowsOf(program.run(batch, new EvaluationFailures('stop'))), [
      ['BOB', true, 1],
      [null, null, null],
      ['ANN', false, 7],
    ]);
  }
});

test('an error of a function names the call', () => {
  const call = bindNamedFunction('chr', [column(0, integer)], { place: { line: 9 }, text: 'CHR(x)' });
  const sqrt = bindNamedFunction('ln', [column(0, double)], { place: { line: 9 }, text: 'LN(x)' });
  assert.is(computed(call, [integer], [65]), 'A');
  const failures = new EvaluationFailures('skip');
  compile([double], null, [sqrt]).run(batchOf(schemaOf([double]), [[-1], [1]]), failures);
  for (const failure of failures.latest) assert.is(failure.expression.text, 'LN(x)');
});

test('inlined functions of dates agree with their rows', () => {
  const units = ['year', 'quarter', 'month', 'day', 'dow', 'isodow', 'hour', 'minute', 'second', 'millisecond'];
  const timestamps = [
    0n,
    -1n,
    -86400000001n,
    951782399999999n,
    978307200123456n,
    -62135596800000000n,
    253402300799999999n,
  ];
  const days = [0, -1, 11016, 11356, -719162, 2932896];
  const calls: (readonly [SqlType, FunctionCall])[] = [];
  for (const unit of [...units, 'microsecond', 'epoch', 'week', 'doy']) {
    const name = literal(unit, varchar);
    calls.push([timestamp, functionCall('date_part', [name, column(0, timestamp)])]);
    const ofDate = units.indexOf(unit) < 6;
    if (ofDate) calls.push([date, functionCall('date_part', [name, column(0, date)])]);
  }
  for (const unit of ['day', 'hour', 'minute', 'second', 'month']) {
    calls.push([timestamp, functionCall('date_trunc', [column(0, timestamp), literal(unit, varchar)])]);
    calls.push([timestamp, functionCall('floor_to', [column(0, timestamp), literal(unit, varchar)])]);
  }
  for (const name of ['year', 'quarter', 'month', 'dayofmonth', 'dayofweek', 'dayofyear', 'hour', 'minute', 'second']) {
    calls.push([timestamp, functionCall(name, [column(0, timestamp)])]);
  }
  for (const [type, call] of calls) {
    const evaluator = resolveFunction(call).evaluate;
    for (const value of type.kind === 'DATE' ? days : timestamps) {
      const given = call.operands.map((operand) => (operand.kind === 'literal' ? operand.value : value));
      const label = `${call.name} ${String(given)}`;
      assert.is(computed(call, [type], [value]), evaluator(...given), label);
    }
    assert.is(computed(call, [type], [null]), null);
  }
});

test('a timestamp as a date is the day that it lies in, before 1970 as well', () => {
  const toDate = cast(column(0, timestamp), date);
  for (const [micros, day] of [
    [0n, 0],
    [86399999999n, 0],
    [86400000000n, 1],
    [-1n, -1],
    [-86400000000n, -1],
    [-86400000001n, -2],
    [-62135596800000000n, -719162],
    [253402300799999999n, 2932896],
  ] as const) {
    assert.is(computed(toDate, [timestamp], [micros]), day);
    assert.is(castValue(micros, timestamp, date), day);
  }
  assert.is(computed(toDate, [timestamp], [null]), null);
});

test('times of a batch become the days that they lie in, in whatever order they come, and so do those in a room that is used anew', () => {
  const day = 86400000000n;
  const near = (start: bigint): bigint[] => [start - 1n, start, start + 1n, start + day - 1n, start + day];
  const times = [0n, -day, 5n * day, 0n, 16_631n * day, -719_162n * day].flatMap(near);
  const values: readonly (bigint | null)[] = [...times, null, ...times.toReversed(), null, null, 1n];
  const program = compile([timestamp], null, [cast(column(0, timestamp), date)]);
  const batch = batchOf(
    schemaOf([timestamp]),
    values.map((value) => [value]),
  );
  const expected = values.map((value) => [value === null ? null : castValue(value, timestamp, date)]);
  assert.equal(rowsOf(program.run(batch, new EvaluationFailures('stop'))), expected);
  const scratch = new ScratchRoom();
  for (let run = 0; run < 3; run++) {
    scratch.clear();
    assert.equal(rowsOf(program.run(batch, new EvaluationFailures('stop'), scratch.room)), expected);
    scratch.room(Uint8Array, 4096).fill(255);
  }
});

function functionCall(name: string, operands: readonly Scalar[]): FunctionCall {
  const call = bindNamedFunction(name, operands, source);
  if (call.kind !== 'function') throw new Error(`${name} is a function`);
  return call;
}

test.run();
