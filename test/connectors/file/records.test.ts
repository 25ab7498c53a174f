// file as a source and as a destination of records: lines, positions, files that grow, move and are cut; formats and refusals.
import { appendFileSync, mkdtempSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { fileRecordDestination } from '../../../connectors/file/record-destination.ts';
import { cutLines } from '../../../connectors/file/record-lines.ts';
import { fileRecordSource } from '../../../connectors/file/record-source.ts';
import type { ConnectorRecord, RecordData } from '../../../connectors/sdk/record.ts';
import { recordBatchOf, recordRelation, recordsOf } from '../../../connectors/sdk/record-batch.ts';
import { recordPosition, recordPositionBytes } from '../../../connectors/sdk/record-position.ts';
import type { Payload, Position } from '../../../connectors/sdk/source.ts';
import { codeOf, contextFor, eagerClock, type TestContext } from '../connector-context.ts';

const test = suite('file records');
let folder = '';
test.before.each(() => {
  folder = mkdtempSync(join(tmpdir(), 'millrace-records-'));
});
test.after.each(() => rmSync(folder, { recursive: true }));

const textOf = (data: RecordData): string => (data instanceof Uint8Array ? Buffer.from(data).toString() : String(data));
const bytesOf = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));

interface Reading {
  readonly context: TestContext;
  readonly next: () => Promise<Payload | null>;
  readonly records: (count: number) => Promise<readonly ConnectorRecord[]>;
  readonly end: () => Promise<void>;
}

async function startReading(
  settings: Readonly<Record<string, unknown>>,
  position: Position | null = null,
): Promise<Reading> {
  const context = contextFor(recordRelation, folder, eagerClock());
  const source = fileRecordSource.create({ path: 'in.txt', ...settings }, context);
  await source.configure?.();
  await source.open(position);
  const iterator = source.read()[Symbol.asyncIterator]();
  const next = async (): Promise<Payload | null> => {
    const result = await iterator.next();
    return result.done === true ? null : result.value;
  };
  return {
    context,
    next,
    records: async (count) => {
      const records: ConnectorRecord[] = [];
      while (records.length < count) {
        const payload = await next();
        if (payload === null) break;
        if (payload.kind !== 'batch') continue;
        records.push(...recordsOf(payload.batch));
        assert.equal(recordPositionBytes(payload.position), records.at(-1)?.position);
      }
      return records;
    },
    end: async () => {
      context.controller.abort();
      await iterator.return?.(undefined);
      await source.teardown?.();
    },
  };
}

test('every line is a record: offset, number, path and time of reading', async () => {
  writeFileSync(join(folder, 'in.txt'), 'one\n\ntw\u00f6\r\n');
  const reading = await startReading({});
  const records = await reading.records(3);
  assert.equal(
    records.map(({ position, key, after, operation, before }) => [
      textOf(position),
      textOf(key),
      textOf(after),
      operation,
      before,
    ]),
    [
      ['4', '1', 'one', 'create', null],
      ['5', '2', '', 'create', null],
      ['11', '3', 'tw\u00f6\r', 'create', null],
    ],
  );
  assert.equal(Object.keys(records[0]?.metadata ?? {}).sort(), ['file.path', 'opencdc.readAt']);
  assert.is(records[0]?.metadata['file.path'], 'in.txt');
  assert.match(records[0]?.metadata['opencdc.readAt'] ?? '', /^\d+$/);
  await reading.end();
});

test('it goes on behind a position, follows what is appended, and waits for a file that is not there yet', async () => {
  const reading = await startReading({});
  assert.equal(await reading.next(), { kind: 'idle' });
  writeFileSync(join(folder, 'in.txt'), 'a\nb\n');
  assert.equal(
    (await reading.records(2)).map(({ after }) => textOf(after)),
    ['a', 'b'],
  );
  appendFileSync(join(folder, 'in.txt'), 'c\n');
  assert.equal(
    (await reading.records(1)).map(({ position }) => textOf(position)),
    ['6'],
  );
  await reading.end();
  const again = await startReading({}, recordPosition(Buffer.from('2')));
  assert.equal(
    (await again.records(2)).map(({ after, key }) => [textOf(after), textOf(key)]),
    [
      ['b', '1'],
      ['c', '2'],
    ],
  );
  await again.end();
  assert.is(
    await codeOf(() => startReading({}, { record: Buffer.from('x1').toString('base64') })),
    'file.position_foreign',
  );
});

