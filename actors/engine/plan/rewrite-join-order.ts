// Joins tables in an order in which each has an equality with those before it, where the order of FROM would multiply rows first.
//
//   FROM part, supplier, lineitem WHERE part.id = lineitem.part AND supplier.id = lineitem.supplier
//     part × supplier ⋈ lineitem   becomes   part ⋈ lineitem ⋈ supplier
//
// Runs behind rewrite-push-filters.ts, which has moved the conditions to the joins. Of inner joins alone, whose conditions cannot fail on
// any row; a chain without a product stays as it is written, and so does one whose products no order avoids. Of several tables that
// could be next, the first in FROM is. Same schema, same rows. Not here: what is best by the number of rows, which nobody knows.
import { makeSchema } from '../../../runtime/batch/schema.ts';
import type { Rel, Scalar } from '../sql/bound.ts';
import { cannotFail } from '../sql/cannot-fail.ts';
import { columnReference, conjunction, conjuncts, mapInputs, moveColumns, truth } from './algebra.ts';
import { columnsOf } from './expression-shape.ts';

type Join = Extract<Rel, { kind: 'join' }>;

/** A relation whose columns are those columns of the whole chain. */
interface Part {
  readonly rel: Rel;
  readonly ordinals: readonly number[];
}

interface Chain {
  readonly tables: Part[];
  readonly predicates: Scalar[];
  /** How many joins have no equality between their sides. */
  products: number;
}

/** What is read several times is rewritten once. */
const ordered = new WeakMap<Rel, Rel>();

export function avoidProducts(rel: Rel): Rel {
  const known =
    ordered.get(rel) ?? (rel.kind === 'join' && isFree(rel) ? reordered(rel) : mapInputs(rel, avoidProducts));
  ordered.set(rel, known);
  return known;
}

/** Whether the join may change places with others. */
function isFree(join: Join): boolean {
  return join.type === 'inner' && conjuncts(join.condition).every(cannotFail);
}

function reordered(join: Join): Rel {
  const chain: Chain = { tables: [], predicates: [], products: 0 };
  gather(join, 0, chain);
  const parts = chain.products === 0 ? null : connectedParts(chain);
  if (parts === null || parts.length - 1 >= chain.products) return asWritten(join);
  const unused = new Set(chain.predicates);
  const trees = parts.map((tables) => tables.reduce((left, right) => joined(left, right, unused, join)));
  const { rel, ordinals } = trees.reduce((left, right) => joined(left, right, unused, join));
  const columns = join.schema.fields.map((_, ordinal) => columnReference(rel, ordinals.indexOf(ordinal)));
  return { kind: 'project', input: rel, columns, schema: join.schema };
}

function asWritten(rel: Rel): Rel {
  if (rel.kind !== 'join' || !isFree(rel)) return avoidProducts(rel);
  return { ...rel, left: asWritten(rel.left), right: asWritten(rel.right) };
}

function gather(rel: Rel, offset: number, chain: Chain): void {
  const width = rel.schema.fields.length;
  if (rel.kind !== 'join' || !isFree(rel)) {
    chain.tables.push({ rel: avoidProducts(rel), ordinals: Array.from({ length: width }, (_, i) => offset + i) });
    return;
  }
  const middle = offset + rel.left.schema.fields.length;
  const own = conjuncts(rel.condition).map((predicate) => moveColumns(predicate, (ordinal) => ordinal + offset));
  const [left, right] = [range(offset, middle), range(middle, offset + width)];
  if (!own.some((predicate) => isBetween(predicate, left, right))) chain.products++;
  chain.predicates.push(...own);
  gather(rel.left, offset, chain);
  gather(rel.right, middle, chain);
}

/** The tables in groups, each in an order in which every table has an equality with those before it. */
function connectedParts({ tables, predicates }: Chain): readonly (readonly Part[])[] {
  const rest = [...tables];
  const parts: Part[][] = [];
  for (let first = rest.shift(); first !== undefined; first = rest.shift()) {
    const part = [first];
    const known = new Set(first.ordinals);
    for (;;) {
      const next = rest.findIndex(({ ordinals }) => {
        const own = new Set(ordinals);
        return predicates.some((predicate) => isBetween(predicate, known, own));
      });
      const table = rest[next];
      if (table === undefined) break;
      rest.splice(next, 1);
      part.push(table);
      for (const ordinal of table.ordinals) known.add(ordinal);
    }
    parts.push(part);
  }
  return parts;
}

/** Whether a predicate equates something of the one side with something of the other. */
function isBetween(predicate: Scalar, a: ReadonlySet<number>, b: ReadonlySet<number>): boolean {
  if (predicate.kind !== 'operator') return false;
  if (predicate.operator !== '=' && predicate.operator !== 'is not distinct from') return false;
  const sides = predicate.operands.map(columnsOf);
  const lies = (columns: readonly number[] | undefined, within: ReadonlySet<number>): boolean =>
    columns !== undefined && columns.length > 0 && columns.every((ordinal) => within.has(ordinal));
  const [first, second] = sides;
  return (lies(first, a) && lies(second, b)) || (lies(first, b) && lies(second, a));
}

function joined(left: Part, right: Part, unused: Set<Scalar>, whole: Join): Part {
  const ordinals = [...left.ordinals, ...right.ordinals];
  const places = new Map(ordinals.map((ordinal, place) => [ordinal, place]));
  const now = [...unused].filter((predicate) => columnsOf(predicate).every((ordinal) => places.has(ordinal)));
  for (const predicate of now) unused.delete(predicate);
  const moved = now.map((predicate) => moveColumns(predicate, (ordinal) => places.get(ordinal) ?? -1));
  const condition = conjunction(moved) ?? truth(whole.condition.source);
  const schema = makeSchema([...left.rel.schema.fields, ...right.rel.schema.fields]);
  return { rel: { kind: 'join', type: 'inner', left: left.rel, right: right.rel, condition, schema }, ordinals };
}

function range(from: number, to: number): ReadonlySet<number> {
  return new Set(Array.from({ length: to - from }, (_, i) => from + i));
}
