// What may happen to a bucket that is written to: its server is killed and started, the line is slow or cut, the runtime is killed (kill -9).
// No change is lost; what comes twice, when the runtime was killed, comes as a whole object.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GetObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Pipeline } from '../../../index.ts';
import { CliProcess, secondsOfFileMax } from '../../cli/cli-process.ts';
import { pollPause } from '../../poll-pause.ts';
import { startCutProxy } from '../../servers/cut-proxy.ts';
import { s3Access, startS3Server } from '../../servers/s3-server.ts';

const faults = suite('faults of s3_output');
const server = await startS3Server(['out']);
if ('missing' in server) {
  console.log(`skipped: faults of s3_output: ${server.missing}`);
  faults('are not tried here', () => {});
} else {
  faults.after(async () => await server.close());

  const json = { name: 'json', config: { update_format: 'raw' } };
  const access = { ...s3Access, bucket_name: 'out', endpoint_url: server.url };
  const output = (prefix: string, config: object = {}): Readonly<Record<string, unknown>> => ({
    stream: 'v',
    transport: { name: 's3_output', config: { ...access, prefix, max_retries: 1_000, ...config } },
    format: { name: 'json' },
    max_output_buffer_size_records: 500,
    max_output_buffer_time_millis: 50,
  });
  const program = 'CREATE TABLE t (id BIGINT, note VARCHAR); CREATE VIEW v AS SELECT id, note FROM t;';
  const keysOf = async (prefix: string): Promise<string[]> => {
    const { Contents: found = [] } = await server.client.send(
      new ListObjectsV2Command({ Bucket: 'out', Prefix: prefix }),
    );
    return found.map(({ Key }) => Key ?? '');
  };
  const read = new Map<string, number[]>();
  /** The ids of all objects, in the order of their keys. */
  const ids = async (prefix: string): Promise<number[]> => {
    const keys = await keysOf(prefix);
    for (const Key of keys.filter((key) => !read.has(key))) {
      const { Body: body } = await server.client.send(new GetObjectCommand({ Bucket: 'out', Key }));
      const lines = ((await body?.transformToString()) ?? '').trim().split('\n');
      read.set(
        Key,
        lines.map((line) => JSON.parse(line).insert.id),
      );
    }
    return keys.flatMap((key) => read.get(key) ?? []);
  };
  const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

  faults('a server that is killed, a line that is cut or slow: every change is there, once', async () => {
    const proxy = await startCutProxy();
    proxy.target(server.url);
    await using pipeline = await Pipeline.open({
      program,
      outputs: { o: output('line/', { endpoint_url: proxy.url }) },
    });
    await pipeline.start();
    let sent = 0;
    const send = async (count: number): Promise<void> => {
      const rows = Array.from({ length: count }, (_, i) => ({ id: sent + i, note: 'x'.repeat(100) }));
      sent += count;
      await pipeline.inputJson('t', rows);
    };
    const failures = async (): Promise<number> => (await pipeline.outputConnectorStats('v', 'o')).numTransportErrors;
    const missed = async (): Promise<void> => {
      const before = await failures();
      await send(500);
      while ((await failures()) === before) await pollPause();
    };
    const arrived = async (): Promise<void> => {
      while ((await keysOf('line/')).length === 0 || (await ids('line/')).length < sent) await pollPause();
      assert.equal(await ids('line/'), numbers(sent));
    };
    await send(500);
    await arrived();

    await server.process.stop('SIGKILL');
    await missed();
    await server.process.start();
    await arrived();

    proxy.cut();
    await missed();
    proxy.mend();
    await arrived();

    // In the middle of objects.
    proxy.slow(500_000);
    for (let cuts = 0; cuts < 4; cuts++) {
      await send(2_000);
      proxy.cut();
      proxy.mend();
    }
    await arrived();
    await pipeline.stop({ force: true });
    await proxy.close();
  });

  faults('a runtime that is killed writes what came since its checkpoint again, in objects of their own', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'millrace-s3-out-'));
    const source = { ...access, prefix: 'in/', watch: true, watch_interval: '50ms' };
    const definition = {
      program,
      inputs: { i: { stream: 't', transport: { name: 's3_input', config: source }, format: json } },
      outputs: { o: output('killed/') },
    };
    writeFileSync(join(folder, 'p.yaml'), JSON.stringify(definition));
    const put = (part: number): Promise<void> =>
      server.put(
        'out',
        `in/${part}.json`,
        Array.from({ length: 100 }, (_, i) => `{"id":${part * 100 + i}}\n`).join(''),
      );
    /** Until the objects have so many different ids. */
    const run = async (count: number, signal: NodeJS.Signals): Promise<void> => {
      const child = new CliProcess(['run', 'p.yaml', '--data', 'data'], { folder, secondsMax: secondsOfFileMax });
      while (new Set(await ids('killed/')).size < count) await pollPause();
      child.kill(signal);
      await child.exit;
    };
    await put(0);
    await run(100, 'SIGINT');
    assert.equal(await ids('killed/'), numbers(100));
    await put(1);
    await run(200, 'SIGKILL');
    await put(2);
    await run(300, 'SIGINT');
    const found = await ids('killed/');
    assert.equal(
      [...new Set(found)].sort((a, b) => a - b),
      numbers(300),
    );
    // What the checkpoint held comes once; what came since may come twice.
    assert.is(found.filter((id) => id < 100).length, 100);
    assert.ok(found.length <= 400);
    rmSync(folder, { recursive: true, force: true });
  });
}

faults.run();
