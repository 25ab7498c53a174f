// Binder of programs: statements in order, each seeing the relations before it.
//
// A statement that fails leaves its name as `lost`: what reads from it is left out without a message of its own. Views may only
// read what stands above them, so the program is in dependency order as it is.

import { type Field, makeSchema, type Relation } from '../../../runtime/batch/schema.ts';
import type { Place } from '../../../runtime/errors.ts';
import { findAggregate } from './aggregate-functions.ts';
import type { Identifier } from './ast.ts';
import { bindExpression } from './bind-expression.ts';
import { bindLateness } from './bind-lateness.ts';
import { bindQuery } from './bind-query.ts';
import { bindTable } from './bind-table.ts';
import type {
  BoundProgram,
  DeclaredConnectors,
  EmitFinal,
  IndexDefinition,
  Rel,
  TableDefinition,
  ViewDefinition,
} from './bound.ts';
import { clockRelation, queryReadsNow } from './clock.ts';
import { declareFunction } from './declared-function.ts';
import { errorRelation } from './error-view.ts';
import { findFunction } from './functions.ts';
import type { Lateness } from './lateness.ts';
import type { ParsedProgram } from './parse.ts';
import type { ProblemList } from './problem-list.ts';
import { renamed, withDistinctNames } from './query-context.ts';
import { asDeclared, declareRecursive, recursiveViews } from './recursive-views.ts';
import { requireOption } from './set-option.ts';
import {
  SqlDuplicateName,
  SqlInvalidDefinition,
  SqlTypeMismatch,
  SqlUnknownColumn,
  SqlUnknownTable,
} from './sql-errors.ts';
import type { SqlText } from './sql-text.ts';
import { readViewProperties } from './statement-properties.ts';
import type { Property, Statement, ViewLateness } from './statement-syntax.ts';
import { resolveTypeName } from './type-names.ts';
import { watermarksOf } from './watermarks.ts';

type CreateView = Extract<Statement, { kind: 'create view' }>;

/** Every statement that can be bound; problems are added to the list. */
export function bindProgram(source: SqlText, parsed: ParsedProgram, problems: ProblemList): BoundProgram {
  const relations = new Map<string, Relation>();
  const lost = new Set(parsed.lost);
  const tables: TableDefinition[] = [];
  const views: ViewDefinition[] = [];
  const indexes: IndexDefinition[] = [];
  const declared = new Map<string, Relation>();
  for (const [position, statement] of parsed.statements.entries()) {
    if (statement.kind === 'create type') {
      problems.attempt(() => declareType(source, statement));
      continue;
    }
    if (statement.kind === 'create function') {
      const { name } = statement.name;
      const isKnown = findFunction(name) !== undefined || findAggregate(name) !== undefined;
      problems.attempt(() => declareFunction(source, statement, isKnown, bindExpression));
      continue;
    }
    if (statement.kind === 'set option') {
      problems.attempt(() => requireOption(source, statement.name));
      continue;
    }
    if (statement.kind === 'lateness') {
      problems.attempt(() => requireView(source, statement, parsed.statements));
      continue;
    }
    if (statement.kind === 'create index') {
      const index = problems.attempt(() => bindIndex(source, statement, relations, lost));
      if (index !== null) indexes.push(index);
      continue;
    }
    if (statement.kind === 'declare recursive') {
      problems.attempt(() => {
        requireFreeName(source, statement.name, relations);
        declared.set(statement.name.name, declareRecursive(source, statement));
      });
      continue;
    }
    const before = problems.count;
    const bound = problems.attempt(() => {
      requireFreeName(source, statement.name, relations);
      if (statement.kind === 'create table') return bindTable(source, statement, problems);
      return bindView(source, statement, {
        relations: new Map([...declared, ...relations]),
        declared,
        lost,
        problems,
        later: parsed.statements.slice(position + 1).filter((other) => other.kind !== 'lateness'),
        lateness: parsed.statements.filter(
          (other) => other.kind === 'lateness' && other.name.name === statement.name.name,
        ),
        tables,
        views,
      });
    });
    if (bound === null || problems.count > before) {
      lost.add(statement.name.name);
      continue;
    }
    relations.set(bound.relation.name, bound.relation);
    if ('query' in bound) views.push(bound);
    else tables.push(bound);
  }
  for (const name of declared.keys()) {
    if (relations.has(name) || lost.has(name)) continue;
    const statement = parsed.statements.find((each) => each.kind === 'declare recursive' && each.name.name === name);
    const place = source.span(statement?.name.span ?? { start: 0, end: 0 });
    problems.keep(
      new SqlInvalidDefinition({ detail: `recursive view "${name}" is declared and never created` }, { place }),
    );
  }
  const ordered = declared.size === 0 ? views : recursiveViews(views);
  const timed = views.find((view) => queryReadsNow(view.query));
  if (timed === undefined) return { tables, views: ordered, indexes };
  if (relations.has(clockRelation.name)) {
    const detail = `"${clockRelation.name}" is the clock of a program that says NOW(), as view "${timed.relation.name}" does; name it otherwise`;
    problems.keep(new SqlInvalidDefinition({ detail }, { place: timed.source.place }));
  }
  return { tables, views: ordered, indexes, clock: clockRelation };
}

