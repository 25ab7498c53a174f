// LATENESS of a column: the constants that it may be.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compileProgram } from '../../../../actors/engine/sql/compile-program.ts';
import { type Lateness, monthsBefore } from '../../../../actors/engine/sql/lateness.ts';

function latenessOf(type: string, lateness: string): Lateness | undefined {
  const { program, problems } = compileProgram(`CREATE TABLE t (x ${type} LATENESS ${lateness});`);
  if (program === null) throw problems[0] ?? new Error('the program has problems');
  return program.tables[0]?.lateness?.[0] ?? undefined;
}

const cases: readonly [type: string, lateness: string, expected: Lateness][] = [
  ['BIGINT', '5', 5n],
  ['INT', '24 * 60 - 40', 1400],
  ['BIGINT', '10::BIGINT', 10n],
  ['DECIMAL(10, 2)', '1.5', 150n],
  ['DECIMAL(10, 2)', '2 * 3', 600n],
  ['TIMESTAMP', 'INTERVAL 1 MINUTE', 60_000_000n],
  ['TIMESTAMP', 'INTERVAL 1 MONTH', { months: 1 }],
  ['DATE', "INTERVAL '1-2' YEAR TO MONTH", { months: 14 }],
];

for (const [type, lateness, expected] of cases) {
  test(`${type} LATENESS ${lateness}`, () => assert.equal(latenessOf(type, lateness), expected));
}

test('what is no constant is refused', () => {
  assert.throws(() => latenessOf('BIGINT', '10 / 3'), /is a constant number/);
  assert.throws(() => latenessOf('BIGINT', 'ABS(3)'), /is a constant number/);
  assert.throws(() => latenessOf('TIME', 'INTERVAL 1 MONTH'), /days to seconds/);
  assert.throws(() => latenessOf('DATE', '-INTERVAL 1 MONTH'), /LATENESS/);
});

test('months before a time are those of the calendar, and never go back', () => {
  const month = monthsBefore(1, { kind: 'TIMESTAMP' });
  const micros = (text: string): bigint => BigInt(Date.parse(`${text}Z`)) * 1000n;
  assert.is(month(micros('2024-05-15T10:30:00')), micros('2024-04-15T10:30:00'));
  assert.is(month(micros('2024-03-30T12:00:00')), micros('2024-03-01T00:00:00') - 1n);
  let last = month(micros('2023-12-01T00:00:00'));
  for (let hour = 1; hour < 24 * 130; hour++) {
    const next = month(micros('2023-12-01T00:00:00') + BigInt(hour) * 3_600_000_000n);
    assert.ok(next >= last, `hour ${hour}`);
    last = next;
  }
  const day = monthsBefore(1, { kind: 'DATE' });
  assert.is(day(Date.parse('2024-03-31') / 86_400_000), Date.parse('2024-02-29') / 86_400_000);
});

test.run();
