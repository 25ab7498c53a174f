// What the server says of the types of columns: what a domain rests on, what an array holds, which members a composite type has.
//
// Texts of values mean nothing without it: `(1,x)` is a text or a row, `{"a": 1}` a text or JSON. Types are asked for once and kept; they are
// plain data. A type that the server does not know any more is one of no category, whose values are texts.
import type { Client } from 'pg';

export interface PostgresType {
  /** Of what a domain rests on. */
  readonly oid: number;
  /** As SQL spells it, such as `numeric` or `mood`. */
  readonly name: string;
  /** https://www.postgresql.org/docs/15/catalog-pg-type.html#CATALOG-TYPCATEGORY-TABLE */
  readonly category: string;
  /** Of an array. */
  readonly element: PostgresType | null;
  /** Of a composite type, in their order. */
  readonly members: readonly { readonly name: string; readonly type: PostgresType }[] | null;
}

/** https://github.com/postgres/postgres/blob/REL_15_STABLE/src/include/catalog/pg_type.dat */
export const oid = {
  bool: 16,
  bytea: 17,
  json: 114,
  money: 790,
  date: 1082,
  time: 1083,
  timestamp: 1114,
  timestamptz: 1184,
  timetz: 1266,
  uuid: 2950,
  jsonb: 3802,
} as const;

interface Described {
  readonly oid: number;
  readonly name: string;
  readonly kind: string;
  readonly category: string;
  readonly base: number;
  readonly element: number;
  readonly members: readonly (readonly [string, string])[] | null;
}

const described = `WITH RECURSIVE needed(oid) AS (
    SELECT unnest($1::oid[])
    UNION
    SELECT further.oid FROM needed JOIN pg_type t ON t.oid = needed.oid CROSS JOIN LATERAL (
      SELECT t.typbasetype
      UNION ALL SELECT t.typelem WHERE t.typcategory = 'A'
      UNION ALL SELECT a.atttypid FROM pg_attribute a
        WHERE t.typtype = 'c' AND a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped
    ) AS further(oid) WHERE further.oid <> 0
  )
  SELECT t.oid::int8::float8 AS oid, format_type(t.oid, NULL) AS name, t.typtype AS kind, t.typcategory AS category,
    t.typbasetype::int8::float8 AS base, CASE WHEN t.typcategory = 'A' THEN t.typelem::int8::float8 ELSE 0 END AS element,
    (SELECT json_agg(json_build_array(a.attname, a.atttypid::text) ORDER BY a.attnum) FROM pg_attribute a
      WHERE t.typtype = 'c' AND a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped) AS members
  FROM needed JOIN pg_type t ON t.oid = needed.oid`;

export class TypeCatalog {
  readonly #types = new Map<number, PostgresType>();

  knows(oids: readonly number[]): boolean {
    return oids.every((each) => this.#types.has(each));
  }

  /** Asks for those that are not known yet. On a connection that is none of replication. */
  async load(client: Client, oids: readonly number[]): Promise<void> {
    if (this.knows(oids)) return;
    const { rows } = await client.query<Described>(described, [oids.map(String)]);
    const found = new Map(rows.map((row) => [Number(row.oid), row]));
    for (const each of oids) this.#make(each, found);
  }

  of(typeOid: number): PostgresType {
    return this.#types.get(typeOid) ?? unknownType(typeOid);
  }

  #make(typeOid: number, found: ReadonlyMap<number, Described>): PostgresType {
    const known = this.#types.get(typeOid);
    if (known !== undefined) return known;
    const row = found.get(typeOid);
    if (row === undefined) return unknownType(typeOid);
    const made = Number(row.base) === 0 ? this.#plain(row, found) : this.#domain(row, found);
    this.#types.set(typeOid, made);
    return made;
  }

  #domain(row: Described, found: ReadonlyMap<number, Described>): PostgresType {
    return { ...this.#make(Number(row.base), found), name: row.name };
  }

  #plain(
    { oid: own, name, category, element, members }: Described,
    found: ReadonlyMap<number, Described>,
  ): PostgresType {
    return {
      oid: Number(own),
      name,
      category,
      element: Number(element) === 0 ? null : this.#make(Number(element), found),
      members: members?.map(([member, type]) => ({ name: member, type: this.#make(Number(type), found) })) ?? null,
    };
  }
}

function unknownType(typeOid: number): PostgresType {
  return { oid: typeOid, name: `type ${typeOid}`, category: 'X', element: null, members: null };
}
