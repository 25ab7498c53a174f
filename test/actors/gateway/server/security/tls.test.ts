// HTTPS with a certificate of the test's own, which the `openssl` program makes; skipped where there is none.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { startTestServer } from '../test-server.ts';
import { exchange } from './raw-connection.ts';

function hasOpenssl(): boolean {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

async function servesHttps(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-tls-'));
  const keyFile = join(folder, 'key.pem');
  const certificateFile = join(folder, 'certificate.pem');
  const made = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1', '-subj', '/CN=localhost'];
  const names = ['-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
  execFileSync('openssl', [...made, ...names, '-keyout', keyFile, '-out', certificateFile], { stdio: 'ignore' });
  const server = await startTestServer({ tls: { certificateFile, keyFile } });
  assert.match(server.url, /^https:/);
  const status = await new Promise((resolve, reject) => {
    const asked = request(`${server.url}/healthz`, { ca: readFileSync(certificateFile) }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    asked.on('error', reject);
    asked.end();
  });
  assert.is(status, 200);
  const refusal = await new Promise((resolve) => {
    const asked = request(`${server.url}/healthz`, () => resolve('trusted'));
    asked.on('error', (error: NodeJS.ErrnoException) => resolve(error.code));
    asked.end();
  });
  assert.is(refusal, 'DEPTH_ZERO_SELF_SIGNED_CERT');
  const plain = await exchange(server.url, 'GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n');
  assert.is(plain.isClosed, true);
  assert.not.match(plain.text, ' 200 ');
  await server.close();
  await assertUnreadable(join(folder, 'none.pem'), keyFile);
  rmSync(folder, { recursive: true });
}

async function assertUnreadable(certificateFile: string, keyFile: string): Promise<void> {
  try {
    await startTestServer({ tls: { certificateFile, keyFile } });
  } catch (error) {
    assert.is((error as { code?: unknown }).code, 'cli.tls_unreadable');
    return;
  }
  assert.unreachable('a certificate that cannot be read');
}

if (hasOpenssl()) test('HTTPS is served with the certificate that is given, and plain HTTP is not', servesHttps);
else test.skip('HTTPS is not tested: there is no openssl program to make a certificate with', servesHttps);

test.run();
