// A PostgreSQL server that is started here, a table that is followed, a table that is kept: `npm run example -- postgres`.
import { fileURLToPath } from 'node:url';
import { Pipeline } from '../../index.ts';
import { startPostgresServer } from '../../test/servers/postgres-server.ts';

const started = await startPostgresServer();
if ('missing' in started) throw new Error(started.missing);
const server = started;
console.log(`a server on port ${server.port}`);
await server.sql(`CREATE TABLE orders (id bigint PRIMARY KEY, customer text, amount numeric(10,2));
  CREATE TABLE people (name text); INSERT INTO people VALUES ('Ann'), ('Bob');
  CREATE TABLE spent (customer text PRIMARY KEY, total numeric);
  INSERT INTO orders VALUES (1, 'Ann', 10.50), (2, 'Bob', 3.00), (3, 'Ann', 0.50)`);

process.env['POSTGRES'] = server.uri;
const pipeline = await Pipeline.open({
  file: fileURLToPath(new URL('../../../examples/postgres/pipeline.yaml', import.meta.url)),
});
await pipeline.start();

async function shows(expected: string): Promise<void> {
  while (true) {
    const { rows } = await server.sql('SELECT customer, total FROM spent ORDER BY customer');
    if (JSON.stringify(rows) === expected) return console.table(rows);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
await shows('[{"customer":"Ann","total":"11.00"},{"customer":"Bob","total":"3.00"}]');
console.log("Bob's order is deleted, Ann's first one costs more");
await server.sql(`DELETE FROM orders WHERE id = 2; UPDATE orders SET amount = 20.00 WHERE id = 1`);
await shows('[{"customer":"Ann","total":"20.50"}]');
await pipeline.stop({ force: true });
await server.close();
