// Source of casts that need no call: between numbers, between texts where nothing changes, between DATE and TIMESTAMP.
//
// They mean the same as the rows of cast-table.ts, which serve all others. `castCode` gives null where it has no source.
import { assert } from '../../../runtime/assert.ts';
import { type SqlType, sameSqlType } from '../../../runtime/batch/sql-type.ts';
import type { CastExpression } from '../sql/bound.ts';
import { isInterval } from '../sql/type-coercion.ts';
import { checkInteger, fitDecimal, overflowStatement } from './expression-arithmetic.ts';
import { type CodeWriter, guarded, nullValue, type Operand, plainCode } from './expression-code.ts';

/** Bits of the integers that are JavaScript numbers. */
const integerBits: Readonly<Record<string, number>> = { TINYINT: 8, SMALLINT: 16, INTEGER: 32 };

/** Whether the value is the same before and after the cast. */
export function isIdentityCast(cast: CastExpression): boolean {
  const from = cast.operand.type;
  const to = cast.type;
  if (sameSqlType(from, to)) return true;
  if ((isInterval(from) || from.kind === 'TIMESTAMP') && from.kind === to.kind) return true;
  const widening =
    ((from.kind === 'VARCHAR' || from.kind === 'CHAR') && to.kind === 'VARCHAR') ||
    ((from.kind === 'VARBINARY' || from.kind === 'BINARY') && to.kind === 'VARBINARY');
  return widening && (to.length === null || (from.length !== null && from.length <= to.length));
}

export function castCode(writer: CodeWriter, cast: CastExpression, operand: Operand): Operand | null {
  const from = cast.operand.type;
  const to = cast.type;
  if (isIdentityCast(cast)) return { ...operand, type: to };
  if (from.kind === 'NULL') return { type: to, isNull: 'true', value: nullValue(to) };
  if (cast.safe && !neverFails(from, to)) return null;
  if (!isInlined(from, to)) return null;
  return guarded(writer, to, [operand], () => numberCode(writer, cast, plainCode(writer, operand)));
}

function neverFails(from: SqlType, to: SqlType): boolean {
  const fromBits = integerBits[from.kind] ?? (from.kind === 'BIGINT' ? 64 : undefined);
  if (fromBits === undefined) return false;
  if (to.kind === 'DOUBLE' || to.kind === 'REAL') return true;
  return fromBits <= (integerBits[to.kind] ?? (to.kind === 'BIGINT' ? 64 : 0));
}

function isInlined(from: SqlType, to: SqlType): boolean {
  const toInteger = integerBits[to.kind] !== undefined;
  const toFloat = to.kind === 'REAL' || to.kind === 'DOUBLE';
  if (integerBits[from.kind] !== undefined) {
    return toInteger || toFloat || to.kind === 'BIGINT' || to.kind === 'DECIMAL';
  }
  switch (from.kind) {
    case 'BIGINT':
      return toInteger || toFloat || to.kind === 'DECIMAL';
    case 'REAL':
    case 'DOUBLE':
      return toInteger || toFloat;
    case 'DECIMAL':
      // To an unsigned integer a fraction is cut off, not rounded.
      if (to.kind === 'DECIMAL' && to.unsigned !== undefined && from.scale > 0) return false;
      return toInteger || to.kind === 'BIGINT' || to.kind === 'DECIMAL';
    case 'DATE':
      return to.kind === 'TIMESTAMP';
    case 'TIMESTAMP':
      return to.kind === 'DATE';
    default:
      return false;
  }
}

function numberCode(writer: CodeWriter, cast: CastExpression, code: string): string {
  const from = cast.operand.type;
  switch (from.kind) {
    case 'TINYINT':
    case 'SMALLINT':
    case 'INTEGER':
      return fromInteger(writer, cast, from, code);
    case 'BIGINT':
      return fromBigint(writer, cast, code);
    case 'REAL':
    case 'DOUBLE':
      return fromFloat(writer, cast, code);
    case 'DECIMAL':
      return fromDecimal(writer, cast, from, code);
    case 'DATE':
      return `BigInt(${code}) * 86400000000n`;
    case 'TIMESTAMP':
      return dayOf(writer, code);
    default:
      assert(false, `a cast from ${from.kind} is called, not inlined`);
  }
}

