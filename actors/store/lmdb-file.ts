// One lmdb file with two tables: documents (JSON) and blobs (bytes), under keys that are lists. The one file that knows lmdb.
//
// Writes are jobs that run inside a transaction. Jobs that come while an earlier transaction is being written share the next
// one and its fsync (group commit), in the order they came; `write` resolves after the fsync. A job that throws a coded error
// must do so before its first write: it alone is refused. Any other error takes the whole transaction back and refuses all
// of its jobs. Reads see what is committed; inside a job they see the job's own writes and those before it.
import { statfsSync } from 'node:fs';
import { type Database, type Key, open, type RootDatabase } from 'lmdb';
import { MillraceError } from '../../runtime/errors.ts';
import { completeLmdbFile } from './lmdb-extent.ts';
import { StoreClosed, StoreDamaged, StoreWriteFailed } from './store-errors.ts';

/** A word for the kind, then ids and numbers. Numbers sort as numbers. */
export type RecordKey = readonly (string | number)[];

interface Job {
  readonly run: () => unknown;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

type Outcome = { readonly value: unknown } | { readonly refused: unknown };

export class LmdbFile {
  readonly #path: string;
  readonly #root: RootDatabase<unknown>;
  readonly #documents: Database<unknown>;
  readonly #blobs: Database<Buffer>;
  #jobs: Job[] = [];
  #isClosed = false;

  /** @throws StoreDamaged */
  constructor(path: string) {
    this.#path = path;
    const lacksPages = completeLmdbFile(path);
    try {
      // Without overlapping syncs a commit returns when it is on the disk, and a file is never ahead of what is synced.
      this.#root = open<unknown>({ path, noSubdir: true, overlappingSync: false, maxDbs: 4, encoding: 'json' });
      this.#documents = this.#root.openDB<unknown>({ name: 'documents', encoding: 'json' });
      this.#blobs = this.#root.openDB<Buffer>({ name: 'blobs', encoding: 'binary' });
      if (lacksPages) this.#tryAll();
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      if (lacksPages) throw new StoreDamaged({ file: path, detail: `it has been cut: ${reason}` }, { cause });
      if (!/^MDB_(CORRUPTED|INVALID|PAGE_NOTFOUND)/.test(reason)) throw cause;
      throw new StoreDamaged({ file: path, detail: reason }, { cause });
    }
  }

  /** Pages that are missing show here, and not in the middle of a run. */
  #tryAll(): void {
    for (const { value } of this.#documents.getRange()) if (value === undefined) throw new Error('a document is gone');
    for (const key of this.#blobs.getKeys()) this.#blobs.getBinary(key);
    // A transaction that writes looks at the list of free pages too.
    this.#root.transactionSync(() => {
      this.#documents.putSync(['trial'], null);
      this.#documents.removeSync(['trial']);
    });
  }

