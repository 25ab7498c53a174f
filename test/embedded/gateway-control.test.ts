// What a gateway that moves data itself asks of a pipeline, over real threads: ports, tokens, transactions, pauses of
// outputs, checkpoints.
import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { encodeToken } from '../../actors/completion-token.ts';
import { ControlConnection } from '../../actors/gateway/embedded/control-connection.ts';
import type {
  CheckpointImage,
  ControlInterface,
  OpenedPipeline,
} from '../../actors/gateway/embedded/control-interface.ts';
import { BatchBuilder } from '../../runtime/batch/batch-builder.ts';
import type { ChangeBatch } from '../../runtime/batch/change-batch.ts';
import { rowsFromBatch } from '../../runtime/batch/row-objects.ts';
import type { Schema } from '../../runtime/batch/schema.ts';
import { systemClock } from '../../runtime/clock.ts';
import type { FrameReceiver, FrameSender } from '../../runtime/mailbox/channel.ts';
import { openFrameReceiver, openFrameSender } from '../../runtime/mailbox/port-channel.ts';
import type { Remote } from '../../runtime/thread/remote.ts';
import { decodeBatch } from '../../runtime/wire/batch-codec.ts';
import { pollPause } from '../poll-pause.ts';
import { Fixture, rejects } from './pipeline-fixture.ts';

const fixture = new Fixture();
const connections: ControlConnection[] = [];
test.after(async () => {
  await Promise.all(connections.map((connection) => connection.end()));
  await fixture.cleanUp();
});

const limits = { rowsMax: 10_000, bytesMax: 1 << 24 };
const program =
  'CREATE TABLE t (id BIGINT); CREATE MATERIALIZED VIEW s AS SELECT COUNT(*) AS c, SUM(id) AS total FROM t;' +
  'CREATE MATERIALIZED VIEW large AS SELECT id FROM t WHERE id >= 1000;';

type Call = <R>(make: (control: Remote<ControlInterface>, waitId: number) => PromiseLike<R>) => Promise<R>;

interface Opened {
  readonly call: Call;
  readonly description: OpenedPipeline;
  query(sql: string): Promise<readonly object[]>;
  stop(): Promise<void>;
}

async function open(definition: object, restore?: CheckpointImage): Promise<Opened> {
  const connection = new ControlConnection({
    name: 'gateway-test',
    clock: systemClock,
    onReport: () => {},
    onLost: () => {},
  });
  connections.push(connection);
  const call: Call = (make) => connection.wait('test', (control, waitId) => make(control, waitId));
  const request = {
    source: { definition: { program, ...definition }, baseFolder: fixture.folder },
    stepRowsMax: null,
    ...(restore === undefined ? {} : { restore }),
  };
  const description = await call((control) => control.open(request));
  return {
    call,
    description,
    query: async (sql) => {
      const { schema, frames } = await call((control, waitId) => control.query(waitId, sql));
      return frames.flatMap((frame) => shown(decodeBatch(frame, schema).batch));
    },
    stop: () => connection.end(),
  };
}

function shown(batch: ChangeBatch): object[] {
  const { rows, weights } = rowsFromBatch(batch);
  return rows.map((row, i) => ((weights[i] ?? 1) === 1 ? { ...row } : { ...row, weight: weights[i] }));
}

function batchOf(schema: Schema, ids: readonly number[]): ChangeBatch {
  const builder = new BatchBuilder(schema, ids.length);
  builder.reserve(ids.length);
  for (const id of ids) {
    builder.columns[0]!.values[builder.rows] = BigInt(id) as never;
    builder.commitRow();
  }
  return builder.finish();
}

interface Ingress {
  readonly endpoint: string;
  readonly sender: FrameSender;
  /** Sends rows and a mark behind them; returns the token. */
  push(ids: readonly number[]): string;
}

async function ingress(opened: Opened, wished = 't.http'): Promise<Ingress> {
  const { endpoint, port, incarnation } = await opened.call((c) => c.openIngressPort('T', wished, limits));
  const schema = opened.description.tables[0]!.schema;
  const sender = openFrameSender(port, { schema, limits });
  let mark = 0;
  return {
    endpoint,
    sender,
    push: (ids) => {
      if (ids.length > 0) sender.send({ kind: 'batch', sequence: 1, batch: batchOf(schema, ids) });
      sender.send({ kind: 'mark', mark: ++mark });
      return encodeToken({ incarnation, endpoint, mark });
    },
  };
}

