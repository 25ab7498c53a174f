// s3_input: one object of a bucket, or all whose keys begin alike, in the order of their keys.
//
// Position: { key, offset, etag } of the object that is being read. Objects are read in parts, several at a time (large ones in
// parallel with themselves, small ones with their neighbours), and given out in order; every object is a stream of its own, so a
// CSV header stands in each. What had been listed before is not listed again: a later position goes on behind its key.
// With `watch` the bucket is listed again and again for keys behind the last one; the input never ends then. Objects whose keys
// sort before the last one that was read are not seen: name new objects in ascending order (by date, say).

import { BodyRooms } from '../sdk/body-rooms.ts';
import { ConfigInvalidValue } from '../sdk/configuration-errors.ts';
import { parseDuration } from '../sdk/duration.ts';
import {
  defineSource,
  type Payload,
  type PayloadBytes,
  type Position,
  type RandomAccess,
  type Source,
  type SourceContext,
  type SourceDefinition,
} from '../sdk/source.ts';
import { wait } from '../sdk/wait.ts';
import { s3InputDeclaration } from './declarations.ts';
import { loadLibrary, pageObjects, S3Bucket, type S3Object, type S3Settings } from './s3-bucket.ts';
import { S3ObjectChanged } from './s3-errors.ts';

const partBytes = 4 << 20;
/** Parts that wait for their decoder, or are in it, beside those that are fetched. */
const decodedAtOnce = 3;

export const s3Input: SourceDefinition = defineSource({
  ...s3InputDeclaration,
  loadAhead: loadLibrary,
  // SAFETY: the interface spells the parameters above, which the configuration has been validated against.
  create: (configuration, context) => new S3Source(configuration as unknown as S3Configuration, context),
});

interface S3Configuration extends S3Settings {
  readonly key?: string;
  readonly prefix?: string;
  readonly max_concurrent_fetches: number;
  readonly watch: boolean;
  readonly watch_interval: string;
}

interface Part {
  readonly object: S3Object;
  readonly offset: number;
  readonly length: number;
}

interface S3Position {
  readonly key: string;
  readonly offset: number;
  readonly etag: string;
}

class S3Source implements Source {
  readonly #configuration: S3Configuration;
  readonly #context: SourceContext;
  readonly #bucket: S3Bucket;
  #from: S3Position | null = null;
  #single: S3Object | null = null;
  #first: readonly S3Object[] = [];
  #bytesTotal: number | null = null;
  readonly #rooms: BodyRooms;

  constructor(configuration: S3Configuration, context: SourceContext) {
    this.#configuration = configuration;
    this.#context = context;
    const { key, prefix, watch } = configuration;
    if ((key === undefined) === (prefix === undefined)) {
      throw new ConfigInvalidValue({ key: 'key', reason: 'or prefix: exactly one of the two is needed' });
    }
    if (watch && prefix === undefined) throw new ConfigInvalidValue({ key: 'watch', reason: 'needs prefix' });
    this.#rooms = new BodyRooms(partBytes, configuration.max_concurrent_fetches + decodedAtOnce);
    this.#bucket = new S3Bucket(configuration, context, configuration.max_concurrent_fetches);
  }

