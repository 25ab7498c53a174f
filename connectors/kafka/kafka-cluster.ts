// The brokers of a cluster, as the connectors see them: who leads which partition, where offsets begin and end, and a connection
// to a broker. The only file that makes connections.
//
// A broker that takes connections and does not answer (it was suspended, its disk hangs) is no reason to wait while others could: after
// a while the next one is asked the same, and a connection on which nothing moves at all is given up (connection-silence.ts). Nothing is tried again here: whoever calls knows whether something may pass (kafka-errors.ts).
import { isIP } from 'node:net';
import type { Clock, Timer } from '../../runtime/clock.ts';
import { nearestName } from '../../runtime/nearest-name.ts';
import type { ParameterValues } from '../sdk/parameters.ts';
import { type BootstrapServer, bootstrapServers } from './bootstrap-servers.ts';
import { type BrokerConnection, openConnection } from './broker-connection.ts';
import { askMetadata, askOffset, askProducerIdentity } from './cluster-requests.ts';
import { connectionOptions } from './connection-options.ts';
import { ConnectionSilence } from './connection-silence.ts';
import { errorOfCode, KafkaTopicMissing } from './kafka-errors.ts';
import { OauthTokens } from './oauth-tokens.ts';
import { codeName } from './protocol-codes.ts';
import type { OffsetWish } from './reading-start.ts';
import { openSaslConnection } from './sasl-connection.ts';

export interface PartitionLeader {
  readonly partition: number;
  /** Null: it has none just now. */
  readonly broker: BrokerAddress | null;
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

const nextBrokerMs = 2_000;

export class KafkaCluster {
  readonly #settings: ParameterValues;
  readonly #baseFolder: string;
  readonly #clock: Clock;
  readonly #tokens: OauthTokens;
  readonly #bootstrap: readonly BootstrapServer[];
  /** Those that the latest answer has named. */
  #brokers: readonly BrokerAddress[] = [];
  /** That has answered last. */
  #answering: string | null = null;
  readonly #connections = new Map<string, Promise<BrokerConnection>>();
  readonly #silences = new WeakMap<BrokerConnection, ConnectionSilence>();

  /** Of settings that keep the rules of kafka-rules.ts. */
  constructor(settings: ParameterValues, baseFolder: string, clock: Clock) {
    this.#settings = settings;
    this.#clock = clock;
    this.#baseFolder = baseFolder;
    this.#tokens = new OauthTokens(settings, baseFolder, clock);
    this.#bootstrap = bootstrapServers(String(settings['bootstrap.servers'])).servers;
  }

  /** @throws KafkaTopicMissing, and whatever the network says */
  async describe(topic: string): Promise<TopicDescription> {
    const found = await this.#first((connection) => askMetadata(connection, [topic]));
    const description = found.topics.find(({ name }) => name === topic);
    if (description === undefined || description.errorCode === 3) throw await this.#missing(topic);
    const refused = errorOfCode(description.errorCode, `topic "${topic}"`);
    if (description.errorCode !== 0) throw refused ?? new Error(`topic "${topic}" is not ready`);
    this.#brokers = found.brokers;
    const partitions = description.partitions.map(({ partition, leader }) => {
      return { partition, broker: this.#brokers.find(({ id }) => id === leader) ?? null };
    });
    partitions.sort((a, b) => a.partition - b.partition);
    return { name: topic, id: description.id, partitions };
  }

  /** With the name of a topic that there is, where it is a near one. */
  async #missing(topic: string): Promise<Error> {
    const found = await this.#first((connection) => askMetadata(connection, null));
    const names = found.topics.map(({ name }) => name).filter((name) => !name.startsWith('__'));
    return new KafkaTopicMissing({ topic }, { suggestion: nearestName(topic, names) });
  }

  /** An offset for each partition that is asked for. */
  async offsets(
    topic: TopicDescription,
    wishes: ReadonlyMap<number, OffsetWish>,
  ): Promise<ReadonlyMap<number, bigint>> {
    const offsets = new Map<number, bigint>();
    for (const { partition, broker } of topic.partitions) {
      const wish = wishes.get(partition);
      if (wish === undefined || broker === null) continue;
      const timestamp = wish === 'latest' ? -1n : wish === 'earliest' ? -2n : BigInt(wish.timestamp);
      const { errorCode, offset } = await this.ask(broker, (connection) =>
        askOffset(connection, topic.name, partition, timestamp),
      );
      if (errorCode !== 0) {
        const what = `offsets of partition ${partition} of topic "${topic.name}"`;
        throw errorOfCode(errorCode, what) ?? new Error(`${what} are not known yet: ${codeName(errorCode)}`);
      }
      // Nothing is as late as the time: the end, then.
      const isBehindAll = offset < 0n;
      const end = isBehindAll ? await this.offsets(topic, new Map([[partition, 'latest' as const]])) : null;
      offsets.set(partition, end?.get(partition) ?? offset);
    }
    return offsets;
  }