/** Reads until a mark has come: what came before it, and its number. */
async function nextStep(receiver: FrameReceiver, confirms = true): Promise<{ rows: object[]; step: number }> {
  const rows: object[] = [];
  while (true) {
    const frame = receiver.take();
    if (frame === null) {
      await new Promise<void>((resolve) => {
        receiver.onFrame = resolve;
        if (!receiver.isEmpty) resolve();
      });
      continue;
    }
    if (frame.kind === 'batch') rows.push(...shown(frame.batch));
    if (frame.kind === 'end') throw new Error('the end came before a mark');
    if (frame.kind === 'mark') {
      if (confirms) receiver.confirm(frame.mark);
      return { rows, step: frame.mark };
    }
  }
}

async function egress(
  opened: Opened,
  relation: string,
  options: { readonly sendSnapshot: boolean; readonly everyStep: boolean },
): Promise<{ readonly endpoint: string; readonly receiver: FrameReceiver; readonly step: number }> {
  const { endpoint, port, step } = await opened.call((c) => c.openEgressPort(relation, 'http', limits, options));
  const schema = opened.description.views.find((view) => view.name === relation)!.schema;
  return { endpoint, receiver: openFrameReceiver(port, { schema, limits }), step };
}

test('rows that a port brings enter a paused pipeline, and leave by another', async () => {
  const pipeline = await open({});
  await pipeline.call((c) => c.start({ paused: true }));
  const first = await ingress(pipeline);
  const second = await ingress(pipeline);
  assert.is.not(first.endpoint, second.endpoint);
  const out = await egress(pipeline, 'large', { sendSnapshot: true, everyStep: true });
  assert.equal(await nextStep(out.receiver), { rows: [], step: out.step });
  const small = first.push([1, 2]);
  const unchanged = await nextStep(out.receiver);
  assert.equal(unchanged.rows, []);
  assert.ok(unchanged.step > out.step);
  await pipeline.call((c, waitId) => c.tokenCompleted(waitId, small));
  // Rows and the mark behind them come one after the other: a step may lie between.
  const done = await pipeline.call((c) => c.completionStatus(small));
  assert.is(done.complete, true);
  assert.ok(Number(done.step) >= unchanged.step);
  const large = second.push([1000]);
  let changed = await nextStep(out.receiver, false);
  while (changed.rows.length === 0) changed = await nextStep(out.receiver, false);
  assert.equal(changed.rows.length, 1);
  // The port may bring the rows before the supervisor has heard of their step.
  let status = await pipeline.call((c) => c.completionStatus(large));
  while (status.step === null) status = await pipeline.call((c) => c.completionStatus(large));
  assert.is(status.complete, false);
  assert.ok(status.step >= changed.step);
  out.receiver.confirm(status.step);
  await pipeline.call((c, waitId) => c.tokenCompleted(waitId, large));
  // An endpoint that is closed stays known; one that never was is foreign.
  second.sender.close();
  await pipeline.call((c) => c.closeIngressPort(second.endpoint));
  assert.is((await pipeline.call((c) => c.completionStatus(large))).complete, true);
  const other = encodeToken({ incarnation: 'another', endpoint: 't.http', mark: 1 });
  await rejects(
    pipeline.call((c) => c.completionStatus(other)),
    'token.foreign',
  );
  await pipeline.call((c) => c.closeEgressPort(out.endpoint));
  assert.equal((await pipeline.query('SELECT c FROM s')).length, 1);
  await pipeline.stop();
});

test('a connector token stands for everything that its input has sent', async () => {
  fixture.write('rows.json', Array.from({ length: 500 }, (_, id) => `{"id":${id}}`).join('\n'));
  const pipeline = await open({ inputs: { rows: fileInput('rows.json') } });
  await pipeline.call((c) => c.start({ paused: false }));
  const early = await pipeline.call((c) => c.connectorToken('t.rows'));
  await pipeline.call((c, waitId) => c.tokenCompleted(waitId, early));
  await pipeline.call((c, waitId) => c.allCompleted(waitId));
  const token = await pipeline.call((c) => c.connectorToken('t.rows'));
  const status = await pipeline.call((c) => c.completionStatus(token));
  assert.is(status.complete, true);
  assert.type(status.step, 'number');
  assert.is((await pipeline.call((c) => c.inputStats('t.rows'))).takenRecords, 500);
  await rejects(
    pipeline.call((c) => c.connectorToken('t.none')),
    'connector.unknown',
  );
  await pipeline.stop();
});

