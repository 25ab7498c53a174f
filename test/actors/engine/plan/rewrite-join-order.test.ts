// The order in which tables are joined: what has an equality with what came before, where FROM would make a product.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { avoidProducts } from '../../../../actors/engine/plan/rewrite-join-order.ts';
import { pushFilters } from '../../../../actors/engine/plan/rewrite-push-filters.ts';
import type { Rel } from '../../../../actors/engine/sql/bound.ts';
import { compileProgram } from '../../../../actors/engine/sql/compile-program.ts';

const tables = ['a', 'b', 'c', 'd'].map((name) => `CREATE TABLE ${name} (x INT, y INT);`).join(' ');

/** The tables of the joins in their order, with × for a join without a condition. */
function orderOf(query: string): string {
  const { program, problems } = compileProgram(`${tables} CREATE VIEW v AS SELECT 1 AS one, ${query};`);
  if (program === null) throw problems[0] ?? new Error('the program has problems');
  const [view] = program.views;
  return shown(avoidProducts(pushFilters(view!.query)));
}

function shown(rel: Rel): string {
  switch (rel.kind) {
    case 'scan':
      return rel.relation;
    case 'join': {
      const sign = rel.type === 'left' ? '⟕' : rel.condition.kind === 'literal' ? '×' : '⋈';
      const right = shown(rel.right);
      return `${shown(rel.left)} ${sign} ${right.includes(' ') ? `(${right})` : right}`;
    }
    case 'project':
    case 'filter':
      return shown(rel.input);
    default:
      return rel.kind;
  }
}

const cases: readonly [what: string, query: string, order: string][] = [
  [
    'a product is put off until its table has an equality',
    'a.y FROM a, b, c WHERE a.x = c.x AND b.y = c.y',
    'a ⋈ c ⋈ b',
  ],
  ['an order without products stays', 'a.y FROM a, b, c WHERE a.x = b.x AND b.y = c.y', 'a ⋈ b ⋈ c'],
  ['also one with parentheses', 'a.y FROM a JOIN (b JOIN c ON b.x = c.x) ON a.x = b.x', 'a ⋈ (b ⋈ c)'],
  ['a product that there has to be comes last', 'a.y FROM a, b, c, d WHERE a.x = d.x AND c.y = d.y', 'a ⋈ d ⋈ c × b'],
  ['a product that no order avoids stays', 'a.y FROM a, b, c, d WHERE a.x = c.x AND b.x = d.x', 'a × b ⋈ c ⋈ d'],
  ['a product that no order avoids stays where it is', 'a.y FROM a, b, c WHERE a.x = c.x AND b.y > c.y', 'a × b ⋈ c'],
  [
    'conditions that are no equalities wait for their tables',
    'a.y FROM a, b, c WHERE a.x < b.x AND a.x = c.x AND b.y = c.y',
    'a ⋈ c ⋈ b',
  ],
  [
    'an outer join is one table of the chain',
    'a.y FROM a, b, (SELECT c.x, c.y FROM c LEFT JOIN d ON c.x = d.x) e WHERE a.x = e.x AND b.y = e.y',
    'a ⋈ (c ⟕ d) ⋈ b',
  ],
  [
    'a join whose condition may fail is one table',
    'a.y FROM a JOIN b ON a.x / b.x = 1, c WHERE a.x = c.x AND b.y = c.y',
    'a ⋈ b ⋈ c',
  ],
];

for (const [what, query, order] of cases) {
  test(`${what}: ${query}`, () => assert.is(orderOf(query), order));
}

test.run();
