// Which parts of a join's condition are keys: equalities between an expression of each side.
//
// Keys compared with IS NOT DISTINCT FROM match NULL with NULL, those compared with = do not. One join does the one or the other;
// where a condition has both, NULLs match and rows of the right side with a NULL in a key of the other kind are left out first:
// no left row can match them.
import { assert } from '../../../runtime/assert.ts';
import { storageOf } from '../../../runtime/batch/sql-type.ts';
import type { Rel, Scalar } from '../sql/bound.ts';
import { conjunction, conjuncts, moveColumns, sideOf } from './algebra.ts';

type Join = Extract<Rel, { kind: 'join' }>;

export interface SplitCondition {
  /** Expressions over the joined row. */
  readonly pairs: readonly (readonly [left: Scalar, right: Scalar])[];
  /** What has to hold besides. */
  readonly residual: readonly Scalar[];
  readonly nullsMatch: boolean;
  /** The right side without rows that can match nothing. */
  readonly known: Rel;
}

export function splitCondition(join: Join, leftColumns: number): SplitCondition {
  const found = conjuncts(join.condition).map((predicate) => ({ predicate, pair: keyPair(predicate, leftColumns) }));
  const residual = found.flatMap(({ predicate, pair }) => (pair === null ? [predicate] : []));
  const keys = found.flatMap(({ pair }) => (pair === null ? [] : [pair]));
  const nullsMatch = keys.some(({ nullsMatch: match }) => match);
  const pairs = keys.map(({ left, right }) => [left, right] as const);
  const strict = nullsMatch ? keys.filter(({ nullsMatch: match, right }) => !match && right.nullable) : [];
  const predicate = conjunction(
    strict.map(({ right }): Scalar => {
      const operand = moveColumns(right, (ordinal) => ordinal - leftColumns);
      const { source } = right;
      return {
        kind: 'operator',
        operator: 'is not null',
        operands: [operand],
        type: { kind: 'BOOLEAN' },
        nullable: false,
        source,
      };
    }),
  );
  const { right } = join;
  const known: Rel = predicate === null ? right : { kind: 'filter', input: right, predicate, schema: right.schema };
  return { pairs, residual, nullsMatch, known };
}

export interface KeyPair {
  readonly left: Scalar;
  readonly right: Scalar;
  readonly nullsMatch: boolean;
}

/** The two sides of an equality between the inputs of a join, left one first; null for any other predicate. */
export function keyPair(predicate: Scalar, leftColumns: number): KeyPair | null {
  if (predicate.kind !== 'operator') return null;
  if (predicate.operator !== '=' && predicate.operator !== 'is not distinct from') return null;
  const [a, b] = predicate.operands;
  assert(a !== undefined && b !== undefined, 'a comparison has two operands');
  if (storageOf(a.type) !== storageOf(b.type)) return null;
  if (a.type.kind === 'DECIMAL' && (b.type.kind !== 'DECIMAL' || a.type.scale !== b.type.scale)) return null;
  const nullsMatch = predicate.operator !== '=' && (a.nullable || b.nullable);
  const [sideA, sideB] = [sideOf(a, leftColumns), sideOf(b, leftColumns)];
  if (sideA === 'left' && sideB === 'right') return { left: a, right: b, nullsMatch };
  return sideA === 'right' && sideB === 'left' ? { left: b, right: a, nullsMatch } : null;
}
