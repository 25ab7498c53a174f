// url_input over TLS: authorities of the test's own, servers that ask who the client is, and redirects to others that are not told.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TLSSocket } from 'node:tls';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { validateParameters } from '../../../connectors/sdk/validate-parameters.ts';
import { urlInput } from '../../../connectors/url/source.ts';
import { MillraceError } from '../../../runtime/errors.ts';
import { makeCertificates } from '../../servers/test-certificates.ts';
import { bigint, contextFor, readBytes, relationOf } from '../connector-context.ts';

const tls = suite('url_input over TLS');
const certificates = makeCertificates();
if (certificates === null) {
  console.log('skipped: url_input over TLS: there is no openssl');
  tls('is not tried here', () => {});
} else {
  const { authority, otherAuthority, client, stranger } = certificates;
  const folder = mkdtempSync(join(tmpdir(), 'millrace-url-tls-'));
  for (const [name, text] of Object.entries({
    'ca.pem': authority,
    'ann.pem': client.certificate,
    'ann.key': client.key,
  })) {
    writeFileSync(join(folder, name), text);
  }
  tls.after(() => rmSync(folder, { recursive: true, force: true }));

  const serve = async (
    options: ServerOptions,
    handler: (request: IncomingMessage, response: ServerResponse) => void,
    use: (url: string) => Promise<void>,
  ): Promise<void> => {
    const { certificate: cert, key } = certificates.server;
    const server = createServer({ cert, key, ...options }, handler);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    // SAFETY: the server listens on TCP.
    const { port } = server.address() as AddressInfo;
    try {
      await use(`https://127.0.0.1:${port}/data`);
    } finally {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  };
  /** Who the client is, to the server. */
  const greet = (request: IncomingMessage, response: ServerResponse): void => {
    const { socket } = request;
    const name = socket instanceof TLSSocket ? (socket.getPeerCertificate().subject?.CN ?? 'nobody') : 'nobody';
    response.end(`${String(name)}\n`);
  };
  const tried = async (path: string, given: object): Promise<string> => {
    const settings = { path, max_retries: 0, ...given };
    const { values, problems } = validateParameters(urlInput.parameters, settings, () => ({}), []);
    assert.equal(problems, []);
    const source = urlInput.create(values, contextFor(relationOf({ id: bigint }), folder));
    try {
      await source.open(null);
      return (await readBytes(source)).trim();
    } catch (thrown) {
      assert.ok(thrown instanceof MillraceError, String(thrown));
      assert.not.match(thrown.message, /PRIVATE KEY/);
      return thrown.code;
    } finally {
      await source.teardown?.();
    }
  };
  const own = { ssl_client_location: 'ann.pem', ssl_client_key_location: 'ann.key' };

  tls('a server is read whose authority is named, by its name unless that is left out', async () => {
    await serve({}, greet, async (url) => {
      assert.is(await tried(url, { ssl_ca_pem: authority }), 'nobody');
      assert.is(await tried(url, { ssl_ca_location: 'ca.pem' }), 'nobody');
      assert.is(await tried(url, {}), 'url.tls');
      assert.is(await tried(url, { ssl_ca_pem: otherAuthority }), 'url.tls');
      assert.is(await tried(url, { ssl_ca_location: 'absent.pem' }), 'config.invalid_value');
    });
    const { certificate: cert, key } = certificates.elsewhere;
    await serve({ cert, key }, greet, async (url) => {
      assert.is(await tried(url, { ssl_ca_pem: authority }), 'url.tls');
      assert.is(await tried(url, { ssl_ca_pem: authority, verify_hostname: false }), 'nobody');
    });
  });

  tls('a server that asks who the client is gets its certificate, and refuses others', async () => {
    // Of TLS 1.3 a client only learns that it was hung up on.
    const asking = { ca: authority, requestCert: true, rejectUnauthorized: true };
    await serve({ ...asking, maxVersion: 'TLSv1.2' }, greet, async (url) => {
      assert.is(await tried(url, { ssl_ca_pem: authority, ...own }), 'ann');
      const inline = { ssl_client_pem: client.certificate, ssl_client_key: client.encryptedKey };
      assert.is(
        await tried(url, { ssl_ca_pem: authority, ...inline, ssl_client_key_password: client.password }),
        'ann',
      );
      assert.is(await tried(url, { ssl_ca_pem: authority }), 'url.tls');
      const foreign = { ssl_client_pem: stranger.certificate, ssl_client_key: stranger.key };
      assert.match(await tried(url, { ssl_ca_pem: authority, ...foreign }), /^url\.(tls|unavailable)$/);
    });
    await serve(asking, greet, async (url) => {
      assert.is(await tried(url, { ssl_ca_pem: authority, ...own }), 'ann');
      assert.match(await tried(url, { ssl_ca_pem: authority }), /^url\.(tls|unavailable)$/);
    });
  });

  tls('a redirect to another origin is not told who the client is', async () => {
    const asking = { ca: authority, requestCert: true, rejectUnauthorized: false };
    await serve(asking, greet, async (far) => {
      const lead = (request: IncomingMessage, response: ServerResponse): void => {
        if (request.url === '/data') response.writeHead(302, { location: far }).end();
        else if (request.url === '/home') response.writeHead(302, { location: '/here' }).end();
        else greet(request, response);
      };
      await serve(asking, lead, async (near) => {
        assert.is(await tried(near.replace('/data', '/home'), { ssl_ca_pem: authority, ...own }), 'ann');
        assert.is(await tried(near, { ssl_ca_pem: authority, ...own }), 'nobody');
      });
    });
  });
}

tls.run();
