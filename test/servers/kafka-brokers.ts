// A cluster of Kafka for tests: three nodes that are brokers and controllers, on free ports, each with its own data folder, and further
// brokers when they are asked for. A broker that is gone is found to be gone within seconds.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from './free-port.ts';
import { kafkaJars, kafkaProcess } from './kafka-server.ts';
import type { ServerProcess } from './server-process.ts';

const controllers = [1, 2, 3];

export interface KafkaBrokers {
  /** Of the first three. */
  readonly bootstrap: string;
  /** By node id. */
  readonly nodes: ReadonlyMap<number, ServerProcess>;
  /** Starts one more broker; resolves with its id. */
  add(): Promise<number>;
  close(): Promise<void>;
}

/** Running; or why there are none. */
export async function startKafkaBrokers(): Promise<KafkaBrokers | { readonly missing: string }> {
  const lib = kafkaJars();
  if (typeof lib !== 'string') return lib;
  const folder = mkdtempSync(join(tmpdir(), 'millrace-brokers-'));
  const nodes = new Map<number, ServerProcess>();
  const controllerPorts = await Promise.all(controllers.map(() => freePort()));
  const ports = new Map<number, number>();
  const voters = controllers.map((id, i) => `${id}@127.0.0.1:${controllerPorts[i]}`).join();
  const make = async (id: number): Promise<ServerProcess> => {
    const port = await freePort();
    ports.set(id, port);
    const controllerPort = controllerPorts[id - 1];
    const listener = `PLAINTEXT://127.0.0.1:${port}`;
    const file = join(folder, `node-${id}.properties`);
    const lines = [
      `process.roles=${controllerPort === undefined ? 'broker' : 'broker,controller'}`,
      `node.id=${id}`,
      `controller.quorum.voters=${voters}`,
      `listeners=${listener}${controllerPort === undefined ? '' : `,CONTROLLER://127.0.0.1:${controllerPort}`}`,
      `advertised.listeners=${listener}`,
      'controller.listener.names=CONTROLLER',
      'listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT',
      'inter.broker.listener.name=PLAINTEXT',
      `log.dirs=${join(folder, `data-${id}`)}`,
      'default.replication.factor=3',
      'min.insync.replicas=2',
      'broker.heartbeat.interval.ms=500',
      'broker.session.timeout.ms=4000',
      'controller.quorum.election.timeout.ms=1000',
      'controller.quorum.fetch.timeout.ms=3000',
      'replica.lag.time.max.ms=4000',
      'log.cleaner.enable=false',
    ];
    writeFileSync(file, `${lines.join('\n')}\n`);
    const node = kafkaProcess(lib, file, port);
    nodes.set(id, node);
    return node;
  };
  const first: ServerProcess[] = [];
  for (const id of controllers) first.push(await make(id));
  // None is ready before there are two of them.
  await Promise.all(first.map((node) => node.start()));
  return {
    bootstrap: controllers.map((id) => `127.0.0.1:${ports.get(id)}`).join(),
    nodes,
    add: async () => {
      const id = nodes.size + 1;
      await (await make(id)).start();
      return id;
    },
    close: async () => {
      await Promise.all([...nodes.values()].map((node) => node.dispose()));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
