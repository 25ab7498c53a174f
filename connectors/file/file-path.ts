// Paths of the file connectors, and what the operating system says of them, as coded errors.
//
// A path is plain or a file:// URL; a relative one is relative to the pipeline's folder, not to the process's.
// Errors of the file system are translated here and nowhere else, so that source and destination say the same.
import { access, readdir } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type CodedErrorClass, defineError, type MillraceError } from '../../runtime/errors.ts';
import { nearestName } from '../../runtime/nearest-name.ts';
import { ConfigInvalidValue } from '../sdk/configuration-errors.ts';
import type { Target } from '../sdk/target.ts';

export const FileNotFound: CodedErrorClass<{ readonly path: string; readonly missing: 'file' | 'folder' }> =
  defineError(
    'file.not_found',
    { help: 'Correct the path. Relative paths start at the folder of the pipeline file. Folders are not created.' },
    (f) => (f.missing === 'folder' ? `there is no folder ${f.path}` : `there is no file ${f.path}`),
  );

export const FileIsDirectory: CodedErrorClass<{ readonly path: string }> = defineError(
  'file.is_directory',
  { help: 'Name a file, not a folder.' },
  (f) => `${f.path} is a folder`,
);

export const FilePermissionDenied: CodedErrorClass<{ readonly path: string; readonly access: 'read' | 'write' }> =
  defineError(
    'file.permission_denied',
    { help: 'Give the user who runs the pipeline the right to read or write the file.' },
    (f) => `no permission to ${f.access} ${f.path}`,
  );

export const FileExists: CodedErrorClass<{ readonly path: string }> = defineError(
  'file.exists',
  { help: 'Remove the file, choose another path, or set `mode: replace` or `mode: append`.' },
  (f) => `${f.path} exists already and mode is "fail"`,
);

export const FileNotPlain: CodedErrorClass<{ readonly path: string }> = defineError(
  'file.not_plain',
  {
    help: 'Name a plain file, or leave out `delivery: exactly_once`: what a pipe or a device was given cannot be told again.',
  },
  (f) => `${f.path} is no plain file, and cannot be written exactly once`,
);

export const FileOutputDiverged: CodedErrorClass<{
  readonly path: string;
  readonly bytes: number;
  readonly bytesMin: number;
  readonly bytesMax: number;
}> = defineError(
  'file.output_diverged',
  {
    help: 'Rows that a checkpoint holds wait beside the file (FILE.millrace-1, …). Put the file back as it was and start again. Where it shall begin anew, append them to it by hand, remove them, and start again.',
  },
  (f) => {
    const wanted = f.bytesMin === f.bytesMax ? `${f.bytesMin}` : `${f.bytesMin} to ${f.bytesMax}`;
    return `${f.path} has ${f.bytes} bytes where ${wanted} are expected: it was changed while rows waited to be written to it`;
  },
);

export const FileShrunk: CodedErrorClass<{ readonly path: string; readonly size: number; readonly position: number }> =
  defineError(
    'file.shrunk',
    { help: 'Something has cut or replaced the file while it was read. Start the connector anew to read it again.' },
    (f) => `${f.path} has ${f.size} bytes, fewer than the ${f.position} that have been read`,
  );

export const FileFailed: CodedErrorClass<{ readonly path: string; readonly reason: string }> = defineError(
  'file.failed',
  { help: 'The operating system refused the operation; the message says why.', retry: 'later' },
  // The place in front of it is the path.
  (f) => f.reason,
);

/** The absolute path of a configured one. @throws ConfigInvalidValue for an empty path or a foreign URL. */
export function resolveFilePath(configured: string, baseFolder: string): string {
  if (configured === '') throw new ConfigInvalidValue({ key: 'path', reason: 'is empty' });
  if (configured.includes('\0')) throw new ConfigInvalidValue({ key: 'path', reason: 'holds a zero byte' });
  if (!/^file:\/\//i.test(configured)) return resolve(baseFolder, configured);
  try {
    return fileURLToPath(configured);
  } catch (cause) {
    const reason = `is no usable file URL: ${cause instanceof Error ? cause.message : String(cause)}`;
    throw new ConfigInvalidValue({ key: 'path', reason }, { cause });
  }
}

/** The file as what a connector uses. Devices may be shared; a path that cannot be resolved is refused elsewhere. */
export function fileTarget(configured: string, baseFolder: string, isReplaced: boolean): Target | null {
  try {
    const name = resolveFilePath(configured, baseFolder);
    return name.startsWith('/dev/') ? null : { name, isReplaced };
  } catch {
    return null;
  }
}

/** What a failed operation on `path` means to the user. */
export async function fileError(thrown: unknown, path: string, operation: 'read' | 'write'): Promise<MillraceError> {
  const context = { cause: thrown, place: { file: path } };
  switch (systemCode(thrown)) {
    case 'ENOENT':
    case 'ENOTDIR':
      return notFound(thrown, path);
    case 'EISDIR':
      return new FileIsDirectory({ path }, context);
    case 'EACCES':
    case 'EPERM':
      return new FilePermissionDenied({ path, access: operation }, context);
    case 'EEXIST':
      return new FileExists({ path }, context);
    default:
      return new FileFailed({ path, reason: thrown instanceof Error ? thrown.message : String(thrown) }, context);
  }
}

/** The first folder on the way that is missing, or the file with the nearest name beside it. */
async function notFound(cause: unknown, path: string): Promise<MillraceError> {
  const folder = dirname(path);
  const names = await readdir(folder).catch(() => null);
  if (names !== null) {
    const suggestion = nearestName(basename(path), names);
    return new FileNotFound({ path, missing: 'file' }, { cause, suggestion });
  }
  let missing = folder;
  while (dirname(missing) !== missing && !(await exists(dirname(missing)))) missing = dirname(missing);
  const siblings = await readdir(dirname(missing)).catch(() => []);
  const suggestion = nearestName(basename(missing), siblings);
  return new FileNotFound({ path: missing, missing: 'folder' }, { cause, suggestion });
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

function systemCode(thrown: unknown): string | undefined {
  return thrown instanceof Error && 'code' in thrown ? String(thrown.code) : undefined;
}
