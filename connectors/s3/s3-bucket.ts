// One bucket, as the connectors see it: list, look at, read a range, write; each with its retries. The only file that
// knows the client library, which is loaded by the first request: most pipelines make none. Ranges of objects are asked for by requests
// that the library has signed, and read without it, straight into their place (../sdk/http-bodies.ts).
//
// Every request is tried again after failures that may pass, with growing pauses on the connector's clock; each such failure is
// reported. Reads of a range ask for the very object that was listed (If-Match), so that half of one version and half of
// another are never one input.
import type { ListMultipartUploadsCommandInput, ListMultipartUploadsCommandOutput, S3Client } from '@aws-sdk/client-s3';
import type { Clock } from '../../runtime/clock.ts';
import { ConfigInvalidValue } from '../sdk/configuration-errors.ts';
import { HttpBodies } from '../sdk/http-bodies.ts';
import type { PayloadBytes } from '../sdk/source.ts';
import { readTls, type TlsSettings } from '../sdk/tls-settings.ts';
import { wait } from '../sdk/wait.ts';
import { WholeBody } from '../sdk/whole-body.ts';
import { finalS3Error, S3Unavailable } from './s3-errors.ts';
import { keepingHandler, signedRequest } from './signed-request.ts';

export interface S3Settings extends TlsSettings {
  readonly bucket_name: string;
  readonly region?: string;
  readonly endpoint_url?: string;
  readonly aws_access_key_id?: string;
  readonly aws_secret_access_key?: string;
  readonly aws_session_token?: string;
  readonly no_sign_request: boolean;
  readonly max_retries: number;
}

export interface S3Object {
  readonly key: string;
  readonly size: number;
  readonly etag: string;
}

/** Of an object that is written in parts. */
export interface S3Upload {
  readonly key: string;
  readonly id: string;
}

interface Surroundings {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  readonly baseFolder: string;
  reportError(error: unknown): void;
}

type Library = typeof import('@aws-sdk/client-s3');

export async function loadLibrary(): Promise<Library> {
  // It warns of what its releases of a later year will want of Node; this release is the one that is installed.
  process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] ??= 'true';
  return await import('@aws-sdk/client-s3');
}

interface Opened {
  readonly client: S3Client;
  /** Signs, and sends nothing. */
  readonly signer: S3Client;
  readonly bodies: HttpBodies;
  readonly library: Library;
}

/** Of a page of a list that is not the last one, where the server gives as many as S3 does. */
export const pageObjects = 1_000;
const firstPauseMs = 200;
const pauseMsMax = 10_000;
const connectMs = 10_000;
const idleMs = 60_000;

export class S3Bucket {
  readonly name: string;
  readonly #settings: S3Settings;
  readonly #surroundings: Surroundings;
  readonly #sockets: number;
  #opened: Promise<Opened> | null = null;

  /** `concurrency`: requests that run at a time. @throws ConfigInvalidValue */
  constructor(settings: S3Settings, surroundings: Surroundings, concurrency: number) {
    this.name = settings.bucket_name;
    this.#settings = settings;
    this.#surroundings = surroundings;
    this.#sockets = concurrency + 2;
    const { endpoint_url: endpoint } = settings;
    if (endpoint !== undefined && !(URL.canParse(endpoint) && /^https?:$/.test(new URL(endpoint).protocol))) {
      throw new ConfigInvalidValue({ key: 'endpoint_url', reason: 'must be an http:// or https:// address' });
    }
    if ((settings.aws_access_key_id === undefined) !== (settings.aws_secret_access_key === undefined)) {
      const reason = 'is given together with aws_secret_access_key, or neither of them';
      throw new ConfigInvalidValue({ key: 'aws_access_key_id', reason });
    }
  }

