// Source of the functions of dates that programs call for every row: a field of a TIMESTAMP or DATE, and truncation to a
// unit of fixed length.
//
// They mean exactly what the rows of sql/functions-*.ts mean, which serve every other unit and type; a test compares
// them. Times before 1970 round down, so remainders are made non-negative. `temporalCode` gives null where it has no source.
import type { SqlTypeKind } from '../../../runtime/batch/sql-type.ts';
import type { FunctionCall } from '../sql/bound.ts';
import type { CodeWriter } from './expression-code.ts';

/** Microseconds: a field of the time of day is (t mod period) / unit. */
const clockFields: Readonly<Record<string, readonly [period: bigint, unit: bigint]>> = {
  hour: [86_400_000_000n, 3_600_000_000n],
  minute: [3_600_000_000n, 60_000_000n],
  second: [60_000_000n, 1_000_000n],
  millisecond: [60_000_000n, 1000n],
  microsecond: [60_000_000n, 1n],
};

const calendarFields: Readonly<Record<string, (days: string) => string>> = {
  year: (days) => `dateOf(${days}).year`,
  month: (days) => `dateOf(${days}).month`,
  day: (days) => `dateOf(${days}).day`,
  quarter: (days) => `Math.ceil(dateOf(${days}).month / 3)`,
  dow: (days) => `isoWeekday(${days}) % 7 + 1`,
  isodow: (days) => `isoWeekday(${days})`,
};

/** Functions of one argument that are a field by another name. */
const abbreviations: Readonly<Record<string, string>> = {
  year: 'year',
  quarter: 'quarter',
  month: 'month',
  dayofmonth: 'day',
  day: 'day',
  dayofweek: 'dow',
  hour: 'hour',
  minute: 'minute',
  second: 'second',
  millisecond: 'millisecond',
  microsecond: 'microsecond',
};

const truncationUnits: Readonly<Record<string, bigint>> = {
  day: 86_400_000_000n,
  hour: 3_600_000_000n,
  minute: 60_000_000n,
  second: 1_000_000n,
};

/** What is computed, and of which operand; the unit is a literal and needs no operand. */
export interface TemporalSource {
  readonly operand: number;
  readonly code: (writer: CodeWriter, value: string) => string;
}

export function temporalCode(call: FunctionCall): TemporalSource | null {
  const [first, second] = call.operands;
  if (first === undefined) return null;
  if (call.name === 'date_part' && second !== undefined) return fieldSource(literalUnit(first), second.type.kind, 1);
  if (second === undefined) return fieldSource(abbreviations[call.name], first.type.kind, 0);
  const unit = truncationUnits[literalUnit(second) ?? ''];
  const truncates = call.name === 'date_trunc' || call.name === 'timestamp_trunc' || call.name === 'floor_to';
  if (!truncates || call.operands.length !== 2 || unit === undefined || first.type.kind !== 'TIMESTAMP') return null;
  return { operand: 0, code: (writer, value) => `BigInt.asIntN(64, ${value} - ${remainder(writer, value, unit)})` };
}

function fieldSource(field: string | undefined, kind: SqlTypeKind, operand: number): TemporalSource | null {
  if (field === undefined) return null;
  const clock = clockFields[field];
  if (clock !== undefined && kind === 'TIMESTAMP') {
    const [period, unit] = clock;
    return { operand, code: (writer, value) => `BigInt.asIntN(64, ${remainder(writer, value, period)} / ${unit}n)` };
  }
  const calendar = calendarFields[field];
  if (calendar === undefined) return null;
  if (kind === 'DATE') return { operand, code: (_, value) => `BigInt(${calendar(value)})` };
  if (kind !== 'TIMESTAMP') return null;
  return {
    operand,
    code: (writer, value) => {
      const rest = remainder(writer, value, 86_400_000_000n);
      const days = writer.define(
        'x',
        `Number(BigInt.asIntN(64, BigInt.asIntN(64, ${value} - ${rest}) / 86400000000n))`,
      );
      return `BigInt(${calendar(days)})`;
    },
  };
}

function literalUnit(operand: FunctionCall['operands'][number]): string | undefined {
  return operand.kind === 'literal' && typeof operand.value === 'string' ? operand.value : undefined;
}

/** value mod period, not negative. */
function remainder(writer: CodeWriter, value: string, period: bigint): string {
  const rest = writer.define('x', `BigInt.asIntN(64, ${value} % ${period}n)`);
  return writer.define('x', `${rest} < 0n ? BigInt.asIntN(64, ${rest} + ${period}n) : ${rest}`);
}
