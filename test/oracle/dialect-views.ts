// Views that exercise what the dialect has beyond plain SELECT, and aggregates whose values have an order, over the tables of
// change-history.ts, in groups that make one program each. Used by the tests against the oracle and by those of several workers.
import type { ViewCase } from './incremental-view.ts';

function same(sql: string, oracle: string = sql): ViewCase {
  return { title: sql, sql, oracle };
}

const distinctFacts = '(SELECT DISTINCT k, i, s FROM facts)';
const rowIn = `CASE WHEN EXISTS (SELECT 1 FROM users WHERE k = id AND i = score) THEN TRUE
  WHEN EXISTS (SELECT 1 FROM users WHERE (k = id AND i = score) IS NULL) THEN NULL ELSE FALSE END`;

/** An aggregate over groups, and what the oracle calls it. */
function ofGroups(sql: string, oracle: string = sql): ViewCase {
  const query = (aggregate: string): string => `SELECT k, ${aggregate} AS a FROM facts GROUP BY k`;
  return { title: sql, sql: query(sql), oracle: query(oracle) };
}

/** A call over a window whose order leaves no ties but equal rows. */
function ofWindow(sql: string, over: string = 'PARTITION BY k ORDER BY i, s, n, d, b'): ViewCase {
  return { title: sql, sql: `SELECT k, i, s, n, d, b, ${sql} OVER (${over}) AS w FROM (SELECT DISTINCT * FROM facts)` };
}

