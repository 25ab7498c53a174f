// The process that reads a resource over a slow line is ended by a signal, killed (kill -9) and started again: it asks for what it does not
// have, and every row counts once.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CliProcess, secondsOfFileMax } from '../../cli/cli-process.ts';
import { pollPause } from '../../poll-pause.ts';
import { startCutProxy } from '../../servers/cut-proxy.ts';

const rows = 20_000;
const content = Buffer.from(Array.from({ length: rows }, (_, id) => `{"id":${id}}\n`).join(''));

test('what was read before a checkpoint is not asked for again, and nothing is lost or counted twice', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-url-'));
  const asked: number[] = [];
  /** So far it serves; what is asked for behind that waits. */
  let end = 0;
  const site = createServer((request, response) => {
    const start = Number(/^bytes=(\d+)-/.exec(request.headers.range ?? 'bytes=0-')?.[1]);
    asked.push(start);
    const range = `bytes ${start}-${content.length - 1}/${content.length}`;
    const headers = { 'content-range': range, 'content-length': content.length - start, etag: '"1"' };
    response.writeHead(206, headers).write(content.subarray(start, end));
    if (end === content.length) response.end();
  });
  await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve));
  // SAFETY: the server listens on TCP.
  const { port } = site.address() as AddressInfo;
  const proxy = await startCutProxy();
  proxy.target(`http://127.0.0.1:${port}`);
  proxy.slow(1_000_000);
  const definition = {
    program: `CREATE TABLE t (id BIGINT); CREATE VIEW v AS SELECT id FROM t;
      CREATE MATERIALIZED VIEW counted AS SELECT COUNT(*) AS c, COUNT(DISTINCT id) AS d FROM t;`,
    inputs: {
      i: {
        stream: 't',
        transport: { name: 'url_input', config: { path: `${proxy.url}/rows` } },
        format: { name: 'json', config: { update_format: 'raw' } },
      },
    },
    outputs: {
      o: { stream: 'v', transport: { name: 'file_output', config: { path: 'out.json' } }, format: { name: 'json' } },
    },
  };
  writeFileSync(join(folder, 'p.yaml'), JSON.stringify(definition));
  const out = join(folder, 'out.json');
  const start = (): CliProcess =>
    new CliProcess(['run', 'p.yaml', '--data', 'data', '--json'], { folder, secondsMax: secondsOfFileMax });
  /** Ends a run so when the file has the last row that is served. */
  const run = async (share: number, signal: NodeJS.Signals): Promise<void> => {
    end = content.indexOf(10, Math.floor(content.length * share)) + 1;
    rmSync(out, { force: true });
    const child = start();
    const last =
      content
        .subarray(0, end - 1)
        .toString()
        .split('\n')
        .at(-1) ?? '';
    while (!existsSync(out) || !readFileSync(out, 'utf8').includes(last)) await pollPause();
    child.kill(signal);
    await child.exit;
  };
  try {
    await run(0.3, 'SIGINT');
    const kept = end;
    await run(0.6, 'SIGKILL');
    end = content.length;
    const { out: printed, code } = await start().exit;
    assert.is(code, 0, printed);
    assert.match(printed, `"rows":[{"c":${rows},"d":${rows}}]`);
    // The one that was killed and the one behind it begin where the checkpoint is.
    assert.equal(asked, [0, kept, kept]);
  } finally {
    await proxy.close();
    site.closeAllConnections();
    await new Promise((resolve) => site.close(resolve));
    rmSync(folder, { recursive: true, force: true });
  }
});

test.run();
