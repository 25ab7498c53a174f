// The parser: names, literals, precedence, and syntax errors with their places.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseProgram, parseQuery } from '../../../../actors/engine/sql/parse.ts';
import { SqlText } from '../../../../actors/engine/sql/sql-text.ts';
import { SqlParser } from '../../../../actors/engine/sql/statement-grammar.ts';
import { sqlKeywords } from '../../../../actors/engine/sql/tokens.ts';

function problems(text: string): string[] {
  return parseProgram(new SqlText(text)).problems.map((problem) => `${problem.code} ${problem.message}`);
}

function queryItem(expression: string): unknown {
  const { query, problems: found } = parseQuery(new SqlText(`SELECT ${expression}`));
  if (query === null) throw new Error(found.map((problem) => problem.message).join());
  const item = query.body.kind === 'select' ? query.body.items[0] : undefined;
  return item?.kind === 'item' ? withoutSpans(item.expression) : undefined;
}

function withoutSpans(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value, (key, part: unknown) => (key === 'span' ? undefined : part)));
}

test('the grammar has no ambiguous alternatives and no left recursion', () => {
  assert.not.throws(() => new SqlParser({ validate: true }));
});

test('names without quotes are folded to lower case, quoted names are kept', () => {
  const { statements } = parseProgram(new SqlText('CREATE TABLE Users (Id INT, "Full Name" VARCHAR, "a""b" INT)'));
  const [table] = statements;
  assert.is(table?.name.name, 'users');
  const columns = table?.kind === 'create table' ? table.elements : [];
  const names = columns.map((element) => (element.kind === 'column' ? element.column.name.name : ''));
  assert.equal(names, ['id', 'Full Name', 'a"b']);
});

test('comments are white space, and quotes are doubled inside of strings', () => {
  assert.equal(queryItem("/* one\n two */ 'it''s' -- the end"), { kind: 'string', value: "it's" });
});

test('strings on different lines are one string, on the same line they are an error', () => {
  assert.equal(queryItem("'foo'\n  'bar'"), { kind: 'string', value: 'foobar' });
  assert.is(parseQuery(new SqlText("SELECT 'foo' 'bar'")).problems[0]?.code, 'sql.syntax');
});