/** The day of a time. Times that come one after the other are mostly of one day: to see that costs a quarter of a division of 64 bits. */
function dayOf(writer: CodeWriter, code: string): string {
  const day = writer.keep('d', '0');
  // No time is of a day that ends before it begins.
  const start = writer.keep('s', '1n');
  const end = writer.keep('e', '0n');
  writer.open(`if (!(${code} >= ${start} && ${code} < ${end}))`);
  // Division cuts off towards 1970; a day begins at or before each of its times.
  const days = writer.define('x', `BigInt.asIntN(64, ${code} / 86400000000n)`);
  writer.line(`${day} = Number(${days}) - (BigInt.asIntN(64, ${days} * 86400000000n) > ${code} ? 1 : 0);`);
  writer.line(`${start} = BigInt.asIntN(64, BigInt(${day}) * 86400000000n);`);
  writer.line(`${end} = BigInt.asIntN(64, ${start} + 86400000000n);`);
  writer.close();
  return writer.define('x', day);
}

function fromInteger(writer: CodeWriter, cast: CastExpression, from: SqlType, code: string): string {
  const to = cast.type;
  if (to.kind === 'BIGINT') return `BigInt(${code})`;
  if (to.kind === 'DOUBLE') return code;
  if (to.kind === 'REAL') return `Math.fround(${code})`;
  if (to.kind === 'DECIMAL') {
    const value = { code: `BigInt(${code})`, bound: 2n ** BigInt((integerBits[from.kind] ?? 32) - 1) };
    return fitDecimal(writer, value, 0, to, cast).code;
  }
  if ((integerBits[to.kind] ?? 0) < (integerBits[from.kind] ?? 0)) {
    checkInteger(writer, to, code, overflowStatement(writer, cast));
  }
  return code;
}

function fromBigint(writer: CodeWriter, cast: CastExpression, code: string): string {
  const to = cast.type;
  if (to.kind === 'DOUBLE') return `Number(${code})`;
  if (to.kind === 'REAL') return `Math.fround(Number(${code}))`;
  if (to.kind === 'DECIMAL') return fitDecimal(writer, { code, bound: 2n ** 63n }, 0, to, cast).code;
  writer.line(`if (BigInt.asIntN(${integerBits[to.kind]}, ${code}) !== ${code}) ${overflowStatement(writer, cast)}`);
  return `Number(${code})`;
}

function fromFloat(writer: CodeWriter, cast: CastExpression, code: string): string {
  const to = cast.type;
  if (to.kind === 'DOUBLE') return code;
  if (to.kind === 'REAL') return `Math.fround(${code})`;
  const truncated = writer.define('x', `Math.trunc(${code})`);
  checkInteger(writer, to, truncated, overflowStatement(writer, cast));
  return `${truncated} | 0`;
}

function fromDecimal(
  writer: CodeWriter,
  cast: CastExpression,
  from: Extract<SqlType, { kind: 'DECIMAL' }>,
  code: string,
): string {
  const to = cast.type;
  const bound = 10n ** BigInt(from.precision) - 1n;
  if (to.kind === 'DECIMAL') {
    if (to.scale >= from.scale) return fitDecimal(writer, { code, bound }, from.scale, to, cast).code;
    const factor = 10n ** BigInt(from.scale - to.scale);
    return fitDecimal(writer, { code: `${code} / ${factor}n`, bound: bound / factor }, to.scale, to, cast).code;
  }
  const whole = from.scale === 0 ? code : writer.define('x', `${code} / ${10n ** BigInt(from.scale)}n`);
  const bits = integerBits[to.kind] ?? 64;
  writer.line(`if (BigInt.asIntN(${bits}, ${whole}) !== ${whole}) ${overflowStatement(writer, cast)}`);
  return to.kind === 'BIGINT' ? whole : `Number(${whole})`;
}
