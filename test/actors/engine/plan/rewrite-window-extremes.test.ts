// Rows joined with the extreme of their window of time: the rows that a join and an aggregation give.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { planProgram } from '../../../../actors/engine/plan/planner.ts';
import { compileProgram } from '../../../../actors/engine/sql/compile-program.ts';
import { batchOf, linesOf, seeded, type WeightedRow } from '../zset-rows.ts';

type Running = { circuit: ReturnType<typeof planProgram>; schema: Parameters<typeof batchOf>[0] };

const columns = 'at TIMESTAMP NOT NULL LATENESS INTERVAL 6 SECOND, v BIGINT, s VARCHAR';
const growing = `CREATE TABLE t (${columns}) WITH ('append_only' = 'true');`;
const changing = 'CREATE TABLE t (at TIMESTAMP, v BIGINT, s VARCHAR);';

function running(sql: string): Running {
  const { program, problems } = compileProgram(sql);
  if (program === null) throw problems[0] ?? new Error('the program has problems');
  const circuit = planProgram(program, { onError: 'stop' });
  for (const view of program.views) circuit.observe(view.relation.name);
  return { circuit, schema: program.tables[0]!.relation.schema };
}

const extremes = (extreme: string, more = ''): string =>
  `SELECT ${extreme}(v) AS v, TUMBLE_START(at, INTERVAL 4 SECOND${more}) AS start, TUMBLE_END(at, INTERVAL 4 SECOND${more}) AS closing
   FROM t GROUP BY TUMBLE(at, INTERVAL 4 SECOND${more})`;
const joined = (on: string, extreme: string, more = ''): string =>
  `SELECT t.s, m.closing, t.at, m.v FROM t JOIN (${extremes(extreme, more)}) m ON ${on}`;
/** The same in a form that the planner does not know. */
const unknown = (on: string, extreme: string, more = ''): string => joined(`${on} AND t.v - m.v = 0`, extreme, more);

function sum(weights: Map<string, number>, lines: readonly string[]): readonly string[] {
  for (const line of lines) {
    const row = line.slice(line.indexOf(':'));
    const weight = (weights.get(row) ?? 0) + Number.parseInt(line, 10);
    if (weight === 0) weights.delete(row);
    else weights.set(row, weight);
  }
  return [...weights].map(([row, weight]) => `${weight}${row}`).sort();
}

const micros = (second: number): bigint => BigInt(second) * 1_000_000n;

/** Rows of a step whose times go on; some of those of a table that changes go again. */
function rowsOf(step: number, below: (n: number) => number, present: WeightedRow[] | null): WeightedRow[] {
  const rows: WeightedRow[] = [];
  for (let i = below(12); i > 0; i--) {
    if (present !== null && present.length > 0 && below(5) < 2) {
      const [, ...values] = present.splice(below(present.length), 1)[0]!;
      rows.push([-1, ...values]);
      continue;
    }
    const at = micros(step + below(9) - 4);
    const value = below(9) === 0 ? null : BigInt(below(4) - 1);
    const row: WeightedRow = [1, present !== null && below(9) === 0 ? null : at, value, `s${below(3)}`];
    rows.push(row);
    present?.push(row);
  }
  return rows;
}

const between = 't.v = m.v AND t.at BETWEEN m.closing - INTERVAL 4 SECOND AND m.closing';
for (const [on, extreme, more] of [
  [between, 'MAX', ''],
  [between, 'MIN', ", TIME '00:00:01'"],
  ['m.v = t.v AND m.start <= t.at AND t.at < m.start + INTERVAL 4 SECOND', 'MAX', ''],
] as const) {
  for (const table of [growing, changing]) {
    const kind = table === growing ? 'rows only come' : 'rows come and go';
    test(`${extreme} with ${on}: ${kind}, a snapshot lies between`, () => {
      const sql = `${table} CREATE VIEW a AS ${joined(on, extreme, more)}; CREATE VIEW b AS ${unknown(on, extreme, more)};`;
      let { circuit, schema } = running(sql);
      assert.match(circuit.explain(), `extreme rows [${extreme.toLowerCase()} #`);
      assert.is(circuit.explain().includes('extreme candidates'), table === growing);
      const below = seeded(29);
      const present = table === growing ? null : [];
      const [a, b] = [new Map<string, number>(), new Map<string, number>()];
      for (let step = 0; step < 60; step++) {
        const changes = circuit.step(new Map([['t', [batchOf(schema, rowsOf(step, below, present))]]]));
        const lines = (view: string): readonly string[] =>
          linesOf([changes.get(view)].filter((each) => each !== undefined));
        assert.equal(sum(a, lines('a')), sum(b, lines('b')), `step ${step}`);
        if (step !== 30) continue;
        const next = running(sql);
        next.circuit.restore(circuit.snapshot());
        circuit = next.circuit;
      }
      assert.ok(a.size > 10, 'there are rows to compare');
    });
  }
}

test('with other bounds than those of the window it stays a join', () => {
  for (const on of [
    't.v = m.v AND t.at BETWEEN m.start AND m.closing + INTERVAL 1 SECOND',
    't.v = m.v AND t.at > m.start AND t.at <= m.closing',
    't.v >= m.v AND t.at BETWEEN m.start AND m.closing',
    't.v = m.v AND t.at >= m.start',
    `${between} AND t.s = 'x'`,
  ]) {
    const view = `CREATE VIEW a AS SELECT t.s, m.v FROM t JOIN (${extremes('MAX')}) m ON ${on};`;
    assert.not.match(running(`${growing}${view}`).circuit.explain(), 'extreme rows', on);
  }
});

test('of groups behind the watermark nothing is kept', () => {
  const { circuit, schema } = running(`${growing} CREATE VIEW a AS ${joined(between, 'MAX')};`);
  for (let step = 0; step < 50; step++) {
    const rows = Array.from({ length: 400 }, (_, i): WeightedRow => {
      return [1, micros(400 * step + i), BigInt(i % 7), `s${i}`];
    });
    circuit.step(new Map([['t', [batchOf(schema, rows)]]]));
  }
  // 5,000 windows.
  const kept = circuit.statistics().filter(({ operator }) => operator !== 'strings');
  for (const { operator, stateRows } of kept) assert.ok(stateRows < 3000, `${operator} holds ${stateRows}`);
});

test.run();
