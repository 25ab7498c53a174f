// kafka_input and kafka_output against a cluster while leaders are killed and suspended, partitions are added and moved, brokers come and
// go: every record is there, once. It takes minutes and the memory of four brokers, so that it is run with `MILLRACE_LONG=1` only.
import { Admin, alterPartitionReassignmentsV0, Connection } from '@platformatic/kafka';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { kafkaOutput } from '../../../connectors/kafka/destination.ts';
import { validSettings } from '../../../connectors/sdk/setting-rules.ts';
import { Pipeline } from '../../../index.ts';
import { startKafkaBrokers } from '../../servers/kafka-brokers.ts';
import { bigint, contextFor, relationOf } from '../connector-context.ts';

const cluster = suite('kafka cluster');
const brokers =
  process.env['MILLRACE_LONG'] === '1'
    ? await startKafkaBrokers()
    : { missing: 'it is a long test, which MILLRACE_LONG=1 runs' };

if ('missing' in brokers) {
  console.log(`skipped: a cluster of Kafka: ${brokers.missing}`);
  cluster('is not tried here', () => {});
} else {
  const { bootstrap, nodes } = brokers;
  const admin = new Admin({ clientId: 'test', bootstrapBrokers: bootstrap.split(','), retries: 100, retryDelay: 200 });
  cluster.after(async () => {
    await admin.close();
    await brokers.close();
  });

  const until = async (what: string, isSo: () => Promise<boolean>): Promise<void> => {
    const deadline = performance.now() + 180_000;
    while (!(await isSo().catch(() => false))) {
      if (performance.now() > deadline) throw new Error(`${what} has not come`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  };
  const leaderOf = async (topic: string, partition: number): Promise<number> => {
    const found = await admin.metadata({ topics: [topic], forceUpdate: true });
    return found.topics.get(topic)?.partitions[partition]?.leader ?? -1;
  };
  const settings = { 'bootstrap.servers': bootstrap, 'metadata.max.age.ms': 1_000, max_retries: 1_000 };

  const rowsAtOnce = 100;

  /** Numbers that are written to a topic, batch after batch, until `end` is called. */
  class Writer {
    written = 0;
    #isEnding = false;
    readonly #done: Promise<void>;

    constructor(topic: string) {
      this.#done = this.#write(topic);
    }

    async #write(topic: string): Promise<void> {
      const values = validSettings(kafkaOutput, { ...settings, topic }, 'kafka_output');
      const destination = kafkaOutput.create(values, contextFor(relationOf({ n: bigint }), '.'));
      await destination.open();
      while (!this.#isEnding) {
        const lines = Array.from({ length: rowsAtOnce }, (_, i) => `{"n": ${this.written + i}}\n`).join('');
        await destination.write({ kind: 'bytes', bytes: new TextEncoder().encode(lines), records: rowsAtOnce });
        await destination.flush?.();
        this.written += rowsAtOnce;
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      await destination.teardown?.();
    }

    async end(): Promise<number> {
      this.#isEnding = true;
      await this.#done;
      return this.written;
    }
  }

  const pipelineFrom = async (from: string, to: string): Promise<Pipeline> => {
    const pipeline = await Pipeline.open({
      program: `CREATE TABLE t (n BIGINT) WITH ('materialized' = 'true'); CREATE VIEW v AS SELECT n FROM t;
        CREATE MATERIALIZED VIEW counted AS SELECT COUNT(*) AS c, COUNT(DISTINCT n) AS d, SUM(n) AS s FROM t;`,
      inputs: {
        i: {
          stream: 't',
          transport: { name: 'kafka_input', config: { ...settings, topic: from, start_from: 'earliest' } },
          format: { name: 'json', config: { update_format: 'raw' } },
        },
      },
      outputs: {
        o: {
          stream: 'v',
          transport: { name: 'kafka_output', config: { ...settings, topic: to } },
          format: { name: 'json' },
        },
      },
    });
    await pipeline.start();
    return pipeline;
  };
  const reader = async (topic: string): Promise<Pipeline> => {
    const pipeline = await Pipeline.open({
      program: `CREATE TABLE t (n BIGINT);
        CREATE MATERIALIZED VIEW counted AS SELECT COUNT(*) AS c, COUNT(DISTINCT n) AS d, SUM(n) AS s FROM t;`,
      inputs: {
        i: {
          stream: 't',
          transport: { name: 'kafka_input', config: { ...settings, topic, start_from: 'earliest' } },
          format: { name: 'json' },
        },
      },
    });
    await pipeline.start();
    return pipeline;
  };
  const countOf = async (pipeline: Pipeline): Promise<number> => {
    const [row] = await pipeline.query('SELECT c FROM counted');
    return Number(row?.['c'] ?? 0);
  };
  /** Exactly the numbers from 0 on, each once. */
  const hasEach = async (pipeline: Pipeline, count: number): Promise<void> => {
    await until(`row ${count}`, async () => (await countOf(pipeline)) >= count);
    const [row] = await pipeline.query('SELECT c, d, s FROM counted');
    assert.equal([row?.['c'], row?.['d'], row?.['s']], [count, count, (count * (count - 1)) / 2]);
  };
  /** The stream goes on: more rows than when it was asked. */
  const goesOn = async (writer: Writer, pipelines: readonly Pipeline[]): Promise<void> => {
    const before = writer.written;
    await until('a row that was written since', async () => {
      const counts = await Promise.all(pipelines.map(countOf));
      return counts.every((count) => count > before + 10 * rowsAtOnce);
    });
  };

  const flow = async (name: string, disturb: (parts: Flow) => Promise<void>): Promise<void> => {
    const [from, to] = [`${name}-in`, `${name}-out`];
    await admin.createTopics({ topics: [from, to], partitions: 3, replicas: 3 });
    await until('the leaders', async () => (await leaderOf(to, 2)) > 0 && (await leaderOf(from, 2)) > 0);
    const writer = new Writer(from);
    const pipeline = await pipelineFrom(from, to);
    const back = await reader(to);
    try {
      await goesOn(writer, [pipeline, back]);
      await disturb({ from, to, goesOn: () => goesOn(writer, [pipeline, back]) });
      await goesOn(writer, [pipeline, back]);
      const written = await writer.end();
      await hasEach(pipeline, written);
      await hasEach(back, written);
    } finally {
      await writer.end();
      await pipeline.stop({ force: true });
      await back.stop({ force: true });
    }
  };

  interface Flow {
    readonly from: string;
    readonly to: string;
    goesOn(): Promise<void>;
  }

  cluster('the leader of a partition is killed while records flow in and out, and comes back', async () => {
    await flow('killed', async ({ from, to, goesOn: next }) => {
      for (const topic of [from, to]) {
        const leader = await leaderOf(topic, 0);
        await nodes.get(leader)?.stop('SIGKILL');
        await next();
        await nodes.get(leader)?.start();
        await next();
      }
    });
  });

  cluster(
    'the leader of a partition does not answer any more while records flow in and out, and does again',
    async () => {
      await flow('suspended', async ({ from, to, goesOn: next }) => {
        for (const topic of [from, to]) {
          const pid = nodes.get(await leaderOf(topic, 0))?.pid ?? 0;
          process.kill(pid, 'SIGSTOP');
          try {
            await next();
          } finally {
            process.kill(pid, 'SIGCONT');
          }
          await next();
        }
      });
    },
  );

  cluster('partitions are added, moved to a broker that is new, and led by others when it goes', async () => {
    await flow('grown', async ({ from, to, goesOn: next }) => {
      const assignments = [
        [1, 2, 3],
        [2, 3, 1],
      ].map((brokerIds) => ({ brokerIds }));
      await admin.createPartitions({
        topics: [from, to].map((name) => ({ name, count: 5, assignments })),
      });
      await until('the new partitions', async () => (await leaderOf(from, 4)) > 0 && (await leaderOf(to, 4)) > 0);
      await next();
      const id = await brokers.add();
      const connection = new Connection('test');
      const [host = '', port = ''] = bootstrap.split(',')[0]?.split(':') ?? [];
      await connection.connect(host, Number(port));
      const move = async (name: string, replicas: readonly number[]): Promise<void> => {
        const partitions = [{ partitionIndex: 0, replicas: [...replicas] }];
        await alterPartitionReassignmentsV0.api.async(connection, 30_000, false, [{ name, partitions }]);
        await until('another leader', async () => replicas.includes(await leaderOf(name, 0)));
      };
      for (const topic of [from, to]) {
        const leader = await leaderOf(topic, 0);
        await move(topic, [id, leader === 1 ? 2 : 1]);
      }
      await next();
      await nodes.get(id)?.stop('SIGKILL');
      for (const topic of [from, to]) await move(topic, [1, 2, 3]);
      await connection.close();
      await next();
    });
  });
}

cluster.run();
