// A destination actor from its port to a destination: order, flushes, confirmations, buffers, bad rows, failures.

import { MessageChannel } from 'node:worker_threads';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { destinationBehaviour } from '../../../actors/destination/destination-actor.ts';
import type { DestinationErrors, DestinationMessage, DestinationNotice } from '../../../actors/destination/messages.ts';
import type { OutputConnector } from '../../../connectors/sdk/connector-configuration.ts';
import { defineDestination } from '../../../connectors/sdk/destination.ts';
import type { OutputFormat } from '../../../connectors/sdk/format.ts';
import { BatchBuilder } from '../../../runtime/batch/batch-builder.ts';
import type { ChangeBatch } from '../../../runtime/batch/change-batch.ts';
import { makeSchema, type Relation } from '../../../runtime/batch/schema.ts';
import type { FrameSender } from '../../../runtime/mailbox/channel.ts';
import { openFrameSender } from '../../../runtime/mailbox/port-channel.ts';
import { type LoneActor, loneActor, until } from '../lone-actor.ts';

const schema = makeSchema([{ name: 'n', type: { kind: 'INTEGER' }, nullable: false }]);
const relation: Relation = { name: 'v', schema, primaryKey: [] };

/** Pairs of number and weight. */
function changes(...rows: (readonly [number, number])[]): ChangeBatch {
  const builder = new BatchBuilder(schema, 8);
  for (const [n, weight] of rows) {
    builder.reserve(1);
    builder.columns[0]!.values[builder.rows] = n;
    builder.commitRow(weight);
  }
  return builder.finish();
}

/** Prints `+1`, `-2`; cannot print 13. */
const plain: OutputFormat = {
  name: 'plain',
  summary: 'Signed numbers.',
  parameters: [],
  encoder: () => ({
    encode: (batch) => {
      let text = '';
      const column = batch.columns[0]!;
      for (let i = 0; i < batch.rows; i++) {
        const n = column.layout === 'fixed' ? column.values[i] : 0;
        if (n === 13) throw new Error('13 is not printed');
        text += `${(batch.weights?.[i] ?? 1) > 0 ? '+' : '-'}${n} `;
      }
      return { bytes: new TextEncoder().encode(text), records: batch.rows };
    },
    finish: () => new TextEncoder().encode('.'),
  }),
};

interface Fixture extends LoneActor<DestinationMessage, DestinationNotice> {
  readonly sender: FrameSender;
  /** What was written, with `|` for each flush. */
  readonly written: () => string;
  readonly confirmed: number[];
  release(): void;
  close(): Promise<void>;
}

async function fixture(
  options: Partial<OutputConnector> & { readonly breaks?: boolean; readonly waits?: boolean } = {},
): Promise<Fixture> {
  let written = '';
  let release = (): void => {};
  const mayOpen = options.waits === true ? new Promise<void>((resolve) => (release = resolve)) : Promise.resolve();
  const paper = defineDestination({
    name: 'paper',
    summary: 'Remembers.',
    parameters: [],
    format: 'required',
    create: () => ({
      open: () => mayOpen,
      write: async (data) => {
        if (options.breaks === true) throw new Error('out of ink');
        if (data.kind === 'bytes') written += new TextDecoder().decode(data.bytes);
      },
      flush: async () => {
        written += '|';
      },
      prepare: async (checkpoint) => void (written += `(prepare ${checkpoint})`),
      commit: async (checkpoint) => void (written += `(commit ${checkpoint})`),
      recover: async (checkpoint) => void (written += `(recover ${checkpoint})`),
    }),
  });
  const connector: OutputConnector = {
    kind: 'output',
    name: 'out',
    relation: 'v',
    endpoint: 'v.out',
    transport: { name: 'paper', config: {} },
    format: { name: 'plain', config: {} },
    labels: [],
    onFull: 'block',
    maxQueuedRecords: 1000,
    maxQueuedBytes: 1 << 20,
    sendSnapshot: false,
    enableOutputBuffer: false,
    maxOutputBufferTimeMillis: null,
    maxOutputBufferSizeRecords: 1000,
    ...options,
  };
  const { port1, port2 } = new MessageChannel();
  const connectors = { sources: [], destinations: [paper], inputFormats: [], outputFormats: [plain], processors: [] };
  const lone = await loneActor(destinationBehaviour(connectors), { connector, relation, port: port2, baseFolder: '.' });
  const sender = openFrameSender(port1, { schema, limits: { rowsMax: 1000, bytesMax: 1 << 20 } });
  const confirmed: number[] = [];
  sender.onConfirm = (mark) => confirmed.push(mark);
  return {
    ...lone,
    sender,
    written: () => written,
    confirmed,
    release: () => release(),
    close: async () => {
      await lone.actor.stop();
      sender.close();
    },
  };
}

