// A table that is written to: its columns, its key, and the statements that bring staged changes into it. Pure but for
// readOutputTable, which asks the server.
//
// Staged rows are texts in the order of the relation's columns, then a weight, then a number in the order of arrival, and in a table that
// outlives its session the transaction that they came with. Several steps may be staged together: what counts is what they come to, row by row, so that a
// row that came and went is no change, and of those of one key one is left.
import type { Client } from 'pg';
import type { Field, Relation } from '../../runtime/batch/schema.ts';
import { nearestName } from '../../runtime/nearest-name.ts';
import { ConfigInvalidValue } from '../sdk/configuration-errors.ts';
import type { OutputSettings } from './output-settings.ts';
import { quoteName, quoteTable } from './postgres-connection.ts';
import { PostgresColumns } from './postgres-errors.ts';

export interface OutputColumn {
  /** As SQL. */
  readonly name: string;
  /** Type of the table's column, as SQL. */
  readonly type: string;
  /** Column of the staging table. */
  readonly staged: string;
  readonly field: Field;
  readonly isKey: boolean;
}

export interface OutputTable {
  readonly name: string;
  readonly stagingColumns: string;
  readonly columns: readonly OutputColumn[];
  /** Type of the time column in mode cdc. */
  readonly timeType: string;
}

/** Of the session. */
const temporary = 'pg_temp.millrace_changes';

/** Rows that wait to be brought into the table. */
export interface StagedRows {
  /** As SQL, to stand behind FROM and to be given an alias. */
  readonly source: string;
  /** They may have come with several transactions: changes of one belong together. */
  readonly hasFlushes: boolean;
}

export const temporaryTable: string = temporary;
export const temporaryRows: StagedRows = { source: temporary, hasFlushes: false };

/** @throws ConfigInvalidValue, PostgresColumns when the table lacks one of the relation's columns */
export async function readOutputTable(
  client: Client,
  settings: OutputSettings,
  relation: Relation,
  server: string,
): Promise<OutputTable> {
  const name = quoteTable(settings.table);
  for (const key of settings.key_columns ?? []) {
    if (relation.schema.fields.some((field) => field.name === key)) continue;
    throw new ConfigInvalidValue({
      key: 'key_columns',
      reason: `names "${key}", which is no column of ${relation.name}`,
    });
  }
  const found = await client.query(
    `SELECT a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type,
       coalesce(a.attnum = ANY (i.indkey), false) AS key
     FROM pg_attribute a LEFT JOIN pg_index i ON i.indrelid = a.attrelid AND i.indisprimary
     WHERE a.attrelid = $1::regclass AND a.attnum > 0 AND NOT a.attisdropped`,
    [name],
  );
  const known = new Map(found.rows.map((row) => [String(row['name']), row]));
  const need = (wanted: string): Record<string, unknown> => {
    const column = known.get(wanted);
    if (column !== undefined) return column;
    const detail = `table ${settings.table} has no column "${wanted}"; it has ${[...known.keys()].join(', ')}`;
    throw new PostgresColumns({ server, detail }, { suggestion: nearestName(wanted, [...known.keys()]) });
  };
  const { fields } = relation.schema;
  const ofRelation = relation.primaryKey.flatMap((ordinal) => fields[ordinal]?.name ?? []);
  const ofTable = fields.map((field) => field.name).filter((column) => known.get(column)?.['key'] === true);
  const isWhole = found.rows.filter((row) => row['key'] === true).length === ofTable.length;
  const keys = settings.key_columns ?? (ofRelation.length > 0 ? ofRelation : isWhole ? ofTable : []);
  const columns = fields.map((field, i) => ({
    name: quoteName(field.name),
    type: withoutLength(String(need(field.name)['type'])),
    staged: `c${i}`,
    field,
    isKey: keys.includes(field.name),
  }));
  const isCdc = settings.mode === 'cdc';
  if (isCdc) need(settings.cdc_op_column);
  const timeType = isCdc ? String(need(settings.cdc_ts_column)['type']) : '';
  const stagingColumns = [...columns.map(({ staged }) => staged), 'weight'].join(', ');
  return { name, stagingColumns, columns, timeType };
}

export function stagingTable({ columns }: OutputTable): string {
  const texts = columns.map(({ staged }) => `${staged} text`).join(', ');
  return `CREATE TEMPORARY TABLE IF NOT EXISTS millrace_changes (${texts}, weight integer, n bigserial)`;
}

