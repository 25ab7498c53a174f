// The binder of programs: tables, views, queries, and the problems of each with their places.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compileProgram, compileQuery } from '../../../../actors/engine/sql/compile-program.ts';
import { formatSqlType } from '../../../../runtime/batch/sql-type.ts';
import { bindView, columnsOf, problemsOf, relText, tables } from './bound-text.ts';

function tree(query: string): string[] {
  return relText(bindView(query)).split('\n');
}

// ── tables ──

test('a table has columns, a key, defaults and properties', () => {
  const { program, problems } = compileProgram(`CREATE TABLE t (
    id BIGINT PRIMARY KEY, name VARCHAR(20) NOT NULL DEFAULT 'none', price NUMERIC(8, 2) DEFAULT -1.5, "Day" DATE,
    other INT REFERENCES users (id), FOREIGN KEY (other) REFERENCES users (id)
  ) WITH ('append_only' = 'true', 'materialized' = 'true',
    'connectors' = '[{"name": "a"}]')`);
  assert.equal(problems, []);
  const [table] = program?.tables ?? [];
  const fields = table?.relation.schema.fields ?? [];
  assert.equal(
    fields.map(
      (field) =>
        `${field.name} ${formatSqlType(field.type)}${field.nullable ? '?' : ''}${field.quoted ? ' quoted' : ''}`,
    ),
    ['id BIGINT', 'name VARCHAR(20)', 'price DECIMAL(8, 2)?', 'Day DATE? quoted', 'other INTEGER?'],
  );
  assert.equal(table?.relation.primaryKey, [0]);
  assert.equal(
    table?.defaults.map((each) => (each?.kind === 'literal' ? each.value : (each?.kind ?? null))),
    [null, 'cast', -150n, null, null],
  );
  assert.is(table?.appendOnly, true);
  assert.is(table?.materialized, true);
  assert.equal(table?.connectors, { json: '[{"name": "a"}]', place: { line: 5, column: 20 } });
});

test('options that ask for warnings or other code are read and left aside, others refused', () => {
  const problems = (name: string): string[] =>
    compileProgram(`SET ${name} = ON; CREATE VIEW v AS SELECT 1 AS x;`).problems.map(({ message }) => message);
  assert.equal(problems('FELDERA_IGNORE_WARNING_UNUSED_COLUMN'), []);
  assert.match(problems('enforce_positive_inputs')[0] ?? '', 'SET ENFORCE_POSITIVE_INPUTS is not supported');
});

test('the synonyms of types mean their types', () => {
  const names =
    'BOOL INT2 INTEGER INT4 INT8 INT64 FLOAT4 FLOAT8 DEC NUMERIC(4) STRING TEXT BYTEA DATETIME TIMESTAMP(3)'.split(' ');
  const columns = [...names, 'DOUBLE PRECISION', 'CHARACTER VARYING(3)', 'CHAR', 'BINARY', 'TIME WITHOUT TIME ZONE'];
  const { program } = compileProgram(`CREATE TABLE t (${columns.map((type, i) => `c${i} ${type}`).join(', ')})`);
  assert.equal(
    program?.tables[0]?.relation.schema.fields.map((field) => formatSqlType(field.type)),
    [
      'BOOLEAN',
      'SMALLINT',
      'INTEGER',
      'INTEGER',
      'BIGINT',
      'BIGINT',
      'REAL',
      'DOUBLE',
      'DECIMAL(38, 0)',
      'DECIMAL(4, 0)',
      'VARCHAR',
      'VARCHAR',
      'VARBINARY',
      'TIMESTAMP',
      'TIMESTAMP',
      'DOUBLE',
      'VARCHAR(3)',
      'CHAR(1)',
      'BINARY(1)',
      'TIME',
    ],
  );
});

