// A source actor from a real file to the other end of its port.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { SourceErrors, SourceNotice } from '../../../actors/source/messages.ts';
import { registry } from '../../../connectors/registry.ts';
import { defineSource, type Payload, type Position } from '../../../connectors/sdk/source.ts';
import type { Frame } from '../../../runtime/mailbox/channel.ts';
import { until } from '../lone-actor.ts';
import { idsOf, inFolder, ndjson, numbers, sourceFixture, takeFrames } from './source-fixture.ts';

const json = { name: 'json', config: { update_format: 'raw' } };
const csv = { name: 'csv', config: {} };

function file(path: string, config: Readonly<Record<string, unknown>> = {}) {
  return { name: 'file_input', config: { path, ...config } };
}

/** Everything until the end frame. */
async function takeAll(fixture: Awaited<ReturnType<typeof sourceFixture>>): Promise<bigint[]> {
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
    assert.equal(parseErrors.map(({ record }) => record), [500, 1500, 2500]);
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
    await fc.assert(
      fc.asyncProperty(schedule, fc.constantFrom(0, 2), fc.integer({ min: 300, max: 80_000 }), async (gaps, decodeWorkers, buffer) => {
        const transport = file(path, { buffer_size_bytes: buffer });
        const fixture = await sourceFixture({ transport, format: json, baseFolder, decodeWorkers, maxQueuedRecords: 500 });
        const { source, receiver } = fixture;
        await source.ask({ kind: 'open' });
        const ids: bigint[] = [];
        const take = async (rows: number): Promise<boolean> => {
          let hasEnded = false;
          await takeFrames(receiver, (frame) => {
            ids.push(...idsOf(frame));
            hasEnded = frame.kind === 'end';
            return !hasEnded && ids.length < rows;
          });
          return hasEnded;
        };
        let hasEnded = false;
        for (const gap of gaps) {
          if (hasEnded) break;
          hasEnded = await take(ids.length + gap + 1);
          await source.ask({ kind: 'pause' });
          // What was under way on the port has arrived after a few turns; then nothing more comes.
          for (let turn = 0; turn < 3; turn++) await until(() => true);
          let queued = receiver.queuedRows;
          for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
          assert.is(receiver.queuedRows, queued);
          for (let frame = receiver.take(); frame !== null; frame = receiver.take()) {
            ids.push(...idsOf(frame));
            hasEnded ||= frame.kind === 'end';
          }
          for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
          queued = receiver.queuedRows;
          assert.is(queued, 0);
          await source.ask({ kind: 'resume' });
        }
        if (!hasEnded) await take(Number.MAX_SAFE_INTEGER);
        assert.equal(ids, upTo(9000));
        await fixture.close();
      }),
      { numRuns: 12 },
    );
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
    for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve));
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

test.run();
