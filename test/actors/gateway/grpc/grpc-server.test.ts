// Conduit's gRPC interface of a running server, called as its clients call it.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { conduitMethods } from '../../../../actors/gateway/grpc/conduit-methods.ts';
import { type Json, readMessage, writeMessage } from '../../../../actors/gateway/grpc/proto-message.ts';
import { GrpcConnection } from '../../../../connectors/standalone/grpc-connection.ts';
import { framed, messagePrefixBytes } from '../../../../connectors/standalone/grpc-message.ts';
import { systemClock } from '../../../../runtime/clock.ts';
import { startTestServer, type TestServer } from '../server/test-server.ts';

const adminKey = 'a-key-that-is-long-enough-for-everything';

class Client {
  readonly #connection: GrpcConnection;

  constructor({ grpcAddress }: TestServer) {
    const [host = '', port = ''] = (grpcAddress ?? '').split(':');
    this.#connection = new GrpcConnection({ host, port: Number(port) }, systemClock);
  }

  /** The reply, or `code: message`. */
  async call(name: string, request: Json = {}, headers: Readonly<Record<string, string>> = {}): Promise<Json | string> {
    const method = conduitMethods.get(`/api.v1.${name}`);
    const body = method === undefined ? new Uint8Array(0) : writeMessage(method.request, request);
    const answer = await this.#connection.call(`/api.v1.${name}`, { body, deadlineMs: 600_000, headers });
    if (answer.kind === 'failed') return `${answer.status.code}: ${answer.status.message}`;
    return method === undefined ? {} : readMessage(method.reply, answer.body);
  }

  async reply(name: string, request: Json = {}): Promise<Json> {
    const reply = await this.call(name, request);
    if (typeof reply === 'string') throw new Error(`${name}: ${reply}`);
    return reply;
  }

  /** The first message of a stream, which is cancelled then. */
  async first(name: string, request: Json): Promise<Json> {
    const method = conduitMethods.get(`/api.v1.${name}`);
    assert.ok(method !== undefined);
    const stream = this.#connection.stream(`/api.v1.${name}`);
    const message = new Promise<Buffer>((resolve) => {
      const chunks: Buffer[] = [];
      stream.onData = (chunk) => {
        chunks.push(chunk);
        const bytes = Buffer.concat(chunks);
        const end =
          bytes.length < messagePrefixBytes ? Number.POSITIVE_INFINITY : messagePrefixBytes + bytes.readUInt32BE(1);
        if (bytes.length >= end) resolve(bytes.subarray(messagePrefixBytes, end));
      };
    });
    stream.write(framed(writeMessage(method.request, request)));
    stream.end();
    const failed = stream.closed.then(({ code, message: why }) => Promise.reject(new Error(`${code}: ${why}`)));
    failed.catch(() => {});
    const bytes = await Promise.race([message, failed]);
    stream.cancel();
    return readMessage(method.reply, bytes);
  }

  /** The body of a successful answer of any path. */
  async raw(path: string): Promise<string> {
    const answer = await this.#connection.call(path, { body: new Uint8Array(0), deadlineMs: 600_000 });
    return answer.kind === 'ok' ? Buffer.from(answer.body).toString('hex') : `${answer.status.code}`;
  }

  close(): void {
    this.#connection.close();
  }
}

