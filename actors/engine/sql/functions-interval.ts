// Arithmetic with dates, times, timestamps and intervals: the rows behind the operators + - * /.
//
// Months move the calendar (a day that the month lacks becomes its last one), microseconds move the clock. A DATE moves
// by whole days, a TIME stays within its day. The difference of two dates, times or timestamps is an interval of microseconds.
import type { SqlType } from '../../../runtime/batch/sql-type.ts';
import { addMonths, floorModulo, joinTimestamp, microsOfDay, nanosOfDay, splitTimestamp } from './calendar.ts';
import { DivisionByZero, NumericOverflow } from './evaluation-errors.ts';
import type {
  CallShape,
  Evaluator,
  FunctionDefinition,
  FunctionOverload,
  ParameterClass,
} from './function-definition.ts';
import { strictRow, typed } from './function-rows.ts';
import { commonType, isInterval } from './type-coercion.ts';

const date: SqlType = { kind: 'DATE' };
const time: SqlType = { kind: 'TIME' };
const timestamp: SqlType = { kind: 'TIMESTAMP' };
const months: SqlType = { kind: 'INTERVAL_MONTHS' };
const micros: SqlType = { kind: 'INTERVAL_MICROS' };

export const intervalFunctions: readonly FunctionDefinition[] = [
  define(
    '+',
    [],
    'x + interval',
    'Moves a date, time or timestamp; adds intervals.',
    ["DATE '2020-01-31' + INTERVAL 1 MONTH", "DATE '2020-02-29'"],
    [
      ...eitherOrder('date', 'months', date, dateMonths),
      ...eitherOrder('date', 'micros', date, dateMicros),
      ...eitherOrder('timestamp', 'months', timestamp, timestampMonths),
      ...eitherOrder('timestamp', 'micros', timestamp, (x: bigint, y: bigint) => long(x + y, timestamp)),
      ...eitherOrder('time', 'micros', time, timeMicros),
      ...eitherOrder('time', 'months', time, (x: bigint, _: number) => x),
      row('months', 'months', bothUnits, (x: number, y: number) => short(x + y, months)),
      row('micros', 'micros', bothUnits, (x: bigint, y: bigint) => long(x + y, micros)),
    ],
  ),
  define(
    '-',
    [],
    'x - interval, x - y',
    'Moves a date, time or timestamp back; the interval between two.',
    ["DATE '2020-03-31' - INTERVAL 1 MONTH", "DATE '2020-02-29'"],
    [
      row('date', 'date', micros, (x: number, y: number) => BigInt(x - y) * microsOfDay),
      row('timestamp', 'timestamp', micros, (x: bigint, y: bigint) => long(x - y, micros)),
      row('time', 'time', micros, (x: bigint, y: bigint) => (x - y) / 1000n),
      row('date', 'months', date, (x: number, y: number) => dateMonths(x, -y)),
      row('date', 'micros', date, (x: number, y: bigint) => dateMicros(x, -y)),
      row('timestamp', 'months', timestamp, (x: bigint, y: number) => timestampMonths(x, -y)),
      row('timestamp', 'micros', timestamp, (x: bigint, y: bigint) => long(x - y, timestamp)),
      row('time', 'micros', time, (x: bigint, y: bigint) => timeMicros(x, -y)),
      row('time', 'months', time, (x: bigint, _: number) => x),
      row('months', 'months', bothUnits, (x: number, y: number) => short(x - y, months)),
      row('micros', 'micros', bothUnits, (x: bigint, y: bigint) => long(x - y, micros)),
    ],
  ),
  define(
    '*',
    [],
    'interval * number',
    'Multiplies an interval.',
    ["INTERVAL '60' MINUTE * 1.5", 'INTERVAL 90 MINUTE'],
    [
      ...eitherOrder('months', 'BIGINT', sameUnit, (x: number, y: bigint) => short(Number(BigInt(x) * y), months)),
      ...eitherOrder('micros', 'BIGINT', sameUnit, (x: bigint, y: bigint) => long(x * y, micros)),
      ...scaledRows((x, y, scale) => (x * y) / scale),
      ...eitherOrder('months', 'double', sameUnit, (x: number, y: number) => short(Math.trunc(x * y), months)),
      ...eitherOrder('micros', 'double', sameUnit, (x: bigint, y: number) => fromDouble(Number(x) * y)),
    ],
  ),
  define(
    '/',
    [],
    'interval / number',
    'Divides an interval.',
    ["INTERVAL '60' MINUTE / 2", 'INTERVAL 30 MINUTE'],
    [
      row('months', 'BIGINT', sameUnit, (x: number, y: bigint) => short(Number(BigInt(x) / divisor(y)), months)),
      row('micros', 'BIGINT', sameUnit, (x: bigint, y: bigint) => long(x / divisor(y), micros)),
      ...scaledRows((x, y, scale) => (x * scale) / divisor(y)).filter(({ parameters }) => parameters[1] === 'decimal'),
      row('months', 'double', sameUnit, (x: number, y: number) => short(Math.trunc(x / y), months)),
      row('micros', 'double', sameUnit, (x: bigint, y: number) => fromDouble(Number(x) / y)),
    ],
  ),
  define(
    '%',
    [],
    'interval % interval',
    'What is left when an interval is divided by another.',
    ["INTERVAL '90' MINUTE % INTERVAL '60' MINUTE", 'INTERVAL 30 MINUTE'],
    [row('micros', 'micros', bothUnits, (x: bigint, y: bigint) => x % divisor(y))],
  ),
  named(
    'date_add',
    'DATE_ADD(x, interval)',
    'The same as x + interval.',
    ["DATE_ADD(DATE '2020-01-31', INTERVAL 1 DAY)", "DATE '2020-02-01'"],
    1,
  ),
  named(
    'date_sub',
    'DATE_SUB(x, interval)',
    'The same as x - interval.',
    ["DATE_SUB(DATE '2020-02-01', INTERVAL 1 DAY)", "DATE '2020-01-31'"],
    -1,
  ),
];

