// The file of a dead-letter queue as something that is read again: its lines with their places, and how far a pipeline has replayed
// it.
//
// How far stands beside the file, in FILE.PIPELINE.replayed: an offset behind a line, and a hash of what stands before it, by which another
// file under the same name is told apart (it is read from its start). Written whole or not at all. One pipeline has one writer.
import { createHash } from 'node:crypto';
import { type FileHandle, open, readFile, rename } from 'node:fs/promises';
import { type CodedErrorClass, defineError } from '../../runtime/errors.ts';

const readBytes = 256 * 1024;
const checkedBytes = 4_096;

export const DeadLetterFileUnreadable: CodedErrorClass<{ readonly path: string; readonly detail: string }> =
  defineError(
    'dead_letters.unreadable_file',
    { help: 'Make the file of the dead-letter queue, and its folder, readable and writable for the server.' },
    (f) => `the dead letters in ${f.path} cannot be read: ${f.detail}`,
  );

export interface LetterLine {
  /** Of its first byte, and behind its line feed. */
  readonly offset: number;
  readonly end: number;
  readonly text: string;
}

/** Whole lines from `from` (the start of one) up to `to` at most. A file that is not there has none. @throws DeadLetterFileUnreadable */
export async function* letterLines(
  path: string,
  from: number,
  to: number = Number.POSITIVE_INFINITY,
): AsyncIterable<LetterLine> {
  const handle = await openFile(path);
  if (handle === null) return;
  try {
    let rest = Buffer.alloc(0);
    let offset = from;
    while (offset + rest.length < to) {
      const room = Buffer.allocUnsafe(Math.min(readBytes, to - offset - rest.length));
      const { bytesRead } = await handle.read(room, 0, room.length, offset + rest.length);
      if (bytesRead === 0) return;
      const bytes = Buffer.concat([rest, room.subarray(0, bytesRead)]);
      let start = 0;
      for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, start)) {
        yield { offset: offset + start, end: offset + end + 1, text: bytes.toString('utf8', start, end) };
        start = end + 1;
      }
      offset += start;
      rest = bytes.subarray(start);
    }
  } finally {
    await handle.close();
  }
}

/** Offset behind the last line feed; 0 for a file that is not there. */
export async function letterFileEnd(path: string): Promise<number> {
  const handle = await openFile(path);
  if (handle === null) return 0;
  try {
    const { size } = await handle.stat();
    for (let end = size; end > 0; ) {
      const start = Math.max(0, end - readBytes);
      const bytes = Buffer.alloc(end - start);
      await handle.read(bytes, 0, bytes.length, start);
      const feed = bytes.lastIndexOf(10);
      if (feed >= 0) return start + feed + 1;
      end = start;
    }
    return 0;
  } finally {
    await handle.close();
  }
}

/** How far the pipeline has replayed it: the offset of the first line that it has not. */
export async function replayedTo(path: string, pipeline: string): Promise<number> {
  const text = await readFile(cursorPath(path, pipeline), 'utf8').catch(() => '');
  const [digits = '', hash = ''] = text.trim().split(' ');
  const offset = /^\d{1,15}$/.test(digits) ? Number(digits) : 0;
  return offset > 0 && (await hashBefore(path, offset)) === hash ? offset : 0;
}

/** Resolves when it is on the disk. @throws DeadLetterFileUnreadable */
export async function noteReplayedTo(path: string, pipeline: string, offset: number): Promise<void> {
  const target = cursorPath(path, pipeline);
  try {
    const hash = await hashBefore(path, offset);
    const handle = await open(`${target}.new`, 'w');
    try {
      await handle.writeFile(`${offset} ${hash}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(`${target}.new`, target);
  } catch (thrown) {
    throw unreadable(thrown, target);
  }
}

function cursorPath(path: string, pipeline: string): string {
  // Ids hold no separators; a colon is none on a file system of ours but reads badly.
  return `${path}.${pipeline.replaceAll(/[^\w.-]/g, '_')}.replayed`;
}

/** Empty when the file is shorter. */
async function hashBefore(path: string, offset: number): Promise<string> {
  const handle = await openFile(path);
  if (handle === null) return '';
  try {
    const start = Math.max(0, offset - checkedBytes);
    const bytes = Buffer.alloc(offset - start);
    const { bytesRead } = await handle.read(bytes, 0, bytes.length, start);
    return bytesRead < bytes.length ? '' : createHash('sha256').update(bytes).digest('hex');
  } finally {
    await handle.close();
  }
}

async function openFile(path: string): Promise<FileHandle | null> {
  try {
    return await open(path, 'r');
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT') return null;
    throw unreadable(thrown, path);
  }
}

function unreadable(thrown: unknown, path: string): Error {
  return new DeadLetterFileUnreadable(
    { path, detail: thrown instanceof Error ? thrown.message : String(thrown) },
    { cause: thrown },
  );
}