  /** How old what is known of topics may become. */
  get metadataMs(): number {
    const ms = Number(this.#text('metadata.max.age.ms') ?? this.#text('topic.metadata.refresh.interval.ms') ?? 30_000);
    return ms < 0 ? 2 ** 31 - 1 : ms;
  }

  /** What `request` resolves to over the connection to a broker. Rejects with what the socket has said, where it was lost. */
  async ask<Answer>(
    address: BootstrapServer,
    request: (connection: BrokerConnection) => Promise<Answer>,
  ): Promise<Answer> {
    const connection = await this.#connect(address);
    const silence = this.#silences.get(connection);
    silence?.begin();
    try {
      return await request(connection);
    } finally {
      silence?.end();
    }
  }

  /** The connection to a broker: the same one as long as it is up. */
  #connect(address: BootstrapServer): Promise<BrokerConnection> {
    const key = keyOf(address);
    const known = this.#connections.get(key);
    if (known !== undefined) return known;
    const gone = (): void => {
      if (this.#connections.get(key) === opened) this.#connections.delete(key);
    };
    const opened: Promise<BrokerConnection> = this.#open(address, gone);
    this.#connections.set(key, opened);
    opened.catch(gone);
    return opened;
  }

  /** The connection to a broker that does not answer is given up. */
  async drop(address: BootstrapServer): Promise<void> {
    const opening = this.#connections.get(keyOf(address));
    this.#connections.delete(keyOf(address));
    if (opening !== undefined) await closed(opening);
  }

  /** An identity under which a broker tells a batch that comes again. */
  async producerIdentity(): Promise<{ readonly id: bigint; readonly epoch: number }> {
    const { errorCode, id, epoch } = await this.#first(askProducerIdentity);
    const what = 'the identity of a producer';
    if (errorCode !== 0)
      throw errorOfCode(errorCode, what) ?? new Error(`${what} is not known yet: ${codeName(errorCode)}`);
    return { id, epoch };
  }

  /** Connections are opened anew from here on: something has changed on the other side. */
  async close(): Promise<void> {
    const open = [...this.#connections.values()];
    this.#connections.clear();
    await Promise.all(open.map(closed));
  }

  /** What the first broker answers: one after the other is asked, the next one also when the last does not answer for a while. */
  async #first<Answer>(ask: (connection: BrokerConnection) => Promise<Answer>): Promise<Answer> {
    const addresses = this.#addresses();
    const timers: Timer[] = [];
    let failed = 0;
    let asked = 0;
    return await new Promise<Answer>((resolve, reject) => {
      const askNext = (): void => {
        const address = addresses[asked++];
        if (address === undefined) return;
        timers.push(this.#clock.after(nextBrokerMs, askNext));
        this.ask(address, ask).then(
          (answer) => {
            this.#answering = keyOf(address);
            resolve(answer);
          },
          (error: unknown) => {
            if (++failed === addresses.length) reject(error);
            else if (failed === asked) askNext();
          },
        );
      };
      askNext();
    }).finally(() => {
      for (const timer of timers) timer.cancel();
    });
  }

  /** Every broker that is known, the one first that has answered last. */
  #addresses(): readonly BootstrapServer[] {
    const all = new Map([...this.#brokers, ...this.#bootstrap].map((address) => [keyOf(address), address]));
    return [...all]
      .sort(([a], [b]) => Number(b === this.#answering) - Number(a === this.#answering))
      .map(([, each]) => each);
  }

  async #open(address: BootstrapServer, gone: () => void): Promise<BrokerConnection> {
    const { host, port } = address;
    const { tls, sasl } = await connectionOptions(this.#settings, this.#baseFolder, this.#tokens);
    const named = tls === null || isIP(host) !== 0 ? tls : { ...tls, servername: host };
    const parts = {
      address,
      clientId: this.#text('client.id') ?? 'millrace',
      tls: named,
      timeoutMs: Number(this.#text('socket.connection.setup.timeout.ms') ?? 10_000),
      clock: this.#clock,
      onLost: gone,
    };
    const connection = await (sasl === null ? openConnection(parts) : openSaslConnection(parts, sasl));
    const { socket } = connection;
    const timeoutMs = Number(this.#text('request.timeout.ms') ?? 30_000);
    // A broker that has nothing to say, or waits for replicas, says so a little later than it was asked to.
    const silentMs = timeoutMs + Number(this.#text('fetch.wait.max.ms') ?? 250);
    const onSilence = (): void => {
      gone();
      socket?.destroy(new Error(`${host}:${port} has not answered for ${silentMs} ms`));
    };
    if (socket !== undefined) {
      this.#silences.set(connection, new ConnectionSilence(this.#clock, socket, silentMs, onSilence));
    }
    return connection;
  }

  #text(name: string): string | undefined {
    const value = this.#settings[name];
    return value === undefined ? undefined : String(value);
  }
}

function keyOf({ host, port }: BootstrapServer): string {
  return `${host}:${port}`;
}

async function closed(opening: Promise<BrokerConnection>): Promise<void> {
  const connection = await opening.catch(() => null);
  await connection?.close();
}
