// Answers find those who asked, however the network has cut them; what is no answer of a broker ends the connection with a reason.
import { createServer, type Server, type Socket } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type BrokerConnection, openConnection } from '../../../connectors/kafka/broker-connection.ts';
import { WireWriter } from '../../../connectors/kafka/wire-bytes.ts';
import { systemClock } from '../../../runtime/clock.ts';

const connections = suite('broker connection');
const servers: Server[] = [];
connections.after(() => {
  for (const server of servers) server.close();
});

/** A peer that is given each socket; resolves with a connection to it. */
async function connected(serve: (socket: Socket) => void, onLost: () => void = () => {}): Promise<BrokerConnection> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    serve(socket);
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const parts = { address: { host: '127.0.0.1', port }, clientId: 'test', tls: null, timeoutMs: 60_000 };
  return await openConnection({ ...parts, clock: systemClock, onLost });
}

/** Sends each request back as its own answer, behind the number: in reverse order, when all `count` have come, in pieces of `piece` bytes. */
function echo(socket: Socket, count: number, piece: number): void {
  let seen = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    seen = Buffer.concat([seen, chunk]);
    const requests: Buffer[] = [];
    for (let at = 0; at + 4 <= seen.length && at + 4 + seen.readInt32BE(at) <= seen.length; ) {
      const end = at + 4 + seen.readInt32BE(at);
      requests.push(seen.subarray(at, end));
      at = end;
    }
    if (requests.length < count) return;
    // size, key, version, number, the name "test", no tagged fields
    const answers = requests.reverse().map((request) => {
      const body = Buffer.concat([request.subarray(8, 12), Buffer.from([0]), request.subarray(19)]);
      return Buffer.concat([new WireWriter().int32(body.length).finish(), body]);
    });
    const all = Buffer.concat(answers);
    let at = 0;
    const send = (): void => {
      socket.write(all.subarray(at, at + piece));
      at += piece;
      if (at < all.length) setImmediate(send);
    };
    send();
  });
}

connections('answers come to those who asked, in any order and in any pieces', async () => {
  for (const piece of [1, 3, 7, 1_000, 100_000]) {
    const texts = Array.from({ length: 5 }, (_, i) => `${i}`.repeat(piece < 10 ? 40 : 30_000 * i + 1));
    const connection = await connected((socket) => echo(socket, texts.length, piece));
    const answers = await Promise.all(
      texts.map(async (text) => {
        const body = [new WireWriter().text(text).finish()];
        return (await connection.request({ key: 1, version: 1, body })).text();
      }),
    );
    assert.equal(answers, texts);
    await connection.close();
  }
});

connections('a peer that does not speak the protocol is told from a broker', async () => {
  let losses = 0;
  const connection = await connected(
    (socket) => socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')),
    () => losses++,
  );
  const ask = (): Promise<unknown> => connection.request({ key: 3, version: 12, body: [] });
  const failed = await Promise.allSettled([ask(), ask()]);
  for (const each of failed)
    assert.match(each.status === 'rejected' ? String(each.reason) : '', 'no answer of a broker');
  const [later] = await Promise.allSettled([ask()]);
  assert.is(later.status, 'rejected');
  assert.is(losses, 1);
});

connections('who waits when the peer goes is told', async () => {
  const connection = await connected((socket) => socket.once('data', () => socket.destroy()));
  const [failed] = await Promise.allSettled([connection.request({ key: 3, version: 12, body: [] })]);
  assert.is(failed.status, 'rejected');
});

connections.run();
