// file_input against real files: reading, resuming, following, and what is wrong with a path.
import { appendFileSync, mkdirSync, mkdtempSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { fileInput } from '../../../connectors/file/source.ts';
import { conformance } from '../../../connectors/sdk/conformance.ts';
import { bigint, codeOf, contextFor, eagerClock, readBytes, relationOf } from '../connector-context.ts';

const folder = mkdtempSync(join(tmpdir(), 'millrace-file-source-'));
const relation = relationOf({ id: bigint });
const lines = Array.from({ length: 500 }, (_, i) => `{"id": ${i}}\n`).join('');
writeFileSync(join(folder, 'orders.json'), lines);

test.after(() => rmSync(folder, { recursive: true }));

const options = { configuration: { path: 'orders.json', buffer_size_bytes: 1000 }, relation, baseFolder: folder };
for (const { title, run } of conformance(fileInput, options)) test(title, run);

test('a chunk that is released is read into again, and the others stay as they are', async () => {
  for (const releases of [true, false]) {
    const source = fileInput.create({ path: 'orders.json', buffer_size_bytes: 1000 }, contextFor(relation, folder));
    await source.open(null);
    const buffers = new Set<ArrayBufferLike>();
    let text = '';
    let chunks = 0;
    const kept: Uint8Array[] = [];
    for await (const payload of source.read()) {
      if (payload.kind !== 'bytes') continue;
      text += Buffer.from(payload.bytes).toString();
      buffers.add(payload.bytes.buffer);
      chunks++;
      if (releases) payload.release?.();
      else kept.push(payload.bytes);
    }
    assert.is(text, lines);
    assert.is(Buffer.concat(kept).toString(), releases ? '' : lines);
    if (releases) assert.ok(buffers.size <= 3, `${buffers.size} of ${chunks}`);
    else assert.is(buffers.size, chunks);
    await source.teardown?.();
  }
});

test('a relative path starts at the folder of the pipeline, a file URL says it all', async () => {
  for (const path of ['orders.json', pathToFileURL(join(folder, 'orders.json')).href]) {
    const source = fileInput.create({ path }, contextFor(relation, folder));
    await source.open(null);
    assert.is(await readBytes(source), lines);
    assert.is(source.bytesTotal?.(), lines.length);
    await source.teardown?.();
  }
});

test('a wrong path is a coded error with the nearest name', async () => {
  const opened = async (path: string): Promise<string> => {
    const source = fileInput.create({ path }, contextFor(relation, folder));
    const code = await codeOf(() => source.open(null));
    // As the runtime does: teardown comes also after an open that failed, and releases what it had got hold of.
    await source.teardown?.();
    return code;
  };
  mkdirSync(join(folder, 'inner'), { recursive: true });
  assert.is(await opened('order.json'), 'file.not_found orders.json');
  assert.is(await opened('iner/orders.json'), 'file.not_found inner');
  assert.is(await opened('inner'), 'file.is_directory');
  assert.is(
    await codeOf(() => fileInput.create({ path: 'file://host/x' }, contextFor(relation, folder))),
    'config.invalid_value',
  );
});

test('a position behind the end of the file is refused', async () => {
  const source = fileInput.create({ path: 'orders.json' }, contextFor(relation, folder));
  assert.is(await codeOf(() => source.open({ offset: 1e6 })), 'file.shrunk');
  await source.teardown?.();
});

test('random access reads any range and stops at the end of the file', async () => {
  const context = contextFor(relation, folder);
  const source = fileInput.create({ path: 'orders.json' }, context);
  await source.open(null);
  const access = source.randomAccess?.();
  assert.is(access?.size, lines.length);
  assert.is(Buffer.from((await access?.read(10, 20, context.signal)) ?? []).toString(), lines.slice(10, 30));
  assert.is((await access?.read(lines.length - 5, 20, context.signal))?.length, 5);
  await source.teardown?.();
});

test('a followed file is read on when it grows, and from its start when it is cut or replaced', async () => {
  const path = join(folder, 'log.txt');
  writeFileSync(path, 'one\n');
  const context = contextFor(relation, folder, eagerClock());
  const source = fileInput.create({ path, follow: true }, context);
  await source.open(null);
  let text = '';
  let step = 0;
  const changes = [
    () => appendFileSync(path, 'two\n'),
    () => truncateSync(path, 0),
    () => appendFileSync(path, 'three\n'),
    () => {
      writeFileSync(join(folder, 'log.new'), 'four, in another file\n');
      renameSync(join(folder, 'log.new'), path);
    },
  ];
  let quiet = 0;
  for await (const payload of source.read()) {
    if (payload.kind === 'bytes') {
      quiet = 0;
      text += payload.endOfStream === true ? '|' : Buffer.from(payload.bytes);
    } else if (++quiet === 2) {
      quiet = 0;
      const change = changes[step++];
      if (change === undefined) context.controller.abort();
      else change();
    }
  }
  assert.is(text, 'one\ntwo\n|three\n|four, in another file\n');
  assert.equal(context.reported, ['file.shrunk', 'file.shrunk']);
  await source.teardown?.();
});

test.run();
