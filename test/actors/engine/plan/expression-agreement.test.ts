// The expression compiler on random scalars and batches: what it compiles computes what a naive interpreter does.
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { EvaluationFailures } from '../../../../actors/engine/circuit/evaluation-failures.ts';
import type { Scalar } from '../../../../actors/engine/sql/bound.ts';
import { decimalRule } from '../../../../actors/engine/sql/numeric-types.ts';
import type { ScalarValue } from '../../../../actors/engine/sql/scalar-value.ts';
import type { SqlType } from '../../../../runtime/batch/sql-type.ts';
import { compile, rowsOf, words } from './compiled-rows.ts';
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
  operator,
  real,
  schemaOf,
  smallint,
  timestamp,
  uuid,
  varbinary,
  varchar,
  when,
  withDictionaries,
} from './scalar-nodes.ts';

const runs = process.env['MILLRACE_LONG'] === '1' ? 20000 : 400;

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

test.run();
