// Completion in the SQL shell.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { complete, mentioned, type ShellRelation } from '../../../../actors/gateway/cli/sql-completion.ts';

const column = (name: string): ShellRelation['columns'][number] => ({ name, type: 'INTEGER', nullable: true });
const relations: readonly ShellRelation[] = [
  { name: 'orders', kind: 'table', columns: [column('id'), column('order_date')] },
  { name: 'Odd Name', kind: 'view', columns: [column('n')] },
];

test('keywords are completed in the case in which they were begun', () => {
  assert.equal(complete('SEL', relations), [['SELECT'], 'SEL']);
  assert.equal(complete('sel', relations), [['select'], 'sel']);
});

test('behind FROM stand relations, behind a point the columns of one', () => {
  assert.equal(complete('SELECT * FROM o', relations), [['orders'], 'o']);
  assert.equal(complete('SELECT * FROM ', relations), [['"Odd Name"', 'orders'], '']);
  assert.equal(complete('SELECT orders.o', relations), [['orders.order_date'], 'orders.o']);
});

test('elsewhere columns, relations and keywords are mixed', () => {
  assert.equal(complete('SELECT or', relations), [['or', 'order', 'order_date', 'orders'], 'or']);
});

test('commands begin with a backslash', () => {
  assert.equal(complete('\\w', relations), [['\\watch'], '\\w']);
  assert.equal(complete('\\d o', relations), [['orders'], 'o']);
});

test('the relations of a query are found by their names, not in strings', () => {
  assert.equal(
    mentioned('SELECT \'orders\' FROM "Odd Name"', relations).map(({ name }) => name),
    ['Odd Name'],
  );
  assert.is(mentioned('select * from ORDERS', relations).length, 1);
});

test.run();
