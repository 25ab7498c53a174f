// file_output: bytes into one file.
//
// `write` gathers bytes and hands them to the operating system in large pieces; `flush` writes what is gathered and
// syncs the file to the disk, which is why it is not done for every batch. After a crash the file holds everything that
// was flushed and perhaps a part of what came after.
// Not here: creating folders. A misspelt path must not sow folders.
import { type FileHandle, open, stat } from 'node:fs/promises';
import { assert } from '../../runtime/assert.ts';
import { MillraceError } from '../../runtime/errors.ts';
import {
  type Destination,
  type DestinationContext,
  type DestinationDefinition,
  defineDestination,
  type Outgoing,
} from '../sdk/destination.ts';
import type { ParameterValues } from '../sdk/parameters.ts';
import { FileIsDirectory, fileError, resolveFilePath } from './file-path.ts';

/** So many bytes are gathered before they are written without being asked to. */
const gatherBytesMax = 1024 * 1024;

export const fileOutput: DestinationDefinition = defineDestination({
  name: 'file_output',
  summary: 'Writes a file.',
  format: 'required',
  parameters: [
    {
      name: 'path',
      type: { kind: 'string' },
      required: true,
      description: 'Path or file:// URL. A relative path starts at the folder of the pipeline file.',
    },
    {
      name: 'mode',
      type: { kind: 'enum', values: ['replace', 'append', 'fail'] },
      required: false,
      default: 'replace',
      description: 'What to do with a file that exists: replace its content, write behind it, or refuse to start.',
    },
  ],
  create: (configuration, context) => new FileDestination(configuration, context),
});

class FileDestination implements Destination {
  readonly #path: string;
  readonly #mode: string;
  readonly #context: DestinationContext;
  #handle: FileHandle | null = null;
  #gathered: Uint8Array = new Uint8Array(64 * 1024);
  #gatheredBytes = 0;
  #dirty = false;

  constructor(configuration: ParameterValues, context: DestinationContext) {
    this.#context = context;
    this.#path = resolveFilePath(String(configuration['path']), context.baseFolder);
    this.#mode = String(configuration['mode'] ?? 'replace');
  }

  async open(): Promise<void> {
    try {
      const before = await stat(this.#path).catch(() => null);
      if (before?.isDirectory()) throw new FileIsDirectory({ path: this.#path });
      this.#handle = await open(this.#path, this.#mode === 'append' ? 'a' : this.#mode === 'fail' ? 'wx' : 'w');
      if (this.#mode === 'replace' && before !== null && before.size > 0) {
        // `user`: shown by the command line too, because something of the user's is gone.
        const fields = { path: this.#path, bytes: before.size, user: true };
        this.#context.log(`${this.#path}: replaced ${before.size} bytes`, fields);
      }
    } catch (thrown) {
      throw thrown instanceof MillraceError ? thrown : await fileError(thrown, this.#path, 'write');
    }
  }

  async write(data: Outgoing): Promise<void> {
    assert(data.kind === 'bytes', 'file_output has a format');
    const { bytes } = data;
    if (this.#gatheredBytes + bytes.length > gatherBytesMax) await this.#writeGathered();
    if (bytes.length >= gatherBytesMax) {
      // The caller may reuse the array after this call only, so it is written as it is.
      await this.#writeAll(bytes);
      return;
    }
    this.#gather(bytes);
  }

  async flush(): Promise<void> {
    await this.#writeGathered();
    if (!this.#dirty || this.#handle === null) return;
    try {
      await this.#handle.datasync();
    } catch (thrown) {
      // Pipes and some devices cannot be synced: they have nothing to be made durable.
      const code = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined;
      if (code !== 'EINVAL' && code !== 'ENOTSUP') throw await fileError(thrown, this.#path, 'write');
    }
    this.#dirty = false;
  }

  async teardown(): Promise<void> {
    const handle = this.#handle;
    if (handle === null) return;
    try {
      await this.#writeGathered();
    } finally {
      this.#handle = null;
      await handle.close();
    }
  }

  #gather(bytes: Uint8Array): void {
    const needed = this.#gatheredBytes + bytes.length;
    if (needed > this.#gathered.length) {
      const larger = new Uint8Array(Math.max(needed, Math.min(gatherBytesMax, this.#gathered.length * 2)));
      larger.set(this.#gathered.subarray(0, this.#gatheredBytes));
      this.#gathered = larger;
    }
    this.#gathered.set(bytes, this.#gatheredBytes);
    this.#gatheredBytes = needed;
  }

  async #writeGathered(): Promise<void> {
    if (this.#gatheredBytes === 0) return;
    const bytes = this.#gathered.subarray(0, this.#gatheredBytes);
    this.#gatheredBytes = 0;
    await this.#writeAll(bytes);
  }

  async #writeAll(bytes: Uint8Array): Promise<void> {
    const handle = this.#handle;
    assert(handle !== null, 'a destination is open while it is written to');
    try {
      this.#dirty = true;
      for (let written = 0; written < bytes.length; ) {
        written += (await handle.write(bytes, written, bytes.length - written)).bytesWritten;
      }
    } catch (thrown) {
      throw await fileError(thrown, this.#path, 'write');
    }
  }
}
