// Random token soups and damaged queries never throw: they are reported with codes and places.
import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compileProgram } from '../../../../actors/engine/sql/compile-program.ts';
import { sqlKeywords } from '../../../../actors/engine/sql/tokens.ts';
import { tables } from './bound-text.ts';

const runs = process.env['MILLRACE_LONG'] === '1' ? 50_000 : 500;

/** A program that is bad in any way is reported with codes and places; nothing is thrown. */
function check(text: string): void {
  const { program, problems } = compileProgram(text);
  assert.is(program === null, problems.length > 0);
  for (const problem of problems) {
    assert.match(problem.code, /^sql\.[a-z_]+$/);
    assert.ok((problem.place?.line ?? 0) >= 1 && (problem.place?.column ?? 0) >= 1, problem.message);
  }
}

const word = fc.oneof(
  fc.constantFrom(...sqlKeywords.keys()),
  fc.constantFrom(
    'users',
    'orders',
    'things',
    'id',
    'name',
    'amount',
    'i',
    'x',
    'v',
    'u',
    '"date"',
    'ts',
    'COUNT',
    'SUM',
    'UPPER',
    'MONTH',
    'DAY',
  ),
  fc.constantFrom('1', '2.5', '1e3', "'a'", "'2020-01-01'", "X'00'", 'NULL', 'TRUE', "'[]'", "'connectors'"),
  fc.constantFrom(
    '(',
    ')',
    '(',
    ')',
    ',',
    '.',
    ';',
    '*',
    '+',
    '-',
    '/',
    '=',
    '<',
    '<=>',
    '||',
    '::',
    '[',
    ']',
    "'",
    '"',
    '/*',
    '--',
    '\n',
    '?',
    '\u{1f600}',
  ),
);

test('soups of tokens are reported, never thrown', () => {
  fc.assert(
    fc.property(fc.array(word, { maxLength: 30 }), (words) => check(words.join(' '))),
    { numRuns: runs },
  );
});

test('soups of tokens after SELECT are reported, never thrown', () => {
  const prefix = `${tables}CREATE VIEW z AS SELECT `;
  fc.assert(
    fc.property(fc.array(word, { maxLength: 12 }), fc.boolean(), (words, from) =>
      check(prefix + words.join(' ') + (from ? ' FROM things' : '')),
    ),
    { numRuns: runs },
  );
});

const seeds = [
  "SELECT u.name, SUM(o.amount) FILTER (WHERE paid) / COUNT(*) AS m FROM orders o LEFT JOIN users u ON o.user_id = u.id WHERE at BETWEEN '2020-01-01' AND TIMESTAMP '2021-01-01 00:00:00' GROUP BY 1 HAVING COUNT(DISTINCT lines) > 1 ORDER BY m DESC NULLS LAST LIMIT 10",
  "WITH a (k) AS (SELECT i FROM things), b AS (VALUES (1, 'x'), (2, NULL)) SELECT DISTINCT k, CASE k WHEN 1 THEN 'a' ELSE x END FROM a JOIN things ON k = i UNION ALL SELECT * FROM b",
  "SELECT CAST(v['a'][1].b AS INT), TRIM(BOTH 'x' FROM x), SUBSTRING(x FROM 2 FOR 3), ts + INTERVAL '1' DAY, EXTRACT(YEAR FROM \"date\"), COALESCE(i, b, 0), x LIKE 'a%' ESCAPE '#', i IN (1, 2, 3, 4), (ts - ts) DAY, FLOOR(ts TO HOUR), n::DOUBLE FROM things",
];

test('queries with a word missing, doubled or exchanged are reported, never thrown', () => {
  const edits = fc.array(fc.tuple(fc.nat(), fc.constantFrom('drop', 'double', 'replace'), word), {
    minLength: 1,
    maxLength: 3,
  });
  fc.assert(
    fc.property(fc.constantFrom(...seeds), edits, (seed, changes) => {
      const words = seed.split(/(\s+|\b)/);
      for (const [position, change, replacement] of changes) {
        const at = position % words.length;
        words.splice(
          at,
          change === 'double' ? 0 : 1,
          ...(change === 'drop' ? [] : change === 'double' ? [words[at] ?? ''] : [replacement]),
        );
      }
      check(`${tables}CREATE VIEW z AS ${words.join('')}`);
    }),
    { numRuns: runs },
  );
});

test('any text is reported, never thrown', () => {
  fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 60 }), check), { numRuns: runs });
});

test.run();