function define(
  name: string,
  aliases: readonly string[],
  synopsis: string,
  summary: string,
  example: FunctionDefinition['example'],
  overloads: readonly FunctionOverload[],
): FunctionDefinition {
  return { name, aliases, synopsis, category: 'temporal', summary, example, deterministic: true, overloads };
}

function named(
  name: string,
  synopsis: string,
  summary: string,
  example: FunctionDefinition['example'],
  sign: 1 | -1,
): FunctionDefinition {
  const factor = BigInt(sign);
  return define(name, [], synopsis, summary, example, [
    row('date', 'months', date, (x: number, y: number) => dateMonths(x, y * sign)),
    row('date', 'micros', date, (x: number, y: bigint) => dateMicros(x, y * factor)),
    row('timestamp', 'months', timestamp, (x: bigint, y: number) => timestampMonths(x, y * sign)),
    row('timestamp', 'micros', timestamp, (x: bigint, y: bigint) => long(x + y * factor, timestamp)),
  ]);
}

type Value = number | bigint;

type ResultType = SqlType | ((argumentTypes: readonly SqlType[]) => SqlType);

/** The units of both intervals. */
function bothUnits([left = micros, right = micros]: readonly SqlType[]): SqlType {
  return commonType(left, right) ?? left;
}

/** The unit of the interval among the arguments. */
function sameUnit(argumentTypes: readonly SqlType[]): SqlType {
  return argumentTypes.find(isInterval) ?? micros;
}

/** An interval and a DECIMAL in either order, computed exactly; `scale` is the power of ten of the DECIMAL. */
function scaledRows(compute: (x: bigint, y: bigint, scale: bigint) => bigint): FunctionOverload[] {
  return (['months', 'micros'] as const).flatMap((kind) =>
    [[kind, 'decimal'] as const, ['decimal', kind] as const].map((parameters) => ({
      parameters,
      result: sameUnit,
      strict: true,
      canFail: true,
      evaluate: () => null,
      prepare: ({ argumentTypes, resultType }: CallShape): Evaluator => {
        const at = parameters.indexOf('decimal');
        const factor = argumentTypes[at];
        const scale = 10n ** BigInt(factor?.kind === 'DECIMAL' ? factor.scale : 0);
        return typed((...values: readonly (number | bigint)[]) => {
          const whole = compute(BigInt(values[1 - at] ?? 0), BigInt(values[at] ?? 0), scale);
          return kind === 'months' ? short(Number(whole), resultType) : long(whole, resultType);
        });
      },
    })),
  );
}

function row<A extends Value, B extends Value>(
  left: ParameterClass,
  right: ParameterClass,
  result: ResultType,
  compute: (x: A, y: B) => Value,
): FunctionOverload {
  return strictRow([left, right], result, typed(compute), { canFail: true });
}

function eitherOrder<A extends Value, B extends Value>(
  left: ParameterClass,
  right: ParameterClass,
  result: ResultType,
  compute: (x: A, y: B) => Value,
): FunctionOverload[] {
  return [row(left, right, result, compute), row(right, left, result, (y: B, x: A) => compute(x, y))];
}

function dateMonths(days: number, count: number): number {
  return short(addMonths(days, count), date);
}

function dateMicros(days: number, count: bigint): number {
  // What is less than a day is cut off, in either direction.
  return short(days + Number(count / microsOfDay), date);
}

function timestampMonths(x: bigint, count: number): bigint {
  const { days, micros: rest } = splitTimestamp(x);
  return long(joinTimestamp(addMonths(days, count), rest), timestamp);
}

function timeMicros(x: bigint, count: bigint): bigint {
  return floorModulo(x + count * 1000n, nanosOfDay);
}

function divisor(y: bigint): bigint {
  if (y === 0n) throw new DivisionByZero({});
  return y;
}

function fromDouble(x: number): bigint {
  if (!Number.isFinite(x)) throw new NumericOverflow({ type: 'INTERVAL', detail: String(x) });
  return long(BigInt(Math.trunc(x)), micros);
}

function short(x: number, type: SqlType): number {
  if ((x | 0) !== x) throw new NumericOverflow({ type: type.kind, detail: 'the result' });
  return x;
}

function long(x: bigint, type: SqlType): bigint {
  if (BigInt.asIntN(64, x) !== x) throw new NumericOverflow({ type: type.kind, detail: 'the result' });
  return x;
}
