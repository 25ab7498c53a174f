// A bucket of an S3 server that is started here, and a view over it: `npm run example -- s3`.
import { fileURLToPath } from 'node:url';
import { Pipeline } from '../../index.ts';
import { s3Access, startS3Server } from '../../test/servers/s3-server.ts';

const server = await startS3Server(['shop']);
if ('missing' in server) throw new Error(server.missing);
await server.put('shop', 'users.json', '{"id": 1, "name": "Ann"}\n{"id": 2, "name": "Bob"}\n');
await server.put('shop', 'products.csv', 'id,name,price\n1,Tea,4.50\n2,Mug,12.00\n');
await server.put('shop', 'orders/2026-01.json', '{"user_id": 1, "product_id": 1, "quantity": 3}\n');
await server.put('shop', 'orders/2026-02.json', '{"user_id": 2, "product_id": 2, "quantity": 1}\n');
console.log(`an S3 server with a bucket "shop": ${server.url}`);

Object.assign(process.env, {
  S3_ENDPOINT: server.url,
  S3_KEY: s3Access.aws_access_key_id,
  S3_SECRET: s3Access.aws_secret_access_key,
  MILLRACE_S3_BUCKET: 'shop',
});
const pipeline = await Pipeline.open({
  file: fileURLToPath(new URL('../../../examples/s3/pipeline.yaml', import.meta.url)),
});
console.log('levels of start:', JSON.stringify(pipeline.startOrder()));
await pipeline.start();
await pipeline.waitForCompletion();
console.table(await pipeline.query('SELECT name, total FROM spent ORDER BY name'));
await pipeline.stop();
await server.close();
