// What is asked of the settings of the connectors to Kafka beside their types: found before anything is started, all at once.
//
// Texts that hold a reference (`${env:NAME}`) are not looked into: what they stand for is not known yet.
import type { ParameterValues } from '../sdk/parameters.ts';
import { type SettingProblem, unknownText } from '../sdk/setting-rules.ts';
import { bootstrapServers } from './bootstrap-servers.ts';
import { headerFilterProblem } from './header-filter.ts';
import { refusedSettings } from './librdkafka-keys.ts';
import { oauthRules } from './oauth-settings.ts';
import { resetProblem, startProblem } from './reading-start.ts';

export function* inputRules(values: ParameterValues): Iterable<SettingProblem> {
  yield* connectionRules(values);
  if (values['synchronize_partitions'] === true) {
    const reason =
      'is not supported: partitions are read side by side; give tables a LATENESS that covers how far they are apart';
    yield { key: 'synchronize_partitions', reason };
  }
  yield* topicRules(values);
  const problems = [
    startProblem(values['start_from']),
    resetProblem(values),
    textProblem(values, 'enable.partition.eof', ['true', 'false']),
    partitionProblem(values['partitions']),
    headerFilterProblem(values['header_filter']),
  ];
  for (const problem of problems) if (problem !== null) yield problem;
  yield* numberRules(values, {
    'fetch.max.bytes': 1,
    'max.partition.fetch.bytes': 1,
    'fetch.message.max.bytes': 1,
    'fetch.wait.max.ms': 0,
  });
}

export function* outputRules(values: ParameterValues): Iterable<SettingProblem> {
  yield* connectionRules(values);
  const { topic } = values;
  const name = topic === undefined ? null : topicNameProblem(topic);
  if (name !== null) yield { key: 'topic', reason: name };
  const known = ['all', '-1', '0', '1'];
  for (const key of ['acks', 'request.required.acks']) {
    const acks = values[key];
    if (acks !== undefined && !known.includes(String(acks))) {
      yield unknownText(key, acks, known, 'must be all, -1, 1 or 0');
    }
  }
  yield* sameRules(values, 'acks', 'request.required.acks');
  yield* sameRules(values, 'compression.type', 'compression.codec');
  const service = 'is not supported: write the options of the brokers into the configuration of the connector';
  if (values['kafka_service'] !== undefined) yield { key: 'kafka_service', reason: service };
  const transactions = 'is not supported: delivery is at least once, whatever the pipeline says (docs/delivery.md)';
  if (values['fault_tolerance'] !== undefined) yield { key: 'fault_tolerance', reason: transactions };
  const headers = values['headers'];
  for (const [i, header] of (Array.isArray(headers) ? headers : []).entries()) {
    const reason = headerValueProblem(Object(header).value);
    if (reason !== null) yield { key: 'headers', reason: `has a value that ${reason}: headers[${i}]` };
  }
  yield* numberRules(values, { 'message.max.bytes': 1 });
}

function headerValueProblem(value: unknown): string | null {
  if (value === undefined || value === null || typeof value === 'string') return null;
  if (!Array.isArray(value)) return 'is neither a text nor a list of bytes';
  const isByte = (each: unknown): boolean => Number.isInteger(each) && Number(each) >= 0 && Number(each) <= 255;
  return value.every(isByte) ? null : 'holds what is no byte, an integer from 0 to 255';
}

/** Two names of one setting. */
function* sameRules(values: ParameterValues, key: string, alias: string): Iterable<SettingProblem> {
  if (values[key] === undefined || values[alias] === undefined || String(values[key]) === String(values[alias])) return;
  yield { key: alias, reason: `is another one than ${key}` };
}

function* topicRules({ topic, topics, start_from: start, partitions }: ParameterValues): Iterable<SettingProblem> {
  if (topics === undefined) {
    if (topic === undefined) yield { key: 'topic', reason: 'missing' };
    const reason = topic === undefined ? null : topicNameProblem(topic);
    if (reason !== null) yield { key: 'topic', reason };
    return;
  }
  const key = 'topics';
  if (topic !== undefined) yield { key, reason: 'and topic are both given' };
  if (!Array.isArray(topics)) return;
  if (topics.length === 0) yield { key, reason: 'names no topic' };
  for (const [i, name] of topics.entries()) {
    const reason = topicNameProblem(name);
    if (reason !== null) yield { key, reason: `holds a name that ${reason}: topics[${i}]` };
    else if (topics.indexOf(name) < i) yield { key, reason: `names "${String(name)}" twice` };
  }
  const hasOffsets = typeof start === 'object' && start !== null && 'offsets' in start;
  if (hasOffsets) yield { key: 'start_from', reason: 'has offsets, which go with one topic only: use topic' };
  if (partitions !== undefined) yield { key: 'partitions', reason: 'go with one topic only: use topic' };
}

/** Names that every broker refuses. */
function topicNameProblem(name: unknown): string | null {
  if (typeof name !== 'string' || isReference(name)) return null;
  if (name === '') return 'is empty';
  if (name.length > 249) return 'is longer than 249 characters';
  if (name === '.' || name === '..') return 'is no name of a topic';
  return /^[A-Za-z0-9._-]+$/.test(name) ? null : 'has other characters than letters, digits, ".", "_" and "-"';
}

