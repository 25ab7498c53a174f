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

class S3Destination implements Destination {
  readonly #settings: S3OutputSettings;
  readonly #context: DestinationContext;
  readonly #bucket: S3Bucket;
  #gathered: Uint8Array[] = [];
  #objects = 0;

  constructor(settings: S3OutputSettings, context: DestinationContext) {
    this.#settings = settings;
    this.#context = context;
    this.#bucket = new S3Bucket(settings, context, 1);
  }

  async open(): Promise<void> {
    // A look at the bucket, so that a wrong name or key is an error of the start.
    for await (const _ of this.#bucket.list(this.#settings.prefix, '')) break;
  }

  async write(data: Outgoing): Promise<void> {
    assert(data.kind === 'bytes', 's3_output has a format');
    // The caller may use its array again afterwards.
    this.#gathered.push(data.bytes.slice());
  }

  async flush(): Promise<void> {
    if (this.#gathered.length === 0) return;
    const body = Buffer.concat(this.#gathered);
    if (body.length > 0) await this.#bucket.write(this.#nextKey(), body, this.#settings.content_type);
    this.#gathered = [];
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
