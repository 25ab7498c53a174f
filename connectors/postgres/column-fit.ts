// Which column of ours each column of PostgreSQL feeds, and whether its values can become values of it.
//
// What the relation lacks is refused; what only the relation has gets its default. A type that no value could be read of (a number as BOOLEAN, a bit
// string as VARBINARY) is refused here, at once and for the column, and not later for each of its rows; a text is read by what is in it.
import type { Field, Relation } from '../../runtime/batch/schema.ts';
import { formatSqlType, type SqlType } from '../../runtime/batch/sql-type.ts';
import { nearestName } from '../../runtime/nearest-name.ts';
import { PostgresColumns } from './postgres-errors.ts';
import { oid, type PostgresType, type TypeCatalog } from './type-catalog.ts';

export interface SourceColumn {
  readonly name: string;
  readonly typeOid: number;
}

/** A column of the source with what it feeds. */
export interface FittedColumn {
  readonly name: string;
  readonly type: PostgresType;
  readonly field: Field;
}

/** @throws PostgresColumns when one feeds none, or cannot. */
export function fitColumns(
  columns: readonly SourceColumn[],
  relation: Relation,
  catalog: TypeCatalog,
  server: string,
): readonly FittedColumn[] {
  const { fields } = relation.schema;
  return columns.map(({ name, typeOid }) => {
    const field = fedBy(name, relation);
    if (field === undefined) {
      const names = fields.map((each) => each.name);
      const detail = `its column "${name}" is not among those of ${relation.name}: ${names.join(', ')}`;
      throw new PostgresColumns({ server, detail }, { suggestion: nearestName(name, names) });
    }
    const type = catalog.of(typeOid);
    if (!fits(type, field.type)) {
      const here = formatSqlType(field.type);
      const detail = `its column "${name}" is of type ${type.name}, of which no ${here} can be read: declare ${field.name} as ${wantedFor(type)}`;
      throw new PostgresColumns({ server, detail });
    }
    return { name, type, field };
  });
}

/** Whether the relation has a column for one of this name. */
export function feeds(name: string, relation: Relation): boolean {
  return fedBy(name, relation) !== undefined;
}

function fedBy(name: string, { schema: { fields } }: Relation): Field | undefined {
  return (
    fields.find((each) => each.name === name) ??
    fields.find((each) => each.quoted !== true && each.name === name.toLowerCase())
  );
}

function fits(type: PostgresType, target: SqlType): boolean {
  const { category, element, members } = type;
  if (type.oid === oid.json || type.oid === oid.jsonb) return true;
  const isText = category === 'S' || category === 'E' || category === 'X';
  switch (target.kind) {
    case 'ARRAY':
      // Of several dimensions: the type does not say how many.
      return element !== null && (fits(element, target.element) || fits(type, target.element));
    case 'ROW':
      return members !== null;
    case 'MAP':
      return false;
    case 'BINARY':
    case 'VARBINARY':
      return type.oid === oid.bytea;
    case 'BOOLEAN':
      return category === 'B' || isText;
    case 'TINYINT':
    case 'SMALLINT':
    case 'INTEGER':
    case 'BIGINT':
    case 'REAL':
    case 'DOUBLE':
    case 'DECIMAL':
      return category === 'N' || isText;
    case 'UUID':
      return type.oid === oid.uuid || isText;
    case 'DATE':
      return type.oid === oid.date || isText;
    case 'TIME':
      return type.oid === oid.time || type.oid === oid.timetz || isText;
    case 'TIMESTAMP':
      return [oid.date, oid.timestamp, oid.timestamptz].some((each) => each === type.oid) || isText;
    default:
      return true;
  }
}

/** What would hold its values. */
function wantedFor({ oid: own, category, element }: PostgresType): string {
  if (element !== null) return 'an ARRAY or VARCHAR';
  if (own === oid.bytea) return 'VARBINARY';
  if (own === oid.uuid) return 'UUID or VARCHAR';
  if (own === oid.date) return 'DATE or VARCHAR';
  if (own === oid.time || own === oid.timetz) return 'TIME or VARCHAR';
  if (own === oid.timestamp || own === oid.timestamptz) return 'TIMESTAMP or VARCHAR';
  if (category === 'B') return 'BOOLEAN';
  if (category === 'N') return 'a number or VARCHAR';
  if (category === 'C') return 'a ROW or VARCHAR';
  return 'VARCHAR';
}
