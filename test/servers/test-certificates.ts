// Certificates for servers of tests, made by the `openssl` program: an authority, a server's for 127.0.0.1, another server's for a name
// that nobody has, and an authority that has signed neither.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface ServerCertificate {
  readonly certificate: string;
  /** PKCS #8. */
  readonly key: string;
}

export interface TestCertificates {
  /** In PEM. */
  readonly authority: string;
  readonly server: ServerCertificate;
  readonly elsewhere: ServerCertificate;
  readonly otherAuthority: string;
  /** Of a user `ann`: with a key as it is, and the same one under a password. */
  readonly client: ServerCertificate & { readonly encryptedKey: string; readonly password: string };
  /** One that the authority has not signed. */
  readonly stranger: ServerCertificate;
}

/** Null: there is no `openssl` (under CI that is a failure). */
export function makeCertificates(): TestCertificates | null {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' });
  } catch (error) {
    if (process.env['CI'] !== undefined) throw error;
    return null;
  }
  const folder = mkdtempSync(join(tmpdir(), 'millrace-ca-'));
  const path = (name: string): string => join(folder, name);
  const openssl = (...args: string[]): void => void execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  const authority = (name: string): string => {
    const out = ['-keyout', `${name}.key`, '-out', `${name}.pem`];
    openssl('req', '-x509', ...key, ...out, '-subj', `/CN=${name}`, '-days', '2');
    return readFileSync(path(`${name}.pem`), 'utf8');
  };
  const signed = (name: string, alternative: string): ServerCertificate => {
    writeFileSync(path(`${name}.ext`), `subjectAltName=${alternative}\n`);
    openssl('req', ...key, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`);
    const signer = ['-CA', 'authority.pem', '-CAkey', 'authority.key', '-CAcreateserial'];
    openssl(
      'x509',
      '-req',
      '-in',
      `${name}.csr`,
      ...signer,
      '-out',
      `${name}.pem`,
      '-days',
      '2',
      '-extfile',
      `${name}.ext`,
    );
    return { certificate: readFileSync(path(`${name}.pem`), 'utf8'), key: readFileSync(path(`${name}.key`), 'utf8') };
  };
  const clientOf = (name: string): TestCertificates['client'] => {
    const made = signed(name, `DNS:${name}`);
    const password = 'open-sesame';
    openssl('pkcs8', '-topk8', '-in', `${name}.key`, '-out', `${name}.enc`, '-passout', `pass:${password}`);
    return { ...made, encryptedKey: readFileSync(path(`${name}.enc`), 'utf8'), password };
  };
  const selfSigned = (name: string): ServerCertificate => {
    const certificate = authority(name);
    return { certificate, key: readFileSync(path(`${name}.key`), 'utf8') };
  };
  try {
    return {
      authority: authority('authority'),
      otherAuthority: authority('other'),
      server: signed('server', 'IP:127.0.0.1,DNS:localhost'),
      elsewhere: signed('elsewhere', 'DNS:db.example.com'),
      client: clientOf('ann'),
      stranger: selfSigned('stranger'),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
