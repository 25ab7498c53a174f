// Casts between arrays, maps and rows of one shape: part by part, each as its own type is cast.
//
// The fields of a row go by their position. A part that has no counterpart fails the whole value.
import { fromPublic, mapKeyOf, nestedPart, Refusal } from '../../../runtime/batch/public-values.ts';
import type { SqlType } from '../../../runtime/batch/sql-type.ts';
import { parseVariant } from '../../../runtime/batch/variant-json.ts';
import type { ScalarValue } from '../sql/scalar-value.ts';
import type { Cast } from './cast-row.ts';

/** The cast of one part, NULL to NULL; undefined when it has no counterpart. */
export type CastPart = (value: ScalarValue, from: SqlType, to: SqlType) => ScalarValue | undefined;

export function nestedCast(castPart: CastPart): Cast {
  const spelled = (part: unknown, from: SqlType, to: SqlType): string | undefined => {
    const cell = part === undefined ? null : fromPublic(part, from);
    const value = cell instanceof Refusal ? undefined : castPart(cell, from, to);
    return value === undefined ? undefined : nestedPart(value, to);
  };
  return (text, from, to) => {
    const value = parseVariant(String(text));
    if (from.kind === 'ARRAY' && to.kind === 'ARRAY') {
      const parts = Array.isArray(value)
        ? value.map((part: unknown) => spelled(part, from.element, to.element))
        : [undefined];
      return parts.includes(undefined) ? undefined : `[${parts.join(',')}]`;
    }
    const entries = Object.entries(Object(value));
    if (from.kind === 'MAP' && to.kind === 'MAP') {
      const members = entries.map(([name, part]) => {
        const key = fromPublic(from.key.kind === 'BOOLEAN' ? name === 'true' : name, from.key);
        const converted = key instanceof Refusal ? undefined : castPart(key, from.key, to.key);
        const shown = spelled(part, from.value, to.value);
        if (converted === undefined || shown === undefined) return undefined;
        return `${JSON.stringify(mapKeyOf(converted, to.key))}:${shown}`;
      });
      return members.includes(undefined) ? undefined : `{${members.sort().join(',')}}`;
    }
    if (from.kind !== 'ROW' || to.kind !== 'ROW') return undefined;
    const given = new Map(entries);
    const members = to.fields.map((field, i) => {
      const source = from.fields[i];
      const shown = source === undefined ? undefined : spelled(given.get(source.name), source.type, field.type);
      return shown === undefined ? undefined : `${JSON.stringify(field.name)}:${shown}`;
    });
    return members.includes(undefined) ? undefined : `{${members.join(',')}}`;
  };
}