const grpc = suite<{ server: TestServer; client: Client; folder: string }>("Conduit's gRPC interface");
grpc.before(async (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-grpc-'));
  const server = await startTestServer({ grpcPort: 0 });
  Object.assign(context, { folder, server, client: new Client(server) });
});
grpc.after(async ({ server, client, folder }) => {
  client.close();
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

const at = (json: unknown, ...path: readonly (string | number)[]): unknown =>
  path.reduce<unknown>((value, key) => (value === undefined ? undefined : Object(value)[key]), json);

grpc('health is told, as its clients ask for it before anything else', async ({ client }) => {
  assert.is(await client.raw('/grpc.health.v1.Health/Check'), '0801');
});

grpc('a pipeline is made, started, looked into, stopped and deleted', async ({ client, folder }) => {
  const made = await client.reply('PipelineService/CreatePipeline', { config: { name: 'by grpc', description: 'd' } });
  const id = at(made, 'pipeline', 'id');
  const connector = async (type: string, plugin: string, settings: Json): Promise<unknown> =>
    at(
      await client.reply('ConnectorService/CreateConnector', {
        type,
        plugin,
        pipelineId: id,
        config: { name: type, settings },
      }),
      ...['connector', 'id'],
    );
  const source = await connector('TYPE_SOURCE', 'builtin:generator', {
    'format.type': 'raw',
    'format.options.n': 'int',
    rate: '50',
  });
  const destination = await connector('TYPE_DESTINATION', 'builtin:file', { path: join(folder, 'out') });
  const statusOf = async (): Promise<unknown> =>
    at(await client.reply('PipelineService/GetPipeline', { id }), 'pipeline', 'state', 'status');
  assert.is(await statusOf(), 'STATUS_STOPPED');
  await client.reply('PipelineService/StartPipeline', { id });
  assert.is(await statusOf(), 'STATUS_RUNNING');
  const { record } = await client.first('ConnectorService/InspectConnector', { id: source });
  assert.is(at(record, 'operation'), 'OPERATION_CREATE');
  assert.match(Buffer.from(String(at(record, 'payload', 'after', 'rawData')), 'base64').toString(), /"n":\d+/);
  assert.match(String(await client.call('PipelineService/StartPipeline', { id })), /^9: .*running/);
  await client.reply('PipelineService/StopPipeline', { id });
  assert.is(await statusOf(), 'STATUS_STOPPED');
  const { connectors } = await client.reply('ConnectorService/ListConnectors', { pipelineId: id });
  assert.equal([at(connectors, 0, 'id'), at(connectors, 1, 'id')], [source, destination]);
  assert.equal(at(connectors, 0, 'config', 'settings', 'rate'), '50');
  assert.ok(Date.parse(String(at(connectors, 0, 'createdAt'))) > 0);
  for (const gone of [source, destination]) await client.reply('ConnectorService/DeleteConnector', { id: gone });
  await client.reply('PipelineService/DeletePipeline', { id });
  assert.equal(await client.reply('PipelineService/ListPipelines'), {});
});

grpc('a document is planned and applied; what is new disturbs nothing', async ({ client, folder }) => {
  const config = {
    id: 'doc',
    connectors: [
      { id: 'in', type: 'source', plugin: 'builtin:file', settings: { path: join(folder, 'in') } },
      { id: 'out', type: 'destination', plugin: 'builtin:file', settings: { path: join(folder, 'out') } },
    ],
  };
  const { diff } = await client.reply('PipelineService/PlanPipeline', { config });
  const effects = Array.isArray(at(diff, 'changes')) ? [0, 1, 2].map((i) => at(diff, 'changes', i, 'effect')) : [];
  assert.equal(effects, ['in_place', 'in_place', 'in_place']);
  await client.reply('PipelineService/ApplyPipeline', { config, hash: at(diff, 'hash') });
  assert.match(String(await client.call('PipelineService/ApplyPipeline', { config, hash: 'old' })), /^9: /);
  const { pipeline } = await client.reply('PipelineService/GetPipeline', { id: 'doc' });
  assert.equal(at(pipeline, 'connectorIds'), ['doc:in', 'doc:out']);
});

grpc('plugins are listed with their parameters', async ({ client }) => {
  const { plugins } = await client.reply('ConnectorService/ListConnectorPlugins', { name: 'builtin:log.*' });
  assert.match(String(at(plugins, 0, 'name')), /^builtin:log@/);
  assert.equal(at(plugins, 0, 'destinationParams', 'level', 'type'), 'TYPE_STRING');
  assert.equal(at(plugins, 0, 'destinationParams', 'level', 'validations', 0, 'type'), 'TYPE_INCLUSION');
  const { plugins: older } = await client.reply('PluginService/ListPlugins', { name: 'builtin:log.*' });
  assert.equal(at(older, 0, 'destinationParams', 'level', 'default'), 'info');
});

grpc('errors are told as statuses with the words of the REST interface', async ({ client }) => {
  assert.is(
    await client.call('PipelineService/GetPipeline', { id: 'nö pe' }),
    '5: pipeline instance not found (ID: nö pe)',
  );
  assert.match(String(await client.call('PipelineService/Dance')), /^12: /);
});

grpc('keys count as they do over HTTP', async ({ folder }) => {
  const server = await startTestServer({ grpcPort: 0, adminKey, dataFolder: join(folder, 'keys') });
  const client = new Client(server);
  try {
    assert.match(String(await client.call('PipelineService/ListPipelines')), /^16: /);
    assert.equal(await client.call('PipelineService/ListPipelines', {}, { authorization: `Bearer ${adminKey}` }), {});
  } finally {
    client.close();
    await server.close();
  }
});

grpc.run();
