// The offset of windows of time, which may be written as the time of day at which the first one begins: TIME '00:10:00'.
import type { Literal, Scalar } from './bound.ts';
import { intervalType } from './interval-units.ts';

const nanosOfMicro = 1000n;

/** A constant TIME as the INTERVAL since midnight; anything else as it is. */
export function sinceMidnight(scalar: Scalar): Scalar {
  const type = intervalType('hour', 'second');
  if (scalar.kind !== 'literal' || scalar.type.kind !== 'TIME' || type === undefined) return scalar;
  const { value } = scalar;
  const interval: Literal = { ...scalar, type, value: typeof value === 'bigint' ? value / nanosOfMicro : value };
  return interval;
}