test('every problem of a table is reported', () => {
  assert.equal(
    problemsOf(
      `CREATE TABLE q (x INTT, y JSON, z DECIMAL(50, 2), x INT, w INT ARRAY, PRIMARY KEY (nn)) WITH ('conectors' = '[]')`,
    ),
    [
      'sql.unknown_type 1:19: no type is named INTT (did you mean "INT2"?)',
      'sql.unsupported 1:27: type JSON is not supported; write VARIANT',
      'sql.invalid_definition 1:35: DECIMAL has at most 38 digits',
      'sql.duplicate_name 1:51: column "x" is declared twice',
      'sql.unknown_column 1:84: no column is named "nn"; there are x, y, z, x, w',
      `sql.unknown_property 1:95: no property is named 'conectors'; there are connectors, materialized, append_only, skip_unused_columns, expected_size (did you mean "connectors"?)`,
    ],
  );
});

test('a DEFAULT has the type of its column', () => {
  assert.equal(
    problemsOf(`CREATE TABLE q (a DATE DEFAULT '2001-13-01', b INT NOT NULL DEFAULT NULL, c INT DEFAULT TRUE)`),
    [
      `sql.invalid_literal 1:32: '2001-13-01' is not a DATE literal, expected such as '2001-12-31'`,
      'sql.type_mismatch 1:69: "b" is NOT NULL, its DEFAULT is NULL',
      'sql.type_mismatch 1:89: the DEFAULT of "c" is BOOLEAN, the column is INTEGER',
    ],
  );
});

// ── queries ──

test('a view over a table as it is is a scan', () => {
  assert.equal(tree('SELECT * FROM users'), ['scan users']);
});

test('filters, joins and aggregates follow the clauses', () => {
  assert.equal(
    tree(`SELECT u.name, SUM(o.amount) / COUNT(*) AS mean FROM orders o JOIN users u ON o.user_id = u.id
          WHERE o.amount > 5 GROUP BY u.name HAVING COUNT(*) > 1`),
    [
      'project #0, (/ #1 DECIMAL(19, 0)(#2))',
      '  filter (> #2 1n)',
      '    aggregate [#7] sum(#2), count(*)',
      '      filter (> #2 500n)',
      '        inner join (= #1 #6)',
      '          scan orders',
      '          scan users',
    ],
  );
});

test('equal aggregates are computed once, with DISTINCT and FILTER apart', () => {
  assert.equal(
    tree(
      'SELECT SUM(lines), SUM(lines) + 1, SUM(DISTINCT lines), COUNT(*) FILTER (WHERE paid), COUNT(lines), COUNT(id), MIN(DISTINCT id) FROM orders',
    )[1],
    '  aggregate [] sum(#5), sum(distinct #5), count(* where #4), count(*), count(#0), min(#0)',
  );
});

test('GROUP BY takes expressions, positions and aliases', () => {
  const expected = ['project #0, #1', '  aggregate [(+ #2 1)] count(*)', '    scan users'];
  assert.equal(tree('SELECT age + 1 AS next, COUNT(*) AS n FROM users GROUP BY age + 1'), expected);
  assert.equal(tree('SELECT age + 1 AS next, COUNT(*) AS n FROM users GROUP BY 1'), expected);
  assert.equal(tree('SELECT age + 1 AS next, COUNT(*) AS n FROM users GROUP BY next'), expected);
});

test('an alias is seen to the right of it, unless a column has its name', () => {
  assert.equal(tree('SELECT age + 1 AS next, next * 2 AS more FROM users')[0], 'project (+ #2 1), (* (+ #2 1) 2)');
  assert.equal(tree('SELECT age + 1 AS name, name AS other FROM users')[0], 'project (+ #2 1), #1');
});

test('ORDER BY with LIMIT is a top, with columns of its own where it needs them', () => {
  assert.equal(tree('SELECT name FROM users ORDER BY age DESC, name LIMIT 3 OFFSET 1'), [
    'project #0',
    '  top [#1 desc, #0 nulls first] limit 3 offset 1',
    '    project #1, #2',
    '      scan users',
  ]);
  assert.equal(
    tree('SELECT name FROM users ORDER BY 1 NULLS LAST FETCH FIRST 2 ROWS ONLY')[0],
    'top [#0] limit 2 offset 0',
  );
});