function partitionProblem(partitions: unknown): SettingProblem | null {
  if (!Array.isArray(partitions)) return null;
  const key = 'partitions';
  if (partitions.length === 0) return { key, reason: 'names no partition: leave it out for all' };
  const twice = partitions.find((partition, i) => partitions.indexOf(partition) < i);
  return twice === undefined ? null : { key, reason: `names ${String(twice)} twice` };
}

function* connectionRules(values: ParameterValues): Iterable<SettingProblem> {
  const servers = values['bootstrap.servers'];
  if (typeof servers === 'string' && !isReference(servers)) {
    const { problem } = bootstrapServers(servers);
    if (problem !== null) yield { key: 'bootstrap.servers', reason: problem };
  }
  const protocol = String(values['security.protocol'] ?? 'PLAINTEXT').toUpperCase();
  yield* refusedSettings(values);
  yield* saslRules(values, protocol.startsWith('SASL'));
  yield* tlsRules(values, !protocol.endsWith('PLAINTEXT'));
  yield* numberRules(values, {
    'metadata.max.age.ms': 1,
    'topic.metadata.refresh.interval.ms': -1,
    'socket.connection.setup.timeout.ms': 1,
    'request.timeout.ms': 1,
    'reconnect.backoff.ms': 1,
    'reconnect.backoff.max.ms': 1,
  });
}

function* saslRules(values: ParameterValues, isUsed: boolean): Iterable<SettingProblem> {
  const { 'sasl.mechanism': one, 'sasl.mechanisms': other } = values;
  if (one !== undefined && other !== undefined && one !== other) {
    yield { key: 'sasl.mechanisms', reason: 'is another one than sasl.mechanism' };
  }
  const mechanism = one ?? other ?? 'PLAIN';
  const isOauth = mechanism === 'OAUTHBEARER';
  const needed = isOauth ? [] : ['sasl.username', 'sasl.password'];
  if (isUsed && isOauth) yield* oauthRules(values);
  for (const key of ['sasl.username', 'sasl.password', 'sasl.oauthbearer.config']) {
    const value = values[key];
    if (isUsed && needed.includes(key) && (value === undefined || value === '')) yield { key, reason: 'missing' };
    if (!isUsed && value !== undefined && value !== '') {
      yield { key, reason: 'is used only with security.protocol SASL_PLAINTEXT or SASL_SSL' };
    }
  }
}

function* tlsRules(values: ParameterValues, isUsed: boolean): Iterable<SettingProblem> {
  const isGiven = (key: string): boolean => values[key] !== undefined && values[key] !== '';
  const given = (part: string): string | null =>
    [`ssl.${part}.pem`, `ssl.${part}.location`].find((key) => isGiven(key)) ?? null;
  for (const part of ['ca', 'certificate', 'key']) {
    const [pem, location] = [`ssl.${part}.pem`, `ssl.${part}.location`];
    const key = given(part);
    if (isGiven(pem) && isGiven(location)) yield { key: pem, reason: `and ${location} are both given` };
    if (!isUsed && key !== null) yield { key, reason: 'is used only with security.protocol SSL or SASL_SSL' };
    const text = values[pem];
    if (isGiven(pem) && typeof text === 'string' && !isReference(text) && !text.includes('-----BEGIN ')) {
      yield { key: pem, reason: `is no PEM (a text with "-----BEGIN"); ${location} takes the path of a file` };
    }
  }
  const [certificate, key] = [given('certificate'), given('key')];
  const store = 'ssl.keystore.location';
  if (isGiven(store) && certificate !== null) yield { key: store, reason: `and ${certificate} are both given` };
  if (isGiven(store) && !isUsed) {
    yield { key: store, reason: 'is used only with security.protocol SSL or SASL_SSL' };
  }
  if (isGiven('ssl.keystore.password') && !isGiven(store)) {
    yield { key: 'ssl.keystore.password', reason: `needs ${store}` };
  }
  if (certificate !== null && key === null) yield { key: certificate, reason: 'needs ssl.key.location or ssl.key.pem' };
  if (key !== null && certificate === null) {
    yield { key, reason: 'needs ssl.certificate.location or ssl.certificate.pem' };
  }
  if (isGiven('ssl.key.password') && key === null) {
    yield { key: 'ssl.key.password', reason: 'needs ssl.key.location or ssl.key.pem' };
  }
  const verification = textProblem(values, 'enable.ssl.certificate.verification', ['true', 'false']);
  if (verification !== null) yield verification;
  const identification = textProblem(values, 'ssl.endpoint.identification.algorithm', ['https', 'none']);
  if (identification !== null) yield identification;
}

function textProblem(values: ParameterValues, name: string, known: readonly string[]): SettingProblem | null {
  const text = values[name];
  if (text === undefined || text === '' || known.some((each) => each === String(text))) return null;
  return isReference(String(text)) ? null : unknownText(name, text, known, `must be ${known.join(' or ')}`);
}

/** Integers, as numbers or as texts, from the least that is allowed on. */
function* numberRules(values: ParameterValues, leasts: Readonly<Record<string, number>>): Iterable<SettingProblem> {
  for (const [key, least] of Object.entries(leasts)) {
    const value = values[key];
    if (value === undefined || isReference(String(value))) continue;
    const isNumber = typeof value === 'number' || (typeof value === 'string' && /^-?\d+$/.test(value.trim()));
    const number = Number(value);
    if (!isNumber || !Number.isSafeInteger(number) || number < least || number > 2 ** 31 - 1) {
      yield { key, reason: `must be an integer from ${least} on` };
    }
  }
}

function isReference(text: string): boolean {
  return text.includes('${');
}
