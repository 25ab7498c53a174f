// Files that a command writes its result to (`--chart`, `--svg`, `--output`, what `connector new` makes). A path that cannot be written is found before the work is
// done whose result it would be.
import { accessSync, constants, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { type CodedErrorClass, defineError } from '../../../runtime/errors.ts';

const ResultFileUnwritable: CodedErrorClass<{ readonly file: string; readonly reason: string }> = defineError(
  'cli.unwritable_file',
  { help: 'Name a file in a folder that exists and that may be written to.' },
  (f) => `cannot write ${f.file}: ${f.reason}`,
);

/** @throws ResultFileUnwritable */
export function checkResultFile(file: string): void {
  attempt(file, () => {
    const folder = dirname(file);
    if (!statSync(folder).isDirectory()) throw Object.assign(new Error(), { code: 'ENOTDIR' });
    const found = statSync(file, { throwIfNoEntry: false });
    if (found?.isDirectory() === true) throw Object.assign(new Error(), { code: 'EISDIR' });
    accessSync(found === undefined ? folder : file, constants.W_OK);
  });
}

/** @throws ResultFileUnwritable */
export function writeResultFile(file: string, text: string): void {
  attempt(file, () => writeFileSync(file, text));
}

/** With the folders that lead to it. @throws ResultFileUnwritable */
export function writeNewFile(file: string, text: string): void {
  attempt(file, () => {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  });
}

function attempt(file: string, action: () => void): void {
  try {
    action();
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
    const reasons: Readonly<Record<string, string>> = {
      ENOENT: 'there is no such folder',
      ENOTDIR: 'what should be its folder is none',
      EISDIR: 'it is a folder',
      EEXIST: 'a part of its path is a file',
      EACCES: 'permission denied',
      EROFS: 'the file system is read-only',
      ENOSPC: 'no space is left',
    };
    throw new ResultFileUnwritable({ file, reason: reasons[code] ?? String(cause) }, { cause });
  }
}
