// What statistics say of outputs that hold something back: queues, buffers, the time that steps wait, and each output's own progress.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { pollPause } from '../../../poll-pause.ts';
import { startTestServer, type TestServer } from '../server/test-server.ts';

const entry = pathToFileURL(fileURLToPath(new URL('../../../../connector.js', import.meta.url))).href;
/** Writes nothing before a file is there. */
const gate = `import { existsSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { defineDestination } from '${entry}';
export const gate = defineDestination({
  name: 'gate',
  summary: 'Waits for a file.',
  format: 'required',
  parameters: [{ name: 'file', type: { kind: 'string' }, required: true, description: 'File.' }],
  create: ({ file }, { signal }) => ({
    open: async () => {},
    write: async () => {
      while (!existsSync(file) && !signal.aborted) await setTimeout(5);
    },
  }),
});
`;

interface Output {
  readonly endpoint_name: string;
  readonly metrics: Readonly<Record<string, number>>;
}

interface Stats {
  readonly global_metrics: Readonly<Record<string, number>>;
  readonly outputs: readonly Output[];
}

let folder: string;
let server: TestServer;

test.before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-gate-'));
  writeFileSync(join(folder, 'gate.mjs'), gate);
  server = await startTestServer({ modulesFolder: folder });
});
test.after(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

async function call(method: string, path: string, body?: unknown): Promise<unknown> {
  const init = body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) };
  const response = await fetch(`${server.url}/v0/pipelines${path}`, { method, ...init });
  const text = await response.text();
  assert.ok(response.ok, text);
  return text.startsWith('{') ? JSON.parse(text) : text;
}

async function statsWhere(isWanted: (stats: Stats) => boolean): Promise<Stats> {
  for (;;) {
    // SAFETY: the shape is held against the schema of the document elsewhere.
    const stats = (await call('GET', '/p/stats')) as Stats;
    if (isWanted(stats)) return stats;
    await pollPause();
  }
}

const metricsOf = (stats: Stats, endpoint: string) =>
  stats.outputs.find(({ endpoint_name: name }) => name === endpoint)?.metrics ?? {};

test('queues, buffers and stalls of outputs are counted as they are', async () => {
  const file = join(folder, 'open');
  const format = { name: 'json' };
  const held = { name: 'gate', transport: { name: 'gate', config: { file } }, format, max_queued_records: 10 };
  const buffer = { enable_output_buffer: true, max_output_buffer_size_records: 1_000 };
  const kept = { name: 'kept', transport: { name: 'null_output' }, format, ...buffer };
  const program_code = `CREATE TABLE t (x INT);
    CREATE VIEW held WITH ('connectors' = '${JSON.stringify([held])}') AS SELECT x FROM t;
    CREATE VIEW kept WITH ('connectors' = '${JSON.stringify([kept])}') AS SELECT x FROM t;`;
  await call('PUT', '/p', { name: 'p', program_code });
  await call('POST', '/p/start');
  await statsWhereDeployed();
  const push = (rows: number): Promise<unknown> =>
    call('POST', '/p/ingress/t?format=json&update_format=raw', '{"x": 1}\n'.repeat(rows));
  // The first is taken, and being written; two more fill the queue; with the fourth a step waits.
  for (const [rows, processed] of [
    [5, 5],
    [8, 13],
    [8, 21],
  ] as const) {
    await push(rows);
    await statsWhere(
      (stats) =>
        stats.global_metrics['total_processed_records'] === processed &&
        metricsOf(stats, 'held.gate')['queued_records'] === processed - 5,
    );
  }
  await push(8);
  const full = await statsWhere(
    (stats) =>
      (stats.global_metrics['output_stall_msecs'] ?? 0) > 0 && metricsOf(stats, 'kept.kept')['buffered_records'] === 21,
  );
  assert.is(full.global_metrics['total_processed_records'], 21);
  const waiting = metricsOf(full, 'held.gate');
  assert.is(waiting['queued_records'], 16);
  assert.is(waiting['queued_batches'], 2);
  assert.ok((waiting['memory'] ?? 0) > 0);
  assert.is(waiting['total_processed_input_records'], 0);
  const gathered = metricsOf(full, 'kept.kept');
  assert.is(gathered['buffered_batches'], 3);
  assert.is(gathered['queued_records'], 0);
  assert.ok((gathered['memory'] ?? 0) > 0);
  writeFileSync(file, '');
  const through = await statsWhere(
    (stats) =>
      metricsOf(stats, 'held.gate')['total_processed_input_records'] === 29 &&
      metricsOf(stats, 'kept.kept')['buffered_records'] === 29 &&
      stats.global_metrics['output_stall_msecs'] === 0,
  );
  assert.is(metricsOf(through, 'held.gate')['queued_records'], 0);
  assert.is(metricsOf(through, 'held.gate')['queued_batches'], 0);
  assert.is(metricsOf(through, 'kept.kept')['total_processed_input_records'], 0);
  const text = String(await call('GET', '/p/metrics'));
  assert.match(text, /^output_connector_buffered_records\{pipeline="p",endpoint="kept\.kept"\} 29$/m);
  assert.match(text, /^output_connector_records_total\{pipeline="p",endpoint="held\.gate"\} 29$/m);
});

async function statsWhereDeployed(): Promise<void> {
  for (;;) {
    const shown = Object(await call('GET', '/p?selector=status'));
    assert.is(shown.deployment_error, null);
    if (shown.deployment_status === 'Running') return;
    await pollPause();
  }
}

test('what has ended an output is told with its code and with what to do', async () => {
  const config = { path: join(folder, 'no', 'such', 'folder', 'out.json') };
  const broken = { name: 'broken', transport: { name: 'file_output', config }, format: { name: 'json' } };
  const program_code = `CREATE TABLE t (x INT);
    CREATE VIEW v WITH ('connectors' = '${JSON.stringify([broken])}') AS SELECT x FROM t;`;
  await call('PUT', '/broken', { name: 'broken', program_code });
  await call('POST', '/broken/start');
  let told: unknown = null;
  while (typeof told !== 'string') {
    await pollPause();
    const response = await fetch(`${server.url}/v0/pipelines/broken/stats`);
    if (response.ok) told = Object(await response.json()).outputs[0].fatal_error;
    else await response.text();
  }
  assert.match(told, 'there is no folder');
  assert.match(told, /\(file\.[a-z_]+: [A-Z].+\)$/);
  await call('POST', '/broken/stop?force=true');
});

test.run();