  /** @throws S3KeyMissing, S3BucketMissing, S3AccessDenied … */
  async head(key: string): Promise<S3Object> {
    const found = await this.#retried(key, async ({ client, library }, abortSignal) =>
      client.send(new library.HeadObjectCommand({ Bucket: this.name, Key: key }), { abortSignal }),
    );
    return { key, size: found.ContentLength ?? 0, etag: found.ETag ?? '' };
  }

  /** Objects in the order of their keys (UTF-8 bytes, as S3 sorts), a page at a time, behind `after`. */
  async *list(prefix: string, after: string): AsyncIterable<readonly S3Object[]> {
    let token: string | undefined;
    do {
      const page = await this.#retried('', async ({ client, library }, abortSignal) => {
        const start = token === undefined ? (after === '' ? {} : { StartAfter: after }) : { ContinuationToken: token };
        const wanted = { Bucket: this.name, Prefix: prefix, ...start };
        return client.send(new library.ListObjectsV2Command(wanted), { abortSignal });
      });
      yield (page.Contents ?? []).map(({ Key = '', Size = 0, ETag = '' }) => ({ key: Key, size: Size, etag: ETag }));
      token = page.IsTruncated === true ? page.NextContinuationToken : undefined;
    } while (token !== undefined);
  }

  /** Fills an array with the bytes from `offset` on. @throws S3ObjectChanged … */
  async read<Bytes extends PayloadBytes>(object: S3Object, offset: number, bytes: Bytes): Promise<Bytes> {
    const { length } = bytes;
    if (length === 0) return bytes;
    return await this.#retried(object.key, async ({ client, signer, bodies, library }, abortSignal) => {
      const range = `bytes=${offset}-${offset + length - 1}`;
      const match = object.etag === '' ? {} : { IfMatch: object.etag };
      const wanted = { Bucket: this.name, Key: object.key, Range: range, ...match };
      const request = await signedRequest(() => signer.send(new library.GetObjectCommand(wanted)));
      const answer = await bodies.get(request, abortSignal);
      if (answer?.status === 206 && answer.length === length && !answer.headers.has('content-encoding')) {
        await answer.read(new WholeBody(bytes));
        return bytes;
      }
      answer?.close();
      // What else a server may say the library knows how to read.
      const { Body: body } = await client.send(new library.GetObjectCommand(wanted), { abortSignal });
      // SAFETY: in Node a body is a Readable.
      await fill(body as AsyncIterable<Uint8Array> | undefined, bytes);
      return bytes;
    });
  }

  async write(key: string, bytes: Uint8Array, contentType: string): Promise<void> {
    await this.#retried(key, async ({ client, library }, abortSignal) => {
      const wanted = { Bucket: this.name, Key: key, Body: bytes, ContentType: contentType };
      await client.send(new library.PutObjectCommand(wanted), { abortSignal });
    });
  }

  // An object in parts, which nobody sees before it is completed. What is not is there until it is aborted.

  async beginUpload(key: string, contentType: string): Promise<string> {
    const begun = await this.#retried(key, async ({ client, library }, abortSignal) => {
      const wanted = { Bucket: this.name, Key: key, ContentType: contentType };
      return client.send(new library.CreateMultipartUploadCommand(wanted), { abortSignal });
    });
    return begun.UploadId ?? '';
  }

  /** `number` from 1 on; every part but the last has 5 MiB or more. Answers with the part's tag. */
  async uploadPart({ key, id }: S3Upload, number: number, bytes: Uint8Array): Promise<string> {
    const done = await this.#retried(key, async ({ client, library }, abortSignal) => {
      const wanted = { Bucket: this.name, Key: key, UploadId: id, PartNumber: number, Body: bytes };
      return client.send(new library.UploadPartCommand(wanted), { abortSignal });
    });
    return done.ETag ?? '';
  }

  /** From now on the object is there. False: there is no such upload; it may have been completed before. */
  async completeUpload({ key, id }: S3Upload, tags: readonly string[]): Promise<boolean> {
    const parts = tags.map((ETag, i) => ({ ETag, PartNumber: i + 1 }));
    const wanted = { Bucket: this.name, Key: key, UploadId: id, MultipartUpload: { Parts: parts } };
    return await this.#retried(key, async ({ client, library }, abortSignal) =>
      unlessGone(client.send(new library.CompleteMultipartUploadCommand(wanted), { abortSignal })),
    );
  }

  async abortUpload({ key, id }: S3Upload): Promise<void> {
    const wanted = { Bucket: this.name, Key: key, UploadId: id };
    await this.#retried(key, async ({ client, library }, abortSignal) =>
      unlessGone(client.send(new library.AbortMultipartUploadCommand(wanted), { abortSignal })),
    );
  }

  /** Those that are neither completed nor aborted. */
  async uploads(prefix: string): Promise<readonly S3Upload[]> {
    const found: S3Upload[] = [];
    let after: { readonly KeyMarker?: string; readonly UploadIdMarker?: string } | null = {};
    while (after !== null) {
      const wanted: ListMultipartUploadsCommandInput = { Bucket: this.name, Prefix: prefix, ...after };
      const page: ListMultipartUploadsCommandOutput = await this.#retried(
        '',
        async ({ client, library }, abortSignal) =>
          client.send(new library.ListMultipartUploadsCommand(wanted), { abortSignal }),
      );
      found.push(...(page.Uploads ?? []).map(({ Key = '', UploadId = '' }) => ({ key: Key, id: UploadId })));
      const { IsTruncated: isTruncated, NextKeyMarker: key, NextUploadIdMarker: id } = page;
      const next = {
        ...(key === undefined ? {} : { KeyMarker: key }),
        ...(id === undefined ? {} : { UploadIdMarker: id }),
      };
      after = isTruncated === true && key !== undefined ? next : null;
    }
    return found;
  }

  async close(): Promise<void> {
    const opened = await this.#opened?.catch(() => null);
    opened?.client.destroy();
    opened?.signer.destroy();
    opened?.bodies.close();
    this.#opened = null;
  }

  async #retried<R>(key: string, attempt: (opened: Opened, signal: AbortSignal) => Promise<R>): Promise<R> {
    const { clock, signal, reportError } = this.#surroundings;
    for (let attempts = 1; ; attempts++) {
      try {
        this.#opened ??= this.#open();
        return await attempt(await this.#opened, signal);
      } catch (thrown) {
        signal.throwIfAborted();
        const where = { bucket: this.name, key };
        const final = finalS3Error(thrown, where);
        if (final !== null) throw final;
        const failed = new S3Unavailable({ ...where, reason: reasonOf(thrown), attempts }, { cause: thrown });
        if (attempts > this.#settings.max_retries) throw failed;
        reportError(failed);
        await wait(clock, Math.min(pauseMsMax, firstPauseMs * 2 ** (attempts - 1)), signal);
        signal.throwIfAborted();
      }
    }
  }

  async #open(): Promise<Opened> {
    const library = await loadLibrary();
    const settings = this.#settings;
    const tls = (await readTls(settings, this.#surroundings.baseFolder)) ?? {};
    const { aws_access_key_id: accessKeyId, aws_secret_access_key: secretAccessKey } = settings;
    const session = settings.aws_session_token === undefined ? {} : { sessionToken: settings.aws_session_token };
    const common = {
      region: settings.region ?? 'us-east-1',
      // Retries are ours: they wait on the connector's clock, end when it is stopped, and are reported.
      maxAttempts: 1,
      ...(settings.endpoint_url === undefined ? {} : { endpoint: settings.endpoint_url, forcePathStyle: true }),
      ...(accessKeyId === undefined || secretAccessKey === undefined
        ? {}
        : { credentials: { accessKeyId, secretAccessKey, ...session } }),
      ...(settings.no_sign_request ? { signer: { sign: async <R>(request: R): Promise<R> => request } } : {}),
    };
    const requestHandler = {
      connectionTimeout: connectMs,
      requestTimeout: idleMs,
      httpAgent: { maxSockets: this.#sockets, keepAlive: true },
      httpsAgent: { ...tls, maxSockets: this.#sockets, keepAlive: true },
    };
    return {
      client: new library.S3Client({ ...common, requestHandler }),
      signer: new library.S3Client({ ...common, requestHandler: keepingHandler }),
      bodies: new HttpBodies({ tls, connectMs, idleMs, keptMax: this.#sockets }),
      library,
    };
  }
}

/** False: the server knows no such upload. */
async function unlessGone(answer: Promise<unknown>): Promise<boolean> {
  try {
    await answer;
    return true;
  } catch (thrown) {
    if (thrown instanceof Error && thrown.name === 'NoSuchUpload') return false;
    throw thrown;
  }
}

/** @throws Error when the body has fewer bytes than that: worth another attempt. */
async function fill(body: AsyncIterable<Uint8Array> | undefined, bytes: Uint8Array): Promise<void> {
  const { length } = bytes;
  let filled = 0;
  for await (const chunk of body ?? []) {
    if (filled + chunk.length > length) throw new Error('the server sent more than it was asked for');
    bytes.set(chunk, filled);
    filled += chunk.length;
  }
  if (filled < length) throw new Error(`the body ended at ${filled} of ${length} bytes`);
}

function reasonOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  const [first] = thrown instanceof AggregateError ? thrown.errors : [];
  if (first instanceof Error) return first.message;
  return thrown.message === '' ? thrown.name : thrown.message;
}
