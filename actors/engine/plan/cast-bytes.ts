// Casts of integers and UUIDs to bytes, the highest first, and of sixteen bytes to a UUID.
//
// An integer has as many bytes as its type; BINARY(n) keeps its lowest ones, with zeros before them, and the first ones of a UUID.
import { formatUuid, parseUuidText } from '../../../runtime/batch/scalar-text.ts';
import { type SqlType, unsignedBitsOf } from '../../../runtime/batch/sql-type.ts';
import type { Cast } from './cast-row.ts';
import { castToBinary } from './cast-text.ts';

const integerBytes: Readonly<Record<string, number>> = { TINYINT: 1, SMALLINT: 2, INTEGER: 4, BIGINT: 8 };

export const castToBytes: Cast = (value, from, to) => {
  if (typeof value === 'string') {
    const words = parseUuidText(value);
    return words === undefined
      ? undefined
      : castToBinary(bytesOf((words.high << 64n) | BigInt.asUintN(64, words.low), 16), from, to);
  }
  if (typeof value !== 'number' && typeof value !== 'bigint') return undefined;
  const size = integerBytes[from.kind] ?? unsignedBitsOf(from) / 8;
  const length = lengthOf(to) ?? size;
  const bytes = bytesOf(BigInt(value), Math.min(size, length));
  if (to.kind !== 'BINARY' || bytes.length === length) return bytes;
  const padded = new Uint8Array(length);
  padded.set(bytes, length - bytes.length);
  return padded;
};

export const castFromBytes: Cast = (value) => {
  if (!(value instanceof Uint8Array) || value.length !== 16) return undefined;
  const view = new DataView(value.buffer, value.byteOffset, 16);
  return formatUuid(view.getBigInt64(8), view.getBigInt64(0));
};

function lengthOf(type: SqlType): number | null {
  return type.kind === 'BINARY' || type.kind === 'VARBINARY' ? type.length : null;
}

/** The lowest bytes of a value, the highest of them first. */
function bytesOf(value: bigint, count: number): Uint8Array {
  return Uint8Array.from({ length: count }, (_, i) => Number(BigInt.asUintN(8, value >> BigInt(8 * (count - 1 - i)))));
}
