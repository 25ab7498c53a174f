// Who may read and write: users with passwords and certificates of clients, against a broker that asks for them.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Acl,
  AclOperations,
  type AclOperationValue,
  AclPermissionTypes,
  Admin,
  Producer,
  ResourcePatternTypes,
  ResourceTypes,
  stringSerializers,
} from '@platformatic/kafka';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { awsToken } from '../../../connectors/kafka/aws-token.ts';
import { kafkaOutput } from '../../../connectors/kafka/destination.ts';
import { kafkaInput } from '../../../connectors/kafka/source.ts';
import { validSettings } from '../../../connectors/sdk/setting-rules.ts';
import { Pipeline } from '../../../index.ts';
import { systemClock } from '../../../runtime/clock.ts';
import { MillraceError } from '../../../runtime/errors.ts';
import { freePort } from '../../servers/free-port.ts';
import { startKafkaServer } from '../../servers/kafka-server.ts';
import { makeCertificates } from '../../servers/test-certificates.ts';
import { bigint, contextFor, relationOf } from '../connector-context.ts';

const security = suite('kafka security');
const certificates = makeCertificates();
const login = 'org.apache.kafka.common.security';
const server =
  certificates === null
    ? { missing: 'there is no openssl' }
    : await startKafkaServer(
        [
          // Who has no name may do everything: the broker itself, and the test.
          'authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer',
          'super.users=User:ANONYMOUS',
          'allow.everyone.if.no.acl.found=true',
          'listener.name.mutual.ssl.client.auth=required',
          'listener.name.users.sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512',
          `listener.name.users.plain.sasl.jaas.config=${login}.plain.PlainLoginModule required user_ann="ann-secret";`,
          `listener.name.users.scram-sha-256.sasl.jaas.config=${login}.scram.ScramLoginModule required;`,
          `listener.name.users.scram-sha-512.sasl.jaas.config=${login}.scram.ScramLoginModule required;`,
          'listener.name.tokens.sasl.enabled.mechanisms=OAUTHBEARER',
          `listener.name.tokens.oauthbearer.sasl.jaas.config=${login}.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker";`,
          'listener.name.sealed.sasl.enabled.mechanisms=SCRAM-SHA-512',
          `listener.name.sealed.scram-sha-512.sasl.jaas.config=${login}.scram.ScramLoginModule required;`,
        ],
        certificates.server,
        {
          protocols: { MUTUAL: 'SSL', USERS: 'SASL_PLAINTEXT', TOKENS: 'SASL_PLAINTEXT', SEALED: 'SASL_SSL' },
          authority: certificates.authority,
          formatArguments: ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap((mechanism) => [
            '--add-scram',
            `${mechanism}=[name=bob,password=bob-secret]`,
          ]),
        },
      );

