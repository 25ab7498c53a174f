// Plugins that break the protocol: each is an error that says what was wrong, and nothing hangs.
import { existsSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { recordBytes, recordColumn, recordsOf } from '../../../connectors/sdk/record-batch.ts';
import { recordPosition } from '../../../connectors/sdk/record-position.ts';
import { discoverPlugins } from '../../../connectors/standalone/plugin-catalog.ts';
import type { ChangeBatch } from '../../../runtime/batch/change-batch.ts';
import { systemClock } from '../../../runtime/clock.ts';
import { MillraceError } from '../../../runtime/errors.ts';
import { hostedDestination, hostedSource, hostile, numbered, Reading, until } from '../../plugins/plugin-host.ts';
import { codeOf } from '../connector-context.ts';

async function failureOf(call: () => unknown): Promise<MillraceError> {
  try {
    await call();
  } catch (error) {
    if (error instanceof MillraceError) return error;
    throw error;
  }
  throw new Error('it did not fail');
}

/** Opens, reads to the failure, tears down. */
async function readFailure(mode: string): Promise<{ readonly error: MillraceError; readonly records: number }> {
  const { connector } = hostedSource(hostile(mode));
  try {
    await connector.open(null);
    const reading = new Reading(connector);
    const error = await failureOf(() => reading.toEnd());
    return { error, records: reading.records.length };
  } finally {
    await connector.teardown?.();
  }
}

test('a process that says nothing, or something else, is not a plugin', async () => {
  const started = async (mode: string): Promise<MillraceError> => {
    const { connector } = hostedSource(hostile(mode), {}, { start_timeout: mode === 'silent' ? '400ms' : '60s' });
    const error = await failureOf(() => connector.configure?.());
    await connector.teardown?.();
    return error;
  };
  for (const [mode, words] of [
    ['silent', 'said nothing within 0.4 s'],
    ['no handshake', 'no handshake'],
    ['strange version', 'version 9'],
    ['leaves', '(exit code 5); its last lines: no license'],
  ] as const) {
    const error = await started(mode);
    assert.is(error.code, 'plugin.not_started');
    assert.ok(error.message.includes(words), error.message);
  }
  const { connector } = hostedSource('/nowhere/plugin');
  assert.ok((await failureOf(() => connector.configure?.())).message.includes('ENOENT'));
});

test('what a plugin prints of its secrets is masked', async () => {
  const settings = { 'db.password': 's3cr3t-word', url: 'db://me:pass-word@host', user: 'one' };
  const { connector } = hostedSource(hostile('leaks'), settings);
  const { message, fields } = await failureOf(() => connector.configure?.());
  await connector.teardown?.();
  assert.ok(message.includes('no one is let in with *** at db://me:***@host'), message);
  assert.not.match(JSON.stringify(fields), /s3cr3t-word|pass-word/);
});

test('a plugin in Go collects its garbage less often than by default, unless the environment says how often', async () => {
  const told = async (): Promise<string> => {
    const { connector } = hostedSource(hostile('tells its environment'));
    const { message } = await failureOf(() => connector.configure?.());
    await connector.teardown?.();
    return message;
  };
  const before = process.env['GOGC'];
  delete process.env['GOGC'];
  try {
    assert.match(await told(), 'GOGC=400');
    process.env['GOGC'] = '70';
    assert.match(await told(), 'GOGC=70');
  } finally {
    if (before === undefined) delete process.env['GOGC'];
    else process.env['GOGC'] = before;
  }
});

test('the memory of a batch is used again when it was released; its positions stay', async () => {
  const { connector } = hostedSource(hostile('one by one'));
  await connector.open(null);
  const payloads = connector.read()[Symbol.asyncIterator]();
  const batches: ChangeBatch[] = [];
  for (let n = 1; n <= 4; n++) {
    const { value } = await payloads.next();
    assert.is(value.kind, 'batch');
    batches.push(value.batch);
    const [record] = recordsOf(value.batch);
    assert.equal(record?.after, new Uint8Array(Buffer.from(`${n}`.repeat(30))));
    if (n !== 2) value.release();
    await connector.ack?.(value.position);
  }
  const texts = (column: number): string[] =>
    batches.map((batch) =>
      Buffer.from(recordBytes(batch, column, 0))
        .toString()
        .slice(0, 3),
    );
  assert.equal(texts(recordColumn.position), ['p-1', 'p-2', 'p-3', 'p-4']);
  // The second was not released: nobody writes over it. The third was made anew, and its memory is that of the fourth.
  assert.equal(texts(recordColumn.after).slice(1), ['222', '444', '444']);
  await connector.stop?.();
  await connector.teardown?.();
});

test('a plugin may listen on TCP, speak version 1, and serve nothing that it need not', async () => {
  for (const mode of ['tcp', 'v1', 'well']) {
    const path = hostile(mode);
    const source = hostedSource(path);
    const destination = hostedDestination(path);
    await source.connector.open(null);
    await destination.connector.open();
    const reading = new Reading(source.connector);
    await reading.until(1);
    await destination.connector.write(numbered(1, 5));
    await until(() => destination.context.outcomes.length > 0);
    await source.connector.ack?.(recordPosition(Buffer.from('p-1')));
    await source.connector.stop?.();
    await reading.toEnd();
    await destination.connector.stop?.();
    await source.connector.teardown?.();
    await destination.connector.teardown?.();
    assert.equal(sumOf(destination.context.outcomes), 5, mode);
    assert.equal(destination.failures, []);
  }
});

function sumOf(outcomes: readonly (number | string)[]): number {
  return outcomes.reduce<number>((sum, outcome) => sum + (typeof outcome === 'number' ? outcome : 0), 0);
}

test('a plugin without lifecycle events says so by its own error', async () => {
  const { connector, configuration } = hostedSource(hostile('well'));
  await connector.configure?.();
  assert.is(await codeOf(() => connector.onCreated?.(configuration)), 'plugin.has_no_events');
  assert.is(await codeOf(() => connector.onUpdated?.(configuration, configuration)), 'plugin.has_no_events');
  await connector.teardown?.();
});

test('garbage on the stream of a source is an error behind the records before it', async () => {
  const garbage = await readFailure('garbage');
  assert.equal([garbage.error.code, garbage.records], ['plugin.protocol_violation', 1]);
  assert.is((await readFailure('no gRPC')).error.code, 'plugin.protocol_violation');
  const nowhere = await readFailure('no position');
  assert.equal([nowhere.error.code, nowhere.records], ['plugin.record_without_position', 1]);
  assert.ok(nowhere.error.message.includes('"p-1"'));
});

test('a record that is too large is an error with its size', async () => {
  const { error, records } = await readFailure('huge');
  assert.equal([error.code, records], ['plugin.record_too_large', 1]);
  assert.ok(Number(error.fields['bytes']) > 100_000_000);
});

test('a stream that ends or fails by itself is an error with the words of the plugin', async () => {
  const ended = await readFailure('stream ends');
  assert.equal([ended.error.code, ended.records], ['plugin.stream_ended', 1]);
  assert.ok((await readFailure('stream fails')).error.message.includes('the replication slot is gone'));
});

test('empty lists are ignored; a record with an unknown operation is left out and reported', async () => {
  const empty = hostedSource(hostile('empty lists'));
  await empty.connector.open(null);
  const few = new Reading(empty.connector);
  await few.until(1);
  await empty.connector.stop?.();
  await few.toEnd();
  assert.is(few.records.length, 1);
  await empty.connector.teardown?.();
  const unknown = hostedSource(hostile('unknown operation'));
  await unknown.connector.open(null);
  const reading = new Reading(unknown.connector);
  await reading.until(2);
  assert.equal(
    reading.records.map(({ position }) => Buffer.from(position).toString()),
    ['p-1', 'p-3'],
  );
  assert.equal(unknown.context.reported, ['plugin.unknown_operation']);
  await unknown.connector.stop?.();
  await reading.toEnd();
  await unknown.connector.teardown?.();
});

test('a process that ends while it runs is an error with its exit code and its last lines', async () => {
  const { connector } = hostedSource(hostile('exits'));
  await connector.open(null);
  const reading = new Reading(connector);
  await reading.until(1);
  await connector.ack?.(recordPosition(Buffer.from('p-1')));
  const error = await failureOf(() => reading.toEnd());
  assert.is(error.code, 'plugin.exited');
  assert.is(error.fields['exitCode'], 3);
  assert.ok(error.message.includes('panic: out of luck'), error.message);
  await connector.teardown?.();
  const opening = hostedSource(hostile('exits at open'));
  const early = await failureOf(() => opening.connector.open(null));
  assert.equal([early.code, early.fields['exitCode'], early.fields['phase']], ['plugin.exited', 6, 'Open']);
  await opening.connector.teardown?.();
});

test('a flood on stderr harms nothing', async () => {
  const { connector, context } = hostedSource(hostile('flood'));
  const startedAt = performance.now();
  await connector.open(null);
  const reading = new Reading(connector);
  await reading.until(1);
  await until(() => context.logged.length >= 200);
  await connector.stop?.();
  await reading.toEnd();
  await connector.teardown?.();
  // 200 lines a second, and one that says how many were left out.
  const seconds = Math.ceil((performance.now() - startedAt) / 1000) + 1;
  assert.ok(context.logged.length <= 201 * seconds, `${context.logged.length} lines within ${seconds} s`);
});

test('a source whose last record never comes, or which does not answer Stop, is ended with an error', async () => {
  // The plugin answers the call itself within that.
  const missing = hostedSource(hostile('never comes'), {}, { stop_timeout: '2s' });
  await missing.connector.open(null);
  const reading = new Reading(missing.connector);
  await reading.until(1);
  await missing.connector.stop?.();
  const error = await failureOf(() => reading.toEnd());
  assert.is(error.code, 'plugin.stop_incomplete');
  assert.ok(error.message.includes('"p-99"'));
  await missing.connector.teardown?.();
  const stuck = hostedSource(hostile('hangs at stop'), {}, { stop_timeout: '300ms' });
  await stuck.connector.open(null);
  const other = new Reading(stuck.connector);
  await other.until(1);
  assert.is(await codeOf(() => stuck.connector.stop?.()), 'plugin.call_timed_out');
  assert.is(await codeOf(() => other.toEnd()), 'plugin.call_timed_out');
  await stuck.connector.teardown?.();
});

test('a teardown that hangs is an error, and the process is gone', async () => {
  const { connector } = hostedSource(hostile('hangs at teardown'), {}, { teardown_timeout: '300ms' });
  await connector.configure?.();
  const error = await failureOf(() => connector.teardown?.());
  assert.equal([error.code, error.fields['call']], ['plugin.call_timed_out', 'Teardown']);
});

test('a stop at once ends a call that hangs, and reading, without an error of its own', async () => {
  const { connector, context } = hostedSource(hostile('well'));
  await connector.open(null);
  const reading = new Reading(connector);
  await reading.until(1);
  const ended = reading.toEnd();
  context.controller.abort();
  await ended;
  await connector.teardown?.();
});

test('acks that nobody waits for, in another order, or unreadable fail the destination at once', async () => {
  for (const [mode, code] of [
    ['unknown ack', 'plugin.unexpected_ack'],
    ['acks in reverse', 'plugin.unexpected_ack'],
    ['garbage acks', 'plugin.protocol_violation'],
    ['exits', 'plugin.exited'],
  ] as const) {
    const { connector, context, failures } = hostedDestination(hostile(mode));
    await connector.open();
    await connector.write(numbered(1, 3)).catch(() => {});
    await until(() => failures.length > 0);
    assert.equal(
      failures.map((error) => (error as MillraceError).code),
      [code],
      mode,
    );
    assert.equal(context.outcomes, []);
    assert.is(await codeOf(() => connector.write(numbered(4, 1))), code);
    if (mode === 'exits') assert.ok(failures[0]?.message.includes('(exit code 8); its last lines: the disk is full'));
    await connector.teardown?.();
  }
});

test('acks are matched over the borders of messages, refusals in their place', async () => {
  const refusing = hostedDestination(hostile('refuses odd ones'));
  await refusing.connector.open();
  await refusing.connector.write(numbered(1, 5));
  await until(() => refusing.context.outcomes.length >= 5);
  assert.equal(refusing.context.outcomes, ['test: odd', 1, 'test: odd', 1, 'test: odd']);
  await refusing.connector.stop?.();
  await refusing.connector.teardown?.();
  const collecting = hostedDestination(hostile('collects'));
  await collecting.connector.open();
  for (let i = 0; i < 5; i++) await collecting.connector.write(numbered(i * 2, 2));
  await until(() => sumOf(collecting.context.outcomes) === 10);
  await collecting.connector.stop?.();
  await collecting.connector.teardown?.();
  assert.equal(collecting.failures, []);
});

test('of a message only the records that are bad are refused, and what comes behind waits for that', async () => {
  const { connector, context } = hostedDestination(hostile('refuses the rest'));
  const counted = (): number => context.outcomes.reduce<number>((sum, told) => sum + (Number(told) || 1), 0);
  await connector.open();
  await connector.write(numbered(1, 8));
  await until(() => counted() > 2);
  await connector.write(numbered(10, 2));
  await until(() => counted() === 10);
  await connector.stop?.();
  await connector.teardown?.();
  // How many at once is the plugin's business.
  const each = context.outcomes.flatMap((told) => (typeof told === 'number' ? Array(told).fill('safe') : told));
  const [safe, bad] = ['safe', 'test: it is bad'];
  assert.equal(each, [safe, safe, bad, safe, safe, bad, safe, safe, safe, safe]);
});

test('a plugin that is stopped after it has refused records is not given them again', async () => {
  const { connector, context } = hostedDestination(hostile('refuses the rest'));
  await connector.open();
  await connector.write(numbered(1, 5));
  await until(() => context.outcomes.length >= 2);
  await connector.stop?.();
  assert.equal(context.outcomes, [2, 'test: it is bad', 'test: it is bad', 'test: it is bad']);
  await connector.teardown?.();
});

test('a record that is too large is refused in its turn, the others arrive', async () => {
  const { connector, context } = hostedDestination(hostile('well'), {}, { max_receive_bytes: 100_000 });
  await connector.open();
  await connector.write(numbered(1, 2));
  await connector.write(numbered(3, 1, 200_000));
  await connector.write(numbered(4, 20, 60_000));
  await until(() => sumOf(context.outcomes) === 22);
  const refusal = context.outcomes.findIndex((outcome) => typeof outcome === 'string');
  assert.is(sumOf(context.outcomes.slice(0, refusal)), 2);
  assert.is(context.outcomes.filter((outcome) => typeof outcome === 'string').length, 1);
  await connector.stop?.();
  await connector.teardown?.();
});

test('a destination that never acknowledges is told from one that answers late', async () => {
  const silent = hostedDestination(hostile('never acknowledges'), {}, { stop_timeout: '2s' });
  await silent.connector.open();
  await silent.connector.write(numbered(1, 3));
  const error = await failureOf(() => silent.connector.stop?.());
  assert.is(error.code, 'plugin.stop_incomplete');
  assert.ok(error.message.includes('3 records were not acknowledged'));
  await silent.connector.teardown?.();
  // Everything is acknowledged, so that an answer to Stop is not needed.
  const late = hostedDestination(hostile('late stop'));
  await late.connector.open();
  await late.connector.write(numbered(1, 3));
  await late.connector.stop?.();
  assert.is(sumOf(late.context.outcomes), 3);
  await late.connector.teardown?.();
});

test('plugins of both versions say what they are; what cannot be asked is a problem of its own', async () => {
  const [first, second] = [hostile('v1'), hostile('well')];
  const folder = first.slice(0, first.lastIndexOf('/'));
  const { plugins, problems } = await discoverPlugins({ folder, cacheFile: null, clock: systemClock });
  assert.equal(problems, []);
  const { path: _, ...specification } = plugins[0] ?? { path: '' };
  assert.equal(specification, {
    name: 'hostile',
    summary: 'summary',
    description: 'description',
    version: 'v1.2.3',
    author: 'nobody',
    sourceParameters: {
      path: { default: '', description: '', type: 'string', validations: [{ type: 'required', value: '' }] },
    },
    destinationParameters: null,
  });
  const other = await discoverPlugins({
    folder: second.slice(0, second.lastIndexOf('/')),
    cacheFile: null,
    clock: systemClock,
  });
  assert.equal(
    other.plugins.map(({ path: _, ...rest }) => rest),
    [specification],
  );
  const broken = hostile('leaves');
  const nothing = await discoverPlugins({
    folder: broken.slice(0, broken.lastIndexOf('/')),
    cacheFile: null,
    clock: systemClock,
  });
  assert.equal(nothing.plugins, []);
  assert.equal(
    nothing.problems.map(({ error }) => (error as MillraceError).code),
    ['plugin.not_started'],
  );
  assert.ok(!existsSync('/nowhere'));
  assert.equal(await discoverPlugins({ folder: '/nowhere', cacheFile: null, clock: systemClock }), {
    plugins: [],
    problems: [],
  });
});

test.run();
