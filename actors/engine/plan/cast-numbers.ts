// Casts among numbers and BOOLEAN.
//
// Exact numbers travel as value · 10^scale. Digits for which the target has no room behind its point are cut off. A REAL or
// DOUBLE becomes a DECIMAL by its shortest decimal text, so 0.1 is 0.1. To REAL and DOUBLE the nearest value is taken. TRUE is 1; a number is TRUE unless it is 0.
import { formatDecimal, formatDouble, formatReal } from '../../../runtime/batch/scalar-text.ts';
import { decimalRange, type SqlType, type SqlTypeKind } from '../../../runtime/batch/sql-type.ts';
import type { ScalarValue } from '../sql/scalar-value.ts';
import type { Cast } from './cast-row.ts';

export const numberKinds: readonly SqlTypeKind[] = [
  'TINYINT',
  'SMALLINT',
  'INTEGER',
  'BIGINT',
  'REAL',
  'DOUBLE',
  'DECIMAL',
];

const integerBits: Readonly<Record<string, number>> = { TINYINT: 8, SMALLINT: 16, INTEGER: 32, BIGINT: 64 };

export const castNumber: Cast = (value, from, to) => {
  if (typeof value === 'boolean') return castExact(value ? 1n : 0n, 0, to);
  if (from.kind === 'REAL' || from.kind === 'DOUBLE') return castFloat(Number(value), from, to);
  if (typeof value !== 'number' && typeof value !== 'bigint') return undefined;
  return castExact(BigInt(value), from.kind === 'DECIMAL' ? from.scale : 0, to);
};

/** value · 10^-scale in the target type. */
export function castExact(value: bigint, scale: number, to: SqlType): ScalarValue | undefined {
  const bits = integerBits[to.kind];
  if (bits !== undefined) {
    const whole = scale === 0 ? value : value / 10n ** BigInt(scale);
    if (BigInt.asIntN(bits, whole) !== whole) return undefined;
    return bits === 64 ? whole : Number(whole);
  }
  switch (to.kind) {
    case 'DECIMAL': {
      const [min, max] = decimalRange(to);
      if (to.unsigned !== undefined) {
        const whole = value / 10n ** BigInt(scale);
        return whole >= min && whole <= max ? whole : undefined;
      }
      const rescaled =
        to.scale >= scale ? value * 10n ** BigInt(to.scale - scale) : value / 10n ** BigInt(scale - to.scale);
      return rescaled >= min && rescaled <= max ? rescaled : undefined;
    }
    case 'DOUBLE':
      return decimalToDouble(value, scale);
    case 'REAL':
      return Math.fround(decimalToDouble(value, scale));
    case 'BOOLEAN':
      return value !== 0n;
    default:
      return undefined;
  }
}

/** The double nearest to value · 10^-scale. */
function decimalToDouble(value: bigint, scale: number): number {
  if (scale === 0) return Number(value);
  // Two doubles that are exact give a quotient that is rounded once.
  if (scale <= 22 && value < 9007199254740992n && value > -9007199254740992n) return Number(value) / 10 ** scale;
  return Number(formatDecimal(value, scale));
}

function castFloat(value: number, from: SqlType, to: SqlType): ScalarValue | undefined {
  const bits = integerBits[to.kind];
  if (bits !== undefined) {
    if (!Number.isFinite(value)) return undefined;
    return castExact(BigInt(Math.trunc(value)), 0, to);
  }
  switch (to.kind) {
    case 'DOUBLE':
      return value;
    case 'REAL':
      return Math.fround(value);
    case 'BOOLEAN':
      return value !== 0;
    case 'DECIMAL':
      if (!Number.isFinite(value)) return undefined;
      if (to.unsigned !== undefined) return castExact(BigInt(Math.trunc(value)), 0, to);
      return castShortest(from.kind === 'REAL' ? formatReal(value) : formatDouble(value), to);
    default:
      return undefined;
  }
}

/** The text of a finite floating-point number as an exact number. */
function castShortest(text: string, to: SqlType): ScalarValue | undefined {
  const [mantissa = '', exponent = '0'] = text.toLowerCase().split('e');
  const [whole = '', fraction = ''] = mantissa.split('.');
  const scale = fraction.length - Number(exponent);
  const digits = BigInt(whole + fraction);
  return scale < 0 ? castExact(digits * 10n ** BigInt(-scale), 0, to) : castExact(digits, scale, to);
}
