// `millrace run --data`: a run goes on where the last one ended, gracefully or by kill -9; a source hears only of what is safe.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

const main = fileURLToPath(new URL('../../main.js', import.meta.url));
const entry = pathToFileURL(fileURLToPath(new URL('../../connector.js', import.meta.url))).href;
/**
 * Counts up, one row a payload, to `until`, and no further than the number in the file `hold` while there is one; writes down where it
 * was opened and what it was acknowledged for.
 */
const counter = `import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import { BatchBuilder, defineSource, wait } from '${entry}';
const isHeld = (n) => existsSync('hold') && n > Number(readFileSync('hold', 'utf8'));
const note = (text) => appendFileSync('calls', text + '\\n');
export const counter = defineSource({
  name: 'counter',
  summary: 'Counts.',
  format: 'none',
  parameters: [
    { name: 'until', type: { kind: 'integer' }, required: true, description: 'Last number.' },
    { name: 'pause_ms', type: { kind: 'integer' }, required: true, description: 'Between two.' },
  ],
  create: ({ until, pause_ms }, { relation, signal, clock }) => {
    let next = 1;
    return {
      open: async (position) => {
        next = (position?.n ?? 0) + 1;
        note('open ' + next);
      },
      async *read() {
        for (; next <= until; next++) {
          while (isHeld(next) && !signal.aborted) await wait(clock, 5, signal);
          if (signal.aborted) return;
          const builder = new BatchBuilder(relation.schema);
          builder.reserve(1);
          builder.columns[0].values[0] = BigInt(next);
          builder.commitRow();
          yield { kind: 'batch', batch: builder.finish(), position: { n: next } };
          await wait(clock, pause_ms, signal);
        }
      },
      ack: ({ n }) => note('ack ' + n),
      onCreated: async () => note('created'),
      onUpdated: async (before, after) => note('updated ' + before.pause_ms + ' ' + after.pause_ms),
      onDeleted: async () => note('deleted'),
    };
  },
});
`;
const pipeline = (until: number, pauseMs: number, input = 'c'): string => `connector_modules: [./counter.mjs]
program: |
  CREATE TABLE t (n BIGINT);
  CREATE MATERIALIZED VIEW total AS SELECT COUNT(*) AS c, SUM(n) AS s, COUNT(DISTINCT n) AS d FROM t;
inputs:
  ${input}: { stream: t, transport: { name: counter, config: { until: ${until}, pause_ms: ${pauseMs} } } }
`;

const run = suite<{ folder: string }>('run --data');
run.before.each((context) => {
  Object.assign(context, { folder: mkdtempSync(join(tmpdir(), 'millrace-run-data-')) });
  writeFileSync(join(context.folder, 'counter.mjs'), counter);
});
run.after.each(({ folder }) => rmSync(folder, { recursive: true, force: true }));

function start(folder: string): ChildProcess {
  return spawn(process.execPath, [main, 'run', 'p.yaml', '--data', 'data', '--json'], { cwd: folder, stdio: 'pipe' });
}

async function ended(
  child: ChildProcess,
): Promise<{ code: number | null; rows: Record<string, unknown>[]; text: string }> {
  let text = '';
  child.stdout?.on('data', (chunk: Buffer) => void (text += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => void (text += chunk.toString()));
  const [code] = await once(child, 'close');
  const summary = text.split('\n').find((line) => line.includes('"event":"summary"'));
  const views: readonly { rows: Record<string, unknown>[] }[] = JSON.parse(summary ?? '{"views":[]}').views;
  return { code, rows: views[0]?.rows ?? [], text };
}

function calls(folder: string): string[] {
  const file = join(folder, 'calls');
  return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
}

/** How far the source was acknowledged, as it noted last. */
function lastAcknowledged(folder: string): number {
  return Number(
    calls(folder)
      .findLast((call) => call.startsWith('ack'))
      ?.slice(4),
  );
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 10));
}

