// Fetches and builds beforehand what tests start beside Millrace: jars of Kafka, a schema registry, an S3 server, plugins on
// Conduit's SDKs, Feldera's Python clients. `.ci/run` calls it: a test has seconds, a download or a build takes minutes. What is there already
// is left as it is, and what is missing afterwards is told; the tests that need it fail under CI.
//
//   node dist/test/prepare-tools.js
import { pythonClient, pythonVersions } from './conformance/python/python-client.ts';
import { markProcessor, probePlugin } from './plugins/probe-plugin.ts';
import { apicurioFolder, archiveApicurioClasses } from './servers/apicurio-server.ts';
import { archiveKafkaClasses, kafkaJars } from './servers/kafka-server.ts';
import { s3Gateway } from './servers/s3-server.ts';

const started = performance.now();

async function prepare(name: string, work: () => unknown): Promise<void> {
  try {
    await work();
  } catch (error) {
    console.log(`prepare: ${name}: ${error instanceof Error ? error.message : String(error)}`);
    process.exitCode = 1;
  }
  console.log(`prepare: ${name}: ${((performance.now() - started) / 1000).toFixed(0)} s`);
}

// Builds of Go run beside the downloads of the others, which block this thread.
const plugins = async (): Promise<void> => {
  await prepare('connector plugin', probePlugin);
  await prepare('processor plugin', markProcessor);
};
const builds = [prepare('S3 server', s3Gateway), plugins()];
await prepare('Kafka', kafkaJars);
await prepare('classes of Kafka', archiveKafkaClasses);
await prepare('schema registry', apicurioFolder);
await prepare('classes of the schema registry', archiveApicurioClasses);
for (const version of pythonVersions) {
  await prepare(`Feldera's Python client ${version}`, () => {
    const { python, reason } = pythonClient(version);
    if (python === null) throw new Error(reason);
  });
}
await Promise.all(builds);
