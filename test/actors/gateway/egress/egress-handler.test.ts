// The stream of a view over HTTP: messages, order, numbers, steps, snapshots, back-pressure, limits, ends.
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { EgressOptions } from '../../../../actors/gateway/egress/hub-directory.ts';
import type { WeightedRow } from '../../engine/zset-rows.ts';
import { type EgressServer, listen, startEgress, until } from './egress-fixture.ts';

async function withServer(use: (server: EgressServer) => Promise<void>, options: EgressOptions = {}): Promise<void> {
  const server = await startEgress(options);
  try {
    await use(server);
  } finally {
    await server.close();
  }
}

const row = (id: number, note: string, weight = 1): WeightedRow => [weight, BigInt(id), note];
const many = (count: number, note: string): WeightedRow[] => Array.from({ length: count }, (_, i) => row(i, note));

test('the first message has no data, comes when the listener is attached, and every later step follows', () =>
  withServer(async ({ engine, url }) => {
    const stream = await listen(`${url}/v?format=json&backpressure=true&array=false`, { method: 'POST' });
    assert.is(stream.response.headers.get('content-type'), 'application/json');
    const first = await stream.next();
    assert.equal(Object.keys(first), ['sequence_number', 'snapshot', 'incarnation']);
    assert.is(first.sequence_number, 0);
    const step = engine.step([row(1, 'a "quoted"\nline')]);
    assert.equal(await stream.next(), {
      sequence_number: 1,
      snapshot: false,
      json_data: [{ insert: { id: 1, note: 'a "quoted"\nline' } }],
      processed_steps: step,
    });
    await stream.cancel();
  }));

test('who reads every message for rows finds a list in each that tells something', () =>
  withServer(async ({ engine, url }) => {
    const stream = await listen(`${url}/v?format=json`, { method: 'POST' });
    assert.equal((await stream.next()).json_data, []);
    engine.step([]);
    const progress = await stream.next();
    assert.equal([progress.json_data, progress.processed_steps], [[], 1]);
    await stream.cancel();
  }));

test('who comes while a transaction is open begins behind it', () =>
  withServer(async ({ engine, url }) => {
    engine.step([row(1, 'before')]);
    engine.isInTransaction = true;
    const stream = await listen(`${url}/v?format=json`);
    await stream.next();
    engine.step([row(2, 'in the transaction')]);
    engine.isInTransaction = false;
    engine.step([row(3, 'behind it')]);
    assert.equal((await stream.data()).json_data, [{ insert: { id: 3, note: 'behind it' } }]);
    await stream.cancel();
  }));

test('deletions come first within a step, over all of its batches, and weights are expanded', () =>
  withServer(async ({ engine, url }) => {
    const stream = await listen(`${url}/v?format=json`, { method: 'POST' });
    await stream.next();
    engine.step([row(1, 'new', 2), row(2, 'old', -1)], [row(3, 'new'), row(4, 'old', -2)]);
    const seen: string[] = [];
    for (;;) {
      const message = await stream.data();
      for (const record of message.json_data ?? [])
        seen.push(`${Object.keys(record)[0]} ${(record.insert ?? record.delete)?.id}`);
      if (message.processed_steps !== undefined) break;
    }
    assert.equal(seen, ['delete 2', 'delete 4', 'delete 4', 'insert 1', 'insert 1', 'insert 3']);
    await stream.cancel();
  }));

test('steps without changes are told in a message without data', () =>
  withServer(async ({ engine, url }) => {
    const stream = await listen(`${url}/v?format=json`);
    await stream.next();
    for (let i = 0; i < 50; i++) engine.step([]);
    let messages = 0;
    for (;;) {
      const message = await stream.next();
      messages++;
      assert.is(message.json_data, undefined);
      if (message.processed_steps === engine.current) break;
    }
    assert.ok(messages < 50, `${messages} messages for 50 steps`);
    await until(() => engine.confirmed === engine.current);
    await stream.cancel();
  }));

