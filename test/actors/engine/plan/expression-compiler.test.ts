// The expression compiler: operators by table, layouts, failures, generated source, and agreement with a naive interpreter.
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { EvaluationFailures } from '../../../../actors/engine/circuit/evaluation-failures.ts';
import { castValue } from '../../../../actors/engine/plan/cast-table.ts';
import { compileRowProgram, evaluateConstant } from '../../../../actors/engine/plan/expression-compiler.ts';
import type { FunctionCall, Scalar } from '../../../../actors/engine/sql/bound.ts';
import { resolveFunction } from '../../../../actors/engine/sql/functions.ts';
import { bindNamedFunction } from '../../../../actors/engine/sql/named-function.ts';
import { decimalRule } from '../../../../actors/engine/sql/numeric-types.ts';
import type { ScalarValue } from '../../../../actors/engine/sql/scalar-value.ts';
import { assertBatch, type ChangeBatch } from '../../../../runtime/batch/change-batch.ts';
import { readCell } from '../../../../runtime/batch/scalar-values.ts';
import { ScratchRoom } from '../../../../runtime/batch/scratch-room.ts';
import type { SqlType } from '../../../../runtime/batch/sql-type.ts';
import { MillraceError } from '../../../../runtime/errors.ts';
import { evaluate, Failure } from './naive-evaluation.ts';
import {
  batchOf,
  bigint,
  boolean,
  cast,
  column,
  date,
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
  timestamp,
  tinyint,
  uuid,
  varbinary,
  varchar,
  variant,
  when,
  withDictionaries,
} from './scalar-nodes.ts';

const runs = process.env['MILLRACE_LONG'] === '1' ? 20000 : 400;

function compile(types: readonly SqlType[], predicate: Scalar | null, outputs: readonly Scalar[] | null) {
  const inputSchema = schemaOf(types);
  const outputSchema = outputs === null ? inputSchema : schemaOf(outputs.map((output) => output.type));
  return compileRowProgram({ inputSchema, predicate, outputs, outputSchema, view: 'v' });
}

function rowsOf(batch: ChangeBatch | null): ScalarValue[][] {
  if (batch === null) return [];
  assertBatch(batch);
  return Array.from({ length: batch.rows }, (_, row) => batch.columns.map((source) => readCell(source, row)));
}

/** The value of one scalar over one row, through a compiled program; 'failed' where it fails. */
function computed(scalar: Scalar, types: readonly SqlType[], row: readonly ScalarValue[]): ScalarValue | 'failed' {
  const failures = new EvaluationFailures('skip');
  const rows = rowsOf(compile(types, null, [scalar]).run(batchOf(schemaOf(types), [row]), failures));
  return rows.length === 0 ? 'failed' : rows[0]![0]!;
}

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

const words: readonly string[] = ['', 'a', 'ab', 'b', 'zürich', '\u{ff5e}', '\u{1f600}', 'A', 'a b', '€'];

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

test('generated code holds no text of the user', () => {
  const types = [varchar, bigint, decimal(10, 2)];
  const evil = 'evil`${"\'*/ text';
  const predicate = operator('=', boolean, column(0, varchar), literal(evil, varchar));
  const outputs = [
    operator('+', bigint, column(1, bigint), literal(31337n, bigint)),
    when([[predicate, literal(evil, varchar)]], column(0, varchar)),
    inList(column(0, varchar), ['evil a', 'evil b', 'evil c', 'evil d', 'evil e']),
  ];
  const source = compile(types, predicate, outputs).source;
  assert.not.match(source, 'evil');
  assert.not.match(source, '31337');
});

