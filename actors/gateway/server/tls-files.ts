// Certificate and key of a server, read from files once at its start.
import { readFile } from 'node:fs/promises';
import { type CodedErrorClass, defineError } from '../../../runtime/errors.ts';

export interface TlsFiles {
  readonly certificateFile: string;
  readonly keyFile: string;
}

const TlsUnreadable: CodedErrorClass<{ readonly file: string; readonly detail: string }> = defineError(
  'cli.tls_unreadable',
  { help: 'Name the certificate chain and its key as PEM files that this process may read.' },
  (f) => `${f.file}: ${f.detail}`,
);

/** @throws TlsUnreadable */
export async function readTlsFiles(files: TlsFiles): Promise<{ readonly cert: Buffer; readonly key: Buffer }> {
  const read = async (file: string): Promise<Buffer> => {
    try {
      return await readFile(file);
    } catch (cause) {
      throw new TlsUnreadable({ file, detail: cause instanceof Error ? cause.message : String(cause) }, { cause });
    }
  };
  const [cert, key] = await Promise.all([read(files.certificateFile), read(files.keyFile)]);
  return { cert, key };
}
