// What S3 says of a request that has failed, as coded errors that name the setting to look at.
// Whatever may pass by itself (the network, 5xx, throttling) says so: it is tried again, here and by the restart policy.
import { type CodedErrorClass, defineError, MillraceError } from '../../runtime/errors.ts';
import { isTlsFailure } from '../sdk/tls-settings.ts';

type Where = { readonly bucket: string; readonly key: string };

export const S3BucketMissing: CodedErrorClass<Where> = defineError(
  's3.bucket_missing',
  { help: 'Correct `bucket_name`, or `region` and `endpoint_url` if the bucket is somewhere else.' },
  (f) => `there is no bucket "${f.bucket}"`,
);

export const S3KeyMissing: CodedErrorClass<Where> = defineError(
  's3.key_missing',
  { help: 'Correct `key`. To read every object that begins alike, use `prefix`.' },
  (f) => `there is no object "${f.key}" in bucket "${f.bucket}"`,
);

export const S3AccessDenied: CodedErrorClass<Where & { readonly reason: string }> = defineError(
  's3.access_denied',
  { help: 'Check `aws_access_key_id` and `aws_secret_access_key`, and what they may do with this bucket.' },
  (f) => `access to "${f.bucket}/${f.key}" is denied: ${f.reason}`,
);

export const S3NoCredentials: CodedErrorClass<Where> = defineError(
  's3.no_credentials',
  { help: 'Set `aws_access_key_id` and `aws_secret_access_key`, the AWS variables, or `no_sign_request: true`.' },
  (f) => `there are no credentials for bucket "${f.bucket}"`,
);

export const S3WrongRegion: CodedErrorClass<Where & { readonly reason: string }> = defineError(
  's3.wrong_region',
  { help: 'Set `region` to the region of the bucket.' },
  (f) => `bucket "${f.bucket}" is in another region: ${f.reason}`,
);

export const S3Tls: CodedErrorClass<Where & { readonly reason: string }> = defineError(
  's3.tls',
  {
    help: 'Check `endpoint_url`; `ssl_ca_pem` or `ssl_ca_location`: the authority that has signed the certificate of the server; `verify_hostname`: whether it must be for the host of the address; and `ssl_client_pem`: the certificate of the client, if the server asks for one.',
  },
  (f) => `"${f.bucket}/${f.key}": ${f.reason}`,
);

export const S3UploadGone: CodedErrorClass<{ readonly bucket: string; readonly key: string }> = defineError(
  's3.upload_gone',
  {
    help: 'Where readers take objects away nothing is wrong. Where they do not, a rule of the bucket has aborted the upload while the pipeline stood still, and its changes are lost: give such a rule more days than a pipeline that was killed may stand still.',
  },
  (f) => `neither the object ${f.bucket}/${f.key} nor its upload is there any more`,
);

export const S3ObjectChanged: CodedErrorClass<Where> = defineError(
  's3.object_changed',
  { help: 'The object was replaced while it was read. Start the connector anew to read it from its beginning.' },
  (f) => `object "${f.key}" in bucket "${f.bucket}" has changed since it was begun`,
);

export const S3Refused: CodedErrorClass<Where & { readonly reason: string }> = defineError(
  's3.refused',
  { help: 'The message is the server’s; check the settings that it speaks of.' },
  (f) => `"${f.bucket}/${f.key}": ${f.reason}`,
);

export const S3Unavailable: CodedErrorClass<Where & { readonly reason: string; readonly attempts: number }> =
  defineError(
    's3.unavailable',
    {
      help: 'The server cannot be reached or is overloaded. Check `endpoint_url`, or raise `max_retries`.',
      retry: 'later',
    },
    (f) => `"${f.bucket}/${f.key}": ${f.reason} (attempt ${f.attempts})`,
  );

interface Failure {
  readonly name: string;
  readonly message: string;
  readonly code?: unknown;
  readonly $metadata?: { readonly httpStatusCode?: number };
}

/** A final error, or null: the request is worth another attempt. */
export function finalS3Error(thrown: unknown, where: Where): MillraceError | null {
  if (thrown instanceof MillraceError) return thrown;
  if (!(thrown instanceof Error)) return new S3Refused({ ...where, reason: String(thrown) });
  const failure: Failure = thrown;
  const status = failure.$metadata?.httpStatusCode;
  const reason = failure.message === '' ? failure.name : failure.message;
  const context = { cause: thrown };
  if (status === undefined && isTlsFailure(thrown)) return new S3Tls({ ...where, reason }, context);
  if (failure.name === 'NoSuchBucket') return new S3BucketMissing(where, context);
  if (failure.name === 'NoSuchKey' || failure.name === 'NotFound') return new S3KeyMissing(where, context);
  if (failure.name === 'CredentialsProviderError') return new S3NoCredentials(where, context);
  if (/Redirect|AuthorizationHeaderMalformed|IllegalLocationConstraint/.test(failure.name)) {
    return new S3WrongRegion({ ...where, reason }, context);
  }
  if (failure.name === 'PreconditionFailed' || status === 412) return new S3ObjectChanged(where, context);
  if (status === 401 || status === 403) {
    // A HEAD request has no body: the status is all there is.
    return new S3AccessDenied(
      { ...where, reason: reason === 'UnknownError' ? 'the server says no more' : reason },
      context,
    );
  }
  if (status === 404) return where.key === '' ? new S3BucketMissing(where, context) : new S3KeyMissing(where, context);
  const mayPass =
    status === undefined || status >= 500 || status === 408 || status === 429 || status === 200 || status === 206;
  return mayPass && failure.name !== 'TypeError' ? null : new S3Refused({ ...where, reason }, context);
}
