// file_output with exactly-once delivery, as the runtime calls it: what is seen when, and what a process that died leaves for the next one.
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { fileOutput } from '../../../connectors/file/destination.ts';
import type { CheckpointNote, Destination } from '../../../connectors/sdk/destination.ts';
import { bigint, codeOf, contextFor, relationOf } from '../connector-context.ts';

const exact = suite<{ folder: string }>('file_output, exactly once');
exact.before.each((context) => {
  Object.assign(context, { folder: mkdtempSync(join(tmpdir(), 'millrace-exact-file-')) });
});
/** Those that die are closed when nobody uses what they leave any more. */
const made: Destination[] = [];
exact.after.each(async () => {
  for (const destination of made.splice(0)) await destination.teardown?.();
});
exact.after.each(({ folder }) => rmSync(folder, { recursive: true, force: true }));

type Recovered = readonly [checkpoint: string, note: CheckpointNote];

async function opened(folder: string, from: Recovered | null, given: object = {}): Promise<Destination> {
  const configuration = { path: 'out', mode: 'replace', delivery: 'exactly_once', ...given };
  const destination = fileOutput.create(configuration, contextFor(relationOf({ n: bigint }), folder));
  made.push(destination);
  await destination.open();
  // As it comes back from the store.
  await destination.recover?.(from?.[0] ?? null, from === null ? null : JSON.parse(JSON.stringify(from[1])));
  return destination;
}

async function write(destination: Destination, text: string): Promise<void> {
  await destination.write({ kind: 'bytes', bytes: new TextEncoder().encode(text), records: 1 });
  await destination.flush?.();
}

async function prepare(destination: Destination, checkpoint: string): Promise<Recovered> {
  const note = await destination.prepare?.(checkpoint);
  if (typeof note !== 'object') throw new Error('nothing was noted');
  return [checkpoint, note];
}

const shown = (folder: string): string => readFileSync(join(folder, 'out'), 'utf8');
const waiting = (folder: string): readonly string[] => readdirSync(folder).filter((name) => name !== 'out');

exact('rows are seen with the checkpoint that holds them, and not before', async ({ folder }) => {
  const destination = await opened(folder, null);
  await write(destination, 'a');
  await write(destination, 'b');
  await prepare(destination, 'c1');
  await write(destination, 'c');
  assert.is(shown(folder), '');
  await destination.commit?.('c1');
  assert.is(shown(folder), 'ab');
  await prepare(destination, 'c2');
  await destination.commit?.('c2');
  await prepare(destination, 'c3');
  await destination.commit?.('c3');
  assert.is(shown(folder), 'abc');
  await destination.teardown?.();
  assert.equal(waiting(folder), []);
});

exact(
  'a checkpoint that was not stored is part of the next one, also where that is prepared before a commit',
  async ({ folder }) => {
    const first = await opened(folder, null);
    await write(first, 'a');
    await prepare(first, 'c1');
    await write(first, 'b');
    await prepare(first, 'c2');
    await write(first, 'c');
    const c3 = await prepare(first, 'c3');
    await first.commit?.('c2');
    assert.is(shown(folder), 'ab');
    // It dies here.
    const second = await opened(folder, c3);
    assert.is(shown(folder), 'abc');
    await write(second, 'd');
    await prepare(second, 'c4');
    await second.commit?.('c4');
    assert.is(shown(folder), 'abcd');
    await second.teardown?.();
  },
);

exact('what died in front of its checkpoint is forgotten, and comes again', async ({ folder }) => {
  const first = await opened(folder, null);
  await write(first, 'a');
  const c1 = await prepare(first, 'c1');
  await first.commit?.('c1');
  await write(first, 'b');
  await prepare(first, 'never stored');
  await write(first, 'x');
  const second = await opened(folder, c1);
  assert.equal([shown(folder), waiting(folder)], ['a', []]);
  await write(second, 'bx');
  await prepare(second, 'c2');
  await second.commit?.('c2');
  assert.is(shown(folder), 'abx');
  await second.teardown?.();
});

