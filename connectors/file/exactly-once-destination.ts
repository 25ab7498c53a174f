// file_output with `delivery: exactly_once`: rows wait in files beside the output file, and come into it with the checkpoint that holds them.
//
//   write       rows ─► waiting file n                                                  seen by nobody
//   prepare(c)  it is synced and closed. Note of c: where in the output file the waiting files begin, and which they are
//   commit(c)   their rows ─► output file, each at its place; synced; they are removed
//   recover(c)  the same with those that are still there; others that wait are removed: what is in them comes again
//
// A place is a number of bytes, so that what a commit that was cut short has written is written again and not twice. Who reads the file
// sees whole checkpoints, and perhaps a part of the last one while it is written. When nothing waits any more the file may have been taken away or
// cut: then rows go on at its end. When something does, that is refused.
import { constants } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { assert } from '../../runtime/assert.ts';
import { MillraceError } from '../../runtime/errors.ts';
import type { CheckpointNote, Destination, DestinationContext, Outgoing } from '../sdk/destination.ts';
import type { ParameterValues } from '../sdk/parameters.ts';
import { FileIsDirectory, FileNotPlain, FileOutputDiverged, fileError, resolveFilePath } from './file-path.ts';
import { syncFolder, type WaitingFile, WaitingRows } from './waiting-rows.ts';

const copyBytes = 1 << 20;

/** Rows that a checkpoint adds to the output file: from this place on, those of these waiting files. */
interface Addition {
  /** Of the output file. */
  readonly path: string;
  readonly begin: number;
  readonly waiting: readonly WaitingFile[];
  /** Numbers from this one on are of rows behind the checkpoint. */
  readonly next: number;
}

export class ExactlyOnceFile implements Destination {
  readonly #path: string;
  readonly #mode: string;
  readonly #context: DestinationContext;
  readonly #rows: WaitingRows;
  #file: FileHandle | null = null;
  /** Length of the output file, and what is to be added to it. */
  #bytes = 0;
  #waiting: WaitingFile[] = [];
  readonly #prepared = new Map<string, Addition>();

  constructor(configuration: ParameterValues, context: DestinationContext) {
    this.#context = context;
    this.#path = resolveFilePath(String(configuration['path']), context.baseFolder);
    this.#mode = String(configuration['mode'] ?? 'replace');
    this.#rows = new WaitingRows(this.#path, context);
  }

