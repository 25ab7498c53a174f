// What a query is bound in: the relations that it may read, and where its problems go.

import { type Field, makeSchema, type Relation, type Schema } from '../../../runtime/batch/schema.ts';
import { nearestName } from '../../../runtime/nearest-name.ts';
import type { Identifier } from './ast.ts';
import type { Rel, Scalar } from './bound.ts';
import { errorRelation } from './error-view.ts';
import { foreignRelation } from './foreign-functions.ts';
import type { OuterColumns } from './outer-columns.ts';
import { mapOuterColumns } from './outer-in-relation.ts';
import { AlreadyReported, type ProblemList } from './problem-list.ts';
import { SqlUnknownTable, SqlUnsupported } from './sql-errors.ts';
import type { SqlText } from './sql-text.ts';

/** A query of WITH, bound once however often it is read, with the names that its columns have there. */
export interface NamedQuery {
  readonly rel: Rel;
  readonly schema: Schema;
  /** Whose columns those of queries around are that it reads. */
  readonly outer?: OuterColumns | undefined;
}

export interface QueryContext {
  readonly source: SqlText;
  readonly problems: ProblemList;
  /** Tables and earlier views, by name. */
  readonly relations: ReadonlyMap<string, Relation>;
  /** Whether error_view is read here: in views, not in ad-hoc queries. */
  readonly hasErrors?: true;
  /** Relations whose own statements failed: what reads them fails without a further message. */
  readonly lost: ReadonlySet<string>;
  readonly common: ReadonlyMap<string, NamedQuery>;
  /** Columns of the query around a subquery; absent: there is none. */
  readonly outer?: OuterColumns | undefined;
}

/** The relation, view or WITH query of a name. @throws SqlUnknownTable */
export function findRelation(context: QueryContext, name: Identifier): NamedQuery {
  const common = context.common.get(name.name);
  if (common !== undefined) return readFrom(common, context.outer);
  const isErrors = context.hasErrors === true && name.name === errorRelation.name;
  const relation = isErrors ? errorRelation : context.relations.get(name.name);
  if (relation !== undefined) {
    return { rel: { kind: 'scan', relation: relation.name, schema: relation.schema }, schema: relation.schema };
  }
  if (context.lost.has(name.name)) throw new AlreadyReported();
  const instead = foreignRelation(name.name);
  if (instead !== undefined) {
    throw new SqlUnsupported({ construct: `"${name.name}"`, instead }, { place: context.source.span(name.span) });
  }
  const known = [...context.common.keys(), ...context.relations.keys()];
  const suggestion = nearestName(name.name, known);
  throw new SqlUnknownTable({ name: name.name, known }, { place: context.source.span(name.span), suggestion });
}

/** A query of WITH where a subquery of the one that has the WITH reads it: what it takes from around, the subquery takes as well. */
function readFrom(common: NamedQuery, outer: OuterColumns | undefined): NamedQuery {
  const home = common.outer;
  if (home === undefined || outer === undefined || home === outer) return common;
  return { ...common, rel: mapOuterColumns(common.rel, (column) => outer.adopt(column, home)) };
}

/** Runs every part even if an earlier one failed; then fails if one did. @throws AlreadyReported */
export function bindAll<T>(problems: ProblemList, parts: readonly (() => T)[]): readonly T[] {
  const bound: T[] = [];
  let failed = false;
  for (const part of parts) {
    try {
      bound.push(part());
    } catch (thrown) {
      problems.keep(thrown);
      failed = true;
    }
  }
  if (failed) throw new AlreadyReported();
  return bound;
}

/** The same rows under other names. */
export function renamed(rel: Rel, names: readonly { readonly name: string; readonly quoted: boolean }[]): Rel {
  const fields = rel.schema.fields.map((field, i) => rename(field, names[i] ?? { name: field.name, quoted: false }));
  const schema = makeSchema(fields);
  if (rel.kind === 'project' || rel.kind === 'values' || rel.kind === 'aggregate') return { ...rel, schema };
  return { kind: 'project', input: rel, columns: rel.schema.fields.map(columnOf), schema };
}

/** The same rows; of columns of one name the later ones get a number behind it, as in Calcite: id, id0, id1. */
export function withDistinctNames(rel: Rel): Rel {
  const { fields } = rel.schema;
  const used = new Set<string>();
  const names = fields.map(({ name, quoted }) => {
    let free = name;
    for (let i = 0; used.has(free); i++) free = `${name}${i}`;
    used.add(free);
    return { name: free, quoted: quoted === true };
  });
  return names.every(({ name }, i) => name === fields[i]?.name) ? rel : renamed(rel, names);
}

function rename(field: Field, { name, quoted }: { readonly name: string; readonly quoted: boolean }): Field {
  const { type, nullable } = field;
  return quoted ? { name, type, nullable, quoted } : { name, type, nullable };
}

/** A reference to a field as it is, made by the binder and not by the text. */
export function columnOf(field: Field, ordinal: number): Scalar {
  const source = { place: {}, text: field.name };
  return { kind: 'column', ordinal, type: field.type, nullable: field.nullable, source };
}