test('each message is one HTTP chunk that ends with a line end', () =>
  withServer(async ({ engine, url }) => {
    const { hostname, port, pathname } = new URL(`${url}/v`);
    const socket = connect(Number(port), hostname);
    let text = '';
    socket.on('data', (data) => {
      text += data.toString('latin1');
    });
    socket.write(`GET ${pathname}?format=json&max_chunk_bytes=60 HTTP/1.1\r\nHost: x\r\n\r\n`);
    await until(() => text.includes('incarnation'));
    engine.step(many(20, 'note'));
    await until(() => text.includes('processed_steps'));
    socket.destroy();
    const body = text.slice(text.indexOf('\r\n\r\n') + 4);
    let at = 0;
    let rows = 0;
    let chunks = 0;
    while (at < body.length) {
      const sizeEnd = body.indexOf('\r\n', at);
      const size = Number.parseInt(body.slice(at, sizeEnd), 16);
      const chunk = body.slice(sizeEnd + 2, sizeEnd + 2 + size);
      assert.is(body.slice(sizeEnd + 2 + size, sizeEnd + 4 + size), '\r\n');
      assert.ok(chunk.endsWith('}\r\n'));
      const message = JSON.parse(chunk) as { json_data?: unknown[] };
      rows += message.json_data?.length ?? 0;
      chunks++;
      at = sizeEnd + 4 + size;
    }
    assert.is(rows, 20);
    assert.ok(chunks >= 11, `${chunks} chunks`);
  }));

test('a message holds at most 10,000 records', () =>
  withServer(async ({ engine, url }) => {
    const stream = await listen(`${url}/v?format=json`, { method: 'POST' });
    await stream.next();
    engine.step(many(25_000, 'x'));
    const sizes: number[] = [];
    for (;;) {
      const message = await stream.data();
      sizes.push(message.json_data?.length ?? 0);
      if (message.processed_steps !== undefined) break;
    }
    assert.equal(sizes, [10_000, 10_000, 5_000]);
    await stream.cancel();
  }));

test('csv has the weight last and no header; header=true and weight=false change both', () =>
  withServer(async ({ engine, url }) => {
    const usual = await listen(`${url}/v`, { method: 'POST' });
    const documented = await listen(`${url}/v?format=csv&header=true&weight=false`);
    const headed = await listen(`${url}/v?format=csv&header=true`);
    for (const stream of [usual, documented, headed]) await stream.next();
    engine.step([row(1, 'a,"b"\nc', 2), row(2, 'old', -1)]);
    assert.is((await usual.data()).text_data, '2,old,-1\n1,"a,""b""\nc",2\n');
    assert.is((await documented.data()).text_data, 'id,note\n2,old\n1,"a,""b""\nc"\n1,"a,""b""\nc"\n');
    assert.is((await headed.data()).text_data, 'id,note,weight\n2,old,-1\n1,"a,""b""\nc",2\n');
    engine.step([row(3, 'd')]);
    assert.is((await documented.data()).text_data, '3,d\n');
    for (const stream of [usual, documented, headed]) await stream.cancel();
  }));

test('all listeners of one form share one output, which goes when the last has gone', () =>
  withServer(async ({ engine, url }) => {
    const streams = await Promise.all(Array.from({ length: 5 }, () => listen(`${url}/v?format=json`)));
    for (const stream of streams) await stream.next();
    assert.is(engine.outputs.size, 1);
    const [statistics] = engine.apiOutputs.values();
    assert.match(statistics?.endpoint ?? '', /^v\.api-[0-9a-f-]{36}$/);
    assert.is(statistics?.listeners, 5);
    engine.step([row(1, 'a')]);
    for (const stream of streams) assert.equal((await stream.data()).json_data?.[0]?.insert, { id: 1, note: 'a' });
    assert.is(statistics?.transmittedRecords, 5);
    for (const stream of streams) await stream.cancel();
    await until(() => engine.outputs.size === 0 && engine.apiOutputs.size === 0);
  }));

