// What the address and the settings of a connector say of TLS, together.
//
// Parameters of the address mean what they do to the server's own programs (https://www.postgresql.org/docs/15/libpq-ssl.html): `require`
// encrypts and, without an authority, checks nothing; `verify-ca` checks who has signed the server; `verify-full` its name as well; `prefer`
// and `allow` encrypt where the server can. The settings ssl_… take the place of sslrootcert, sslcert and sslkey, and without an `sslmode`
// they mean `verify-full`. With neither the connection is not encrypted.
import { resolve } from 'node:path';
import { ConfigInvalidValue } from '../sdk/configuration-errors.ts';
import { type Pem, readPem, readTls, type TlsOptions, type TlsSettings, tlsOf } from '../sdk/tls-settings.ts';

export interface PostgresTlsPlan {
  /** Without what it says of TLS. */
  readonly uri: string;
  /** As the client takes it; null: not encrypted, unless the environment of PostgreSQL's own programs says so. */
  readonly ssl: (TlsOptions & { readonly rejectUnauthorized?: boolean }) | false | null;
  /** A server that does not speak TLS is spoken to without. */
  readonly isOptional: boolean;
}

const modes = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'] as const;
type Mode = (typeof modes)[number];
const own = ['ssl', 'sslmode', 'sslrootcert', 'sslcert', 'sslkey', 'sslpassword', 'uselibpqcompat'];

/** @throws ConfigInvalidValue */
export async function planTls(
  settings: TlsSettings & { readonly uri: string },
  baseFolder: string,
): Promise<PostgresTlsPlan> {
  const address = new URL(settings.uri);
  const said = Object.fromEntries(own.map((name) => [name, address.searchParams.get(name) ?? '']));
  const isPlain = own.every((name) => !address.searchParams.has(name));
  for (const name of own) address.searchParams.delete(name);
  const uri = isPlain ? settings.uri : address.href;
  const given = await readTls(settings, baseFolder);
  const fromAddress = await tlsOfAddress(said, baseFolder);
  const certificates = { ...fromAddress, ...given };
  const hasCertificates = Object.keys(certificates).some((name) => name !== 'checkServerIdentity');
  const mode = modeOf(said, hasCertificates);
  if (mode === null) return { uri, ssl: null, isOptional: false };
  if (mode === 'disable') {
    if (hasCertificates) throw invalid('says sslmode=disable although there are certificates for TLS');
    return { uri, ssl: false, isOptional: false };
  }
  const isOptional = mode === 'prefer' || mode === 'allow';
  const isVerified = mode === 'verify-ca' || mode === 'verify-full' || (mode === 'require' && 'ca' in certificates);
  if (!isVerified) return { uri, ssl: { ...certificates, rejectUnauthorized: false }, isOptional };
  // An authority of the address makes `require` what `verify-ca` is; one of the settings goes with `verify_hostname`.
  const isNamed = mode === 'verify-full' || (mode === 'require' && given?.ca !== undefined);
  const ssl = isNamed ? certificates : { ...certificates, checkServerIdentity: (): undefined => undefined };
  return { uri, ssl, isOptional };
}

function modeOf(said: Readonly<Record<string, string>>, hasCertificates: boolean): Mode | null {
  const { sslmode = '', ssl = '' } = said;
  if (sslmode !== '') {
    const mode = modes.find((each) => each === sslmode);
    if (mode === undefined) throw invalid(`has sslmode=${sslmode}; it must be one of ${modes.join(', ')}`);
    return mode;
  }
  if (ssl === 'true' || ssl === '1') return 'verify-full';
  if (ssl === 'false' || ssl === '0') return 'disable';
  if (ssl !== '') throw invalid('has an `ssl` that is neither true nor false');
  return hasCertificates ? 'verify-full' : null;
}

async function tlsOfAddress(said: Readonly<Record<string, string>>, baseFolder: string): Promise<TlsOptions> {
  const read = async (name: string): Promise<Pem | null> => {
    const path = said[name] ?? '';
    // The authorities that the system knows are those that Node does.
    if (path === '' || (name === 'sslrootcert' && path === 'system')) return null;
    return await readPem(`uri: ${name}`, resolve(baseFolder, path));
  };
  const { sslpassword: password = '' } = said;
  const [ca, cert, key] = [await read('sslrootcert'), await read('sslcert'), await read('sslkey')];
  return tlsOf(ca, cert, key, password === '' ? undefined : password);
}

function invalid(reason: string): Error {
  return new ConfigInvalidValue({ key: 'uri', reason });
}