test('the source of a filter with arithmetic is one loop without calls', () => {
  const over = operator('>', boolean, column(0, bigint), literal(500n, bigint));
  const schema = schemaOf([bigint], false);
  const sum = operator('+', bigint, column(0, bigint), literal(7n, bigint));
  const program = compileRowProgram({
    inputSchema: schema,
    predicate: over,
    outputs: [sum],
    outputSchema: schema,
    view: 'v',
  });
  assert.snapshot(
    program.source,
    `const p0 = p[0];
const p1 = p[1];
return function rowProgram(f) {
  const rows = f.rows, selection = f.selection;
  const c0 = f.columns[0].values;
  const o0 = f.outputs[0].values;
  let i = f.row, o = f.out, site = -1;
  try {
    for (; i < rows; i++) {
      const v_0 = c0[i];
      const v_1 = v_0 > p0;
      if (!v_1) continue;
      const x_2 = v_0 + p1;
      if (BigInt.asIntN(64, x_2) !== x_2) { site = 0; throw overflow(sites[0]); }
      const v_3 = x_2;
      o0[o] = v_3;
      selection[o++] = i;
    }
  } catch (error) {
    f.failed = true; f.error = error; f.site = site;
  }
  f.row = i; f.out = o;
};`,
  );
});

test('the source of a projection over nullable text compares bytes', () => {
  const equal = operator('=', boolean, column(0, varchar), literal('completed', varchar));
  assert.snapshot(
    compile([varchar], null, [equal]).source,
    `const p0 = p[0];
const p1 = p[1];
return function rowProgram(f) {
  const rows = f.rows, selection = f.selection;
  const u0 = f.columns[0].validity;
  const b0 = f.columns[0].bytes, x0 = f.columns[0].offsets;
  const o0 = f.outputs[0].values;
  const w0 = f.outputs[0].validity;
  let i = f.row, o = f.out, site = -1;
  try {
    for (; i < rows; i++) {
      const n_0 = (u0[i >> 3] & (1 << (i & 7))) === 0;
      const s_1 = x0[i];
      const e_2 = x0[i + 1];
      let v_3 = false;
      if (!n_0) {
        v_3 = (e_2 - s_1 === 9 - 0 && sameBytes(b0, s_1, e_2, p1, 0));
      }
      if (n_0) { w0[o >> 3] &= ~(1 << (o & 7)); }
      else {
        o0[o] = v_3 ? 1 : 0;
      }
      selection[o++] = i;
    }
  } catch (error) {
    f.failed = true; f.error = error; f.site = site;
  }
  f.row = i; f.out = o;
};`,
  );
});

test('constants are computed without a batch', () => {
  assert.is(evaluateConstant(cast(literal('12.345', varchar), decimal(10, 2))), 1235n);
  const sum = operator('+', integer, literal(1, integer), literal(2, integer));
  assert.is(evaluateConstant(sum), 3);
  assert.is(evaluateConstant(when([[literal(true, boolean), literal('yes', varchar)]], literal('no', varchar))), 'yes');
  assert.throws(() => evaluateConstant(operator('/', integer, literal(1, integer), literal(0, integer))));
});

// ── property: the compiled program agrees with the naive interpreter ──

const decimalA = decimal(10, 2);
const decimalB = decimal(25, 4);
const columnTypes: readonly SqlType[] = [
  boolean,
  integer,
  bigint,
  double,
  decimalA,
  decimalB,
  varchar,
  uuid,
  varbinary,
  date,
  timestamp,
  varchar,
  smallint,
  real,
];

const int64 = fc.oneof(
  fc.bigInt({ min: -20n, max: 20n }),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.constantFrom(2n ** 63n - 1n, -(2n ** 63n), 2n ** 32n),
);

function arbitraryValue(type: SqlType): fc.Arbitrary<ScalarValue> {
  switch (type.kind) {
    case 'BOOLEAN':
      return fc.boolean();
    case 'SMALLINT':
      return fc.oneof(fc.integer({ min: -5, max: 5 }), fc.integer({ min: -32768, max: 32767 }));
    case 'INTEGER':
      return fc.oneof(fc.integer({ min: -5, max: 5 }), fc.integer());
    case 'DATE':
      return fc.integer({ min: -700000, max: 2900000 });
    case 'BIGINT':
      return int64;
    case 'TIMESTAMP':
      return fc.bigInt({ min: -62135596800000000n, max: 253402300799999999n });
    case 'DOUBLE':
      return fc.oneof(fc.double(), fc.integer({ min: -3, max: 3 }));
    case 'REAL':
      return fc.oneof(fc.float(), fc.integer({ min: -3, max: 3 }));
    case 'DECIMAL': {
      const max = 10n ** BigInt(type.precision) - 1n;
      return fc.oneof(fc.bigInt({ min: -200n, max: 200n }), fc.bigInt({ min: -max, max }));
    }
    case 'UUID':
      return fc.oneof(
        fc.uuid(),
        fc.constantFrom('ffffffff-0000-1000-8000-000000000000', '0fffffff-0000-1000-8000-000000000000'),
      );
    case 'VARBINARY':
      return fc.uint8Array({ maxLength: 3, max: 3 });
    case 'VARIANT':
      return fc.constantFrom('1', 'true', '"x"', 'null');
    default:
      return fc.oneof(fc.constantFrom(...words), fc.constantFrom('1', '-2.5', 'true', '2020-01-02'));
  }
}

