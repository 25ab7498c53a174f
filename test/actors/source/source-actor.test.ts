// A source actor from a real file to the other end of its port.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Table, tableToIPC, Utf8, vectorFromArray } from 'apache-arrow';
import fc from 'fast-check';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { ReplayPoint, SourceErrors, SourceNotice } from '../../../actors/source/messages.ts';
import { registry } from '../../../connectors/registry.ts';
import { defineSource, type Payload, type Position } from '../../../connectors/sdk/source.ts';
import type { Frame } from '../../../runtime/mailbox/channel.ts';
import { until } from '../lone-actor.ts';
import { idsOf, inFolder, ndjson, numbers, type SourceFixture, sourceFixture, takeFrames } from './source-fixture.ts';

const json = { name: 'json', config: { update_format: 'raw' } };
const csv = { name: 'csv', config: {} };

function file(path: string, config: Readonly<Record<string, unknown>> = {}) {
  return { name: 'file_input', config: { path, ...config } };
}

/** Takes frames until the end, pausing the source after so many rows each; looks that a pause lets nothing through. */
async function takeWithPauses(fixture: SourceFixture, gaps: readonly number[]): Promise<bigint[]> {
  const { source, receiver } = fixture;
  const ids: bigint[] = [];
  let hasEnded = false;
  const takeWaiting = (): void => {
    for (let frame = receiver.take(); frame !== null; frame = receiver.take()) {
      ids.push(...idsOf(frame));
      hasEnded ||= frame.kind === 'end';
    }
  };
  for (const gap of [...gaps, Number.MAX_SAFE_INTEGER]) {
    if (hasEnded) break;
    const rows = ids.length + gap + 1;
    await takeFrames(receiver, (frame) => {
      ids.push(...idsOf(frame));
      hasEnded = frame.kind === 'end';
      return !hasEnded && ids.length < rows;
    });
    await source.ask({ kind: 'pause' });
    // What was under way on the port arrives within a few turns; then nothing more comes, credit or not.
    await turns(5);
    takeWaiting();
    const before = ids.length;
    await turns(20);
    takeWaiting();
    assert.is(ids.length, before, 'nothing leaves a source that is paused');
    await source.ask({ kind: 'resume' });
  }
  return ids;
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** Everything until the end frame. */
async function takeAll(fixture: SourceFixture): Promise<bigint[]> {
  const ids: bigint[] = [];
  await takeFrames(fixture.receiver, (frame) => {
    ids.push(...idsOf(frame));
    return frame.kind !== 'end';
  });
  return ids;
}

function upTo(rows: number): bigint[] {
  return Array.from({ length: rows }, (_, i) => BigInt(i));
}

test('what is decoded comes in memory that is lent, here and on another thread, and is written to the same memory when it comes back', async () => {
  await inFolder(async (baseFolder) => {
    const path = ndjson(baseFolder, 60_000);
    for (const decodeWorkers of [0, 1]) {
      const transport = file(path, { buffer_size_bytes: 140_000 });
      const fixture = await sourceFixture({
        transport,
        format: json,
        baseFolder,
        decodeWorkers,
        maxQueuedRecords: 500,
      });
      await fixture.source.ask({ kind: 'open' });
      const ids: bigint[] = [];
      const rooms: number[] = [];
      await takeFrames(fixture.receiver, (frame) => {
        ids.push(...idsOf(frame));
        if (frame.kind !== 'batch') return frame.kind !== 'end';
        assert.ok(frame.room !== undefined);
        rooms.push(frame.room ?? 0);
        fixture.receiver.giveBack([frame.room ?? 0]);
        return true;
      });
      assert.equal(ids, upTo(60_000));
      assert.ok(new Set(rooms).size < rooms.length, `${rooms}`);
      await fixture.close();
    }
  });
});

/** Gives out `text` in shared memory, in parts of `partBytes`, and writes over each as soon as it is released. */
function lendingSource(text: Uint8Array, partBytes: number, released: SharedArrayBuffer[]) {
  return defineSource({
    name: 'lending',
    summary: 'Lends its bytes.',
    parameters: [],
    format: 'required',
    create: () => ({
      open: async () => {},
      read: async function* (): AsyncIterable<Payload> {
        const front = 100;
        for (let at = 0; at < text.length; at += partBytes) {
          const part = text.subarray(at, at + partBytes);
          const memory = new SharedArrayBuffer(front + part.length);
          const bytes = new Uint8Array(memory, front);
          bytes.set(part);
          const release = (): void => {
            new Uint8Array(memory).fill(0xee);
            released.push(memory);
          };
          yield { kind: 'bytes', bytes, release, positionAfter: (length) => ({ at: at + length }) };
        }
      },
    }),
  });
}

test('bytes that are lent are decoded where they lie, here and on another thread, and come back when nobody looks at them any more', async () => {
  const rows = 60_000;
  const text = Buffer.from(
    upTo(rows)
      .map((id) => `{"id":${id},"name":"name ${id}"}\n`)
      .join(''),
  );
  for (const decodeWorkers of [0, 1]) {
    const released: SharedArrayBuffer[] = [];
    const connectors = { ...registry, sources: [lendingSource(text, 140_001, released)] };
    const transport = { name: 'lending', config: {} };
    const fixture = await sourceFixture({ transport, format: json, connectors, decodeWorkers });
    await fixture.source.ask({ kind: 'open' });
    assert.equal(await takeAll(fixture), upTo(rows));
    assert.is(new Set(released).size, Math.ceil(text.length / 140_001));
    assert.is(released.length, new Set(released).size);
    await fixture.close();
  }
});

test('a file reaches the receiver in its order, then its end, and the end is told', async () => {
  await inFolder(async (baseFolder) => {
    const path = ndjson(baseFolder, 20_000);
    for (const decodeWorkers of [0, 2]) {
      const transport = file(path, { buffer_size_bytes: 70_000 });
      const fixture = await sourceFixture({ transport, format: json, baseFolder, decodeWorkers });
      await fixture.source.ask({ kind: 'open' });
      assert.equal(await takeAll(fixture), upTo(20_000));
      await fixture.source.noticed('source ended');
      const { gauges } = fixture.source;
      assert.is(gauges.get('records'), 20_000);
      assert.is(gauges.get('bytes'), gauges.get('bytesTotal'));
      await fixture.close();
    }
  });
});

test('rows that are refused are listed with their number in the whole input and prevent nothing', async () => {
  await inFolder(async (baseFolder) => {
    const lines = Array.from({ length: 3000 }, (_, i) => (i % 1000 === 499 ? 'oops,x' : `${i},name`));
    writeFileSync(join(baseFolder, 'numbers.csv'), `${lines.join('\n')}\n`);
    const transport = file('numbers.csv', { buffer_size_bytes: 1000 });
    const fixture = await sourceFixture({ transport, format: csv, baseFolder });
    await fixture.source.ask({ kind: 'open' });
    const ids = await takeAll(fixture);
    assert.is(ids.length, 2997);
    const { parseErrors } = await fixture.source.ask<SourceErrors>({ kind: 'errors' });
    assert.equal(
      parseErrors.map(({ record }) => record),
      [500, 1500, 2500],
    );
    const [first] = parseErrors;
    assert.is('offset' in first!.error && first!.error.offset, lines.slice(0, 499).join('\n').length + 1);
    assert.is(fixture.source.gauges.get('numParseErrors'), 3);
    await fixture.source.noticed('source ended');
    await fixture.close();
  });
});

test('what cannot be opened is refused with a coded error', async () => {
  await inFolder(async (baseFolder) => {
    mkdirSync(join(baseFolder, 'folder'));
    const attempts = [
      { transport: file('missing.csv'), format: csv },
      { transport: file('folder'), format: csv },
      { transport: { name: 'file_inptu', config: {} }, format: csv },
      { transport: file('missing.csv'), format: { name: 'cvs', config: {} } },
      { transport: file('missing.csv') },
      { transport: file('missing.csv', { pth: 1 }), format: csv },
    ];
    for (const attempt of attempts) {
      const fixture = await sourceFixture({ ...attempt, baseFolder });
      let code = '';
      await fixture.source.ask({ kind: 'open' }).catch((error) => {
        code = error.code;
      });
      assert.match(code, /^[a-z]+\.[a-z_]+$/);
      await fixture.close();
    }
  });
});

test('pausing and resuming at any moment loses no row and doubles none', async () => {
  await inFolder(async (baseFolder) => {
    const path = ndjson(baseFolder, 9000, 'x'.repeat(30));
    const schedule = fc.array(fc.nat({ max: 2500 }), { maxLength: 5 });
    const buffers = fc.integer({ min: 300, max: 80_000 });
    await fc.assert(
      fc.asyncProperty(schedule, fc.constantFrom(0, 2), buffers, async (gaps, decodeWorkers, buffer) => {
        const transport = file(path, { buffer_size_bytes: buffer });
        const options = { transport, format: json, baseFolder, decodeWorkers, maxQueuedRecords: 500 };
        const fixture = await sourceFixture(options);
        await fixture.source.ask({ kind: 'open' });
        assert.equal(await takeWithPauses(fixture, gaps), upTo(9000));
        await fixture.close();
      }),
      { numRuns: 12 },
    );
  });
});

test('pausing within a Parquet row group loses no row and doubles none', async () => {
  await inFolder(async (baseFolder) => {
    const rows = 200_000;
    const data = BigInt64Array.from({ length: rows }, (_, i) => BigInt(i));
    const columnData = [
      { name: 'id', data: [...data], type: 'INT64' as const },
      { name: 'name', data: Array.from({ length: rows }, (_, i) => `n${i % 100}`), type: 'STRING' as const },
    ];
    const buffer = parquetWriteBuffer({ columnData, rowGroupSize: 150_000 });
    writeFileSync(join(baseFolder, 'numbers.parquet'), new Uint8Array(buffer));
    const transport = file('numbers.parquet');
    for (const gaps of [[], [0, 0], [70_000, 70_000]]) {
      const options = { transport, format: { name: 'parquet', config: {} }, baseFolder, maxQueuedRecords: 1000 };
      const fixture = await sourceFixture({ ...options, decodeWorkers: gaps.length === 1 ? 0 : 2 });
      await fixture.source.ask({ kind: 'open' });
      assert.equal(await takeWithPauses(fixture, gaps), upTo(rows));
      assert.is(fixture.source.gauges.get('recordsTotal'), rows);
      assert.is(fixture.source.gauges.get('bytes'), fixture.source.gauges.get('bytesTotal'));
      await fixture.close();
    }
  });
});

test('a receiver that takes nothing keeps what is queued within its bound and shows the source throttled', async () => {
  await inFolder(async (baseFolder) => {
    const path = ndjson(baseFolder, 60_000);
    const transport = file(path, { buffer_size_bytes: 20_000 });
    const maxQueuedRecords = 2000;
    const fixture = await sourceFixture({ transport, format: json, baseFolder, decodeWorkers: 2, maxQueuedRecords });
    const { source, receiver } = fixture;
    await source.ask({ kind: 'open' });
    await until(() => source.gauges.get('throttled') === 1);
    await turns(100);
    const read = source.gauges.get('bytes');
    assert.ok(receiver.queuedRows >= maxQueuedRecords && receiver.queuedRows < maxQueuedRecords + 1000);
    assert.ok(read < source.gauges.get('bytesTotal') / 2, 'the file is not read ahead of the receiver');
    assert.equal(await takeAll(fixture), upTo(60_000));
    assert.is(source.gauges.get('throttled'), 0);
    assert.ok(source.gauges.get('throttledMs') > 0);
    await fixture.close();
  });
});

/** Three payloads of one row each; then it fails. Remembers what was acknowledged. */
function frailSource(acknowledged: Position[], fails: boolean) {
  const line = (i: number): Uint8Array<ArrayBuffer> => new TextEncoder().encode(`${i},name\n`);
  return defineSource({
    name: 'frail',
    summary: 'Fails after three rows.',
    parameters: [],
    format: 'required',
    create: () => ({
      open: async () => {},
      ack: (position) => {
        acknowledged.push(position);
      },
      read: async function* (): AsyncIterable<Payload> {
        for (let i = 0; i < 3; i++) {
          yield { kind: 'bytes', bytes: line(i), positionAfter: (length) => ({ row: i, length }) };
        }
        if (fails) throw new Error('out of breath');
      },
    }),
  });
}

test('a source that fails has sent everything that it read before, and no end', async () => {
  const connectors = { ...registry, sources: [frailSource([], true)] };
  const fixture = await sourceFixture({ transport: { name: 'frail', config: {} }, format: csv, connectors });
  await fixture.source.ask({ kind: 'open' });
  const notice: SourceNotice = await fixture.source.noticed('source failed');
  assert.is(notice.kind === 'source failed' && notice.error.message, 'out of breath');
  await until(() => fixture.receiver.queuedRows === 3);
  const kinds: (Frame['kind'] | undefined)[] = [];
  for (let frame = fixture.receiver.take(); frame !== null; frame = fixture.receiver.take()) kinds.push(frame.kind);
  assert.not(kinds.includes('end'));
  await fixture.close();
});

test('a position is acknowledged when its mark has come back, and the last one always', async () => {
  const acknowledged: Position[] = [];
  const connectors = { ...registry, sources: [frailSource(acknowledged, false)] };
  const fixture = await sourceFixture({ transport: { name: 'frail', config: {} }, format: csv, connectors });
  await fixture.source.ask({ kind: 'open' });
  await takeFrames(fixture.receiver, (frame) => {
    if (frame.kind === 'mark') fixture.receiver.confirm(frame.mark);
    return frame.kind !== 'end';
  });
  await until(() => acknowledged.at(-1)?.['row'] === 2);
  assert.equal(acknowledged.at(-1), { row: 2, length: 7 });
  assert.equal(numbers.schema.fields.length, 2);
  await fixture.close();
});

const lines = (line: (i: number) => string): Uint8Array =>
  Buffer.from(
    upTo(400)
      .map((_, i) => line(i))
      .join(''),
  );

/** Inputs of 400 rows whose columns are not in the order of the table, where the format lets them. */
const inputs: readonly {
  readonly title: string;
  readonly format: { readonly name: string; readonly config: Readonly<Record<string, unknown>> };
  readonly bytes: Uint8Array;
}[] = [
  {
    title: 'CSV with a header',
    format: { name: 'csv', config: { headers: true } },
    bytes: Buffer.concat([
      Buffer.from('\ufeffname,id\n'),
      lines((i) => (i % 7 === 0 ? `"a ""quoted""\nname",${i}\n` : `name ${i},${i}\n`)),
    ]),
  },
  { title: 'CSV without a header', format: csv, bytes: lines((i) => `${i},"name, ${i}"\n`) },
  {
    title: 'arrays of JSON records',
    format: { name: 'json', config: { update_format: 'raw', array: true } },
    bytes: lines((i) => `[{"id": ${i}, "name": "n"}]${i % 3 === 0 ? '\n' : ' '}`),
  },
  { title: 'JSON records', format: json, bytes: lines((i) => `{"id": ${i}}\n`) },
  {
    title: 'an Arrow stream',
    format: { name: 'arrow', config: {} },
    bytes: arrowStream(),
  },
];

function arrowStream(): Uint8Array {
  const table = new Table({
    name: vectorFromArray(upTo(400).map(String), new Utf8()),
    id: vectorFromArray(upTo(400)),
  });
  const batches = upTo(40).flatMap((_, i) => table.slice(i * 10, i * 10 + 10).batches);
  return tableToIPC(new Table(batches), 'stream');
}

for (const { title, format, bytes } of inputs) {
  test(`${title}: an input that is opened again goes on behind any of its points, and not from its start`, async () => {
    await inFolder(async (baseFolder) => {
      writeFileSync(join(baseFolder, 'input'), bytes);
      const transport = file('input', { buffer_size_bytes: 600 });
      const first = await sourceFixture({ transport, format, baseFolder });
      await first.source.ask({ kind: 'open' });
      assert.equal(await takeAll(first), upTo(400));
      // As a checkpoint keeps them.
      const told = JSON.stringify(await first.source.ask<readonly ReplayPoint[]>({ kind: 'replay points' }));
      const points = JSON.parse(told) as readonly ReplayPoint[];
      await first.close();
      assert.ok(points.length > 8, told);
      assert.ok(
        points.filter(({ position }) => position !== null).every(({ skipRows }) => skipRows === 0),
        told,
      );
      for (const { records, position, skipRows } of points.filter((_, i) => i % 5 === 1 || i === points.length - 1)) {
        const again = await sourceFixture({ transport, format, baseFolder, position, skipRows });
        await again.source.ask({ kind: 'open' });
        assert.equal(await takeAll(again), upTo(400).slice(records), JSON.stringify(position));
        const errors = await again.source.ask<SourceErrors>({ kind: 'errors' });
        assert.equal(errors.parseErrors, []);
        await again.close();
      }
    });
  });
}

test.run();
