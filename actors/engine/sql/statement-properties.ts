// WITH ('name' = 'value', …) of tables and views.
//
// `connectors` keeps its text and the place of its literal: who reads the JSON can point into the program.
// skip_unused_columns and expected_size are hints for Feldera: checked, and without effect.
import { nearestName } from '../../../runtime/nearest-name.ts';
import type { DeclaredConnectors } from './bound.ts';
import type { ProblemList } from './problem-list.ts';
import { SqlDuplicateName, SqlInvalidProperty, SqlUnknownProperty, SqlUnsupported } from './sql-errors.ts';
import type { SqlText } from './sql-text.ts';
import type { Property } from './statement-syntax.ts';

export interface TableProperties {
  readonly connectors: DeclaredConnectors | null;
  readonly materialized: boolean;
  readonly appendOnly: boolean;
}

const tableProperties = ['connectors', 'materialized', 'append_only', 'skip_unused_columns', 'expected_size'];
const viewProperties = ['connectors', 'materialized', 'emit_final', 'rust'];
/** Known, and refused: what it would take. */
const refused: Readonly<Record<string, string>> = {
  materialized: 'write CREATE MATERIALIZED VIEW',
  rust: 'write the view in SQL',
};

export function readTableProperties(
  source: SqlText,
  properties: readonly Property[],
  problems: ProblemList,
): TableProperties {
  const byName = collect(source, properties, tableProperties, problems);
  const size = byName.get('expected_size');
  if (size !== undefined && !/^\d+$/.test(size.value)) problems.keep(invalid(source, size, 'a whole number'));
  readBoolean(source, byName.get('skip_unused_columns'), problems);
  return {
    connectors: connectorsOf(source, byName),
    materialized: readBoolean(source, byName.get('materialized'), problems),
    appendOnly: readBoolean(source, byName.get('append_only'), problems),
  };
}

export function readViewProperties(
  source: SqlText,
  properties: readonly Property[],
  problems: ProblemList,
): { readonly connectors: DeclaredConnectors | null; readonly emitFinal: Property | null } {
  const byName = collect(source, properties, viewProperties, problems);
  for (const [name, instead] of Object.entries(refused)) {
    const property = byName.get(name);
    if (property === undefined) continue;
    const place = source.span(property.keySpan);
    problems.keep(new SqlUnsupported({ construct: `property '${name}' of a view`, instead }, { place }));
  }
  return { connectors: connectorsOf(source, byName), emitFinal: byName.get('emit_final') ?? null };
}

function collect(
  source: SqlText,
  properties: readonly Property[],
  known: readonly string[],
  problems: ProblemList,
): ReadonlyMap<string, Property> {
  const byName = new Map<string, Property>();
  for (const property of properties) {
    const name = property.key;
    const place = source.span(property.keySpan);
    if (!known.includes(name)) {
      problems.keep(new SqlUnknownProperty({ name, known }, { place, suggestion: nearestName(name, known) }));
    } else if (byName.has(name)) problems.keep(new SqlDuplicateName({ what: 'property', name }, { place }));
    else byName.set(name, property);
  }
  return byName;
}

function connectorsOf(source: SqlText, byName: ReadonlyMap<string, Property>): DeclaredConnectors | null {
  const property = byName.get('connectors');
  if (property === undefined) return null;
  return { json: property.value, place: source.place(property.valueSpan.start) };
}

function readBoolean(source: SqlText, property: Property | undefined, problems: ProblemList): boolean {
  if (property === undefined) return false;
  const value = property.value.toLowerCase();
  if (value !== 'true' && value !== 'false') problems.keep(invalid(source, property, "'true' or 'false'"));
  return value === 'true';
}

function invalid(source: SqlText, property: Property, expected: string): Error {
  const fields = { name: property.key, value: property.value, expected };
  return new SqlInvalidProperty(fields, { place: source.span(property.valueSpan) });
}
