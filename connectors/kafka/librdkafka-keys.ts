// Settings of librdkafka that are none here: those that only tune it are accepted, so that configurations written for it run as they stand,
// and those that would change what is read, written or trusted are refused, since passing over them would not be what was asked for.
// Those that mean something here are parameters of their own (kafka-parameters.ts, declarations.ts).
import type { ParameterValues } from '../sdk/parameters.ts';
import type { SettingProblem } from '../sdk/setting-rules.ts';

/** Accepted and without effect: there is no librdkafka underneath. */
export const tuningKeys: readonly string[] = [
  'api.version.fallback.ms',
  'api.version.request',
  'api.version.request.timeout.ms',
  'auto.commit.enable',
  'auto.commit.interval.ms',
  'batch.num.messages',
  'batch.size',
  'broker.address.family',
  'broker.address.ttl',
  'broker.version.fallback',
  'client.dns.lookup',
  'compression.level',
  'connections.max.idle.ms',
  'consume.callback.max.messages',
  'coordinator.query.interval.ms',
  'debug',
  'delivery.report.only.error',
  'delivery.timeout.ms',
  'enable.auto.commit',
  'enable.auto.offset.store',
  'enable.gapless.guarantee',
  'enable.idempotence',
  'enable.metrics.push',
  'enable.random.seed',
  'enabled_events',
  'fetch.error.backoff.ms',
  'fetch.min.bytes',
  'fetch.queue.backoff.ms',
  'group.id',
  'group.instance.id',
  'group.protocol',
  'group.protocol.type',
  'group.remote.assignor',
  'heartbeat.interval.ms',
  'linger.ms',
  'log.connection.close',
  'log.queue',
  'log.thread.name',
  'max.in.flight',
  'max.in.flight.requests.per.connection',
  'max.poll.interval.ms',
  'message.copy.max.bytes',
  'message.send.max.retries',
  'message.timeout.ms',
  'metadata.recovery.rebootstrap.trigger.ms',
  'metadata.recovery.strategy',
  'offset.store.method',
  'offset.store.path',
  'offset.store.sync.interval.ms',
  'partition.assignment.strategy',
  'produce.offset.report',
  'queue.buffering.backpressure.threshold',
  'queue.buffering.max.kbytes',
  'queue.buffering.max.messages',
  'queue.buffering.max.ms',
  'queued.max.messages.kbytes',
  'queued.min.messages',
  'queuing.strategy',
  'receive.message.max.bytes',
  'reconnect.backoff.jitter.ms',
  'retries',
  'retry.backoff.max.ms',
  'retry.backoff.ms',
  'session.timeout.ms',
  'socket.blocking.max.ms',
  'socket.keepalive.enable',
  'socket.max.fails',
  'socket.nagle.disable',
  'socket.receive.buffer.bytes',
  'socket.send.buffer.bytes',
  'socket.timeout.ms',
  'statistics.interval.ms',
  'sticky.partitioning.linger.ms',
  'topic.metadata.propagation.max.ms',
  'topic.metadata.refresh.fast.cnt',
  'topic.metadata.refresh.fast.interval.ms',
  'topic.metadata.refresh.sparse',
  'transaction.timeout.ms',
];

const kerberos = 'is for GSSAPI, which is not supported: use SCRAM-SHA-256, SCRAM-SHA-512, PLAIN or OAUTHBEARER';
const pem = 'is not supported: give certificates and keys as PEM (ssl.certificate.*, ssl.key.*, ssl.ca.*)';
const tls = 'is not supported: the TLS of Node decides, as its version and its options (--tls-cipher-list) say';

/** By name, why. */
export const refusedKeys: ReadonlyMap<string, string> = new Map([
  ...['keytab', 'kinit.cmd', 'min.time.before.relogin', 'principal', 'service.name'].map(
    (name) => [`sasl.kerberos.${name}`, kerberos] as const,
  ),
  ...['ca.certificate.stores', 'engine.location', 'engine.id', 'providers'].map(
    (name) => [`ssl.${name}`, pem] as const,
  ),
  ...['cipher.suites', 'crl.location', 'curves.list', 'sigalgs.list'].map((name) => [`ssl.${name}`, tls] as const),
  ['metadata.broker.list', 'is called bootstrap.servers'],
  ['plugin.library.paths', 'is not supported: there is no librdkafka that would load it'],
  ['interceptors', 'is not supported: there is no librdkafka that would call them'],
  ['transactional.id', 'is not supported: batches are told apart by their numbers, not written in transactions'],
  ['allow.auto.create.topics', 'is not supported: topics are made by those who own them'],
  ['topic.blacklist', 'is not supported: only the topics that are named are read'],
  ['check.crcs', 'is not supported: checksums are not looked at again, TCP and the brokers have done so'],
]);

/** `false`, or an empty text, asks for nothing. */
export function* refusedSettings(values: ParameterValues): Iterable<SettingProblem> {
  for (const [key, reason] of refusedKeys) {
    const value = values[key];
    if (value !== undefined && !['', 'false'].includes(String(value))) yield { key, reason };
  }
}
