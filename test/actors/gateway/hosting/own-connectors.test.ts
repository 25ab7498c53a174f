// Connectors as a server has them, those of modules of its folder among them: what a pause does not wait for, what they are told when a pipeline is
// deleted or they are renamed, and what is shown of their errors.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CliProcess, secondsOfFileMax } from '../../../cli/cli-process.ts';
import { pollPause } from '../../../poll-pause.ts';

const own = suite('own connectors of a server');
const folder = mkdtempSync(join(tmpdir(), 'millrace-own-'));
const sdk = new URL('../../../../connector.js', import.meta.url).href;
mkdirSync(join(folder, 'modules'));
writeFileSync(
  join(folder, 'modules', 'gate.mjs'),
  `import { appendFileSync, existsSync } from 'node:fs';
   import { defineDestination } from '${sdk}';
   // Its flush waits until there is a file.
   export const gate = defineDestination({
     name: 'gate', summary: 'A gate.', format: 'required',
     parameters: [{ name: 'file', type: { kind: 'string' }, required: true, description: 'The file.' }],
     create: ({ file }, { endpoint, pipeline, clock }) => ({
       open: async () => {},
       write: async () => {},
       flush: async () => {
         while (!existsSync(file)) await new Promise((resolve) => clock.after(10, resolve));
       },
       onCreated: async () => appendFileSync(file + '.told', 'created ' + pipeline + ' ' + endpoint + '\\n'),
       onDeleted: async () => appendFileSync(file + '.told', 'deleted ' + pipeline + ' ' + endpoint + '\\n'),
     }),
   });`,
);
writeFileSync(
  join(folder, 'modules', 'ledger.mjs'),
  `import { appendFileSync, existsSync } from 'node:fs';
   import { defineDestination } from '${sdk}';
   // Delivers exactly once, and notes what it is told.
   export const ledger = defineDestination({
     name: 'ledger', summary: 'A ledger.', format: 'required', isExactlyOnce: () => true,
     parameters: [{ name: 'file', type: { kind: 'string' }, required: true, description: 'The file.' }],
     create: ({ file }, { endpoint, relation }) => {
       const note = (what) => appendFileSync(file, what + ' ' + endpoint + '\\n');
       return {
         open: async () => {}, write: async () => {}, flush: async () => {},
         prepare: async (checkpoint) => {
           note('prepare ' + checkpoint);
           return { of: checkpoint };
         },
         commit: async () => {},
         recover: async (checkpoint, noted) => {
           if (checkpoint !== null && noted.of !== checkpoint) throw new Error('its note is lost');
           if (existsSync(file + '.away')) throw new Error('the ledger is away');
           note('recover ' + checkpoint + ' ' + relation.schema.fields.map(({ name }) => name));
         },
         onDeleted: async () => note('deleted'),
       };
     },
   });`,
);
const serve = new CliProcess(['serve', '--port', '0', '--data', 'data', '--connectors', 'modules'], {
  folder,
  secondsMax: secondsOfFileMax,
});
await serve.until((out) => /http:\S+/.test(out));
const url = /http:\S+/.exec(serve.out)?.[0] ?? '';
own.after(async () => {
  serve.kill('SIGTERM');
  await serve.exit;
  rmSync(folder, { recursive: true, force: true });
});

async function call(method: string, path: string, body?: object | string): Promise<string> {
  const isText = typeof body === 'string';
  const headers = { 'content-type': isText ? 'text/plain' : 'application/json' };
  const given = body === undefined ? {} : { headers, body: isText ? body : JSON.stringify(body) };
  const response = await fetch(`${url}/v0/pipelines/${path}`, { method, ...given });
  const text = await response.text();
  assert.ok(response.ok, `${method} ${path}: ${response.status} ${text}`);
  return text;
}

async function shows(name: string, status: string): Promise<void> {
  for (;;) {
    const { deployment_status, program_status, storage_status } = JSON.parse(
      await call('GET', `${name}?selector=status`),
    );
    if ([deployment_status, program_status, storage_status].includes(status)) return;
    await pollPause();
  }
}

