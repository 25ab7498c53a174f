// A broker that is started here, events in one topic, totals in another: `npm run example -- kafka`.
import { fileURLToPath } from 'node:url';
import { Admin, Producer, stringSerializers } from '@platformatic/kafka';
import { Pipeline } from '../../index.ts';
import { startKafkaServer } from '../../test/servers/kafka-server.ts';

const server = await startKafkaServer();
if ('missing' in server) throw new Error(server.missing);
console.log(`a broker: ${server.bootstrap}`);
const client = { clientId: 'example', bootstrapBrokers: [server.bootstrap] };
const admin = new Admin(client);
await admin.createTopics({ topics: ['events', 'totals'], partitions: 2, replicas: 1 });
const producer = new Producer({ ...client, serializers: stringSerializers, idempotent: true });
const kinds = ['order', 'refund', 'visit'];
const messages = Array.from({ length: 10_000 }, (_, i) => ({
  topic: 'events',
  partition: i % 2,
  value: JSON.stringify({ kind: kinds[i % 3], amount: i }),
}));
await producer.send({ messages });

process.env['KAFKA'] = server.bootstrap;
const pipeline = await Pipeline.open({
  file: fileURLToPath(new URL('../../../examples/kafka/pipeline.yaml', import.meta.url)),
});
await pipeline.start();
const changes = pipeline.listen('totals');
const { state, totalRecords } = await pipeline.inputConnectorStats('events', 'events');
console.log(`events.events is ${state}, ${totalRecords} records so far; it is resumed`);
await pipeline.resumeConnector('events', 'events');
for await (const _ of changes) {
  const [sum] = await pipeline.query('SELECT SUM(events) AS events FROM totals');
  if (Number(sum?.['events']) === messages.length) break;
}
console.table(await pipeline.query('SELECT kind, events, total FROM totals ORDER BY kind'));
await pipeline.stop({ force: true });
await producer.close();
await admin.close();
await server.close();
