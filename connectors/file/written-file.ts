// A file, or a named pipe, that a destination writes: opened, written whole, made durable, closed.
//
// Both destinations of this folder write through it, so that they treat pipes, devices and errors alike.
import { type FileHandle, open, stat } from 'node:fs/promises';
import { MillraceError } from '../../runtime/errors.ts';
import { FileIsDirectory, fileError } from './file-path.ts';
import { type PipeContext, PipeWriter } from './named-pipe.ts';

export class WrittenFile {
  /** How many bytes were there before it was opened. */
  readonly bytesBefore: number;
  readonly #path: string;
  readonly #target: FileHandle | PipeWriter;
  #isDirty = false;

  private constructor(path: string, target: FileHandle | PipeWriter, bytesBefore: number) {
    this.#path = path;
    this.#target = target;
    this.bytesBefore = bytesBefore;
  }

  /**
   * `flags`: of a plain file, as `fs.open` takes them; a pipe is waited for until somebody reads it.
   * @throws a coded error of the file system.
   */
  static async open(path: string, flags: string, context: PipeContext): Promise<WrittenFile> {
    try {
      const before = await stat(path).catch(() => null);
      if (before?.isDirectory()) throw new FileIsDirectory({ path });
      const target = before?.isFIFO() ? await PipeWriter.open(path, context) : await open(path, flags);
      return new WrittenFile(path, target, before?.size ?? 0);
    } catch (thrown) {
      throw await WrittenFile.#coded(thrown, path, context.signal);
    }
  }

  /** All of it. @throws a coded error of the file system. */
  async write(bytes: Uint8Array, signal: AbortSignal): Promise<void> {
    this.#isDirty = true;
    try {
      if (this.#target instanceof PipeWriter) return await this.#target.write(bytes);
      for (let written = 0; written < bytes.length; ) {
        written += (await this.#target.write(bytes, written, bytes.length - written)).bytesWritten;
      }
    } catch (thrown) {
      throw await WrittenFile.#coded(thrown, this.#path, signal);
    }
  }

  /** Syncs what was written since the last time to the disk. */
  async sync(): Promise<void> {
    if (!this.#isDirty || this.#target instanceof PipeWriter) return;
    try {
      await this.#target.datasync();
    } catch (thrown) {
      // Some devices cannot be synced: they have nothing to be made durable.
      const code = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined;
      if (code !== 'EINVAL' && code !== 'ENOTSUP') throw await fileError(thrown, this.#path, 'write');
    }
    this.#isDirty = false;
  }

  async close(): Promise<void> {
    await this.#target.close();
  }

  static async #coded(thrown: unknown, path: string, signal: AbortSignal): Promise<unknown> {
    if (thrown instanceof MillraceError || (signal.aborted && thrown === signal.reason)) return thrown;
    return await fileError(thrown, path, 'write');
  }
}