const comparisons = ['=', '<>', '<', '<=', '>', '>=', 'is distinct from', 'is not distinct from'] as const;

/** Scalars of a type over `columnTypes`. */
function arbitraryScalar(type: SqlType, depth: number): fc.Arbitrary<Scalar> {
  const ordinals = columnTypes.flatMap((candidate, i) =>
    candidate.kind === type.kind && same(candidate, type) ? [i] : [],
  );
  const leaves: fc.Arbitrary<Scalar>[] = [
    fc.oneof({ weight: 4, arbitrary: arbitraryValue(type) }, fc.constant(null)).map((value) => literal(value, type)),
  ];
  if (ordinals.length > 0) leaves.push(fc.constantFrom(...ordinals).map((ordinal) => column(ordinal, type)));
  if (depth === 0) return fc.oneof(...leaves.reverse().map((arbitrary, i) => ({ weight: i === 0 ? 3 : 1, arbitrary })));
  const sub = (of: SqlType) => arbitraryScalar(of, depth - 1);
  const branches: fc.Arbitrary<Scalar>[] = [
    ...leaves,
    fc
      .tuple(fc.array(fc.tuple(sub(boolean), sub(type)), { minLength: 1, maxLength: 2 }), sub(type))
      .map(([cases, otherwise]) => when(cases, otherwise)),
  ];
  if (type.kind === 'BOOLEAN') {
    const operandType = fc.constantFrom(...columnTypes);
    branches.push(
      fc
        .tuple(fc.constantFrom(...comparisons), operandType)
        .chain(([name, of]) => fc.tuple(sub(of), sub(of)).map(([a, b]) => operator(name, boolean, a, b))),
      fc
        .tuple(fc.constantFrom('and', 'or'), fc.array(sub(boolean), { minLength: 2, maxLength: 3 }))
        .map(([name, operands]) => operator(name, boolean, ...operands)),
      fc
        .tuple(fc.constantFrom('not', 'is true', 'is not true', 'is false', 'is not false'), sub(boolean))
        .map(([name, operand]) => operator(name, boolean, operand)),
      fc
        .tuple(fc.constantFrom('is null', 'is not null'), operandType)
        .chain(([name, of]) => sub(of).map((operand) => operator(name, boolean, operand))),
      operandType.chain((of) =>
        fc
          .tuple(sub(of), fc.array(fc.oneof(arbitraryValue(of), fc.constant(null)), { maxLength: 7 }))
          .map(([operand, values]) => inList(operand, values)),
      ),
    );
  }
  if (['SMALLINT', 'INTEGER', 'BIGINT', 'DOUBLE', 'REAL'].includes(type.kind)) {
    branches.push(
      fc
        .tuple(fc.constantFrom('+', '-', '*', '/', '%'), sub(type), sub(type))
        .map(([name, a, b]) => operator(name, type, a, b)),
      sub(type).map((operand) => operator('negate', type, operand)),
    );
  }
  if (type.kind === 'DECIMAL') {
    branches.push(
      fc
        .tuple(
          fc.constantFrom('+', '-', '*', '/', '%'),
          fc.constantFrom(decimalA, decimalB),
          fc.constantFrom(decimalA, decimalB),
        )
        .chain(([name, left, right]) => {
          const rule = decimalRule(name, left, right);
          return fc
            .tuple(sub(left), sub(right))
            .map(([a, b]) => cast(operator(name, rule.result, cast(a, rule.left), cast(b, rule.right)), type));
        }),
      sub(type).map((operand) => operator('negate', type, operand)),
    );
  }
  const castable: Partial<Record<SqlType['kind'], readonly SqlType[]>> = {
    BOOLEAN: [varchar, integer],
    SMALLINT: [integer, bigint, decimalA, double, varchar],
    INTEGER: [smallint, bigint, decimalB, double, varchar, boolean],
    BIGINT: [integer, decimalB, double, varchar],
    DOUBLE: [integer, bigint, decimalA, decimalB, varchar, real],
    REAL: [integer, bigint, decimalA, double],
    DECIMAL: [integer, bigint, double, varchar, decimalA, decimalB],
    VARCHAR: [integer, bigint, double, decimalB, boolean, uuid, date, timestamp, real],
    UUID: [varchar],
    DATE: [varchar, timestamp],
    TIMESTAMP: [varchar, date],
  };
  const from = castable[type.kind];
  if (from !== undefined) {
    branches.push(
      fc
        .tuple(fc.constantFrom(...from), fc.boolean())
        .chain(([of, safe]) => sub(of).map((operand) => cast(operand, type, safe))),
    );
  }
  return fc.oneof(...branches);
}

