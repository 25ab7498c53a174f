// file_input: the bytes of one file, once or, with `follow`, for as long as it grows.
//
// Position: { offset } of the next byte. At most one read runs ahead of the reader, so a source that is not pulled holds
// one buffer. Every buffer is fresh and belongs to the receiver.
// Following polls (file systems differ in what they announce). A file that has become shorter, or another file under
// the same name (log rotation), ends the stream and is read from its start; that is reported, since bytes may be lost.
// A followed file may be missing for a while between two polls, but not at `open`.
import { type FileHandle, open, stat } from 'node:fs/promises';
import { MillraceError } from '../../runtime/errors.ts';
import type { ParameterValues } from '../sdk/parameters.ts';
import {
  defineSource,
  type Payload,
  type Position,
  type RandomAccess,
  type Source,
  type SourceContext,
  type SourceDefinition,
} from '../sdk/source.ts';
import { wait } from '../sdk/wait.ts';
import { FileIsDirectory, FileShrunk, fileError, fileTarget, resolveFilePath } from './file-path.ts';
import { PipeReader } from './named-pipe.ts';

const pollMs = 200;
const bufferBytesDefault = 1024 * 1024;

export const fileInput: SourceDefinition = defineSource({
  name: 'file_input',
  summary: 'Reads a file, once or while it grows.',
  format: 'required',
  parameters: [
    {
      name: 'path',
      type: { kind: 'string' },
      required: true,
      description:
        'Path or file:// URL of a file or a named pipe. A relative path starts at the folder of the pipeline file.',
    },
    {
      name: 'buffer_size_bytes',
      type: { kind: 'integer', min: 1, max: 1024 * 1024 * 1024 },
      required: false,
      default: bufferBytesDefault,
      description: 'Bytes read at a time.',
    },
    {
      name: 'follow',
      type: { kind: 'boolean' },
      required: false,
      default: false,
      description: 'Go on reading when the file grows, looking every 200 ms. The input never ends then.',
    },
  ],
  target: ({ path }, baseFolder) => fileTarget(String(path), baseFolder, false),
  create: (configuration, context) => new FileSource(configuration, context),
});

class FileSource implements Source {
  readonly #path: string;
  readonly #bufferBytes: number;
  /** A whole chunk that came back. */
  #spare: Uint8Array<ArrayBuffer> | null = null;
  readonly #follow: boolean;
  readonly #context: SourceContext;
  #handle: FileHandle | null = null;
  /** In place of #handle, where the path is that of a named pipe. */
  #pipe: PipeReader | null = null;
  #offset = 0;
  #size = 0;
  /** Identity of the open file, to notice when another one has taken its name. */
  #inode = 0;
  #regular = true;
  readonly #metadata: string;

  constructor(configuration: ParameterValues, context: SourceContext) {
    this.#context = context;
    this.#path = resolveFilePath(String(configuration['path']), context.baseFolder);
    this.#metadata = JSON.stringify({ file_path: this.#path });
    this.#bufferBytes = Number(configuration['buffer_size_bytes'] ?? bufferBytesDefault);
    this.#follow = configuration['follow'] === true;
  }

