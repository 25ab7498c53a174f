// file, as a source of records: every line of a file is a record, and the file is followed for as long as the source runs.
//
// Position: the offset behind the line, in decimal digits, as Conduit's file connector writes it. A file that does not exist yet is
// waited for. One that has become shorter, or another under the same name, is read from its start; that is reported. A line without
// its line feed is held back until the file has stood still for a second: a writer may be in the middle of it.
// One read runs ahead; the buffer of a read becomes a column (record-lines.ts). Room before it takes what the read before left over.

import { constants, type FileHandle, open, stat } from 'node:fs/promises';
import { type CodedErrorClass, defineError, MillraceError } from '../../runtime/errors.ts';
import type { ParameterValues } from '../sdk/parameters.ts';
import { recordMetadata } from '../sdk/record.ts';
import { writeMetadata } from '../sdk/record-metadata.ts';
import { recordPositionBytes } from '../sdk/record-position.ts';
import type { Payload, Position, Source, SourceContext, SourceDefinition } from '../sdk/source.ts';
import { recordPayload, type SourceMiddleware, sourceMiddleware, withMiddleware } from '../sdk/source-middleware.ts';
import { wait } from '../sdk/wait.ts';
import { fileRecordSourceDeclaration } from './declarations.ts';
import { FileIsDirectory, FileShrunk, fileError, resolveFilePath } from './file-path.ts';
import { cutLines } from './record-lines.ts';

const pollMs = 200;
/** A line without its end is a line when the file has not grown for so many looks. */
const stillLooks = 5;
const readBytes = 1024 * 1024;
const headroom = 64 * 1024;
const lineBytesMax = 256 * 1024 * 1024;

export const FilePositionForeign: CodedErrorClass<{ readonly position: string }> = defineError(
  'file.position_foreign',
  { help: 'The stored position belongs to another connector. Give this one another id, or reset its position.' },
  (f) => `the position "${f.position}" is no offset in a file`,
);

export const FileLineTooLong: CodedErrorClass<{ readonly path: string; readonly bytesMax: number }> = defineError(
  'file.line_too_long',
  { help: 'The file is no text of lines. Read it with file_input and a format.' },
  (f) => `${f.path} has a line of more than ${f.bytesMax} bytes`,
);

export const fileRecordSource: SourceDefinition = {
  ...fileRecordSourceDeclaration,
  create: (configuration, context) => new FileRecordSource(configuration, context),
};

/** A buffer whose first `headroom` bytes are free for what came before. */
interface Filled {
  readonly buffer: Uint8Array<ArrayBuffer>;
  readonly length: number;
}

/** As many as are in use at once: one is read into while the other is worked on. */
const spareBuffersMax = 2;

class FileRecordSource implements Source {
  readonly #path: string;
  readonly #configuredPath: string;
  readonly #context: SourceContext;
  readonly #middleware: SourceMiddleware;
  #handle: FileHandle | null = null;
  #inode = 0;
  /** Of the first byte that is in no record yet. */
  #offset = 0;
  #lines = 0;
  #spare: Uint8Array<ArrayBuffer>[] = [];

  constructor(configuration: ParameterValues, context: SourceContext) {
    this.#context = context;
    this.#configuredPath = String(configuration['path']);
    this.#path = resolveFilePath(this.#configuredPath, context.baseFolder);
    this.#middleware = sourceMiddleware(configuration);
  }