function same(a: SqlType, b: SqlType): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

test('compiled programs agree with a naive interpreter on random scalars and batches', () => {
  const nullableValue = (type: SqlType) => fc.oneof({ weight: 5, arbitrary: arbitraryValue(type) }, fc.constant(null));
  const row = fc.tuple(...columnTypes.map(nullableValue));
  // Columns without any NULL take other paths of the generated code.
  const fullRow = fc.tuple(...columnTypes.map(arbitraryValue));
  const rowsArbitrary = fc.oneof(
    fc.array(row, { minLength: 1, maxLength: 12 }),
    fc.array(fullRow, { minLength: 1, maxLength: 12 }),
  );
  const outputType = fc.constantFrom(...columnTypes);
  fc.assert(
    fc.property(
      rowsArbitrary,
      fc.option(arbitraryScalar(boolean, 2), { nil: null, freq: 3 }),
      fc.array(
        outputType.chain((type) => arbitraryScalar(type, 3)),
        { minLength: 1, maxLength: 3 },
      ),
      fc.boolean(),
      (rows, predicate, outputs, dictionaries) => {
        const expected: ScalarValue[][] = [];
        const expectedWeights: number[] = [];
        let failed = 0;
        rows.forEach((values, i) => {
          try {
            if (predicate !== null && !passes(predicate, values)) return;
            expected.push(outputs.map((scalar) => evaluate(scalar, values)));
            expectedWeights.push(i + 1);
          } catch (error) {
            if (!(error instanceof Failure)) throw error;
            failed++;
          }
        });
        const batch = batchOf(
          schemaOf(columnTypes),
          rows,
          rows.map((_, i) => i + 1),
        );
        const failures = new EvaluationFailures('skip');
        const program = compile(columnTypes, predicate, outputs);
        const result = program.run(dictionaries ? withDictionaries(batch) : batch, failures);
        assert.equal(rowsOf(result), expected.map(normalised));
        assert.is(failures.count, failed);
        if (result !== null) assert.equal([...(result.weights ?? [1])], expectedWeights);
      },
    ),
    { numRuns: runs },
  );
});

/** A top-level AND rejects a row at the first operand that is not true. */
function passes(predicate: Scalar, row: readonly ScalarValue[]): boolean {
  if (predicate.kind === 'operator' && predicate.operator === 'and') {
    return predicate.operands.every((operand) => passes(operand, row));
  }
  return evaluate(predicate, row) === true;
}

/** Columns hold what the interpreter's values become in them. */
function normalised(row: readonly ScalarValue[]): ScalarValue[] {
  return [...row];
}

test('NULL typed and VARIANT columns can be tested and passed on', () => {
  assert.is(computed(operator('is null', boolean, column(0, nullType)), [nullType], [null]), true);
  assert.is(
    computed(operator('=', boolean, column(0, variant), literal('{"a":1}', variant)), [variant], ['{"a":1}']),
    true,
  );
  assert.is(computed(cast(column(0, nullType), varchar), [nullType], [null]), null);
});

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
