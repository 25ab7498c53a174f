// LATENESS of a column: the constants that it may be.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compileProgram } from '../../../../actors/engine/sql/compile-program.ts';

function latenessOf(type: string, lateness: string): number | bigint | undefined {
  const { program, problems } = compileProgram(`CREATE TABLE t (x ${type} LATENESS ${lateness});`);
  if (program === null) throw problems[0] ?? new Error('the program has problems');
  return program.tables[0]?.lateness?.[0] ?? undefined;
}

const cases: readonly [type: string, lateness: string, expected: number | bigint][] = [
  ['BIGINT', '5', 5n],
  ['INT', '24 * 60 - 40', 1400],
  ['BIGINT', '10::BIGINT', 10n],
  ['DECIMAL(10, 2)', '1.5', 150n],
  ['DECIMAL(10, 2)', '2 * 3', 600n],
  ['TIMESTAMP', 'INTERVAL 1 MINUTE', 60_000_000n],
];

for (const [type, lateness, expected] of cases) {
  test(`${type} LATENESS ${lateness}`, () => assert.equal(latenessOf(type, lateness), expected));
}

test('what is no constant is refused', () => {
  assert.throws(() => latenessOf('BIGINT', '10 / 3'), /is a constant number/);
  assert.throws(() => latenessOf('BIGINT', 'ABS(3)'), /is a constant number/);
});

test.run();
