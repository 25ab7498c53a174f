// The Nexmark queries (nexmark/*.sql): as programs of Millrace, as queries of DuckDB over tables of the same names, and the figures
// to compare with. Used by the benchmark and by the test that holds every query to the oracle.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'bench', 'nexmark');

/** In the order of their numbers. */
export const nexmarkQueries: readonly string[] = readdirSync(folder)
  .filter((name) => name.startsWith('q'))
  .map((name) => name.slice(0, -'.sql'.length))
  .sort((a, b) => Number(a.slice(1)) - Number(b.slice(1)));

/**
 * Thousand events a second of Feldera's own Nexmark benchmark: circuits written in Rust, 5 M events, a gap of 10 ms, steps of 40,000
 * events, the better of 1 and 2 workers beside a thread that generates; by the clock, from when circuit and threads stand until the last
 * step; on another machine of this kind, not in the same run.
 */
export const felderaThousands: Readonly<Record<string, number>> = {
  q0: 1755,
  q1: 1038,
  q2: 1573,
  q3: 1506,
  q4: 1067,
  q5: 1394,
  q7: 1069,
  q8: 1539,
  q9: 297,
  q12: 1207,
  q13: 720,
  q14: 1115,
  q15: 696,
  q16: 364,
  q17: 458,
  q18: 513,
  q19: 664,
  q20: 755,
  q22: 1202,
};

function queryText(name: string): string {
  return readFileSync(join(folder, `${name}.sql`), 'utf8');
}

export function nexmarkProgram(name: string, view: 'VIEW' | 'MATERIALIZED VIEW'): string {
  const schema = readFileSync(join(folder, 'schema.sql'), 'utf8');
  return `${schema}${queryText(name)}`.replace(`CREATE VIEW ${name}`, `CREATE ${view} ${name}`);
}

/** Queries that DuckDB writes in another way. */
export function oracleOf(name: string): string {
  const sql = queryText(name);
  const query = sql.slice(sql.indexOf(`CREATE VIEW ${name} AS`) + `CREATE VIEW ${name} AS`.length).replace(/;\s*$/, '');
  const tumble = (text: string): string =>
    text
      .replace(/TUMBLE_START\(date_time, INTERVAL '10' SECOND\)/g, "time_bucket(INTERVAL '10' SECOND, date_time)")
      .replace(
        /TUMBLE_END\(date_time, INTERVAL '10' SECOND\)/g,
        "time_bucket(INTERVAL '10' SECOND, date_time) + INTERVAL '10' SECOND",
      )
      .replace(/TUMBLE\(date_time, INTERVAL '10' SECOND\)/g, "time_bucket(INTERVAL '10' SECOND, date_time)");
  const hop = `(SELECT b.*, s AS window_start, s + INTERVAL 10 SECOND AS window_end
    FROM bid b, LATERAL (SELECT time_bucket(INTERVAL '2' SECOND, b.date_time) - (INTERVAL 2 SECOND) * k AS s FROM range(5) r(k)))`;
  return tumble(query)
    .replace(/'(day|minute)'(,| |\n)/g, '"$1"$2')
    .replace(/AVG\((\w+)\)/g, 'SUM($1) // COUNT(*)')
    .replace(/TABLE\(HOP\([^)]*\)[^)]*\)\)/, hop)
    .replace(/FORMAT_TIMESTAMP\('%H:%M', MAX\(date_time\)\)/, "strftime(MAX(date_time), '%H:%M')")
    .replace(/MATCH_CONDITION \([^)]*\) ON b.slot = s.key/, 'ON b.slot = s.key AND b.date_time >= s.date_time')
    .replace('LEFT ASOF JOIN', 'ASOF LEFT JOIN')
    .replace(/count_char\(extra, 'c'\)/, "length(extra) - length(replace(extra, 'c', ''))")
    .replace(/split_index\(url, '\/', (\d)\)/g, "split_part(url, '/', $1 + 1)");
}

/** Values as both sides spell them. */
export function textOf(value: unknown): string {
  if (value === null) return 'NULL';
  const text = String(value);
  if (/^\d{4}-\d\d-\d\d[ T]/.test(text))
    return text
      .replace('T', ' ')
      .replace(/(\.\d*?)0+$/, '$1')
      .replace(/\.$/, '');
  return /^-?\d+\.\d+$/.test(text) ? text.replace(/0+$/, '').replace(/\.$/, '') : text;
}