  async open(position: Position | null): Promise<void> {
    await this.#openHandle();
    const offset = position === null ? 0 : Number(position['offset']);
    if (offset > this.#size && this.#regular) {
      const shrunk = new FileShrunk({ path: this.#path, size: this.#size, position: offset });
      if (!this.#follow) throw shrunk;
      this.#context.reportError(shrunk);
    } else {
      this.#offset = offset;
    }
  }

  async *read(): AsyncIterable<Payload> {
    const { signal, clock } = this.#context;
    let ahead = this.#readChunk(this.#offset);
    try {
      while (!signal.aborted) {
        const bytes = await ahead;
        if (signal.aborted) return;
        if (bytes.length > 0) {
          const start = this.#offset;
          this.#offset += bytes.length;
          ahead = this.#readChunk(this.#offset);
          // A rejection is seen when its turn comes; until then it must not count as unhandled.
          ahead.catch(() => {});
          const positionAfter = (length: number): Position => ({ offset: start + length });
          const release = (): void => {
            if (bytes.length === this.#bufferBytes) this.#spare = bytes;
          };
          yield { kind: 'bytes', bytes, positionAfter, release, metadata: this.#metadata };
          continue;
        }
        if (!this.#follow) return;
        yield { kind: 'idle' };
        await wait(clock, pollMs, signal);
        if (signal.aborted) return;
        if (await this.#startsAnew()) {
          const nothing = new Uint8Array(0);
          yield { kind: 'bytes', bytes: nothing, positionAfter: () => ({ offset: 0 }), endOfStream: true };
        }
        ahead = this.#readChunk(this.#offset);
      }
    } finally {
      // The handle is closed by teardown, which must not find a read under way.
      await ahead.catch(() => {});
    }
  }

  randomAccess(): RandomAccess | null {
    const handle = this.#handle;
    if (handle === null || !this.#regular) return null;
    return {
      size: this.#size,
      metadata: this.#metadata,
      read: async (offset, length) => {
        const bytes = new Uint8Array(Math.max(0, Math.min(length, this.#size - offset)));
        const filled = await this.#fill(handle, bytes, offset);
        return filled === bytes.length ? bytes : bytes.slice(0, filled);
      },
    };
  }

  bytesTotal(): number | null {
    return this.#regular ? this.#size : null;
  }

  async teardown(): Promise<void> {
    const handle = this.#handle;
    const pipe = this.#pipe;
    this.#handle = null;
    this.#pipe = null;
    await handle?.close();
    await pipe?.close();
  }

  async #openHandle(): Promise<void> {
    try {
      if ((await stat(this.#path)).isFIFO()) {
        this.#regular = false;
        this.#pipe = await PipeReader.open(this.#path, this.#context.signal);
        return;
      }
      this.#handle = await open(this.#path, 'r');
      const stats = await this.#handle.stat();
      if (stats.isDirectory()) throw new FileIsDirectory({ path: this.#path });
      this.#regular = stats.isFile();
      this.#size = stats.size;
      this.#inode = stats.ino;
    } catch (thrown) {
      throw thrown instanceof MillraceError ? thrown : await fileError(thrown, this.#path, 'read');
    }
  }

  /** The next bytes at `offset`; none at the end of the file. */
  async #readChunk(offset: number): Promise<Uint8Array<ArrayBuffer>> {
    if (this.#pipe !== null) return await this.#readPipe(this.#pipe);
    const handle = this.#handle;
    if (handle === null) return new Uint8Array(0);
    let length = this.#bufferBytes;
    if (this.#regular) {
      // The size is looked up again only where the file seems to end, so that a growing file is read on.
      if (offset >= this.#size) this.#size = Math.max(this.#size, (await handle.stat()).size);
      length = Math.min(length, Math.max(this.#size - offset, 0));
    }
    if (length === 0) return new Uint8Array(0);
    const spare = length === this.#bufferBytes ? this.#spare : null;
    if (spare !== null) this.#spare = null;
    const bytes = spare ?? new Uint8Array(length);
    const filled = await this.#fill(handle, bytes, this.#regular ? offset : null);
    return filled === length ? bytes : bytes.slice(0, filled);
  }

  /** After its end a followed pipe is opened again: somebody else may write into it. */
  async #readPipe(pipe: PipeReader): Promise<Uint8Array<ArrayBuffer>> {
    try {
      const bytes = await pipe.read();
      if (bytes.length > 0 || !this.#follow || this.#context.signal.aborted) return bytes;
      await pipe.close();
      this.#pipe = await PipeReader.open(this.#path, this.#context.signal);
      return await this.#pipe.read();
    } catch (thrown) {
      if (this.#context.signal.aborted) return new Uint8Array(0);
      throw await fileError(thrown, this.#path, 'read');
    }
  }

  /** Reads until `bytes` is full or the file ends. A device (`offset` null) gives what it has. */
  async #fill(handle: FileHandle, bytes: Uint8Array, offset: number | null): Promise<number> {
    let filled = 0;
    try {
      while (filled < bytes.length) {
        const at = offset === null ? null : offset + filled;
        const { bytesRead } = await handle.read(bytes, filled, bytes.length - filled, at);
        filled += bytesRead;
        if (bytesRead === 0 || offset === null || this.#context.signal.aborted) break;
      }
    } catch (thrown) {
      throw await fileError(thrown, this.#path, 'read');
    }
    return filled;
  }

  /** Whether the followed file has been cut or replaced since the last look; then it is open at its start again. */
  async #startsAnew(): Promise<boolean> {
    if (!this.#regular) return false;
    const stats = await stat(this.#path).catch(() => null);
    if (stats === null) return false;
    if (stats.ino === this.#inode && stats.size >= this.#offset) return false;
    this.#context.reportError(new FileShrunk({ path: this.#path, size: stats.size, position: this.#offset }));
    await this.teardown();
    await this.#openHandle();
    this.#offset = 0;
    return true;
  }
}
