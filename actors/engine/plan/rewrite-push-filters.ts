// Moves predicates to where rows are read: below projections, into the inputs and the condition of joins.
//
//   σ(p)(π(x))            = π(σ(p')(x))                    p' reads what π passes on unchanged
//   σ(p ∧ q ∧ r)(L ⋈ R)   = σ(p)(L) ⋈[… ∧ r] σ(q)(R)      p reads L, q reads R, r reads both: `FROM a, b WHERE a.x = b.x`
//   σ(p)(L ⟕ R)           = σ(p)(L) ⟕ R                    only what reads the left side
//   L ⟕[c ∧ q] R          = L ⟕[c] σ(q)(R)
// A predicate that could fail on a row (division, casts, functions) stays where it is: moved, it would be evaluated on
// rows that the program never shows it. Only an equality that alone keeps two relations from being multiplied (`a.x + 1 = b.y`) is
// evaluated on all rows of both, as one in ON is. Returns a relation with the same schema and the same rows.
import type { Rel, Scalar } from '../sql/bound.ts';
import { cannotFail } from '../sql/cannot-fail.ts';
import { conjunction, conjuncts, mapColumns, mapInputs, moveColumns, sideOf, truth } from './algebra.ts';
import { columnsOf } from './expression-shape.ts';
import { keyPair } from './join-keys.ts';

type Join = Extract<Rel, { kind: 'join' }>;
type Project = Extract<Rel, { kind: 'project' }>;

/** A query of WITH that is read several times is one relation, before and after: it is rewritten once. */
const pushed = new WeakMap<Rel, Rel>();

export function pushFilters(rel: Rel): Rel {
  const known = pushed.get(rel) ?? withFiltersPushed(rel);
  pushed.set(rel, known);
  return known;
}

function withFiltersPushed(rel: Rel): Rel {
  switch (rel.kind) {
    case 'filter':
      return filtered(rel.input, conjuncts(rel.predicate));
    case 'join':
      return joined(rel, []);
    default:
      return mapInputs(rel, pushFilters);
  }
}

/** `input` with predicates on its columns, pushed as deep as they go. */
function filtered(input: Rel, predicates: readonly Scalar[]): Rel {
  if (predicates.length === 0) return pushFilters(input);
  if (input.kind === 'filter') return filtered(input.input, [...conjuncts(input.predicate), ...predicates]);
  if (input.kind === 'project') return belowProjection(input, predicates);
  if (input.kind === 'join') return joined(input, predicates);
  return above(pushFilters(input), predicates);
}

function belowProjection(project: Project, predicates: readonly Scalar[]): Rel {
  const passes = (ordinal: number): boolean => project.columns[ordinal]!.kind === 'column';
  const movable = predicates.filter((predicate) => columnsOf(predicate).every(passes));
  const moved = movable.map((predicate) => mapColumns(predicate, ({ ordinal }) => project.columns[ordinal]!));
  const input = filtered(project.input, moved);
  return above(
    { ...project, input },
    predicates.filter((predicate) => !movable.includes(predicate)),
  );
}

function joined(join: Join, predicates: readonly Scalar[]): Rel {
  const leftColumns = join.left.schema.fields.length;
  const left: Scalar[] = [];
  const right: Scalar[] = [];
  const condition: Scalar[] = [];
  const after: Scalar[] = [];
  const inner = join.type === 'inner';
  for (const predicate of conjuncts(join.condition)) {
    const side = sideOf(predicate, leftColumns);
    if (side === 'right' && cannotFail(predicate)) right.push(predicate);
    else if (side === 'left' && inner && cannotFail(predicate)) left.push(predicate);
    else condition.push(predicate);
  }
  const connects = (predicate: Scalar): boolean => keyPair(predicate, leftColumns) !== null;
  const unsure = predicates.filter((predicate) => !cannotFail(predicate));
  for (const predicate of predicates.filter(cannotFail)) {
    const side = sideOf(predicate, leftColumns);
    if (side === 'left') left.push(predicate);
    else if (side === 'right' && inner) right.push(predicate);
    else if (side === 'both' && inner) condition.push(predicate);
    else after.push(predicate);
  }
  // Without any equality both sides would be multiplied: one that could fail connects them as it would in ON.
  const isProduct = inner && !condition.some(connects);
  for (const predicate of unsure) (isProduct && connects(predicate) ? condition : after).push(predicate);
  const moved = right.map((predicate) => moveColumns(predicate, (ordinal) => ordinal - leftColumns));
  const rewritten: Join = {
    ...join,
    left: filtered(join.left, left),
    right: filtered(join.right, moved),
    condition: conjunction(condition) ?? truth(join.condition.source),
  };
  return above(rewritten, after);
}

function above(input: Rel, predicates: readonly Scalar[]): Rel {
  const predicate = conjunction(predicates);
  return predicate === null ? input : { kind: 'filter', input, predicate, schema: input.schema };
}
