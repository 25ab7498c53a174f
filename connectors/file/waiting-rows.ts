// Rows of an output file that wait for their checkpoint, in files beside it: PATH.millrace-1, PATH.millrace-2, …
//
// One is written at a time. When a checkpoint is prepared it is synced to the disk and closed, and a new one is begun with the next row. One that is
// there holds rows that may not be in the output file yet: it is removed only when they are, and that is on the disk.
import { open, readdir, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileError } from './file-path.ts';
import type { PipeContext } from './named-pipe.ts';
import { WrittenFile } from './written-file.ts';

/** Number and size of a closed one. */
export type WaitingFile = readonly [number: number, bytes: number];

export class WaitingRows {
  readonly #path: string;
  readonly #context: PipeContext;
  #next = 1;
  #written: { readonly file: WrittenFile; readonly number: number; bytes: number } | null = null;

  constructor(path: string, context: PipeContext) {
    this.#path = path;
    this.#context = context;
  }

  /** Where the waiting file of this number is. */
  place(number: number): string {
    return `${this.#path}.millrace-${number}`;
  }

  /** All of it has been handed to the operating system then. @throws a coded error of the file system */
  async write(bytes: Uint8Array): Promise<void> {
    if (this.#written === null) {
      const number = this.#next++;
      this.#written = { file: await WrittenFile.open(this.place(number), 'w', this.#context), number, bytes: 0 };
    }
    await this.#written.file.write(bytes, this.#context.signal);
    this.#written.bytes += bytes.length;
  }

  /** What was written since the last time is safe; null: nothing was. @throws a coded error of the file system */
  async close(): Promise<WaitingFile | null> {
    const written = this.#written;
    if (written === null) return null;
    await written.file.sync();
    await written.file.close();
    this.#written = null;
    await syncFolder(this.#path);
    return [written.number, written.bytes];
  }

  /** The number of the next one. */
  get next(): number {
    return this.#next;
  }

  /** Nothing waits any more. The next one has this number: none that a note may still name. @throws a coded error of the file system */
  async clear(next: number): Promise<void> {
    for (const number of await this.#numbers()) await this.remove(number);
    this.#next = next;
  }

  async remove(number: number): Promise<void> {
    await rm(this.place(number), { force: true }).catch(async (thrown: unknown) => {
      throw await fileError(thrown, this.place(number), 'write');
    });
  }

  /** Rows that no checkpoint was prepared with come again. */
  async abandon(): Promise<void> {
    const written = this.#written;
    if (written === null) return;
    this.#written = null;
    await written.file.close();
    await this.remove(written.number);
  }

  async #numbers(): Promise<readonly number[]> {
    const folder = dirname(this.#path);
    const prefix = `${basename(this.#path)}.millrace-`;
    const names = await readdir(folder).catch(async (thrown: unknown) => {
      throw await fileError(thrown, join(folder, basename(this.#path)), 'write');
    });
    return names.flatMap((name) => {
      const rest = name.startsWith(prefix) ? name.slice(prefix.length) : '';
      return /^[1-9]\d*$/.test(rest) ? [Number(rest)] : [];
    });
  }
}

/** That a file is there is safe as well. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(dirname(path), 'r').catch(() => null);
  // Some systems have folders that cannot be opened, or not synced: nothing more can be done there.
  await folder?.sync().catch(() => {});
  await folder?.close();
}