let sequence = 0;
const send = (sender: FrameSender, batch: ChangeBatch): void =>
  sender.send({ kind: 'batch', sequence: ++sequence, batch });

test('changes are written in order, flushed when nothing more waits, and only then confirmed', async () => {
  const { sender, written, confirmed, ask, gauges, noticed, close } = await fixture();
  await ask({ kind: 'open' });
  send(sender, changes([1, 1], [2, -1]));
  sender.send({ kind: 'mark', mark: 1 });
  await until(() => confirmed.length === 1);
  assert.is(written(), '+1 -2 |');
  send(sender, changes([3, 1]));
  sender.send({ kind: 'mark', mark: 2 });
  sender.send({ kind: 'end' });
  await noticed('destination ended');
  await until(() => confirmed.at(-1) === 2);
  assert.match(written(), /^\+1 -2 \|\+3 \|?\.\|$/);
  assert.is(gauges.get('records'), 3);
  await close();
});

test('a destination that delivers exactly once is prepared behind a barrier, and confirms when the checkpoint is stored', async () => {
  const { sender, written, confirmed, ask, gauges, notices, noticed, close } = await fixture({ isExactlyOnce: true });
  await ask({ kind: 'open' });
  assert.is(written(), '(recover null)');
  send(sender, changes([1, 1]));
  sender.send({ kind: 'mark', mark: 1 });
  sender.send({ kind: 'barrier', checkpoint: 'c1' });
  send(sender, changes([2, 1]));
  sender.send({ kind: 'mark', mark: 2 });
  await noticed('checkpoint prepared');
  await until(() => written().endsWith('+2 |'));
  assert.match(written(), /^\(recover null\)\+1 \|\(prepare c1\)\+2 \|$/);
  assert.equal(confirmed, []);
  await ask({ kind: 'checkpoint stored', checkpoint: 'c1' });
  await until(() => confirmed.length === 1);
  assert.equal(confirmed, [1]);
  assert.is(gauges.get('awaitsCheckpoint'), 1);
  // Behind the end no barrier comes; what is asked before waits for it.
  const prepared = ask({ kind: 'prepare checkpoint', checkpoint: 'c2' });
  for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
  assert.is(notices.filter(({ kind }) => kind === 'checkpoint prepared').length, 1);
  sender.send({ kind: 'end' });
  await prepared;
  await ask({ kind: 'checkpoint stored', checkpoint: 'c2' });
  await until(() => confirmed.at(-1) === 2);
  assert.match(written(), /\(commit c1\).*\(prepare c2\)\(commit c2\)$/);
  assert.is(gauges.get('awaitsCheckpoint'), 0);
  await close();
});

test('frames that come before the destination is open wait for it', async () => {
  const { sender, written, ask, release, confirmed, close } = await fixture({ waits: true });
  const opened = ask({ kind: 'open' });
  send(sender, changes([1, 1]));
  sender.send({ kind: 'mark', mark: 1 });
  for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
  assert.is(written(), '');
  release();
  await opened;
  await until(() => confirmed.length === 1);
  assert.is(written(), '+1 |');
  await close();
});

test('a buffer merges what cancels out and confirms nothing before it has left', async () => {
  const { sender, written, ask, confirmed, gauges, close } = await fixture({ enableOutputBuffer: true });
  await ask({ kind: 'open' });
  for (let mark = 1; mark <= 5; mark++) {
    if (mark > 1) send(sender, changes([mark - 1, -1]));
    send(sender, changes([mark, 1]));
    sender.send({ kind: 'mark', mark });
  }
  await until(() => gauges.get('bufferedRecords') === 9);
  for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
  assert.equal([written(), confirmed], ['', []]);
  await ask({ kind: 'flush' });
  assert.is(written(), '+5 |');
  await until(() => confirmed.at(-1) === 5);
  await close();
});

