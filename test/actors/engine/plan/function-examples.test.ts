// The example of every SQL function, through the parser, the binder and the expression compiler.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { castValue } from '../../../../actors/engine/plan/cast-table.ts';
import { evaluateConstant } from '../../../../actors/engine/plan/expression-compiler.ts';
import type { Scalar } from '../../../../actors/engine/sql/bound.ts';
import { compileProgram } from '../../../../actors/engine/sql/compile-program.ts';
import { functionTable } from '../../../../actors/engine/sql/functions.ts';

/** The value of a constant expression as text, or null when the text is not an expression. */
function textOf(expression: string): string | null {
  const { program } = compileProgram(`CREATE TABLE t (x INT); CREATE VIEW v AS SELECT ${expression} AS a FROM t;`);
  const query = program?.views[0]?.query;
  const scalar: Scalar | undefined = query?.kind === 'project' ? query.columns[0] : undefined;
  if (scalar === undefined) return null;
  const value = evaluateConstant(scalar);
  if (typeof value === 'string') return value;
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  return String(castValue(value, scalar.type, { kind: 'VARCHAR', length: null }));
}

/** Numbers are the same up to the last digits of a double; all else literally. */
function agrees(actual: string, expected: string): boolean {
  return actual === expected || Math.abs(Number(actual) - Number(expected)) < 1e-12;
}

test('the example of every function has the value that its row says', () => {
  for (const { name, example } of functionTable()) {
    const [expression, result] = example;
    const actual = textOf(expression);
    assert.ok(actual !== null, `${name}: ${expression} is an expression`);
    // A result without a spelling in SQL, such as Infinity or JSON, is given as its text.
    const expected = textOf(result) ?? result;
    assert.ok(agrees(actual, expected), `${name}: ${expression} is ${actual}, not ${expected}`);
  }
});

test.run();
