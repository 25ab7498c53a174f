// Rows as plain JavaScript objects, for the one place where a user's own code gives or asks for rows.
//
// `rowsFromBatch` makes one object per row of the batch, keyed by column name, and the weights beside them; a row with a
// weight of 3 is one object. `rowsToBatch` takes objects or positional arrays, checks every value and writes a batch: bad
// rows are left out and listed, never thrown. Values have the forms of public-values.ts. Rules for names, missing
// columns and verbs are those of JSON input, so the same row means the same in a file and in a call:
//
//   names     any case for unquoted columns, exact case for quoted ones; what matches no column is counted and ignored
//   missing   DEFAULT, else NULL where that is allowed, else the row is refused; null never stands for the default
//   arrays    by position: every column must be there, surplus elements are counted and ignored
//   delete    by key where the relation has one (nothing else is looked at), else the full row
//   update    the key and the columns to change; the relation must have a key
// Not here: JSON text (formats).
import { assert } from '../assert.ts';
import { nearestName } from '../nearest-name.ts';
import { BatchBuilder } from './batch-builder.ts';
import type { ChangeBatch } from './change-batch.ts';
import { columnValues } from './column-values.ts';
import { isUnread } from './partition-rows.ts';
import { fromPublic, type PublicForms, Refusal, toPublic } from './public-values.ts';
import { type CellValue, readCell, writeCell } from './scalar-values.ts';
import type { Relation } from './schema.ts';
import { parseVariant } from './variant-json.ts';

export interface RowObjects {
  readonly rows: object[];
  readonly weights: number[];
}

/** Every row of a batch as an object by column name. */
export function rowsFromBatch(batch: ChangeBatch, forms: PublicForms = {}): RowObjects {
  const template = Object.fromEntries(batch.schema.fields.map((field) => [field.name, null]));
  const rows: Record<string, unknown>[] = [];
  // Copies of one object share its shape; assigning a property that is there never changes it.
  for (let i = 0; i < batch.rows; i++) rows.push({ ...template });
  batch.columns.forEach((column, ordinal) => {
    const name = batch.schema.fields[ordinal]?.name;
    assert(name !== undefined, 'a batch has one column for each field');
    assignColumn(rows, name, columnValues(column, batch.rows, forms));
  });
  const weights = batch.weights === null ? new Array<number>(batch.rows).fill(1) : Array.from(batch.weights);
  weights.length = batch.rows;
  return { rows, weights };
}

/** One row of a batch as an object; columns that were left behind (partition-rows.ts) are not in it. */
export function rowFromBatch(batch: ChangeBatch, row: number, forms: PublicForms = {}): object {
  const entries = batch.schema.fields.flatMap((field, ordinal) => {
    const column = batch.columns[ordinal];
    assert(column !== undefined, 'a batch has one column for each field');
    if (isUnread(column)) return [];
    return [[field.name, toPublic(readCell(column, row), column.type, forms)] as const];
  });
  return Object.fromEntries(entries);
}

function assignColumn(rows: Record<string, unknown>[], name: string, values: readonly unknown[]): void {
  for (let i = 0; i < rows.length; i++) rows[i]![name] = values[i];
}

/** Why a row was left out. */
export interface RowProblem {
  /** Position in the rows given, from 1. */
  readonly row: number;
  readonly field: string | null;
  readonly reason: string;
  /** The nearest column name, where a name is to blame. */
  readonly suggestion: string | null;
}

export interface RowsToBatchResult {
  readonly batch: ChangeBatch;
  readonly problems: readonly RowProblem[];
  readonly numUnknownFields: number;
}

/**
 * Rows, or `{ insert | delete | update: row }` objects, as a batch.
 * `defaults`: for each column its default as JSON text in the default flavour, or null.
 */