test('a snapshot comes first, then the changes after exactly those contents', () =>
  withServer(async ({ engine, url }) => {
    const early = await listen(`${url}/v?format=json`);
    await early.next();
    engine.step([row(1, 'a')]);
    engine.contents = [row(1, 'a')];
    const stream = await listen(`${url}/v?format=json&send_snapshot=true`);
    assert.is((await stream.next()).snapshot, true);
    assert.equal(await stream.next(), {
      sequence_number: 1,
      snapshot: true,
      json_data: [{ insert: { id: 1, note: 'a' } }],
    });
    const end = await stream.next();
    assert.is(end.snapshot_end, true);
    assert.is(end.processed_steps, 1);
    engine.step([row(2, 'b')]);
    const change = await stream.next();
    assert.is(change.snapshot, false);
    assert.equal(change.json_data, [{ insert: { id: 2, note: 'b' } }]);
    await until(() => engine.outputs.size === 1);
    for (const each of [early, stream]) await each.cancel();
  }));

test('a slow listener with back-pressure holds the engine back, and loses nothing', () =>
  withServer(async ({ engine, url }) => {
    const stream = await listen(`${url}/v?format=json`, { method: 'POST' });
    await stream.next();
    const note = 'x'.repeat(1000);
    let sent = 0;
    for (let i = 0; i < 400 && engine.hasCredit; i++) {
      engine.step(many(1000, note));
      sent++;
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.ok(sent < 400, 'the engine was held back');
    assert.ok(engine.confirmed < sent, 'what was not handed over is not confirmed');
    let rows = 0;
    while (rows < sent * 1000) rows += (await stream.data()).json_data?.length ?? 0;
    assert.is(rows, sent * 1000);
    await until(() => engine.confirmed === sent && engine.hasCredit);
    await stream.cancel();
  }));

test('a slow listener without back-pressure loses chunks, which is counted and shows as a gap; others lose nothing', () =>
  withServer(async ({ engine, url }) => {
    const slow = await listen(`${url}/v?format=json&backpressure=false`, { method: 'POST' });
    const quick = await listen(`${url}/v?format=json&backpressure=false`, { method: 'POST' });
    await slow.next();
    await quick.next();
    const note = 'x'.repeat(1000);
    const steps = 300;
    for (let i = 0; i < steps; i++) {
      engine.step(many(200, note));
      assert.is((await quick.data()).json_data?.length, 200);
    }
    const [statistics] = engine.apiOutputs.values();
    await until(() => engine.confirmed === steps);
    assert.ok((statistics?.droppedRecords ?? 0) > 0, 'records were dropped');
    let received = 0;
    let last = 0;
    let gap = 0;
    while (received + (statistics?.droppedRecords ?? 0) < steps * 200) {
      const message = await slow.next();
      gap += message.sequence_number - last - 1;
      last = message.sequence_number;
      received += message.json_data?.length ?? 0;
    }
    engine.step([row(1, 'end')]);
    const end = await slow.data();
    gap += end.sequence_number - last - 1;
    assert.is(gap * 200, statistics?.droppedRecords);
    for (const stream of [slow, quick]) await stream.cancel();
  }));

test('a snapshot that nobody reads holds the engine with back-pressure, and never without', () =>
  withServer(async ({ engine, url }) => {
    engine.contents = many(5_000, 'x'.repeat(150));
    engine.contentsTimes = 34;
    const free = await listen(`${url}/v?format=json&send_snapshot=true&backpressure=false`);
    await free.next();
    await until(() => engine.outputs.size === 1 && engine.hasCredit);
    const holding = await listen(`${url}/v?format=json&send_snapshot=true`);
    await holding.next();
    assert.not.ok(engine.hasCredit);
    await holding.cancel();
    let rows = 0;
    for (let message = await free.next(); message.snapshot_end !== true; message = await free.next()) {
      rows += message.json_data?.length ?? 0;
    }
    assert.is(rows, 170_000);
    await free.cancel();
  }));

test('silence is broken by a message without data', () =>
  withServer(
    async ({ url }) => {
      const stream = await listen(`${url}/v?format=json`);
      await stream.next();
      assert.equal(await stream.next(), { sequence_number: 1, snapshot: false });
      assert.equal(await stream.next(), { sequence_number: 2, snapshot: false });
      await stream.cancel();
    },
    { keepaliveMs: 20 },
  ));

test('the stream ends when the output ends, after what was sent', () =>
  withServer(async ({ engine, url }) => {
    const stream = await listen(`${url}/v?format=json`);
    await stream.next();
    engine.step([row(1, 'a')]);
    engine.end();
    assert.is((await stream.next()).json_data?.length, 1);
    assert.is(await stream.line(), null);
  }));

test('the stream ends when the deployment ends', () =>
  withServer(async ({ engine, url }) => {
    const stream = await listen(`${url}/v?format=json`);
    await stream.next();
    engine.abort();
    assert.is(await stream.line(), null);
  }));

test('the body may hold the configuration of the connector', () =>
  withServer(async ({ engine, url }) => {
    const body = JSON.stringify({
      transport: { name: 'http_output', config: { backpressure: true } },
      format: { name: 'json', config: { array: true } },
    });
    const stream = await listen(`${url}/v`, { method: 'POST', body });
    await stream.next();
    engine.step([row(1, 'a')]);
    assert.is((await stream.data()).json_data?.length, 1);
    await stream.cancel();
    const mixed = await fetch(`${url}/v?format=json`, { method: 'POST', body });
    assert.is(mixed.status, 400);
    assert.is(((await mixed.json()) as { error_code: string }).error_code, 'InvalidParam');
    const noArray = await fetch(`${url}/v`, { method: 'POST', body: '{"format":{"name":"json"}}' });
    assert.is(noArray.status, 400);
    const empty = await listen(`${url}/v?format=json`, { method: 'POST', body: 'null' });
    await empty.cancel();
  }));

test('what cannot be served is refused with the codes of /v0', () =>
  withServer(
    async ({ url }) => {
      const refusal = async (path: string): Promise<string> => {
        const response = await fetch(`${url}/${path}`);
        return `${response.status} ${((await response.json()) as { error_code: string }).error_code}`;
      };
      assert.is(await refusal('nowhere?format=json'), '404 ConfigError.UnknownOutputStream');
      assert.is(await refusal('%22V%22?format=json'), '404 ConfigError.UnknownOutputStream');
      assert.is(await refusal('v?format=avro'), '400 ConfigError.UnknownOutputFormat');
      assert.is(await refusal('v?format=json&backpressure=maybe'), '400 InvalidParam');
      assert.is(await refusal('v?format=json&update_format=debezium'), '400 InvalidParam');
      assert.is(await refusal('plain?format=json&send_snapshot=true'), '400 InvalidParam');
      assert.is(await refusal('t?format=json&send_snapshot=true'), '400 InvalidParam');
      const stream = await listen(`${url}/V?format=json&unknown=1`);
      assert.is(await refusal('v?format=json'), '429 ApiConnectionLimit');
      await stream.cancel();
    },
    { listenersMax: 1 },
  ));

test('a client that goes away is forgotten, and a full queue of it holds nobody back', () =>
  withServer(async ({ engine, url }) => {
    const { hostname, port, pathname } = new URL(`${url}/v`);
    const socket = connect(Number(port), hostname);
    socket.write(`POST ${pathname}?format=json HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n`);
    await once(socket, 'data');
    socket.pause();
    const quick = await listen(`${url}/v?format=json`, { method: 'POST' });
    await quick.next();
    const note = 'x'.repeat(1000);
    for (let i = 0; i < 400 && engine.hasCredit; i++) {
      engine.step(many(1000, note));
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.not(engine.hasCredit);
    socket.destroy();
    let rows = 0;
    while (rows < engine.current * 1000) rows += (await quick.data()).json_data?.length ?? 0;
    await until(() => engine.confirmed === engine.current);
    await quick.cancel();
  }));

test.run();