function declareType(source: SqlText, { name, type }: Extract<Statement, { kind: 'create type' }>): void {
  if (source.types.has(name.name)) {
    throw new SqlDuplicateName({ what: 'type', name: name.name }, { place: source.span(name.span) });
  }
  source.types.set(name.name, resolveTypeName(source, type));
}

/** Operators make the indexes that they need by themselves; this one names a key for connectors. */
function bindIndex(
  source: SqlText,
  { name: index, relation: name, columns }: Extract<Statement, { kind: 'create index' }>,
  relations: ReadonlyMap<string, Relation>,
  lost: ReadonlySet<string>,
): IndexDefinition | null {
  const relation = relations.get(name.name);
  if (relation === undefined) {
    if (lost.has(name.name)) return null;
    throw new SqlUnknownTable({ name: name.name, known: [...relations.keys()] }, { place: source.span(name.span) });
  }
  const known = relation.schema.fields.map((field) => field.name);
  const again = columns.find((column, i) => columns.findIndex(({ name: other }) => other === column.name) < i);
  if (again !== undefined) {
    throw new SqlDuplicateName({ what: 'column of the index', name: again.name }, { place: source.span(again.span) });
  }
  const missing = columns.find((column) => !known.includes(column.name));
  if (missing === undefined) {
    return { name: index.name, relation: name.name, columns: columns.map((column) => known.indexOf(column.name)) };
  }
  throw new SqlUnknownColumn({ name: missing.name, known }, { place: source.span(missing.span) });
}

function requireFreeName(source: SqlText, name: Identifier, relations: ReadonlyMap<string, Relation>): void {
  if (!relations.has(name.name) && name.name !== errorRelation.name) return;
  const place = source.span(name.span);
  throw new SqlDuplicateName({ what: 'relation', name: name.name }, { place });
}

interface ViewSurroundings {
  readonly relations: ReadonlyMap<string, Relation>;
  /** Recursive views that are declared. */
  readonly declared: ReadonlyMap<string, Relation>;
  readonly lost: ReadonlySet<string>;
  readonly problems: ProblemList;
  readonly later: readonly Statement[];
  /** LATENESS of columns of this view, wherever it stands. */
  readonly lateness: readonly Statement[];
  readonly tables: readonly TableDefinition[];
  readonly views: readonly ViewDefinition[];
}

function bindView(source: SqlText, view: CreateView, surroundings: ViewSurroundings): ViewDefinition {
  const { relations, lost, problems, later } = surroundings;
  const properties = problems.attempt(() => readViewProperties(source, view.properties, problems));
  const context = { source, problems, relations, lost, common: new Map(), hasErrors: true as const };
  const { rel, displayOrder } = explainOrder(later, view.name.name, () => bindQuery(context, view.query));
  const columns = view.columns;
  if (columns !== null && columns.length !== rel.schema.fields.length) {
    const detail = `view "${view.name.name}" names ${columns.length} columns, its query has ${rel.schema.fields.length}`;
    throw new SqlInvalidDefinition({ detail }, { place: source.span(view.name.span) });
  }
  const promises = surroundings.declared.has(view.name.name);
  const named = columns !== null ? renamed(rel, columns) : promises ? rel : withDistinctNames(rel);
  const place = source.span(view.name.span);
  const promised = surroundings.declared.get(view.name.name);
  const query = promised === undefined ? named : asDeclared(named, promised, place);
  requireDistinctColumns(query.schema.fields, place);
  if (view.view !== 'local') requireTypes(query.schema.fields, place);
  const relation: Relation = { name: view.name.name, schema: makeSchema(query.schema.fields), primaryKey: [] };
  const connectors: DeclaredConnectors | null = properties?.connectors ?? null;
  const final = properties?.emitFinal ?? null;
  const emitFinal = final === null ? {} : { emitFinal: bindEmitFinal(source, final, query, surroundings) };
  const late = bindViewLateness(source, surroundings.lateness, query.schema.fields);
  const bounds = late === null ? {} : { lateness: late };
  const shown = source.source(view.span);
  return { relation, kind: view.view, query, displayOrder, connectors, ...emitFinal, ...bounds, source: shown };
}