test('a line without its end is held back until the file stands still', async () => {
  writeFileSync(join(folder, 'in.txt'), 'a\nunfini');
  const reading = await startReading({});
  assert.equal(
    (await reading.records(1)).map(({ after }) => textOf(after)),
    ['a'],
  );
  assert.equal(await reading.next(), { kind: 'idle' });
  appendFileSync(join(folder, 'in.txt'), 'shed\nlast');
  assert.equal(
    (await reading.records(2)).map(({ after, position }) => [textOf(after), textOf(position)]),
    [
      ['unfinished', '13'],
      ['last', '17'],
    ],
  );
  await reading.end();
});

test('a file that was cut, or another under its name, is read from its start, and that is reported', async () => {
  writeFileSync(join(folder, 'in.txt'), 'a\nb\nc\n');
  const reading = await startReading({});
  await reading.records(3);
  truncateSync(join(folder, 'in.txt'), 0);
  appendFileSync(join(folder, 'in.txt'), 'd\n');
  assert.equal(
    (await reading.records(1)).map(({ after, position }) => [textOf(after), textOf(position)]),
    [['d', '2']],
  );
  writeFileSync(join(folder, 'other.txt'), 'e\nf\ng\n');
  renameSync(join(folder, 'other.txt'), join(folder, 'in.txt'));
  assert.equal(
    (await reading.records(3)).map(({ after }) => textOf(after)),
    ['e', 'f', 'g'],
  );
  assert.equal(reading.context.reported, ['file.shrunk', 'file.shrunk']);
  await reading.end();
});

test('a buffer that is given back is read into again, and what was read from it has been right', async () => {
  const lines = Array.from({ length: 60_000 }, (_, i) => `${i} ${'x'.repeat(i % 97)}`);
  writeFileSync(join(folder, 'in.txt'), `${lines.join('\n')}\n`);
  const reading = await startReading({});
  const seen: string[] = [];
  const buffers = new Set<ArrayBufferLike>();
  let payloads = 0;
  while (seen.length < lines.length) {
    const payload = await reading.next();
    if (payload?.kind !== 'batch') continue;
    payloads++;
    for (const { after } of recordsOf(payload.batch)) seen.push(textOf(after));
    const data = payload.batch.columns.at(-1);
    if (data?.layout === 'bytes') buffers.add(data.bytes.buffer);
    payload.release?.();
  }
  await reading.end();
  assert.equal(seen, lines);
  assert.ok(payloads > buffers.size, `${payloads} batches from ${buffers.size} buffers`);
});

test('sdk.batch.size bounds batches, and sdk.batch.delay lets fewer records wait', async () => {
  writeFileSync(join(folder, 'in.txt'), '1\n2\n3\n4\n5\n');
  const reading = await startReading({ 'sdk.batch.size': 2, 'sdk.batch.delay': '1s' });
  const sizes: number[] = [];
  while (sizes.length < 3) {
    const payload = await reading.next();
    if (payload?.kind === 'batch') sizes.push(payload.batch.rows);
  }
  assert.equal(sizes, [2, 2, 1]);
  await reading.end();
  assert.is(
    await codeOf(async () => {
      const extracting = await startReading({ 'sdk.schema.extract.payload.enabled': true });
      await extracting.next();
    }),
    'connector.schema_extraction_without_registry',
  );
});

