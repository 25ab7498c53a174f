// The connectors to PostgreSQL over TLS, against a real server with certificates of the test's own: who vouches for the server, who the
// client is, what the address says of it, and what is said when it does not fit.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { postgresCdcInput } from '../../../connectors/postgres/cdc-source.ts';
import { postgresOutput } from '../../../connectors/postgres/destination.ts';
import { postgresInput } from '../../../connectors/postgres/source.ts';
import { validateParameters } from '../../../connectors/sdk/validate-parameters.ts';
import { MillraceError } from '../../../runtime/errors.ts';
import { startPostgresServer } from '../../servers/postgres-server.ts';
import { makeCertificates } from '../../servers/test-certificates.ts';
import { bigint, contextFor, readBytes, relationOf, varchar } from '../connector-context.ts';

const tls = suite('PostgreSQL over TLS');
const server = await startPostgresServer();
const certificates = makeCertificates();
if ('missing' in server || certificates === null) {
  console.log(`skipped: PostgreSQL over TLS: ${'missing' in server ? server.missing : 'there is no openssl'}`);
  tls('is not tried here', () => {});
} else {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-tls-'));
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const { client, stranger, otherAuthority } = certificates;
  const ca = file('ca.pem', certificates.authority);
  const otherCa = file('other.pem', otherAuthority);
  const cert = file('ann.pem', client.certificate);
  const key = file('ann.key', client.key);
  const encryptedKey = file('ann.enc', client.encryptedKey);
  tls.after(async () => {
    await server.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** What the server says of the connection, or the code of the error that there is instead of one. */
  const tried = async (address: string, given: object = {}, uri = server.uri): Promise<string> => {
    const query = `SELECT CASE WHEN ssl THEN coalesce(client_dn, 'sealed') ELSE 'open' END AS name
      FROM pg_stat_ssl WHERE pid = pg_backend_pid()`;
    const settings = { uri: `${uri}${address}`, query, max_retries: 0, ...given };
    const { values, problems } = validateParameters(postgresInput.parameters, settings, () => ({}), []);
    assert.equal(problems, []);
    const source = postgresInput.create(values, contextFor(relationOf({ name: varchar }), folder));
    try {
      await source.open(null);
      return (await readBytes(source)).split('\n')[1] ?? '';
    } catch (thrown) {
      assert.ok(thrown instanceof MillraceError, String(thrown));
      assert.not.match(`${thrown.message} ${JSON.stringify(thrown.fields)}`, /secret|PRIVATE KEY|open-sesame/);
      return thrown.code === 'config.invalid_value' ? thrown.message : thrown.code;
    } finally {
      await source.teardown?.();
    }
  };

  tls('a server that does not speak TLS is spoken to as it is only where that was asked for', async () => {
    assert.is(await tried(''), 'open');
    assert.is(await tried('?sslmode=disable'), 'open');
    assert.is(await tried('?sslmode=prefer'), 'open');
    assert.is(await tried('?sslmode=allow'), 'open');
    assert.is(await tried('?sslmode=require'), 'postgres.tls');
    assert.is(await tried('', { ssl_ca_pem: certificates.authority }), 'postgres.tls');
  });

  tls('sslmode means what it does to PostgreSQL’s own programs', async () => {
    await server.useCertificate(certificates.server);
    assert.is(await tried(''), 'open');
    assert.is(await tried('?sslmode=disable'), 'open');
    for (const mode of ['allow', 'prefer', 'require']) assert.is(await tried(`?sslmode=${mode}`), 'sealed', mode);
    for (const mode of ['require', 'verify-ca', 'verify-full']) {
      assert.is(await tried(`?sslmode=${mode}&sslrootcert=${ca}`), 'sealed', mode);
      assert.is(await tried(`?sslmode=${mode}&sslrootcert=${otherCa}`), 'postgres.tls', mode);
    }
    for (const mode of ['verify-ca', 'verify-full']) assert.is(await tried(`?sslmode=${mode}`), 'postgres.tls', mode);
    assert.is(await tried('?sslmode=verify-full&sslrootcert=system'), 'postgres.tls');
    await server.useCertificate(certificates.elsewhere);
    assert.is(await tried(`?sslmode=verify-ca&sslrootcert=${ca}`), 'sealed');
    assert.is(await tried(`?sslmode=require&sslrootcert=${ca}`), 'sealed');
    assert.is(await tried(`?sslmode=verify-full&sslrootcert=${ca}`), 'postgres.tls');
    assert.is(await tried(`?sslrootcert=${ca}`), 'postgres.tls');
  });

  tls('the authority of the settings vouches for the server, by its name unless that is left out', async () => {
    await server.useCertificate(certificates.server);
    for (const given of [{ ssl_ca_pem: certificates.authority }, { ssl_ca_location: 'ca.pem' }]) {
      for (const address of ['', '?sslmode=require', '?sslmode=verify-full']) {
        assert.is(await tried(address, given), 'sealed', address);
      }
    }
    assert.is(await tried('', { ssl_ca_pem: otherAuthority }), 'postgres.tls');
    assert.is(await tried(`?sslrootcert=${ca}`, { ssl_ca_pem: otherAuthority }), 'postgres.tls');
    await server.useCertificate(certificates.elsewhere);
    const given = { ssl_ca_location: ca };
    for (const address of ['', '?sslmode=require', '?sslmode=verify-full']) {
      assert.is(await tried(address, given), 'postgres.tls', address);
      assert.is(await tried(address, { ...given, verify_hostname: false }), 'sealed', address);
    }
    assert.is(await tried('?sslmode=verify-ca', given), 'sealed');
  });

  tls('a client shows who it is with its certificate, to read, to follow and to write', async () => {
    await server.sql('CREATE ROLE ann LOGIN SUPERUSER; CREATE TABLE held (id bigint PRIMARY KEY)');
    await server.trustCertificatesOf(certificates.authority, 'ann');
    await server.useCertificate(certificates.server);
    const uri = server.uri.replace('postgres:secret@', 'ann@');
    assert.is(await tried(`?sslmode=verify-full&sslrootcert=${ca}&sslcert=${cert}&sslkey=${key}`, {}, uri), '/CN=ann');
    assert.is(
      await tried(`?sslrootcert=${ca}&sslcert=${cert}&sslkey=${encryptedKey}&sslpassword=${client.password}`, {}, uri),
      '/CN=ann',
    );
    const settings = { ssl_ca_location: 'ca.pem', ssl_client_pem: client.certificate, ssl_client_key: client.key };
    assert.is(await tried('', settings, uri), '/CN=ann');
    const files = { ssl_ca_location: ca, ssl_client_location: 'ann.pem', ssl_client_key_location: 'ann.enc' };
    assert.is(await tried('', { ...files, ssl_client_key_password: client.password }, uri), '/CN=ann');
    // Without one, with one of somebody else's, and with that of another name.
    assert.is(await tried('', { ssl_ca_location: ca }, uri), 'postgres.access_denied');
    const foreign = { ssl_client_pem: stranger.certificate, ssl_client_key: stranger.key };
    assert.is(await tried('', { ssl_ca_location: ca, ...foreign }, uri), 'postgres.tls');
    const { certificate, key: serverKey } = certificates.server;
    const renamed = { ssl_client_pem: certificate, ssl_client_key: serverKey };
    assert.is(await tried('', { ssl_ca_location: ca, ...renamed }, uri), 'postgres.access_denied');

    const relation = { ...relationOf({ 'id!': bigint }), primaryKey: [0] };
    const context = contextFor(relation, folder);
    const valuesOf = (parameters: typeof postgresOutput.parameters, given: object) =>
      validateParameters(parameters, { uri, ...settings, ...given }, () => ({}), []).values;
    const output = postgresOutput.create(valuesOf(postgresOutput.parameters, { table: 'held' }), context);
    await output.open();
    await output.write({ kind: 'bytes', bytes: Buffer.from('7,1\n'), records: 1 });
    await output.flush?.();
    await output.teardown?.();
    const cdc = postgresCdcInput.create(valuesOf(postgresCdcInput.parameters, { source_table: 'held' }), context);
    let text = '';
    await cdc.open(null);
    for await (const payload of cdc.read()) {
      if (payload.kind === 'bytes') text += Buffer.from(payload.bytes);
      if (payload.kind === 'idle') {
        if (text.includes('8')) context.controller.abort();
        else await server.sql('INSERT INTO held VALUES (8) ON CONFLICT DO NOTHING');
      }
    }
    await cdc.teardown?.();
    assert.equal(text.match(/\d+/g), ['7', '8']);
  });

  tls('certificates and keys that cannot be used are errors that name the setting', async () => {
    const message = (key: string, reason: string): string => `"${key}" ${reason}`;
    const absent = join(folder, 'absent.pem');
    const missing = `names the file ${absent}, which does not exist`;
    assert.is(await tried('', { ssl_ca_location: 'absent.pem' }), message('ssl_ca_location', missing));
    assert.is(await tried(`?sslrootcert=${absent}`), message('uri: sslrootcert', missing));
    assert.is(
      await tried('', { ssl_ca_location: '.' }),
      message('ssl_ca_location', `names the file ${folder}, which is a folder`),
    );
    assert.is(await tried('', { ssl_ca_pem: 'nonsense' }), message('ssl_ca_pem', 'is no certificate in PEM'));
    const own = { ssl_client_location: cert };
    assert.is(await tried('', own), message('ssl_client_location', 'needs the private key of the certificate, too'));
    assert.is(await tried(`?sslkey=${key}`), message('uri: sslkey', 'needs the certificate that it is of, too'));
    assert.is(
      await tried('', { ...own, ssl_client_key: stranger.key }),
      message('ssl_client_key', 'is not the key of the certificate'),
    );
    assert.is(
      await tried('', { ...own, ssl_client_key_location: cert }),
      message('ssl_client_key_location', 'is no private key in PEM'),
    );
    const encrypted = { ...own, ssl_client_key_location: encryptedKey };
    assert.is(
      await tried('', encrypted),
      message('ssl_client_key_location', 'is encrypted, and there is no password for it'),
    );
    assert.is(
      await tried('', { ...encrypted, ssl_client_key_password: 'wrong' }),
      message('ssl_client_key_location', 'cannot be read with its password'),
    );
    assert.match(await tried('?sslmode=sometimes'), /"uri" has sslmode=sometimes; it must be one of disable, allow/);
    assert.match(await tried('?sslmode=disable', { ssl_ca_location: ca }), /"uri" says sslmode=disable although/);
  });
}

tls.run();
