// Changes of a PostgreSQL table as lines of JSON in the insert_delete form, which the json decoder reads.
//
// A value is written by the type of the column that it feeds: numbers with all their digits, booleans, JSON as it is, bytes and
// arrays as JSON arrays, everything else as text. With a primary key an update is an upsert (partial where the server has not sent a
// large value that is unchanged) and, when the key has changed, a deletion of the old one before; without one it is a deletion of the
// old row and an insertion, which takes REPLICA IDENTITY FULL. One line for each change of a row: their number is what a position counts.
import type { Field, Relation } from '../../runtime/batch/schema.ts';
import type { SqlType } from '../../runtime/batch/sql-type.ts';
import { matchColumns, oid } from './column-projection.ts';
import type { RelationColumn, ReplicationMessage, TupleValue } from './pgoutput.ts';
import { PostgresUnsupportedChange } from './postgres-errors.ts';

type Row = readonly TupleValue[];

export class ChangeLines {
  readonly #relation: Relation;
  readonly #table: string;
  readonly #columns: readonly RelationColumn[];
  readonly #fields: readonly Field[];
  readonly #isKey: readonly boolean[];

  /** @throws PostgresColumns */
  constructor(relation: Relation, table: string, columns: readonly RelationColumn[], server: string) {
    this.#relation = relation;
    this.#table = table;
    this.#columns = columns;
    this.#fields = matchColumns(columns, relation, server);
    const key = relation.primaryKey.map((ordinal) => relation.schema.fields[ordinal]?.name);
    this.#isKey = this.#fields.map((field) => key.includes(field.name));
  }

  /** Lines of one change, each closed by a line break. @throws PostgresUnsupportedChange */
  lines(change: Extract<ReplicationMessage, { readonly kind: 'insert' | 'update' | 'delete' }>): readonly string[] {
    switch (change.kind) {
      case 'insert':
        return [this.#line('insert', change.row)];
      case 'delete':
        return [this.#line('delete', change.row)];
      case 'update':
        return this.#relation.primaryKey.length > 0 ? this.#upsert(change) : this.#replace(change);
    }
  }

  #upsert({ before, row }: Extract<ReplicationMessage, { readonly kind: 'update' }>): readonly string[] {
    const isPartial = row.includes(undefined);
    const hasMoved = before?.row.some((value, i) => this.#isKey[i] === true && value !== row[i]) === true;
    if (hasMoved) {
      if (isPartial) throw this.#toast();
      return [this.#line('delete', before.row), this.#line('insert', row)];
    }
    return [this.#line(isPartial ? 'update' : 'insert', row)];
  }

  #replace({ before, row }: Extract<ReplicationMessage, { readonly kind: 'update' }>): readonly string[] {
    if (before === null || before.kind === 'key') {
      const detail = `a table without a primary key follows updates only with ALTER TABLE ${this.#table} REPLICA IDENTITY FULL`;
      throw new PostgresUnsupportedChange({ table: this.#table, detail });
    }
    const whole = row.map((value, i) => (value === undefined ? before.row[i] : value));
    if (whole.includes(undefined)) throw this.#toast();
    return [this.#line('delete', before.row), this.#line('insert', whole)];
  }

  #toast(): Error {
    const detail = `the server did not send a large value; ALTER TABLE ${this.#table} REPLICA IDENTITY FULL makes it do so`;
    return new PostgresUnsupportedChange({ table: this.#table, detail });
  }

  #line(operation: 'insert' | 'delete' | 'update', row: Row): string {
    let text = `{"${operation}":{`;
    let separator = '';
    for (const [i, field] of this.#fields.entries()) {
      const value = row[i];
      // A deletion by key has nothing but the key.
      if (
        value === undefined ||
        (operation === 'delete' && value === null && this.#hasKey && this.#isKey[i] !== true)
      ) {
        continue;
      }
      const json = value === null ? 'null' : jsonOf(value, field.type, this.#columns[i]?.typeOid ?? 0);
      text += `${separator}${JSON.stringify(field.name)}:${json}`;
      separator = ',';
    }
    return `${text}}}\n`;
  }

  get #hasKey(): boolean {
    return this.#relation.primaryKey.length > 0;
  }
}

/** The text of a value of PostgreSQL as JSON for a column of `type`. */
export function jsonOf(text: string, type: SqlType, typeOid: number): string {
  switch (type.kind) {
    case 'BOOLEAN':
      return text === 't' ? 'true' : text === 'f' ? 'false' : JSON.stringify(text);
    case 'TINYINT':
    case 'SMALLINT':
    case 'INTEGER':
    case 'BIGINT':
    case 'REAL':
    case 'DOUBLE':
    case 'DECIMAL':
      return /^-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?$/.test(text) ? text : JSON.stringify(text);
    case 'VARIANT':
      return typeOid === oid.json || typeOid === oid.jsonb ? text.replaceAll(/[\n\r]/g, ' ') : JSON.stringify(text);
    case 'BINARY':
    case 'VARBINARY':
      return text.startsWith('\\x') ? `[${[...Buffer.from(text.slice(2), 'hex')].join(',')}]` : JSON.stringify(text);
    case 'ARRAY':
      return text.startsWith('{') ? arrayJson(text, type.element) : text.replaceAll(/[\n\r]/g, ' ');
    case 'TIMESTAMP':
    case 'TIME':
      // The session is in UTC.
      return JSON.stringify(text.replace(/\+00(:00)?$/, ''));
    default:
      return JSON.stringify(text);
  }
}

/** An array as PostgreSQL prints it, `{1,NULL,"a \"b\"",{…}}`, as JSON. */
function arrayJson(text: string, element: SqlType): string {
  let at = 1;
  const parts: string[] = [];
  while (at < text.length && text[at] !== '}') {
    if (text[at] === ',') at++;
    if (text[at] === '{') {
      const end = arrayEnd(text, at);
      parts.push(arrayJson(text.slice(at, end), element.kind === 'ARRAY' ? element.element : element));
      at = end;
    } else if (text[at] === '"') {
      let value = '';
      for (at++; at < text.length && text[at] !== '"'; at++) {
        if (text[at] === '\\') at++;
        value += text[at] ?? '';
      }
      at++;
      parts.push(jsonOf(value, element, 0));
    } else {
      const end = text.slice(at).search(/[,}]/) + at;
      const value = text.slice(at, end);
      parts.push(value === 'NULL' ? 'null' : jsonOf(value, element, 0));
      at = end;
    }
  }
  return `[${parts.join(',')}]`;
}

function arrayEnd(text: string, start: number): number {
  let depth = 0;
  for (let at = start; at < text.length; at++) {
    if (text[at] === '"') for (at++; at < text.length && text[at] !== '"'; at++) if (text[at] === '\\') at++;
    if (text[at] === '{') depth++;
    if (text[at] === '}' && --depth === 0) return at + 1;
  }
  return text.length;
}
