// A pipeline that writes a file and objects of S3 exactly once is killed (kill -9) at moments that are chosen by what it asks of the server: file and
// objects hold each row once in the end, and whoever looks in between sees a beginning of it.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GetObjectCommand, ListMultipartUploadsCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { CliProcess } from '../cli/cli-process.ts';
import { pollPause } from '../poll-pause.ts';
import { startRequestGate } from '../servers/request-gate.ts';
import { s3Access, startS3Server } from '../servers/s3-server.ts';
import { counterModule } from './counter-module.ts';
import { killRun, startRun, storedCheckpoints } from './killed-run.ts';

/** Runs more, and kills them at any time. */
const isLong = process.env['MILLRACE_LONG'] === '1';

const kills = suite('files and objects exactly once through kill -9');
const server = await startS3Server(['out']);
if ('missing' in server) {
  console.log(`skipped: files and objects exactly once through kill -9: ${server.missing}`);
  kills('is not tried here', () => {});
} else {
  const { client } = server;
  const gate = await startRequestGate(server.url);
  const folder = mkdtempSync(join(tmpdir(), 'millrace-exact-'));
  kills.after(async () => {
    await gate.close();
    await server.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const start = (): CliProcess => startRun(folder);
  const acks = (): number => storedCheckpoints(folder);
  const inFile = (): string =>
    existsSync(join(folder, 'bag.csv')) ? readFileSync(join(folder, 'bag.csv'), 'utf8') : '';
  const inObjects = async (): Promise<string> => {
    let all = '';
    let page = await client.send(new ListObjectsV2Command({ Bucket: 'out' }));
    for (;;) {
      const bodies = (page.Contents ?? []).map(async ({ Key }) =>
        (await client.send(new GetObjectCommand({ Bucket: 'out', Key }))).Body?.transformToString(),
      );
      all += (await Promise.all(bodies)).join('');
      if (page.NextContinuationToken === undefined) return all;
      page = await client.send(
        new ListObjectsV2Command({ Bucket: 'out', ContinuationToken: page.NextContinuationToken }),
      );
    }
  };
  /** Each is what the source has given up to some number; it never goes back. A file may end in a line that is not whole yet. */
  const seen = { file: 0, objects: 0 };
  const look = async (): Promise<void> => {
    for (const [where, text] of [
      ['file', inFile()],
      ['objects', await inObjects()],
    ] as const) {
      const numbers = text
        .slice(0, text.lastIndexOf('\n') + 1)
        .split('\n')
        .slice(0, -1)
        .map((line) => Number(line.replace(/,1$/, '')));
      assert.equal(
        [...new Set(numbers)].sort((a, b) => a - b),
        numbers.map((_, i) => i + 1),
        where,
      );
      assert.is(new Set(numbers).size, numbers.length, where);
      assert.ok(numbers.length >= seen[where], `${where}: ${numbers.length} rows after ${seen[where]}`);
      seen[where] = numbers.length;
    }
  };

  kills('each row comes once, at whatever moment the process dies', async () => {
    const output = (name: string, config: object): object => ({
      stream: 'bag',
      transport: { name, config: { delivery: 'exactly_once', ...config } },
      format: { name: 'csv' },
      enable_output_buffer: false,
    });
    const definition = {
      name: 'exact',
      connector_modules: ['./counter.mjs'],
      program: 'CREATE TABLE t (n BIGINT); CREATE VIEW bag AS SELECT n FROM t;',
      inputs: { counter: { stream: 't', transport: { name: 'counter', config: {} } } },
      outputs: {
        file: output('file_output', { path: 'bag.csv' }),
        objects: output('s3_output', { ...s3Access, bucket_name: 'out', endpoint_url: gate.url }),
      },
    };
    writeFileSync(join(folder, 'counter.mjs'), counterModule);
    writeFileSync(join(folder, 'p.yaml'), JSON.stringify(definition));
    const begin = /^POST \S*[?&]uploads/;
    const part = /^PUT \S*[?&]partNumber=/;
    const complete = /^POST \S*[?&]uploadId=/;

    let stopped: Promise<void>;
    let run: CliProcess;
    if (isLong) {
      // Before there is any checkpoint: an object has been begun, and not written.
      stopped = gate.stopAt(part, 'asked');
      run = start();
      await stopped;
      await killRun(run);
      await look();
      assert.equal(seen, { file: 0, objects: 0 });
    }

    // A checkpoint is stored, and its objects are not completed: by the run that has stored it, and by the one behind it.
    for (let n = 0; n < (isLong ? 2 : 1); n++) {
      stopped = gate.stopAt(complete, n === 0 ? 'asked' : 'answered');
      run = start();
      await stopped;
      while (n === 0 && acks() === 0) await pollPause();
      await killRun(run);
      await look();
    }

    // Behind a stored checkpoint: one of the next objects is begun, written, or completed, and nobody has heard of it.
    for (const request of isLong ? [begin, part, complete] : [part]) {
      run = start();
      while (acks() === 0) await pollPause();
      await gate.stopAt(request, 'answered');
      await killRun(run);
      await look();
    }

    for (let n = 0; n < (isLong ? 30 : 0); n++) {
      run = start();
      const until = seen.file + 1 + Math.floor(Math.random() * 4_000);
      while (inFile().split('\n').length <= until) await pollPause();
      await killRun(run);
      await look();
    }

    const last = Math.max(seen.file, seen.objects) + 200;
    writeFileSync(join(folder, 'last'), String(last));
    const { code, err } = await start().exit;
    assert.is(code, 0, err);
    await look();
    assert.equal(seen, { file: last, objects: last });
    assert.equal(
      readdirSync(folder).filter((name) => name.startsWith('bag.csv.')),
      [],
    );
    assert.equal((await client.send(new ListMultipartUploadsCommand({ Bucket: 'out' }))).Uploads ?? [], []);
  });
}

kills.run();