test('ORDER BY without LIMIT is the order to show rows in, and is dropped in a subquery', () => {
  const { program } = compileProgram(
    `${tables}CREATE VIEW v AS SELECT id, name FROM (SELECT * FROM users ORDER BY id) ORDER BY name DESC, age`,
  );
  const view = program?.views[0];
  assert.equal(view?.displayOrder, [{ ordinal: 1, descending: true, nullsFirst: false }]);
  assert.equal(view === undefined ? '' : relText(view.query), 'project #0, #1\n  scan users');
});

test('UNION brings both sides to one type', () => {
  assert.equal(tree('SELECT age FROM users UNION ALL SELECT id FROM users UNION ALL SELECT 1.5'), [
    'union',
    '  project DECIMAL(20, 1)(#0)',
    '    project #2',
    '      scan users',
    '  project DECIMAL(20, 1)(#0)',
    '    project #0',
    '      scan users',
    '  project DECIMAL(20, 1)(#0)',
    '    values (15n)',
  ]);
  assert.is(tree('SELECT id FROM users UNION SELECT id FROM orders')[0], 'distinct');
});

test('WITH names queries, also with columns of their own', () => {
  assert.equal(
    tree('WITH a (x) AS (SELECT age FROM users), b AS (SELECT x + 1 AS y FROM a) SELECT y FROM b WHERE y > 1'),
    ['filter (> #0 1)', '  project (+ #0 1)', '    project #2', '      scan users'],
  );
});

test('USING and NATURAL merge columns, which come first in *', () => {
  assert.equal(columnsOf(bindView('SELECT * FROM orders o LEFT JOIN users u USING (id)')).slice(0, 3), [
    'id BIGINT?',
    'user_id BIGINT?',
    'amount DECIMAL(10, 2)?',
  ]);
  assert.equal(tree('SELECT u.id FROM users u NATURAL JOIN (SELECT id FROM orders) o')[1], '  inner join (= #0 #3)');
});

test('a RIGHT JOIN is a LEFT JOIN with its sides swapped', () => {
  assert.equal(columnsOf(bindView('SELECT u.id, o.lines FROM users u RIGHT JOIN orders o ON u.id = o.user_id')), [
    'id BIGINT?',
    'lines INTEGER',
  ]);
  assert.equal(tree('SELECT u.id, lines FROM users u RIGHT JOIN orders o ON u.id = o.user_id').slice(2), [
    '    left join (= #6 #1)',
    '      scan orders',
    '      scan users',
  ]);
});

test('SELECT without FROM and VALUES are constant rows', () => {
  assert.equal(tree("SELECT 1 AS a, 'x' AS b"), ["values (1, 'x')"]);
  assert.equal(tree("VALUES (1, 'a'), (2.5, NULL)"), ["values (10n, 'a'), (25n, null)"]);
});

test('columns without a name are named by their position', () => {
  assert.equal(columnsOf(bindView("SELECT id, 1 + 1, COUNT(*), 2 AS 'two' FROM users GROUP BY id")), [
    'id BIGINT',
    'EXPR$1 INTEGER',
    'EXPR$2 BIGINT',
    'two INTEGER',
  ]);
});

test('long lists of literals are looked up, NULL included', () => {
  assert.equal(tree('SELECT id FROM users WHERE age IN (1, 2, 3, NULL)')[1], '  filter #2 in [1, 2, 3, null]');
  assert.equal(tree('SELECT id FROM users WHERE age NOT IN (1, 2)')[1], '  filter (not (or (= #2 1) (= #2 2)))');
});

test('sugar becomes CASE and operators', () => {
  assert.equal(
    tree(
      "SELECT COALESCE(name, 'x', name), NULLIF(age, 1), CASE age WHEN 1 THEN 2 END, age BETWEEN SYMMETRIC 1 AND 2 FROM users",
    )[0],
    "project case[(is not null #1): #1, 'x'], case[(= #2 1): null, #2], case[(= #2 1): 2, null], (or (and (>= #2 1) (<= #2 2)) (and (>= #2 2) (<= #2 1)))",
  );
});

