// Binder of WITH RECURSIVE: name (columns) AS (start UNION step), where step reads the name.
//
// The query becomes a fixpoint of its own, as a recursive view does (recursive-views.ts): every row stands in it once. Its columns
// are those of the parts of the UNION that do not read the name; the others are cast to them. With UNION ALL a row stands in it as
// often as it is derived; its steps are linear then (they read one row of the query at a time), as standard SQL asks for.
import { makeSchema, type Relation } from '../../../runtime/batch/schema.ts';
import type { Place } from '../../../runtime/errors.ts';
import type { CommonTable, QueryBody } from './ast.ts';
import type { Rel } from './bound.ts';
import type { BindQuery } from './bound-table.ts';
import { queryOf } from './made-syntax.ts';
import { isDependent } from './outer-in-relation.ts';
import { type NamedQuery, type QueryContext, renamed } from './query-context.ts';
import { asDeclared } from './recursive-views.ts';
import { SqlInvalidDefinition, SqlUnsupported } from './sql-errors.ts';

/** Null: the query does not read itself. @throws SqlInvalidDefinition, SqlUnsupported, AlreadyReported */
export function bindRecursiveQuery(
  context: QueryContext,
  common: CommonTable,
  bindQuery: BindQuery,
): NamedQuery | null {
  const { name, columns, query } = common;
  if (!readsName(query, name.name)) return null;
  const place = context.source.span(name.span);
  const { body } = query;
  if (body.kind !== 'union' || query.limit !== null || query.offset !== null) {
    const detail = `the recursive query "${name.name}" is a UNION of where it starts and of how it goes on`;
    throw new SqlInvalidDefinition({ detail }, { place });
  }
  const { branches, every, some } = branchesOf(body);
  if (some !== null && !every) {
    throw new SqlUnsupported(
      { construct: 'UNION beside UNION ALL in WITH RECURSIVE', instead: 'write one of them everywhere' },
      { place: context.source.span(some) },
    );
  }
  const starts = branches.filter((branch) => !readsName(branch, name.name));
  const [first, ...others] = starts;
  if (first === undefined) {
    const detail = `nothing starts the recursive query "${name.name}": every part of its UNION reads it`;
    throw new SqlInvalidDefinition({ detail }, { place });
  }
  const start = others.reduce<QueryBody>(
    (left, right) => ({ kind: 'union', all: false, left, right, operatorSpan: body.operatorSpan, span: body.span }),
    first,
  );
  const begun = bindQuery(context, queryOf(start));
  if (columns !== null && columns.length !== begun.schema.fields.length) {
    const detail = `${name.name} names ${columns.length} columns, its query has ${begun.schema.fields.length}`;
    throw new SqlInvalidDefinition({ detail }, { place });
  }
  const { fields } = (columns === null ? begun : renamed(begun, columns)).schema;
  // What the steps add may be NULL where the start never is.
  const schema = makeSchema(fields.map((field) => ({ ...field, nullable: true })));
  // Names of relations have no blanks: this one is of this place alone.
  const relation: Relation = { name: `with ${name.name} ${name.span.start}`, schema, primaryKey: [] };
  const own: NamedQuery = { rel: { kind: 'scan', relation: relation.name, schema }, schema };
  const inner = { ...context, common: new Map([...context.common, [name.name, own]]) };
  const whole = asDeclared(bindQuery(inner, query), relation, place);
  if (isDependent(whole)) {
    const construct = `WITH RECURSIVE that reads columns of the query around it, as "${name.name}" does,`;
    throw new SqlUnsupported({ construct, instead: 'let it stand alone, and join its rows' }, { place });
  }
  const bodies = [{ name: relation.name, query: whole }];
  if (some !== null) requireLinear(whole, relation.name, (what) => notLinear(what, context.source.span(some)));
  const rel: Rel = { kind: 'fixpoint', all: some !== null, bodies, main: relation.name, schema };
  return { rel, schema };
}

/** The parts of a chain of UNIONs, whether every one of them says ALL, and where one does. */
function branchesOf(body: QueryBody): {
  readonly branches: readonly QueryBody[];
  readonly every: boolean;
  readonly some: QueryBody['span'] | null;
} {
  if (body.kind !== 'union') return { branches: [body], every: true, some: null };
  const [left, right] = [branchesOf(body.left), branchesOf(body.right)];
  const some = body.all ? body.operatorSpan : (left.some ?? right.some);
  return { branches: [...left.branches, ...right.branches], every: body.all && left.every && right.every, some };
}

function notLinear(what: string, place: Place): Error {
  const instead = 'write UNION, with which every row counts once';
  return new SqlUnsupported(
    { construct: `${what} of the query itself in WITH RECURSIVE with UNION ALL`, instead },
    { place },
  );
}

/** Whether `rel` reads the name; each of its rows comes of one row of that then. @throws what `refuse` makes */
function requireLinear(rel: Rel, name: string, refuse: (what: string) => Error): boolean {
  const reads = (input: Rel): boolean => requireLinear(input, name, refuse);
  switch (rel.kind) {
    case 'scan':
      return rel.relation === name;
    case 'values':
      return false;
    case 'filter':
    case 'project':
    case 'explode':
      return reads(rel.input);
    case 'union':
      return rel.inputs.map(reads).includes(true);
    case 'join':
    case 'asof': {
      const [left, right] = [reads(rel.left), reads(rel.right)];
      if (left && right) throw refuse('a join');
      if (right && (rel.kind === 'asof' || rel.type === 'left')) throw refuse('an outer join');
      return left || right;
    }
    case 'fixpoint':
      if (rel.bodies.map(({ query }) => reads(query)).includes(true)) throw refuse('a recursion');
      return false;
    default:
      if (reads(rel.input)) throw refuse(nonlinear[rel.kind]);
      return false;
  }
}

const nonlinear: Readonly<Record<'aggregate' | 'distinct' | 'repeat' | 'window' | 'top', string>> = {
  aggregate: 'an aggregate or a subquery in an expression',
  distinct: 'DISTINCT, a set operation or a subquery in an expression',
  repeat: 'a set operation',
  window: 'a window function',
  top: 'LIMIT',
};

/** Whether any table of a piece of syntax is called so. */
function readsName(node: unknown, name: string): boolean {
  if (typeof node !== 'object' || node === null) return false;
  if (Array.isArray(node)) return node.some((each) => readsName(each, name));
  const isTable = 'kind' in node && node.kind === 'table' && 'name' in node;
  // SAFETY: a table of the syntax has an identifier for its name.
  if (isTable && (node.name as { readonly name: string }).name === name) return true;
  return Object.values(node).some((part) => readsName(part, name));
}