export function rowsToBatch(
  rows: Iterable<unknown>,
  relation: Relation,
  defaults: readonly (string | null)[],
  options: { readonly updateFormat: 'raw' | 'insert_delete' },
): RowsToBatchResult {
  const writer = new RowWriter(relation, defaults);
  for (const row of rows) {
    writer.nextRow();
    if (options.updateFormat === 'raw') writer.write('insert', row);
    else writer.writeVerbs(row);
  }
  return writer.finish();
}

type Verb = 'insert' | 'delete' | 'update';
/** The order in which several verbs of one object are applied. */
const verbs: readonly Verb[] = ['delete', 'insert', 'update'];

/** Thrown and caught within this file: a row is refused at the first thing wrong with it. */
class RowRefused extends Error {
  readonly field: string | null;
  readonly suggestion: string | null;
  constructor(reason: string, field: string | null = null, suggestion: string | null = null) {
    super(reason);
    this.field = field;
    this.suggestion = suggestion;
  }
}

/** Stands for a column that a row does not mention. */
const missing: unique symbol = Symbol('missing');

class RowWriter {
  readonly #relation: Relation;
  readonly #builder: BatchBuilder;
  readonly #defaults: readonly (CellValue | undefined)[];
  readonly #problems: RowProblem[] = [];
  /** Ordinals by the keys that rows have used; -1: no column. */
  readonly #ordinals = new Map<string, number>();
  /** What the current row says of each column. */
  readonly #given: unknown[];
  #row = 0;
  #numUnknownFields = 0;

