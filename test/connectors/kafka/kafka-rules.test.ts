// What of a configuration is wrong is found before anything is started: all of it, each with its place and the name that was meant.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compileProgram } from '../../../actors/engine/sql/compile-program.ts';
import { validatePipeline } from '../../../actors/supervisor/validate-pipeline.ts';
import { registry } from '../../../connectors/registry.ts';

const brokers = { 'bootstrap.servers': 'localhost:9092' };

/** Problems as `place code suggestion: message`; `transport.config` is left out of the places. */
function problems(config: object, transport = 'kafka_input', format: object = { name: 'json' }): readonly string[] {
  const connector = { stream: transport.endsWith('input') ? 't' : 'v', transport: { name: transport, config }, format };
  const definition = {
    program: 'CREATE TABLE t (n BIGINT); CREATE VIEW v AS SELECT n FROM t;',
    [transport.endsWith('input') ? 'inputs' : 'outputs']: { k: connector },
  };
  const surroundings = { compile: compileProgram, registry, environment: {}, baseFolder: '/', decodeWorkersDefault: 1 };
  return validatePipeline(definition, surroundings).problems.map(({ place, code, suggestion, message }) => {
    const path = String(place?.path).replace(/^(in|out)puts\.k\.(transport|format)\.config\.?/, '');
    return `${path} ${code}${suggestion === undefined ? '' : ` ~${suggestion}`}: ${message.replace(/^[^:]*\.config[^:]*: | \(did you mean.*/g, '')}`;
  });
}

test('a topic that is missing is found together with the key that was meant to name it', () => {
  assert.equal(problems({ ...brokers, topik: 'a' }), [
    'topik config.unknown_key ~topic: kafka_input has no parameter "topik"',
    ' config.missing_key: kafka_input needs "topic"',
  ]);
  assert.equal(problems({ ...brokers }, 'kafka_output'), [' config.missing_key: kafka_output needs "topic"']);
});

test('settings that contradict one another are found all at once', () => {
  const found = problems({
    'bootstrap.servers': 'a:9092,b c:1',
    topic: 'a',
    topics: ['b', 'b', 'c d'],
    start_from: { offsets: [1] },
    partitions: [0, 0],
    'sasl.mechanism': 'PLAIN',
    'sasl.mechanisms': 'SCRAM-SHA-256',
    'sasl.password': 'hush-hush',
    'ssl.ca.pem': '/etc/ca.pem',
    'ssl.certificate.location': 'c.pem',
    'fetch.max.bytes': '8M',
    'metadata.max.age.ms': 0,
  });
  assert.equal(
    found.map((text) => text.replace(/:.*/s, '')),
    [
      'bootstrap.servers config.invalid_value',
      'sasl.mechanisms config.invalid_value',
      'sasl.password config.invalid_value',
      'ssl.ca.pem config.invalid_value',
      'ssl.ca.pem config.invalid_value',
      'ssl.certificate.location config.invalid_value',
      'ssl.certificate.location config.invalid_value',
      'metadata.max.age.ms config.invalid_value',
      'topics config.invalid_value',
      'topics config.invalid_value',
      'topics config.invalid_value',
      'start_from config.invalid_value',
      'partitions config.invalid_value',
      'partitions config.invalid_value',
      'fetch.max.bytes config.invalid_value',
    ],
  );
  assert.not.match(found.join(), 'hush');
});

