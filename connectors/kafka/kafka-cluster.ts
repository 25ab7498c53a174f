// The brokers of a cluster, as the connectors see them: who leads which partition, where offsets begin and end, and a connection
// to a broker. The only file that makes connections; the library is loaded by the first one.
//
// Nothing is tried again here: whoever calls knows whether something may pass (kafka-errors.ts).
import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { resolve } from 'node:path';
import type { Connection, Producer } from '@platformatic/kafka';
import type { ParameterValues } from '../sdk/parameters.ts';
import { type BootstrapServer, bootstrapServers } from './bootstrap-servers.ts';
import { errorOfCode, KafkaTopicMissing, KafkaUnavailable } from './kafka-errors.ts';
import type { OffsetWish } from './reading-start.ts';

type Library = typeof import('@platformatic/kafka');

export interface PartitionLeader {
  readonly partition: number;
  readonly leaderEpoch: number;
  readonly broker: BrokerAddress;
}

export interface BrokerAddress {
  readonly id: number;
  readonly host: string;
  readonly port: number;
}

export interface TopicDescription {
  readonly name: string;
  readonly id: string;
  /** By number, without gaps. */
  readonly partitions: readonly PartitionLeader[];
}

export class KafkaCluster {
  readonly #settings: ParameterValues;
  readonly #baseFolder: string;
  readonly #bootstrap: readonly BootstrapServer[];
  readonly #connections = new Map<string, Promise<Connection>>();

  /** Of settings that keep the rules of kafka-rules.ts. */
  constructor(settings: ParameterValues, baseFolder: string) {
    this.#settings = settings;
    this.#baseFolder = baseFolder;
    this.#bootstrap = bootstrapServers(String(settings['bootstrap.servers'])).servers;
  }

  /** @throws KafkaTopicMissing, and whatever the network says */
  async describe(topic: string): Promise<TopicDescription> {
    const library = await import('@platformatic/kafka');
    const connection = await this.#any();
    const found = await answered(library.metadataV12.api.async(connection, [topic], false));
    const description = found.topics.find(({ name }) => name === topic);
    if (description === undefined || description.errorCode === 3) throw new KafkaTopicMissing({ topic });
    const refused = errorOfCode(description.errorCode, `topic "${topic}"`);
    if (description.errorCode !== 0) throw refused ?? new Error(`topic "${topic}" is not ready`);
    const partitions = description.partitions.map(({ partitionIndex, leaderId, leaderEpoch }) => {
      const broker = found.brokers.find(({ nodeId }) => nodeId === leaderId);
      if (broker === undefined) throw new Error(`partition ${partitionIndex} of topic "${topic}" has no leader`);
      const { host, port, nodeId: id } = broker;
      return { partition: partitionIndex, leaderEpoch, broker: { id, host, port } };
    });
    partitions.sort((a, b) => a.partition - b.partition);
    return { name: topic, id: description.topicId, partitions };
  }

  /** An offset for each partition that is asked for. */
  async offsets(
    topic: TopicDescription,
    wishes: ReadonlyMap<number, OffsetWish>,
  ): Promise<ReadonlyMap<number, bigint>> {
    const library = await import('@platformatic/kafka');
    const offsets = new Map<number, bigint>();
    for (const { partition, broker } of topic.partitions) {
      const wish = wishes.get(partition);
      if (wish === undefined) continue;
      const timestamp = wish === 'latest' ? -1n : wish === 'earliest' ? -2n : BigInt(wish.timestamp);
      const partitions = [{ partitionIndex: partition, currentLeaderEpoch: -1, timestamp }];
      const connection = await this.connect(broker);
      const found = await answered(
        library.listOffsetsV7.api.async(connection, -1, 1, [{ name: topic.name, partitions }]),
      );
      const [answer] = found.topics[0]?.partitions ?? [];
      if (answer === undefined || answer.errorCode !== 0) {
        const what = `offsets of partition ${partition} of topic "${topic.name}"`;
        throw errorOfCode(answer?.errorCode ?? -1, what) ?? new Error(`${what} are not known yet`);
      }
      // Nothing is as late as the time: the end, then.
      const isBehindAll = answer.offset < 0n;
      const end = isBehindAll ? await this.offsets(topic, new Map([[partition, 'latest' as const]])) : null;
      offsets.set(partition, end?.get(partition) ?? answer.offset);
    }
    return offsets;
  }