test('operators bind as tightly as SQL says', () => {
  const text = JSON.stringify(queryItem('NOT a + 1 = 2 AND b OR c || d * 2 BETWEEN 1 AND 2'));
  const operators = [...text.matchAll(/"kind":"(not|between|binary)"(?:,"operator":"([^"]+)")?/g)];
  assert.equal(
    operators.map(([, kind, operator]) => operator ?? kind),
    ['or', 'and', 'not', '=', '+', 'between', '*', '||'],
  );
});

test('a dot, an index and a cast follow their operand', () => {
  assert.equal(queryItem("v['a'][1]::INT"), {
    kind: 'cast',
    operand: {
      kind: 'element',
      operand: {
        kind: 'element',
        operand: { kind: 'name', path: [{ name: 'v', quoted: false }] },
        index: { kind: 'string', value: 'a' },
      },
      index: { kind: 'number', text: '1' },
    },
    type: { name: 'int', parameters: [], parts: [], arrays: 0 },
    safe: false,
  });
});

test('the two forms of TRIM and SUBSTRING mean the same', () => {
  assert.equal(queryItem("TRIM(BOTH 'x' FROM a)"), queryItem("TRIM(a, 'x')"));
  assert.equal(queryItem('SUBSTRING(a FROM 2 FOR 3)'), queryItem('SUBSTRING(a, 2, 3)'));
});

test('a FROM in parentheses is a subquery or a join, however deep', () => {
  const from = (text: string): string | undefined => {
    const { query } = parseQuery(new SqlText(`SELECT * FROM ${text}`));
    return query?.body.kind === 'select' ? query.body.from?.kind : undefined;
  };
  assert.is(from('((SELECT 1) UNION ALL (SELECT 2))'), 'subquery');
  assert.is(from('((SELECT 1) AS a JOIN b ON TRUE)'), 'join');
  assert.is(from('(a JOIN b ON TRUE)'), 'join');
  assert.is(from('(((SELECT 1)))'), 'subquery');
});

const errors: readonly (readonly [program: string, ...problems: readonly string[]])[] = [
  [
    'CREATE TABEL t (x INT)',
    'sql.syntax 1:8: expected TABLE, TYPE, FUNCTION or [MATERIALIZED | LOCAL] VIEW but found "TABEL" (did you mean "TABLE"?)',
  ],
  [
    'CREATE VIEW v AS SELECT a FROM t WHRE x > 1',
    'sql.syntax 1:39: expected ",", JOIN or WHERE but found "x" (did you mean "WHERE"?)',
  ],
  [
    'CREATE VIEW v AS SELECT a, FROM t',
    'sql.syntax 1:26: expected an expression but found "FROM" behind a comma: leave the comma out',
  ],
  ['CREATE VIEW v AS SELECT FROM t', 'sql.syntax 1:25: expected an expression or "*" but found "FROM"'],
  ['CREATE VIEW v AS SELECT (a FROM t', 'sql.syntax 1:28: expected ")" but found "FROM"'],
  [
    'CREATE VIEW v AS SELECT a FROM t JOIN',
    'sql.syntax 1:38: expected the name of a table or a subquery but found the end of the statement',
  ],
  ['CREATE VIEW v SELECT 1', 'sql.syntax 1:15: expected AS but found "SELECT"'],
  ['CREATE TABLE t (x)', 'sql.syntax 1:18: expected the name of a type but found ")"'],
  [
    'CREATE TABLE t (x INT,)',
    'sql.syntax 1:22: expected the name of a column but found ")" behind a comma: leave the comma out',
  ],
  ['ALTER TABLE t', 'sql.unsupported 1:1: ALTER is not supported; a program declares what there is: change its text'],
  [
    "CREATE VIEW v AS SELECT 'abc FROM t",
    "sql.syntax 1:25: expected ' to close the string that begins here but found the end of the program",
  ],
  [
    'CREATE VIEW v AS SELECT 1 /* no end',
    'sql.syntax 1:27: expected */ to close the comment that begins here but found the end of the program',
  ],
  [
    'CREATE VIEW v AS SELECT ? FROM t',
    'sql.unsupported 1:25: a parameter ? is not supported; write the value; parameters of PREPARE are $1, $2',
  ],
  [
    'CREATE TABLE t (x INT, date DATE, order INT)',
    'sql.reserved_word 1:24: date is a reserved word; to use it as a name write it in double quotes: "date"',
    'sql.reserved_word 1:35: order is a reserved word; to use it as a name write it in double quotes: "order"',
  ],
  [
    'CREATE VIEW v AS SELECT date FROM t',
    'sql.reserved_word 1:25: date is a reserved word; to use it as a name write it in double quotes: "date"',
  ],
  [
    'CREATE VIEW v AS SELECT a AS order FROM t',
    'sql.reserved_word 1:30: order is a reserved word; to use it as a name write it in double quotes: "order"',
  ],
  [
    'CREATE VIEW v AS SELECT SUM(x) OVER (PARTITION BY y), CURRENT_TIMESTAMP FROM a FULL OUTER JOIN b ON TRUE',
    'sql.unsupported 1:55: CURRENT_TIMESTAMP is not supported; use NOW()',
  ],
  ['SELECT 1', 'sql.unsupported 1:1: a query outside of a view is not supported; write CREATE VIEW name AS before it'],
  ['INSERT INTO t VALUES (1)', 'sql.unsupported 1:1: INSERT is not supported; rows come in through connectors'],
];
for (const [program, ...expected] of errors) {
  test(`reports the place and the reason: ${program}`, () => assert.equal(problems(program), expected));
}

test('words of constructs that are refused are names where they stand for nothing else', () => {
  assert.equal(problems('CREATE TABLE keep(y INT); CREATE VIEW v AS SELECT keep.y FROM keep'), []);
  const [problem = ''] = problems('CREATE VIEW v AS SELECT MAX(a) KEEP (DENSE_RANK FIRST ORDER BY b) AS m FROM t');
  assert.match(problem, 'KEEP is not supported');
});

test('a bad statement hides none of the others, and leaves its name', () => {
  const text =
    'CREATE TABLE a (x INT;\nCREATE TABLE b (x INT);\nCREATE VIEW c AS SELCT 1;\nCREATE VIEW d AS SELECT 1 FROM b';
  const { statements, problems: found, lost } = parseProgram(new SqlText(text));
  assert.equal(
    statements.map((statement) => statement.name.name),
    ['b', 'd'],
  );
  assert.equal(
    found.map((problem) => problem.place?.line),
    [1, 3],
  );
  assert.equal([...lost], ['a', 'c']);
});

test('places are those of the outer file', () => {
  const source = new SqlText('CREATE VIEW v AS\nSELECT FROM t', { file: 'p.yaml', lineOffset: 4, columnOffset: 2 });
  const [problem] = parseProgram(source).problems;
  assert.equal(problem?.place, { file: 'p.yaml', line: 6, column: 10, endLine: 6, endColumn: 13 });
});

test('nesting beyond the stack is an error of the text', () => {
  assert.is(
    problems(`CREATE VIEW v AS SELECT ${'('.repeat(50_000)}`)[0],
    'sql.too_deep 1:1: the statement is nested too deep: 200 levels are the most',
  );
});

test('keywords are listed with whether they are reserved', () => {
  assert.is(sqlKeywords.get('DATE'), true);
  assert.is(sqlKeywords.get('VIEW'), false);
  assert.is(sqlKeywords.get('NAME'), undefined);
});

test('behind AS a reserved word is the name of a column, unless it goes on with the query', () => {
  assert.equal(
    problems('CREATE VIEW v AS SELECT EXISTS (SELECT 1 FROM t) AS exists, a AS end, b AS position FROM t'),
    [],
  );
  assert.equal(problems('CREATE VIEW v AS SELECT a AS FROM t').length, 1);
});

test('columns may have the names of words that begin nothing but calls', () => {
  const words =
    'asymmetric both end escape extract filter leading overlay position references similar substring symmetric to trailing trim unknown within';
  const columns = words.split(' ');
  const list = columns.map((word) => `${word} INT`).join(', ');
  assert.equal(problems(`CREATE TABLE t (${list}, PRIMARY KEY (end, position))`), []);
  for (const word of columns) {
    const query = `SELECT ${word}, t.${word} + 1, CASE WHEN ${word} > 0 THEN ${word} ELSE -${word} END AS ${word} FROM t GROUP BY ${word}`;
    assert.equal(problems(`CREATE VIEW v AS ${query}`), []);
  }
  assert.equal(
    problems(
      "CREATE VIEW v AS SELECT TRIM(LEADING 'a' FROM trim), POSITION('a' IN position), EXTRACT(DAY FROM extract) FROM t",
    ),
    [],
  );
});

test('keywords that are not reserved are names', () => {
  assert.equal(
    problems('CREATE TABLE key (view INT, first INT, row INT, "date" DATE, user VARCHAR, value INT, year INT)'),
    [],
  );
});

test.run();
