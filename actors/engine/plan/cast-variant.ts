// Casts to and from VARIANT, which is JSON text without insignificant white space.
//
// A number becomes a JSON number with all its digits, BOOLEAN a JSON boolean, everything else a JSON string of its text
// form (binary: an array of bytes, as in formats); NaN and infinities have no JSON. Back: a JSON string is read as text of
// the target type, a number or boolean as its text; what is not of the target type, JSON null included, is NULL, not an error.

import { mapKeyOf, nestedPart, nestedText } from '../../../runtime/batch/public-values.ts';
import { parseDecimalText } from '../../../runtime/batch/scalar-text.ts';
import { decimalPrecisionMax, isNested, type SqlType } from '../../../runtime/batch/sql-type.ts';
import { formatVariant, parseVariant } from '../../../runtime/batch/variant-json.ts';
import type { ScalarValue } from '../sql/scalar-value.ts';
import { castNumber, numberKinds } from './cast-numbers.ts';
import type { Cast } from './cast-row.ts';
import { castToBinary, castToText, formatScalar, fromTextCasts } from './cast-text.ts';

export const castToVariant: Cast = (value, from) => {
  if (typeof value === 'boolean') return value ? 'true' : 'false';
  if (value instanceof Uint8Array) return `[${value.join(',')}]`;
  const text = formatScalar(value, from);
  if (text === undefined) return undefined;
  // A zone stands next to the time in JSON.
  if (!numberKinds.includes(from.kind))
    return JSON.stringify(from.kind === 'TIMESTAMP' ? text.replace(' +', '+') : text);
  if (from.kind === 'REAL' || from.kind === 'DOUBLE') {
    return Number.isFinite(value) ? text.replace(/\.0$/, '') : undefined;
  }
  return typeof value === 'number' && !Number.isFinite(value) ? undefined : text;
};

export const castFromVariant: Cast = (value, _, to) => {
  if (typeof value !== 'string') return undefined;
  const json = value.trim();
  const first = json.charCodeAt(0);
  if (first === 0x22) return fromString(json, to);
  if (json === 'true' || json === 'false') {
    if (to.kind === 'BOOLEAN') return json === 'true';
    return to.kind === 'CHAR' || to.kind === 'VARCHAR' ? castToText(json, { kind: 'VARCHAR', length: null }, to) : null;
  }
  if (first === 0x2d || (first >= 0x30 && first <= 0x39)) return fromNumber(json, to);
  if (first === 0x5b && (to.kind === 'BINARY' || to.kind === 'VARBINARY')) return fromBytes(json, to);
  return null;
};

/** A VARIANT as an ARRAY, a MAP or a ROW; what does not suit is NULL. */
export const castToNested: Cast = (value, _, to) => {
  if (typeof value !== 'string' || !isNested(to)) return undefined;
  const parsed = parseVariant(value);
  if (parsed === null) return null;
  return nestedText(parsed, to) ?? castParts(parsed, to) ?? null;
};

/** A value part by part as each would be cast alone, `[8,10.5]` as an array of whole numbers; undefined when one has no counterpart. */
function castParts(value: unknown, to: SqlType): string | undefined {
  if (value === null || value === undefined) return 'null';
  if (to.kind === 'ARRAY') {
    const parts = Array.isArray(value) ? value.map((part: unknown) => castParts(part, to.element)) : [undefined];
    return parts.includes(undefined) ? undefined : `[${parts.join(',')}]`;
  }
  if (to.kind === 'MAP' || to.kind === 'ROW') {
    if (typeof value !== 'object' || Array.isArray(value)) return undefined;
    const members = to.kind === 'MAP' ? mapMembers(value, to) : rowMembers(value, to);
    return members.includes(undefined) ? undefined : `{${members.join(',')}}`;
  }
  const json = formatVariant(value);
  if (json === undefined || to.kind === 'VARIANT') return json;
  const cell = castFromVariant(json, variantType, to) ?? null;
  return cell === null ? undefined : nestedPart(cell, to);
}

const variantType: SqlType = { kind: 'VARIANT' };

function mapMembers(value: object, to: Extract<SqlType, { kind: 'MAP' }>): readonly (string | undefined)[] {
  const members = Object.entries(value).map(([name, part]: [string, unknown]) => {
    const key = castFromVariant(JSON.stringify(name), variantType, to.key) ?? null;
    const shown = castParts(part, to.value);
    return key === null || shown === undefined ? undefined : `${JSON.stringify(mapKeyOf(key, to.key))}:${shown}`;
  });
  return members.sort();
}

function rowMembers(value: object, to: Extract<SqlType, { kind: 'ROW' }>): readonly (string | undefined)[] {
  return to.fields.map(({ name, type }) => {
    const shown = castParts(Reflect.get(value, name), type);
    return shown === undefined ? undefined : `${JSON.stringify(name)}:${shown}`;
  });
}

function fromString(json: string, to: SqlType): ScalarValue {
  const parsed: unknown = JSON.parse(json);
  if (typeof parsed !== 'string') return null;
  return fromTextCasts[to.kind]?.(parsed, { kind: 'VARCHAR', length: null }, to) ?? null;
}

function fromNumber(json: string, to: SqlType): ScalarValue {
  if (to.kind === 'CHAR' || to.kind === 'VARCHAR')
    return castToText(json, { kind: 'VARCHAR', length: null }, to) ?? null;
  if (!numberKinds.includes(to.kind)) return null;
  if (to.kind === 'REAL' || to.kind === 'DOUBLE' || to.kind === 'DECIMAL') {
    return fromTextCasts[to.kind]?.(json, { kind: 'VARCHAR', length: null }, to) ?? null;
  }
  const exact = { kind: 'DECIMAL', precision: decimalPrecisionMax, scale: 10 } as const;
  const value = parseDecimalText(json, exact, false);
  return value === undefined ? null : (castNumber(value, exact, to) ?? null);
}

function fromBytes(json: string, to: SqlType): ScalarValue {
  const parsed: unknown = JSON.parse(json);
  if (!Array.isArray(parsed)) return null;
  if (!parsed.every((byte) => typeof byte === 'number' && Number.isInteger(byte) && byte >= 0 && byte <= 255))
    return null;
  return castToBinary(Uint8Array.from(parsed), { kind: 'VARBINARY', length: null }, to) ?? null;
}