  /** The connection to a broker: the same one as long as it is up. */
  connect({ host, port }: { readonly host: string; readonly port: number }): Promise<Connection> {
    const key = `${host}:${port}`;
    const known = this.#connections.get(key);
    if (known !== undefined) return known;
    const opened = this.#open(host, port, () => this.#connections.delete(key));
    this.#connections.set(key, opened);
    opened.catch(() => this.#connections.delete(key));
    return opened;
  }

  /** A producer of its own; the caller closes it. */
  async producer(acks: number): Promise<Producer> {
    const library = await import('@platformatic/kafka');
    const isNamed = this.#bootstrap.every(({ host }) => isIP(host) === 0);
    const options = await connectionOptions(this.#settings, this.#baseFolder, isNamed);
    return new library.Producer({
      clientId: this.#text('client.id') ?? 'millrace',
      bootstrapBrokers: this.#bootstrap.map(({ host, port }) => `${host}:${port}`),
      connectTimeout: Number(this.#text('socket.connection.setup.timeout.ms') ?? 10_000),
      requestTimeout: Number(this.#text('request.timeout.ms') ?? 30_000),
      // Retries are the caller's: they wait on the connector's clock, end when it is stopped, and are reported. Not 0: the library
      // takes that for no wish, and tries for ever.
      retries: false,
      idempotent: acks === -1,
      ...options,
    });
  }

  /** Connections are opened anew from here on: something has changed on the other side. */
  async close(): Promise<void> {
    const open = [...this.#connections.values()];
    this.#connections.clear();
    await Promise.all(
      open.map(async (opening) => {
        const connection = await opening.catch(() => null);
        connection?.socket?.destroy();
        await connection?.close().catch(() => {});
      }),
    );
  }

  async #any(): Promise<Connection> {
    const reasons: unknown[] = [];
    for (const address of this.#bootstrap) {
      try {
        return await this.connect(address);
      } catch (error) {
        reasons.push(error);
      }
    }
    throw reasons[0] ?? new KafkaUnavailable({ reason: 'no broker is named', attempts: 1 });
  }

  async #open(host: string, port: number, gone: () => void): Promise<Connection> {
    const library = await import('@platformatic/kafka');
    const options = await connectionOptions(this.#settings, this.#baseFolder, isIP(host) === 0);
    const connection = new library.Connection(this.#text('client.id') ?? 'millrace', {
      connectTimeout: Number(this.#text('socket.connection.setup.timeout.ms') ?? 10_000),
      requestTimeout: Number(this.#text('request.timeout.ms') ?? 30_000),
      maxInflights: 16,
      ...options,
    });
    // A connection that breaks while nobody waits for an answer must not end the process.
    connection.on('error', gone);
    connection.on('close', gone);
    await connection.connect(host, port);
    return connection;
  }

  #text(name: string): string | undefined {
    const value = this.#settings[name];
    return value === undefined ? undefined : String(value);
  }
}

/** An answer with error codes in it is thrown by the library: here the codes are looked at. */
async function answered<Answer>(answer: Promise<Answer>): Promise<Answer> {
  try {
    return await answer;
  } catch (thrown) {
    const response = thrown instanceof Error && 'response' in thrown ? thrown.response : undefined;
    if (typeof response !== 'object' || response === null) throw thrown;
    // SAFETY: the library puts the parsed answer there.
    return response as Answer;
  }
}

export type { Library };

/** TLS and SASL as the library takes them. `isNamed`: the host has a name, which TLS may ask for. @throws ConfigInvalidValue */
async function connectionOptions(settings: ParameterValues, baseFolder: string, isNamed: boolean): Promise<object> {
  const text = (name: string): string | undefined => {
    const value = settings[name];
    return value === undefined || value === '' ? undefined : String(value);
  };
  const file = async (inline: string, location: string): Promise<string | undefined> => {
    const path = text(location);
    return text(inline) ?? (path === undefined ? undefined : await readFile(resolve(baseFolder, path), 'utf8'));
  };
  const protocol = String(settings['security.protocol'] ?? 'PLAINTEXT').toUpperCase();
  const options: Record<string, unknown> = {};
  if (protocol.endsWith('SSL')) {
    const [ca, cert, key] = [
      await file('ssl.ca.pem', 'ssl.ca.location'),
      await file('ssl.certificate.pem', 'ssl.certificate.location'),
      await file('ssl.key.pem', 'ssl.key.location'),
    ];
    const passphrase = text('ssl.key.password');
    options['tls'] = {
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
      ...(passphrase === undefined ? {} : { passphrase }),
      ...(text('enable.ssl.certificate.verification') === 'false' ? { rejectUnauthorized: false } : {}),
      ...(text('ssl.endpoint.identification.algorithm') === 'none' ? { checkServerIdentity: () => undefined } : {}),
    };
    options['tlsServerName'] = isNamed;
  }
  if (protocol.startsWith('SASL')) {
    const mechanism = text('sasl.mechanism') ?? text('sasl.mechanisms') ?? 'PLAIN';
    const [username, password, token] = [text('sasl.username'), text('sasl.password'), text('sasl.oauthbearer.config')];
    options['sasl'] = {
      mechanism,
      ...(username === undefined ? {} : { username }),
      ...(password === undefined ? {} : { password }),
      ...(token === undefined ? {} : { token }),
    };
  }
  return options;
}
