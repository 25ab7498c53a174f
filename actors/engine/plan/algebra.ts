// Small laws of bound expressions and relations that the planner builds upon.
//
// Everything here is a pure function of immutable nodes. Scalars keep their source through every rewriting, so that a
// failure names the text that the user wrote.
import { unreachable } from '../../../runtime/assert.ts';
import type { ColumnReference, ExpressionSource, Rel, Scalar } from '../sql/bound.ts';
import { shortKey } from '../sql/short-key.ts';
import { columnsOf } from './expression-shape.ts';

/** The operands of nested ANDs, from left to right; a TRUE literal is none. */
export function conjuncts(predicate: Scalar): readonly Scalar[] {
  if (predicate.kind === 'operator' && predicate.operator === 'and') return predicate.operands.flatMap(conjuncts);
  return predicate.kind === 'literal' && predicate.value === true ? [] : [predicate];
}

/** The AND of predicates, evaluated from left to right; null when there are none. */
export function conjunction(predicates: readonly Scalar[]): Scalar | null {
  const last = predicates.at(-1);
  if (last === undefined || predicates.length === 1) return last ?? null;
  const nullable = predicates.some((predicate) => predicate.nullable);
  const { source } = last;
  return { kind: 'operator', operator: 'and', operands: predicates, type: { kind: 'BOOLEAN' }, nullable, source };
}

/** The scalar with every column reference replaced. */
export function mapColumns(scalar: Scalar, replace: (column: ColumnReference) => Scalar): Scalar {
  const map = (operand: Scalar): Scalar => mapColumns(operand, replace);
  switch (scalar.kind) {
    case 'column':
      return replace(scalar);
    case 'literal':
      return scalar;
    case 'operator':
    case 'function':
      return { ...scalar, operands: scalar.operands.map(map) };
    case 'case': {
      // biome-ignore lint/suspicious/noThenProperty: THEN is the word of SQL, and no one awaits a branch
      const branches = scalar.branches.map(({ when, then }) => ({ when: map(when), then: map(then) }));
      return { ...scalar, branches, otherwise: map(scalar.otherwise) };
    }
    case 'cast':
    case 'in list':
      return { ...scalar, operand: map(scalar.operand) };
    default:
      return unreachable(scalar);
  }
}

/** The scalar with column i taken from position places[i]. */
export function moveColumns(scalar: Scalar, place: (ordinal: number) => number): Scalar {
  return mapColumns(scalar, (column) => ({ ...column, ordinal: place(column.ordinal) }));
}

const nowhere: ExpressionSource = { place: {}, text: '' };

/** A predicate that always holds. */
export function truth(source: ExpressionSource): Scalar {
  return { kind: 'literal', value: true, type: { kind: 'BOOLEAN' }, nullable: false, source };
}

/** A reference to a column of a relation. */
export function columnReference(rel: Rel, ordinal: number): ColumnReference {
  const field = rel.schema.fields[ordinal]!;
  return {
    kind: 'column',
    ordinal,
    type: field.type,
    nullable: field.nullable,
    source: { ...nowhere, text: field.name },
  };
}

/** The relation over other inputs of the same schemas. */
export function mapInputs(rel: Rel, map: (input: Rel) => Rel): Rel {
  switch (rel.kind) {
    case 'scan':
    case 'values':
      return rel;
    case 'fixpoint':
      return { ...rel, bodies: rel.bodies.map(({ name, query }) => ({ name, query: map(query) })) };
    case 'join':
    case 'asof':
      return { ...rel, left: map(rel.left), right: map(rel.right) };
    case 'union':
      return { ...rel, inputs: rel.inputs.map(map) };
    case 'filter':
    case 'project':
    case 'aggregate':
    case 'distinct':
    case 'top':
    case 'repeat':
    case 'window':
    case 'explode':
      return { ...rel, input: map(rel.input) };
  }
}

const relKeys = new WeakMap<Rel, string>();

/** A text that is equal for relations which compute the same in the same way. */
export function relKey(rel: Rel): string {
  const known = relKeys.get(rel);
  if (known !== undefined) return known;
  const text = JSON.stringify(rel, (name, value: unknown) => {
    if (name === 'source') return undefined;
    if (value !== rel && isRel(value)) return relKey(value);
    if (typeof value === 'bigint') return `${value}n`;
    if (typeof value === 'number' && !Number.isFinite(value)) return `number ${value}`;
    if (Object.is(value, -0)) return 'number -0';
    if (value instanceof Uint8Array) return `x'${Buffer.from(value).toString('hex')}'`;
    return value;
  });
  const key = shortKey(text);
  relKeys.set(rel, key);
  return key;
}

/** Among the parts of a relation: what has a kind and a schema is a relation. */
function isRel(part: unknown): part is Rel {
  return typeof part === 'object' && part !== null && 'kind' in part && 'schema' in part;
}

/** Which side of a join a scalar reads, columns of the right side being those from `leftColumns` on. */
export function sideOf(scalar: Scalar, leftColumns: number): 'left' | 'right' | 'both' | 'neither' {
  const ordinals = columnsOf(scalar);
  if (ordinals.length === 0) return 'neither';
  if (ordinals.every((ordinal) => ordinal < leftColumns)) return 'left';
  return ordinals.every((ordinal) => ordinal >= leftColumns) ? 'right' : 'both';
}
