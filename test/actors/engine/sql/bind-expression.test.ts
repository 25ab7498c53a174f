// The binder of expressions: the type of each expression, and whether it can be NULL.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { bindView, columnsOf, typeOf } from './bound-text.ts';

/** Expressions over nullable columns of each type, and the type of the result. */
const types: Readonly<Record<string, string>> = {
  't + s': 'SMALLINT?',
  's * i': 'INTEGER?',
  'i / b': 'BIGINT?',
  'i + 1': 'INTEGER?',
  'i + 3000000000': 'BIGINT?',
  'r + r': 'REAL?',
  'r + i': 'DOUBLE?',
  'n + r': 'DOUBLE?',
  'n + m': 'DECIMAL(13, 4)?',
  'n * m': 'DECIMAL(15, 6)?',
  'n / m': 'DECIMAL(20, 8)?',
  'n % m': 'DECIMAL(5, 4)?',
  'n + i': 'DECIMAL(13, 2)?',
  'n * b': 'DECIMAL(29, 2)?',
  'b / n': 'DECIMAL(32, 11)?',
  'n * 1e0': 'DOUBLE?',
  'MOD(i, 2)': 'INTEGER?',
  '-n': 'DECIMAL(10, 2)?',
  '-x': 'DECIMAL(38, 19)?',
  'i::BIGINT < b': 'BOOLEAN?',
  "UUID '00112233-4455-6677-8899-aabbccddeeff' = X'00112233445566778899aabbccddeeff'": 'BOOLEAN',
  'CARDINALITY(NULL)': 'INTEGER?',
  'MAP_CONCAT(MAP[1, 2], MAP[1.5, NULL], MAP[2, 3])': 'MAP<DECIMAL(11, 1), INTEGER>',
  "FORMAT_DATE('%Y', x)": 'VARCHAR?',
  '1.50': 'DECIMAL(3, 2)',
  '.5': 'DECIMAL(1, 1)',
  '1e5': 'DOUBLE',
  '2147483647': 'INTEGER',
  '2147483648': 'BIGINT',
  '-2147483648': 'INTEGER',
  '-9223372036854775808': 'BIGINT',
  '9223372036854775808': 'DECIMAL(19, 0)',
  NULL: 'NULL?',
  'i + NULL': 'INTEGER?',
  "X'00ff'": 'VARBINARY',
  "TIMESTAMP WITH TIME ZONE '2020-01-01 00:00:00 UTC' + INTERVAL '1' DAY": 'TIMESTAMP WITH TIME ZONE',
  'DATE_TRUNC(CAST(ts AS TIMESTAMP WITH TIME ZONE), MONTH)': 'TIMESTAMP WITH TIME ZONE?',
  'COALESCE(ts, CAST(ts AS TIMESTAMP WITH TIME ZONE))': 'TIMESTAMP WITH TIME ZONE?',
  "INTERVAL '1' DAY": 'INTERVAL DAY',
  "INTERVAL '1-2' YEAR TO MONTH": 'INTERVAL YEAR TO MONTH',
  '"date" + INTERVAL \'1\' MONTH': 'DATE?',
  "ts - INTERVAL '1' HOUR": 'TIMESTAMP?',
  'ts - "date"': 'INTERVAL DAY TO SECOND?',
  '(ts - "date") MONTH': 'INTERVAL MONTH?',
  '(ts - "date") SECOND': 'INTERVAL SECOND?',
  '(ts - "date") HOUR TO MINUTE': 'INTERVAL HOUR TO MINUTE?',
  "INTERVAL '1' DAY - INTERVAL '5' SECOND": 'INTERVAL DAY TO SECOND',
  "INTERVAL '1' YEAR + INTERVAL '5' MONTH": 'INTERVAL YEAR TO MONTH',
  "INTERVAL '1' DAY * 2": 'INTERVAL DAY',
  'x || f': 'VARCHAR?',
  'y || y': 'VARBINARY?',
  'x || i': 'VARCHAR?',
  'i = 1': 'BOOLEAN?',
  'i IS NULL': 'BOOLEAN',
  'q IS TRUE': 'BOOLEAN',
  'i <=> 1': 'BOOLEAN',
  'i IS DISTINCT FROM 1': 'BOOLEAN',
  'q AND TRUE': 'BOOLEAN?',
  "x LIKE 'a%'": 'BOOLEAN?',
  'i IN (1, 2, 3, 4)': 'BOOLEAN?',
  'CAST(x AS INT)': 'INTEGER?',
  "SAFE_CAST('a' AS INT)": 'INTEGER?',
  "CAST('1' AS INT)": 'INTEGER',
  "'1'::DOUBLE": 'DOUBLE',
  'CASE WHEN q THEN 1 ELSE 2.5 END': 'DECIMAL(11, 1)',
  'CASE WHEN q THEN 1 END': 'INTEGER?',
  'COALESCE(i, b, 0)': 'BIGINT',
  'COALESCE(i, b)': 'BIGINT?',
  'NULLIF(1, i)': 'INTEGER?',
  'IF(q, "date", ts)': 'TIMESTAMP?',
  'COALESCE("date", \'2020-01-01\')': 'DATE',
  'GREATEST(i, b, 1.5)': 'DECIMAL(20, 1)?',
  'GREATEST_IGNORE_NULLS(i, 1)': 'INTEGER?',
  'ABS(n)': 'DECIMAL(10, 2)?',
  'FLOOR(n)': 'DECIMAL(10, 0)?',
  'ROUND(n, 1)': 'DECIMAL(11, 2)?',
  'ROUND(i)': 'INTEGER?',
  'CEIL(r)': 'REAL?',
  'SQRT(i)': 'DOUBLE?',
  'LENGTH(x)': 'INTEGER?',
  'EXTRACT(YEAR FROM ts)': 'BIGINT?',
  'FLOOR(ts TO DAY)': 'TIMESTAMP?',
  'DATE_TRUNC("date", MONTH)': 'DATE?',
  'TIMESTAMPDIFF(DAY, ts, "date")': 'INTEGER?',
  "v['a']": 'VARIANT?',
  'v.a.b': 'VARIANT?',
  "PARSE_JSON('1')": 'VARIANT?',
  'CAST(v AS INT)': 'INTEGER?',
  'CONCAT(x, i)': 'VARCHAR?',
  "CONCAT_WS(',', x, i)": 'VARCHAR?',
  PI: 'DOUBLE',
  "u = '00000000-0000-0000-0000-000000000000'": 'BOOLEAN?',
};
for (const [expression, type] of Object.entries(types)) {
  test(`${expression} is ${type}`, () => assert.is(typeOf(expression), type));
}

