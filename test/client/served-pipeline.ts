// A server with one pipeline behind a network that can be cut, for the tests of the client.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startTestServer, type TestServer } from '../actors/gateway/server/test-server.ts';
import { type CutProxy, startCutProxy } from '../servers/cut-proxy.ts';

export const program = `
CREATE TABLE orders (id BIGINT NOT NULL PRIMARY KEY, customer VARCHAR, amount DECIMAL(12, 2));
CREATE MATERIALIZED VIEW totals AS SELECT customer, COUNT(*) AS n, SUM(amount) AS total FROM orders GROUP BY customer;
CREATE VIEW large AS SELECT id, customer FROM orders WHERE amount > 100;
CREATE MATERIALIZED VIEW customers AS SELECT customer FROM orders;
`;

export interface ServedPipeline {
  readonly proxy: CutProxy;
  /** Another server process's worth of state: the old server closes, a new one opens the same folder. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

export async function servePipeline(name: string): Promise<ServedPipeline> {
  const dataFolder = mkdtempSync(join(tmpdir(), 'millrace-client-'));
  const proxy = await startCutProxy();
  const start = async (): Promise<TestServer> => {
    const started = await startTestServer({ dataFolder, corsOrigins: ['*'] });
    proxy.target(started.url);
    return started;
  };
  let server = await start();
  const created = await fetch(`${server.url}/v0/pipelines/${name}`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ name, description: '', program_code: program, program_config: {}, runtime_config: {} }),
  });
  if (!created.ok) throw new Error(`the pipeline was not created: ${await created.text()}`);
  return {
    proxy,
    restart: async () => {
      await server.close();
      server = await start();
    },
    close: async () => {
      await proxy.close();
      await server.close();
      rmSync(dataFolder, { recursive: true, force: true });
    },
  };
}

/** Resolves when the condition holds. */
export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let i = 0; i < 5_000; i++) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`never came true: ${what}`);
}
