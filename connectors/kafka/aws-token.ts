// The token that Amazon MSK takes from a user of IAM by OAUTHBEARER: an address that is signed and good for a quarter of an hour.
//
//   base64url( https://kafka.REGION.amazonaws.com/?Action=kafka-cluster%3AConnect&X-Amz-…&X-Amz-Signature=…&User-Agent=… )
//
// Signature version 4, as https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-signing-elements.html has it; the form of the token is
// that of the signers of Amazon (aws-msk-iam-sasl-signer). Pure; whose credentials they are is oauth-tokens.ts.
import { createHash, createHmac } from 'node:crypto';

export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
}

export const awsTokenSeconds = 900;
const service = 'kafka-cluster';
const algorithm = 'AWS4-HMAC-SHA256';

export function awsToken(region: string, credentials: AwsCredentials, nowMs: number): string {
  const { accessKeyId, secretAccessKey, sessionToken } = credentials;
  const host = `kafka.${region}.amazonaws.com`;
  const time = new Date(nowMs).toISOString().replace(/[-:]|\.\d{3}/g, '');
  const day = time.slice(0, 8);
  const scope = `${day}/${region}/${service}/aws4_request`;
  const parameters: readonly (readonly [string, string])[] = [
    ['Action', `${service}:Connect`],
    ['X-Amz-Algorithm', algorithm],
    ['X-Amz-Credential', `${accessKeyId}/${scope}`],
    ['X-Amz-Date', time],
    ['X-Amz-Expires', String(awsTokenSeconds)],
    ...(sessionToken === undefined ? [] : [['X-Amz-Security-Token', sessionToken] as const]),
    ['X-Amz-SignedHeaders', 'host'],
  ];
  const query = parameters.map(([name, value]) => `${name}=${escaped(value)}`).join('&');
  const request = ['GET', '/', query, `host:${host}\n`, 'host', sha256('')].join('\n');
  const toSign = [algorithm, time, scope, sha256(request)].join('\n');
  const key = [day, region, service, 'aws4_request'].reduce<string | Buffer>(
    (secret, part) => createHmac('sha256', secret).update(part).digest(),
    `AWS4${secretAccessKey}`,
  );
  const signature = createHmac('sha256', key).update(toSign).digest('hex');
  const address = `https://${host}/?${query}&X-Amz-Signature=${signature}&User-Agent=millrace`;
  return Buffer.from(address).toString('base64url');
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function escaped(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}