  async open(): Promise<void> {
    const before = await stat(this.#path).catch(() => null);
    if (before?.isDirectory()) throw new FileIsDirectory({ path: this.#path });
    if (before !== null && !before.isFile()) throw new FileNotPlain({ path: this.#path });
  }

  async recover(checkpoint: string | null, note: CheckpointNote | null): Promise<void> {
    const addition = note === null ? null : additionOf(note);
    const isElsewhere = addition !== null && addition.path !== this.#path;
    if (isElsewhere) await this.#leave(addition);
    const isNew = checkpoint === null || addition === null || isElsewhere;
    await this.#coded(async () => {
      const exclusive = isNew && this.#mode === 'fail' ? constants.O_EXCL : 0;
      this.#file = await open(this.#path, constants.O_RDWR | constants.O_CREAT | exclusive, 0o666);
      await syncFolder(this.#path);
    });
    if (isNew) await this.#begin();
    else await this.#goOn(addition);
    await this.#rows.clear(isNew ? 1 : addition.next);
  }

  async write(data: Outgoing): Promise<void> {
    assert(data.kind === 'bytes', 'file_output has a format');
    if (data.bytes.length > 0) await this.#rows.write(data.bytes);
  }

  async prepare(checkpoint: string): Promise<CheckpointNote> {
    const closed = await this.#rows.close();
    if (closed !== null) this.#waiting.push(closed);
    const addition: Addition = {
      path: this.#path,
      begin: this.#bytes,
      waiting: [...this.#waiting],
      next: this.#rows.next,
    };
    this.#prepared.set(checkpoint, addition);
    return { ...addition };
  }

  async commit(checkpoint: string): Promise<void> {
    const addition = this.#prepared.get(checkpoint);
    if (addition === undefined) return;
    // What was prepared before is part of it.
    for (const each of [...this.#prepared.keys()]) {
      this.#prepared.delete(each);
      if (each === checkpoint) break;
    }
    const done = addition.waiting.filter(([number]) => this.#waiting.some(([waits]) => waits === number));
    await this.#add(this.#bytes, done, await this.#size());
    this.#waiting = this.#waiting.filter(([number]) => !done.some(([each]) => each === number));
    this.#bytes += sizeOf(done);
  }

  async teardown(): Promise<void> {
    const file = this.#file;
    this.#file = null;
    await this.#rows.abandon();
    await file?.close();
  }

  async onDeleted(): Promise<void> {
    await this.#rows.clear(1);
  }

  /** From nothing. */
  async #begin(): Promise<void> {
    this.#bytes = await this.#size();
    if (this.#mode !== 'replace' || this.#bytes === 0) return;
    await this.#coded(() => this.#target.truncate(0));
    // `user`: shown by the command line too, because something of the user's is gone.
    const fields = { path: this.#path, bytes: this.#bytes, user: true };
    this.#context.log(`${this.#path}: replaced ${this.#bytes} bytes`, fields);
    this.#bytes = 0;
  }

  /** Behind a checkpoint that is stored. @throws FileOutputDiverged */
  async #goOn({ begin, waiting }: Addition): Promise<void> {
    const bytes = await this.#size();
    const end = begin + sizeOf(waiting);
    const isThere = await Promise.all(waiting.map(async ([number]) => await exists(this.#rows.place(number))));
    const first = isThere.indexOf(true);
    if (first < 0) {
      if (bytes !== end) this.#context.log(`${this.#path} was changed meanwhile: goes on at its end`, { bytes });
      this.#bytes = bytes;
      return;
    }
    await this.#add(begin + sizeOf(waiting.slice(0, first)), waiting.slice(first), bytes);
    this.#bytes = end;
  }

  /** Its path is another one since then. @throws FileOutputDiverged when rows wait at the old one */
  async #leave({ path, begin, waiting }: Addition): Promise<void> {
    const old = new WaitingRows(path, this.#context);
    for (const [number] of waiting) {
      if (!(await exists(old.place(number)))) continue;
      const bytes = (await stat(path).catch(() => null))?.size ?? 0;
      const bytesMin = begin + sizeOf(waiting);
      throw new FileOutputDiverged({ path, bytes, bytesMin, bytesMax: bytesMin });
    }
  }

  /**
   * Rows of waiting files into the output file, which has so many `bytes`, from `begin` on. What a commit that was cut short has written is
   * written over by the same; a waiting file that is gone is in it. @throws FileOutputDiverged
   */
  async #add(begin: number, waiting: readonly WaitingFile[], bytes: number): Promise<void> {
    if (waiting.length === 0) return;
    const end = begin + sizeOf(waiting);
    const diverged = (bytesMin: number): Error =>
      new FileOutputDiverged({ path: this.#path, bytes, bytesMin, bytesMax: end });
    if (bytes < begin || bytes > end) throw diverged(begin);
    await this.#coded(async () => {
      let at = begin;
      for (const [number, length] of waiting) {
        const isCopied = await copyFile(this.#rows.place(number), length, this.#target, at);
        at += length;
        if (!isCopied && bytes < at) throw diverged(at);
      }
      await this.#target.datasync();
    });
    for (const [number] of waiting) await this.#rows.remove(number);
  }

  get #target(): FileHandle {
    const file = this.#file;
    assert(file !== null, 'a destination is open while it is used');
    return file;
  }

  async #size(): Promise<number> {
    return (await this.#coded(() => this.#target.stat())).size;
  }

  async #coded<R>(work: () => Promise<R>): Promise<R> {
    try {
      return await work();
    } catch (thrown) {
      throw thrown instanceof MillraceError ? thrown : await fileError(thrown, this.#path, 'write');
    }
  }
}

/** Null: the note is of another connector that had this name. */
function additionOf({ path, begin, waiting, next }: CheckpointNote): Addition | null {
  if (typeof path !== 'string' || typeof begin !== 'number' || !Array.isArray(waiting)) return null;
  return { path, begin, waiting, next: Number(next) };
}

function sizeOf(waiting: readonly WaitingFile[]): number {
  return waiting.reduce((sum, [, bytes]) => sum + bytes, 0);
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null)) !== null;
}

/** False: there is no such file. */
async function copyFile(from: string, bytes: number, to: FileHandle, at: number): Promise<boolean> {
  const source = await open(from, 'r').catch((thrown: unknown) => {
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT') return null;
    throw thrown;
  });
  if (source === null) return false;
  try {
    const room = Buffer.allocUnsafe(Math.min(copyBytes, bytes));
    for (let copied = 0; copied < bytes; ) {
      const { bytesRead } = await source.read(room, 0, Math.min(room.length, bytes - copied), copied);
      if (bytesRead === 0) throw new Error(`${from} has ${copied} bytes, and had ${bytes}`);
      for (let written = 0; written < bytesRead; ) {
        written += (await to.write(room, written, bytesRead - written, at + copied + written)).bytesWritten;
      }
      copied += bytesRead;
    }
    return true;
  } finally {
    await source.close();
  }
}
