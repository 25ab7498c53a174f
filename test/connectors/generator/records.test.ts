// generator and log of records: what is made up, how many, at which rate; lines of the log.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { generatorRecordSource } from '../../../connectors/generator/record-source.ts';
import { logRecordDestination } from '../../../connectors/log/record-destination.ts';
import type { ConnectorRecord } from '../../../connectors/sdk/record.ts';
import { recordRelation, recordsOf } from '../../../connectors/sdk/record-batch.ts';
import type { Position } from '../../../connectors/sdk/source.ts';
import { typedSettings } from '../../../connectors/sdk/text-settings.ts';
import { validateParameters } from '../../../connectors/sdk/validate-parameters.ts';
import { codeOf, contextFor, eagerClock } from '../connector-context.ts';

async function generate(
  settings: Readonly<Record<string, string>>,
  position: Position | null = null,
): Promise<{ readonly records: readonly ConnectorRecord[]; readonly ms: number }> {
  const { parameters } = generatorRecordSource;
  const { values, problems } = validateParameters(parameters, typedSettings(parameters, settings), () => ({}), []);
  if (problems[0] !== undefined) throw problems[0];
  const context = contextFor(recordRelation, '.', eagerClock());
  const source = generatorRecordSource.create(values, context);
  await source.open(position);
  const records: ConnectorRecord[] = [];
  for await (const payload of source.read()) if (payload.kind === 'batch') records.push(...recordsOf(payload.batch));
  return { records, ms: context.clock.monotonic() };
}

const fields = {
  'format.options.id': 'int',
  'format.options.name': 'string',
  'format.options.at': 'time',
  'format.options.took': 'duration',
  'format.options.ok': 'bool',
};

test('raw records are JSON of the fields, structured records are the fields themselves', async () => {
  const raw = await generate({ ...fields, 'format.type': 'raw', recordCount: '5000' });
  assert.is(raw.records.length, 5000);
  assert.is(new Set(raw.records.map(({ position }) => Buffer.from(position).toString())).size, 5000);
  for (const { after, key, metadata, operation } of raw.records.slice(0, 100)) {
    assert.ok(after instanceof Uint8Array && key instanceof Uint8Array && key.length > 0);
    const data = JSON.parse(Buffer.from(after).toString());
    assert.equal(Object.keys(data), ['at', 'id', 'name', 'ok', 'took']);
    assert.type(data.id, 'number');
    assert.is(data.took % 1e9, 0);
    assert.type(data.ok, 'boolean');
    assert.ok(Number.isFinite(Date.parse(data.at)));
    assert.equal([operation, Object.keys(metadata)], ['create', ['opencdc.createdAt']]);
  }
  const structured = await generate({ ...fields, 'format.type': 'structured', recordCount: '10' });
  for (const { after } of structured.records) {
    assert.ok(after !== null && !(after instanceof Uint8Array));
    assert.equal(
      [typeof after['id'], typeof after['took'], typeof after['name'], typeof after['ok']],
      ['bigint', 'bigint', 'string', 'boolean'],
    );
    assert.ok(typeof after['id'] === 'bigint' && after['id'] >= 0n && after['id'] < 2n ** 63n);
  }
});

test('collections, operations and the content of a file', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-generator-'));
  writeFileSync(join(folder, 'content'), 'from a file');
  const { records } = await generate({
    recordCount: '400',
    'collections.files.format.type': 'file',
    'collections.files.format.options.path': join(folder, 'content'),
    'collections.files.operations': 'create,delete,update,snapshot',
    'collections.users.format.type': 'raw',
    'collections.users.format.options.id': 'int',
  });
  rmSync(folder, { recursive: true });
  const ofFiles = records.filter(({ metadata }) => metadata['opencdc.collection'] === 'files');
  assert.ok(ofFiles.length > 100 && ofFiles.length < 300);
  assert.equal([...new Set(ofFiles.map(({ operation }) => operation))].sort(), [
    'create',
    'delete',
    'snapshot',
    'update',
  ]);
  for (const { operation, before, after } of ofFiles) {
    assert.is(before !== null, operation === 'update' || operation === 'delete');
    assert.is(after !== null, operation !== 'delete');
    assert.is(Buffer.from((after ?? before) as Uint8Array).toString(), 'from a file');
  }
});

test('a rate and bursts are kept by waiting, and a position says how many are left', async () => {
  const slow = await generate({ ...fields, 'format.type': 'raw', recordCount: '30', rate: '10' });
  assert.is(slow.records.length, 30);
  assert.ok(slow.ms >= 2_990, `${slow.ms}`);
  const rest = await generate(
    { 'format.type': 'raw', recordCount: '30' },
    { record: Buffer.from('27').toString('base64') },
  );
  assert.equal(
    rest.records.map(({ position }) => Buffer.from(position).toString()),
    ['28', '29', '30'],
  );
});

test('settings that make no sense are refused', async () => {
  assert.is(await codeOf(() => generate({})), 'config.missing_key');
  assert.is(await codeOf(() => generate({ 'format.type': 'file' })), 'config.missing_key');
  assert.is(
    await codeOf(() => generate({ 'format.type': 'raw', 'format.options.x': 'itn' })),
    'config.unknown_value int',
  );
  assert.is(await codeOf(() => generate({ 'format.type': 'raw', rate: '1', readTime: '1s' })), 'config.invalid_value');
  assert.is(
    await codeOf(() => generate({ 'format.type': 'raw', 'burst.sleepTime': '1s', 'burst.generateTime': '0' })),
    'config.invalid_value',
  );
});

test('log writes a line for every record, in its format, and acknowledges it', async () => {
  const { records } = await generate({ 'format.type': 'raw', recordCount: '2' });
  const context = contextFor(recordRelation, '.');
  const settings = { message: 'lost', 'sdk.record.format': 'template', 'sdk.record.format.options': '{{ .Position }}' };
  const destination = logRecordDestination.create(settings, context);
  const { recordBatchOf } = await import('../../../connectors/sdk/record-batch.ts');
  await destination.write({ kind: 'batch', batch: recordBatchOf(records) });
  assert.equal(context.logged, ['lost 1', 'lost 2']);
  assert.equal(context.outcomes, [1, 1]);
});

test.run();
