// Pipelines that a server makes from files: created, changed, kept apart from others, deleted, and immutable through the API.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { LogEntry } from '../../../../runtime/log.ts';
import { reasonOf, type V1Client, v1Client } from '../v1/v1-client.ts';
import { startTestServer } from './test-server.ts';

interface Fixture {
  readonly folder: string;
  readonly logged: LogEntry[];
  write(name: string, text: string): void;
  /** Starts a server over the files, asks, and ends it. */
  served(ask: (client: V1Client) => Promise<void>, environment?: Readonly<Record<string, string>>): Promise<void>;
}

async function withFiles(run: (fixture: Fixture) => Promise<void>): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), 'millrace-provisioning-'));
  const folder = join(root, 'pipelines');
  mkdirSync(folder);
  const logged: LogEntry[] = [];
  try {
    await run({
      folder,
      logged,
      write: (name, text) => writeFileSync(join(folder, name), text),
      served: async (ask, environment = {}) => {
        const server = await startTestServer({
          dataFolder: join(root, 'data'),
          pipelinesPath: folder,
          environment,
          onLog: (entry) => logged.push(entry),
        });
        try {
          await ask(v1Client(server.url));
        } finally {
          await server.close();
        }
      },
    });
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

const pipeline = (settings: string, more = ''): string => `version: "2.2"
pipelines:
  - id: p1
    status: stopped
    name: From a file
    connectors:
      - { id: in, type: source, plugin: some-source, settings: ${settings} }
      - { id: out, type: destination, plugin: some-destination }
${more}`;

test('what files define is there, with ids of the file, and only the file may change it', async () => {
  await withFiles(async ({ write, served }) => {
    write('a.yaml', pipeline('{ path: $WHERE }'));
    await served(
      async (client) => {
        const shown = await client.get('/v1/pipelines/p1');
        assert.equal(shown.body['config'], { name: 'From a file', description: '' });
        assert.equal(shown.body['connectorIds'], ['p1:in', 'p1:out']);
        const connector = await client.get('/v1/connectors/p1:in');
        assert.equal(connector.body['config'], { name: 'in', settings: { path: '/somewhere' } });
        for (const refused of [
          await client.put('/v1/pipelines/p1', { config: { name: 'x' } }),
          await client.delete('/v1/connectors/p1:in'),
          await client.put('/v1/connectors/p1:in', { config: { name: 'x' } }),
          await client.put('/v1/pipelines/p1/dead-letter-queue', { plugin: 'x' }),
          await client.post('/v1/processors', { plugin: 'filter', parent: { type: 'TYPE_PIPELINE', id: 'p1' } }),
        ]) {
          assert.equal([refused.status, reasonOf(refused)], [400, 'orchestrator.immutable_provisioned_by_config']);
        }
      },
      { WHERE: '/somewhere' },
    );
  });
});

test('a changed file changes its pipelines, one that is gone deletes them, dates stay', async () => {
  await withFiles(async ({ write, folder, served }) => {
    write('a.yaml', pipeline('{ path: one }', '  - id: p2\n    status: stopped\n'));
    let before: Record<string, unknown> = {};
    await served(async (client) => {
      before = (await client.get('/v1/connectors/p1:in')).body;
      assert.is((await client.get('/v1/pipelines/p2')).status, 200);
    });
    write('a.yaml', pipeline('{ path: two }'));
    await served(async (client) => {
      const after = (await client.get('/v1/connectors/p1:in')).body as Record<string, unknown>;
      assert.equal(after['config'], { name: 'in', settings: { path: 'two' } });
      assert.is(after['createdAt'], before['createdAt']);
      assert.is.not(after['updatedAt'], before['updatedAt']);
      assert.is((await client.get('/v1/pipelines/p2')).status, 404);
    });
    rmSync(join(folder, 'a.yaml'));
    await served(async (client) => assert.equal((await client.get('/v1/pipelines')).body, []));
  });
});

test('nothing is deleted while a file is broken, and what is valid is taken', async () => {
  await withFiles(async ({ write, logged, served }) => {
    write('a.yaml', pipeline('{ path: one }'));
    await served(async () => {});
    write('a.yaml', 'pipelines: [');
    write('b.yaml', 'version: 2.2\npipelines: [{ id: good, status: stopped }, { id: bad, status: stoped }]\n');
    await served(async (client) => {
      const pipelines: readonly { id: string }[] = (await client.get('/v1/pipelines')).body;
      assert.equal(pipelines.map(({ id }) => id).sort(), ['good', 'p1']);
    });
    const errors = logged.filter(({ level }) => level === 'error').map(({ fields }) => String(fields['error']));
    assert.ok(errors.some((text) => text.includes('a.yaml:1:')));
    assert.ok(errors.some((text) => text.includes('did you mean "stopped"')));
  });
});

test('ids that stand in two files are left out, and so are those of pipelines that were created otherwise', async () => {
  await withFiles(async ({ write, logged, served }) => {
    let id = '';
    await served(async (client) => {
      id = (await client.post('/v1/pipelines', { config: { name: 'by hand' } })).body['id'];
    });
    write('a.yaml', `version: 2.2\npipelines: [{ id: twice }, { id: ${id}, description: changed }]\n`);
    write('b.yml', 'version: 2.2\npipelines: [{ id: twice }]\n');
    await served(async (client) => {
      const pipelines: readonly { config: unknown }[] = (await client.get('/v1/pipelines')).body;
      assert.equal(
        pipelines.map(({ config }) => config),
        [{ name: 'by hand', description: '' }],
      );
    });
    assert.is(logged.filter(({ level }) => level === 'error').length, 2);
  });
});

test.run();
