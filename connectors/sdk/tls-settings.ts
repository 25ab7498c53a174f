// TLS as connectors are told of it: which authorities vouch for the server, and with what certificate the client shows who it is.
//
// Parameters are data like all others. `readTls` reads the files and looks at what is in them before anything is connected: a file that is
// missing, a text that is no PEM and a key that is not of its certificate are errors of the configuration that name the setting, not failures
// of a connection that would be tried again. No key and no password is ever part of a message.
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { ConfigInvalidValue } from './configuration-errors.ts';
import type { Parameter } from './parameters.ts';

export interface TlsSettings {
  readonly ssl_ca_pem?: string;
  readonly ssl_ca_location?: string;
  readonly ssl_client_pem?: string;
  readonly ssl_client_location?: string;
  readonly ssl_certificate_chain_location?: string;
  readonly ssl_client_key?: string;
  readonly ssl_client_key_location?: string;
  readonly ssl_client_key_password?: string;
  readonly verify_hostname: boolean;
}

/** As `tls.connect` takes them. */
export interface TlsOptions {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly passphrase?: string;
  readonly checkServerIdentity?: () => undefined;
}

/** `environment`: where the file of authorities comes from when it is left out. */
export function tlsParameters(environment?: string): readonly Parameter[] {
  const text = (name: string, description: string, more: Partial<Parameter> = {}): Parameter => ({
    name,
    type: { kind: 'string' },
    required: false,
    ...more,
    description,
  });
  return [
    text(
      'ssl_ca_pem',
      'Certificates of the authorities that may sign the server’s, in PEM. Default: those that Node knows.',
    ),
    text('ssl_ca_location', 'File with them.', environment === undefined ? {} : { environment }),
    text('ssl_client_pem', 'Certificate of the client, in PEM.'),
    text('ssl_client_location', 'File with it.'),
    text('ssl_client_key', 'Private key of the client, in PEM.', { secret: true }),
    text('ssl_client_key_location', 'File with it.'),
    text('ssl_client_key_password', 'Password of the private key, if it is encrypted.', { secret: true }),
    {
      name: 'verify_hostname',
      type: { kind: 'boolean' },
      required: false,
      default: true,
      description: 'The certificate of the server must be for its host name.',
    },
  ];
}

/** Null: nothing is said of TLS but, perhaps, that names are not checked. @throws ConfigInvalidValue */
export async function readTls(settings: TlsSettings, baseFolder: string): Promise<TlsOptions | null> {
  const text = async (pem: keyof TlsSettings, location: keyof TlsSettings): Promise<Pem | null> => {
    const [inline, path] = [pem === location ? undefined : settings[pem], settings[location]];
    if (typeof inline === 'string') return { name: pem, text: inline };
    return typeof path === 'string' ? await readPem(location, resolve(baseFolder, path)) : null;
  };
  const authorities = await text('ssl_ca_pem', 'ssl_ca_location');
  const own = await text('ssl_client_pem', 'ssl_client_location');
  const chain: keyof TlsSettings = 'ssl_certificate_chain_location';
  const certificate = own ?? (await text(chain, chain));
  const key = await text('ssl_client_key', 'ssl_client_key_location');
  const identity = settings.verify_hostname ? {} : { checkServerIdentity: (): undefined => undefined };
  if (authorities === null && certificate === null && key === null) return settings.verify_hostname ? null : identity;
  return { ...tlsOf(authorities, certificate, key, settings.ssl_client_key_password), ...identity };
}

/** A text in PEM, and the setting that it is from. */
export interface Pem {
  readonly name: string;
  readonly text: string;
}

/** @throws ConfigInvalidValue */
export async function readPem(name: string, path: string): Promise<Pem> {
  try {
    return { name, text: await readFile(path, 'utf8') };
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
    const why =
      { ENOENT: 'does not exist', EACCES: 'may not be read', EISDIR: 'is a folder' }[code] ?? 'cannot be read';
    throw new ConfigInvalidValue({ key: name, reason: `names the file ${path}, which ${why}` }, { cause });
  }
}

/** Looks at each, and that the key is of the certificate. @throws ConfigInvalidValue */
export function tlsOf(
  authorities: Pem | null,
  certificate: Pem | null,
  key: Pem | null,
  password: string | undefined,
): TlsOptions {
  if (authorities !== null) certificateOf(authorities);
  if (certificate !== null && key === null) throw invalid(certificate, 'needs the private key of the certificate, too');
  if (certificate === null && key !== null) throw invalid(key, 'needs the certificate that it is of, too');
  if (certificate !== null && key !== null) {
    const parsed = certificateOf(certificate);
    if (!parsed.checkPrivateKey(keyOf(key, password))) throw invalid(key, 'is not the key of the certificate');
  }
  return {
    ...(authorities === null ? {} : { ca: authorities.text }),
    ...(certificate === null ? {} : { cert: certificate.text }),
    ...(key === null ? {} : { key: key.text }),
    ...(password === undefined ? {} : { passphrase: password }),
  };
}

/** Whether a connection has failed over certificates or TLS itself: nothing that passes by itself. */
export function isTlsFailure(thrown: unknown): boolean {
  if (!(thrown instanceof Error)) return false;
  const code = 'code' in thrown ? String(thrown.code) : '';
  if (/^(ERR_TLS|ERR_SSL|ERR_OSSL)/.test(code)) return true;
  if (/self.signed|certificate|altnames|does not support SSL|PEM routines|wrong version number/i.test(thrown.message))
    return true;
  return isTlsFailure(thrown.cause);
}

function certificateOf(pem: Pem): X509Certificate {
  try {
    return new X509Certificate(pem.text);
  } catch (cause) {
    throw invalid(pem, 'is no certificate in PEM', cause);
  }
}

function keyOf(pem: Pem, password: string | undefined): KeyObject {
  try {
    return createPrivateKey({ key: pem.text, ...(password === undefined ? {} : { passphrase: password }) });
  } catch (cause) {
    const isEncrypted = /ENCRYPTED/.test(pem.text);
    const why =
      password === undefined ? 'is encrypted, and there is no password for it' : 'cannot be read with its password';
    throw invalid(pem, isEncrypted ? why : 'is no private key in PEM', cause);
  }
}

function invalid({ name }: Pem, reason: string, cause?: unknown): Error {
  return new ConfigInvalidValue({ key: name, reason }, cause === undefined ? {} : { cause });
}
