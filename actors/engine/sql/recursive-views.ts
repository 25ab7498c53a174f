// Recursive views: DECLARE RECURSIVE VIEW says what the columns are, CREATE VIEW what the rows are.
//
// Views that read one another in a circle are one recursion: each of them becomes the fixpoint of all of theirs. A view of the
// circle gives every row once. Which views those are is found from what each one scans.
import { type Field, makeSchema, type Relation } from '../../../runtime/batch/schema.ts';
import type { Place } from '../../../runtime/errors.ts';
import type { Rel, ViewDefinition } from './bound.ts';
import { columnOf } from './query-context.ts';
import { SqlInvalidDefinition, SqlTypeMismatch } from './sql-errors.ts';
import type { SqlText } from './sql-text.ts';
import type { DeclareRecursive } from './statement-syntax.ts';
import { coerce, commonType, describePair, isText } from './type-coercion.ts';
import { resolveTypeName } from './type-names.ts';

export function declareRecursive(source: SqlText, { name, columns }: DeclareRecursive): Relation {
  const fields = columns.map((column): Field => {
    const { name: field, quoted } = column.name;
    const type = resolveTypeName(source, column.type);
    return quoted
      ? { name: field, type, nullable: column.nullable, quoted }
      : { name: field, type, nullable: column.nullable };
  });
  return { name: name.name, schema: makeSchema(fields), primaryKey: [] };
}

/** A query with the columns that were declared for its view. @throws SqlInvalidDefinition, SqlTypeMismatch */
export function asDeclared(rel: Rel, declared: Relation, place: Place): Rel {
  const { fields } = declared.schema;
  const given = rel.schema.fields;
  if (given.length !== fields.length) {
    const detail = `"${declared.name}" is declared with ${fields.length} columns, its query has ${given.length}`;
    throw new SqlInvalidDefinition({ detail }, { place });
  }
  const columns = given.map((field, i) => {
    const type = fields[i]?.type ?? field.type;
    // A text is no number that was declared, and the other way round: columns that stand in another order show so.
    const isKnown = field.type.kind !== 'NULL' && type.kind !== 'NULL';
    const isOther = isKnown && isText(field.type) !== isText(type);
    if (!isOther && commonType(field.type, type) !== null) return coerce(columnOf(field, i), type);
    const detail = `column ${i + 1} of "${declared.name}": ${describePair(type, field.type)} have no common type`;
    throw new SqlTypeMismatch({ detail }, { place });
  });
  return { kind: 'project', input: rel, columns, schema: declared.schema };
}

/** The views, those of a circle with the fixpoint of the circle for their queries. */
export function recursiveViews(views: readonly ViewDefinition[]): readonly ViewDefinition[] {
  const reads = new Map(views.map(({ relation, query }) => [relation.name, scansOf(query)]));
  const reached = new Map([...reads.keys()].map((name) => [name, reachable(name, reads)]));
  return views.map((view) => {
    const { name } = view.relation;
    if (reached.get(name)?.has(name) !== true) return view;
    const circle = views.filter(({ relation: { name: other } }) => {
      return reached.get(name)?.has(other) === true && reached.get(other)?.has(name) === true;
    });
    const bodies = circle.map(({ relation, query }) => ({ name: relation.name, query }));
    return { ...view, query: { kind: 'fixpoint', all: false, bodies, main: name, schema: view.query.schema } };
  });
}

function reachable(name: string, reads: ReadonlyMap<string, ReadonlySet<string>>): ReadonlySet<string> {
  const found = new Set<string>();
  const waiting = [name];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    for (const read of reads.get(next) ?? []) {
      if (found.has(read)) continue;
      found.add(read);
      waiting.push(read);
    }
  }
  return found;
}

function scansOf(rel: Rel): ReadonlySet<string> {
  switch (rel.kind) {
    case 'scan':
      return new Set([rel.relation]);
    case 'values':
      return new Set();
    case 'fixpoint': {
      const own = new Set(rel.bodies.map(({ name }) => name));
      return new Set(rel.bodies.flatMap(({ query }) => [...scansOf(query)].filter((name) => !own.has(name))));
    }
    case 'join':
    case 'asof':
      return new Set([...scansOf(rel.left), ...scansOf(rel.right)]);
    case 'union':
      return new Set(rel.inputs.flatMap((input) => [...scansOf(input)]));
    default:
      return scansOf(rel.input);
  }
}
