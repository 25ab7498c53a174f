// s3_output: changes as objects of a bucket, one object for each flush.
//
// The runtime gathers changes until there are enough or they are old enough (the output buffer, on by default here), prints them as one
// stream and flushes: everything since the last flush becomes one object, whole or not at all, and is safe when the request has succeeded.
// Keys ascend: prefix, time of the flush in UTC, number of the object in this run, suffix. A flush that is done anew writes the same key.
import { assert } from '../../runtime/assert.ts';
import {
  type Destination,
  type DestinationContext,
  type DestinationDefinition,
  defineDestination,
  type Outgoing,
} from '../sdk/destination.ts';
import { s3OutputDeclaration } from './declarations.ts';
import { S3Bucket, type S3Settings } from './s3-bucket.ts';
import { S3AccessDenied } from './s3-errors.ts';

export const s3Output: DestinationDefinition = defineDestination({
  ...s3OutputDeclaration,
  // SAFETY: the interface spells the parameters above, which the configuration has been validated against.
  create: (configuration, context) => new S3Destination(configuration as unknown as S3OutputSettings, context),
});

interface S3OutputSettings extends S3Settings {
  readonly prefix: string;
  readonly suffix: string;
  readonly content_type: string;
}

const bodyBytesMin = 1 << 20;
/** Memory of a larger object is let go. */
const keptBodyBytesMax = 32 << 20;

class S3Destination implements Destination {
  readonly #settings: S3OutputSettings;
  readonly #context: DestinationContext;
  readonly #bucket: S3Bucket;
  /** What was written since the last flush, in memory that is used again for the next object. */
  #body: Buffer = Buffer.alloc(0);
  #used = 0;
  #objects = 0;

  constructor(settings: S3OutputSettings, context: DestinationContext) {
    this.#settings = settings;
    this.#context = context;
    this.#bucket = new S3Bucket(settings, context, 1);
  }

  async open(): Promise<void> {
    // A look at the bucket, so that a wrong name or key is an error of the start. Who may write need not be allowed to look.
    try {
      for await (const _ of this.#bucket.list(this.#settings.prefix, '')) break;
    } catch (thrown) {
      if (!(thrown instanceof S3AccessDenied) || !isKnownUser(thrown.cause)) throw thrown;
    }
  }

  async write(data: Outgoing): Promise<void> {
    assert(data.kind === 'bytes', 's3_output has a format');
    const { bytes } = data;
    const needed = this.#used + bytes.length;
    if (needed > this.#body.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(needed, this.#body.length * 2, bodyBytesMin));
      this.#body.copy(grown, 0, 0, this.#used);
      this.#body = grown;
    }
    // The caller may use its array again afterwards.
    this.#body.set(bytes, this.#used);
    this.#used = needed;
  }

  async flush(): Promise<void> {
    if (this.#used === 0) return;
    await this.#bucket.write(this.#nextKey(), this.#body.subarray(0, this.#used), this.#settings.content_type);
    this.#used = 0;
    if (this.#body.length > keptBodyBytesMax) this.#body = Buffer.alloc(0);
  }

  async teardown(): Promise<void> {
    await this.#bucket.close();
  }

  #nextKey(): string {
    const { prefix, suffix } = this.#settings;
    const time = new Date(this.#context.clock.now()).toISOString().replaceAll(/[-:]/g, '').replace('.', '');
    return `${prefix}${time}-${String(++this.#objects).padStart(6, '0')}${suffix}`;
  }
}

/** A user whom the server knows, and who may not do this; unlike a key or a signature that is wrong. */
function isKnownUser(cause: unknown): boolean {
  return cause instanceof Error && cause.name === 'AccessDenied';
}
