// What configurations may say of the connectors to PostgreSQL. Their code is loaded when one of them is used.
import type { DestinationDeclaration, SourceDeclaration, StreamInputFormatDeclaration } from '../sdk/load-on-use.ts';
import type { ParameterValues } from '../sdk/parameters.ts';
import type { SettingProblem } from '../sdk/setting-rules.ts';
import { postgresParameters } from './postgres-parameters.ts';

export const postgresInputDeclaration: SourceDeclaration = {
  kind: 'source',
  name: 'postgres_input',
  repeats: false,
  summary: 'Reads the result of a query from PostgreSQL, once.',
  description:
    'The server prints the rows (COPY), so that every value keeps its digits. Columns of the query have the names of the columns of the table; times with a zone become their time in UTC, arrays, json and records keep their values, bytes are bytes, amounts of money numbers. What a column cannot hold (infinity as DATE, NaN as DECIMAL) costs its row, which is counted; a column that none of its values could be read of is refused at the start. A query has no position: a run that was ended in the middle reads it again from the start, which a primary key makes harmless.',
  format: 'none',
  impliedFormat: { name: 'csv', config: { headers: true } },
  parameters: [
    ...postgresParameters,
    {
      name: 'query',
      type: { kind: 'string' },
      required: true,
      description: 'A SELECT whose columns have the names of the table’s columns, in any order.',
    },
  ],
};

export const postgresRowsDeclaration: StreamInputFormatDeclaration = {
  kind: 'stream',
  name: 'postgres_rows',
  summary: 'Rows of a snapshot, and changes behind it.',
  parameters: [],
};

export const postgresCdcInputDeclaration: SourceDeclaration = {
  kind: 'source',
  name: 'postgres_cdc_input',
  summary: 'Reads a table of PostgreSQL and follows its changes by logical replication.',
  description:
    'The server needs `wal_level = logical`. A snapshot of the table and the place in the log behind it belong together: nothing is missing between them and nothing comes twice. Publication and slot are made with the connector, kept between its runs and dropped with it; the server keeps its log until Millrace has acknowledged it. A run goes on at the change behind the last acknowledged one; a run that was ended inside the snapshot reads the snapshot again. Values are what postgres_input makes of them, in the snapshot and in changes alike. Of a publication with a list of columns or a condition (WHERE) the snapshot has the same columns and rows as the changes; columns that the server generates are in neither. Updates and deletions of a table without a primary key need REPLICA IDENTITY FULL. TRUNCATE empties the table as a whole, in its order among the other changes.',
  format: 'none',
  impliedFormat: { name: 'postgres_rows', config: {} },
  parameters: [
    ...postgresParameters,
    {
      name: 'source_table',
      type: { kind: 'string' },
      required: true,
      description: '`schema.table`. Without a primary key in the SQL table it needs REPLICA IDENTITY FULL.',
    },
    {
      name: 'publication',
      type: { kind: 'string' },
      required: false,
      description: 'A publication of yours that holds the table. Default: one of the connector’s own, dropped with it.',
    },
    {
      name: 'slot_name',
      type: { kind: 'string' },
      required: false,
      description:
        'Replication slot, made when it is missing and dropped when the connector is deleted. Default: one of this connector of this pipeline alone: millrace, the names of pipeline, endpoint and table, and a hash of them.',
    },
    {
      name: 'snapshot',
      type: { kind: 'boolean' },
      required: false,
      default: true,
      description: 'Begin with the rows that the table has. false: only changes from now on.',
    },
    {
      name: 'on_truncate',
      type: { kind: 'enum', values: ['clear', 'ignore', 'fail'] },
      required: false,
      default: 'clear',
      description:
        'TRUNCATE of the table. `clear`: every row of the SQL table goes, those of other connectors among them; a table that keeps no rows (without a primary key and not materialized, append_only, with LATENESS of its key) ends the connector. `ignore`: its rows stay. `fail`: it ends the connector.',
    },
    {
      name: 'resume_if_changes_lost',
      type: { kind: 'boolean' },
      required: false,
      default: false,
      description:
        'When the slot was dropped, made again or invalidated, or something else has read it, changes may be missing. `false`: the connector ends and says so. `true`: it says so and goes on with what comes next, from a new slot where there is none.',
    },
    {
      name: 'table_check_interval',
      type: { kind: 'duration' },
      required: false,
      default: '30s',
      description:
        'Pause between two looks whether the table is still there under its name and still published. The connector ends when it is not.',
    },
  ],
};

