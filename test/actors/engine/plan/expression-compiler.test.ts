// The expression compiler: operators by table, layouts, failures. What it writes, functions, and agreement with a naive interpreter are
// tested beside it.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { EvaluationFailures } from '../../../../actors/engine/circuit/evaluation-failures.ts';
import { evaluateConstant } from '../../../../actors/engine/plan/expression-compiler.ts';
import type { Scalar } from '../../../../actors/engine/sql/bound.ts';
import type { ScalarValue } from '../../../../actors/engine/sql/scalar-value.ts';
import type { ChangeBatch } from '../../../../runtime/batch/change-batch.ts';
import type { SqlType } from '../../../../runtime/batch/sql-type.ts';
import { MillraceError } from '../../../../runtime/errors.ts';
import { compile, computed, rowsOf, words } from './compiled-rows.ts';
import { evaluate } from './naive-evaluation.ts';
import {
  batchOf,
  bigint,
  boolean,
  cast,
  column,
  decimal,
  double,
  inList,
  integer,
  literal,
  nullType,
  operator,
  real,
  schemaOf,
  smallint,
  tinyint,
  uuid,
  varchar,
  variant,
  when,
  withDictionaries,
} from './scalar-nodes.ts';

const trilean: readonly ScalarValue[] = [true, false, null];

test('AND, OR and NOT follow three-valued logic', () => {
  const [a, b] = [column(0, boolean), column(1, boolean)];
  for (const x of trilean) {
    for (const y of trilean) {
      const row = [x, y];
      const and = x === false || y === false ? false : x === null || y === null ? null : true;
      const or = x === true || y === true ? true : x === null || y === null ? null : false;
      assert.is(computed(operator('and', boolean, a, b), [boolean, boolean], row), and, `${x} and ${y}`);
      assert.is(computed(operator('or', boolean, a, b), [boolean, boolean], row), or, `${x} or ${y}`);
    }
    assert.is(computed(operator('not', boolean, a), [boolean], [x]), x === null ? null : !x);
    assert.is(computed(operator('is true', boolean, a), [boolean], [x]), x === true);
    assert.is(computed(operator('is not true', boolean, a), [boolean], [x]), x !== true);
    assert.is(computed(operator('is false', boolean, a), [boolean], [x]), x === false);
    assert.is(computed(operator('is not false', boolean, a), [boolean], [x]), x !== false);
    assert.is(computed(operator('is null', boolean, a), [boolean], [x]), x === null);
    assert.is(computed(operator('is not null', boolean, a), [boolean], [x]), x !== null);
  }
});

const arithmeticCases: readonly (readonly [
  SqlType,
  ScalarValue,
  '+' | '-' | '*' | '/' | '%',
  ScalarValue,
  ScalarValue | 'failed',
])[] = [
  [tinyint, 100, '+', 27, 127],
  [tinyint, 100, '+', 28, 'failed'],
  [tinyint, -128, '/', -1, 'failed'],
  [smallint, -32768, '-', 1, 'failed'],
  [smallint, 181, '*', 181, 32761],
  [integer, 2147483647, '+', 1, 'failed'],
  [integer, 2147483647, '*', 2147483647, 'failed'],
  [integer, -7, '/', 2, -3],
  [integer, -7, '%', 2, -1],
  [integer, 7, '/', 0, 'failed'],
  [integer, 7, '%', 0, 'failed'],
  [integer, -2147483648, '/', -1, 'failed'],
  [integer, null, '/', 0, null],
  [integer, 1, '+', null, null],
  [bigint, 9223372036854775807n, '+', 1n, 'failed'],
  [bigint, 9223372036854775806n, '+', 1n, 9223372036854775807n],
  [bigint, -9223372036854775808n, '-', 1n, 'failed'],
  [bigint, -9223372036854775808n, '/', -1n, 'failed'],
  [bigint, -9223372036854775808n, '%', -1n, 0n],
  [bigint, 3037000500n, '*', 3037000500n, 'failed'],
  [bigint, 3037000499n, '*', 3037000499n, 9223372030926249001n],
  [bigint, -7n, '/', 2n, -3n],
  [bigint, 1n, '/', 0n, 'failed'],
  [bigint, 1n, '%', 0n, 'failed'],
  [double, 1, '/', 0, Number.POSITIVE_INFINITY],
  [double, 0.1, '+', 0.2, 0.30000000000000004],
  [real, Math.fround(0.1), '+', Math.fround(0.2), Math.fround(Math.fround(0.1) + Math.fround(0.2))],
];