exact(
  'a commit that was cut short anywhere is finished by the next run, and by as many as there are',
  async ({ folder }) => {
    const first = await opened(folder, null);
    await write(first, 'ab');
    await prepare(first, 'c1');
    await write(first, 'cd');
    const c2 = await prepare(first, 'c2');
    const names = waiting(folder);
    const rows = names.map((name) => readFileSync(join(folder, name)));
    // How much of it had been written, and which of the waiting files had been removed.
    for (const [bytes, removed] of [
      [0, 0],
      [1, 0],
      [3, 0],
      [4, 0],
      [4, 1],
      [4, 2],
    ] as const) {
      writeFileSync(join(folder, 'out'), 'abcd'.slice(0, bytes));
      for (const [i, name] of names.entries()) if (i >= removed) writeFileSync(join(folder, name), rows[i] ?? '');
      for (let run = 0; run < 2; run++) {
        const next = await opened(folder, c2);
        assert.equal([shown(folder), waiting(folder)], ['abcd', []], `${bytes} bytes, ${removed} removed`);
        // What is prepared and never stored leaves nothing behind.
        await write(next, 'x');
        await prepare(next, 'never stored');
      }
    }
  },
);

exact(
  'a file that was changed while rows wait for it is left alone, and nothing is written to it',
  async ({ folder }) => {
    const first = await opened(folder, null);
    await write(first, 'abc');
    await prepare(first, 'c1');
    await first.commit?.('c1');
    await write(first, 'def');
    const c2 = await prepare(first, 'c2');
    for (const changed of ['ab', 'abcdefg', '']) {
      writeFileSync(join(folder, 'out'), changed);
      assert.is(await codeOf(() => opened(folder, c2)), 'file.output_diverged');
      assert.is(shown(folder), changed);
    }
    assert.is(await codeOf(() => opened(folder, c2, { path: 'elsewhere' })), 'file.output_diverged');
    writeFileSync(join(folder, 'out'), 'abcd');
    rmSync(join(folder, waiting(folder)[0] ?? ''));
    writeFileSync(join(folder, 'out'), 'abc');
    const second = await opened(folder, c2);
    await second.teardown?.();
  },
);

exact(
  'while nothing waits the file may be taken away, cut or written to: rows go on at its end',
  async ({ folder }) => {
    const first = await opened(folder, null);
    await write(first, 'abc');
    let from = await prepare(first, 'c1');
    await first.commit?.('c1');
    await first.teardown?.();
    const out = join(folder, 'out');
    const cases: [() => void, string][] = [
      [() => truncateSync(out, 0), 'n'],
      [() => appendFileSync(out, '+'), 'n+n'],
      [() => rmSync(out), 'n'],
    ];
    for (const [change, expected] of cases) {
      change();
      const next = await opened(folder, from);
      await write(next, 'n');
      from = await prepare(next, 'c');
      await next.commit?.('c');
      await next.teardown?.();
      assert.is(shown(folder), expected);
    }
    const elsewhere = await opened(folder, from, { path: 'elsewhere' });
    await elsewhere.teardown?.();
    assert.ok(existsSync(join(folder, 'elsewhere')));
  },
);

exact('a beginning follows the mode, and a note of another connector is none', async ({ folder }) => {
  writeFileSync(join(folder, 'out'), 'old');
  writeFileSync(join(folder, 'out.millrace-7'), 'rows of a run that is forgotten');
  assert.is(await codeOf(() => opened(folder, null, { mode: 'fail' })), 'file.exists');
  await (await opened(folder, null, { mode: 'append' })).teardown?.();
  assert.equal([shown(folder), waiting(folder)], ['old', []]);
  await (await opened(folder, ['c1', { uploads: [] }])).teardown?.();
  assert.is(shown(folder), '');
});

exact('what is no plain file is refused, and what waits goes with the connector', async ({ folder }) => {
  mkdirSync(join(folder, 'out'));
  assert.is(await codeOf(() => opened(folder, null)), 'file.is_directory');
  rmSync(join(folder, 'out'), { recursive: true });
  assert.is(await codeOf(() => opened(folder, null, { path: '/dev/null' })), 'file.not_plain');
  const destination = await opened(folder, null);
  await write(destination, 'a');
  await prepare(destination, 'c1');
  await destination.teardown?.();
  assert.equal(waiting(folder), ['out.millrace-1']);
  await fileOutput
    .create({ path: 'out', delivery: 'exactly_once' }, contextFor(relationOf({ n: bigint }), folder))
    .onDeleted?.({});
  assert.equal(waiting(folder), []);
});

exact.run();