test('a literal takes the type of the column beside it', () => {
  assert.equal(
    tree("SELECT id FROM orders WHERE amount > 5 AND at > '2020-01-01' AND lines < 2.5 AND id = 7")[1],
    '  filter (and (and (and (> #2 500n) (> #3 1577836800000000n)) (< DECIMAL(11, 1)(#5) 25n)) (= #0 7n))',
  );
});

test('view text and places of expressions are those of the program', () => {
  const { program } = compileProgram('CREATE TABLE t (x INT);\nCREATE VIEW v AS SELECT\n  x  +  1 AS y FROM t');
  const query = program?.views[0]?.query;
  const [column] = query?.kind === 'project' ? query.columns : [];
  const place = { line: 3, column: 3, endLine: 3, endColumn: 9 };
  assert.equal(column?.source, { place, text: 'x  +  1' });
});

test('views read views, and know their kind and connectors', () => {
  const { program } = compileProgram(`${tables}CREATE LOCAL VIEW a AS SELECT id FROM users;
    CREATE MATERIALIZED VIEW b (x) WITH ('connectors' = '[]') AS SELECT id FROM a`);
  assert.equal(
    program?.views.map((view) => view.kind),
    ['local', 'materialized'],
  );
  assert.equal(
    program?.views.map((view) => relText(view.query)),
    ['project #0\n  scan users', 'project #0\n  scan a'],
  );
  assert.is(program?.views[1]?.connectors?.json, '[]');
  assert.is(program?.views[1]?.relation.schema.fields[0]?.name, 'x');
});

// ── problems ──