/** What brings the staged rows into the table; they are staged as before then. `deletes`: some of them are deletions, or may be. */
export function applyStatements(
  table: OutputTable,
  settings: OutputSettings,
  nowMs: number,
  deletes: boolean,
  rows: StagedRows,
): readonly string[] {
  if (settings.mode === 'cdc') return [appendStatement(table, settings, nowMs, rows)];
  const hasKey = table.columns.some(({ isKey }) => isKey);
  if (!deletes) return [hasKey ? keyedInsertions(table, settings, rows) : bagInsertions(table, rows)];
  return hasKey ? keyedStatements(table, settings, rows) : bagStatements(table, rows);
}

/** Insertions under keys of which none may come twice; null: that is not what is to be done, or it would not be noticed. */
export function plainInsertions(table: OutputTable, settings: OutputSettings, { source }: StagedRows): string | null {
  const { name, columns } = table;
  const keys = columns.filter(({ isKey }) => isKey);
  const action = conflictAction(table, settings);
  if (settings.mode === 'cdc' || keys.length === 0 || action === nothing) return null;
  return `INSERT INTO ${name} (${names(columns)}) SELECT ${casts(columns, 's')} FROM ${source} AS s
    ON CONFLICT (${names(keys)}) ${action}`;
}

/** A look through the staged rows: where nothing is deleted much less is to be sorted and grouped. */
export function deletesStatement({ source }: StagedRows): string {
  return `SELECT EXISTS (SELECT 1 FROM ${source} AS r WHERE weight < 0) AS deletes`;
}

/** What the rows come to: each with the sum of its weights, and none with 0. */
function netOf({ columns }: OutputTable, { source, hasFlushes }: StagedRows, byFlush: boolean): string {
  const flush = byFlush && hasFlushes ? ', flush' : '';
  const row = columns.map(({ staged }) => staged).join(', ') + flush;
  return `SELECT ${row}, sum(weight) AS weight, max(n) AS n FROM ${source} AS r GROUP BY ${row} HAVING sum(weight) <> 0`;
}

/** Of several rows of a key the last one. Keys are told apart by their bytes, whatever order the server has for texts. */
function keyedInsertions(table: OutputTable, settings: OutputSettings, { source }: StagedRows): string {
  const { name, columns } = table;
  const keys = columns.filter(({ isKey }) => isKey);
  const stagedKeys = keys.map(({ staged }) => `${staged} COLLATE "C"`).join(', ');
  const last = `SELECT DISTINCT ON (${stagedKeys}) * FROM ${source} AS r ORDER BY ${stagedKeys}, n DESC`;
  return `INSERT INTO ${name} (${names(columns)}) SELECT ${casts(columns, 's')} FROM (${last}) AS s
    ON CONFLICT (${names(keys)}) ${conflictAction(table, settings)}`;
}

function bagInsertions({ name, columns }: OutputTable, { source }: StagedRows): string {
  return `INSERT INTO ${name} (${names(columns)}) SELECT ${casts(columns, 's')} FROM ${source} AS s, generate_series(1, s.weight)`;
}

const nothing = 'DO NOTHING';

function conflictAction({ columns }: OutputTable, settings: OutputSettings): string {
  const rest = columns.filter(({ isKey }) => !isKey);
  const update = rest.map((column) => `${column.name} = EXCLUDED.${column.name}`).join(', ');
  return rest.length === 0 || settings.on_conflict_do_nothing ? nothing : `DO UPDATE SET ${update}`;
}

function keyedStatements(table: OutputTable, settings: OutputSettings, rows: StagedRows): readonly string[] {
  const { name, columns } = table;
  const keys = columns.filter(({ isKey }) => isKey);
  const stagedKeys = keys.map(({ staged }) => staged).join(', ');
  const last = `SELECT DISTINCT ON (${stagedKeys}) * FROM (${netOf(table, rows, false)}) AS net
    ORDER BY ${stagedKeys}, (weight > 0) DESC, n DESC`;
  const same = keys.map((column) => `t.${column.name} = ${cast(column, 's')}`).join(' AND ');
  return [
    `DELETE FROM ${name} AS t USING (${last}) AS s WHERE s.weight < 0 AND ${same}`,
    `INSERT INTO ${name} (${names(columns)}) SELECT ${casts(columns, 's')} FROM (${last}) AS s WHERE s.weight > 0
       ON CONFLICT (${names(keys)}) ${conflictAction(table, settings)}`,
  ];
}

