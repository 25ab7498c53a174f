// The shape of rows: fields in order, and what is known of a whole relation.
//
// A schema has a fingerprint (FNV-1a over names, types and nullability), so that two ends of a port can tell that they
// speak of the same columns. Schemas are plain data: they survive a structured clone.
import { formatSqlType, type SqlType } from './sql-type.ts';

/** One column. Names are canonical: unquoted SQL identifiers are lower case. */
export interface Field {
  readonly name: string;
  readonly type: SqlType;
  readonly nullable: boolean;
  /** True when the identifier was quoted in SQL: input then has to match its case. */
  readonly quoted?: boolean;
}

export interface Schema {
  readonly fields: readonly Field[];
  /** 32-bit unsigned. */
  readonly fingerprint: number;
}

/** A table or view as connectors see it. */
export interface Relation {
  readonly name: string;
  readonly schema: Schema;
  /** Ordinals of the primary key; empty: the relation is a multiset. With a key, an insertion replaces (upsert). */
  readonly primaryKey: readonly number[];
}

export function makeSchema(fields: readonly Field[]): Schema {
  let hash = 0x811c9dc5;
  for (const field of fields) {
    const text = `${field.name}\u0000${formatSqlType(field.type)}\u0000${field.nullable ? 'null' : 'not null'}\u0001`;
    for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  }
  return { fields, fingerprint: hash >>> 0 };
}