own(
  'a pause is answered while a checkpoint waits for an output, and the checkpoint is stored when that gets on',
  async () => {
    const file = join(folder, 'open');
    const connectors = JSON.stringify([
      { name: 'c', transport: { name: 'gate', config: { file } }, format: { name: 'csv' } },
    ]);
    const program = `CREATE TABLE t (x BIGINT); CREATE VIEW v WITH ('connectors' = '${connectors}') AS SELECT x FROM t;`;
    const runtime = { fault_tolerance: { model: 'at_least_once', checkpoint_interval_secs: 3600 } };
    await call('PUT', 'gated', { name: 'gated', program_code: program, runtime_config: runtime });
    await shows('gated', 'Success');
    await call('POST', 'gated/start');
    await shows('gated', 'Running');
    await call('POST', 'gated/ingress/t?format=csv', '1\n');
    while (JSON.parse(await call('GET', 'gated/stats')).global_metrics.total_processed_records < 1) await pollPause();
    await call('POST', 'gated/checkpoint');
    await call('POST', 'gated/pause');
    await shows('gated', 'Paused');
    const status = (): Promise<{ success: number | null; failure: unknown }> =>
      call('GET', 'gated/checkpoint_status').then((text) => JSON.parse(text));
    assert.equal(await status(), { success: null, failure: null });
    await call('POST', 'gated/resume');
    await call('POST', 'gated/pause');
    writeFileSync(file, '');
    while ((await status()).success === null) await pollPause();
    assert.is((await status()).failure, null);
  },
);

own('a connector of a module is told when its pipeline is deleted', async () => {
  const told = join(folder, 'open.told');
  assert.is(readFileSync(told, 'utf8'), 'created gated v.c\n');
  await call('POST', 'gated/stop?force=true');
  await shows('gated', 'Stopped');
  await call('POST', 'gated/clear');
  await shows('gated', 'Cleared');
  await call('DELETE', 'gated');
  while (!readFileSync(told, 'utf8').includes('deleted')) await pollPause();
  assert.is(readFileSync(told, 'utf8'), 'created gated v.c\ndeleted gated v.c\n');
  assert.ok(existsSync(told));
});

own(
  'an output that delivers exactly once and is renamed delivers first what it was prepared for, or the start fails',
  async () => {
    const file = join(folder, 'ledger');
    const notes = (): readonly string[] => readFileSync(file, 'utf8').trim().split('\n');
    const program = (name: string): string => {
      const connectors = JSON.stringify([
        { name, transport: { name: 'ledger', config: { file } }, format: { name: 'csv' } },
      ]);
      return `CREATE TABLE t (x BIGINT); CREATE VIEW v WITH ('connectors' = '${connectors}') AS SELECT x AS y FROM t;`;
    };
    const runtime = { fault_tolerance: { model: 'at_least_once', checkpoint_interval_secs: 3600 } };
    await call('PUT', 'exact', { name: 'exact', program_code: program('old'), runtime_config: runtime });
    await shows('exact', 'Success');
    await call('POST', 'exact/start');
    await shows('exact', 'Running');
    await call('POST', 'exact/ingress/t?format=csv', '1\n');
    while (!notes().some((note) => note.startsWith('prepare'))) await pollPause();
    const status = (): Promise<{ success: number | null }> =>
      call('GET', 'exact/checkpoint_status').then((text) => JSON.parse(text));
    while ((await status()).success === null) await pollPause();
    await call('POST', 'exact/stop?force=true');
    await shows('exact', 'Stopped');
    await call('PATCH', 'exact', { program_code: program('new') });
    await shows('exact', 'Success');
    writeFileSync(`${file}.away`, '');
    await call('POST', 'exact/start?bootstrap_policy=allow');
    while (!(await call('GET', 'exact')).includes('checkpoint.output_gone')) await pollPause();
    assert.match(await call('GET', 'exact'), 'the ledger is away');
    await shows('exact', 'Stopped');
    rmSync(`${file}.away`);
    assert.not.match(notes().join(' '), 'deleted');
    await call('POST', 'exact/dismiss_error');
    await call('POST', 'exact/start?bootstrap_policy=allow');
    await shows('exact', 'Running');
    const prepared =
      notes()
        .filter((note) => note.startsWith('prepare'))
        .at(-1) ?? '';
    const [, checkpoint = ''] = prepared.split(' ');
    const rest = notes().slice(notes().lastIndexOf(prepared) + 1);
    assert.equal(rest.slice(0, 3), [`recover ${checkpoint} y v.old`, 'deleted v.old', 'recover null y v.new']);
    await call('POST', 'exact/stop?force=true');
    await shows('exact', 'Stopped');
  },
);