/** LATENESS is of a view of the program, which may stand below. */
function requireView(source: SqlText, { name }: ViewLateness, statements: readonly Statement[]): void {
  const known = statements.filter(({ kind }) => kind === 'create view').map((view) => view.name.name);
  if (!known.includes(name.name))
    throw new SqlUnknownTable({ name: name.name, known }, { place: source.span(name.span) });
}

/** One for each field; null: no column has one. */
function bindViewLateness(
  source: SqlText,
  statements: readonly Statement[],
  fields: readonly Field[],
): readonly (Lateness | null)[] | null {
  const bounds = new Map<number, Lateness>();
  for (const statement of statements) {
    if (statement.kind !== 'lateness') continue;
    const { column, lateness } = statement;
    const ordinal = fields.findIndex((field) => field.name === column.name);
    const field = fields[ordinal];
    if (field === undefined) {
      const known = fields.map(({ name }) => name);
      throw new SqlUnknownColumn({ name: column.name, known }, { place: source.span(column.span) });
    }
    bounds.set(ordinal, bindLateness(source, lateness, field.type));
  }
  return bounds.size === 0 ? null : fields.map((_, ordinal) => bounds.get(ordinal) ?? null);
}

/** 'emit_final' = 'column': what is emitted is final, because nothing below the watermark of the column can change. */
function bindEmitFinal(
  source: SqlText,
  property: Property,
  query: Rel,
  { tables, views }: ViewSurroundings,
): EmitFinal {
  const place = source.span(property.valueSpan);
  const { fields } = query.schema;
  const named = fields.findIndex(
    (field) => field.name === property.value || field.name === property.value.toLowerCase(),
  );
  const ordinal = named < 0 && /^\d+$/.test(property.value) ? Number(property.value) : named;
  if (fields[ordinal] === undefined) {
    const known = fields.map((field) => field.name);
    throw new SqlUnknownColumn({ name: property.value, known }, { place });
  }
  const watermarks = watermarksOf({ tables, views }, query, ordinal);
  if (watermarks !== null) return { ordinal, watermarks };
  const detail = `emit_final: no LATENESS bounds the column "${property.value}", so that no row of it is ever final`;
  throw new SqlInvalidDefinition({ detail }, { place });
}

/** A relation that is declared further below gets a better message than one that is not declared at all. */
function explainOrder<T>(later: readonly Statement[], view: string, bind: () => T): T {
  try {
    return bind();
  } catch (thrown) {
    if (!(thrown instanceof SqlUnknownTable)) throw thrown;
    const { name } = thrown.fields;
    const context: { place: Place | undefined } = { place: thrown.place };
    if (name === view) throw new SqlInvalidDefinition({ detail: `view "${view}" reads from itself` }, context);
    if (!later.some((statement) => statement.name.name === name)) throw thrown;
    throw new SqlInvalidDefinition({ detail: `"${name}" is declared below; declare it before "${view}"` }, context);
  }
}

/** What leaves the program has a type; inside of it a bare NULL takes that of its surroundings. */
function requireTypes(fields: readonly Field[], place: Place): void {
  const untyped = fields.find((field) => field.type.kind === 'NULL');
  if (untyped === undefined) return;
  const detail = `column "${untyped.name}" is always NULL and has no type; write CAST(NULL AS VARCHAR) or another type`;
  throw new SqlTypeMismatch({ detail }, { place });
}

function requireDistinctColumns(fields: readonly { readonly name: string }[], place: Place): void {
  const names = fields.map((field) => field.name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw new SqlDuplicateName({ what: 'column', name: twice }, { place });
}
