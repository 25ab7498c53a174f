// The orchestration examples of Feldera's documentation, unchanged but for the endpoint, through the official Python client, a
// server of ours, and real servers of S3 and Kafka.
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Admin, Producer, stringSerializers } from '@platformatic/kafka';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { startKafkaServer } from '../../servers/kafka-server.ts';
import { s3Access, startS3Server } from '../../servers/s3-server.ts';
import { pythonClient } from './python-client.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../../../..', import.meta.url));

test('users and products, then orders; three stages into one table; events that wait to be resumed', async () => {
  const { python, reason } = pythonClient('0.369.0');
  const s3 = await startS3Server(['docs']);
  const kafka = await startKafkaServer();
  const missing = [
    python === null ? reason : '',
    'missing' in s3 ? s3.missing : '',
    'missing' in kafka ? kafka.missing : '',
  ];
  if (python === null || 'missing' in s3 || 'missing' in kafka) {
    if (process.env['CI'] !== undefined) throw new Error(`under CI: ${missing.join(' ')}`);
    console.log(`skipped: ${missing.join(' ')}`);
    for (const server of [s3, kafka]) if ('close' in server) await server.close();
    return;
  }
  await s3.put('docs', 'users.json', '{"id":1,"name":"Ann"}\n{"id":2,"name":"Bob"}\n');
  await s3.put('docs', 'products.csv', 'id,price\n1,5\n2,7\n3,1\n');
  await s3.put('docs', 'orders/1.json', '{"user_id":1,"product_id":1}\n');
  await s3.put('docs', 'orders/2.json', '{"user_id":2,"product_id":2}\n{"user_id":1,"product_id":3}\n');
  for (const stage of [1, 2, 3]) await s3.put('docs', `stage${stage}/a.json`, `{"id":1,"stage":${stage}}\n`);
  const client = { clientId: 'test', bootstrapBrokers: [kafka.bootstrap] };
  const admin = new Admin(client);
  await admin.createTopics({ topics: ['events'], partitions: 2, replicas: 1 });
  await admin.close();
  const producer = new Producer({ ...client, serializers: stringSerializers, idempotent: true });
  const messages = Array.from({ length: 100 }, (_, id) => ({ topic: 'events', value: JSON.stringify({ id }) }));
  await producer.send({ messages });
  await producer.close();

  const data = mkdtempSync(join(tmpdir(), 'millrace-documented-'));
  const server = spawn(
    process.execPath,
    [join(root, 'dist', 'main.js'), 'serve', '--port', '0', '--data', data, '--connectors', data],
    {
      env: {
        ...process.env,
        MILLRACE_S3_BUCKET: 'docs',
        AWS_ENDPOINT_URL: s3.url,
        AWS_REGION: 'us-east-1',
        AWS_ACCESS_KEY_ID: s3Access.aws_access_key_id,
        AWS_SECRET_ACCESS_KEY: s3Access.aws_secret_access_key,
      },
      stdio: ['ignore', 'pipe', 'ignore'],
    },
  );
  try {
    const [line] = await once(server.stdout, 'data');
    const url = /http:\S+/.exec(String(line))?.[0] ?? '';
    const script = join(root, 'test', 'conformance', 'python', 'documented-connectors.py');
    const { stdout } = await run(python, [script], {
      env: { ...process.env, FELDERA_HOST: url, KAFKA: kafka.bootstrap, PYTHONDONTWRITEBYTECODE: '1' },
      timeout: 200_000,
    });
    assert.equal(stdout.trim().split('\n'), [
      'spent [{"name": "Ann", "total": 6}, {"name": "Bob", "total": 7}]',
      'staged [{"id": 1, "stage": 3}]',
      'paused 0',
      'resumed 100',
    ]);
  } finally {
    server.kill('SIGTERM');
    await once(server, 'exit');
    await s3.close();
    await kafka.close();
    rmSync(data, { recursive: true, force: true });
  }
});

test.run();
