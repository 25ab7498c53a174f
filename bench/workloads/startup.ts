// From SQL text to a circuit that has taken its first step: each Nexmark query, and a program of a hundred views.
//
// `first` is in a process that has compiled nothing before, parser and code of the engine not yet warm; `again` is the fastest of a few
// later ones in the same process, which is what a server sees that compiles all day. In CPU time, collections and the compiler of V8
// included, as the machine may have other work to do; the first by the clock as well.
import { planProgram } from '../../actors/engine/plan/planner.ts';
import { compileProgram } from '../../actors/engine/sql/compile-program.ts';
import { nexmarkProgram, nexmarkQueries } from '../nexmark-queries.ts';
import { type Measured, markdownTable, medianOf, type Workloads } from '../workload.ts';

const viewsMany = 100;
const again = 5;

/** Joins, aggregates and filters over two tables, each view different. */
function manyViews(): string {
  const views = Array.from({ length: viewsMany }, (_, i) => {
    const kinds = [
      `SELECT o.user_id % ${i + 2} AS bucket, COUNT(*) AS n, SUM(o.amount) AS total FROM orders o GROUP BY o.user_id % ${i + 2}`,
      `SELECT u.name, o.id, o.amount FROM orders o JOIN users u ON o.user_id = u.id WHERE o.amount > ${i}`,
      `SELECT DISTINCT country, LENGTH(name) + ${i} AS size FROM users`,
      `SELECT id, CASE WHEN amount > ${i} THEN 'much' ELSE note END AS note FROM orders WHERE id % ${i + 1} = 0`,
    ];
    return `CREATE VIEW v${i} AS ${kinds[i % kinds.length]};`;
  });
  return `CREATE TABLE users (id BIGINT NOT NULL PRIMARY KEY, name VARCHAR, country VARCHAR);
    CREATE TABLE orders (id BIGINT, user_id BIGINT, amount DECIMAL(10, 2), note VARCHAR);
    ${views.join('\n')}`;
}

interface Took {
  readonly clockMs: number;
  readonly cpuMs: number;
}

function start(sql: string): Took {
  const begun = performance.now();
  const before = process.cpuUsage();
  const { program, problems } = compileProgram(sql);
  if (program === null) throw problems[0] ?? new Error('the program does not compile');
  const circuit = planProgram(program, { onError: 'stop' });
  for (const { relation } of program.views) circuit.observe(relation.name);
  circuit.step(new Map());
  const { user, system } = process.cpuUsage(before);
  return { clockMs: performance.now() - begun, cpuMs: (user + system) / 1000 };
}

function measure(sql: string): Measured {
  const first = start(sql);
  const laterMs = Math.min(...Array.from({ length: again }, () => start(sql).cpuMs));
  const { clockMs, cpuMs: firstMs } = first;
  return { seconds: clockMs / 1000, rows: 1, checksum: 'compiled', firstMs, clockMs, laterMs };
}

const programs: readonly { readonly name: string; readonly sql: () => string; readonly promisedMs: number }[] = [
  ...nexmarkQueries.map((query) => ({ name: query, sql: () => nexmarkProgram(query, 'VIEW'), promisedMs: 100 })),
  { name: `${viewsMany} views`, sql: manyViews, promisedMs: 1000 },
];

export const workloads: Workloads = {
  startup: () => ({
    title: `SQL text to running circuit; promised: at most 100 ms for a Nexmark query, at most 1 s for ${viewsMany} views`,
    checksum: 'compiled',
    contenders: programs.map(({ name, sql }) => ({ name, run: () => measure(sql()) })),
    figures: (runs) => ({
      lines: markdownTable(
        ['program', 'first in its process, ms of CPU', 'by the clock, ms', 'again, ms of CPU', 'promised', 'kept'],
        programs.map(({ name, promisedMs }, i) => {
          const own = runs[i] ?? [];
          const [first, later] = [medianOf(own, 'firstMs'), medianOf(own, 'laterMs')];
          const kept = first <= promisedMs ? 'yes' : later <= promisedMs ? 'again only' : 'no';
          const clock = medianOf(own, 'clockMs').toFixed(0);
          return [name, first.toFixed(1), clock, later.toFixed(1), `${promisedMs}`, kept];
        }),
      ),
    }),
  }),
};