test('arithmetic is exact and fails at the border of its type', () => {
  for (const [type, a, name, b, expected] of arithmeticCases) {
    const call = operator(name, type, column(0, type), column(1, type));
    assert.is(computed(call, [type, type], [a, b]), expected, `${type.kind} ${a} ${name} ${b}`);
  }
  assert.is(computed(operator('negate', bigint, column(0, bigint)), [bigint], [-9223372036854775808n]), 'failed');
  assert.is(computed(operator('negate', integer, column(0, integer)), [integer], [-2147483648]), 'failed');
  assert.is(computed(operator('negate', decimal(4, 2), column(0, decimal(4, 2))), [decimal(4, 2)], [-1250n]), 1250n);
});

test('DECIMAL results are rounded half away from zero and checked against their precision', () => {
  const type = decimal(10, 2);
  const multiply = (a: bigint, b: bigint, result: SqlType) =>
    computed(operator('*', result, column(0, type), column(1, type)), [type, type], [a, b]);
  assert.is(multiply(1250n, 300n, decimal(20, 4)), 375000n);
  assert.is(multiply(105n, 150n, decimal(20, 2)), 158n, '1.05 * 1.50 = 1.5750 is 1.58');
  assert.is(multiply(-105n, 150n, decimal(20, 2)), -158n);
  assert.is(multiply(9999999999n, 9999999999n, decimal(20, 4)), 99999999980000000001n, 'beyond 64 bits');
  assert.is(multiply(9999999999n, 9999999999n, decimal(19, 4)), 'failed');
  const divide = (a: bigint, b: bigint, result: SqlType) =>
    computed(operator('/', result, column(0, type), column(1, type)), [type, type], [a, b]);
  assert.is(divide(100n, 300n, decimal(10, 6)), 333333n);
  assert.is(divide(200n, 300n, decimal(10, 6)), 666667n);
  assert.is(divide(-200n, 300n, decimal(10, 6)), -666667n);
  assert.is(divide(100n, 0n, decimal(10, 6)), 'failed');
});

test('text is compared by code points, as bytes, in both layouts and against strings', () => {
  const types = [varchar, varchar];
  const [a, b] = [column(0, varchar), column(1, varchar)];
  const rows = words.flatMap((x) => words.map((y) => [x, y]));
  const batch = batchOf(schemaOf(types), rows);
  for (const name of ['=', '<>', '<', '<=', '>', '>='] as const) {
    const pairs: readonly Scalar[] = [
      operator(name, boolean, a, b),
      // A cast that cuts makes JavaScript strings.
      operator(name, boolean, cast(a, { kind: 'VARCHAR', length: 9 }), b),
      operator(name, boolean, a, literal('b', varchar)),
    ];
    for (const input of [batch, withDictionaries(batch)]) {
      const program = compile(types, null, pairs);
      const results = rowsOf(program.run(input, new EvaluationFailures('stop')));
      rows.forEach((row, i) => {
        assert.equal(
          results[i],
          pairs.map((scalar) => evaluate(scalar, row)),
          `${row[0]} ${name} ${row[1]}`,
        );
      });
    }
  }
});

test('NaN equals itself and is the greatest number', () => {
  const numbers = [Number.NaN, Number.POSITIVE_INFINITY, 0, -1];
  for (const x of numbers) {
    for (const y of numbers) {
      for (const name of ['=', '<>', '<', '<=', '>', '>=', 'is distinct from'] as const) {
        const scalar = operator(name, boolean, column(0, double), column(1, double));
        assert.is(computed(scalar, [double, double], [x, y]), evaluate(scalar, [x, y]), `${x} ${name} ${y}`);
      }
    }
  }
});

