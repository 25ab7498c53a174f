// Which operators a program becomes; that they compute the right thing is tested in test/oracle.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { planProgram } from '../../../../actors/engine/plan/planner.ts';
import { compileProgram } from '../../../../actors/engine/sql/compile-program.ts';
import { batchOf, linesOf } from '../zset-rows.ts';

const tables = `
CREATE TABLE f (k BIGINT, s VARCHAR, n BIGINT, x VARCHAR);
CREATE TABLE u (id BIGINT NOT NULL PRIMARY KEY, name VARCHAR, note VARCHAR);
CREATE TABLE log (k BIGINT, n BIGINT) WITH ('append_only' = 'true');
`;
function explain(views: string): string[] {
  const { program, problems } = compileProgram(tables + views);
  if (program === null) throw problems[0]!;
  return planProgram(program, { onError: 'stop' }).explain().split('\n').slice(3);
}
const operators = (views: string): string[] =>
  explain(views).map((line) => line.replace(/^\d+ ([a-z -]+) \[.*$/, '$1'));

test('a filter and a projection are one row program', () => {
  assert.equal(
    operators('CREATE VIEW v AS SELECT n + 1 AS m FROM (SELECT n, s FROM f WHERE k > 0) t WHERE s IS NULL;'),
    ['map'],
  );
});

test('renaming and reordering of what an operator reads costs no program', () => {
  assert.equal(
    operators(
      'CREATE MATERIALIZED VIEW v AS SELECT a, COUNT(*) AS c FROM (SELECT n AS z, s AS a FROM f) t GROUP BY a;',
    ),
    ['aggregate'],
  );
});

test('a comma join with a WHERE becomes an equi-join, with filters in front', () => {
  assert.equal(
    operators("CREATE VIEW v AS SELECT f.n, u.name FROM f, u WHERE f.k = u.id AND f.s = 'a' AND u.note IS NULL;"),
    ['map', 'map', 'inner join'],
  );
});

test('a predicate that could fail stays above the join', () => {
  assert.equal(operators('CREATE VIEW v AS SELECT f.n FROM f JOIN u ON f.k = u.id WHERE 10 / f.n > 1;'), [
    'inner join',
    'map',
  ]);
});

test('a left join tells rows apart by the columns of its condition, also where nobody else reads them', () => {
  const { program } = compileProgram(
    `${tables} CREATE VIEW v AS SELECT f.n, u.note FROM f LEFT JOIN u ON f.k = u.id AND u.name > f.s;`,
  );
  const circuit = planProgram(program!, { onError: 'stop' });
  circuit.observe('v');
  const [f, u] = ['f', 'u'].map((name) => program!.tables.find(({ relation }) => relation.name === name)!.relation);
  const changes = circuit.step(
    new Map([
      ['u', [batchOf(u!.schema, [[1, 1n, 'b', 'a note']])]],
      [
        'f',
        [
          batchOf(f!.schema, [
            [1, 1n, 'a', 5n, ''],
            [1, 2n, 'a', 5n, ''],
          ]),
        ],
      ],
    ]),
  );
  assert.equal(linesOf([...changes.values()]).sort(), ['+1: 5, ', '+1: 5, a note']);
});

test('equal subplans are built once', () => {
  const common = 'SELECT f.n, u.name FROM f JOIN u ON f.k = u.id';
  assert.equal(
    operators(`CREATE VIEW a AS SELECT name, SUM(n) AS s FROM (${common}) t GROUP BY name;
      CREATE VIEW b AS SELECT name, MAX(n) AS m FROM (${common}) t GROUP BY name;`),
    ['inner join', 'aggregate', 'aggregate'],
  );
});

test('a local view is computed when something reads it, and not otherwise', () => {
  assert.equal(operators('CREATE LOCAL VIEW l AS SELECT DISTINCT s FROM f;'), []);
  assert.equal(
    operators('CREATE LOCAL VIEW l AS SELECT DISTINCT s FROM f; CREATE VIEW v AS SELECT COUNT(*) AS c FROM l;'),
    ['distinct', 'aggregate'],
  );
});

test('content is kept once: an aggregate is its own content, a join needs an index of its rows', () => {
  assert.equal(operators('CREATE MATERIALIZED VIEW v AS SELECT s, COUNT(*) + 1 AS c FROM f GROUP BY s;'), [
    'aggregate',
    'map',
  ]);
  assert.equal(operators('CREATE MATERIALIZED VIEW v AS SELECT f.s FROM f JOIN u ON f.k = u.id;'), [
    'inner join',
    'integrate',
  ]);
});

test.run();