run(
  'kill -9 and two more runs count every number once; the source goes on behind what it was acknowledged for',
  async ({ folder }) => {
    writeFileSync(join(folder, 'p.yaml'), pipeline(400, 1));
    writeFileSync(join(folder, 'hold'), '100');
    const first = start(folder);
    await until(() => calls(folder).some((call) => call.startsWith('ack')));
    first.kill('SIGKILL');
    await ended(first);
    const acknowledged = lastAcknowledged(folder);
    writeFileSync(join(folder, 'hold'), '300');
    appendFileSync(join(folder, 'calls'), 'second\n');
    const second = start(folder);
    await until(
      () => calls(folder).lastIndexOf('second') < calls(folder).findLastIndex((call) => call.startsWith('ack')),
    );
    second.kill('SIGINT');
    assert.is((await ended(second)).code, 0);
    rmSync(join(folder, 'hold'));
    appendFileSync(join(folder, 'calls'), 'third\n');
    const third = await ended(start(folder));
    assert.is(third.code, 0, third.text);
    assert.equal(third.rows, [{ c: 400, s: 80_200, d: 400 }]);
    const all = calls(folder);
    const opened = all.filter((call) => call.startsWith('open')).map((call) => Number(call.slice(5)));
    assert.is(opened.length, 3);
    assert.ok((opened[1] ?? 0) > acknowledged, `${opened} after ${acknowledged}`);
    assert.equal(all.filter((call) => call === 'created').length, 1);
  },
);

run('what a checkpoint holds has left every output, one that buffers too', async ({ folder }) => {
  const output = `  o:
    stream: v
    transport: { name: file_output, config: { path: out.csv, mode: append } }
    format: { name: csv }
    enable_output_buffer: true
    max_output_buffer_time_millis: 3600000
`;
  const program = pipeline(100_000, 1).replace('inputs:', '  CREATE VIEW v AS SELECT n FROM t;\ninputs:');
  writeFileSync(join(folder, 'p.yaml'), `${program}outputs:\n${output}`);
  const first = start(folder);
  await until(() => calls(folder).some((call) => call.startsWith('ack')));
  first.kill('SIGKILL');
  await ended(first);
  const acknowledged = lastAcknowledged(folder);
  const written = readFileSync(join(folder, 'out.csv'), 'utf8').split('\n');
  assert.equal(
    Array.from({ length: acknowledged }, (_, i) => `${i + 1},1`).filter((line) => !written.includes(line)),
    [],
  );
});

run('a changed setting is an update, a connector that is gone is a deletion, each once', async ({ folder }) => {
  for (const [pauseMs, input] of [
    [20, 'c'],
    [20, 'c'],
    [30, 'c'],
    [30, 'other'],
  ] as const) {
    writeFileSync(join(folder, 'p.yaml'), pipeline(100_000, pauseMs, input));
    const before = calls(folder).length;
    const child = start(folder);
    await until(() =>
      calls(folder)
        .slice(before)
        .some((call) => call.startsWith('ack')),
    );
    child.kill('SIGTERM');
    const { code, text } = await ended(child);
    assert.is(code, 0, text);
  }
  const events = calls(folder).filter((call) => /created|updated|deleted/.test(call));
  assert.equal(events.sort(), ['created', 'created', 'deleted', 'updated 20 30']);
});

run('a folder that holds a run of another program is refused', async ({ folder }) => {
  writeFileSync(join(folder, 'p.yaml'), pipeline(3, 1));
  assert.is((await ended(start(folder))).code, 0);
  writeFileSync(join(folder, 'p.yaml'), pipeline(3, 1).replace('SUM(n)', 'MAX(n)'));
  const { code, text } = await ended(start(folder));
  assert.is(code, 1);
  assert.match(text, /checkpoint/);
});

run(
  'a disk that takes no more is named, what was stored before stays, and the next run has room',
  async ({ folder }) => {
    if (process.platform === 'win32') return;
    const text = `program: |
  CREATE TABLE t (a BIGINT NOT NULL PRIMARY KEY, b BIGINT);
  CREATE MATERIALIZED VIEW v AS SELECT COUNT(*) AS n FROM t;
inputs:
  i: { stream: t, transport: { name: datagen, config: { plan: [{ limit: 50000 }] } } }
`;
    writeFileSync(join(folder, 'big.yaml'), text);
    const command = [process.execPath, main, 'run', 'big.yaml', '--data', 'd'];
    const ended = async (limit: string): Promise<readonly [code: number, err: string]> => {
      // No file of the process may become larger: what a full disk is to the store.
      const child = spawn('sh', ['-c', `${limit} exec "$0" "$@"`, ...command], {
        cwd: folder,
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      let err = '';
      child.stderr?.setEncoding('utf8').on('data', (part: string) => {
        err += part;
      });
      const [code] = await once(child, 'close');
      return [code, err];
    };
    const [code, err] = await ended('ulimit -f 2000;');
    assert.is(code, 1, err);
    assert.match(
      err,
      /error store\.write_failed: .*store\.lmdb cannot be written: .*; \d+ bytes of its disk are free\n/,
    );
    assert.not.match(err, 'This is a defect');
    assert.equal((await ended(''))[0], 0);
  },
);

run.run();