  /** @throws StoreClosed, and what the job throws */
  write<R>(job: () => R): Promise<R> {
    if (this.#isClosed) return Promise.reject(new StoreClosed({ folder: this.#path }));
    return new Promise<R>((resolve, reject) => {
      // SAFETY: `commit` resolves each job with what its own `run` has returned.
      this.#jobs.push({ run: job, resolve: resolve as (value: unknown) => void, reject });
      // Messages that have arrived by then are heard first: their jobs share the transaction.
      if (this.#jobs.length === 1) setImmediate(() => this.#commit());
    });
  }

  #commit(): void {
    const jobs = this.#jobs;
    this.#jobs = [];
    const outcomes: Outcome[] = [];
    try {
      this.#root.transactionSync(() => {
        for (const job of jobs) outcomes.push(outcomeOf(job));
      });
    } catch (thrown) {
      const error = thrown instanceof MillraceError ? thrown : this.#writeFailed(thrown);
      for (const job of jobs) job.reject(error);
      return;
    }
    for (const [i, outcome] of outcomes.entries()) {
      if ('refused' in outcome) jobs[i]?.reject(outcome.refused);
      else jobs[i]?.resolve(outcome.value);
    }
  }

  /** A full disk, most of the time: lmdb says no more than "Input/output error". */
  #writeFailed(cause: unknown): MillraceError {
    const reason = cause instanceof Error ? cause.message : String(cause);
    let freeBytes: number | null = null;
    try {
      const { bavail, bsize } = statfsSync(this.#path);
      freeBytes = bavail * bsize;
    } catch {}
    return new StoreWriteFailed({ file: this.#path, reason, freeBytes }, { cause });
  }

  document(key: RecordKey): unknown {
    return this.#documents.get([...key]);
  }

  /** Inside a job only, like every method that changes something. */
  putDocument(key: RecordKey, value: unknown): void {
    this.#documents.putSync([...key], value);
  }

  removeDocument(key: RecordKey): void {
    this.#documents.removeSync([...key]);
  }

  /** Documents whose key is `prefix` and one number more, in the order of that number. */
  numberedDocuments(prefix: RecordKey, options: { newestFirst?: boolean; limit?: number } = {}): unknown[] {
    const bounds =
      options.newestFirst === true
        ? { start: [...prefix, Number.POSITIVE_INFINITY], end: [...prefix, -1], reverse: true }
        : { start: [...prefix, -1], end: [...prefix, Number.POSITIVE_INFINITY] };
    const limit = options.limit === undefined ? {} : { limit: options.limit };
    return [...this.#documents.getRange({ ...bounds, ...limit })].map(({ value }) => value);
  }

  /** Documents whose key is `kind` and one word more. */
  documents(kind: string): unknown[] {
    return [...this.#documents.getRange({ start: [kind, ''], end: [kind, '\u{10FFFF}'] })].map(({ value }) => value);
  }

  /** Documents under `prefix`, whatever follows it, with their keys. */
  documentsUnder(prefix: RecordKey): { readonly key: RecordKey; readonly value: unknown }[] {
    const found: { key: RecordKey; value: unknown }[] = [];
    for (const { key, value } of this.#documents.getRange({ start: [...prefix] })) {
      if (!startsWith(key, prefix)) break;
      // SAFETY: `startsWith` accepts lists alone, and keys are written from lists of words and numbers.
      found.push({ key: key as RecordKey, value });
    }
    return found;
  }

  blob(key: RecordKey): Buffer | undefined {
    return this.#blobs.getBinary([...key]);
  }

  putBlob(key: RecordKey, bytes: Uint8Array): void {
    this.#blobs.putSync([...key], Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  }

  /** The last parts of keys that are `prefix` and one number in [from, to] more. */
  blobNumbers(prefix: RecordKey, from = 0, to: number = Number.POSITIVE_INFINITY): number[] {
    const keys = this.#blobs.getKeys({ start: [...prefix, from], end: [...prefix, to], inclusiveEnd: true });
    // SAFETY: the last part of these keys is a number, by their range.
    return [...keys].map((key) => (key as (string | number)[])[prefix.length] as number);
  }

  /** Every document and blob under `prefix`, whatever follows it. */
  removeAll(prefix: RecordKey): void {
    for (const table of [this.#documents, this.#blobs]) {
      const found: Key[] = [];
      for (const key of table.getKeys({ start: [...prefix] })) {
        if (!startsWith(key, prefix)) break;
        found.push(key);
      }
      for (const key of found) table.removeSync(key);
    }
  }

  /** Counts up from 1, for ever. */
  nextNumber(key: RecordKey): number {
    const last = this.document(key);
    const next = (typeof last === 'number' ? last : 0) + 1;
    this.putDocument(key, next);
    return next;
  }

  /** Writes what is queued first. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this.#jobs.length > 0) this.#commit();
    await this.#root.close();
  }
}

function outcomeOf(job: Job): Outcome {
  try {
    return { value: job.run() };
  } catch (error) {
    if (error instanceof MillraceError) return { refused: error };
    throw error;
  }
}

function startsWith(key: unknown, prefix: RecordKey): boolean {
  return Array.isArray(key) && prefix.every((part, i) => key[i] === part);
}
