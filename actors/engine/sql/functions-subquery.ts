// Functions that the binder of subqueries and windows of time stands on.
//
// ONE_ROW guards a subquery that is used as a value: several rows are an error, as SQL says.
import { floorModulo } from './calendar.ts';
import { InvalidArgument } from './evaluation-errors.ts';
import type { FunctionDefinition } from './function-definition.ts';
import { strictRow, typed, types } from './function-rows.ts';

export const subqueryFunctions: readonly FunctionDefinition[] = [
  {
    name: 'one_row',
    synopsis: 'ONE_ROW(count)',
    category: 'comparison',
    summary:
      'TRUE for a number of rows that is at most 1; several are an error. It guards subqueries that are used as values.',
    example: ['ONE_ROW(1)', 'TRUE'],
    deterministic: true,
    overloads: [strictRow(['BIGINT'], types.boolean, typed(oneRow), { canFail: true })],
  },
  {
    name: 'tumble_start',
    aliases: ['tumble'],
    synopsis: 'TUMBLE_START(timestamp, size [, offset])',
    category: 'temporal',
    summary: 'When the window of a fixed size begins that the timestamp lies in. In GROUP BY it is written TUMBLE(…).',
    example: ["TUMBLE_START(TIMESTAMP '2020-01-01 10:00:07', INTERVAL 5 SECOND)", "TIMESTAMP '2020-01-01 10:00:05'"],
    deterministic: true,
    overloads: [
      strictRow(['timestamp', 'micros', 'micros'], { kind: 'TIMESTAMP' }, typed(windowStart), {
        canFail: true,
        optional: 1,
      }),
    ],
  },
  {
    name: 'tumble_end',
    synopsis: 'TUMBLE_END(timestamp, size [, offset])',
    category: 'temporal',
    summary: 'When the window of a fixed size ends that the timestamp lies in: the first moment after it.',
    example: ["TUMBLE_END(TIMESTAMP '2020-01-01 10:00:07', INTERVAL 5 SECOND)", "TIMESTAMP '2020-01-01 10:00:10'"],
    deterministic: true,
    overloads: [
      strictRow(
        ['timestamp', 'micros', 'micros'],
        { kind: 'TIMESTAMP' },
        typed((at: bigint, size: bigint, offset: bigint | undefined) => windowStart(at, size, offset) + size),
        { canFail: true, optional: 1 },
      ),
    ],
  },
];

function oneRow(count: bigint): boolean {
  if (count <= 1n) return true;
  throw new InvalidArgument({ function: 'subquery', detail: `it gives ${count} rows where one value is expected` });
}

function windowStart(at: bigint, size: bigint, offset: bigint | undefined): bigint {
  if (size <= 0n) throw new InvalidArgument({ function: 'TUMBLE', detail: 'the size of a window is more than 0' });
  return at - floorModulo(at - (offset ?? 0n), size);
}