  async open(position: Position | null): Promise<void> {
    this.#from = position === null ? null : readPosition(position);
    const { key, prefix = '' } = this.#configuration;
    if (key !== undefined) {
      this.#single = await this.#bucket.head(key);
      this.#refuseIfChanged(this.#single);
      this.#bytesTotal = this.#single.size;
      return;
    }
    // A first look, so that a wrong bucket or key is an error of the start. What is shorter sorts before the key itself.
    const before = [...(this.#from?.key ?? '')].slice(0, -1).join('');
    for await (const page of this.#bucket.list(prefix, before)) {
      this.#first = page;
      break;
    }
    // A page that is not full is the last one.
    const isAll = this.#from === null && this.#first.length < pageObjects && !this.#configuration.watch;
    if (isAll) this.#bytesTotal = this.#first.reduce((sum, { size }) => sum + size, 0);
  }

  async *read(): AsyncIterable<Payload> {
    const { signal } = this.#context;
    const ahead: { readonly part: Part; readonly bytes: Promise<PayloadBytes> }[] = [];
    const fetchesMax = this.#configuration.max_concurrent_fetches;
    try {
      const parts = this.#parts()[Symbol.asyncIterator]();
      let isDone = false;
      while (!signal.aborted) {
        while (!isDone && ahead.length < fetchesMax) {
          const next = await parts.next();
          if (next.done === true) {
            isDone = true;
            break;
          }
          if (next.value === null) {
            // Nothing more for now: what is on its way first, then the pause.
            if (ahead.length > 0) break;
            yield { kind: 'idle' };
            continue;
          }
          const part = next.value;
          const room = part.length === 0 ? new Uint8Array(0) : this.#rooms.take(part.length);
          const bytes = this.#bucket.read(part.object, part.offset, room);
          // A rejection is seen when its turn comes; until then it must not count as unhandled.
          bytes.catch(() => {});
          ahead.push({ part, bytes });
        }
        const head = ahead.shift();
        if (head === undefined) {
          if (isDone) return;
          continue;
        }
        const bytes = await head.bytes;
        yield this.#payload(head.part, bytes);
      }
    } catch (thrown) {
      if (!signal.aborted) throw thrown;
    } finally {
      await Promise.allSettled(ahead.map(({ bytes }) => bytes));
    }
  }

  /** One object only: block formats read it where they like. */
  randomAccess(): RandomAccess | null {
    const object = this.#single;
    if (object === null) return null;
    const read: RandomAccess['read'] = (offset, length) =>
      this.#bucket.read(object, offset, new Uint8Array(Math.max(0, Math.min(length, object.size - offset))));
    return { size: object.size, read, metadata: this.#metadata(object.key) };
  }

  bytesTotal(): number | null {
    return this.#bytesTotal;
  }

  async teardown(): Promise<void> {
    await this.#bucket.close();
  }

  /** Parts of all objects in order; null: nothing new for now. */
  async *#parts(): AsyncGenerator<Part | null> {
    for await (const object of this.#objects()) {
      if (object === null) {
        yield null;
        continue;
      }
      this.#refuseIfChanged(object);
      let offset = object.key === this.#from?.key ? this.#from.offset : 0;
      do {
        const length = Math.min(partBytes, object.size - offset);
        yield { object, offset, length };
        offset += length;
      } while (offset < object.size);
    }
  }

  async *#objects(): AsyncGenerator<S3Object | null> {
    if (this.#single !== null) {
      yield this.#single;
      return;
    }
    const { prefix = '', watch, watch_interval: interval } = this.#configuration;
    const { clock, signal } = this.#context;
    const from = this.#from?.key ?? '';
    let last = '';
    const fresh = (object: S3Object): boolean =>
      compareKeys(object.key, from) >= 0 && compareKeys(object.key, last) > 0;
    for (const object of this.#first.filter(fresh)) {
      last = object.key;
      yield object;
    }
    for (let isFirst = true; !signal.aborted; isFirst = false) {
      if (!isFirst) {
        if (!watch) return;
        yield null;
        await wait(clock, parseDuration(interval) ?? 1_000, signal);
        if (signal.aborted) return;
      }
      const behind = last === '' ? (this.#first.at(-1)?.key ?? '') : last;
      for await (const page of this.#bucket.list(prefix, behind)) {
        for (const object of page.filter(fresh)) {
          last = object.key;
          yield object;
        }
      }
    }
  }

  #payload({ object, offset, length }: Part, bytes: PayloadBytes): Payload {
    const { key, etag } = object;
    const positionAfter = (count: number): Position => ({ key, offset: offset + count, etag }) satisfies S3Position;
    const metadata = this.#metadata(key);
    const release = (): void => this.#rooms.giveBack(bytes);
    return { kind: 'bytes', bytes, positionAfter, release, endOfStream: offset + length >= object.size, metadata };
  }

  #metadata(key: string): string {
    return JSON.stringify({ s3_bucket: this.#bucket.name, s3_key: key });
  }

  #refuseIfChanged(object: S3Object): void {
    const from = this.#from;
    if (from === null || from.key !== object.key || from.offset === 0) return;
    if (from.etag !== object.etag) throw new S3ObjectChanged({ bucket: this.#bucket.name, key: object.key });
  }
}

function readPosition(position: Position): S3Position {
  return { key: String(position['key']), offset: Number(position['offset']), etag: String(position['etag']) };
}

/** S3 sorts keys by their UTF-8 bytes. */
function compareKeys(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
