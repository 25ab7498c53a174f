// Parameters of the connectors to Kafka. Keys with dots are those of librdkafka, as Feldera's connectors take them: those that mean
// something here are used, those that only tune librdkafka are accepted, everything else is refused with the nearest name.
import type { Parameter } from '../sdk/parameters.ts';
import { refusedKeys, tuningKeys } from './librdkafka-keys.ts';

export const retriesDefault = 100;

/** A number, a boolean, or a text that spells one: the keys of librdkafka are texts in its own configurations. */
const spelled = (name: string, description: string): Parameter => ({
  name,
  type: { kind: 'any' },
  required: false,
  description,
});

const text = (name: string, description: string, extra: Partial<Parameter> = {}): Parameter => ({
  name,
  type: { kind: 'string' },
  required: false,
  description,
  ...extra,
});

export const kafkaParameters: readonly Parameter[] = [
  text('bootstrap.servers', 'Brokers to begin with: host:port, separated by commas.', {
    required: true,
    environment: 'MILLRACE_KAFKA_BOOTSTRAP_SERVERS',
  }),
  {
    name: 'security.protocol',
    type: {
      kind: 'enum',
      values: ['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL', 'plaintext', 'ssl', 'sasl_plaintext', 'sasl_ssl'],
    },
    required: false,
    default: 'PLAINTEXT',
    description: 'Whether TLS and SASL are used.',
  },
  {
    name: 'sasl.mechanism',
    type: { kind: 'enum', values: ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512', 'OAUTHBEARER'] },
    required: false,
    description: 'How the user is authenticated. Default PLAIN.',
  },
  {
    name: 'sasl.mechanisms',
    type: { kind: 'enum', values: ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512', 'OAUTHBEARER'] },
    required: false,
    description: 'The same as sasl.mechanism.',
  },
  text('sasl.username', 'User name.'),
  text('sasl.password', 'Password.', { secret: true }),
  text(
    'sasl.oauthbearer.config',
    'The token, for OAUTHBEARER. With enable.sasl.oauthbearer.unsecure.jwt what it is made of: `principal=NAME scope=… lifeSeconds=…`.',
    { secret: true },
  ),
  text(
    'sasl.oauthbearer.method',
    '`oidc`: the token comes from sasl.oauthbearer.token.endpoint.url, for the credentials of a client.',
  ),
  text('sasl.oauthbearer.token.endpoint.url', 'http(s):// address of the server of tokens.'),
  text('sasl.oauthbearer.client.id', 'Name of the client.'),
  text('sasl.oauthbearer.client.credentials.id', 'The same as sasl.oauthbearer.client.id.'),
  text('sasl.oauthbearer.client.secret', 'Its secret.', { secret: true }),
  text('sasl.oauthbearer.client.credentials.secret', 'The same as sasl.oauthbearer.client.secret.', { secret: true }),
  text('sasl.oauthbearer.scope', 'What the token is to allow, as the server of tokens calls it.'),
  text('sasl.oauthbearer.extensions', 'What brokers are told with the token: `name=value,name=value`.'),
  text('sasl.oauthbearer.grant.type', 'Only `client_credentials`, which is the default.'),
  spelled(
    'enable.sasl.oauthbearer.unsecure.jwt',
    '`true`: a token that nobody has signed is made of sasl.oauthbearer.config, for brokers that are only tried.',
  ),
  text(
    'https.ca.pem',
    'Certificates of authorities that sign the server of tokens, in PEM. Default: those that Node knows.',
  ),
  text('https.ca.location', 'File with them.'),
  text('ssl.ca.pem', 'Certificates of authorities that sign the brokers, in PEM.'),
  text('ssl.ca.location', 'File with them.'),
  text('ssl.certificate.pem', 'Certificate of the client, in PEM.'),
  text('ssl.certificate.location', 'File with it.'),
  text('ssl.key.pem', 'Private key of the client, in PEM.', { secret: true }),
  text('ssl.key.location', 'File with it.'),
  text('ssl.key.password', 'Password of the private key.', { secret: true }),
  text('ssl.keystore.location', 'File in PKCS#12 with certificate and key of the client, instead of PEM.'),
  text('ssl.keystore.password', 'Its password.', { secret: true }),
  spelled('enable.ssl.certificate.verification', '`false`: certificates of brokers are not checked. Default true.'),
  text('ssl.endpoint.identification.algorithm', '`none`: certificates need not be for the host name. Default https.'),
  text('client.id', 'How this client is called in the logs of the brokers. Default millrace.'),
  text('client.rack', 'Rack of this client: a replica there may serve it.'),
  spelled(
    'metadata.max.age.ms',
    'How often leaders and partitions are looked up again, in milliseconds. Default 30000.',
  ),
  spelled('topic.metadata.refresh.interval.ms', 'The same as metadata.max.age.ms.'),
  spelled('socket.connection.setup.timeout.ms', 'Deadline of a connection, in milliseconds. Default 10000.'),
  spelled(
    'request.timeout.ms',
    'A connection on which an answer is awaited and nothing has moved for so long is given up, in milliseconds; a slow one is not. Brokers have as long for writing to all replicas. Default 30000.',
  ),
  spelled('reconnect.backoff.ms', 'The first pause after a failure that may pass, in milliseconds. Default 100.'),
  spelled('reconnect.backoff.max.ms', 'The longest pause between attempts, in milliseconds. Default 10000.'),
  {
    name: 'max_retries',
    type: { kind: 'integer', min: 0, max: 1_000_000 },
    required: false,
    default: retriesDefault,
    description:
      'Attempts after a failure that may pass without any progress, with growing pauses. 100 are about a quarter of an hour: so long brokers may be away.',
  },
  { name: 'log_level', type: { kind: 'string' }, required: false, description: 'Accepted, without effect.' },
  text(
    'region',
    'Region of Amazon MSK. With OAUTHBEARER, and without another token, the connector logs in with the credentials of AWS that it finds (environment, profile, role of the machine).',
    { environment: 'AWS_REGION' },
  ),
  ...tuningKeys.map(
    (name): Parameter => ({
      name,
      type: { kind: 'any' },
      required: false,
      description: 'Tunes librdkafka: accepted, without effect.',
    }),
  ),
  ...[...refusedKeys.keys()].map(
    (name): Parameter => ({ name, type: { kind: 'any' }, required: false, description: 'Refused, with the reason.' }),
  ),
];
