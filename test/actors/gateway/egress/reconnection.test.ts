// Coming back to a stream: from=, incarnations, 409, Server-Sent Events with Last-Event-ID, WebSockets.
import { once } from 'node:events';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { WebSocket } from 'ws';
import type { EgressOptions } from '../../../../actors/gateway/egress/hub-directory.ts';
import type { WeightedRow } from '../../engine/zset-rows.ts';
import { type EgressServer, listen, type Message, type Messages, startEgress, until } from './egress-fixture.ts';

async function withServer(use: (server: EgressServer) => Promise<void>, options: EgressOptions = {}): Promise<void> {
  const server = await startEgress(options);
  try {
    await use(server);
  } finally {
    await server.close();
  }
}

const row = (id: number, note = 'a'): WeightedRow => [1, BigInt(id), note];
const idOf = (message: Message): number | undefined => message.json_data?.[0]?.insert?.id;

interface Problem {
  readonly message: string;
  readonly error_code: string;
  readonly details: Readonly<Record<string, unknown>>;
}

test('a listener continues where it was cut off, without loss or repetition', () =>
  withServer(async ({ engine, url }) => {
    const first = await listen(`${url}/v?format=json&from=latest`);
    const head = await first.next();
    assert.is(head.sequence_number, 0);
    engine.step([row(1)]);
    engine.step([row(2)]);
    assert.is((await first.data()).sequence_number, 1);
    const second = await first.data();
    assert.is(second.sequence_number, 2);
    await first.cancel();
    engine.step([row(3)]);
    engine.step([]);
    const again = await listen(`${url}/v?format=json&from=3&incarnation=${head.incarnation}`);
    const resumed = await again.next();
    assert.is(resumed.incarnation, head.incarnation);
    assert.is(resumed.sequence_number, 2);
    engine.step([row(4)]);
    const three = await again.data();
    assert.is(three.sequence_number, 3);
    assert.is(idOf(three), 3);
    const four = await again.data();
    assert.is(four.sequence_number, 4);
    assert.is(idOf(four), 4);
    await again.cancel();
  }));

test('messages without data repeat the number of the latest with data', () =>
  withServer(async ({ engine, url }) => {
    const stream = await listen(`${url}/v?format=json&from=latest`);
    await stream.next();
    engine.step([row(1)]);
    await stream.data();
    engine.step([]);
    assert.equal(await stream.next(), { sequence_number: 1, snapshot: false, processed_steps: 2 });
    await stream.cancel();
  }));

test('another incarnation and a number outside the window are 409 with the way to a snapshot', () =>
  withServer(
    async ({ engine, url }) => {
      const stream = await listen(`${url}/v?format=json&from=latest`);
      const { incarnation } = await stream.next();
      for (let i = 0; i < 10; i++) engine.step([row(i, 'x'.repeat(100))]);
      for (let i = 0; i < 10; i++) await stream.data();
      const other = await fetch(`${url}/v?format=json&from=3&incarnation=elsewhere`);
      assert.is(other.status, 409);
      const problem = (await other.json()) as Problem;
      assert.is(problem.error_code, 'EgressIncarnationChanged');
      const expired = await fetch(`${url}/v?format=json&from=2&incarnation=${incarnation}`);
      assert.is(expired.status, 409);
      const { error_code, details } = (await expired.json()) as Problem;
      assert.is(error_code, 'EgressSequenceExpired');
      assert.is(details['incarnation'], incarnation);
      assert.is(details['next_sequence'], 11);
      assert.ok(Number(details['oldest_sequence']) > 2);
      assert.is((await fetch(`${url}/v?format=json&from=12`)).status, 409);
      engine.contents = [row(9)];
      const snapshot = await listen(new URL(String(details['snapshot']), url).href);
      await snapshot.next();
      assert.equal(await snapshot.next(), {
        sequence_number: 0,
        snapshot: true,
        json_data: [{ insert: { id: 9, note: 'a' } }],
      });
      const end = await snapshot.next();
      assert.is(end.snapshot_end, true);
      assert.is(end.sequence_number, 10);
      engine.step([row(10)]);
      assert.is((await snapshot.data()).sequence_number, 11);
      const plain = await fetch(`${url}/plain?format=json&from=9`);
      assert.is(((await plain.json()) as Problem).details['snapshot'], null);
      for (const each of [stream, snapshot]) await each.cancel();
    },
    { windowBytesMax: 600 },
  ));

test('nobody comes back for long: the incarnation ends', () =>
  withServer(
    async ({ engine, url }) => {
      const stream = await listen(`${url}/v?format=json&from=latest`);
      const { incarnation } = await stream.next();
      await stream.cancel();
      await until(() => engine.outputs.size === 0);
      assert.is((await fetch(`${url}/v?format=json&from=1&incarnation=${incarnation}`)).status, 409);
    },
    { lingerMs: 10 },
  ));

interface ServerEvent {
  readonly id: string | undefined;
  readonly event: string | undefined;
  readonly data: Message;
}