test('a transaction is one step, and nothing of it is seen before', async () => {
  const pipeline = await open({});
  await pipeline.call((c) => c.start({ paused: false }));
  const input = await ingress(pipeline);
  await rejects(
    pipeline.call((c) => c.commitTransaction()),
    'transaction.none',
  );
  await pipeline.call((c, waitId) => c.tokenCompleted(waitId, input.push([1])));
  const before = await pipeline.query('SELECT c, total FROM s');
  assert.is(await pipeline.call((c) => c.startTransaction()), 1);
  await rejects(
    pipeline.call((c) => c.startTransaction()),
    'transaction.in_progress',
  );
  await rejects(
    pipeline.call((c, waitId) => c.checkpoint(waitId)),
    'transaction.in_progress',
  );
  const out = await egress(pipeline, 'large', { sendSnapshot: false, everyStep: true });
  // More than the mailbox holds: what is taken in gives its credit back.
  let last = '';
  for (let n = 0; n < 30; n++) {
    await input.sender.whenReady();
    last = input.push(Array.from({ length: 1000 }, (_, i) => 1000 + n * 1000 + i));
  }
  const stats = await pipeline.call((c) => c.stats());
  assert.equal(stats.transaction, { id: 1, status: 'started' });
  assert.equal(await pipeline.query('SELECT c, total FROM s'), before);
  assert.equal(await pipeline.call((c) => c.completionStatus(last)), { complete: false, step: null });
  await pipeline.call((c) => c.commitTransaction());
  const step = await nextStep(out.receiver);
  assert.is(step.rows.length, 30_000);
  assert.is(step.step, out.step + 1);
  await pipeline.call((c, waitId) => c.tokenCompleted(waitId, last));
  assert.is((await pipeline.call((c) => c.stats())).transaction, null);
  assert.is(await pipeline.call((c) => c.startTransaction()), 2);
  await pipeline.call((c) => c.commitTransaction());
  await pipeline.stop();
});

test('what an output would get while it is paused is not sent later, and holds no token back', async () => {
  const pipeline = await open({
    outputs: {
      out: {
        stream: 'large',
        transport: { name: 'file_output', config: { path: 'out.json' } },
        format: { name: 'json' },
      },
    },
  });
  await pipeline.call((c) => c.start({ paused: false }));
  const input = await ingress(pipeline);
  const push = (ids: readonly number[]): Promise<void> => {
    const token = input.push(ids);
    return pipeline.call((c, waitId) => c.tokenCompleted(waitId, token));
  };
  await push([1001]);
  await pipeline.call((c) => c.pauseConnector('large.out'));
  assert.is((await pipeline.call((c) => c.outputStats('large.out'))).paused, true);
  await push([1002]);
  await pipeline.call((c) => c.resumeConnector('large.out'));
  await push([1003]);
  await pipeline.call((c) => c.stop({ force: false, timeoutMs: 100_000 }));
  const ids = readFileSync(fixture.path('out.json'), 'utf8').match(/100\d/g);
  assert.equal(ids, ['1001', '1003']);
  await pipeline.stop();
});

function fileInput(path: string, format = 'json', extra: object = {}): object {
  return {
    stream: 't',
    transport: { name: 'file_input', config: { path, buffer_size_bytes: 4096 } },
    format: { name: format, config: format === 'json' ? { update_format: 'raw' } : { headers: true } },
    ...extra,
  };
}

async function rowsTaken(pipeline: Opened): Promise<number> {
  return (await pipeline.call((c) => c.stats())).engine?.processedRecords ?? 0;
}