const problems: readonly (readonly [program: string, ...expected: readonly string[]])[] = [
  [
    'CREATE VIEW v AS SELECT naem, agee FROM users WHERE idd = 1',
    'sql.unknown_column 1:25: no column is named "naem"; there are id, name, age (did you mean "name"?)',
    'sql.unknown_column 1:31: no column is named "agee"; there are id, name, age (did you mean "age"?)',
    'sql.unknown_column 1:53: no column is named "idd"; there are id, name, age (did you mean "id"?)',
  ],
  [
    'CREATE VIEW v AS SELECT 1 FROM user',
    'sql.unknown_table 1:32: no table or view is named "user"; there are users, orders, things (did you mean "users"?)',
  ],
  [
    'CREATE VIEW v AS SELECT id FROM users, orders',
    'sql.ambiguous_column 1:25: column "id" could be that of users, orders',
  ],
  [
    'CREATE VIEW v AS SELECT name, COUNT(*) FROM users',
    'sql.not_grouped 1:25: name is neither in GROUP BY nor inside an aggregate function',
  ],
  [
    'CREATE VIEW v AS SELECT 1 FROM users WHERE COUNT(*) > 1',
    'sql.misplaced_aggregate 1:44: the aggregate COUNT(*) may not stand in WHERE',
  ],
  [
    'CREATE VIEW v AS SELECT SUM(MAX(age)) FROM users',
    'sql.misplaced_aggregate 1:29: the aggregate MAX(age) may not stand in an aggregate',
  ],
  [
    'CREATE VIEW v AS SELECT UPER(name) FROM users',
    'sql.unknown_function 1:25: no function is named "uper" (did you mean "upper"?)',
  ],
  [
    'CREATE VIEW v AS SELECT UPPER(ROW(age, 1)) FROM users',
    'sql.invalid_arguments 1:25: UPPER: cannot be called with (ROW(EXPR$0 INTEGER, EXPR$1 INTEGER)); it is UPPER(x)',
  ],
  [
    'CREATE VIEW v AS SELECT ANY_VALUE(age) FROM users',
    'sql.unsupported 1:25: ANY_VALUE is not supported; use MIN or MAX',
  ],
  [
    'CREATE VIEW v AS SELECT RANK() FROM users',
    'sql.invalid_arguments 1:25: RANK: is a window function: write OVER (…) behind it',
  ],
  [
    'CREATE VIEW v AS SELECT SUM(age) OVER (ORDER BY id ROWS BETWEEN CURRENT ROW AND 1 PRECEDING) FROM users',
    'sql.invalid_definition 1:52: a frame from CURRENT ROW cannot end at PRECEDING',
  ],
  [
    "CREATE VIEW v AS SELECT INTERVAL '1 2:03' HOUR TO SECOND",
    "sql.invalid_literal 1:25: '1 2:03' is not an INTERVAL HOUR TO SECOND literal",
  ],
  [
    'CREATE VIEW v AS SELECT MAP([1], [2, 3]) FROM users',
    'sql.invalid_arguments 1:25: MAP: takes as many values as keys: MAP([key], [value])',
  ],
  ['CREATE VIEW v AS SELECT name + TRUE FROM users', 'sql.type_mismatch 1:25: + is not defined on VARCHAR and BOOLEAN'],
  [
    'CREATE VIEW v AS SELECT id FROM users WHERE name',
    'sql.type_mismatch 1:45: WHERE takes a BOOLEAN, name is VARCHAR',
  ],
  [
    'CREATE VIEW v AS SELECT at > paid FROM orders',
    'sql.type_mismatch 1:25: TIMESTAMP and BOOLEAN cannot be compared, in at > paid',
  ],
  [
    "CREATE VIEW v AS SELECT at > 'soon' FROM orders",
    "sql.invalid_literal 1:30: 'soon' is not a TIMESTAMP literal, expected such as '2001-12-31 23:59:59'",
  ],
  [
    'CREATE VIEW v AS SELECT EXTRACT(FOO FROM at) FROM orders',
    'sql.unknown_unit 1:33: no time unit is named foo; there are millennium, century, decade, year, isoyear, quarter, month, week, day, dow, isodow, doy, hour, minute, second, millisecond, microsecond, nanosecond, epoch',
  ],
  [
    'CREATE VIEW v AS SELECT id FROM users WHERE ROW_NUMBER() OVER (ORDER BY id) = 1',
    'sql.unsupported 1:45: a window function inside WHERE is not supported; compute it in a subquery in FROM, or filter with QUALIFY',
  ],
  [
    'CREATE VIEW v AS SELECT id FROM users RIGHT ASOF JOIN orders MATCH_CONDITION (users.id >= orders.id) ON users.id = orders.id',
    'sql.syntax 1:39: expected [LEFT] ASOF JOIN … MATCH_CONDITION (…) ON … but found RIGHT ASOF JOIN',
  ],
  [
    'CREATE VIEW v AS SELECT COUNT(NULL) OVER () AS c FROM users',
    'sql.invalid_arguments 1:25: COUNT: an argument NULL has no type: write CAST(NULL AS INTEGER)',
  ],
  [
    "CREATE VIEW v AS SELECT COALESCE(UUID '00112233-4455-6677-8899-aabbccddeeff', X'00') AS c FROM users",
    "sql.type_mismatch 1:25: the arguments of COALESCE(UUID '00112233-4455-6677-8899-aabbccddeeff', X'00') have no common type: UUID and VARBINARY",
  ],
  [
    'CREATE VIEW v AS SELECT id FROM users LEFT ASOF JOIN orders MATCH_CONDITION (users.id >= (SELECT other.id)) ON users.id = orders.id',
    'sql.unknown_table 1:98: no table or view is named "other"',
  ],
  [
    'CREATE VIEW v AS SELECT id FROM users LEFT ASOF JOIN orders MATCH_CONDITION (users.id >= (SELECT 1)) ON users.id = orders.id',
    'sql.unsupported 1:91: a subquery inside an ASOF JOIN is not supported; join with the subquery in FROM',
  ],
  [
    'CREATE VIEW v AS SELECT 1 FROM users JOIN orders',
    'sql.syntax 1:38: expected ON or USING for JOIN but found no condition',
  ],
  [
    'CREATE VIEW v AS SELECT id, name FROM users UNION SELECT id FROM orders',
    'sql.type_mismatch 1:45: UNION of 2 and 1 columns',
  ],
  [
    'CREATE VIEW v AS SELECT id FROM users UNION SELECT at FROM orders',
    'sql.type_mismatch 1:39: column 1 of UNION is BIGINT and TIMESTAMP',
  ],
  ['CREATE VIEW v AS SELECT id FROM users LIMIT id', 'sql.invalid_definition 1:45: LIMIT takes a whole number, not id'],
  [
    'CREATE VIEW v AS SELECT id FROM users ORDER BY 2',
    'sql.invalid_definition 1:48: ORDER BY 2 is not one of the 1 columns of SELECT',
  ],
  [
    'CREATE VIEW v (id, id) AS SELECT a.id, b.id FROM users a, users b',
    'sql.duplicate_name 1:13: column "id" is declared twice',
  ],
  [
    'CREATE VIEW v AS SELECT id FROM w; CREATE VIEW w AS SELECT id FROM users',
    'sql.invalid_definition 1:33: "w" is declared below; declare it before "v"',
  ],
  ['CREATE VIEW v AS SELECT id FROM v', 'sql.invalid_definition 1:33: view "v" reads from itself'],
  [
    'CREATE VIEW v AS SELECT NULL AS n',
    'sql.type_mismatch 1:13: column "n" is always NULL and has no type; write CAST(NULL AS VARCHAR) or another type',
  ],
  ['CREATE TABLE users (x INT)', 'sql.duplicate_name 1:14: relation "users" is declared twice'],
  ...(
    [
      ['DEFAULT 1 DEFAULT 2', 'DEFAULT', 33],
      ['PRIMARY KEY PRIMARY KEY', 'PRIMARY KEY', 35],
      ['NOT NULL NOT NULL', 'NULL or NOT NULL', 32],
      ['NULL NOT NULL', 'NULL or NOT NULL', 28],
      ['LATENESS 1 LATENESS 2', 'LATENESS', 34],
    ] as const
  ).map(
    ([said, what, column]) =>
      [
        `CREATE TABLE t (x INT ${said})`,
        `sql.invalid_definition 1:${column}: column "x" has a second ${what}: leave one of them out`,
      ] as const,
  ),
  [
    'CREATE TABLE t (a INT PRIMARY KEY, b INT, PRIMARY KEY (b))',
    'sql.invalid_definition 1:56: table "t" has two primary keys; name all columns of one in PRIMARY KEY (…)',
  ],
  [
    'CREATE VIEW v AS SELECT id FROM users WHERE name = "Bob"',
    `sql.unknown_column 1:52: no column is named "Bob"; if it is a text, write it in single quotes: 'Bob'; there are id, name, age`,
  ],
  [
    "CREATE VIEW v WITH ('materialized' = 'true') AS SELECT 1 AS a",
    "sql.unsupported 1:21: property 'materialized' of a view is not supported; write CREATE MATERIALIZED VIEW",
  ],
];
for (const [program, ...expected] of problems) {
  test(`reports what is wrong: ${program}`, () => assert.equal(problemsOf(program), expected));
}

test('what reads from a failed statement is not reported as well', () => {
  assert.equal(
    problemsOf(
      'CREATE TABLE a (x INT;\nCREATE VIEW b AS SELECT y FROM a;\nCREATE VIEW c AS SELECT nope FROM b;\nCREATE VIEW d AS SELECT nope FROM users',
    ).map((each) => each.slice(0, 24)),
    ['sql.syntax 1:22: expecte', 'sql.unknown_column 4:25:'],
  );
});

test('an ad-hoc query is bound over the relations that there are, and throws its first problem', () => {
  const { program } = compileProgram(tables);
  const relations = (program?.tables ?? []).map((table) => table.relation);
  const { query, displayOrder } = compileQuery('SELECT id FROM users ORDER BY id DESC;', relations);
  assert.is(relText(query), 'project #0\n  scan users');
  assert.equal(displayOrder, [{ ordinal: 0, descending: true, nullsFirst: false }]);
  assert.throws(() => compileQuery('SELECT idd FROM users', relations), /1:8: no column is named "idd"/);
  assert.throws(() => compileQuery('SELECT 1; SELECT 2', relations), /1:11: unexpected "SELECT"/);
  assert.throws(() => compileQuery('', relations), /expected a query/);
});

test.run();