  async configure(): Promise<void> {
    const stats = await stat(this.#path).catch(() => null);
    if (stats?.isDirectory()) throw new FileIsDirectory({ path: this.#path });
  }

  async open(position: Position | null): Promise<void> {
    await this.configure();
    const text = Buffer.from(recordPositionBytes(position)).toString();
    if (text === '') return;
    if (!/^\d{1,15}$/.test(text)) throw new FilePositionForeign({ position: text });
    this.#offset = Number(text);
  }

  read(): AsyncIterable<Payload> {
    return withMiddleware(this.#readLines(), this.#middleware, this.#context);
  }

  async teardown(): Promise<void> {
    const handle = this.#handle;
    this.#handle = null;
    await handle?.close();
  }

  async *#readLines(): AsyncIterable<Payload> {
    const { signal } = this.#context;
    /** What has been read and is no whole line yet; it stands at #offset. */
    let rest: Uint8Array<ArrayBuffer> = new Uint8Array(0);
    let ahead: Promise<Filled> | null = null;
    let looks = 0;
    try {
      while (!signal.aborted) {
        if (this.#handle === null && !(await this.#openFile())) {
          yield { kind: 'idle' };
          await wait(this.#context.clock, pollMs, signal);
          continue;
        }
        const filled = await (ahead ?? this.#fill(this.#offset + rest.length));
        if (signal.aborted) return;
        if (filled.length === 0) {
          ahead = null;
          const cut = looks === stillLooks ? this.#cut(rest, null, true) : null;
          if (cut !== null) {
            rest = cut.rest;
            yield cut.payload;
          }
          yield { kind: 'idle' };
          await wait(this.#context.clock, pollMs, signal);
          looks++;
          if (await this.#startsAnew(rest)) rest = new Uint8Array(0);
          continue;
        }
        looks = 0;
        ahead = this.#fill(this.#offset + rest.length + filled.length);
        // A rejection is seen when its turn comes; until then it must not count as unhandled.
        ahead.catch(() => {});
        const cut = this.#cut(rest, filled, false);
        rest = cut.rest;
        if (rest.length > lineBytesMax) throw new FileLineTooLong({ path: this.#path, bytesMax: lineBytesMax });
        if (cut.payload.kind === 'batch') yield cut.payload;
      }
    } finally {
      // The handle is closed by teardown, which must not find a read under way.
      await ahead?.catch(() => {});
    }
  }

  /** The whole lines of what was left over and what was read, and what is left over now. */
  #cut(rest: Uint8Array, filled: Filled | null, whole: boolean): { payload: Payload; rest: Uint8Array<ArrayBuffer> } {
    let bytes: Uint8Array<ArrayBuffer>;
    if (filled !== null && rest.length <= headroom) {
      filled.buffer.set(rest, headroom - rest.length);
      bytes = filled.buffer.subarray(headroom - rest.length, headroom + filled.length);
    } else {
      bytes = new Uint8Array(rest.length + (filled?.length ?? 0));
      bytes.set(rest);
      if (filled !== null) bytes.set(filled.buffer.subarray(headroom, headroom + filled.length), rest.length);
    }
    const lastFeed = whole ? bytes.length : bytes.lastIndexOf(10) + 1;
    const left = bytes.slice(lastFeed);
    const metadata = writeMetadata({
      'file.path': this.#configuredPath,
      [recordMetadata.readAt]: `${Math.floor(this.#context.clock.now())}000000`,
    });
    const cut = cutLines(bytes, lastFeed, this.#offset, this.#lines + 1, metadata, whole);
    if (cut === null) return { payload: { kind: 'idle' }, rest: left };
    this.#offset = cut.offset;
    this.#lines += cut.batch.rows;
    const payload = recordPayload(cut.batch);
    const buffer = filled?.buffer;
    if (buffer === undefined || bytes.buffer !== buffer.buffer) return { payload, rest: left };
    return { payload: { ...payload, release: () => this.#release(buffer) }, rest: left };
  }

  #release(buffer: Uint8Array<ArrayBuffer>): void {
    if (this.#spare.length < spareBuffersMax) this.#spare.push(buffer);
  }

  async #openFile(): Promise<boolean> {
    try {
      // Not waiting for somebody to write: a thread that waits in there could not be ended.
      this.#handle = await open(this.#path, constants.O_RDONLY | constants.O_NONBLOCK);
      const stats = await this.#handle.stat();
      if (stats.isDirectory()) throw new FileIsDirectory({ path: this.#path });
      this.#inode = stats.ino;
      if (stats.isFile() && stats.size < this.#offset) this.#restart(stats.size);
      return true;
    } catch (thrown) {
      if (thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT') return false;
      throw thrown instanceof MillraceError ? thrown : await fileError(thrown, this.#path, 'read');
    }
  }

  async #fill(offset: number): Promise<Filled> {
    const handle = this.#handle;
    if (handle === null) return { buffer: new Uint8Array(0), length: 0 };
    const buffer = this.#spare.pop() ?? new Uint8Array(headroom + readBytes);
    try {
      const { bytesRead } = await handle.read(buffer, headroom, readBytes, offset);
      return { buffer, length: bytesRead };
    } catch (thrown) {
      throw await fileError(thrown, this.#path, 'read');
    }
  }

  /** Whether the file has been cut or replaced since the last look; then it is read from its start. */
  async #startsAnew(rest: Uint8Array): Promise<boolean> {
    const stats = await stat(this.#path).catch(() => null);
    if (stats === null) return false;
    if (stats.ino === this.#inode && stats.size >= this.#offset + rest.length) return false;
    await this.teardown();
    this.#restart(stats.size);
    return true;
  }

  #restart(size: number): void {
    this.#context.reportError(new FileShrunk({ path: this.#path, size, position: this.#offset }));
    this.#offset = 0;
    this.#lines = 0;
  }
}