test('a value that is no value names the one that was meant', () => {
  const one = (config: object, transport?: string): string =>
    problems({ ...brokers, topic: 'a', ...config }, transport)
      .map((text) => text.replace(/:.*/s, ''))
      .join();
  assert.is(one({ start_from: 'earlest' }), 'start_from config.invalid_value ~earliest');
  assert.is(one({ start_from: { offset: [1] } }), 'start_from config.invalid_value ~offsets');
  assert.is(one({ start_from: { offsets: [1, -1] } }), 'start_from config.invalid_value');
  assert.is(one({ start_from: { offsets: [1], timestamp: 1 } }), 'start_from config.invalid_value');
  assert.is(one({ start_from: { timestamp: 'noon' } }), 'start_from config.invalid_value');
  assert.is(one({ acks: 'al' }, 'kafka_output'), 'acks config.invalid_value ~all');
  assert.is(
    one({ 'enable.ssl.certificate.verification': 'fals' }),
    'enable.ssl.certificate.verification config.invalid_value ~false',
  );
  assert.is(
    one({ 'security.protocol': 'SASL_SLL', 'sasl.username': 'u', 'sasl.password': 'p' }),
    'security.protocol config.unknown_value ~SASL_SSL',
  );
  assert.is(one({ header_filter: { nor: [] } }), 'header_filter config.invalid_value');
  assert.is(one({ topic: '' }), 'topic config.invalid_value');
  assert.is(one({ partitions: [] }), 'partitions config.invalid_value');
});

test('credentials that the protocol asks for are missed before anything is started', () => {
  const one = (config: object): readonly string[] =>
    problems({ ...brokers, topic: 'a', ...config }).map((text) => text.replace(/^ config\./, ''));
  assert.equal(one({ 'security.protocol': 'SASL_SSL' }), [
    'missing_key: kafka_input needs "sasl.username"',
    'missing_key: kafka_input needs "sasl.password"',
  ]);
  assert.equal(one({ 'security.protocol': 'sasl_plaintext', 'sasl.mechanism': 'OAUTHBEARER' }), [
    'missing_key: kafka_input needs "sasl.oauthbearer.config"',
  ]);
});

test('of tokens what their origin needs is missed, and nothing else', () => {
  const oauth = { ...brokers, topic: 'a', 'security.protocol': 'SASL_SSL', 'sasl.mechanism': 'OAUTHBEARER' };
  const keys = (config: object): readonly string[] =>
    problems({ ...oauth, ...config }).map((text) => text.replace(/^ ?config\./, '').replace('kafka_input needs ', ''));
  assert.equal(keys({ 'sasl.oauthbearer.method': 'OIDC' }), [
    'missing_key: "sasl.oauthbearer.client.id"',
    'missing_key: "sasl.oauthbearer.client.secret"',
    'missing_key: "sasl.oauthbearer.token.endpoint.url"',
  ]);
  const oidc = {
    'sasl.oauthbearer.method': 'oidc',
    'sasl.oauthbearer.client.credentials.id': 'c',
    'sasl.oauthbearer.client.credentials.secret': 's',
    'sasl.oauthbearer.token.endpoint.url': 'https://tokens/t',
    'sasl.oauthbearer.grant.type': 'client_credentials',
  };
  assert.equal(keys(oidc), []);
  assert.is(keys({ ...oidc, 'sasl.oauthbearer.grant.type': 'jwt' }).length, 1);
  assert.is(keys({ ...oidc, 'sasl.oauthbearer.token.endpoint.url': 'tokens/t' }).length, 1);
  assert.equal(keys({ 'enable.sasl.oauthbearer.unsecure.jwt': 'true' }).length, 1);
  assert.equal(keys({ region: 'eu-west-1' }), []);
  assert.equal(keys({}), ['missing_key: "sasl.oauthbearer.config"']);
  const store = { 'ssl.keystore.location': 'k.p12', 'ssl.keystore.password': 'p' };
  assert.equal(problems({ ...brokers, topic: 'a', 'security.protocol': 'SSL', ...store }), []);
  assert.is(problems({ ...brokers, topic: 'a', ...store }).length, 1);
  const twice = { ...store, 'ssl.certificate.location': 'c', 'ssl.key.location': 'k' };
  assert.is(problems({ ...brokers, topic: 'a', 'security.protocol': 'SSL', ...twice }).length, 1);
});

