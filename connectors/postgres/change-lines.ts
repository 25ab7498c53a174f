// Changes of a PostgreSQL table as lines of JSON in the insert_delete form, which the json decoder reads.
//
// A value is written by its type and that of the column that it feeds (json-value.ts). With a primary key an update is an upsert (partial where the server has not sent a
// large value that is unchanged) and, when the key has changed, a deletion of the old one before; without one it is a deletion of the
// old row and an insertion, which takes REPLICA IDENTITY FULL. One line for each change of a row: their number is what a position counts.
import type { Relation } from '../../runtime/batch/schema.ts';
import type { FittedColumn } from './column-fit.ts';
import { jsonOf } from './json-value.ts';
import type { ReplicationMessage, TupleValue } from './pgoutput.ts';
import { PostgresUnsupportedChange } from './postgres-errors.ts';

type Row = readonly TupleValue[];

export class ChangeLines {
  readonly #relation: Relation;
  readonly #table: string;
  readonly #columns: readonly FittedColumn[];
  /** `"id":`, for each column. */
  readonly #keys: readonly string[];
  readonly #isKey: readonly boolean[];
  /** Whether a key is enough for a deletion: the columns of the key are those that the server identifies a row by, or among them. */
  readonly #isIdentified: boolean;

  /** `identity`: the columns of the server by which it says which row was changed. */
  constructor(relation: Relation, table: string, columns: readonly FittedColumn[], identity: ReadonlySet<string>) {
    this.#relation = relation;
    this.#table = table;
    this.#columns = columns;
    this.#keys = columns.map(({ field }) => `${JSON.stringify(field.name)}:`);
    const key = relation.primaryKey.map((ordinal) => relation.schema.fields[ordinal]?.name);
    this.#isKey = columns.map(({ field }) => key.includes(field.name));
    this.#isIdentified = columns.every(({ name }, i) => this.#isKey[i] !== true || identity.has(name));
  }

  /** Lines of one change, each closed by a line break. @throws PostgresUnsupportedChange */
  lines(change: Extract<ReplicationMessage, { readonly kind: 'insert' | 'update' | 'delete' }>): readonly string[] {
    switch (change.kind) {
      case 'insert':
        return [this.#line('insert', change.row)];
      case 'delete':
        if (!change.isWhole && !(this.#hasKey && this.#isIdentified)) throw this.#unidentified('deletions');
        return [this.#line('delete', change.row)];
      case 'update':
        if (change.before === null && this.#hasKey && !this.#isIdentified) throw this.#unidentified('updates');
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
    if (before === null || before.kind === 'key') throw this.#unidentified('updates');
    const whole = row.map((value, i) => (value === undefined ? before.row[i] : value));
    if (whole.includes(undefined)) throw this.#toast();
    return [this.#line('delete', before.row), this.#line('insert', whole)];
  }

  #unidentified(changes: string): Error {
    const why = this.#hasKey
      ? 'the server identifies rows by other columns than the primary key of the SQL table'
      : 'the SQL table has no primary key';
    const detail = `${why}: ${changes} can be followed only with ALTER TABLE ${this.#table} REPLICA IDENTITY FULL`;
    return new PostgresUnsupportedChange({ table: this.#table, detail });
  }

  #toast(): Error {
    const detail = `the server did not send a large value; ALTER TABLE ${this.#table} REPLICA IDENTITY FULL makes it do so`;
    return new PostgresUnsupportedChange({ table: this.#table, detail });
  }

  #line(operation: 'insert' | 'delete' | 'update', row: Row): string {
    let text = `{"${operation}":{`;
    let separator = '';
    for (const [i, { field, type }] of this.#columns.entries()) {
      const value = row[i];
      // A deletion by key has nothing but the key.
      if (
        value === undefined ||
        (operation === 'delete' && value === null && this.#hasKey && this.#isKey[i] !== true)
      ) {
        continue;
      }
      text += `${separator}${this.#keys[i]}${value === null ? 'null' : jsonOf(value, field.type, type)}`;
      separator = ',';
    }
    return `${text}}}\n`;
  }

  get #hasKey(): boolean {
    return this.#relation.primaryKey.length > 0;
  }
}
