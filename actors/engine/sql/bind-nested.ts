// Elements of arrays, maps, rows and VARIANT, and the map constructor.
import { assert } from '../../../runtime/assert.ts';
import { formatSqlType } from '../../../runtime/batch/sql-type.ts';
import type { ExpressionSource, Scalar } from './bound.ts';
import { bindNamedFunction } from './named-function.ts';
import { SqlInvalidArguments, SqlTypeMismatch, SqlUnknownColumn } from './sql-errors.ts';
import { coerce, describePair, literal, mergedType, varchar } from './type-coercion.ts';
import { plainVariant } from './type-names.ts';

/** x[index], and x.field with the name of the field as a literal. @throws SqlTypeMismatch, SqlUnknownColumn */
export function bindElement(operand: Scalar, index: Scalar, source: ExpressionSource): Scalar {
  const { type } = operand;
  if (type.kind === 'VARIANT') return bindNamedFunction('variant_element', [operand, index], source);
  if (operand.kind === 'function' && operand.name === 'split') {
    // An array that is made for one of its elements is not made.
    const [text, delimiter = literal(',', varchar, source)] = operand.operands;
    if (text !== undefined) return bindNamedFunction('split_element', [text, delimiter, index], source);
  }
  if (type.kind === 'ARRAY') return bindNamedFunction('array_element', [operand, index], source);
  if (type.kind === 'MAP') return bindNamedFunction('array_element', [operand, coerce(index, type.key)], source);
  if (type.kind !== 'ROW') {
    const shown = `${operand.source.text} is ${formatSqlType(type)}`;
    const detail = `${shown}, only an ARRAY, a MAP, a ROW and a VARIANT have elements and fields`;
    throw new SqlTypeMismatch({ detail }, { place: source.place });
  }
  const value = index.kind === 'literal' ? index.value : null;
  const at = typeof value === 'string' ? type.fields.findIndex(({ name }) => name === value) : Number(value ?? 0) - 1;
  const field = type.fields[at];
  if (field === undefined) {
    const known = type.fields.map(({ name }) => name);
    throw new SqlUnknownColumn({ name: String(value ?? index.source.text), known }, { place: index.source.place });
  }
  return fieldOf(operand, at, source);
}

/** A field of a ROW by its position. */
export function fieldOf(operand: Scalar, position: number, source: ExpressionSource): Scalar {
  const field = operand.type.kind === 'ROW' ? operand.type.fields[position] : undefined;
  assert(field !== undefined, 'the row has the field');
  // A row is stored as an object and read as a map is: by the name of the field.
  const operands = [operand, literal(field.name, varchar, source)];
  const { type } = field;
  const part: Scalar = { kind: 'function', name: 'array_element', overload: 1, operands, type, nullable: true, source };
  const plain = plainVariant(type);
  // What the null of JSON means is said where the ROW is read; what is made of the field does not know it.
  return plain === type ? part : { kind: 'cast', operand: part, safe: false, type: plain, nullable: true, source };
}

/** MAP[k, v, …] with all keys of one type, and all values. @throws SqlInvalidArguments, SqlTypeMismatch */
/** MAP([k, …], [v, …]) as MAP[k, v, …]. */
export function pairsOf(operands: readonly Scalar[], source: ExpressionSource): readonly Scalar[] {
  const lists = operands.map((operand) =>
    operand.kind === 'function' && operand.name === 'array' ? operand.operands : null,
  );
  const [keys, values] = lists;
  if (lists.length !== 2 || keys == null || values == null || keys.length !== values.length) {
    const detail = 'takes as many values as keys: MAP([key], [value])';
    throw new SqlInvalidArguments({ function: 'MAP', detail }, { place: source.place });
  }
  return keys.flatMap((key, i) => [key, values[i] ?? key]);
}

export function bindMap(operands: readonly Scalar[], source: ExpressionSource): Scalar {
  if (operands.length === 0 || operands.length % 2 === 1) {
    throw new SqlInvalidArguments(
      { function: 'MAP', detail: 'takes a value for each key, and one key at least' },
      { place: source.place },
    );
  }
  const sides = [0, 1].map((side) => {
    const type = mergedType(operands.filter((_, i) => i % 2 === side));
    if ('kind' in type) return type;
    const detail = `the ${side === 0 ? 'keys' : 'values'} of ${source.text} are ${describePair(type[0], type[1])}`;
    throw new SqlTypeMismatch({ detail }, { place: source.place });
  });
  const typed = operands.map((operand, i) => coerce(operand, sides[i % 2] ?? operand.type));
  return bindNamedFunction('map', typed, source);
}
