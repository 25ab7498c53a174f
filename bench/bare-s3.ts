// The client of S3 as a user makes it, for the threads of the bare clients: its library is loaded by the first call.
import type { S3Client } from '@aws-sdk/client-s3';

/** As test/servers/s3-server.ts has them: importing that would load the library before its time. */
const credentials = { accessKeyId: 'testkey', secretAccessKey: 'testsecret' };

export async function bareS3(endpoint: string): Promise<S3Client> {
  const { S3Client: Client } = await import('@aws-sdk/client-s3');
  return new Client({ endpoint, region: 'us-east-1', forcePathStyle: true, maxAttempts: 1, credentials });
}