test('insertions leave a buffer as they came', async () => {
  const { sender, written, ask, gauges, close } = await fixture({ enableOutputBuffer: true });
  await ask({ kind: 'open' });
  send(sender, changes([1, 1], [2, 1]));
  send(sender, changes([1, 1]));
  await until(() => gauges.get('bufferedRecords') === 3);
  await ask({ kind: 'flush' });
  assert.is(written(), '+1 +2 +1 |');
  await close();
});

test('a buffer keeps nothing of the steps that somebody waits for, also when the last of them changed nothing', async () => {
  const { sender, written, ask, confirmed, gauges, close } = await fixture({ enableOutputBuffer: true });
  await ask({ kind: 'open' });
  send(sender, changes([1, 1]));
  sender.send({ kind: 'mark', mark: 1 });
  await until(() => gauges.get('bufferedRecords') === 1);
  await ask({ kind: 'write through', step: 3 });
  await until(() => confirmed.at(-1) === 1);
  send(sender, changes([2, 1]));
  sender.send({ kind: 'mark', mark: 2 });
  await until(() => confirmed.at(-1) === 2);
  send(sender, changes([3, 1]));
  sender.send({ kind: 'mark', mark: 4 });
  await until(() => confirmed.at(-1) === 4);
  assert.is(written(), '+1 |+2 |+3 |');
  send(sender, changes([5, 1]));
  sender.send({ kind: 'mark', mark: 5 });
  await until(() => gauges.get('bufferedRecords') === 1);
  for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
  assert.is(confirmed.at(-1), 4);
  await close();
});

test('a buffer that is full or has waited long enough leaves by itself', async () => {
  const full = await fixture({ enableOutputBuffer: true, maxOutputBufferSizeRecords: 3 });
  const late = await fixture({ enableOutputBuffer: true, maxOutputBufferTimeMillis: 5 });
  for (const { sender, ask, confirmed, written, close } of [full, late]) {
    await ask({ kind: 'open' });
    send(sender, changes([1, 1], [2, 1]));
    sender.send({ kind: 'mark', mark: 1 });
    send(sender, changes([3, 1]));
    sender.send({ kind: 'mark', mark: 2 });
    send(sender, changes([3, 1]));
    // The clock's timers keep nothing alive; a test that waits for one has to.
    const alive = setInterval(() => {}, 1000);
    await until(() => confirmed.length > 0);
    clearInterval(alive);
    assert.match(written(), /^\+1 \+2/);
    await close();
  }
});

test('a row that cannot be printed is listed, and the rows around it are kept', async () => {
  const { sender, written, ask, confirmed, gauges, close } = await fixture();
  await ask({ kind: 'open' });
  send(sender, changes([1, 1], [13, 1], [2, 1], [3, 1], [13, 1]));
  sender.send({ kind: 'mark', mark: 1 });
  await until(() => confirmed.length === 1);
  assert.is(written(), '+1 +2 +3 |');
  assert.is(gauges.get('numEncodeErrors'), 2);
  const { encodeErrors } = await ask<DestinationErrors>({ kind: 'errors' });
  assert.equal(
    encodeErrors.map(({ error, record }) => [error.code, record]),
    [
      ['destination.row_not_encodable', 2],
      ['destination.row_not_encodable', 5],
    ],
  );
  await close();
});

test('a destination that cannot write fails with the cause and closes its port', async () => {
  const { sender, ask, noticed, gauges, confirmed, close } = await fixture({ breaks: true });
  let isClosed = false;
  sender.onClose = () => {
    isClosed = true;
  };
  await ask({ kind: 'open' });
  send(sender, changes([1, 1]));
  sender.send({ kind: 'mark', mark: 1 });
  const notice = await noticed('destination failed');
  assert.is(notice.kind === 'destination failed' && notice.error.message, 'out of ink');
  await until(() => isClosed);
  assert.equal(confirmed, []);
  assert.is(gauges.get('numTransportErrors'), 1);
  await close();
});

test.run();
