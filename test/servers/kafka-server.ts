// A Kafka broker for tests: version 4 in KRaft mode, one node, its own data folder, on free ports. Its jars come from Maven Central,
// once for a machine; under CI they are fetched when they are missing.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { archivedClasses, makeClassArchive } from './class-archive.ts';
import { freePort } from './free-port.ts';
import { formatKafkaFolder } from './kafka-folder.ts';
import { ServerProcess } from './server-process.ts';
import type { ServerCertificate } from './test-certificates.ts';

const version = '4.1.0';
const tools = process.env['MILLRACE_TEST_TOOLS'] ?? join(tmpdir(), 'millrace-test-tools');

export interface KafkaServer {
  /** host:port */
  readonly bootstrap: string;
  /** Where it speaks TLS; empty without a certificate. */
  readonly tlsBootstrap: string;
  /** host:port by name of a further listener. */
  readonly listeners: ReadonlyMap<string, string>;
  readonly process: ServerProcess;
  close(): Promise<void>;
}

export interface FurtherListeners {
  /** Protocol by name: `{ MUTUAL: 'SSL' }`. */
  readonly protocols: Readonly<Record<string, string>>;
  /** host:port by name, where clients are told to go instead of to the listener itself: to a proxy before it. */
  readonly advertised?: Readonly<Record<string, string>>;
  /** In PEM: the authority that signs clients. */
  readonly authority: string;
  /** Of the program that formats the folder: users of SCRAM. */
  readonly formatArguments: readonly string[];
}

