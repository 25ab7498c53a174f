// s3_output: changes as objects of a bucket, one object for each flush.
//
// The runtime gathers changes until there are enough or they are old enough (the output buffer, on by default here), prints them as one
// stream and flushes: everything since the last flush becomes one object, whole or not at all, and is safe when the request has succeeded.
// Keys ascend: prefix, time of the flush in UTC, number of the object in this run, suffix. A flush that is done anew writes the same key.
// Exactly once is exactly-once-destination.ts.
import { assert } from '../../runtime/assert.ts';
import {
  type Destination,
  type DestinationContext,
  type DestinationDefinition,
  defineDestination,
  type Outgoing,
} from '../sdk/destination.ts';
import { s3OutputDeclaration } from './declarations.ts';
import { ExactlyOnceObjects } from './exactly-once-destination.ts';
import { keyNumber, keyTime, ObjectBody, type S3OutputSettings } from './output-objects.ts';
import { S3Bucket } from './s3-bucket.ts';
import { S3AccessDenied } from './s3-errors.ts';

export const s3Output: DestinationDefinition = defineDestination({
  ...s3OutputDeclaration,
  create: (configuration, context) => {
    // SAFETY: the interface spells the parameters above, which the configuration has been validated against.
    const settings = configuration as unknown as S3OutputSettings;
    const isExactlyOnce = settings.delivery === 'exactly_once';
    return isExactlyOnce ? new ExactlyOnceObjects(settings, context) : new S3Destination(settings, context);
  },
});

class S3Destination implements Destination {
  readonly #settings: S3OutputSettings;
  readonly #context: DestinationContext;
  readonly #bucket: S3Bucket;
  readonly #body = new ObjectBody();
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
    this.#body.add(data.bytes);
  }

  async flush(): Promise<void> {
    if (this.#body.length === 0) return;
    await this.#bucket.write(this.#nextKey(), this.#body.bytes, this.#settings.content_type);
    this.#body.clear();
  }

  async teardown(): Promise<void> {
    await this.#bucket.close();
  }

  #nextKey(): string {
    const { prefix, suffix } = this.#settings;
    return `${prefix}${keyTime(this.#context.clock.now())}-${keyNumber(++this.#objects)}${suffix}`;
  }
}

/** A user whom the server knows, and who may not do this; unlike a key or a signature that is wrong. */
function isKnownUser(cause: unknown): boolean {
  return cause instanceof Error && cause.name === 'AccessDenied';
}