own(
  'what goes wrong with a connector moves its counter, and its latest errors are listed where they are asked for',
  async () => {
    const lines = Array.from({ length: 103 }, (_, i) => `{"insert":{"x":${i < 102 ? `"bad ${i}"` : 1}}}\n`);
    writeFileSync(join(folder, 'bad.json'), lines.join(''));
    const connector = (name: string, transport: string, file: string): object => {
      return { name, transport: { name: transport, config: { path: join(folder, file) } }, format: { name: 'json' } };
    };
    const inputs = [connector('bad', 'file_input', 'bad.json'), connector('none', 'file_input', 'nowhere.json')];
    const outputs = [connector('good', 'file_output', 'out.json'), connector('none', 'file_output', 'no/folder.json')];
    const program = `CREATE TABLE t (x BIGINT) WITH ('connectors' = '${JSON.stringify(inputs)}');
    CREATE VIEW v WITH ('connectors' = '${JSON.stringify(outputs)}') AS SELECT x, CAST(x AS DOUBLE) / 0e0 AS d FROM t;`;
    await call('PUT', 'faulty', { name: 'faulty', program_code: program, runtime_config: {} });
    await shows('faulty', 'Success');
    await call('POST', 'faulty/start');
    await shows('faulty', 'Running');
    type Endpoint = Readonly<Record<string, unknown>> & { readonly metrics: Readonly<Record<string, number>> };
    const stats = async (query: string): Promise<readonly (Endpoint | undefined)[]> => {
      const reply = JSON.parse(await call('GET', `faulty/stats${query}`));
      const all: readonly Endpoint[] = [...reply.inputs, ...reply.outputs];
      return ['t.bad', 't.none', 'v.good', 'v.none'].map((name) => all.find((each) => each['endpoint_name'] === name));
    };
    const counters = (endpoints: readonly (Endpoint | undefined)[]): string =>
      JSON.stringify(
        endpoints.map((each) => {
          const {
            num_parse_errors: parse,
            num_encode_errors: encode,
            num_transport_errors: transport,
          } = each?.metrics ?? {};
          return [parse ?? encode, transport];
        }),
      );
    while (counters(await stats('')) !== '[[102,0],[0,1],[1,0],[0,1]]') await pollPause();
    const [plain] = await stats('');
    assert.not.ok('parse_errors' in (plain ?? {}));
    const [bad, , good] = await stats('?include_connector_errors=true');
    const errors = Object(bad).parse_errors;
    assert.equal([errors.length, errors[0].index, errors[99].index], [100, 2, 101]);
    assert.match(errors[99].message, 'record 102: column x: "bad 101" is no BIGINT');
    assert.is(Object(good).encode_errors.length, 1);
    const metrics = await call('GET', 'faulty/metrics');
    assert.match(metrics, /^input_connector_errors_parse_total\{.*endpoint="t.bad"\} 102$/m);
    assert.match(metrics, /^output_connector_errors_transport_total\{.*endpoint="v.none"\} 1$/m);
    await call('POST', 'faulty/stop?force=true');
    await shows('faulty', 'Stopped');
  },
);

own.run();
