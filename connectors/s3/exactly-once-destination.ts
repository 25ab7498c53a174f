// s3_output with `delivery: exactly_once`: objects are uploaded in parts, and completed with the checkpoint that holds their changes.
//
//   write       rows ─► a part of an upload, for each 16 MiB of them                           seen by nobody
//   flush       the rest ─► its last part
//   prepare(c)  note of c: the uploads that wait, with the tags of their parts
//   commit(c)   they are completed, in the order of their keys
//   recover(c)  the same with those of the note that are not; other uploads of this output are aborted: what is in them comes again
//
// Keys ascend: prefix, time, number of the object, a hash of the output's name (by which its uploads are known), suffix. Time and number are part of
// the note, so that keys of a later run are greater whatever its clock says. An upload that is gone was completed before: its object is there, or
// somebody has taken it away already.
import { createHash } from 'node:crypto';
import { assert } from '../../runtime/assert.ts';
import type { CheckpointNote, Destination, DestinationContext, Outgoing } from '../sdk/destination.ts';
import { keyNumber, keyTime, ObjectBody, type S3OutputSettings } from './output-objects.ts';
import { S3Bucket } from './s3-bucket.ts';
import { S3KeyMissing, S3UploadGone } from './s3-errors.ts';

const partBytes = 16 << 20;
/** Rules of a bucket that abort uploads count in days. */
const ruleMs = 24 * 3_600_000;

/** An upload, and the tags of its parts. */
interface WaitingObject {
  readonly key: string;
  readonly id: string;
  readonly tags: readonly string[];
  readonly time: number;
}

interface Noted {
  readonly bucket: string;
  /** By which it knew its uploads: its name may be another one by now. */
  readonly mark: string;
  readonly waiting: readonly WaitingObject[];
  /** Of the latest key. */
  readonly time: number;
  readonly objects: number;
}

export class ExactlyOnceObjects implements Destination {
  readonly #settings: S3OutputSettings;
  readonly #context: DestinationContext;
  readonly #bucket: S3Bucket;
  readonly #mark: string;
  readonly #body = new ObjectBody();
  #time = 0;
  #objects = 0;
  #uploading: WaitingObject | null = null;
  #waiting: WaitingObject[] = [];
  readonly #prepared = new Map<string, readonly WaitingObject[]>();

  constructor(settings: S3OutputSettings, context: DestinationContext) {
    this.#settings = settings;
    this.#context = context;
    this.#bucket = new S3Bucket(settings, context, 1);
    const { pipeline = '', endpoint } = context;
    const id = settings.output_id ?? `${pipeline}/${endpoint}`;
    this.#mark = createHash('sha256').update(id).digest('hex').slice(0, 12);
  }

  /** `recover` asks for the uploads of the bucket: a wrong name or key is an error of the start. */
  async open(): Promise<void> {}

  async recover(checkpoint: string | null, note: CheckpointNote | null): Promise<void> {
    const noted = checkpoint === null || note === null ? null : notedOf(note);
    if (noted !== null) {
      await this.#completeNoted(noted);
      this.#time = noted.time;
      this.#objects = noted.objects;
    }
    await this.#abortAll(noted === null ? [this.#mark] : [this.#mark, noted.mark]);
  }

  async write(data: Outgoing): Promise<void> {
    assert(data.kind === 'bytes', 's3_output has a format');
    this.#body.add(data.bytes);
    if (this.#body.length >= partBytes) await this.#uploadPart();
  }

  async flush(): Promise<void> {
    if (this.#body.length > 0) await this.#uploadPart();
    const uploaded = this.#uploading;
    if (uploaded === null) return;
    this.#uploading = null;
    this.#waiting.push(uploaded);
  }

  async prepare(checkpoint: string): Promise<CheckpointNote> {
    const waiting = [...this.#waiting];
    this.#prepared.set(checkpoint, waiting);
    const { name: bucket } = this.#bucket;
    return { bucket, mark: this.#mark, waiting, time: this.#time, objects: this.#objects } satisfies Noted;
  }

  async commit(checkpoint: string): Promise<void> {
    const objects = this.#prepared.get(checkpoint);
    if (objects === undefined) return;
    // What was prepared before is part of it.
    for (const each of [...this.#prepared.keys()]) {
      this.#prepared.delete(each);
      if (each === checkpoint) break;
    }
    for (const object of objects) {
      if (!this.#waiting.includes(object)) continue;
      await this.#complete(this.#bucket, object);
      this.#waiting = this.#waiting.filter((each) => each !== object);
    }
  }

  async teardown(): Promise<void> {
    await this.#bucket.close();
  }

  async onDeleted(): Promise<void> {
    try {
      await this.#abortAll([this.#mark]);
    } finally {
      await this.#bucket.close();
    }
  }

  async #uploadPart(): Promise<void> {
    this.#uploading ??= await this.#begin();
    const { tags } = this.#uploading;
    const tag = await this.#bucket.uploadPart(this.#uploading, tags.length + 1, this.#body.bytes);
    this.#uploading = { ...this.#uploading, tags: [...tags, tag] };
    this.#body.clear();
  }

  async #begin(): Promise<WaitingObject> {
    const { prefix, suffix, content_type: contentType } = this.#settings;
    this.#time = Math.max(this.#time, this.#context.clock.now());
    const key = `${prefix}${keyTime(this.#time)}-${keyNumber(++this.#objects)}-${this.#mark}${suffix}`;
    return { key, id: await this.#bucket.beginUpload(key, contentType), time: this.#time, tags: [] };
  }

  /** Its settings may be other ones by now. */
  async #completeNoted({ bucket: name, waiting }: Noted): Promise<void> {
    if (name === this.#bucket.name) {
      for (const object of waiting) await this.#complete(this.#bucket, object);
      return;
    }
    const bucket = new S3Bucket({ ...this.#settings, bucket_name: name }, this.#context, 1);
    try {
      for (const object of waiting) await this.#complete(bucket, object);
    } finally {
      await bucket.close();
    }
  }

  async #complete(bucket: S3Bucket, object: WaitingObject): Promise<void> {
    if (await bucket.completeUpload(object, object.tags)) return;
    try {
      await bucket.head(object.key);
    } catch (thrown) {
      if (!(thrown instanceof S3KeyMissing)) throw thrown;
      // Nobody takes away what was never seen, unless a rule has aborted it while the pipeline stood still.
      if (this.#context.clock.now() - object.time < ruleMs) return;
      this.#context.reportError(new S3UploadGone({ bucket: bucket.name, key: object.key }));
    }
  }

  async #abortAll(marks: readonly string[]): Promise<void> {
    const { prefix, suffix } = this.#settings;
    const own = new RegExp(`^\\d{8}T\\d{9}Z-\\d{6,}-(?:${marks.join('|')})$`);
    for (const upload of await this.#bucket.uploads(prefix)) {
      const { key } = upload;
      if (!key.startsWith(prefix) || !key.endsWith(suffix)) continue;
      if (own.test(key.slice(prefix.length, key.length - suffix.length))) await this.#bucket.abortUpload(upload);
    }
  }
}

/** Null: the note is of another connector that had this name. */
function notedOf({ bucket, mark, waiting, time, objects }: CheckpointNote): Noted | null {
  if (typeof bucket !== 'string' || typeof mark !== 'string' || !Array.isArray(waiting)) return null;
  // SAFETY: what `prepare` has noted, kept as it was.
  return { bucket, mark, waiting: waiting as readonly WaitingObject[], time: Number(time), objects: Number(objects) };
}
