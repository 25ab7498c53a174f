// What users of other engines write: refused by its name at its place, with what to write instead, which is accepted.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compileProgram } from '../../../../actors/engine/sql/compile-program.ts';

const table = 'CREATE TABLE t (a BIGINT, b BIGINT, s VARCHAR, ts TIMESTAMP, list BIGINT ARRAY, v VARIANT);\n';

function problemsOf(text: string): string[] {
  return compileProgram(`${table}${text};`).problems.map(({ message }) => message.replace(/^2:/, ''));
}

/** Behind `SELECT ` of a view: what is said of it. */
const queries: readonly (readonly [query: string, message: string])[] = [
  ['a == 1 FROM t', '27: == is not supported; write ='],
  ["s ~ 'x' FROM t", '27: ~ is not supported; write x RLIKE pattern; of bits it is -1 - x'],
  ['a << 2 FROM t', '27: << is not supported; multiply by a power of 2'],
  ['a ** 2 FROM t', '27: ** is not supported; use POWER(x, y)'],
  ['a DIV 2 FROM t', '27: DIV is not supported; integers are divided by / without a fraction'],
  ['`a` FROM `t`', '25: a name in backticks is not supported; write it in double quotes, "name"'],
  ['a FROM t # why', '34: a comment that begins with # is not supported; begin it with --'],
  ['a AS FROM t', '30: FROM is a reserved word; to use it as a name write it in double quotes: "from"'],
  ['TOP 5 a FROM t', '25: SELECT TOP is not supported; write LIMIT behind the query'],
  [
    'UNNEST(list) FROM t',
    '25: UNNEST in an expression is not supported; write it in FROM: FROM t, UNNEST(t.list) AS u (x)',
  ],
  ['EXPLODE(list) FROM t', '25: EXPLODE is not supported; write it in FROM: FROM t, UNNEST(t.list) AS u (x)'],
  ['NVL2(a, 1, 2) FROM t', '25: NVL2 is not supported; write CASE WHEN x IS NULL THEN z ELSE y END'],
  ['SYSDATE FROM t', '25: SYSDATE is not supported; use NOW()'],
  [
    "INTERVAL '3 days' FROM t",
    "25: an INTERVAL with its unit inside of the text is not supported; write INTERVAL '3' DAY",
  ],
  ['a b c FROM t', '29: expected "," or FROM but found "c"'],
  ['a, FROM t', '26: expected an expression but found "FROM" behind a comma: leave the comma out'],
  ['a FORM t', '32: expected "," or FROM but found "t" (did you mean "FROM"?)'],
  ['a FROM t WHER a = 1', '39: expected ",", JOIN or WHERE but found "a" (did you mean "WHERE"?)'],
  ['a FROM public.t', '32: a name with a schema is not supported; name the table alone'],
  ['1_000 FROM t', '25: expected a number of digits, and a blank behind it but found "1_000"'],
  ['0x1F FROM t', '25: expected a number of digits, and a blank behind it but found "0x1F"'],
  [
    's FROM t WHERE s = "Bob"',
    `44: no column is named "Bob"; if it is a text, write it in single quotes: 'Bob'; there are a, b, s, ts, list, v`,
  ],
];
for (const [query, message] of queries) {
  test(`SELECT ${query}`, () => assert.equal(problemsOf(`CREATE VIEW w AS SELECT ${query}`), [message]));
}

const statements: readonly (readonly [statement: string, message: string])[] = [
  ['ALTER TABLE t ADD COLUMN z INT', '1: ALTER is not supported; a program declares what there is: change its text'],
  ['CREATE TEMP TABLE x (a INT)', '1: CREATE TEMP is not supported; use CREATE LOCAL VIEW'],
  [
    'CREATE TABLE x AS SELECT a FROM t',
    '16: CREATE TABLE from a query is not supported; write CREATE VIEW name AS SELECT …',
  ],
  [
    'CREATE TABLE x (a INT AUTO_INCREMENT)',
    '23: a column that counts is not supported; let the source number the rows',
  ],
  ['CREATE TABLE x (a INT[])', '22: the type x[] is not supported; write x ARRAY'],
  ['CREATE TABLE x (a TIMESTAMPTZ)', '19: type TIMESTAMPTZ is not supported; write TIMESTAMP WITH TIME ZONE'],
  ['CREATE TABLE x (a INT,)', '22: expected the name of a column but found ")" behind a comma: leave the comma out'],
];
for (const [statement, message] of statements) {
  test(statement, () => assert.equal(problemsOf(statement), [message]));
}

test('what is said to be written instead is accepted', () => {
  const list = [
    "s RLIKE '(?i)x'",
    'POWER(a, 2)',
    'MOD(a, b)',
    "v['x']['y']",
    "CAST(MAP['field', a] AS VARIANT)",
    'CASE WHEN a IS NULL THEN 1 ELSE 2 END',
    'IF(a > 1, 2, 3)',
    'CAST(NOW() AS DATE)',
    'CAST(NOW() AS TIME)',
    "FORMAT_TIMESTAMP('%Y', ts)",
    "FORMAT_DATE('%Y', CAST(ts AS DATE))",
    "PARSE_DATE('%Y-%m-%d', s)",
    "PARSE_TIMESTAMP('%Y-%m-%d %H:%M:%S', s)",
    'EXTRACT(EPOCH FROM ts)',
    'EXTRACT(ISODOW FROM ts)',
    "TIMESTAMP '1970-01-01 00:00:00' + INTERVAL a SECOND",
    'ts + INTERVAL 2 MONTH',
    'LAST_DAY(ts)',
    '(ts - ts) DAY',
    "INTERVAL '3' DAY",
    "SPLIT(s, ',')",
    "POSITION('x' IN s)",
    "REGEXP_REPLACE(s, '.*(x+).*', '\\1')",
    'ARRAY_CONTAINS(list, a)',
    'ARRAYS_OVERLAP(list, list)',
    'TRANSFORM(list, x -> x + 1)',
    "PARSE_JSON(s)['field']",
    'MAP(SELECT a, b FROM t)',
    'CAST(ROW(a, s) AS ROW(a BIGINT, s VARCHAR))',
    'CAST(ARRAY[a, b] AS VARIANT)',
    'SAFE_CAST(s AS INT)',
    "U&'\\000A'",
    'MD5(s)',
    'XXHASH(s)',
    'a ISNULL',
  ];
  for (const expression of list)
    assert.equal(problemsOf(`CREATE LOCAL VIEW w AS SELECT ${expression} AS x FROM t`), [], expression);
  const from = [
    't, UNNEST(t.list) AS u (x)',
    't LEFT JOIN UNNEST(t.list) AS u (x) ON TRUE',
    't CROSS JOIN UNNEST(t.list) WITH ORDINALITY AS u (x, n)',
    'UNNEST(SEQUENCE(1, 5)) AS t (x)',
    "TABLE(TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '1' HOUR))",
    't QUALIFY RANK() OVER (ORDER BY a) <= 3',
    't QUALIFY PERCENT_RANK() OVER (ORDER BY a) <= 0.1',
  ];
  for (const each of from) assert.equal(problemsOf(`CREATE LOCAL VIEW w AS SELECT 1 AS y FROM ${each}`), [], each);
});

test('x ISNULL and x NOTNULL are tests, not aliases; behind AS they are names', () => {
  assert.equal(problemsOf('CREATE VIEW w AS SELECT a AS x FROM t WHERE a ISNULL OR b NOTNULL AND (a + b) ISNULL'), []);
  assert.equal(problemsOf('CREATE VIEW w AS SELECT a AS isnull FROM t'), []);
});

test.run();
