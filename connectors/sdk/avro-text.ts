// Decimals, dates and timestamps of Avro as text and back, exactly; null where the text says something else.
import type { AvroTimeUnit } from './avro-schema.ts';

const digitsOf: Readonly<Record<AvroTimeUnit, number>> = { millis: 3, micros: 6, nanos: 9 };
const dayMs = 86_400_000;

/** Two's complement, big-endian, with `scale` digits behind the point. */
export function decimalText(bytes: Uint8Array, scale: number): string {
  let value = 0n;
  for (const byte of bytes) value = (value << 8n) | BigInt(byte);
  const unscaled = BigInt.asIntN(Math.max(8, bytes.length * 8), value);
  const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, '0');
  const sign = unscaled < 0n ? '-' : '';
  return scale === 0 ? sign + digits : `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

/** `size` null: as few bytes as hold the value. */
export function decimalBytes(text: string, scale: number, size: number | null): Uint8Array | null {
  const [, sign = '', whole = '', fraction = ''] = /^([+-]?)(\d+)(?:\.(\d+))?$/.exec(text) ?? [];
  if (whole === '' || /[1-9]/.test(fraction.slice(scale))) return null;
  const magnitude = BigInt(whole + fraction.slice(0, scale).padEnd(scale, '0'));
  const value = sign === '-' ? -magnitude : magnitude;
  let length = size ?? 1;
  while (size === null && BigInt.asIntN(length * 8, value) !== value) length++;
  if (BigInt.asIntN(length * 8, value) !== value) return null;
  const bytes = new Uint8Array(length);
  let rest = value;
  for (let i = length - 1; i >= 0; i--, rest >>= 8n) bytes[i] = Number(rest & 255n);
  return bytes;
}

export function dateText(days: number): string {
  const date = new Date(days * dayMs);
  return Number.isNaN(date.getTime()) ? String(days) : (date.toISOString().split('T')[0] ?? String(days));
}

export function dateDays(text: string): bigint | null {
  const ms = /^[+-]?\d{4,6}-\d\d-\d\d$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN;
  return Number.isNaN(ms) ? null : BigInt(ms / dayMs);
}

/** A number behind what a calendar of JavaScript knows stays a number as text. */
export function timestampText(value: bigint, unit: AvroTimeUnit): string {
  const digits = digitsOf[unit];
  const perSecond = 10n ** BigInt(digits);
  const fraction = ((value % perSecond) + perSecond) % perSecond;
  const date = new Date(Number((value - fraction) / perSecond) * 1000);
  if (Number.isNaN(date.getTime())) return String(value);
  return `${date.toISOString().slice(0, -5)}.${String(fraction).padStart(digits, '0')}Z`;
}

export function timestampUnits(text: string, unit: AvroTimeUnit): bigint | null {
  const digits = digitsOf[unit];
  const [, seconds = '', fraction = '', zone = ''] =
    /^([+-]?\d{4,6}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)$/.exec(text) ?? [];
  const ms = seconds === '' ? Number.NaN : Date.parse(`${seconds}${zone}`);
  if (Number.isNaN(ms)) return /^[+-]?\d+$/.test(text) ? BigInt(text) : null;
  if (/[1-9]/.test(fraction.slice(digits))) return null;
  const perSecond = 10n ** BigInt(digits);
  return BigInt(ms / 1000) * perSecond + BigInt(fraction.slice(0, digits).padEnd(digits, '0') || '0');
}