if ('missing' in server || certificates === null) {
  console.log(`skipped: Kafka with users and certificates: ${'missing' in server ? server.missing : ''}`);
  security('is not tried here', () => {});
} else {
  const relation = relationOf({ n: bigint });
  const folder = mkdtempSync(join(tmpdir(), 'millrace-kafka-keys-'));
  const admin = new Admin({ clientId: 'test', bootstrapBrokers: [server.bootstrap] });
  await admin.createTopics({ topics: ['t'], partitions: 1, replicas: 1 });
  security.after(async () => {
    await admin.close();
    rmSync(folder, { recursive: true, force: true });
    await server.close();
  });

  let written = 0;
  /** Writes a message with these settings and reads it back with them; the code of what fails, with the key that it names. */
  const tried = async (settings: object): Promise<string> => {
    const value = `value ${written++}`;
    const common = { topic: 't', max_retries: 2, ...settings };
    try {
      const output = kafkaOutput.create(
        validSettings(kafkaOutput, common, 'kafka_output'),
        contextFor(relation, folder),
      );
      try {
        await output.open();
        await output.write({ kind: 'bytes', bytes: Buffer.from(`${value}\n`), records: 1 });
        await output.flush?.();
      } finally {
        await output.teardown?.();
      }
      const context = contextFor(relation, folder);
      const input = kafkaInput.create(
        validSettings(kafkaInput, { ...common, start_from: 'earliest' }, 'kafka_input'),
        context,
      );
      await input.open(null);
      for await (const payload of input.read()) {
        if (payload.kind === 'bytes' && Buffer.from(payload.bytes).toString().includes(value)) break;
      }
      await input.teardown?.();
      return 'read';
    } catch (thrown) {
      if (!(thrown instanceof MillraceError)) throw thrown;
      assert.not.match(thrown.message, /secret|sesame/);
      return 'key' in thrown.fields ? `${thrown.code} ${String(thrown.fields.key)}` : thrown.code;
    }
  };

  const users = { 'bootstrap.servers': server.listeners.get('USERS'), 'security.protocol': 'SASL_PLAINTEXT' };
  const as = (name: string, password: string, mechanism: string): object => ({
    'sasl.mechanism': mechanism,
    'sasl.username': name,
    'sasl.password': password,
  });

  for (const [name, mechanism] of [
    ['ann', 'PLAIN'],
    ['bob', 'SCRAM-SHA-256'],
    ['bob', 'SCRAM-SHA-512'],
  ] as const) {
    security(`a user of ${mechanism} reads and writes with the password, and with no other`, async () => {
      assert.is(await tried({ ...users, ...as(name, `${name}-secret`, mechanism) }), 'read');
      assert.is(await tried({ ...users, ...as(name, 'wrong-secret', mechanism) }), 'kafka.access_denied');
      assert.is(await tried({ ...users, ...as('nobody', `${name}-secret`, mechanism) }), 'kafka.access_denied');
    });
  }

  security('users of SCRAM go through TLS', async () => {
    const sealed = { 'bootstrap.servers': server.listeners.get('SEALED'), 'security.protocol': 'SASL_SSL' };
    const bob = as('bob', 'bob-secret', 'SCRAM-SHA-512');
    assert.is(await tried({ ...sealed, ...bob, 'ssl.ca.pem': certificates.authority }), 'read');
    assert.is(await tried({ ...sealed, ...bob }), 'kafka.tls');
    // A mechanism that the broker does not take.
    const ann = as('ann', 'ann-secret', 'PLAIN');
    assert.is(await tried({ ...sealed, ...ann, 'ssl.ca.pem': certificates.authority }), 'kafka.access_denied');
  });

  const tokens = {
    'bootstrap.servers': server.listeners.get('TOKENS'),
    'security.protocol': 'SASL_PLAINTEXT',
    'sasl.mechanism': 'OAUTHBEARER',
  };
  /** As nobody has signed it: what the broker of the test takes. */
  const tokenOf = (claims: object): string => {
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    return `${part({ alg: 'none' })}.${part(claims)}.`;
  };
  const seconds = (): number => Math.floor(systemClock.now() / 1000);
  const lasting = (): string => tokenOf({ sub: 'carol', iat: seconds(), exp: seconds() + 3600 });

  security(
    'a token that is given, or made without a signature, lets its user in; one that is over does not',
    async () => {
      assert.is(await tried({ ...tokens, 'sasl.oauthbearer.config': lasting() }), 'read');
      const over = tokenOf({ sub: 'carol', iat: seconds() - 7200, exp: seconds() - 3600 });
      assert.is(await tried({ ...tokens, 'sasl.oauthbearer.config': over }), 'kafka.access_denied');
      const made = { 'enable.sasl.oauthbearer.unsecure.jwt': 'true', 'sasl.oauthbearer.config': 'principal=carol' };
      assert.is(await tried({ ...tokens, ...made }), 'read');
    },
  );

  security('a server of tokens is asked with the credentials of the client, once for many connections', async () => {
    const asked: string[] = [];
    const endpoint = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        asked.push(body);
        const isKnown = request.headers.authorization === `Basic ${Buffer.from('carol:sesame').toString('base64')}`;
        response.writeHead(isKnown ? 200 : 401, { 'content-type': 'application/json' });
        const answer = isKnown ? { access_token: lasting(), expires_in: 3600 } : { error: 'invalid_client' };
        response.end(JSON.stringify(answer));
      });
    });
    await new Promise<void>((resolve) => endpoint.listen(0, '127.0.0.1', resolve));
    const { port } = Object(endpoint.address());
    const oidc = {
      ...tokens,
      'sasl.oauthbearer.method': 'oidc',
      'sasl.oauthbearer.client.id': 'carol',
      'sasl.oauthbearer.client.secret': 'sesame',
      'sasl.oauthbearer.scope': 'topics',
      'sasl.oauthbearer.token.endpoint.url': `http://127.0.0.1:${port}/token`,
    };
    try {
      assert.is(await tried(oidc), 'read');
      // One for what writes, one for what reads.
      assert.equal(asked, Array(2).fill('grant_type=client_credentials&scope=topics'));
      assert.is(await tried({ ...oidc, 'sasl.oauthbearer.client.secret': 'other-secret' }), 'kafka.token_refused');
      const away = { ...oidc, 'sasl.oauthbearer.token.endpoint.url': `http://127.0.0.1:${await freePort()}/` };
      assert.is(await tried({ ...away, max_retries: 1, 'reconnect.backoff.ms': 1 }), 'kafka.unavailable');
    } finally {
      endpoint.close();
    }
  });

  security('a user of Amazon MSK signs the token as the library of Amazon does', () => {
    const credentials = {
      accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
      secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
      sessionToken: 'a/session+token=',
    };
    const address = new URL(Buffer.from(awsToken('eu-west-1', credentials, 1_700_000_000_000), 'base64url').toString());
    assert.is(address.host, 'kafka.eu-west-1.amazonaws.com');
    assert.is(address.searchParams.get('Action'), 'kafka-cluster:Connect');
    assert.is(address.searchParams.get('X-Amz-Security-Token'), credentials.sessionToken);
    // What @smithy/signature-v4 makes of the same request.
    assert.is(
      address.searchParams.get('X-Amz-Signature'),
      '354c5e7da3fb80641564009bd8b74a1fc1acf50bc1225a3d73724c853d8f7e00',
    );
  });

  const mutual = {
    'bootstrap.servers': server.listeners.get('MUTUAL'),
    'security.protocol': 'SSL',
    'ssl.ca.pem': certificates.authority,
  };
  const { client, stranger } = certificates;

  security('a client with a certificate of the authority reads and writes, from texts and from files', async () => {
    const inline = { 'ssl.certificate.pem': client.certificate, 'ssl.key.pem': client.key };
    assert.is(await tried({ ...mutual, ...inline }), 'read');
    writeFileSync(join(folder, 'ann.pem'), client.certificate);
    writeFileSync(join(folder, 'ann.key'), client.encryptedKey);
    const files = { 'ssl.certificate.location': 'ann.pem', 'ssl.key.location': 'ann.key' };
    assert.is(await tried({ ...mutual, ...files, 'ssl.key.password': client.password }), 'read');
    assert.is(
      await tried({ ...mutual, ...files, 'ssl.key.password': 'close' }),
      'config.invalid_value ssl.key.password',
    );
    assert.is(await tried({ ...mutual, ...files }), 'config.invalid_value ssl.key.password');
  });

  security(
    'a client has its certificate and key in a keystore of PKCS#12; one of Java is refused with advice',
    async () => {
      writeFileSync(join(folder, 'p12.pem'), client.certificate);
      writeFileSync(join(folder, 'p12.key'), client.key);
      const pack = [
        'pkcs12',
        '-export',
        '-in',
        'p12.pem',
        '-inkey',
        'p12.key',
        '-out',
        'ann.p12',
        '-passout',
        'pass:sesame',
      ];
      execFileSync('openssl', pack, { cwd: folder, stdio: 'pipe' });
      const store = { 'ssl.keystore.location': 'ann.p12', 'ssl.keystore.password': 'sesame' };
      assert.is(await tried({ ...mutual, ...store }), 'read');
      assert.is(
        await tried({ ...mutual, ...store, 'ssl.keystore.password': 'other' }),
        'config.invalid_value ssl.keystore.password',
      );
      writeFileSync(join(folder, 'ann.jks'), Buffer.from('feedfeed00000002', 'hex'));
      const java = { ...mutual, 'ssl.keystore.location': 'ann.jks', 'ssl.keystore.password': 'sesame' };
      assert.is(await tried(java), 'config.invalid_value ssl.keystore.location');
    },
  );

  security('a client without a certificate, or with one that nobody vouches for, is told so', async () => {
    assert.is(await tried(mutual), 'kafka.tls');
    const other = { 'ssl.certificate.pem': stranger.certificate, 'ssl.key.pem': stranger.key };
    assert.is(await tried({ ...mutual, ...other }), 'kafka.tls');
    const mixed = { 'ssl.certificate.pem': client.certificate, 'ssl.key.pem': stranger.key };
    assert.is(await tried({ ...mutual, ...mixed }), 'config.invalid_value ssl.key');
    const missing = { 'ssl.certificate.location': 'none.pem', 'ssl.key.location': 'none.key' };
    assert.is(await tried({ ...mutual, ...missing }), 'config.invalid_value ssl.certificate.location');
    const broken = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
    assert.is(await tried({ ...mutual, 'ssl.ca.pem': broken }), 'config.invalid_value ssl.ca');
  });

  security('who may not read or write a topic is told so, and so is a wrong password; the rest goes on', async () => {
    const topics = ['in', 'out', 'closed', 'readable'];
    await admin.createTopics({ topics, partitions: 1, replicas: 1 });
    const allow = (resourceName: string, principal: string, operation: AclOperationValue): Acl => ({
      resourceType: ResourceTypes.TOPIC,
      resourceName,
      resourcePatternType: ResourcePatternTypes.LITERAL,
      principal,
      host: '*',
      operation,
      permissionType: AclPermissionTypes.ALLOW,
    });
    await admin.createAcls({
      creations: [allow('closed', 'User:eve', AclOperations.ALL), allow('readable', 'User:ann', AclOperations.READ)],
    });
    const ann = { ...users, ...as('ann', 'ann-secret', 'PLAIN'), start_from: 'earliest' };
    const input = (config: object): Readonly<Record<string, unknown>> => ({
      stream: 't',
      transport: { name: 'kafka_input', config: { ...ann, ...config } },
      format: { name: 'json' },
    });
    const output = (config: object): Readonly<Record<string, unknown>> => {
      const { start_from: _, ...own } = ann;
      return {
        stream: 'v',
        transport: { name: 'kafka_output', config: { ...own, ...config } },
        format: { name: 'json' },
      };
    };
    const wrong = as('ann', 'wrong-secret', 'PLAIN');
    await using pipeline = await Pipeline.open({
      program: `CREATE TABLE t (n BIGINT); CREATE VIEW v AS SELECT n FROM t; CREATE TABLE back (n BIGINT);
        CREATE MATERIALIZED VIEW total AS SELECT COUNT(*) AS c FROM back;`,
      inputs: {
        good: input({ topic: 'in' }),
        readable: input({ topic: 'readable' }),
        returned: { ...input({ topic: 'out' }), stream: 'back' },
        closed: input({ topic: 'closed' }),
        wrong: input({ topic: 'in', ...wrong }),
      },
      outputs: {
        good: output({ topic: 'out' }),
        readable: output({ topic: 'readable' }),
        closed: output({ topic: 'closed' }),
        wrong: output({ topic: 'out', ...wrong }),
      },
    });
    await pipeline.start();
    const told = async (direction: 'in' | 'out', name: string): Promise<string> => {
      for (;;) {
        const { error } = await (direction === 'in'
          ? pipeline.inputConnectorStats('t', name)
          : pipeline.outputConnectorStats('v', name));
        if (error !== null) return JSON.stringify(error);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    };
    for (const [direction, name, reason] of [
      ['in', 'closed', 'TOPIC_AUTHORIZATION_FAILED'],
      ['in', 'wrong', 'uthentication failed'],
      ['out', 'closed', 'TOPIC_AUTHORIZATION_FAILED'],
      ['out', 'wrong', 'uthentication failed'],
    ] as const) {
      const error = await told(direction, name);
      assert.match(error, 'kafka.access_denied');
      assert.match(error, reason, error);
      assert.match(error, /Check security.protocol, sasl.mechanism, sasl.username and sasl.password/);
      assert.not.match(error, /secret/);
    }
    // Only what is written shows that it may not be.
    const producer = new Producer({
      clientId: 'test',
      bootstrapBrokers: [server.bootstrap],
      serializers: stringSerializers,
    });
    const messages = ['in', 'readable'].map((topic) => ({ topic, partition: 0, value: '{"insert": {"n": 1}}' }));
    await producer.send({ messages });
    await producer.close();
    const error = await told('out', 'readable');
    assert.match(error, 'kafka.access_denied');
    assert.match(error, 'TOPIC_AUTHORIZATION_FAILED');
    // Two come in, go out, and come back.
    const count = async (): Promise<number> => Number((await pipeline.query('SELECT c FROM total'))[0]?.['c']);
    while ((await count()) < 2) await new Promise((resolve) => setTimeout(resolve, 20));
    await pipeline.stop({ force: true });
  });
}

security.run();
