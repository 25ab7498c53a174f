// A program behind the engine actor's words: steps by table, contents, ad-hoc queries.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compileCircuit } from '../../../actors/engine/program-circuit.ts';
import { compileProgram, compileQuery } from '../../../actors/engine/sql/compile-program.ts';
import { numberBatch, numbersOf } from './engine-fixture.ts';

const text = `
  CREATE TABLE a (n INT NOT NULL);
  CREATE TABLE b (n INT NOT NULL);
  CREATE MATERIALIZED VIEW either AS SELECT n FROM a UNION ALL SELECT n FROM b;
  CREATE VIEW large AS SELECT n FROM either WHERE n > 10;
`;

const { program, problems } = compileProgram(text);
assert.equal(problems, []);

function circuit() {
  return compileCircuit({ program: program!, onError: 'stop' });
}

function bound(sql: string) {
  return compileQuery(
    sql,
    [...program!.tables, ...program!.views].map((definition) => definition.relation),
  );
}

test('batches go to their tables, and changes of observed views come out', () => {
  const made = circuit();
  made.observe('large');
  const a = { relation: 'a', batch: numberBatch([1, 20]) };
  const b = { relation: 'b', batch: numberBatch([30]) };
  const changes = made.step([a, b, { relation: 'a', batch: numberBatch([40]) }]);
  assert.equal([...changes.keys()], ['large']);
  assert.equal(changes.get('large')!.flatMap(numbersOf).sort(), [20, 30, 40]);
  assert.equal(made.contents('either').flatMap(numbersOf).sort(), [1, 20, 30, 40]);
  made.unobserve('large');
  assert.is(made.step([b]).size, 0);
  assert.ok(made.statistics().stateRows > 0);
});

test('a query reads what is materialized and is refused the rest', () => {
  const made = circuit();
  made.step([{ relation: 'a', batch: numberBatch([3, 1, 2]) }]);
  const { schema, batches } = made.query(bound('SELECT n FROM either WHERE n > 1 ORDER BY n'));
  assert.is(schema.fields.length, 1);
  assert.equal(batches.flatMap(numbersOf), [2, 3]);
  assert.throws(
    () => made.query(bound('SELECT n FROM large')),
    (error: { code: string }) => /materialized/.test(error.code),
  );
});

test.run();