test('IN is unknown for NULL, and for a value that is not listed when NULL is', () => {
  const long = [1n, 2n, 3n, 4n, 5n, 6n, 7n];
  const five = column(0, bigint);
  assert.is(computed(inList(five, [1n, 2n]), [bigint], [2n]), true);
  assert.is(computed(inList(five, [1n, 2n]), [bigint], [3n]), false);
  assert.is(computed(inList(five, [1n, null]), [bigint], [3n]), null);
  assert.is(computed(inList(five, [1n, null]), [bigint], [1n]), true);
  assert.is(computed(inList(five, long), [bigint], [null]), null);
  assert.is(computed(inList(five, long), [bigint], [7n]), true);
  assert.is(computed(inList(five, long), [bigint], [8n]), false);
  assert.is(computed(inList(column(0, varchar), words), [varchar], ['zürich']), true);
  assert.is(computed(inList(column(0, varchar), words), [varchar], ['zurich']), false);
});

test('CASE, AND and OR do not compute what stands behind the deciding operand', () => {
  const [n, d] = [column(0, integer), column(1, integer)];
  const isZero = operator('=', boolean, d, literal(0, integer));
  const quotient = operator('/', integer, n, d);
  const guardedCase = when([[isZero, literal(null, integer)]], quotient);
  assert.is(computed(guardedCase, [integer, integer], [1, 0]), null);
  assert.is(computed(guardedCase, [integer, integer], [6, 2]), 3);
  const positive = operator('>', boolean, quotient, literal(1, integer));
  assert.is(computed(operator('or', boolean, isZero, positive), [integer, integer], [1, 0]), true);
  const notZero = operator('<>', boolean, d, literal(0, integer));
  assert.is(computed(operator('and', boolean, notZero, positive), [integer, integer], [1, 0]), false);
});

test('columns are reused when every row passes and gathered with their weights when not', () => {
  const types = [bigint, varchar, decimal(30, 2), uuid, boolean];
  const id = (n: number) => `00000000-0000-0000-0000-00000000000${n}`;
  const rows = Array.from({ length: 9 }, (_, i) => [
    BigInt(i),
    `text ${i}`,
    BigInt(i) * 10n ** 25n,
    id(i),
    i % 2 === 0,
  ]);
  const batch = withDictionaries(
    batchOf(
      schemaOf(types),
      rows,
      rows.map((_, i) => i - 20),
    ),
  );
  const all = compile(types, operator('>=', boolean, column(0, bigint), literal(0n, bigint)), null);
  const same = all.run(batch, new EvaluationFailures('stop'));
  assert.is(same?.columns[1], batch.columns[1]);
  assert.is(same?.weights, batch.weights);
  const odd = compile(types, operator('not', boolean, column(4, boolean)), null).run(
    batch,
    new EvaluationFailures('stop'),
  );
  assert.equal(
    rowsOf(odd),
    rows.filter((row) => row[4] === false),
  );
  assert.equal([...odd!.weights!], [-19, -17, -15, -13]);
  const dictionary = odd?.columns[1];
  assert.ok(dictionary?.layout === 'dictionary' && batch.columns[1]?.layout === 'dictionary');
  assert.is(dictionary.dictionary, batch.columns[1].dictionary);
  const none = operator('<', boolean, column(0, bigint), literal(0n, bigint));
  assert.is(compile(types, none, null).run(batch, new EvaluationFailures('stop')), null);
});

test('a program that passes its input on is the identity', () => {
  const program = compile([bigint, varchar], null, [column(0, bigint), column(1, varchar)]);
  const batch = batchOf(schemaOf([bigint, varchar]), [[1n, 'a']]);
  assert.ok(program.isIdentity);
  assert.is(program.run(batch, new EvaluationFailures('stop')), batch);
  assert.not.ok(compile([bigint, varchar], null, [column(1, varchar), column(0, bigint)]).isIdentity);
});

