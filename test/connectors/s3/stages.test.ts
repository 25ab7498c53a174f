// Three stages of S3 into one table, each after the one before it, as a file of a pipeline: by `millrace run`, and by the embedded API.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parse } from 'yaml';
import { Pipeline } from '../../../index.ts';
import { millrace } from '../../cli/cli-process.ts';
import { s3Access, startS3Server } from '../../servers/s3-server.ts';

const root = fileURLToPath(new URL('../../../..', import.meta.url));
const stages = suite('stages of S3');
const server = await startS3Server(['lake']);
if ('missing' in server) {
  console.log(`skipped: stages of S3: ${server.missing}`);
  stages('are not tried here', () => {});
} else {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-stages-'));
  stages.after(async () => {
    await server.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const file = `program: |
  CREATE TABLE staged (id BIGINT NOT NULL PRIMARY KEY, stage INT, object VARCHAR);
  CREATE MATERIALIZED VIEW latest AS SELECT id, stage, object FROM staged;
transport_defaults:
  s3_input:
    bucket_name: lake
    endpoint_url: ${server.url}
    aws_access_key_id: ${s3Access.aws_access_key_id}
    aws_secret_access_key: ${s3Access.aws_secret_access_key}
inputs:
  # Not in the order in which they run.
  stage3: { stream: staged, start_after: stage2, transport: { name: s3_input, config: { prefix: stage3/ } }, format: { name: json, config: { update_format: raw } } }
  stage1: { stream: staged, labels: [stage1], transport: { name: s3_input, config: { prefix: stage1/ } }, format: { name: json, config: { update_format: raw } } }
  stage2: { stream: staged, labels: [stage2], start_after: stage1, transport: { name: s3_input, config: { prefix: stage2/ } }, format: { name: json, config: { update_format: raw } } }
`;
  const output = `outputs:
  latest: { stream: latest, transport: { name: file_output, config: { path: out.json } }, format: { name: json } }
`;
  const line = (id: number, stage: number, object: string): string => `${JSON.stringify({ id, stage, object })}\n`;
  const expected = [
    { id: 1, stage: 1, object: 'a' },
    { id: 2, stage: 2, object: 'b' },
    { id: 3, stage: 3, object: 'b' },
  ];

  stages.before(async () => {
    // Every stage overwrites what came before it, and within a stage every object what the one before it had.
    for (const stage of [1, 2, 3]) {
      const ids = [1, 2, 3].filter((id) => id >= stage);
      await server.put('lake', `stage${stage}/1.json`, ids.map((id) => line(id, stage, 'a')).join(''));
      await server.put(
        'lake',
        `stage${stage}/2.json`,
        ids
          .filter((id) => id > 1)
          .map((id) => line(id, stage, 'b'))
          .join(''),
      );
    }
  });

  stages('users and products, then orders: the file of the example, by `millrace run`', async () => {
    await server.put('lake', 'users.json', '{"id": 1, "name": "Ann"}\n{"id": 2, "name": "Bob"}\n');
    await server.put('lake', 'products.csv', 'id,name,price\n1,Tea,4.50\n2,Mug,12.00\n');
    await server.put('lake', 'orders/1.json', '{"user_id": 1, "product_id": 1, "quantity": 3}\n');
    await server.put('lake', 'orders/2.json', '{"user_id": 2, "product_id": 2, "quantity": 1}\n');
    const documented = join(root, 'examples', 's3', 'pipeline.yaml');
    const environment = {
      S3_ENDPOINT: server.url,
      S3_KEY: s3Access.aws_access_key_id,
      S3_SECRET: s3Access.aws_secret_access_key,
      MILLRACE_S3_BUCKET: 'lake',
      AWS_REGION: 'us-east-1',
    };
    const { code, out, err } = await millrace(['run', documented, '--json'], { folder, environment });
    assert.is(code, 0, err);
    const [view] = JSON.parse(out.trim().split('\n').at(-1) ?? '').views;
    assert.equal(
      view.rows.sort((a: { name: string }, b: { name: string }) => a.name.localeCompare(b.name)),
      [
        { name: 'Ann', total: '13.50' },
        { name: 'Bob', total: '12.00' },
      ],
    );
  });

  stages('run one after the other by `millrace run`', async () => {
    writeFileSync(join(folder, 'p.yaml'), file + output);
    const { code, err } = await millrace(['run', 'p.yaml'], { folder });
    assert.is(code, 0, err);
    const weights = new Map<string, number>();
    for (const text of readFileSync(join(folder, 'out.json'), 'utf8').trim().split('\n')) {
      const { insert, delete: deleted } = JSON.parse(text);
      const row = JSON.stringify(insert ?? deleted);
      weights.set(row, (weights.get(row) ?? 0) + (insert === undefined ? -1 : 1));
    }
    const rows = [...weights].flatMap(([row, weight]) => (weight === 0 ? [] : [JSON.parse(row)]));
    assert.equal(
      rows.sort((a, b) => a.id - b.id),
      expected,
    );
    assert.ok([...weights.values()].every((weight) => weight === 0 || weight === 1));
  });

  stages('run one after the other by the embedded API', async () => {
    const { program, inputs, transport_defaults: transportDefaults } = parse(file);
    await using pipeline = await Pipeline.open({ program, inputs, transportDefaults });
    await pipeline.start();
    await pipeline.waitForCompletion();
    assert.equal(await pipeline.query('SELECT id, stage, object FROM latest ORDER BY id'), expected);
  });
}

stages.run();
