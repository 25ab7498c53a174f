// Views that exercise operators over the tables of change-history.ts, in groups that make one program each.
//
// Where DuckDB words it otherwise, `oracle` is what it is asked. Used by the tests against the oracle and by those of several workers.
import type { ViewCase } from './incremental-view.ts';

const timeOfFact = "TIMESTAMPADD(SECOND, COALESCE(i, 0), TIMESTAMP '2020-01-01 00:00:00')";
const timed = `WITH timed AS (SELECT *, ${timeOfFact} AS moment FROM facts)`;
const hopOfFacts = 'TABLE(HOP(TABLE timed, DESCRIPTOR(moment), INTERVAL 2 SECOND, INTERVAL 6 SECOND))';
const windowsOfFacts = `(SELECT f.*, epoch_us(time_bucket(INTERVAL 2 SECOND, moment) - INTERVAL 2 SECOND * p) AS w
  FROM (SELECT *, TIMESTAMP '2020-01-01 00:00:00' + INTERVAL 1 SECOND * COALESCE(i, 0) AS moment FROM facts) f, range(3) r(p))`;

export const operatorViews: Readonly<Record<string, readonly ViewCase[]>> = {
  'filters and projections': [
    { title: 'filter', sql: 'SELECT k, s FROM facts WHERE i > 0' },
    { title: 'nested', sql: 'SELECT x + 1 AS y FROM (SELECT i + 1 AS x, b FROM facts) t WHERE b AND x > 0' },
    { title: 'whole table', sql: 'SELECT * FROM facts' },
    { title: 'keyed table', sql: 'SELECT name, score FROM users WHERE score IS NOT NULL' },
    { title: 'constant columns', sql: "SELECT 1 AS one, 'x' AS x, k FROM facts" },
  ],
  'inner joins': [
    { title: 'unique key', sql: 'SELECT f.s, f.n, u.name FROM facts f JOIN users u ON f.k = u.id' },
    { title: 'string key', sql: 'SELECT f.k, f.d, u.id FROM facts f JOIN users u ON f.s = u.name' },
    { title: 'two keys', sql: 'SELECT f.i, u.score FROM facts f JOIN users u ON f.k = u.id AND f.s = u.name' },
    { title: 'cast key', sql: 'SELECT f.s, u.name FROM facts f JOIN users u ON f.i = u.id' },
    { title: 'expression key', sql: 'SELECT f.s, u.name FROM facts f JOIN users u ON f.i + 1 = u.id' },
    { title: 'residual', sql: 'SELECT f.k, f.i, u.score FROM facts f JOIN users u ON f.k = u.id AND f.i < u.score' },
    { title: 'self join', sql: 'SELECT a.s, b.i FROM facts a JOIN facts b ON a.k = b.k' },
    { title: 'no key', sql: 'SELECT f.i, u.score FROM facts f JOIN users u ON f.i > u.score' },
    { title: 'cross', sql: 'SELECT f.k, u.id FROM facts f CROSS JOIN users u' },
    { title: 'where', sql: 'SELECT f.k, u.name FROM facts f, users u WHERE f.k = u.id AND f.b AND u.score > 0' },
    { title: 'double key', sql: 'SELECT a.k, b.i FROM facts a JOIN facts b ON a.d = b.d' },
    { title: 'no column wanted', sql: 'SELECT COUNT(*) AS c FROM facts f JOIN users u ON f.k = u.id' },
    {
      title: 'three tables',
      sql: 'SELECT f.i, u.name, w.score FROM facts f JOIN users u ON f.k = u.id JOIN users w ON u.score = w.id',
    },
  ],
  'overlapping windows': [
    {
      title: 'counts',
      sql: `${timed} SELECT k, window_start AS w, COUNT(*) AS c, COUNT(s) AS d, COUNT(*) FILTER (WHERE b) AS f FROM ${hopOfFacts} GROUP BY k, window_start`,
      oracle: `SELECT k, w, COUNT(*) AS c, COUNT(s) AS d, COUNT(*) FILTER (WHERE b) AS f FROM ${windowsOfFacts} GROUP BY k, w`,
    },
    {
      title: 'sums',
      sql: `${timed} SELECT k, window_start AS w, SUM(i) AS c FROM ${hopOfFacts} GROUP BY k, window_start`,
      oracle: `SELECT k, w, SUM(i) AS c FROM ${windowsOfFacts} GROUP BY k, w`,
    },
    {
      title: 'most counted',
      sql: `${timed} SELECT c.k, c.w, c.n FROM (SELECT k, window_start AS w, COUNT(*) AS n FROM ${hopOfFacts} GROUP BY k, window_start) c
        JOIN (SELECT w, MAX(n) AS most FROM (SELECT k, window_start AS w, COUNT(*) AS n FROM ${hopOfFacts} GROUP BY k, window_start) d GROUP BY w) m
        ON c.w = m.w AND c.n >= m.most`,
      oracle: `SELECT k, w, n FROM (SELECT k, w, COUNT(*) AS n, RANK() OVER (PARTITION BY w ORDER BY COUNT(*) DESC) AS place FROM ${windowsOfFacts} GROUP BY k, w) t WHERE place = 1`,
    },
  ],
  'subqueries in WHERE': [
    { title: 'in', sql: 'SELECT k, s FROM facts WHERE k IN (SELECT id FROM users)' },
    { title: 'in many', sql: 'SELECT id, name FROM users WHERE id IN (SELECT k FROM facts)' },
    { title: 'not in', sql: 'SELECT k, s FROM facts WHERE k NOT IN (SELECT id FROM users)' },
    { title: 'not in nullable', sql: 'SELECT k, i FROM facts WHERE i NOT IN (SELECT score FROM users WHERE id > 1)' },
    { title: 'unknown', sql: 'SELECT k, i FROM facts WHERE (i IN (SELECT score FROM users)) IS NULL' },
    { title: 'scalar', sql: 'SELECT k, i FROM facts WHERE i > (SELECT MIN(score) FROM users)' },
    { title: 'scalar of none', sql: 'SELECT k FROM facts WHERE (SELECT MAX(score) FROM users WHERE id > 2) IS NULL' },
    {
      title: 'under aggregate',
      sql: 'SELECT s, COUNT(*) AS c FROM facts WHERE b OR k IN (SELECT id FROM users) GROUP BY s',
    },
  ],
  'full joins': [
    { title: 'key', sql: 'SELECT f.k, f.s, u.id, u.name FROM facts f FULL JOIN users u ON f.k = u.id' },
    {
      title: 'residual',
      sql: 'SELECT f.k, f.i, u.score FROM facts f FULL OUTER JOIN users u ON f.k = u.id AND f.i < u.score',
    },
    {
      title: 'under where',
      sql: 'SELECT f.k, u.id FROM facts f FULL JOIN users u ON f.k = u.id WHERE f.k IS NULL OR u.id > 1',
    },
  ],
  'left joins': [
    { title: 'unique key', sql: 'SELECT f.k, f.s, u.name FROM facts f LEFT JOIN users u ON f.k = u.id' },
    { title: 'many matches', sql: 'SELECT u.id, f.i FROM users u LEFT JOIN facts f ON f.k = u.id' },
    {
      title: 'residual',
      sql: 'SELECT f.k, f.i, u.score FROM facts f LEFT JOIN users u ON f.k = u.id AND f.i < u.score',
    },
    { title: 'right filter', sql: 'SELECT f.k, u.score FROM facts f LEFT JOIN users u ON f.k = u.id AND u.score > 0' },
    { title: 'left filter', sql: 'SELECT f.k, u.score FROM facts f LEFT JOIN users u ON f.k = u.id AND f.b' },
    { title: 'anti join', sql: 'SELECT f.k, f.s FROM facts f LEFT JOIN users u ON f.k = u.id WHERE u.id IS NULL' },
    { title: 'no key', sql: 'SELECT f.k, u.id FROM facts f LEFT JOIN users u ON f.i > u.score' },
    { title: 'always', sql: 'SELECT f.k, u.id FROM facts f LEFT JOIN users u ON TRUE' },
    { title: 'never', sql: 'SELECT f.k, u.id FROM facts f LEFT JOIN users u ON FALSE' },
    {
      title: 'under aggregate',
      sql: 'SELECT u.id, COUNT(f.i) AS c, SUM(f.n) AS t FROM users u LEFT JOIN facts f ON f.k = u.id GROUP BY u.id',
    },
  ],
  aggregates: [
    { title: 'counts', sql: 'SELECT k, COUNT(*) AS c, COUNT(s) AS cs, COUNT(n) AS cn FROM facts GROUP BY k' },
    {
      title: 'sums',
      sql: 'SELECT s, SUM(k) AS sk, SUM(n) AS sn, SUM(d) AS sd, SUM(i) AS si FROM facts GROUP BY s',
    },
    {
      title: 'extremes',
      sql: 'SELECT k, MIN(s) AS a, MAX(s) AS b, MIN(n) AS c, MAX(d) AS e, MIN(i) AS g, MAX(b) AS h FROM facts GROUP BY k',
    },
    { title: 'global', sql: 'SELECT COUNT(*) AS c, SUM(k) AS s, MIN(d) AS a, MAX(n) AS b FROM facts' },
    { title: 'global over a filter', sql: "SELECT COUNT(*) AS c, MAX(s) AS m FROM facts WHERE s = 'nowhere'" },
    {
      title: 'distinct',
      sql: 'SELECT b, COUNT(DISTINCT s) AS c, SUM(DISTINCT n) AS t, COUNT(DISTINCT d) AS e FROM facts GROUP BY b',
    },
    {
      title: 'aggregates of one operand under several filters',
      sql: 'SELECT s, COUNT(DISTINCT i) AS a, COUNT(DISTINCT i) FILTER (WHERE b) AS c, MIN(i) FILTER (WHERE NOT b) AS d, MAX(i) FILTER (WHERE k > 0) AS e, MAX(i) AS f, SUM(DISTINCT i) FILTER (WHERE k > 0) AS g, COUNT(DISTINCT n) FILTER (WHERE b) AS h, COUNT(DISTINCT n) FILTER (WHERE k > 0) AS j FROM facts GROUP BY s',
    },
    {
      title: 'filter clause',
      sql: 'SELECT s, COUNT(*) FILTER (WHERE b) AS c, SUM(i) FILTER (WHERE k > 0) AS t, MAX(n) FILTER (WHERE NOT b) AS m FROM facts GROUP BY s',
    },
    {
      title: 'averages',
      sql: 'SELECT b, AVG(k) AS ak, AVG(n) AS an, AVG(d) AS ad FROM facts GROUP BY b',
      oracle:
        'SELECT b, trunc(SUM(k) / COUNT(k))::BIGINT, (sign(SUM(n)) * (abs(SUM(n * 100)::BIGINT) // COUNT(n)) / 100)::DECIMAL(10,2), AVG(d) FROM facts GROUP BY b',
    },
    {
      title: 'deviations',
      sql: 'SELECT k, ROUND(STDDEV_SAMP(d), 6) AS a, ROUND(STDDEV_POP(d), 6) AS b, ROUND(VAR_POP(d), 6) AS c, ROUND(STDDEV(DISTINCT d), 6) AS e FROM facts GROUP BY k',
    },
    {
      title: 'bits',
      sql: 'SELECT k, BIT_AND(i) AS a, BIT_OR(i) AS b, BIT_XOR(i) AS c, BIT_XOR(DISTINCT i) AS e FROM facts GROUP BY k',
    },
    {
      title: 'texts',
      sql: "SELECT k, STRING_AGG(s, '|') AS a, LISTAGG(DISTINCT s) AS b FROM facts GROUP BY k",
      oracle:
        "SELECT k, STRING_AGG(s, '|' ORDER BY s) AS a, STRING_AGG(DISTINCT s, ',' ORDER BY s) AS b FROM facts GROUP BY k",
    },
    {
      title: 'counts of several',
      sql: 'SELECT b, COUNT(k, s) AS c, COUNT(DISTINCT k, s) AS e FROM facts GROUP BY b',
      oracle:
        'SELECT b, COUNT(*) FILTER (WHERE k IS NOT NULL AND s IS NOT NULL) AS c, COUNT(DISTINCT CASE WHEN k IS NOT NULL AND s IS NOT NULL THEN (k, s) END) AS e FROM facts GROUP BY b',
    },
    { title: 'expressions', sql: 'SELECT i % 2 AS p, SUM(i * 2) AS t FROM facts GROUP BY i % 2 HAVING COUNT(*) > 1' },
    { title: 'several groups', sql: 'SELECT k, s, b, d, COUNT(*) AS c FROM facts GROUP BY k, s, b, d' },
    { title: 'no aggregates', sql: 'SELECT k, b FROM facts GROUP BY k, b' },
    {
      title: 'over aggregate',
      sql: 'SELECT c, COUNT(*) AS groups FROM (SELECT k, COUNT(*) AS c FROM facts GROUP BY k) t GROUP BY c',
    },
    {
      title: 'mixed',
      sql: 'SELECT k, COUNT(DISTINCT i) AS c, MIN(i) AS a, MAX(i) AS b, SUM(DISTINCT i) AS t, SUM(i) AS u FROM facts GROUP BY k',
    },
  ],
  'except and intersect': [
    { title: 'except', sql: 'SELECT k, b FROM facts EXCEPT SELECT score, NULL FROM users' },
    { title: 'except all', sql: 'SELECT s FROM facts EXCEPT ALL SELECT name FROM users' },
    { title: 'intersect', sql: 'SELECT k, s FROM facts INTERSECT SELECT score, name FROM users' },
    { title: 'intersect all', sql: 'SELECT s FROM facts INTERSECT ALL SELECT name FROM users' },
    {
      title: 'precedence',
      sql: 'SELECT s FROM facts UNION SELECT name FROM users INTERSECT SELECT s FROM facts WHERE b',
    },
    { title: 'except itself', sql: '(SELECT k, s FROM facts) EXCEPT (SELECT k, s FROM facts WHERE b)' },
  ],
  'distinct, union and top': [
    { title: 'distinct', sql: 'SELECT DISTINCT k, b FROM facts' },
    { title: 'union all', sql: 'SELECT k, s FROM facts UNION ALL SELECT score, name FROM users' },
    { title: 'union', sql: 'SELECT s FROM facts UNION SELECT name FROM users' },
    { title: 'values', sql: "SELECT * FROM (VALUES (1, 'a'), (2, NULL)) AS t(x, y) UNION ALL SELECT i, s FROM facts" },
    {
      title: 'top',
      sql: 'SELECT k, s, i FROM facts ORDER BY k DESC NULLS LAST, s ASC NULLS LAST LIMIT 3',
      oracle: 'SELECT k, s, i FROM facts ORDER BY k DESC NULLS LAST, s ASC NULLS LAST, i NULLS FIRST LIMIT 3',
    },
    {
      title: 'top with offset',
      sql: 'SELECT n, d FROM facts ORDER BY n ASC NULLS FIRST, d DESC NULLS FIRST LIMIT 4 OFFSET 2',
    },
    {
      title: 'offset alone',
      sql: 'SELECT d, s FROM facts ORDER BY d ASC NULLS LAST, s ASC NULLS LAST OFFSET 3',
    },
    {
      title: 'top of aggregate',
      sql: 'SELECT s, c FROM (SELECT s, COUNT(*) AS c FROM facts GROUP BY s) t ORDER BY c DESC NULLS LAST, s ASC NULLS LAST LIMIT 2',
    },
  ],
};