test('aggregates have the types that the table of aggregates says', () => {
  const columns = columnsOf(
    bindView(
      'SELECT SUM(i) a, SUM(n) b, SUM(r) c, AVG(t) d, AVG(n) e, AVG(d) f, MIN(x) g, COUNT(x) h, EVERY(q) k, COUNTIF(q) l FROM things',
    ),
  );
  assert.equal(columns, [
    'a INTEGER?',
    'b DECIMAL(38, 2)?',
    'c REAL?',
    'd TINYINT?',
    'e DECIMAL(10, 2)?',
    'f DOUBLE?',
    'g VARCHAR?',
    'h BIGINT',
    'k BOOLEAN?',
    'l BIGINT',
  ]);
});

test('an aggregate over values that are never NULL is never NULL in a group', () => {
  const columns = (query: string): string[] => columnsOf(bindView(query)).slice(-1);
  assert.equal(columns('SELECT paid, SUM(lines) AS s FROM orders GROUP BY paid'), ['s INTEGER']);
  assert.equal(columns('SELECT paid, SUM(id) AS s FROM orders GROUP BY paid'), ['s BIGINT?']);
  assert.equal(columns('SELECT SUM(lines) AS s FROM orders'), ['s INTEGER?']);
  assert.equal(columns('SELECT paid, SUM(lines) FILTER (WHERE paid) AS s FROM orders GROUP BY paid'), ['s INTEGER?']);
  assert.equal(columns('SELECT paid, COUNT(*) FILTER (WHERE paid) AS s FROM orders GROUP BY paid'), ['s BIGINT']);
});

test('the padded side of an outer join may be NULL', () => {
  assert.equal(columnsOf(bindView('SELECT u.id, o.lines FROM users u LEFT JOIN orders o ON u.id = o.user_id')), [
    'id BIGINT',
    'lines INTEGER?',
  ]);
  assert.equal(columnsOf(bindView('SELECT u.id, o.lines FROM users u JOIN orders o ON u.id = o.user_id')), [
    'id BIGINT',
    'lines INTEGER',
  ]);
});

test.run();