export const dialectViews: Readonly<Record<string, readonly ViewCase[]>> = {
  'lists of SELECT and GROUP BY': [
    same(
      'SELECT u.* EXCLUDE (name), f.* EXCEPT (s, n) FROM users u JOIN facts f ON f.k = u.id',
      'SELECT u.* EXCLUDE (name), f.* EXCLUDE (s, n) FROM users u JOIN facts f ON f.k = u.id',
    ),
    same('SELECT * REPLACE (score + 1 AS score) FROM users'),
    same('SELECT k, SUM(i) AS t, s FROM facts GROUP BY ALL'),
    same(
      'SELECT k, s, COUNT(*) AS c FROM facts GROUP BY DISTINCT ROLLUP (k, s), CUBE (k)',
      'SELECT k, s, COUNT(*) FROM facts GROUP BY GROUPING SETS ((k, s), (k), ())',
    ),
    same(`SELECT DISTINCT ON (k) k, i, s FROM ${distinctFacts} ORDER BY k, i DESC, 3`),
    same(
      `SELECT k, i, s FROM ${distinctFacts} ORDER BY ALL LIMIT 1, 3`,
      `SELECT k, i, s FROM ${distinctFacts} ORDER BY k, i, s LIMIT 3 OFFSET 1`,
    ),
    same(
      'SELECT k FROM facts UNION SELECT id FROM users ORDER BY ALL DESC LIMIT 2',
      'SELECT k FROM facts UNION SELECT id FROM users ORDER BY 1 DESC LIMIT 2',
    ),
    same("SELECT s SIMILAR TO '%(a|b)' AS x FROM facts", "SELECT s SIMILAR TO '.*(a|b)' AS x FROM facts"),
  ],
  'joins by other names': [
    same(
      'SELECT facts.k FROM facts SEMI JOIN users ON facts.k = users.id AND facts.i < users.score',
      'SELECT k FROM facts f WHERE EXISTS (SELECT 1 FROM users u WHERE f.k = u.id AND f.i < u.score)',
    ),
    same(
      'SELECT f.k, w.id FROM facts f LEFT ANTI JOIN users u ON f.k = u.id JOIN users w ON w.id = f.i',
      'SELECT f.k, w.id FROM facts f JOIN users w ON w.id = f.i WHERE NOT EXISTS (SELECT 1 FROM users u WHERE f.k = u.id)',
    ),
    same(
      'SELECT u.id, t.i FROM users u CROSS APPLY (SELECT i FROM facts f WHERE f.k = u.id) t',
      'SELECT u.id, f.i FROM users u JOIN facts f ON f.k = u.id',
    ),
    same(
      'SELECT u.id, t.i FROM users u OUTER APPLY (SELECT i FROM facts f WHERE f.k = u.id) t',
      'SELECT u.id, f.i FROM users u LEFT JOIN facts f ON f.k = u.id',
    ),
    same(
      'SELECT f.k, f.i, u.score FROM facts f ASOF JOIN users u MATCH_CONDITION (f.i >= u.score) ON f.k = u.id',
      'SELECT f.k, f.i, u.score FROM facts f JOIN users u ON f.k = u.id AND f.i >= u.score',
    ),
  ],
  'rows and queries as values': [
    same('SELECT k, (k, i) IN (SELECT id, score FROM users) AS x FROM facts', `SELECT k, ${rowIn} FROM facts`),
    same(
      'SELECT k, i FROM facts WHERE (k, i) NOT IN (SELECT id, score FROM users) OR b',
      `SELECT k, i FROM facts WHERE NOT (${rowIn}) OR b`,
    ),
    same(
      'SELECT k, i FROM facts WHERE (k, i) IN (SELECT id, score FROM users) AND i > 0',
      `SELECT k, i FROM facts WHERE (${rowIn}) AND i > 0`,
    ),
    same(
      'SELECT id, ARRAY(SELECT i FROM facts f WHERE f.k = u.id ORDER BY 1 DESC NULLS LAST)[1] AS m FROM users u',
      'SELECT id, (SELECT MAX(i) FROM facts f WHERE f.k = u.id) FROM users u',
    ),
    same(
      'SELECT id, CARDINALITY(ARRAY(SELECT i FROM facts f WHERE f.k = u.id)) AS c FROM users u',
      'SELECT id, (SELECT COUNT(*) FROM facts f WHERE f.k = u.id) FROM users u',
    ),
    same(
      "SELECT MAP(SELECT name, score FROM users WHERE name IS NOT NULL)['a'] AS x FROM (VALUES (1)) AS t (one)",
      "SELECT MAX(score) FROM users WHERE name = 'a'",
    ),
  ],
  'windows of sessions': [
    same(
      `SELECT k, i, EXTRACT(SECOND FROM window_start) AS s, EXTRACT(SECOND FROM window_end) AS e FROM TABLE(SESSION(
        (SELECT k, i, TIMESTAMP '2020-01-01 00:00:30' + INTERVAL '1' SECOND * i AS ts FROM facts),
        DESCRIPTOR(ts), DESCRIPTOR(k), INTERVAL '2' SECOND))`,
      `WITH marked AS (SELECT k, i, CASE WHEN i < LAG(i) OVER (PARTITION BY k ORDER BY i) + 2 THEN 0 ELSE 1 END AS b
         FROM facts WHERE i IS NOT NULL),
       numbered AS (SELECT *, SUM(b) OVER (PARTITION BY k ORDER BY i) AS s FROM marked)
       SELECT k, i, 30 + MIN(i) OVER (PARTITION BY k, s), 32 + MAX(i) OVER (PARTITION BY k, s) FROM numbered`,
    ),
  ],
  'PIVOT and UNPIVOT': [
    same(
      'SELECT * FROM (SELECT k, b, i FROM facts) PIVOT (SUM(i) AS t, COUNT(*) AS c FOR b IN (TRUE AS y, FALSE AS n))',
      'SELECT k, SUM(i) FILTER (b), COUNT(*) FILTER (b), SUM(i) FILTER (NOT b), COUNT(*) FILTER (NOT b) FROM facts GROUP BY k',
    ),
    same(
      "SELECT p.a, p.k FROM (SELECT k, s, b, i FROM facts) PIVOT (MAX(i) FOR (s, b) IN (('a', TRUE) AS a, ('b', FALSE))) AS p",
      "SELECT MAX(i) FILTER (s = 'a' AND b), k FROM facts GROUP BY k",
    ),
    same(
      'SELECT * FROM users UNPIVOT (v FOR c IN (id, score))',
      "SELECT name, 'id', id FROM users WHERE id IS NOT NULL UNION ALL SELECT name, 'score', score FROM users WHERE score IS NOT NULL",
    ),
    same(
      'SELECT * FROM users UNPIVOT INCLUDING NULLS (v FOR c IN (id AS 1, score AS 2)) AS t',
      'SELECT name, 1, id FROM users UNION ALL SELECT name, 2, score FROM users',
    ),
  ],
  'WITH RECURSIVE UNION ALL': [
    same(
      'WITH RECURSIVE r(a, b) AS (SELECT id, score FROM users UNION ALL SELECT r.a, f.i FROM r JOIN facts f ON r.b = f.k WHERE f.i > f.k) SELECT a, b FROM r',
    ),
    same(`WITH RECURSIVE r(n, s) AS (SELECT k, s FROM facts UNION ALL SELECT id, name FROM users
            UNION ALL SELECT r.n + 1, u.name FROM r LEFT JOIN users u ON u.id = r.n WHERE r.n < 3) SELECT n, s FROM r`),
  ],
  'WITH RECURSIVE': [
    same(
      'WITH RECURSIVE r AS (SELECT id AS a, score AS b FROM users UNION SELECT r.a, f.i FROM r JOIN facts f ON r.b = f.k WHERE f.i IS NOT NULL) SELECT a, COUNT(*) AS c FROM r GROUP BY a',
    ),
    same(
      'SELECT id, (WITH RECURSIVE r(n) AS (SELECT 1 UNION SELECT n + 1 FROM r WHERE n < 3) SELECT MAX(n) FROM r) AS m FROM users',
    ),
    same(`WITH RECURSIVE a(n) AS (SELECT id FROM users UNION SELECT n + 1 FROM a WHERE n < 3),
      b(n) AS (SELECT n FROM a UNION SELECT b.n - 1 FROM b JOIN a ON a.n = b.n WHERE b.n > 0) SELECT n FROM b`),
  ],
  'aggregates with ORDER BY': [
    ofGroups("STRING_AGG(s, ',' ORDER BY s)"),
    ofGroups("STRING_AGG(DISTINCT s, ',' ORDER BY s DESC)"),
    ofGroups("LISTAGG(s, ',') WITHIN GROUP (ORDER BY s DESC)", "STRING_AGG(s, ',' ORDER BY s DESC)"),
    ofGroups("STRING_AGG(s, ',' ORDER BY s) FILTER (WHERE i > 0)"),
    ofGroups(
      "STRING_AGG(s, ',' ORDER BY i DESC NULLS FIRST, d, s NULLS LAST)",
      "STRING_AGG(s, ',' ORDER BY i DESC NULLS FIRST, d, s NULLS LAST)",
    ),
    ofGroups('ARRAY_AGG(i ORDER BY i DESC NULLS FIRST)[1]', '(ARRAY_AGG(i ORDER BY i DESC NULLS FIRST))[1]'),
  ],
  'aggregates of pairs and of distinct values': [
    ofGroups('COUNTIF(DISTINCT b)', 'COUNT(*) FILTER (WHERE b)'),
    ofGroups('REGR_COUNT(i, d)'),
    ofGroups('ARG_MIN(DISTINCT i, i)', 'MIN(i)'),
  ],
  'functions over partitions': [
    ofWindow('NTILE(3)'),
    ofWindow('NTILE(1)'),
    ofWindow('NTH_VALUE(i, 2)'),
    ofWindow('NTH_VALUE(s, 1)', 'PARTITION BY k ORDER BY i, s, n, d, b ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING'),
    ofWindow('PERCENT_RANK()', 'PARTITION BY k ORDER BY i'),
    ofWindow('CUME_DIST()', 'PARTITION BY k ORDER BY i'),
    ofWindow('BOOL_AND(b)'),
    ofWindow('COUNT(i) FILTER (WHERE b)'),
  ],
};
