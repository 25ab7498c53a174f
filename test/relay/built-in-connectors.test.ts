// The built-in connectors and processors in a running pipeline: from the lines of a file, through processors with conditions, to a file.
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { RelayConnector, RelayProcessor } from '../../actors/relay-definition.ts';
import { RelayFixture } from './relay-fixture.ts';

const test = suite('built-in connectors');
let fixture = new RelayFixture();
test.before.each(() => {
  fixture = new RelayFixture();
});
test.after.each(() => fixture.cleanUp());

const processor = (
  id: string,
  plugin: string,
  settings: Readonly<Record<string, string>>,
  condition = '',
): RelayProcessor => ({
  id,
  plugin,
  settings,
  condition,
  workers: 1,
});

function connector(
  type: RelayConnector['type'],
  plugin: string,
  settings: Readonly<Record<string, string>>,
  processors: readonly RelayProcessor[] = [],
): RelayConnector {
  return { id: `p:${type}`, type, plugin, name: type, settings, processors };
}

async function linesOf(path: string, count: number): Promise<string[]> {
  for (;;) {
    const lines = existsSync(path) ? readFileSync(path, 'utf8').split('\n').slice(0, -1) : [];
    if (lines.length >= count) return lines;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

test('lines of a file are decoded, chosen by a condition, changed and written; what is refused goes to the dead-letter queue', async () => {
  const input = join(fixture.folder, 'in.ndjson');
  const output = join(fixture.folder, 'out.txt');
  writeFileSync(input, '{"name":"Ann","age":42}\n{"name":"Bob","age":7}\nno json\n{"name":"Cid","age":50}\n');
  const relay = await fixture.open(
    fixture.definition(
      [
        connector('source', 'builtin:file', { path: 'in.ndjson' }, [
          processor('p:decode', 'builtin:json.decode@v0.1.0', { field: '.Payload.After' }),
        ]),
        connector('destination', 'builtin:file', {
          path: 'out.txt',
          'sdk.record.format': 'template',
          'sdk.record.format.options': '{{ .Payload.After.name }} {{ .Metadata.seen }}',
        }),
      ],
      {
        processors: [
          processor('p:young', 'filter', {}, '{{ lt .Payload.After.age 18.0 }}'),
          processor('p:seen', 'field.set', { field: '.Metadata.seen', value: '{{ .Payload.After.age }}' }),
        ],
        deadLetterQueue: fixture.deadLetters({ windowSize: 10, windowNackThreshold: 5 }),
      },
    ),
  );
  await relay.start();
  assert.equal(await linesOf(output, 2), ['Ann 42', 'Cid 50']);
  appendFileSync(input, '{"name":"Dee","age":18}\n');
  assert.equal(await linesOf(output, 3), ['Ann 42', 'Cid 50', 'Dee 18']);
  await relay.stop();
  assert.ok(
    fixture.lines('p-dlq').some((line) => line.includes('write p:source/55')),
    fixture.lines('p-dlq').join('\n'),
  );
});

test('made-up records end when they have all been written', async () => {
  const output = join(fixture.folder, 'out.txt');
  const relay = await fixture.open(
    fixture.definition([
      connector('source', 'builtin:generator', {
        'format.type': 'structured',
        'format.options.id': 'int',
        recordCount: '20000',
      }),
      connector('destination', 'builtin:file', { path: 'out.txt' }),
    ]),
  );
  await relay.start();
  const lines = await linesOf(output, 20_000);
  assert.is(lines.length, 20_000);
  const record = JSON.parse(lines.at(-1) ?? '');
  assert.is(Buffer.from(record.position, 'base64').toString(), '20000');
  assert.equal(Object.keys(record.payload.after), ['id']);
  assert.is(record.metadata['conduit.source.connector.id'], 'p:source');
  await relay.stop();
});

test.run();
