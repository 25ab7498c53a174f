// Functions that the binders of subqueries, of UNNEST and of windows of time stand on.
//
// ONE_ROW guards a subquery that is used as a value: several rows are an error, as SQL says. The entries of a map have no order
// that means anything, but always the same one.
import { fromPublic, Refusal } from '../../../runtime/batch/public-values.ts';
import type { SqlType } from '../../../runtime/batch/sql-type.ts';
import { parseVariant } from '../../../runtime/batch/variant-json.ts';
import { floorModulo } from './calendar.ts';
import { InvalidArgument } from './evaluation-errors.ts';
import type { CallShape, Evaluator, FunctionDefinition, FunctionOverload } from './function-definition.ts';
import { strictRow, typed, types } from './function-rows.ts';

export const relationalFunctions: readonly FunctionDefinition[] = [
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
  {
    name: 'map_key',
    synopsis: 'MAP_KEY(map, number)',
    category: 'array',
    summary: 'The key of an entry of a map by its number, from 1; NULL when there is none.',
    example: ["MAP_KEY(MAP['a', 5], 1)", "'a'"],
    deterministic: true,
    overloads: [entryRow(([map]) => (map?.kind === 'MAP' ? map.key : untyped), keyAt)],
  },
  {
    name: 'map_value',
    synopsis: 'MAP_VALUE(map, number)',
    category: 'array',
    summary: 'The value of an entry of a map by its number, from 1; NULL when there is none.',
    example: ["MAP_VALUE(MAP['a', 5], 1)", '5'],
    deterministic: true,
    overloads: [entryRow(([map]) => (map?.kind === 'MAP' ? map.value : untyped), partAt)],
  },
];

const untyped: SqlType = { kind: 'NULL' };

type Part = (entry: readonly [string, unknown], type: SqlType) => unknown;

function entryRow(result: FunctionOverload['result'], part: Part): FunctionOverload {
  const evaluate = (): never => {
    throw new TypeError('functions of maps are prepared with the types of their arguments');
  };
  const prepare = ({ resultType }: CallShape): Evaluator => {
    return (map, number) => {
      const entry = Object.entries(parseVariant(String(map)) ?? {})[Number(number) - 1];
      if (entry === undefined) return null;
      const cell = fromPublic(part(entry, resultType), resultType);
      return cell instanceof Refusal ? null : cell;
    };
  };
  return { ...strictRow(['map', 'BIGINT'], result, evaluate, { nullable: true }), prepare };
}

function keyAt([key]: readonly [string, unknown], type: SqlType): unknown {
  return type.kind === 'BOOLEAN' ? key === 'true' : key;
}

function partAt([, value]: readonly [string, unknown]): unknown {
  return value;
}

function oneRow(count: bigint): boolean {
  if (count <= 1n) return true;
  throw new InvalidArgument({ function: 'subquery', detail: `it gives ${count} rows where one value is expected` });
}

function windowStart(at: bigint, size: bigint, offset: bigint | undefined): bigint {
  if (size <= 0n) throw new InvalidArgument({ function: 'TUMBLE', detail: 'the size of a window is more than 0' });
  return at - floorModulo(at - (offset ?? 0n), size);
}