export const postgresOutputDeclaration: DestinationDeclaration = {
  kind: 'destination',
  name: 'postgres_output',
  summary: 'Keeps a table of PostgreSQL equal to a view, or appends every change to it.',
  description:
    'Each flush is one transaction. `materialized`: with a key an insertion is an upsert and a deletion a delete by key, without one whole rows are inserted and deleted. `cdc` appends each change with `i`, `d` or `u` and a time. A connection that is lost is opened again and the transaction done anew, so that a `materialized` table is right again; `cdc` may hold changes twice after a crash. With `delivery: exactly_once` neither sees anything twice: rows wait in a table beside `state_table` and come into the table with each checkpoint of the pipeline, about once a second, in one transaction.',
  isExactlyOnce: ({ delivery }) => delivery === 'exactly_once',
  rules: outputRules,
  format: 'none',
  impliedFormat: { name: 'csv', config: {} },
  parameters: [
    ...postgresParameters,
    {
      name: 'table',
      type: { kind: 'string' },
      required: true,
      description:
        'Table, `schema.table` where it is not on the search path. It exists, with columns of the view’s names.',
    },
    {
      name: 'mode',
      type: { kind: 'enum', values: ['materialized', 'cdc'] },
      required: false,
      default: 'materialized',
      description: '`materialized`: the table is what the view is. `cdc`: every change is appended.',
    },
    {
      name: 'key_columns',
      type: { kind: 'list', item: { kind: 'string' } },
      required: false,
      description:
        'Columns that are unique in view and table. Default: those of the relation’s primary key; else the table’s own.',
    },
    {
      name: 'cdc_op_column',
      type: { kind: 'string' },
      required: false,
      default: '__feldera_op',
      description: 'Column for `i`, `d` or `u` in mode cdc.',
    },
    {
      name: 'cdc_ts_column',
      type: { kind: 'string' },
      required: false,
      default: '__feldera_ts',
      description: 'Column for the time of the change in mode cdc: milliseconds since 1970 where it is a number.',
    },
    {
      name: 'on_conflict_do_nothing',
      type: { kind: 'boolean' },
      required: false,
      default: false,
      description: 'A row whose key the table has already is left as it is, instead of being replaced.',
    },
    {
      name: 'delivery',
      type: { kind: 'enum', values: ['at_least_once', 'exactly_once'] },
      required: false,
      default: 'at_least_once',
      description:
        '`exactly_once`: after a crash nothing comes twice, nothing is seen that the pipeline takes back, and nothing is missing. Needs a data folder.',
    },
    {
      name: 'state_table',
      type: { kind: 'string' },
      required: false,
      default: 'millrace_outputs',
      description:
        'With `exactly_once`: the table that says which checkpoint each output has delivered. It is made where it is missing, as is one for the waiting rows of each output beside it.',
    },
    {
      name: 'output_id',
      type: { kind: 'string' },
      required: false,
      description:
        'With `exactly_once`: what the output is called in `state_table`; no two may have one name. Default: PIPELINE/VIEW.CONNECTOR.',
    },
    {
      name: 'max_buffer_size_bytes',
      type: { kind: 'integer', min: 1024 },
      required: false,
      default: 1 << 20,
      description: 'Accepted, without effect: the rows of a flush are one transaction.',
    },
    {
      name: 'max_records_in_buffer',
      type: { kind: 'integer', min: 1 },
      required: false,
      description: 'Accepted, without effect, for the same reason.',
    },
    {
      name: 'threads',
      type: { kind: 'integer', min: 1 },
      required: false,
      description: 'Accepted, without effect: one connection writes.',
    },
    {
      name: 'extra_columns',
      type: { kind: 'list', item: { kind: 'string' } },
      required: false,
      description:
        'Columns that a command would fill: refused. The table fills others than the view’s by its DEFAULTs.',
    },
  ],
};

function* outputRules({ extra_columns: extra }: ParameterValues): Iterable<SettingProblem> {
  if (!Array.isArray(extra) || extra.length === 0) return;
  const reason = 'is not supported: give the columns a DEFAULT in PostgreSQL, or compute them in the view';
  yield { key: 'extra_columns', reason };
}