/** Rows without a key: as many of each as its weights say. */
function bagStatements(table: OutputTable, { source }: StagedRows): readonly string[] {
  const { name, columns } = table;
  const typed = columns.map((column) => `${cast(column, 's')} AS ${column.staged}`).join(', ');
  const staged = columns.map(({ staged }) => staged).join(', ');
  const net = `SELECT ${staged}, sum(weight) AS weight FROM (SELECT ${typed}, weight FROM ${source} AS s) AS typed GROUP BY ${staged}`;
  const same = columns.map((column) => `t.${column.name} IS NOT DISTINCT FROM s.${column.staged}`).join(' AND ');
  const numbered = `SELECT t.ctid AS place, s.weight, row_number() OVER (PARTITION BY ${columns.map(({ staged: column }) => `s.${column}`).join(', ')}) AS nth
    FROM ${name} AS t JOIN (${net}) AS s ON s.weight < 0 AND ${same}`;
  return [
    `DELETE FROM ${name} WHERE ctid IN (SELECT place FROM (${numbered}) AS doomed WHERE nth <= -weight)`,
    `INSERT INTO ${name} (${names(columns)}) SELECT ${staged} FROM (${net}) AS s, generate_series(1, s.weight) WHERE s.weight > 0`,
  ];
}

/** A deletion and an insertion of one key that came with one transaction are an update. */
function appendStatement(table: OutputTable, settings: OutputSettings, nowMs: number, rows: StagedRows): string {
  const { columns } = table;
  const keys = columns.filter(({ isKey }) => isKey);
  const operation = `CASE WHEN s.weight < 0 THEN 'd' ELSE 'i' END`;
  const together = rows.hasFlushes ? 'o.flush = s.flush AND ' : '';
  const pairs = keys.map(({ staged }) => `o.${staged} IS NOT DISTINCT FROM s.${staged}`).join(' AND ');
  const other = (sign: string): string =>
    `EXISTS (SELECT 1 FROM net AS o WHERE o.weight ${sign} 0 AND ${together}${pairs})`;
  const isNumber = /^(bigint|integer|numeric|double)/.test(table.timeType);
  const time = isNumber ? String(nowMs) : `to_timestamp(${nowMs} / 1000.0)`;
  const [op, where] =
    keys.length === 0
      ? [operation, 'true']
      : [
          `CASE WHEN s.weight < 0 THEN 'd' WHEN ${other('<')} THEN 'u' ELSE 'i' END`,
          `NOT (s.weight < 0 AND ${other('>')})`,
        ];
  const list = `${names(columns)}, ${quoteName(settings.cdc_op_column)}, ${quoteName(settings.cdc_ts_column)}`;
  return `WITH net AS (${netOf(table, rows, true)}) INSERT INTO ${table.name} (${list})
    SELECT ${casts(columns, 's')}, ${op}, ${time}
    FROM net AS s, generate_series(1, abs(s.weight)) WHERE ${where} ORDER BY s.n`;
}

function names(columns: readonly OutputColumn[]): string {
  return columns.map(({ name }) => name).join(', ');
}

function casts(columns: readonly OutputColumn[], alias: string): string {
  return columns.map((column) => cast(column, alias)).join(', ');
}

/**
 * A cast to a type with a length cuts what is longer, and says nothing; what is assigned to a column of it is refused. (`character` alone is one
 * character, and `bit` one bit.)
 */
function withoutLength(type: string): string {
  return type
    .replace(/^character varying\(\d+\)/, 'character varying')
    .replace(/^character\(\d+\)/, 'bpchar')
    .replace(/^bit(?: varying)?\(\d+\)/, 'bit varying');
}

/** From the text that the csv encoder prints to the column's type. */
function cast({ staged, type, field }: OutputColumn, alias: string): string {
  const text = `${alias}.${staged}`;
  if (type === 'bytea') {
    // A JSON array of numbers.
    const hex = `(SELECT coalesce(string_agg(lpad(to_hex(b::int), 2, '0'), '' ORDER BY i), '') FROM json_array_elements_text(${text}::json) WITH ORDINALITY AS e(b, i))`;
    return `CASE WHEN ${text} IS NULL THEN NULL ELSE decode(${hex}, 'hex') END`;
  }
  if (type.endsWith('[]') && field.type.kind === 'ARRAY') {
    return `CASE WHEN ${text} IS NULL THEN NULL ELSE ARRAY(SELECT json_array_elements_text(${text}::json))::${type} END`;
  }
  if (field.type.kind === 'TIMESTAMP' && type.includes('with time zone'))
    return `(${text}::timestamp AT TIME ZONE 'UTC')`;
  return `${text}::${type}`;
}
