// What goes wrong with S3 and with URLs, as a pipeline shows it: each fault is a coded error in the status of its connector that says what to
// do, no secret is in it, and the connectors beside it go on.
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Pipeline } from '../../../index.ts';
import { pollPause } from '../../poll-pause.ts';
import { s3Access, startS3Server } from '../../servers/s3-server.ts';

const faults = suite('faults of S3 and URLs');
const server = await startS3Server(['lake', 'closed', 'listed', 'readable', 'writable']);
if ('missing' in server) {
  console.log(`skipped: faults of S3 and URLs: ${server.missing}`);
  faults('are not tried here', () => {});
} else {
  faults.after(async () => await server.close());
  const row = '{"id":1}\n';
  const json = { name: 'json', config: { update_format: 'raw' } };
  const program =
    "CREATE TABLE t (id BIGINT); CREATE TABLE fine (id BIGINT) WITH ('materialized' = 'true'); CREATE VIEW v AS SELECT id FROM fine;";
  const s3 = (name: string, config: object): object => ({
    name,
    config: { ...s3Access, bucket_name: 'lake', endpoint_url: server.url, max_retries: 0, ...config },
  });
  const input = (transport: object, stream = 't'): Readonly<Record<string, unknown>> => ({
    stream,
    transport,
    format: json,
  });
  const shown = async (
    find: () => Promise<{
      readonly error: { readonly code: string; readonly message: string; readonly help: string } | null;
    }>,
  ): Promise<string> => {
    for (;;) {
      const { error } = await find();
      if (error !== null) {
        assert.not.match(JSON.stringify(error), /testsecret|wrong-secret|hunter2/);
        return `${error.code}: ${error.message} ${error.help}`;
      }
      await pollPause();
    }
  };

  faults('a user who may not list, read or write is told so, and what he may do goes on', async () => {
    for (const bucket of ['closed', 'listed', 'readable', 'writable']) await server.put(bucket, 'a/1.json', row);
    server.addUser('eve', 'eve-testsecret');
    await server.allow('eve', 'listed', ['s3:ListBucket']);
    await server.allow('eve', 'readable', ['s3:ListBucket', 's3:GetObject']);
    await server.allow('eve', 'writable', ['s3:PutObject']);
    const eve = { aws_access_key_id: 'eve', aws_secret_access_key: 'eve-testsecret' };
    const from = (bucket_name: string, config: object, stream = 't'): Readonly<Record<string, unknown>> =>
      input(s3('s3_input', { ...eve, bucket_name, ...config }), stream);
    const to = (bucket_name: string): Readonly<Record<string, unknown>> => ({
      stream: 'v',
      transport: s3('s3_output', { ...eve, bucket_name, prefix: 'out/' }),
      format: { name: 'csv' },
      max_output_buffer_time_millis: 1,
    });
    await using pipeline = await Pipeline.open({
      program,
      inputs: {
        readable: from('readable', { prefix: 'a/' }, 'fine'),
        list: from('closed', { prefix: 'a/' }),
        get: from('closed', { key: 'a/1.json' }),
        listed: from('listed', { prefix: 'a/' }),
      },
      outputs: { closed: to('closed'), readable: to('readable'), writable: to('writable') },
    });
    await pipeline.start();
    const denied =
      /^s3\.access_denied: access to "BUCKET\/.*" is denied: .*aws_access_key_id.*what they may do with this bucket/;
    const of = (bucket: string): RegExp => new RegExp(denied.source.replace('BUCKET', bucket));
    for (const [name, bucket] of [
      ['list', 'closed'],
      ['get', 'closed'],
      ['listed', 'listed'],
    ] as const) {
      assert.match(await shown(() => pipeline.inputConnectorStats('t', name)), of(bucket));
    }
    while ((await pipeline.query('SELECT id FROM fine')).length < 1) await pollPause();
    for (const name of ['closed', 'readable']) {
      assert.match(await shown(() => pipeline.outputConnectorStats('v', name)), of(name));
    }
    await pipeline.stop();
    const { KeyCount } = await server.client.send(new ListObjectsV2Command({ Bucket: 'writable', Prefix: 'out/' }));
    assert.is(KeyCount, 1);
  });

  faults('buckets, keys and credentials that are wrong end their connectors, and the others go on', async () => {
    await server.put('lake', 'there.json', row);
    await using pipeline = await Pipeline.open({
      program,
      inputs: {
        fine: input(s3('s3_input', { key: 'there.json' }), 'fine'),
        bucket: input(s3('s3_input', { prefix: 'x', bucket_name: 'nowhere' })),
        key: input(s3('s3_input', { key: 'absent.json' })),
        secret: input(s3('s3_input', { key: 'there.json', aws_secret_access_key: 'wrong-secret' })),
        unsigned: input(
          s3('s3_input', {
            key: 'there.json',
            no_sign_request: true,
          }),
        ),
      },
      outputs: {
        kept: { stream: 'v', transport: s3('s3_output', { prefix: 'out/' }), format: { name: 'csv' } },
        elsewhere: { stream: 'v', transport: s3('s3_output', { bucket_name: 'nowhere' }), format: { name: 'csv' } },
        denied: {
          stream: 'v',
          transport: s3('s3_output', { aws_secret_access_key: 'wrong-secret' }),
          format: { name: 'csv' },
        },
      },
    });
    await pipeline.start();
    const expected: Readonly<Record<string, RegExp>> = {
      bucket: /^s3\.bucket_missing: there is no bucket "nowhere"/,
      key: /^s3\.key_missing: there is no object "absent\.json" in bucket "lake"/,
      secret: /^s3\.access_denied: access to "lake\/there\.json" is denied/,
      unsigned: /^s3\.access_denied: /,
    };
    for (const [name, pattern] of Object.entries(expected)) {
      assert.match(await shown(() => pipeline.inputConnectorStats('t', name)), pattern, name);
    }
    assert.match(await shown(() => pipeline.outputConnectorStats('v', 'elsewhere')), /^s3\.bucket_missing: /);
    assert.match(await shown(() => pipeline.outputConnectorStats('v', 'denied')), /^s3\.access_denied: /);
    while ((await pipeline.query('SELECT * FROM fine')).length === 0) await pollPause();
    await pipeline.completed(await pipeline.inputJson('fine', [{ id: 2 }]));
    await pipeline.stop({ force: true });
  });

  faults(
    'addresses that refuse, redirect for ever, change or are compressed end their connectors, and the others go on',
    async () => {
      const bytes = Buffer.from(row.repeat(20_000));
      let changes = 0;
      const answers: Readonly<Record<string, (response: ServerResponse) => unknown>> = {
        '/fine': (response) => response.end(row),
        '/gone': (response) => response.writeHead(404).end(),
        '/denied': (response) => response.writeHead(401).end(),
        '/busy': (response) => response.writeHead(503).end(),
        '/round': (response) => response.writeHead(302, { location: '/round' }).end(),
        '/packed': (response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end('x'),
        // Breaks off, and is another resource when it is asked for the rest.
        '/changes': (response) => {
          const etag = `"${++changes}"`;
          const headers = {
            'content-length': bytes.length,
            'content-range': `bytes 0-${bytes.length - 1}/${bytes.length}`,
            etag,
          };
          response.writeHead(206, headers).write(bytes.subarray(0, 100_000), () => response.destroy());
        },
      };
      const site = createServer((request, response) => void answers[request.url ?? '']?.(response));
      await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve));
      // SAFETY: the server listens on TCP.
      const { port } = site.address() as AddressInfo;
      const url = (path: string, retries = 0): object => ({
        name: 'url_input',
        config: {
          path: `http://127.0.0.1:${port}${path}`,
          headers: { authorization: 'hunter2' },
          max_retries: retries,
        },
      });
      await using pipeline = await Pipeline.open({
        program,
        inputs: {
          fine: input(url('/fine'), 'fine'),
          gone: input(url('/gone')),
          denied: input(url('/denied')),
          busy: input(url('/busy')),
          round: input(url('/round')),
          packed: input(url('/packed')),
          changes: input(url('/changes', 3)),
        },
      });
      try {
        await pipeline.start();
        const expected: Readonly<Record<string, RegExp>> = {
          gone: /^url\.status: .*\/gone: the server answered with status 404/,
          denied: /^url\.status: .*\/denied: the server answered with status 401/,
          busy: /^url\.unavailable: .*status 503/,
          round: /^url\.redirects: /,
          packed: /^url\.encoded: /,
          changes: /^url\.changed: .*has changed since its first \d+ bytes/,
        };
        for (const [name, pattern] of Object.entries(expected)) {
          assert.match(await shown(() => pipeline.inputConnectorStats('t', name)), pattern, name);
        }
        while ((await pipeline.query('SELECT * FROM fine')).length === 0) await pollPause();
        await pipeline.stop({ force: true });
      } finally {
        site.closeAllConnections();
        site.close();
      }
    },
  );
}

faults.run();
