// An S3 server for tests: versitygw over a folder. Objects are files under `data/BUCKET/KEY`.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateBucketCommand, PutBucketPolicyCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { Agent, request } from 'undici';
import { freePort } from './free-port.ts';
import { goTool, type Tool } from './go-tool.ts';
import { ServerProcess } from './server-process.ts';
import type { ServerCertificate } from './test-certificates.ts';

export const s3Access = { aws_access_key_id: 'testkey', aws_secret_access_key: 'testsecret' };

export interface S3Server {
  readonly url: string;
  readonly process: ServerProcess;
  readonly client: S3Client;
  put(bucket: string, key: string, body: string | Uint8Array): Promise<void>;
  /** Somebody who may do nothing that no policy of a bucket allows. */
  addUser(accessKeyId: string, secretAccessKey: string): void;
  /** What the user may do in a bucket and with its objects, such as `s3:GetObject`. */
  allow(user: string, bucket: string, actions: readonly string[]): Promise<void>;
  close(): Promise<void>;
}

/** The server's binary; built under CI when it is missing. */
export function s3Gateway(): Promise<Tool> {
  return goTool('versitygw', 'github.com/versity/versitygw/cmd/versitygw@v1.8.0');
}

/** Running, with empty buckets of these names; or why there is none. */
export async function startS3Server(
  buckets: readonly string[],
  tls: { readonly server: ServerCertificate; readonly authority: string } | null = null,
): Promise<S3Server | { readonly missing: string }> {
  const tool = await s3Gateway();
  if ('missing' in tool) return tool;
  const folder = mkdtempSync(join(tmpdir(), 'millrace-s3-'));
  const [data, iam] = [join(folder, 'data'), join(folder, 'iam')];
  for (const made of [data, iam]) mkdirSync(made);
  const port = await freePort();
  const url = `${tls === null ? 'http' : 'https'}://127.0.0.1:${port}`;
  const [certificate, key] = [join(folder, 'server.pem'), join(folder, 'server.key')];
  if (tls !== null) {
    writeFileSync(certificate, tls.server.certificate);
    writeFileSync(key, tls.server.key);
  }
  const overTls = tls === null ? [] : ['--cert', certificate, '--key', key];
  const { aws_access_key_id: accessKeyId, aws_secret_access_key: secretAccessKey } = s3Access;
  const process = new ServerProcess({
    command: tool.path,
    args: [
      '--port',
      `127.0.0.1:${port}`,
      ...overTls,
      '--health',
      '/health',
      '--iam-dir',
      iam,
      '--quiet',
      'posix',
      data,
    ],
    options: { env: { ROOT_ACCESS_KEY: accessKeyId, ROOT_SECRET_KEY: secretAccessKey } },
    isReady: async () => {
      const dispatcher = new Agent(
        tls === null ? {} : { connect: { ca: tls.authority, checkServerIdentity: () => undefined } },
      );
      const { statusCode } = await request(`${url}/health`, { dispatcher });
      await dispatcher.destroy();
      return statusCode === 200;
    },
  });
  await process.start();
  const credentials = { accessKeyId, secretAccessKey };
  const client = new S3Client({
    region: 'us-east-1',
    endpoint: url,
    forcePathStyle: true,
    credentials,
    ...(tls === null
      ? {}
      : { requestHandler: { httpsAgent: { ca: tls.authority, checkServerIdentity: () => undefined } } }),
  });
  for (const Bucket of buckets) await client.send(new CreateBucketCommand({ Bucket }));
  return {
    url,
    process,
    client,
    put: async (Bucket, Key, Body) => void (await client.send(new PutObjectCommand({ Bucket, Key, Body }))),
    addUser: (access, secret) => {
      const root = ['--access', accessKeyId, '--secret', secretAccessKey, '--endpoint-url', url];
      const user = ['create-user', '--access', access, '--secret', secret, '--role', 'user'];
      execFileSync(tool.path, ['admin', ...root, ...user], { stdio: 'pipe' });
    },
    allow: async (user, Bucket, actions) => {
      const Resource = [`arn:aws:s3:::${Bucket}`, `arn:aws:s3:::${Bucket}/*`];
      const Statement = actions.map((Action) => {
        const isOfBucket = Action.endsWith('Bucket');
        return { Effect: 'Allow', Principal: [user], Action, Resource: Resource[isOfBucket ? 0 : 1] };
      });
      const Policy = JSON.stringify({ Version: '2012-10-17', Statement });
      await client.send(new PutBucketPolicyCommand({ Bucket, Policy }));
    },
    close: async () => {
      client.destroy();
      await process.dispose();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
