// Dead letters that are tried again: the records come as they were, in their order, to those who refused them, and what is refused
// again goes back.
import { appendFileSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { listDeadLetters } from '../../actors/dead-letter-list.ts';
import type { RelayConnector, RelayDefinition } from '../../actors/relay-definition.ts';
import type { DeadLetterReplayStatus } from '../../actors/supervisor/messages.ts';
import { MillraceError } from '../../runtime/errors.ts';
import { eventually, RelayFixture, type RunningRelay } from './relay-fixture.ts';

const test = suite<{ fixture: RelayFixture }>('replay of dead letters');
test.before.each((context) => {
  context.fixture = new RelayFixture();
});
test.after.each(async ({ fixture }) => await fixture.cleanUp());

const writes = (lines: readonly string[]): string[] =>
  lines.filter((line) => line.startsWith('write ')).map((line) => line.slice('write '.length));

function definitionOf(
  fixture: RelayFixture,
  connectors: readonly RelayConnector[],
  more: Partial<RelayDefinition> = {},
): RelayDefinition {
  const deadLetterQueue = {
    plugin: 'builtin:file',
    settings: { path: 'letters.jsonl' },
    windowSize: 100,
    windowNackThreshold: 50,
  };
  return fixture.definition(connectors, { deadLetterQueue, ...more });
}

/** Its source never ends, so that it goes on running. */
const endless = (fixture: RelayFixture, id = 'p:in'): RelayConnector => fixture.source({ endless: 'true' }, id);
const answering = (fixture: RelayFixture, refuse: string, id = 'p:out', note = ''): RelayConnector =>
  fixture.destination({ refuse, ...(note === '' ? {} : { note }) }, id, 'builtin:answering');

function replay(pipeline: RunningRelay): Promise<DeadLetterReplayStatus> {
  return pipeline.control.wait('replay', (control, waitId) => control.replayDeadLetters(waitId));
}

async function runsUntil(pipeline: RunningRelay, holds: () => boolean): Promise<void> {
  await pipeline.start();
  await eventually(holds);
}

const settled = (fixture: RelayFixture): boolean => fixture.lines('p:in').includes('ack 9');

test('what a destination has refused is delivered to it as it was, once, in order', async ({ fixture }) => {
  const first = await fixture.open(definitionOf(fixture, [endless(fixture), answering(fixture, '2,5,7')]));
  await runsUntil(first, () => settled(fixture));
  await first.stop();
  assert.equal(writes(fixture.lines('p:out')), ['0', '1', '3', '4', '6', '8', '9']);
  fixture.forget('p:out');
  const definition = definitionOf(fixture, [endless(fixture), answering(fixture, '', 'p:out', 'dead letters')]);
  const second = await fixture.open(definition);
  await second.start();
  assert.is((await listDeadLetters(definition, { baseFolder: fixture.folder }, 2)).waiting, 3);
  assert.equal(await replay(second), { state: 'done', replayed: 3, unreadable: 0, error: null });
  const record = (n: number): string => `${n} {"number":"${n}n","text":"record ${n}"}`;
  assert.equal(writes(fixture.lines('p:out')), [record(2), record(5), record(7)]);
  assert.is((await listDeadLetters(definition, { baseFolder: fixture.folder }, 2)).waiting, 0);
  // There is nothing left to be replayed.
  assert.is((await replay(second)).replayed, 0);
  await second.stop();
});

test('a record that is refused again goes back to the queue, whatever the window allows', async ({ fixture }) => {
  const { deadLetterQueue: queue } = definitionOf(fixture, []);
  const deadLetterQueue = { ...queue, windowSize: 10, windowNackThreshold: 2 };
  const definition = definitionOf(fixture, [endless(fixture), answering(fixture, '2,5')], { deadLetterQueue });
  const pipeline = await fixture.open(definition);
  await runsUntil(pipeline, () => settled(fixture));
  for (let time = 0; time < 3; time++) assert.is((await replay(pipeline)).replayed, 2);
  const { letters } = await listDeadLetters(definition, { baseFolder: fixture.folder }, 10);
  assert.equal(
    letters.map(({ source, node, reason, record }) => [
      source,
      node,
      reason,
      Buffer.from(String(record['position']), 'base64').toString(),
    ]),
    [
      ['p:in', 'p:out', 'no 2 for me', '2'],
      ['p:in', 'p:out', 'no 5 for me', '5'],
    ],
  );
  assert.is(pipeline.status.state, 'running');
  await pipeline.stop();
});

test('of several destinations only the one that refused a record gets it again', async ({ fixture }) => {
  const other = fixture.destination({}, 'p:other', 'builtin:answering');
  const first = await fixture.open(definitionOf(fixture, [endless(fixture), answering(fixture, '4'), other]));
  await runsUntil(first, () => settled(fixture));
  await first.stop();
  const second = await fixture.open(definitionOf(fixture, [endless(fixture), answering(fixture, ''), other]));
  await second.start();
  assert.is((await replay(second)).replayed, 1);
  await second.stop();
  assert.equal(writes(fixture.lines('p:out')), ['0', '1', '2', '3', '5', '6', '7', '8', '9', '4']);
  assert.equal(writes(fixture.lines('p:other')), ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
});

test('what a processor has refused goes the whole way again, mixed with what a destination has refused, in order', async ({
  fixture,
}) => {
  const failing = {
    id: 'p:guard',
    plugin: 'error',
    settings: { message: 'not this one' },
    condition: '{{ eq .Metadata.n "3" }}',
    workers: 1,
  };
  const first = await fixture.open(
    definitionOf(fixture, [endless(fixture), answering(fixture, '2,4')], { processors: [failing] }),
  );
  await runsUntil(first, () => settled(fixture));
  await first.stop();
  const marking = {
    id: 'p:mark',
    plugin: 'field.set',
    settings: { field: '.Payload.After.text', value: 'seen' },
    condition: '',
    workers: 1,
  };
  fixture.forget('p:out');
  const second = await fixture.open(
    definitionOf(fixture, [endless(fixture), answering(fixture, '', 'p:out', 'dead letters')], {
      processors: [marking],
    }),
  );
  await second.start();
  assert.is((await replay(second)).replayed, 3);
  await second.stop();
  // The queue has them in the order in which they were refused: the processor stands before the destination.
  const written = writes(fixture.lines('p:out'));
  assert.equal([...written].sort(), [
    '2 {"number":"2n","text":"record 2"}',
    '3 {"number":"3n","text":"seen"}',
    '4 {"number":"4n","text":"record 4"}',
  ]);
  const order = readFileSync(join(fixture.folder, 'letters.jsonl'), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => Buffer.from(JSON.parse(line).payload.after.position, 'base64').toString());
  assert.equal(
    written.map((line) => line[0]),
    order,
  );
});

test('what goes to the log is kept in the data folder, and replayed from there as it was', async ({ fixture }) => {
  const deadLetterFolder = join(fixture.folder, 'data', 'dead-letters');
  const logQueue = { plugin: 'builtin:log', settings: {}, windowSize: 0, windowNackThreshold: 0 };
  const open = async (refuse: string, note = ''): Promise<RunningRelay> =>
    await fixture.open(
      definitionOf(fixture, [endless(fixture), answering(fixture, refuse, 'p:out', note)], {
        deadLetterQueue: logQueue,
      }),
      { deadLetterFolder },
    );
  const first = await open('2,5');
  await runsUntil(first, () => settled(fixture));
  await first.stop();
  const [file = ''] = readdirSync(deadLetterFolder);
  // A crash has torn the last line.
  appendFileSync(join(deadLetterFolder, file), '{"position":');
  fixture.forget('p:out');
  const second = await open('', 'dead letters');
  await second.start();
  assert.equal(await replay(second), { state: 'done', replayed: 2, unreadable: 1, error: null });
  const record = (n: number): string => `${n} {"number":"${n}n","text":"record ${n}"}`;
  assert.equal(writes(fixture.lines('p:out')), [record(2), record(5)]);
  await second.stop();
});

test('a queue that keeps nothing cannot be replayed, and the error says what can', async ({ fixture }) => {
  const pipeline = await fixture.open(
    fixture.definition([endless(fixture), answering(fixture, '')], {
      deadLetterQueue: { plugin: 'builtin:log', settings: {}, windowSize: 0, windowNackThreshold: 0 },
    }),
  );
  await pipeline.start();
  const error = await replay(pipeline).catch((thrown: unknown) => thrown);
  if (!(error instanceof MillraceError)) throw error;
  assert.is(error.code, 'dead_letters.not_kept');
  assert.match(error.help, /builtin:file/);
  await pipeline.stop();
});

test('a line that a crash has torn, and another file under the same name, lose no letter', async ({ fixture }) => {
  const definition = definitionOf(fixture, [endless(fixture), answering(fixture, '1,2')]);
  const file = join(fixture.folder, 'letters.jsonl');
  const first = await fixture.open(definition);
  await runsUntil(first, () => settled(fixture));
  await first.stop();
  const lines = readFileSync(file, 'utf8').split('\n');
  rmSync(file);
  // The first line was torn, and written again behind its beginning; the text of no letter stands between.
  appendFileSync(file, `${lines[0]?.slice(0, 40)}${lines[0]}\nnot a letter\n${lines[1]}\n`);
  fixture.forget('p:out');
  const second = await fixture.open(definitionOf(fixture, [endless(fixture), answering(fixture, '')]));
  await second.start();
  assert.equal(await replay(second), { state: 'done', replayed: 2, unreadable: 1, error: null });
  assert.equal(writes(fixture.lines('p:out')), ['1', '2']);
  rmSync(file);
  appendFileSync(file, `${lines[1]}\n`);
  assert.is((await replay(second)).replayed, 1);
  assert.equal(writes(fixture.lines('p:out')), ['1', '2', '2']);
  await second.stop();
  assert.equal(
    readdirSync(fixture.folder).filter((name) => name.endsWith('.new')),
    [],
  );
});

test.run();
