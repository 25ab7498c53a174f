// What `/v0` says of programs: their relations and connectors, their errors, their plan, and what differs between two of them.
// The shapes alone; hosting/program-*.ts make what has them.
import {
  anyObject,
  anything,
  byName,
  flag,
  list,
  object,
  orNull,
  type Shape,
  text,
  whole,
} from '../http/reply-shape.ts';

const fieldShape = object({
  name: text,
  case_sensitive: flag,
  columntype: object({ type: text, nullable: flag }, { precision: whole, scale: whole, ...nested() }),
  unused: flag,
});

const relationShape = object(
  { name: text, case_sensitive: flag, fields: list(fieldShape), properties: anyObject, materialized: flag },
  { primary_key: list(text), foreign_keys: list(anyObject) },
);

const connectorsShape = byName(anyObject);

const programInfoKeys = {
  schema: object({ inputs: list(relationShape), outputs: list(relationShape) }),
  udf_stubs: text,
  input_connectors: connectorsShape,
  output_connectors: connectorsShape,
} as const;

const nodeShape = anyObject;

export const planShape: Shape<unknown> = object({
  calcite_plan: byName(object({ rels: list(nodeShape) })),
  mir: byName(nodeShape),
});

/** With the plan where the intermediate representation is asked for. */
export const programInfoShape: Shape<unknown> = object(programInfoKeys, { dataflow: orNull(planShape) });

export const sqlMessageShape: Shape<unknown> = object({
  start_line_number: whole,
  start_column: whole,
  end_line_number: whole,
  end_column: whole,
  warning: flag,
  error_type: text,
  message: text,
  snippet: orNull(text),
});

export const programErrorShape: Shape<unknown> = object({
  sql_compilation: orNull(object({ exit_code: whole, messages: list(sqlMessageShape) })),
  rust_compilation: orNull(object({ exit_code: whole, stdout: text, stderr: text })),
  system_error: orNull(text),
});

const names = list(text);

export const diffShape: Shape<unknown> = object({
  program_diff: orNull(
    object({
      added_tables: names,
      removed_tables: names,
      modified_tables: names,
      added_views: names,
      removed_views: names,
      modified_views: names,
    }),
  ),
  program_diff_error: orNull(text),
  added_input_connectors: names,
  modified_input_connectors: names,
  removed_input_connectors: names,
  added_output_connectors: names,
  modified_output_connectors: names,
  removed_output_connectors: names,
});

/** Of arrays, maps and rows: the types inside. */
function nested(): Readonly<Record<'component' | 'key' | 'value' | 'fields', Shape<unknown>>> {
  return { component: anything, key: anything, value: anything, fields: anything };
}
