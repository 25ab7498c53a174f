// The order of values of cells, VARIANT, ARRAY, MAP and ROW among them: NULL first, then part by part.
//
// Arrays compare element by element, then by length; rows field by field; maps entry by entry in the order of their keys' texts. One
// parse of the text for each comparison: for sorting what is nested, never for columns of scalars.
import { fromPublic, Refusal } from './public-values.ts';
import type { CellValue } from './scalar-values.ts';
import { isNested, type SqlType } from './sql-type.ts';
import { parseVariant } from './variant-json.ts';
import { compareVariants } from './variant-order.ts';

/** Negative, 0 or positive. NaN is the greatest number. */
export function compareCells(a: CellValue, b: CellValue, type: SqlType): number {
  if (a === null || b === null) return a === b ? 0 : a === null ? -1 : 1;
  if (typeof a === 'string' && typeof b === 'string') {
    if (type.kind === 'VARIANT') return compareVariants(a, b);
    return isNested(type) ? compareParts(parseVariant(a), parseVariant(b), type) : compareTexts(a, b);
  }
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b);
  if (Number.isNaN(a) || Number.isNaN(b)) return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
  return a < b ? -1 : a > b ? 1 : 0;
}

function compareTexts(a: string, b: string): number {
  return a === b ? 0 : Buffer.compare(Buffer.from(a), Buffer.from(b));
}

function compareParts(a: unknown, b: unknown, type: SqlType): number {
  if ((a ?? null) === null || (b ?? null) === null) return compareNulls(a ?? null, b ?? null);
  switch (type.kind) {
    case 'ARRAY':
      return compareLists(a, b, type.element);
    case 'ROW': {
      for (const field of type.fields) {
        const compared = compareParts(memberOf(a, field.name), memberOf(b, field.name), field.type);
        if (compared !== 0) return compared;
      }
      return 0;
    }
    case 'MAP': {
      const [left, right] = [Object.entries(Object(a)).sort(byKey), Object.entries(Object(b)).sort(byKey)];
      for (const [i, [key, value]] of left.entries()) {
        const [otherKey, otherValue] = right[i] ?? [];
        if (otherKey === undefined) return 1;
        const compared = compareTexts(key, otherKey) || compareParts(value, otherValue, type.value);
        if (compared !== 0) return compared;
      }
      return left.length - right.length;
    }
    default:
      return compareCells(cellOf(a, type), cellOf(b, type), type);
  }
}

function compareNulls(a: unknown, b: unknown): number {
  return a === b ? 0 : a === null ? -1 : 1;
}

function compareLists(a: unknown, b: unknown, element: SqlType): number {
  if (!Array.isArray(a) || !Array.isArray(b)) return 0;
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i++) {
    const compared = compareParts(a[i], b[i], element);
    if (compared !== 0) return compared;
  }
  return a.length - b.length;
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name) ? Reflect.get(value, name) : null;
}

function byKey([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return compareTexts(a, b);
}

function cellOf(part: unknown, type: SqlType): CellValue {
  const cell = fromPublic(part, type);
  return cell instanceof Refusal ? null : cell;
}
