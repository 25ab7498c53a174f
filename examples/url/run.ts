// A web server that breaks off in the middle and an S3 server, both started here: `npm run example -- url`.
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import { GetObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { Pipeline } from '../../index.ts';
import { freePort } from '../../test/servers/free-port.ts';
import { s3Access, startS3Server } from '../../test/servers/s3-server.ts';

const server = await startS3Server(['reports']);
if ('missing' in server) throw new Error(server.missing);
const pages = ['home', 'shop', 'help'];
const lines = Array.from({ length: 30_000 }, (_, i) => `${pages[i % 3]},${i % 60}\n`);
const content = Buffer.from(`page,seconds\n${lines.join('')}`);
let requests = 0;
const site = createServer((request, response) => {
  const start = Number(/^bytes=(\d+)-/.exec(request.headers.range ?? 'bytes=0-')?.[1]);
  console.log(`the web server is asked for what is behind byte ${start}`);
  const range = `bytes ${start}-${content.length - 1}/${content.length}`;
  response.writeHead(206, { 'content-range': range, 'content-length': content.length - start, etag: '"1"' });
  if (requests++ > 0) response.end(content.subarray(start));
  else response.write(content.subarray(start, content.length >> 1), () => response.destroy());
});
const port = await freePort();
await new Promise<void>((resolve) => site.listen(port, '127.0.0.1', resolve));

Object.assign(process.env, {
  VISITS_URL: `http://127.0.0.1:${port}/visits.csv`,
  S3_ENDPOINT: server.url,
  S3_KEY: s3Access.aws_access_key_id,
  S3_SECRET: s3Access.aws_secret_access_key,
  MILLRACE_S3_BUCKET: 'reports',
});
const pipeline = await Pipeline.open({
  file: fileURLToPath(new URL('../../../examples/url/pipeline.yaml', import.meta.url)),
});
await pipeline.start();
await pipeline.waitForCompletion();
console.table(await pipeline.query('SELECT page, visits, seconds FROM pages ORDER BY page'));
await pipeline.stop();
const listed = await server.client.send(new ListObjectsV2Command({ Bucket: 'reports', Prefix: 'pages/' }));
for (const { Key } of listed.Contents ?? []) {
  const { Body: body } = await server.client.send(new GetObjectCommand({ Bucket: 'reports', Key }));
  console.log(`${Key}\n${await body?.transformToString()}`);
}
site.close();
await server.close();
