// Inferring a table and a connector from files as they come.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type InferOptions, type InferredRelation, inferRelation } from '../../../connectors/infer/infer-relation.ts';
import { codeOf } from '../connector-context.ts';

const folder = mkdtempSync(join(tmpdir(), 'millrace-infer-'));
test.after(() => rmSync(folder, { recursive: true }));

function infer(name: string, content: string, options: InferOptions = {}): Promise<InferredRelation> {
  const path = join(folder, name);
  writeFileSync(path, content);
  return inferRelation(path, options);
}

const columnsOf = (sql: string): string[] =>
  sql
    .split('\n')
    .slice(1, -1)
    .map((line) => line.trim().replace(/,$/, ''));

test('a CSV file with a header', async () => {
  const content =
    'id,Name,price,zip,born,seen,ok,order\n1,"a, b",1.50,01234,2020-01-02,2020-01-02 03:04:05,true,7\n2,,12.25,99999,1999-12-31,2020-01-02 03:04:05.5,false,\n';
  const { sql, connector, note } = await infer('My orders-2.csv', content);
  assert.match(sql, 'CREATE TABLE my_orders_2 (');
  assert.equal(columnsOf(sql), [
    'id BIGINT NOT NULL',
    '"Name" VARCHAR',
    'price DECIMAL(10, 2) NOT NULL',
    'zip VARCHAR NOT NULL',
    'born DATE NOT NULL',
    'seen TIMESTAMP NOT NULL',
    'ok BOOLEAN NOT NULL',
    '"order" BIGINT',
  ]);
  assert.equal(connector.format, { name: 'csv', config: { headers: true } });
  assert.match(note, '(2 records)');
});

test('a CSV file without a header, with another delimiter', async () => {
  const { sql, connector, note } = await infer('x.csv', '1;a;0.5\n2;b;0.25\n', { table: 'select' });
  assert.match(sql, 'CREATE TABLE "select" (');
  assert.equal(columnsOf(sql), ['column1 BIGINT NOT NULL', 'column2 VARCHAR NOT NULL', 'column3 DOUBLE NOT NULL']);
  assert.equal(connector.format, { name: 'csv', config: { delimiter: ';' } });
  assert.match(note, 'No header was found');
});

test('NDJSON rows, an array of rows, and changes', async () => {
  const rows = '{"id": 9007199254740993, "tags": ["x"], "v": 1}\n{"id": 2, "v": "a", "d": "2020-01-01"}\n';
  const plain = await infer('rows.ndjson', rows);
  assert.equal(columnsOf(plain.sql), ['id BIGINT NOT NULL', 'tags VARIANT', 'v VARIANT NOT NULL', 'd DATE']);
  assert.equal(plain.connector.format, { name: 'json', config: { update_format: 'raw' } });
  const array = await infer('array.json', '[{"id": 1.5},\n {"id": 2}]');
  assert.equal(columnsOf(array.sql), ['id DOUBLE NOT NULL']);
  assert.equal(array.connector.format, { name: 'json', config: { update_format: 'raw', array: true } });
  const changes = await infer('changes', '{"insert": {"id": 1}}\n{"delete": {"id": 1}}\n');
  assert.equal(columnsOf(changes.sql), ['id BIGINT NOT NULL']);
  assert.equal(changes.connector.format, { name: 'json', config: { update_format: 'insert_delete' } });
});

test('only the head of a large file is looked at, and the note says so', async () => {
  const { sql, note } = await infer('big.csv', `id,s\n${'1,a\n'.repeat(1000)}x,b\n`, { sampleBytes: 100 });
  assert.equal(columnsOf(sql), ['id BIGINT NOT NULL', 's VARCHAR NOT NULL']);
  assert.match(note, 'the first 100 of 4009 bytes');
});

test('a Parquet file says its columns itself', async () => {
  const path = fileURLToPath(
    new URL('../../../../node_modules/vega-datasets/data/flights-3m.parquet', import.meta.url),
  );
  const { sql, connector } = await inferRelation(path, { table: 'flights' });
  assert.equal(columnsOf(sql), [
    '"date" TIMESTAMP',
    'delay BIGINT',
    'distance BIGINT',
    'origin VARCHAR',
    'destination VARCHAR',
  ]);
  assert.equal(connector.format, { name: 'parquet' });
});

test('a file of which nothing can be told is a coded error', async () => {
  assert.is(await codeOf(() => infer('empty.csv', '')), 'infer.nothing');
  assert.is(await codeOf(() => inferRelation(join(folder, 'missing.csv'))), 'infer.unreadable_file');
  assert.is(await codeOf(() => inferRelation(folder)), 'infer.unreadable_file');
  assert.is(await codeOf(() => infer('binary', 'a,b\n1,\u0000\n')), 'infer.nothing');
});

test.run();
