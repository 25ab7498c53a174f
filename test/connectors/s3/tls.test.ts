// s3_input and s3_output over TLS, against a real server whose certificate a private authority has signed.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GetObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { s3Output } from '../../../connectors/s3/destination.ts';
import { s3Input } from '../../../connectors/s3/source.ts';
import { validateParameters } from '../../../connectors/sdk/validate-parameters.ts';
import { s3Access, startS3Server } from '../../servers/s3-server.ts';
import { makeCertificates } from '../../servers/test-certificates.ts';
import { bigint, codeOf, contextFor, readBytes, relationOf } from '../connector-context.ts';

const tls = suite('S3 over TLS');
const certificates = makeCertificates();
const started =
  certificates === null ? { missing: 'there is no openssl' } : await startS3Server(['lake'], certificates);
const other =
  certificates === null
    ? { missing: 'there is no openssl' }
    : await startS3Server(['lake'], { server: certificates.elsewhere, authority: certificates.authority });
if ('missing' in started || 'missing' in other || certificates === null) {
  console.log(`skipped: S3 over TLS: ${'missing' in started ? started.missing : 'there is no openssl'}`);
  tls('is not tried here', () => {});
} else {
  const [server, elsewhere] = [started, other];
  const folder = mkdtempSync(join(tmpdir(), 'millrace-s3-tls-'));
  writeFileSync(join(folder, 'ca.pem'), certificates.authority);
  tls.after(async () => {
    await server.close();
    await elsewhere.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const access = { ...s3Access, bucket_name: 'lake', endpoint_url: server.url, max_retries: 0 };
  const relation = relationOf({ id: bigint });
  const read = async (given: object): Promise<string> => {
    const settings = { ...access, key: 'a.json', ...given };
    const { values, problems } = validateParameters(s3Input.parameters, settings, () => ({}), []);
    assert.equal(problems, []);
    const source = s3Input.create(values, contextFor(relation, folder));
    try {
      await source.open(null);
      return await readBytes(source);
    } finally {
      await source.teardown?.();
    }
  };

  tls('objects are read and written where the authority is named, and only there', async () => {
    await server.put('lake', 'a.json', '{"id":1}\n');
    assert.is(await read({ ssl_ca_pem: certificates.authority }), '{"id":1}\n');
    assert.is(await read({ ssl_ca_location: 'ca.pem' }), '{"id":1}\n');
    assert.is(await codeOf(() => read({})), 's3.tls');
    assert.is(await codeOf(() => read({ ssl_ca_pem: certificates.otherAuthority })), 's3.tls');
    assert.is(await codeOf(() => read({ ssl_ca_location: 'absent.pem' })), 'config.invalid_value');
    // The certificate is for this address alone.
    const named = { ssl_ca_location: 'ca.pem', endpoint_url: elsewhere.url };
    assert.is(await codeOf(() => read(named)), 's3.tls');
    await elsewhere.put('lake', 'a.json', 'there');
    assert.is(await read({ ...named, verify_hostname: false }), 'there');
    const { values } = validateParameters(
      s3Output.parameters,
      { ...access, ssl_ca_location: 'ca.pem', prefix: 'out/' },
      () => ({}),
      [],
    );
    const output = s3Output.create(values, contextFor(relation, folder));
    await output.open();
    await output.write({ kind: 'bytes', bytes: Buffer.from('{"id":2}\n'), records: 1 });
    await output.flush?.();
    await output.teardown?.();
    const { Contents: contents } = await server.client.send(
      new ListObjectsV2Command({ Bucket: 'lake', Prefix: 'out/' }),
    );
    const { Body: body } = await server.client.send(
      new GetObjectCommand({ Bucket: 'lake', Key: contents?.[0]?.Key ?? '' }),
    );
    assert.is(await body?.transformToString(), '{"id":2}\n');
  });

  tls('a server that does not speak TLS is one that the address is wrong for', async () => {
    const plain = await startS3Server(['lake']);
    assert.ok(!('missing' in plain));
    const wrong = plain.url.replace('http:', 'https:');
    assert.is(await codeOf(() => read({ endpoint_url: wrong, ssl_ca_location: 'ca.pem' })), 's3.tls');
    await plain.close();
  });
}

tls.run();