for (const format of ['json', 'csv']) {
  test(`a checkpoint in the middle of a ${format} file, restored, comes to the same as one run`, async () => {
    const rows = 60_000;
    const ids = Array.from({ length: rows }, (_, id) => id);
    const name = `middle.${format}`;
    fixture.write(name, format === 'json' ? ids.map((id) => `{"id":${id}}`).join('\n') : `id\n${ids.join('\n')}\n`);
    fixture.write('head.json', '{"id":5}\n{"id":7}\n');
    const definition = {
      inputs: {
        head: fileInput('head.json', 'json', { labels: ['head'] }),
        rows: fileInput(name, format, { start_after: ['head'], max_batch_size: 777, max_queued_records: 2000 }),
      },
    };
    const expected = [{ c: rows + 2, total: (rows * (rows - 1)) / 2 + 12 }];
    let pipeline = await open(definition);
    await pipeline.call((c) => c.start({ paused: true }));
    // Twice: the second run has itself gone on from a checkpoint.
    for (let run = 0; run < 2; run++) {
      // A reader who takes nothing: the engine gets no further than its mailbox.
      await egress(pipeline, 'large', { sendSnapshot: false, everyStep: true });
      const from = await rowsTaken(pipeline);
      await pipeline.call((c) => c.resume());
      while ((await rowsTaken(pipeline)) < from + 3000) await pollPause();
      const image = await pipeline.call((c, waitId) => c.checkpoint(waitId));
      assert.is(image.inputs.find(({ endpoint }) => endpoint === 't.rows')?.ended, false, 'in the middle of the file');
      assert.is(image.inputs.find(({ endpoint }) => endpoint === 't.head')?.ended, true);
      await pipeline.stop();
      pipeline = await open(definition, image);
      await pipeline.call((c) => c.start({ paused: true }));
      assert.ok((await rowsTaken(pipeline)) >= image.processedRecords);
    }
    await pipeline.call((c) => c.resume());
    const report = await pipeline.call((c, waitId) => c.allCompleted(waitId));
    assert.equal(report, { failed: [], stuck: [] });
    assert.equal(JSON.stringify(await pipeline.query('SELECT c, total FROM s'), number), JSON.stringify(expected));
    assert.is(await rowsTaken(pipeline), rows + 2);
    await pipeline.stop();
  });
}

test('keys, joins, tops and generated rows go on from a checkpoint as if nothing had happened', async () => {
  const definition = {
    program:
      'CREATE TABLE t (id BIGINT NOT NULL PRIMARY KEY, g BIGINT, name VARCHAR);' +
      'CREATE TABLE u (g BIGINT, w BIGINT);' +
      'CREATE MATERIALIZED VIEW s AS SELECT t.g, COUNT(*) AS c, SUM(w) AS total, MAX(name) AS last' +
      ' FROM t JOIN u ON t.g = u.g GROUP BY t.g;' +
      'CREATE MATERIALIZED VIEW best AS SELECT id, name FROM t ORDER BY name DESC, id LIMIT 5;',
    inputs: {
      keyed: generated('t', { id: { range: [0, 4000] }, g: { range: [0, 50] } }),
      plain: generated('u', { g: { range: [0, 50] }, w: { range: [0, 9] } }),
    },
  };
  const views = ['SELECT * FROM s ORDER BY g', 'SELECT * FROM best ORDER BY name DESC, id'];
  const finish = async (pipeline: Opened): Promise<string> => {
    await pipeline.call((c, waitId) => c.allCompleted(waitId));
    const contents = [];
    for (const sql of views) contents.push(await pipeline.query(sql));
    return JSON.stringify(contents, number);
  };
  const whole = await open(definition);
  await whole.call((c) => c.start({ paused: false }));
  const expected = await finish(whole);
  await whole.stop();
  const first = await open(definition);
  await first.call((c) => c.start({ paused: false }));
  while ((await rowsTaken(first)) < 3000) await new Promise((resolve) => setImmediate(resolve));
  const image = await first.call((c, waitId) => c.checkpoint(waitId));
  await first.stop();
  const second = await open(definition, image);
  await second.call((c) => c.start({ paused: false }));
  assert.is(await finish(second), expected);
  assert.is(await rowsTaken(second), 20_000);
  await second.stop();
});

function generated(stream: string, fields: object): object {
  const plan = [{ limit: 10_000, worker_chunk_size: 100, fields }];
  return {
    stream,
    transport: { name: 'datagen', config: { plan, seed: 7 } },
    max_batch_size: 150,
    max_queued_records: 1000,
  };
}

test('a checkpoint is refused by another program, and keeps what users have paused', async () => {
  fixture.write('few.json', '{"id":5}\n{"id":7}\n');
  const definition = { inputs: { few: fileInput('few.json') } };
  const pipeline = await open(definition);
  await pipeline.call((c) => c.start({ paused: false }));
  await pipeline.call((c, waitId) => c.allCompleted(waitId));
  const image = await pipeline.call((c, waitId) => c.checkpoint(waitId));
  await pipeline.stop();
  await rejects(open({ program: 'CREATE TABLE t (id INTEGER);' }, image), 'checkpoint.mismatch');
  const again = await open(definition, image);
  await again.call((c) => c.start({ paused: false }));
  // Its input has ended long ago.
  await again.call((c, waitId) => c.connectorEnded(waitId, 'input', 't.few'));
  await again.call((c, waitId) => c.allCompleted(waitId));
  assert.equal(JSON.stringify(await again.query('SELECT c FROM s'), number), '[{"c":2}]');
  await again.stop();
});

function number(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? Number(value) : value;
}

test.run();
