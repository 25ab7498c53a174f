// What Kafka says of a request that has failed, as coded errors that name the setting to look at.
// Codes: https://kafka.apache.org/protocol.html#protocol_error_codes
import { type CodedErrorClass, defineError, MillraceError } from '../../runtime/errors.ts';
import { codeName } from './protocol-codes.ts';

export const KafkaUnavailable: CodedErrorClass<{ readonly reason: string; readonly attempts: number }> = defineError(
  'kafka.unavailable',
  {
    help: 'No broker can be reached, or they are busy. Check bootstrap.servers, that security.protocol suits the port, and that the addresses that brokers advertise can be reached from here; or raise max_retries.',
    retry: 'later',
  },
  (f) => `Kafka: ${f.reason} (attempt ${f.attempts})`,
);

export const KafkaTopicMissing: CodedErrorClass<{ readonly topic: string }> = defineError(
  'kafka.topic_missing',
  { help: 'Correct topic, or create it.' },
  (f) => `Kafka: there is no topic "${f.topic}"`,
);

export const KafkaAccessDenied: CodedErrorClass<{ readonly reason: string }> = defineError(
  'kafka.access_denied',
  {
    help: 'Check security.protocol, sasl.mechanism, sasl.username and sasl.password; and that the user may Describe and Read the topic (kafka_input) or Describe and Write it (kafka_output).',
  },
  (f) => `Kafka: ${f.reason}`,
);

export const KafkaTokenRefused: CodedErrorClass<{ readonly server: string; readonly reason: string }> = defineError(
  'kafka.token_refused',
  {
    help: 'Check sasl.oauthbearer.client.id, sasl.oauthbearer.client.secret, sasl.oauthbearer.scope and sasl.oauthbearer.token.endpoint.url; with Amazon MSK, region and the credentials of AWS (AWS_ACCESS_KEY_ID, ~/.aws/credentials, the role of the machine).',
  },
  (f) => `Kafka: there is no token from ${f.server}: ${f.reason}`,
);

export const KafkaTls: CodedErrorClass<{ readonly reason: string }> = defineError(
  'kafka.tls',
  {
    help: 'Check ssl.ca.pem or ssl.ca.location: the authority that has signed the certificates of the brokers; ssl.certificate.* and ssl.key.*, where brokers ask for a certificate of the client; ssl.endpoint.identification.algorithm: `none` where they are not for the host name; and that security.protocol suits the port.',
  },
  (f) => `Kafka: ${f.reason}`,
);

export const KafkaPartitionMissing: CodedErrorClass<{
  readonly topic: string;
  readonly partition: number;
  readonly count: number;
}> = defineError(
  'kafka.partition_missing',
  { help: 'Correct partitions, or the offsets of start_from: one for each partition.' },
  (f) => `Kafka: topic "${f.topic}" has no partition ${f.partition}; it has ${f.count}`,
);

export const KafkaOffsetLost: CodedErrorClass<{
  readonly topic: string;
  readonly partition: number;
  readonly offset: string;
}> = defineError(
  'kafka.offset_lost',
  {
    help: 'The records from there on have expired or were deleted, or the topic was cut short in front of it. Set resume_earliest_if_data_expires: true to go on with the oldest that are left, or correct start_from.',
  },
  (f) => `Kafka: offset ${f.offset} of partition ${f.partition} of topic "${f.topic}" is not kept any more`,
);

export const KafkaTopicReplaced: CodedErrorClass<{ readonly topic: string }> = defineError(
  'kafka.topic_replaced',
  {
    help: 'Offsets of the topic that was deleted mean nothing in the one that has its name now. Set resume_earliest_if_data_expires: true to read the new one from its start, or start the pipeline without its checkpoint.',
  },
  (f) => `Kafka: topic "${f.topic}" has been deleted and made anew`,
);

export const KafkaMessageTooLarge: CodedErrorClass<{
  readonly topic: string;
  readonly partition: number;
  readonly bytes: number;
}> = defineError(
  'kafka.message_too_large',
  {
    help: 'Raise max.message.bytes of the topic, or message.max.bytes of the brokers; or make the rows of the view shorter.',
  },
  (f) => `Kafka: a message of ${f.bytes} bytes is larger than partition ${f.partition} of topic "${f.topic}" takes`,
);

export const KafkaRefused: CodedErrorClass<{ readonly reason: string }> = defineError(
  'kafka.refused',
  { help: 'The message is the broker’s; check the setting that it speaks of.' },
  (f) => `Kafka: ${f.reason}`,
);

export const KafkaMalformed: CodedErrorClass<{ readonly detail: string }> = defineError(
  'kafka.malformed',
  { help: 'The broker has sent bytes that are no records. Check the disk of the broker.' },
  (f) => `Kafka: ${f.detail}`,
);

export const KafkaUnsupported: CodedErrorClass<{ readonly what: string }> = defineError(
  'kafka.unsupported',
  { help: 'Have the producers of the topic write them otherwise, or set compression.type of the topic.' },
  (f) => `Kafka: ${f.what} cannot be read`,
);

const denied = new Set([29, 30, 31, 33, 34, 58]);
/** Leaders that have moved, brokers that come and go, topics that are just being made. */
const passing = new Set([2, 3, 5, 6, 7, 8, 9, 13, 14, 15, 16, 19, 20, 56, 72, 74, 75, 78, 80, 89, 100, 103]);

export function mayPass(code: number): boolean {
  return passing.has(code);
}

/** A final error of a code of the protocol, or null: it may pass. */
export function errorOfCode(code: number, what: string): MillraceError | null {
  if (mayPass(code)) return null;
  const reason = `${what}: ${codeName(code)}`;
  return denied.has(code) ? new KafkaAccessDenied({ reason }) : new KafkaRefused({ reason });
}

/** Of a batch that was not taken: what may pass, a producer that is not known any more included, is an error that is not coded. */
export function ofProduceCode(code: number, what: string): Error {
  const refused = [45, 47, 49, 59, 90].includes(code) ? null : errorOfCode(code, what);
  return refused ?? new Error(`${what}: ${codeName(code)}`);
}

/** A final error, or null: it may pass. */
export function finalKafkaError(thrown: unknown): MillraceError | null {
  if (thrown instanceof MillraceError) return thrown.retry === 'never' ? thrown : null;
  const reason = reasonOf(thrown);
  if (/certificate|self.signed|altnames|wrong version number|PEM routines|unknown ca|handshake failure/i.test(reason)) {
    return new KafkaTls({ reason }, { cause: thrown });
  }
  if (/authenticat|SASL|TOPIC_AUTHORIZATION|CLUSTER_AUTHORIZATION/i.test(reason)) {
    return new KafkaAccessDenied({ reason }, { cause: thrown });
  }
  return null;
}

/** The innermost message: the library wraps what the socket says. */
export function reasonOf(thrown: unknown): string {
  if (thrown instanceof AggregateError && thrown.errors.length > 0) return reasonOf(thrown.errors[0]);
  if (!(thrown instanceof Error)) return String(thrown);
  const inner = thrown.cause instanceof Error ? reasonOf(thrown.cause) : '';
  if (inner !== '') return inner;
  const code = 'code' in thrown ? String(thrown.code) : '';
  return thrown.message === '' ? code : thrown.message;
}
