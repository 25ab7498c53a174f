// Views that exercise subqueries, joins of every kind, windows, recursion and grouping sets over the tables of change-history.ts, in groups that make one program each.
//
// Where DuckDB words it otherwise, `oracle` is what it is asked. Used by the tests against the oracle and by those of several workers.
import type { ViewCase } from './incremental-view.ts';

export const relationalViews: Readonly<Record<string, readonly ViewCase[]>> = {
  'tables in any order': [
    {
      title: 'a product that is none in another order',
      sql: 'SELECT u.id, w.name, f.i, f.s FROM users u, users w, facts f WHERE f.k = u.id AND w.score = f.i AND u.id <> w.id',
    },
    {
      title: 'two groups of tables',
      sql: `SELECT u.id, f.i, w.score, g.s FROM users u, users w, facts f, facts g
              WHERE u.id = f.k AND w.id = g.k AND u.score + w.score >= 0 AND u.score < w.score`,
    },
    {
      title: 'beside an outer join',
      sql: `SELECT u.name, x.i, v.id FROM users u, users v, (SELECT f.i, f.k, w.name FROM facts f LEFT JOIN users w ON w.id = f.k) x
              WHERE x.k = u.id AND x.i = v.score`,
    },
  ],
  'correlated subqueries': [
    { title: 'exists', sql: 'SELECT k, s FROM facts f WHERE EXISTS (SELECT 1 FROM users u WHERE u.id = f.k)' },
    { title: 'not exists', sql: 'SELECT k, s FROM facts f WHERE NOT EXISTS (SELECT 1 FROM users u WHERE u.id = f.k)' },
    { title: 'exists of any', sql: 'SELECT k FROM facts WHERE EXISTS (SELECT 1 FROM users WHERE score > 3)' },
    {
      title: 'exists with a range',
      sql: 'SELECT id, name FROM users u WHERE EXISTS (SELECT 1 FROM facts f WHERE f.i < u.score AND f.k >= u.id)',
    },
    {
      title: 'scalar count',
      sql: 'SELECT id, (SELECT COUNT(*) FROM facts f WHERE f.k = u.id) AS c FROM users u',
    },
    {
      title: 'scalar count below',
      sql: 'SELECT k, i, (SELECT COUNT(*) FROM facts AS x WHERE x.i < facts.i) AS below FROM facts',
    },
    {
      title: 'scalar of an expression',
      sql: 'SELECT id, (SELECT COALESCE(MAX(f.i), -9) + u.id FROM facts f WHERE f.s = u.name) AS m FROM users u',
    },
    {
      title: 'in where and beside or',
      sql: "SELECT k, s FROM facts f WHERE b OR i > (SELECT MIN(u.score) FROM users u WHERE u.id >= f.k) OR s = 'a'",
    },
    {
      title: 'correlated in',
      sql: 'SELECT k, i FROM facts f WHERE i IN (SELECT score FROM users u WHERE u.id <= f.k)',
    },
    {
      title: 'correlated not in',
      sql: 'SELECT k, i FROM facts f WHERE i NOT IN (SELECT score FROM users u WHERE u.id <= f.k)',
    },
    {
      title: 'of a group',
      sql: 'SELECT k, COUNT(*) AS c, (SELECT MAX(score) FROM users u WHERE u.id = f.k) AS m FROM facts f GROUP BY k',
    },
    {
      title: 'in having',
      sql: 'SELECT k, COUNT(*) AS c FROM facts f GROUP BY k HAVING COUNT(*) > (SELECT COUNT(*) FROM users u WHERE u.id < f.k)',
    },
    {
      title: 'in an aggregate',
      sql: 'SELECT s, SUM((SELECT MAX(score) FROM users u WHERE u.id = f.k)) AS m FROM facts f GROUP BY s',
    },
    {
      title: 'the greatest one',
      sql: 'SELECT id, (SELECT f.i FROM facts f WHERE f.k = u.id ORDER BY f.i DESC NULLS LAST LIMIT 1) AS top FROM users u',
    },
    {
      title: 'two levels',
      sql: `SELECT id FROM users u WHERE EXISTS (
              SELECT 1 FROM facts f WHERE f.k = u.id AND EXISTS (SELECT 1 FROM users w WHERE w.score = f.i AND w.id <> u.id))`,
    },
    {
      title: 'union inside',
      sql: `SELECT id FROM users u WHERE EXISTS (
              SELECT k FROM facts f WHERE f.k = u.id UNION ALL SELECT score FROM users w WHERE w.score = u.id)`,
    },
    {
      title: 'in a join condition',
      sql: 'SELECT f.k, u.id FROM facts f JOIN users u ON f.k = u.id AND f.i < (SELECT MAX(score) FROM users w WHERE w.id <= u.id)',
    },
  ],
  'quantified comparisons': [
    { title: 'less than any', sql: 'SELECT k, i FROM facts WHERE i < ANY (SELECT score FROM users)' },
    {
      title: 'greater or equal all',
      sql: 'SELECT k, i FROM facts WHERE i >= ALL (SELECT score FROM users WHERE id > 1)',
    },
    {
      title: 'different from any',
      sql: 'SELECT k, i FROM facts WHERE i <> ANY (SELECT score FROM users WHERE id > 0)',
    },
    { title: 'equal to all', sql: 'SELECT k, i FROM facts WHERE i = ALL (SELECT score FROM users WHERE id > 2)' },
    { title: 'not in as all', sql: 'SELECT k, i FROM facts WHERE i <> ALL (SELECT score FROM users WHERE id > 2)' },
    { title: 'unknown', sql: 'SELECT k, i, (i < ALL (SELECT score FROM users)) IS NULL AS u FROM facts' },
  ],
  'joins by columns': [
    {
      title: 'full using',
      sql: 'SELECT id, a.n1, b.n2 FROM (SELECT k AS id, i AS n1 FROM facts) a FULL JOIN (SELECT id, score AS n2 FROM users) b USING (id)',
    },
    {
      title: 'natural full',
      sql: 'SELECT * FROM (SELECT k AS id, i AS n1 FROM facts) a NATURAL FULL JOIN (SELECT id, score AS n2 FROM users) b',
    },
    { title: 'band', sql: 'SELECT f.k, u.id FROM facts f JOIN users u ON f.i BETWEEN u.score - 1 AND u.score + 1' },
    {
      title: 'left band',
      sql: 'SELECT f.k, u.id FROM facts f LEFT JOIN users u ON f.i BETWEEN u.score AND u.score + 1',
    },
    {
      title: 'null safe',
      sql: 'SELECT f.i, u.id FROM facts f JOIN users u ON f.s IS NOT DISTINCT FROM u.name AND f.k = u.score',
    },
    {
      title: 'left null safe',
      sql: 'SELECT f.i, u.id FROM facts f LEFT JOIN users u ON f.s IS NOT DISTINCT FROM u.name AND f.k = u.score',
    },
    {
      title: 'lateral',
      sql: 'SELECT u.id, x.s, x.n FROM users u, LATERAL (SELECT f.s, COUNT(*) AS n FROM facts f WHERE f.k = u.id GROUP BY f.s) x',
    },
    {
      title: 'left lateral',
      sql: 'SELECT u.id, x.i FROM users u LEFT JOIN LATERAL (SELECT i FROM facts f WHERE f.k = u.id AND f.b) x ON TRUE',
    },
    {
      title: 'asof',
      sql: `SELECT f.k, f.i, u.id, u.score FROM facts f
            LEFT ASOF JOIN (SELECT id, name, MAX(score) AS score FROM users WHERE score IS NOT NULL GROUP BY id, name) u
            MATCH_CONDITION (f.i >= u.id) ON f.s = u.name`,
      oracle: `SELECT f.k, f.i, u.id, u.score FROM facts f ASOF LEFT JOIN (SELECT * FROM users WHERE score IS NOT NULL) u
               ON f.s = u.name AND f.i >= u.id`,
    },
  ],
  'window functions': [
    {
      title: 'row number',
      sql: 'SELECT k, i, s, ROW_NUMBER() OVER (PARTITION BY k ORDER BY i, s, n, d, b) AS r FROM (SELECT DISTINCT * FROM facts) x',
    },
    {
      title: 'ranks',
      sql: 'SELECT k, i, RANK() OVER (PARTITION BY k ORDER BY i) AS r, DENSE_RANK() OVER (PARTITION BY k ORDER BY i) AS d FROM facts',
    },
    {
      title: 'distinct values of a partition',
      sql: 'SELECT k, i, COUNT(DISTINCT i) OVER (PARTITION BY k) AS c, COUNT(DISTINCT s) OVER () AS t, RANK() OVER (PARTITION BY k ORDER BY i) AS r FROM facts',
    },
    {
      title: 'texts of a partition',
      sql: "SELECT k, i, STRING_AGG(s, '|' ORDER BY s) OVER (PARTITION BY k, i) AS w FROM facts",
    },
    {
      title: 'distinct values of a frame',
      sql: 'SELECT k, i, COUNT(DISTINCT s) OVER (PARTITION BY k ORDER BY i) AS c, SUM(DISTINCT i) OVER (PARTITION BY k ORDER BY i, s, n, d, b ROWS BETWEEN 2 PRECEDING AND 1 PRECEDING) AS t FROM facts',
    },
    {
      title: 'texts of a frame',
      sql: "SELECT k, i, s, STRING_AGG(s, '|') OVER (PARTITION BY k ORDER BY i, s, n, d, b ROWS BETWEEN 1 FOLLOWING AND 3 FOLLOWING) AS w FROM facts",
    },
    { title: 'descending', sql: 'SELECT k, i, RANK() OVER (ORDER BY i DESC NULLS LAST) AS r FROM facts' },
    {
      title: 'top',
      sql: 'SELECT k, i FROM (SELECT k, i, ROW_NUMBER() OVER (PARTITION BY k ORDER BY i DESC) AS r FROM facts) x WHERE r <= 2',
    },
    {
      title: 'top with place',
      sql: 'SELECT * FROM (SELECT k, i, ROW_NUMBER() OVER (PARTITION BY k ORDER BY i DESC) AS r FROM facts) x WHERE r < 3',
    },
    {
      title: 'top rank',
      sql: 'SELECT k, i FROM (SELECT k, i, RANK() OVER (PARTITION BY k ORDER BY i) AS r FROM facts) x WHERE r <= 2',
    },
    {
      title: 'top dense rank',
      sql: 'SELECT k, i, r FROM (SELECT k, i, DENSE_RANK() OVER (PARTITION BY s ORDER BY i) AS r FROM facts) x WHERE r = 2',
    },
    { title: 'qualify', sql: 'SELECT k, i FROM facts QUALIFY RANK() OVER (PARTITION BY k ORDER BY i) = 1' },
    {
      title: 'lag and lead',
      sql: 'SELECT id, LAG(score) OVER (ORDER BY id) AS a, LEAD(name, 2) OVER (ORDER BY id) AS b, LAG(score, 1, 0) OVER (PARTITION BY name ORDER BY id) AS c FROM users',
    },
    {
      title: 'first and last',
      sql: 'SELECT id, FIRST_VALUE(score) OVER (PARTITION BY name ORDER BY id) AS a, LAST_VALUE(score) OVER (PARTITION BY name ORDER BY id) AS b FROM users',
    },
    {
      title: 'running',
      sql: 'SELECT k, i, SUM(i) OVER (PARTITION BY k ORDER BY i) AS s, COUNT(*) OVER (PARTITION BY k ORDER BY i) AS c, SUM(n) OVER (PARTITION BY k ORDER BY i) AS t FROM facts',
    },
    {
      title: 'whole',
      sql: 'SELECT k, i, MIN(i) OVER (PARTITION BY k) AS a, MAX(s) OVER (PARTITION BY k) AS b, SUM(d) OVER (PARTITION BY k) AS c, COUNT(s) OVER () AS e FROM facts',
    },
    {
      title: 'rows',
      sql: 'SELECT id, SUM(score) OVER (ORDER BY id ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING) AS s, MIN(score) OVER (ORDER BY id ROWS BETWEEN 2 PRECEDING AND CURRENT ROW) AS m FROM users',
    },
    {
      title: 'range',
      sql: 'SELECT k, i, COUNT(*) OVER (PARTITION BY k ORDER BY i RANGE BETWEEN 2 PRECEDING AND CURRENT ROW) AS c, MAX(i) OVER (ORDER BY i DESC RANGE BETWEEN 1 PRECEDING AND 1 FOLLOWING) AS m FROM facts',
    },
    {
      title: 'over groups',
      sql: 'SELECT k, SUM(i) AS s, RANK() OVER (ORDER BY SUM(i)) AS r, SUM(COUNT(*)) OVER () AS t FROM facts GROUP BY k',
    },
    { title: 'filter', sql: 'SELECT k, i, COUNT(*) FILTER (WHERE b) OVER (PARTITION BY k ORDER BY i) AS c FROM facts' },
  ],
  combinations: [
    {
      title: 'window over join and subquery',
      sql: `SELECT f.k, u.score, RANK() OVER (PARTITION BY f.k ORDER BY u.score, f.i) AS r
            FROM facts f LEFT JOIN users u ON f.k = u.id WHERE f.i >= (SELECT MIN(score) FROM users w WHERE w.id <> f.k)`,
    },
    {
      title: 'not in within case',
      sql: "SELECT k, i, CASE WHEN i NOT IN (SELECT score FROM users u WHERE u.name = f.s) THEN 'out' WHEN EXISTS (SELECT 1 FROM users u WHERE u.id = f.i) THEN 'id' ELSE s END AS c FROM facts f",
    },
    {
      title: 'lateral over a window',
      sql: `SELECT u.id, x.i, x.r FROM users u, LATERAL (
              SELECT i, ROW_NUMBER() OVER (ORDER BY i DESC) AS r FROM facts f WHERE f.k = u.id) x WHERE x.r <= 2`,
    },
    {
      title: 'lateral limit',
      sql: 'SELECT u.id, x.i FROM users u LEFT JOIN LATERAL (SELECT i FROM facts f WHERE f.k < u.id ORDER BY i DESC NULLS LAST LIMIT 2 OFFSET 1) x ON TRUE',
    },
    {
      title: 'correlated distinct and except',
      sql: `SELECT id, (SELECT COUNT(*) FROM (SELECT DISTINCT i FROM facts f WHERE f.k = u.id EXCEPT SELECT score FROM users w WHERE w.id > u.id) x) AS c
            FROM users u`,
    },
    {
      title: 'correlated left join',
      sql: `SELECT id, (SELECT SUM(COALESCE(w.score, 1)) FROM facts f LEFT JOIN users w ON w.id = f.i AND w.score > u.score WHERE f.k = u.id) AS c
            FROM users u`,
      oracle: `SELECT u.id, SUM(CASE WHEN f.one THEN COALESCE(w.score, 1) END) AS c FROM users u
               LEFT JOIN (SELECT *, TRUE AS one FROM facts) f ON f.k = u.id
               LEFT JOIN users w ON w.id = f.i AND w.score > u.score GROUP BY u.id`,
    },
    {
      title: 'correlated group and having',
      sql: 'SELECT id FROM users u WHERE EXISTS (SELECT f.s FROM facts f WHERE f.k >= u.id GROUP BY f.s HAVING COUNT(*) > 1 AND MAX(f.i) > u.score)',
    },
    {
      title: 'subquery of a rollup',
      sql: `SELECT k, b, COUNT(*) AS c, (SELECT COUNT(*) FROM users u WHERE u.id = f.k) AS n FROM facts f GROUP BY ROLLUP (k, b)
            HAVING COUNT(*) >= (SELECT COUNT(*) FROM users u WHERE u.score > 3)`,
    },
    {
      title: 'qualify of a group',
      sql: 'SELECT k, s, SUM(i) AS t FROM facts GROUP BY k, s QUALIFY RANK() OVER (PARTITION BY k ORDER BY SUM(i) DESC NULLS LAST) = 1',
    },
    {
      title: 'with read twice',
      sql: `WITH c AS (SELECT k, COUNT(*) AS n, MAX(i) AS m FROM facts GROUP BY k)
            SELECT a.k, b.m FROM c a JOIN c b ON a.n = b.n WHERE a.n = (SELECT MAX(n) FROM c)`,
    },
    {
      title: 'under a full join',
      sql: `SELECT a.k, b.id FROM (SELECT k FROM facts WHERE k IN (SELECT id FROM users)) a
            FULL JOIN (SELECT id FROM users WHERE NOT EXISTS (SELECT 1 FROM facts WHERE facts.k = users.id)) b ON a.k = b.id`,
    },
    {
      title: 'outer join on a subquery',
      sql: 'SELECT f.k, u.id FROM facts f LEFT JOIN users u ON f.k = u.id AND f.i > (SELECT AVG(w.score) FROM users w WHERE w.id < f.k)',
      oracle: `SELECT f.k, u.id FROM (SELECT f.*, (SELECT TRUNC(SUM(w.score) / COUNT(w.score)) FROM users w WHERE w.id < f.k) AS most FROM facts f) f
               LEFT JOIN users u ON f.k = u.id AND f.i > f.most`,
    },
  ],
  'recursive views': [
    {
      title: 'reachable',
      recursive: 'a BIGINT, b BIGINT',
      sql: 'SELECT k AS a, i AS b FROM facts WHERE k IS NOT NULL UNION SELECT r.a, f.i FROM SELF r JOIN facts f ON r.b = f.k',
      oracle: `WITH RECURSIVE r(a, b) AS (SELECT k, i::BIGINT FROM facts WHERE k IS NOT NULL
               UNION SELECT r.a, f.i FROM r JOIN facts f ON r.b = f.k) SELECT * FROM r`,
    },
    {
      title: 'counting',
      recursive: 'n BIGINT NOT NULL',
      sql: 'SELECT id AS n FROM users UNION SELECT n + 1 AS n FROM SELF WHERE n < 4',
      oracle: 'WITH RECURSIVE r(n) AS (SELECT id FROM users UNION SELECT n + 1 FROM r WHERE n < 4) SELECT * FROM r',
    },
  ],
  'grouping sets': [
    { title: 'sets', sql: 'SELECT k, s, COUNT(*) AS c FROM facts GROUP BY GROUPING SETS ((k, s), (k), ())' },
    { title: 'rollup', sql: 'SELECT k, s, SUM(i) AS t, GROUPING(k, s) AS g FROM facts GROUP BY ROLLUP (k, s)' },
    { title: 'cube', sql: 'SELECT k, b, MAX(i) AS m, GROUPING(b) AS g FROM facts GROUP BY CUBE (k, b)' },
    {
      title: 'with a plain group',
      sql: 'SELECT k, s, b, COUNT(*) AS c FROM facts GROUP BY k, ROLLUP (s, b) HAVING COUNT(*) > 1',
    },
    { title: 'not null', sql: 'SELECT id, COUNT(*) AS c FROM users GROUP BY ROLLUP (id)' },
  ],
};
