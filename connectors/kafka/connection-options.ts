// TLS and SASL of a connection, as the library takes them, from settings that keep the rules of kafka-rules.ts.
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type ConnectionOptions, createSecureContext } from 'node:tls';
import type { SASLOptions } from '@platformatic/kafka';
import { ConfigInvalidValue } from '../sdk/configuration-errors.ts';
import type { ParameterValues } from '../sdk/parameters.ts';
import { textOf } from './oauth-settings.ts';
import type { OauthTokens } from './oauth-tokens.ts';

/** Of TLS, as Node takes them, and of SASL, as the library does. Null: it is not used. */
export interface SecurityOptions {
  readonly tls: ConnectionOptions | null;
  readonly sasl: SASLOptions | null;
}

/** @throws ConfigInvalidValue for files and keys that cannot be used */
export async function connectionOptions(
  settings: ParameterValues,
  baseFolder: string,
  tokens: OauthTokens,
): Promise<SecurityOptions> {
  const protocol = String(settings['security.protocol'] ?? 'PLAINTEXT').toUpperCase();
  return {
    tls: protocol.endsWith('SSL') ? await tlsOptions(settings, baseFolder) : null,
    sasl: protocol.startsWith('SASL') ? await saslOptions(settings, tokens) : null,
  };
}

async function tlsOptions(settings: ParameterValues, baseFolder: string): Promise<ConnectionOptions> {
  const pem = async (part: string): Promise<string | undefined> => {
    const inline = textOf(settings, `ssl.${part}.pem`);
    const key = `ssl.${part}.location`;
    const path = textOf(settings, key);
    if (inline !== undefined || path === undefined) return inline;
    try {
      return await readFile(resolve(baseFolder, path), 'utf8');
    } catch (cause) {
      throw new ConfigInvalidValue({ key, reason: `cannot be read: ${reasonOf(cause)}` }, { cause });
    }
  };
  const passphrase = textOf(settings, 'ssl.key.password');
  const [ca, cert, key] = [await pem('ca'), await pem('certificate'), await pem('key')];
  const keyOptions = { ...(key === undefined ? {} : { key }), ...(passphrase === undefined ? {} : { passphrase }) };
  // The TLS of Node passes over authorities that are no certificates.
  check('ssl.ca', () => ca !== undefined && new X509Certificate(ca));
  check('ssl.certificate', () => cert !== undefined && new X509Certificate(cert));
  if (key !== undefined) openKey(key, passphrase);
  check('ssl.key', () => createSecureContext({ ...keyOptions, ...(cert === undefined ? {} : { cert }) }));
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...keyOptions,
    ...(await keystoreOptions(settings, baseFolder)),
    ...(textOf(settings, 'enable.ssl.certificate.verification') === 'false' ? { rejectUnauthorized: false } : {}),
    ...(textOf(settings, 'ssl.endpoint.identification.algorithm') === 'none'
      ? { checkServerIdentity: () => undefined }
      : {}),
  };
}

/** Certificate and key in one file, as PKCS#12. */
async function keystoreOptions(
  settings: ParameterValues,
  baseFolder: string,
): Promise<Pick<ConnectionOptions, 'pfx' | 'passphrase'>> {
  const key = 'ssl.keystore.location';
  const path = textOf(settings, key);
  if (path === undefined) return {};
  let pfx: Buffer;
  try {
    pfx = await readFile(resolve(baseFolder, path));
  } catch (cause) {
    throw new ConfigInvalidValue({ key, reason: `cannot be read: ${reasonOf(cause)}` }, { cause });
  }
  if (javaStores.includes(pfx.toString('hex', 0, 4))) {
    const advice = 'keytool -importkeystore -srckeystore FILE -destkeystore FILE.p12 -deststoretype PKCS12';
    throw new ConfigInvalidValue({ key, reason: `is a keystore of Java (JKS); make it one of PKCS#12: ${advice}` });
  }
  const passphrase = textOf(settings, 'ssl.keystore.password') ?? '';
  try {
    createSecureContext({ pfx, passphrase });
  } catch (cause) {
    const isLocked = /mac verify/i.test(reasonOf(cause));
    const [name, what] = isLocked ? ['ssl.keystore.password', 'does not open the keystore'] : [key, 'is no PKCS#12'];
    throw new ConfigInvalidValue({ key: name, reason: `${what}: ${reasonOf(cause)}` }, { cause });
  }
  return { pfx, passphrase };
}

/** What files of Java's own formats (JKS, JCEKS) begin with. */
const javaStores: readonly string[] = ['feedfeed', 'cececece'];

/** One that the password does not open is found before anything is connected. OpenSSL's words for that differ with the cipher, and by chance. */
function openKey(key: string, passphrase: string | undefined): void {
  try {
    createPrivateKey({ key, ...(passphrase === undefined ? {} : { passphrase }) });
  } catch (cause) {
    const reason = reasonOf(cause);
    if (!/ENCRYPTED/.test(key))
      throw new ConfigInvalidValue({ key: 'ssl.key', reason: `cannot be used: ${reason}` }, { cause });
    const why = `does not open the private key: ${reason}`;
    throw new ConfigInvalidValue({ key: 'ssl.key.password', reason: why }, { cause });
  }
}

/** So is what is no certificate or key. */
function check(part: string, use: () => unknown): void {
  try {
    use();
  } catch (cause) {
    throw new ConfigInvalidValue({ key: part, reason: `cannot be used: ${reasonOf(cause)}` }, { cause });
  }
}

async function saslOptions(settings: ParameterValues, tokens: OauthTokens): Promise<SASLOptions> {
  const mechanism = textOf(settings, 'sasl.mechanism') ?? textOf(settings, 'sasl.mechanisms') ?? 'PLAIN';
  if (mechanism === 'OAUTHBEARER') {
    // Now, so that what is wrong with it is said as it is; the library asks again when a session is prolonged.
    await tokens.current();
    return { mechanism, token: () => tokens.current(), oauthBearerExtensions: { ...tokens.extensions } };
  }
  const given = { username: textOf(settings, 'sasl.username'), password: textOf(settings, 'sasl.password') };
  const known = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  // SAFETY: the parameter has one of the library's names.
  return { mechanism: mechanism as SASLOptions['mechanism'], ...known };
}

function reasonOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
