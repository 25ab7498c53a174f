// `${secret:kubernetes:NAME/KEY}`: a secret that is mounted as a file, as Feldera's are.
//
//   /etc/feldera-secrets/kubernetes/NAME/KEY      or below the folder that MILLRACE_SECRETS_FOLDER names
//
// Names are such that none leads out of the folder. What the file holds is never part of an error.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Place } from '../../runtime/errors.ts';
import { ConfigSecretMissing } from './configuration-errors.ts';

const folderDefault = '/etc/feldera-secrets';
const word = '[a-z0-9](?:[a-z0-9-]*[a-z0-9])?';
const form = new RegExp(`^kubernetes:(${word})/(${word})$`);

/** @throws ConfigSecretMissing */
export function readSecret(
  reference: string,
  environment: Readonly<Record<string, string | undefined>>,
  place: Place,
): string {
  const fail = (reason: string): never => {
    throw new ConfigSecretMissing({ secret: reference, reason }, { place });
  };
  const [, name = '', key = ''] = form.exec(reference) ?? [];
  if (name === '' || name.length > 63 || key.length > 255) {
    return fail('it is not kubernetes:NAME/KEY, in lower case letters, digits and hyphens');
  }
  const folder = environment['MILLRACE_SECRETS_FOLDER'];
  const path = join(folder === undefined || folder === '' ? folderDefault : folder, 'kubernetes', name, key);
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unreadable';
    return fail(`${path} cannot be read (${code})`);
  }
}