test('what other clients accept is accepted', () => {
  const full = {
    'bootstrap.servers': 'PLAINTEXT://a:9092, [::1]:9093,b,',
    topics: ['a', 'b.c_d-E'],
    start_from: { timestamp: 1 },
    'security.protocol': 'SASL_SSL',
    'sasl.mechanisms': 'SCRAM-SHA-512',
    'sasl.username': 'u',
    'sasl.password': 'p',
    'ssl.certificate.location': 'c.pem',
    'ssl.key.location': 'k.pem',
    'ssl.key.password': 'p',
    'enable.ssl.certificate.verification': true,
    'metadata.max.age.ms': '1000',
    'request.timeout.ms': 500,
    'topic.metadata.refresh.interval.ms': -1,
  };
  assert.equal(problems(full), []);
  assert.equal(problems({ ...brokers, topic: 'a', acks: -1 }, 'kafka_output'), []);
});

test('what tunes librdkafka is passed over, what would change the outcome is refused with a reason', () => {
  const tuned = {
    ...brokers,
    topic: 'a',
    'auto.offset.reset': 'earliest',
    'group.id': 'g',
    'enable.auto.commit': 'true',
    'heartbeat.interval.ms': '3000',
    'socket.timeout.ms': 60000,
    'fetch.message.max.bytes': '1000000',
    'enable.partition.eof': 'false',
    'retry.backoff.ms': 100,
    debug: 'broker',
    region: 'us-east-1',
    synchronize_partitions: false,
    group_join_timeout_secs: 10,
    poller_threads: 3,
    log_level: 'debug',
  };
  assert.equal(problems(tuned), []);
  const headers = [{ key: 'a', value: 'text' }, { key: 'b', value: [0, 255] }, { key: 'c' }];
  const written = {
    ...brokers,
    topic: 'a',
    headers,
    'compression.codec': 'lz4',
    'request.required.acks': '-1',
    'message.max.bytes': 1000000,
    'queue.buffering.max.kbytes': 1,
    partitioner: 'murmur2_random',
    initialization_timeout_secs: 60,
  };
  assert.equal(problems(written, 'kafka_output'), []);
  const refused = {
    'sasl.kerberos.keytab': 'k',
    'ssl.engine.id': 'e',
    'check.crcs': true,
    synchronize_partitions: true,
  };
  const reasons = problems({ ...brokers, topic: 'a', ...refused });
  assert.equal(reasons.map((text) => text.replace(/:.*/s, '')).sort(), [
    'check.crcs config.invalid_value',
    'sasl.kerberos.keytab config.invalid_value',
    'ssl.engine.id config.invalid_value',
    'synchronize_partitions config.invalid_value',
  ]);
  for (const text of reasons) assert.match(text, 'is not supported');
  const wrong = {
    topic: 'a',
    headers: [
      { key: 'a', value: [256] },
      { key: 'b', value: 1 },
    ],
    acks: 'all',
    'request.required.acks': 1,
    'compression.type': 'lz4',
    'compression.codec': 'gzip',
    kafka_service: 's',
    fault_tolerance: {},
    'transactional.id': 't',
  };
  assert.equal(
    problems({ ...brokers, ...wrong }, 'kafka_output').map((text) => text.replace(/ .*/s, '')),
    [
      'transactional.id',
      'request.required.acks',
      'compression.codec',
      'kafka_service',
      'fault_tolerance',
      'headers',
      'headers',
    ],
  );
});

test('the settings of a schema registry are looked at as well', () => {
  const wrong = {
    registry_urls: ['localhost:8081'],
    schema: '{}',
    registry_proxy: 'proxy',
    registry_password: 'hush-hush',
    skip_schema_id: true,
  };
  const found = problems({ ...brokers, topic: 'a' }, 'kafka_input', { name: 'avro', config: wrong });
  assert.equal(
    found.map((text) => text.replace(/ .*/s, '')),
    ['schema', 'skip_schema_id', 'registry_urls', 'registry_proxy', 'registry_password'],
  );
  assert.not.match(found.join(), 'hush');
  assert.equal(problems({ ...brokers, topic: 'a' }, 'kafka_output', { name: 'avro', config: {} }).length, 1);
});

test.run();