  constructor(relation: Relation, defaults: readonly (string | null)[]) {
    this.#relation = relation;
    this.#builder = new BatchBuilder(relation.schema);
    this.#given = relation.schema.fields.map(() => missing);
    this.#defaults = relation.schema.fields.map((field, i) => {
      const text = defaults[i] ?? null;
      if (text === null) return undefined;
      const value = fromPublic(parseVariant(text), field.type);
      assert(!(value instanceof Refusal), `the default of ${field.name} is of the column's type`);
      return value;
    });
  }

  nextRow(): void {
    this.#row++;
  }

  finish(): RowsToBatchResult {
    const batch = this.#builder.finish();
    return { batch, problems: this.#problems, numUnknownFields: this.#numUnknownFields };
  }

  /** All verbs of one object, or none of them. */
  writeVerbs(change: unknown): void {
    const before = this.#builder.rows;
    const unknownBefore = this.#numUnknownFields;
    this.#attempt(
      () => {
        if (typeof change !== 'object' || change === null || Array.isArray(change)) {
          throw new RowRefused('a change is an object such as { insert: row }');
        }
        const given = new Map<string, unknown>(Object.entries(change).filter(([, value]) => value !== undefined));
        for (const key of given.keys()) {
          if (key === 'table' || key === 'insert' || key === 'delete' || key === 'update') continue;
          const reason = `unknown verb "${key}": a change has insert, delete or update`;
          throw new RowRefused(reason, null, nearestName(key, verbs) ?? null);
        }
        if (!verbs.some((verb) => given.has(verb))) throw new RowRefused('a change has insert, delete or update');
        for (const verb of verbs) if (given.has(verb)) this.#writeRow(verb, given.get(verb));
      },
      () => {
        this.#builder.rollbackTo(before);
        this.#numUnknownFields = unknownBefore;
      },
    );
  }

  write(verb: Verb, row: unknown): void {
    const unknownBefore = this.#numUnknownFields;
    this.#attempt(
      () => this.#writeRow(verb, row),
      () => {
        this.#builder.rollbackRow();
        this.#numUnknownFields = unknownBefore;
      },
    );
  }

  #attempt(write: () => void, undo: () => void): void {
    try {
      write();
    } catch (error) {
      if (!(error instanceof RowRefused)) throw error;
      undo();
      const { field, suggestion } = error;
      this.#problems.push({ row: this.#row, field, reason: error.message, suggestion });
    }
  }

  #writeRow(verb: Verb, row: unknown): void {
    if (typeof row !== 'object' || row === null) throw new RowRefused('a row is an object or an array');
    const keyed = this.#relation.primaryKey.length > 0;
    if (verb === 'update' && !keyed) {
      throw new RowRefused(`"${this.#relation.name}" has no primary key, so its rows cannot be updated`);
    }
    if (Array.isArray(row)) this.#takeByPosition(row);
    else this.#takeByName(row);
    this.#builder.reserve(1);
    for (let ordinal = 0; ordinal < this.#relation.schema.fields.length; ordinal++) {
      const isKey = this.#relation.primaryKey.includes(ordinal);
      if (verb === 'delete' && keyed && !isKey) this.#writeIgnored(ordinal);
      else if (verb === 'update' && this.#given[ordinal] === missing) this.#writeAbsent(ordinal, isKey);
      else this.#writeValue(ordinal, this.#given[ordinal]);
    }
    this.#builder.commitRow(verb === 'delete' ? -1 : 1);
  }

  #takeByPosition(row: readonly unknown[]): void {
    const fields = this.#relation.schema.fields;
    const absent = fields[row.length];
    if (absent !== undefined) throw new RowRefused(`${row.length} values for ${fields.length} columns`, absent.name);
    this.#numUnknownFields += row.length - fields.length;
    for (let ordinal = 0; ordinal < fields.length; ordinal++) this.#given[ordinal] = row[ordinal] ?? null;
  }

  #takeByName(row: object): void {
    this.#given.fill(missing);
    for (const key of Object.keys(row)) {
      const value: unknown = Reflect.get(row, key);
      if (value === undefined) continue;
      const ordinal = this.#ordinals.get(key) ?? this.#ordinalOf(key);
      if (ordinal < 0) this.#numUnknownFields++;
      else this.#given[ordinal] = value;
    }
  }

  #ordinalOf(key: string): number {
    const fields = this.#relation.schema.fields;
    const lower = key.toLowerCase();
    let ordinal = fields.findIndex((field) => field.name === key);
    if (ordinal < 0) ordinal = fields.findIndex((field) => field.quoted !== true && field.name.toLowerCase() === lower);
    const quoted = ordinal < 0 ? fields.find((field) => field.name.toLowerCase() === lower) : undefined;
    if (quoted !== undefined) {
      throw new RowRefused(`column "${quoted.name}" is quoted: its case has to match, not "${key}"`, key, quoted.name);
    }
    this.#ordinals.set(key, ordinal);
    return ordinal;
  }

  #writeValue(ordinal: number, given: unknown): void {
    const field = this.#relation.schema.fields[ordinal];
    const column = this.#builder.columns[ordinal];
    assert(field !== undefined && column !== undefined, 'a builder has a column for each field');
    const fallback = this.#defaults[ordinal];
    let value: CellValue | Refusal;
    if (given !== missing) value = fromPublic(given, field.type);
    else if (fallback !== undefined) value = fallback;
    else if (field.nullable) value = null;
    else {
      const unknownKeys = [...this.#ordinals].filter(([, known]) => known < 0).map(([key]) => key);
      throw new RowRefused(`missing field "${field.name}"`, field.name, nearestName(field.name, unknownKeys) ?? null);
    }
    if (value instanceof Refusal) throw new RowRefused(value.reason, field.name);
    if (value === null && !field.nullable) throw new RowRefused('NULL in a NOT NULL column', field.name);
    writeCell(column, this.#builder.rows, value);
  }

  /** A value that nobody reads. The column stays consistent: NULL where that is allowed, else whatever is there. */
  #writeIgnored(ordinal: number): void {
    if (this.#relation.schema.fields[ordinal]?.nullable) this.#builder.columns[ordinal]?.setNull(this.#builder.rows);
  }

  #writeAbsent(ordinal: number, isKey: boolean): void {
    const name = this.#relation.schema.fields[ordinal]?.name ?? '';
    if (isKey) throw new RowRefused(`missing key field "${name}"`, name);
    this.#builder.setAbsent(ordinal);
    this.#writeIgnored(ordinal);
  }
}
