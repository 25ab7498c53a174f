// s3_output against a real S3 server: objects by flush, in every format, and what goes wrong.
import { GetObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { parquetReadObjects } from 'hyparquet';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { s3Output } from '../../../connectors/s3/destination.ts';
import { conformance } from '../../../connectors/sdk/conformance.ts';
import { Pipeline } from '../../../index.ts';
import { type S3Server, s3Access, startS3Server } from '../../servers/s3-server.ts';
import { bigint, relationOf } from '../connector-context.ts';

const output = suite<{ server: S3Server }>('s3_output');
const server = await startS3Server(['out']);
if ('missing' in server) {
  console.log(`skipped: s3_output against a real server: ${server.missing}`);
  output('is not tried here', () => {});
} else {
  output.after(async () => await server.close());

  const objects = async (prefix: string): Promise<Uint8Array<ArrayBuffer>[]> => {
    const listed = await server.client.send(new ListObjectsV2Command({ Bucket: 'out', Prefix: prefix }));
    const keys = (listed.Contents ?? []).map(({ Key }) => Key ?? '');
    return await Promise.all(
      keys.map(async (Key) => {
        const { Body: body } = await server.client.send(new GetObjectCommand({ Bucket: 'out', Key }));
        return new Uint8Array((await body?.transformToByteArray()) ?? []);
      }),
    );
  };
  const open = (prefix: string, format: object, keys: object = {}, config: object = {}): Promise<Pipeline> =>
    Pipeline.open({
      program: 'CREATE TABLE t (n BIGINT, s VARCHAR); CREATE VIEW v AS SELECT n, s FROM t WHERE n > 0;',
      outputs: {
        o: {
          stream: 'v',
          transport: {
            name: 's3_output',
            config: { ...s3Access, bucket_name: 'out', endpoint_url: server.url, prefix, ...config },
          },
          format,
          ...keys,
        },
      },
    });
  const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString();

  output('what is gathered by size becomes objects whose keys ascend', async () => {
    await using pipeline = await open('size/', { name: 'json' }, { max_output_buffer_size_records: 2 });
    await pipeline.start();
    const row = (n: number): object => ({ n, s: 'x' });
    // What is waited for leaves the buffer at once.
    for (const n of [1, 3]) await pipeline.completed(await pipeline.inputJson('t', [row(n), row(n + 1)]));
    const found = await objects('size/');
    assert.is(found.length, 2);
    const whole = found.map(text).join('');
    assert.equal(
      whole
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).insert.n),
      [1, 2, 3, 4],
    );
  });

  output('what is gathered by time becomes an object, changes merged', async () => {
    await using pipeline = await open('time/', { name: 'csv' }, { max_output_buffer_time_millis: 2_000 });
    await pipeline.start();
    await pipeline.inputJson('t', [{ n: 1, s: 'a' }]);
    const change = [{ delete: { n: 1, s: 'a' } }, { insert: { n: 2, s: 'b' } }];
    await pipeline.inputJson('t', change, { updateFormat: 'insert_delete' });
    while ((await objects('time/')).length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    assert.equal((await objects('time/')).map(text), ['2,b,1\n']);
  });

  output('each object is a whole Parquet file', async () => {
    await using pipeline = await open('parquet/', { name: 'parquet' }, { max_output_buffer_size_records: 3 });
    await pipeline.start();
    for (const n of [1, 4]) {
      const given = [0, 1, 2].map((i) => ({ n: n + i, s: `s${n + i}` }));
      await pipeline.completed(await pipeline.inputJson('t', given));
    }
    assert.is((await objects('parquet/')).length, 2);
    const rows = [];
    for (const { buffer } of await objects('parquet/')) rows.push(...(await parquetReadObjects({ file: buffer })));
    assert.equal(
      rows.map(({ n, s }) => `${n} ${s}`),
      [1, 2, 3, 4, 5, 6].map((n) => `${n} s${n}`),
    );
  });

  output('a stop writes what was gathered', async () => {
    const pipeline = await open('stop/', { name: 'json' });
    await pipeline.start();
    await pipeline.inputJson('t', [{ n: 7, s: null }]);
    await pipeline.stop();
    assert.equal((await objects('stop/')).map(text), ['{"insert":{"n":7,"s":null}}\n']);
  });

  output('a bucket that is missing and a wrong secret end the connector with a coded error', async () => {
    for (const [config, code] of [
      [{ bucket_name: 'nowhere' }, 's3.bucket_missing'],
      [{ aws_secret_access_key: 'wrong' }, 's3.access_denied'],
    ] as const) {
      const pipeline = await open('x/', { name: 'json' }, {}, config);
      await pipeline.start().catch(() => {});
      while (pipeline.status.connectors[0]?.error == null) await new Promise((resolve) => setTimeout(resolve, 20));
      assert.is(pipeline.status.connectors[0]?.error?.code, code);
      await pipeline.stop({ force: true });
    }
  });

  const outgoing = ['1\n2\n', '3\n'].map((lines) => ({
    kind: 'bytes' as const,
    bytes: new TextEncoder().encode(lines),
    records: lines.length / 2,
  }));
  const configuration = { ...s3Access, bucket_name: 'out', endpoint_url: server.url, prefix: 'conformance/' };
  for (const { title, run } of conformance(s3Output, { configuration, relation: relationOf({ n: bigint }), outgoing }))
    output(title, run);
}

output.run();
