// Functions and names of other engines (PostgreSQL, MySQL, DuckDB, Spark, SQL Server, Oracle), and what says the same here.
//
// Asked only where nothing has the name, so that a function which is added later needs no change here.

const now = 'use NOW()';
const today = 'use CAST(NOW() AS DATE)';
const format = 'use FORMAT_DATE or FORMAT_TIMESTAMP';
const path = "write PARSE_JSON(x)['field'], or JSON_GET";
const array = 'use ARRAY_AGG';
const chance = 'a view gives the same for the same rows: let the source draw it';
const position = "use POSITION('x' IN text)";

const functions: Readonly<Record<string, string>> = {
  top: 'write LIMIT behind the query',
  isnull: 'write x IS NULL, or COALESCE(x, y)',
  notnull: 'write x IS NOT NULL',
  nvl2: 'write CASE WHEN x IS NULL THEN z ELSE y END',
  iif: 'write IF(condition, x, y)',
  decode: 'write CASE x WHEN value THEN result ELSE otherwise END',
  choose: 'write CASE x WHEN 1 THEN a WHEN 2 THEN b END',
  any: 'write x IN (…), or ARRAY_CONTAINS(array, x)',
  all: 'compare with each value, or with ALL (SELECT …)',
  unnest: 'write it in FROM: FROM t, UNNEST(t.list) AS u (x)',
  explode: 'write it in FROM: FROM t, UNNEST(t.list) AS u (x)',
  explode_outer: 'write LEFT JOIN UNNEST(t.list) AS u (x) ON TRUE',
  posexplode: 'write FROM t, UNNEST(t.list) WITH ORDINALITY AS u (x, n)',
  flatten: 'use ARRAY_CONCAT, or UNNEST in FROM',
  generate_series: 'write it in FROM: UNNEST(SEQUENCE(1, 5)) AS t (x)',
  range: 'use SEQUENCE(first, last)',
  convert: 'use CAST(x AS type)',
  try_convert: 'use SAFE_CAST(x AS type)',
  to_char: format,
  date_format: format,
  strftime: format,
  format: 'join texts by ||',
  printf: 'join texts by ||',
  to_date: "use PARSE_DATE('%Y-%m-%d', x), or CAST(x AS DATE)",
  to_timestamp: "use PARSE_TIMESTAMP('%Y-%m-%d %H:%M:%S', x), or CAST(x AS TIMESTAMP)",
  str_to_date: "use PARSE_TIMESTAMP('%Y-%m-%d', x)",
  strptime: "use PARSE_TIMESTAMP('%Y-%m-%d', x)",
  to_number: 'use CAST(x AS DECIMAL(p, s))',
  unix_timestamp: 'use EXTRACT(EPOCH FROM x)',
  to_unixtime: 'use EXTRACT(EPOCH FROM x)',
  from_unixtime: "add seconds: TIMESTAMP '1970-01-01 00:00:00' + INTERVAL x SECOND",
  age: 'write (a - b) DAY',
  getdate: now,
  sysdate: now,
  systimestamp: now,
  getutcdate: now,
  current_datetime: now,
  curdate: today,
  today,
  curtime: 'use CAST(NOW() AS TIME)',
  at_timezone: 'use CONVERT_TIMEZONE',
  eomonth: 'use LAST_DAY',
  add_months: 'write x + INTERVAL n MONTH',
  datepart: 'use EXTRACT(unit FROM x)',
  weekday: 'use EXTRACT(ISODOW FROM x)',
  first: 'use ARG_MIN(x, order), or FIRST_VALUE in OVER',
  last: 'use ARG_MAX(x, order), or LAST_VALUE in OVER',
  max_by: 'use ARG_MAX(x, y)',
  min_by: 'use ARG_MIN(x, y)',
  count_if: 'use COUNTIF(condition)',
  sum_if: 'use SUM(x) FILTER (WHERE condition)',
  sumif: 'use SUM(x) FILTER (WHERE condition)',
  avgif: 'use AVG(x) FILTER (WHERE condition)',
  collect_list: array,
  collect_set: 'use ARRAY_AGG(DISTINCT x)',
  list: array,
  json_agg: array,
  jsonb_agg: array,
  json_arrayagg: array,
  json_object_agg: 'make a MAP of a query: MAP(SELECT key, value FROM …)',
  json_objectagg: 'make a MAP of a query: MAP(SELECT key, value FROM …)',
  map_agg: 'make a MAP of a query: MAP(SELECT key, value FROM …)',
  json_extract: path,
  json_extract_string: path,
  json_extract_path_text: path,
  json_value: path,
  json_query: path,
  get_json_object: path,
  json_build_object: "use CAST(MAP['field', value] AS VARIANT)",
  json_object: "use CAST(MAP['field', value] AS VARIANT)",
  jsonb_build_object: "use CAST(MAP['field', value] AS VARIANT)",
  json_array: 'use CAST(ARRAY[x, y] AS VARIANT)',
  from_json: 'use CAST(PARSE_JSON(x) AS type)',
  to_jsonb: 'use TO_JSON',
  string_split: 'use SPLIT(text, separator)',
  string_to_array: 'use SPLIT(text, separator)',
  str_split: 'use SPLIT(text, separator)',
  regexp_split_to_array: 'use SPLIT(text, separator)',
  instr: position,
  locate: position,
  charindex: position,
  mid: 'use SUBSTRING',
  regexp_match: 'write x RLIKE pattern',
  regexp_matches: 'write x RLIKE pattern',
  regexp_like: 'write x RLIKE pattern',
  regexp_extract: "use REGEXP_REPLACE(x, '.*(pattern).*', '\\1')",
  regexp_substr: "use REGEXP_REPLACE(x, '.*(pattern).*', '\\1')",
  contains: "write x LIKE '%text%', or ARRAY_CONTAINS(array, x)",
  list_contains: 'use ARRAY_CONTAINS(array, x)',
  list_transform: 'use TRANSFORM(array, x -> …)',
  array_transform: 'use TRANSFORM(array, x -> …)',
  named_struct: 'use ROW(value, …), cast to ROW(name type, …)',
  struct_pack: 'use ROW(value, …), cast to ROW(name type, …)',
  columns: 'name the columns, or write * EXCLUDE (…)',
  random: chance,
  rand: chance,
  uuid: chance,
  newid: chance,
  gen_random_uuid: chance,
  nextval: 'let the source number the rows',
  version: 'ask the server',
  sha1: 'use MD5 or XXHASH',
  sha2: 'use MD5 or XXHASH',
  sha256: 'use MD5 or XXHASH',
};

const names: Readonly<Record<string, string>> = {
  sysdate: now,
  systimestamp: now,
  current_user: 'there are no users in SQL',
  session_user: 'there are no users in SQL',
  user: 'there are no users in SQL',
  current_schema: 'a program has one schema',
  rownum: 'use ROW_NUMBER() OVER (ORDER BY x)',
  rowid: 'use the columns of the primary key',
};

const relations: Readonly<Record<string, string>> = {
  error_view: 'ask a view of it: CREATE MATERIALIZED VIEW errors AS SELECT * FROM error_view',
  dual: 'leave FROM out',
  information_schema: 'ask the API of the pipeline for its schema',
};

/** What to do instead of reading this relation, which no program declares. */
export function foreignRelation(name: string): string | undefined {
  return Object.hasOwn(relations, name) ? relations[name] : undefined;
}

/** What to write instead of a call of this name, in lower case. */
export function foreignFunction(name: string): string | undefined {
  return Object.hasOwn(functions, name) ? functions[name] : undefined;
}

/** What to write instead of this name of no column. */
export function foreignName(name: string): string | undefined {
  return Object.hasOwn(names, name) ? names[name] : undefined;
}
