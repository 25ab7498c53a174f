// Parameters that reading from S3 and writing to it have in common: where the bucket is, and who asks.
// Names are those of Feldera's connector; what is left out comes from the environment that AWS's own tools read.
import type { Parameter } from '../sdk/parameters.ts';
import { tlsParameters } from '../sdk/tls-settings.ts';

export const s3Parameters: readonly Parameter[] = [
  {
    name: 'bucket_name',
    type: { kind: 'string' },
    required: true,
    environment: 'MILLRACE_S3_BUCKET',
    description: 'Bucket.',
  },
  {
    name: 'region',
    type: { kind: 'string' },
    required: false,
    environment: 'AWS_REGION',
    description: 'Region of the bucket. Default us-east-1.',
  },
  {
    name: 'endpoint_url',
    type: { kind: 'string' },
    required: false,
    environment: 'AWS_ENDPOINT_URL',
    description:
      'http(s):// address of a server that speaks S3, when it is not AWS. Buckets are then part of the path.',
  },
  {
    name: 'aws_access_key_id',
    type: { kind: 'string' },
    required: false,
    description: 'Access key. Default: what the AWS libraries find (environment, profile, role of the machine).',
  },
  {
    name: 'aws_secret_access_key',
    type: { kind: 'string' },
    required: false,
    secret: true,
    description: 'Secret of the access key.',
  },
  {
    name: 'aws_session_token',
    type: { kind: 'string' },
    required: false,
    secret: true,
    description: 'Token of temporary credentials.',
  },
  {
    name: 'no_sign_request',
    type: { kind: 'boolean' },
    required: false,
    default: false,
    description: 'Ask without credentials, for public buckets.',
  },
  ...tlsParameters('AWS_CA_BUNDLE'),
  {
    name: 'max_retries',
    type: { kind: 'integer', min: 0, max: 1000 },
    required: false,
    default: 5,
    description: 'Attempts after a request has failed in a way that may pass, with growing pauses.',
  },
];
