// Commas in FROM: whatever the order of the tables, they are joined by the equalities of WHERE, and not multiplied.
import * as fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Circuit } from '../../../../actors/engine/circuit/circuit.ts';
import { planProgram } from '../../../../actors/engine/plan/planner.ts';
import { compileProgram } from '../../../../actors/engine/sql/compile-program.ts';
import { batchOf, linesOf, type WeightedRow } from '../zset-rows.ts';

type Rows = readonly (readonly [id: number, x: number])[];

const names = ['a', 'b', 'c', 'd', 'e'];
const declared = names
  .map((name) => `CREATE TABLE ${name} (${name}_id INT NOT NULL, ${name}_x INT NOT NULL);`)
  .join('\n');

function running(view: string, tables = declared): { circuit: Circuit; plan: string } {
  const { program, problems } = compileProgram(`${tables}\nCREATE VIEW v AS ${view};`);
  if (program === null) throw problems[0] ?? new Error('the program has problems');
  const circuit = planProgram(program, { onError: 'stop' });
  circuit.observe('v');
  return { circuit, plan: circuit.explain() };
}

/** What the view holds once each table has its rows, one table after the other. */
function linesWith(circuit: Circuit, contents: ReadonlyMap<string, Rows>): string[] {
  const lines = new Map<string, number>();
  for (const [table, rows] of contents) {
    const { program } = compileProgram(declared);
    const { schema } = program!.tables[0]!.relation;
    const weighted = rows.map(([id, x]): WeightedRow => [1, id, x]);
    const changes = circuit.step(new Map([[table, [batchOf(schema, weighted)]]])).get('v');
    for (const line of changes === undefined ? [] : linesOf([changes])) {
      const [weight = '', values = ''] = line.split(': ');
      lines.set(values, (lines.get(values) ?? 0) + Number(weight));
    }
  }
  return [...lines].flatMap(([line, n]) => Array.from({ length: n }, () => line)).sort();
}

const table: fc.Arbitrary<Rows> = fc.array(fc.tuple(fc.nat(3), fc.nat(3)), { maxLength: 4 });

test('whatever the order of FROM, rows are those of the product that the conditions leave, in columns as they were written', () => {
  fc.assert(
    fc.property(
      fc.shuffledSubarray(names, { minLength: 2 }),
      fc.array(table, { minLength: names.length, maxLength: names.length }),
      fc.array(fc.tuple(fc.nat(4), fc.nat(4), fc.constantFrom('', ' + 1')), { maxLength: 6 }),
      (from, rows, links) => {
        const conditions = links
          .map(([i, j, more]) => [from[i % from.length]!, from[j % from.length]!, more] as const)
          .filter(([a, b]) => a !== b);
        const where = conditions.map(([a, b, more]) => `${a}_x${more} = ${b}_id`).join(' AND ');
        const { circuit } = running(`SELECT * FROM ${from.join(', ')}${where === '' ? '' : ` WHERE ${where}`}`);
        const contents = new Map(from.map((name) => [name, rows[names.indexOf(name)]!]));
        const product = from.reduce<Record<string, readonly [number, number]>[]>(
          (before, name) => before.flatMap((row) => contents.get(name)!.map((values) => ({ ...row, [name]: values }))),
          [{}],
        );
        const expected = product
          .filter((row) => conditions.every(([a, b, more]) => row[a]![1] + (more === '' ? 0 : 1) === row[b]![0]))
          .map((row) => from.flatMap((name) => row[name]!).join(', '));
        assert.equal(linesWith(circuit, contents), expected.sort());
      },
    ),
    { numRuns: 100 },
  );
});

test('twelve tables of a chain that FROM names from both ends to the middle are not multiplied', () => {
  const chain = Array.from({ length: 12 }, (_, i) => `t${i}`);
  const tables = chain.map((name) => `CREATE TABLE ${name} (id INT NOT NULL, x INT NOT NULL);`).join('\n');
  const from = chain.map((_, i) => chain[i % 2 === 0 ? i / 2 : 11 - (i - 1) / 2]!);
  const where = chain.slice(1).map((name, i) => `${chain[i]!}.x = ${name}.id`);
  const { circuit } = running(`SELECT t0.id, t11.x FROM ${from.join(', ')} WHERE ${where.join(' AND ')}`, tables);
  const rows: Rows = Array.from({ length: 1000 }, (_, i) => [i, i]);
  assert.is(linesWith(circuit, new Map(chain.map((name) => [name, rows]))).length, 1000);
});

test('an equality that could fail on a row connects two tables that nothing else connects', () => {
  const { circuit, plan } = running('SELECT a_id, b_id FROM a, b WHERE a_x + 1 = b_id');
  assert.match(plan, /inner join \[#1 = #0\]/);
  const rows: Rows = [
    [1, 1],
    [2, 2],
  ];
  assert.equal(
    linesWith(
      circuit,
      new Map([
        ['a', rows],
        ['b', rows],
      ]),
    ),
    ['1, 2'],
  );
});

test.run();