test('lines come out of any cut as they went in, with exact offsets beyond 2^32', () => {
  const line = fc.string({
    unit: fc.constantFrom('a', 'b', '\r', 'é', '0123456789012345678901234567890123456789'),
    maxLength: 6,
  });
  fc.assert(
    fc.property(fc.array(line, { maxLength: 30 }), fc.nat(2 ** 45), fc.boolean(), (lines, offset, whole) => {
      const text = lines.map((one) => `${one}\n`).join('') + (whole ? 'tail' : '');
      const bytes = new Uint8Array(Buffer.from(text));
      const cut = cutLines(bytes, bytes.length, offset, 7, new Uint8Array(0), whole);
      const expected = whole ? [...lines, 'tail'] : lines;
      if (cut === null) {
        assert.is(expected.length, 0);
        return;
      }
      const records = recordsOf(cut.batch);
      assert.equal(
        records.map(({ after }) => textOf(after)),
        expected,
      );
      let at = offset;
      for (const [i, { position, key }] of records.entries()) {
        at += Buffer.byteLength(expected[i] ?? '') + (whole && i === records.length - 1 ? 0 : 1);
        assert.is(textOf(position), String(at));
        assert.is(textOf(key), String(i + 7));
      }
      assert.is(cut.offset, at);
    }),
    { numRuns: 300 },
  );
});

const sample: readonly ConnectorRecord[] = ['x', 'y', 'z'].map((text, i) => ({
  position: bytesOf(`p${i}`),
  operation: 'create',
  metadata: {},
  key: bytesOf(`k${i}`),
  before: null,
  after: i === 1 ? { name: text } : bytesOf(text),
}));

async function write(settings: Readonly<Record<string, unknown>>, records = sample): Promise<TestContext> {
  const context = contextFor(recordRelation, folder, eagerClock());
  const destination = fileRecordDestination.create({ path: 'out.txt', ...settings }, context);
  await destination.open();
  await destination.write({ kind: 'batch', batch: recordBatchOf(records) });
  await destination.flush?.();
  await destination.teardown?.();
  return context;
}

test('a destination appends one record a line and acknowledges them once they are on the disk', async () => {
  const context = await write({});
  await write({ 'sdk.record.format': 'template', 'sdk.record.format.options': '{{ printf "%s" .Key }}' });
  assert.is(
    readFileSync(join(folder, 'out.txt'), 'utf8'),
    '{"position":"cDA=","operation":"create","metadata":{},"key":"azA=","payload":{"before":null,"after":"eA=="}}\n' +
      '{"position":"cDE=","operation":"create","metadata":{},"key":"azE=","payload":{"before":null,"after":{"name":"y"}}}\n' +
      '{"position":"cDI=","operation":"create","metadata":{},"key":"azI=","payload":{"before":null,"after":"eg=="}}\nk0\nk1\nk2\n',
  );
  assert.equal(context.outcomes, [3]);
});

test('a record that its template cannot print is refused in its place, the others are written', async () => {
  const template = { 'sdk.record.format': 'template', 'sdk.record.format.options': '{{ .Payload.After.name }}' };
  const context = await write(template);
  assert.is(readFileSync(join(folder, 'out.txt'), 'utf8'), 'y\n');
  assert.is(context.outcomes.length, 3);
  assert.match(String(context.outcomes[0]), /can't evaluate field name in type opencdc\.RawData/);
  assert.is(context.outcomes[1], 1);
});

test('a rate is kept by waiting', async () => {
  const context = contextFor(recordRelation, folder, eagerClock());
  const destination = fileRecordDestination.create(
    { path: 'out.txt', 'sdk.rate.perSecond': 2, 'sdk.rate.burst': 1 },
    context,
  );
  const startedAt = context.clock.monotonic();
  await destination.open();
  await destination.write({ kind: 'batch', batch: recordBatchOf([...sample, ...sample]) });
  await destination.teardown?.();
  assert.ok(context.clock.monotonic() - startedAt >= 2_490);
  assert.is(readFileSync(join(folder, 'out.txt'), 'utf8').split('\n').length, 7);
});

test.run();