/** Running; or why there is none. `settings` are lines of server.properties that are added. */
export async function startKafkaServer(
  settings: readonly string[] = [],
  certificate: ServerCertificate | null = null,
  further: FurtherListeners = { protocols: {}, authority: '', formatArguments: [] },
  javaArguments: readonly string[] = [],
): Promise<KafkaServer | { readonly missing: string }> {
  const lib = kafkaJars();
  if (typeof lib !== 'string') return lib;
  const folder = mkdtempSync(join(tmpdir(), 'millrace-kafka-'));
  const [port, controller, tlsPort] = [await freePort(), await freePort(), await freePort()];
  const keystore = join(folder, 'keystore.pem');
  if (certificate !== null) writeFileSync(keystore, certificate.key + certificate.certificate);
  const truststore = join(folder, 'truststore.pem');
  if (further.authority !== '') writeFileSync(truststore, further.authority);
  const listeners = new Map<string, string>();
  for (const name of Object.keys(further.protocols)) listeners.set(name, `127.0.0.1:${await freePort()}`);
  const tls = certificate === null ? '' : `,SSL://127.0.0.1:${tlsPort}`;
  const own = [...listeners].map(([name, address]) => `,${name}://${address}`).join('');
  const told = [...listeners].map(([name, address]) => `,${name}://${further.advertised?.[name] ?? address}`).join('');
  const protocols = Object.entries(further.protocols).map(([name, protocol]) => `,${name}:${protocol}`);
  const file = join(folder, 'server.properties');
  const lines = [
    'process.roles=broker,controller',
    'node.id=1',
    `controller.quorum.voters=1@127.0.0.1:${controller}`,
    `listeners=PLAINTEXT://127.0.0.1:${port}${tls}${own},CONTROLLER://127.0.0.1:${controller}`,
    `advertised.listeners=PLAINTEXT://127.0.0.1:${port}${tls}${told}`,
    ...(certificate === null ? [] : ['ssl.keystore.type=PEM', `ssl.keystore.location=${keystore}`]),
    'controller.listener.names=CONTROLLER',
    ...(further.authority === '' ? [] : ['ssl.truststore.type=PEM', `ssl.truststore.location=${truststore}`]),
    `listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SSL:SSL${protocols.join('')}`,
    'inter.broker.listener.name=PLAINTEXT',
    `log.dirs=${join(folder, 'data')}`,
    'offsets.topic.replication.factor=1',
    'offsets.topic.num.partitions=1',
    'transaction.state.log.replication.factor=1',
    'transaction.state.log.min.isr=1',
    'transaction.state.log.num.partitions=1',
    'share.coordinator.state.topic.replication.factor=1',
    'share.coordinator.state.topic.min.isr=1',
    'group.initial.rebalance.delay.ms=0',
    'log.cleaner.enable=false',
    ...settings,
  ];
  writeFileSync(file, `${lines.join('\n')}\n`);
  const process = kafkaProcess(lib, file, port, { formatArguments: further.formatArguments, javaArguments });
  await process.start();
  return {
    bootstrap: `127.0.0.1:${port}`,
    tlsBootstrap: certificate === null ? '' : `127.0.0.1:${tlsPort}`,
    listeners,
    process,
    close: async () => {
      await process.dispose();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Who says that a node has started. */
const starter = 'kafka.server.KafkaRaftServer';

export interface KafkaProcessOptions {
  readonly formatArguments?: readonly string[];
  readonly javaArguments?: readonly string[];
}

/** Lays out the classes of a broker for the starts to come. */
export async function archiveKafkaClasses(): Promise<void> {
  const lib = kafkaJars();
  if (typeof lib !== 'string') return;
  await makeClassArchive(dirname(lib), async (javaArguments) => {
    const server = await startKafkaServer([], null, undefined, javaArguments);
    if ('missing' in server) return;
    await server.process.stop();
    await server.close();
  });
}

/** A node that `file` describes, its folder formatted; to be started. */
export function kafkaProcess(
  lib: string,
  file: string,
  port: number,
  { formatArguments = [], javaArguments = [] }: KafkaProcessOptions = {},
): ServerProcess {
  formatKafkaFolder(lib, file, formatArguments);
  const memory = ['-Xms128m', '-Xmx512m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];
  const classes = [...archivedClasses(dirname(lib)), ...javaArguments, '-cp', join(lib, '*')];
  // Beside what is wrong it says that it has started, and not five thousand lines of its settings.
  const logger = '-Dorg.slf4j.simpleLogger';
  const log = [`${logger}.defaultLogLevel=warn`, `${logger}.log.${starter}=info`];
  // Its port is open before it has a broker that topics could be made on.
  const node: ServerProcess = new ServerProcess({
    command: 'java',
    args: [...memory, ...log, ...classes, 'kafka.Kafka', file],
    isReady: async () => node.output.includes('Kafka Server started') && (await accepts(port)),
  });
  return node;
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

/** The folder of the jars; or why there is none. Under CI they are fetched when they are missing. */
export function kafkaJars(): string | { readonly missing: string } {
  const folder = join(tools, `kafka-${version}`);
  const lib = join(folder, 'lib');
  if (isComplete(folder)) return lib;
  const needed = ['java', 'mvn'].filter((name) => !isOnPath(name));
  const missing =
    needed.length > 0 ? `Kafka needs ${needed.join(' and ')}` : `the jars of Kafka ${version} are not in ${lib}`;
  if (process.env['CI'] === undefined) return { missing };
  if (needed.length > 0) throw new Error(`under CI: ${missing}`);
  mkdirSync(tools, { recursive: true });
  // The folder has its name when it is complete: two at a time do not meet.
  const own = mkdtempSync(join(tools, 'fetching-kafka-'));
  writeFileSync(
    join(own, 'pom.xml'),
    `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>millrace.test</groupId><artifactId>kafka</artifactId><version>1</version><packaging>pom</packaging><dependencies>
<dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>${version}</version></dependency>
<dependency><groupId>org.slf4j</groupId><artifactId>slf4j-simple</artifactId><version>1.7.36</version></dependency>
</dependencies></project>\n`,
  );
  const goals = ['-q', '-B', 'dependency:copy-dependencies', '-DoutputDirectory=lib', '-DincludeScope=runtime'];
  execFileSync('mvn', goals, { cwd: own, stdio: 'pipe' });
  // What a fetch that was broken off has left.
  if (!isComplete(folder)) rmSync(folder, { recursive: true, force: true });
  try {
    renameSync(own, folder);
  } catch {
    // Somebody else was quicker.
    rmSync(own, { recursive: true, force: true });
  }
  return lib;
}

function isComplete(folder: string): boolean {
  return existsSync(join(folder, 'lib', `kafka_2.13-${version}.jar`));
}

function isOnPath(name: string): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some((folder) => existsSync(join(folder, name)));
}