test('literals become constant columns, text ones with one dictionary for all batches', () => {
  const program = compile([bigint], null, [literal('fixed', varchar), literal(7n, bigint), literal(null, double)]);
  const batch = batchOf(schemaOf([bigint]), [[1n], [2n], [3n]]);
  const first = program.run(batch, new EvaluationFailures('stop'));
  const second = program.run(batch, new EvaluationFailures('stop'));
  assert.equal(
    rowsOf(first),
    [1, 2, 3].map(() => ['fixed', 7n, null]),
  );
  const [a, b] = [first?.columns[0], second?.columns[0]];
  assert.ok(a?.layout === 'dictionary' && b?.layout === 'dictionary');
  assert.is(a.dictionary.identity, b.dictionary.identity);
});

test('a failing row is left out under skip, counted, and named with its values', () => {
  const types = [integer, integer, varchar];
  const outputs = [operator('/', integer, column(0, integer), column(1, integer)), column(2, varchar)];
  const rows = Array.from({ length: 300 }, (_, i) => [i, i % 3, `row ${i}`]);
  const failures = new EvaluationFailures('skip');
  const result = compile(types, null, outputs).run(batchOf(schemaOf(types), rows), failures);
  const kept = rows.filter((row) => row[1] !== 0);
  assert.equal(
    rowsOf(result),
    kept.map(([a, b, c]) => [Math.trunc(Number(a) / Number(b)), c]),
  );
  assert.is(failures.count, 100);
  assert.is(failures.latest.length, 100);
  assert.equal(failures.latest[1]?.row, { c0: 3, c1: 0, c2: 'row 3' });
  assert.is(failures.latest[1]?.expression.text, 'the expression');
});

test('a failing row ends the step under stop, with view, expression, place, row and cause', () => {
  const scalar = operator('/', integer, column(0, integer), column(1, integer));
  const program = compile([integer, integer], null, [scalar]);
  try {
    program.run(
      batchOf(schemaOf([integer, integer]), [
        [4, 2],
        [1, 0],
      ]),
      new EvaluationFailures('stop'),
    );
    assert.unreachable();
  } catch (error) {
    assert.instance(error, MillraceError);
    const failure = error as MillraceError;
    assert.is(failure.code, 'sql.evaluation_failed');
    assert.equal(failure.fields['row'], { c0: 1, c1: 0 });
    assert.is(failure.fields['view'], 'v');
    assert.equal(failure.place, { line: 3, column: 7 });
    assert.is((failure.cause as MillraceError).code, 'sql.division_by_zero');
    assert.match(failure.message, 'the expression');
  }
});

test('an expression over one dictionary column is computed once per entry, and again for entries that come later', () => {
  const types = [varchar];
  const scalar = cast(column(0, varchar), integer, true);
  const program = compile(types, null, [scalar]);
  const identities: object[] = [];
  const batch = (texts: readonly (string | null)[]) =>
    withDictionaries(
      batchOf(
        schemaOf(types),
        texts.map((text) => [text]),
      ),
      identities,
    );
  const run = (input: ChangeBatch) => rowsOf(program.run(input, new EvaluationFailures('stop')));
  assert.equal(run(batch(['1', 'x', '1', null, '2'])), [[1], [null], [1], [null], [2]]);
  // The same dictionary, grown: what was known is still right.
  assert.equal(run(batch(['1', 'x', '2', '7', '8', '9', '1', null])), [[1], [null], [2], [7], [8], [9], [1], [null]]);
});

test('constants are computed without a batch', () => {
  assert.is(evaluateConstant(cast(literal('12.345', varchar), decimal(10, 2))), 1235n);
  const sum = operator('+', integer, literal(1, integer), literal(2, integer));
  assert.is(evaluateConstant(sum), 3);
  assert.is(evaluateConstant(when([[literal(true, boolean), literal('yes', varchar)]], literal('no', varchar))), 'yes');
  assert.throws(() => evaluateConstant(operator('/', integer, literal(1, integer), literal(0, integer))));
});

test('NULL typed and VARIANT columns can be tested and passed on', () => {
  assert.is(computed(operator('is null', boolean, column(0, nullType)), [nullType], [null]), true);
  assert.is(
    computed(operator('=', boolean, column(0, variant), literal('{"a":1}', variant)), [variant], ['{"a":1}']),
    true,
  );
  assert.is(computed(cast(column(0, nullType), varchar), [nullType], [null]), null);
});

test.run();