async function nextEvent(stream: Messages): Promise<ServerEvent> {
  const fields = new Map<string, string>();
  for (;;) {
    const line = await stream.line();
    if (line === null) throw new Error('the stream has ended');
    if (line === '') break;
    const at = line.indexOf(': ');
    fields.set(line.slice(0, at), line.slice(at + 2));
  }
  // SAFETY: the test checks what it reads of it.
  const data = JSON.parse(fields.get('data') ?? 'null') as Message;
  return { id: fields.get('id'), event: fields.get('event'), data };
}

const events = (lastEventId?: string): RequestInit => ({
  headers: { Accept: 'text/event-stream', ...(lastEventId === undefined ? {} : { 'Last-Event-ID': lastEventId }) },
});

test('server-sent events have ids, and Last-Event-ID continues behind one', () =>
  withServer(async ({ engine, url }) => {
    const stream = await listen(`${url}/v?format=json`, events());
    assert.is(stream.response.headers.get('content-type'), 'text/event-stream');
    const { incarnation } = (await nextEvent(stream)).data;
    engine.step([row(1)]);
    engine.step([row(2)]);
    const one = await nextEvent(stream);
    assert.is(one.id, `${incarnation}:1`);
    assert.is(idOf(one.data), 1);
    await stream.cancel();
    const again = await listen(`${url}/v?format=json`, events(one.id));
    await nextEvent(again);
    const two = await nextEvent(again);
    assert.is(two.id, `${incarnation}:2`);
    assert.is(idOf(two.data), 2);
    await again.cancel();
  }));

test('server-sent events that cannot be continued begin with a reset and a snapshot', () =>
  withServer(async ({ engine, url }) => {
    engine.contents = [row(7)];
    const stream = await listen(`${url}/v?format=json`, events('elsewhere:3'));
    const reset = await nextEvent(stream);
    assert.is(reset.event, 'reset');
    assert.is((await nextEvent(stream)).id, undefined);
    const contents = await nextEvent(stream);
    assert.is(contents.id, undefined);
    assert.is(idOf(contents.data), 7);
    const end = await nextEvent(stream);
    assert.is(end.data.snapshot_end, true);
    assert.match(end.id ?? '', /:0$/);
    await stream.cancel();
    const plain = await listen(`${url}/plain?format=json`, events('elsewhere:3'));
    assert.is((await nextEvent(plain)).event, 'reset');
    assert.is((await nextEvent(plain)).data.snapshot, false);
    await plain.cancel();
  }));

class Socket {
  readonly socket: WebSocket;
  readonly #messages: string[] = [];
  #wake: () => void = () => {};

  constructor(url: string) {
    this.socket = new WebSocket(url.replace('http:', 'ws:'));
    this.socket.on('message', (data, isBinary) => {
      assert.not(isBinary);
      this.#messages.push(String(data));
      this.#wake();
    });
  }

  async next(): Promise<Message & Problem> {
    while (this.#messages.length === 0) await new Promise<void>((resolve) => (this.#wake = resolve));
    // SAFETY: the test checks what it reads of it.
    return JSON.parse(this.#messages.shift() ?? '') as Message & Problem;
  }
}

test('a WebSocket gets the same objects, one text message each, and continues with from', () =>
  withServer(async ({ engine, url }) => {
    const one = new Socket(`${url}/v?format=json`);
    const { incarnation } = await one.next();
    engine.step([row(1), row(2)]);
    const message = await one.next();
    assert.is(message.sequence_number, 1);
    assert.is(message.json_data?.length, 2);
    one.socket.close();
    await once(one.socket, 'close');
    engine.step([row(3)]);
    const again = new Socket(`${url}/v?format=json&from=2&incarnation=${incarnation}`);
    await again.next();
    assert.is(idOf(await again.next()), 3);
    engine.end();
    const [code] = await once(again.socket, 'close');
    assert.is(code, 1000);
  }));

test('a WebSocket that cannot be served is told why', () =>
  withServer(async ({ url }) => {
    for (const [path, code, name] of [
      ['nowhere', 4404, 'ConfigError.UnknownOutputStream'],
      ['v?format=json&from=9', 4409, 'EgressSequenceExpired'],
      ['v?format=avro', 4400, 'ConfigError.UnknownOutputFormat'],
    ] as const) {
      const refused = new Socket(`${url}/${path}`);
      const closed = once(refused.socket, 'close');
      assert.is((await refused.next()).error_code, name);
      assert.is((await closed)[0], code);
    }
  }));

test('a slow WebSocket with back-pressure holds the engine back, and loses nothing', () =>
  withServer(async ({ engine, url }) => {
    const slow = new Socket(`${url}/v?format=json&max_chunk_bytes=1000000`);
    await slow.next();
    slow.socket.pause();
    const rows = Array.from({ length: 1000 }, (_, i) => row(i, 'x'.repeat(1000)));
    for (let i = 0; i < 400 && engine.hasCredit; i++) {
      engine.step(rows);
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.not(engine.hasCredit);
    slow.socket.resume();
    let received = 0;
    while (received < engine.current * 1000) received += (await slow.next()).json_data?.length ?? 0;
    assert.is(received, engine.current * 1000);
    slow.socket.terminate();
  }));

test.run();
