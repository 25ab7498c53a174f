// A short reply: what a client reads, over keep-alive and pipelined requests alike.
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { sendShort } from '../../../../actors/gateway/http/short-reply.ts';

test('replies come whole and in order, with their length, and the connection stays', async () => {
  let finished = 0;
  const held: (() => void)[] = [];
  const server = createServer((request, response) => {
    response.once('finish', () => finished++);
    const answer = (): void =>
      sendShort(response, 200, ['Content-Type', 'text/plain', 'X-Mine', 'a'], `<${request.url}>`);
    // The first waits for the second: what comes later stays behind it.
    if (request.url === '/first') held.push(answer);
    else {
      answer();
      for (const each of held.splice(0)) each();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  // SAFETY: it listens on a TCP port.
  const { port } = server.address() as AddressInfo;
  const socket = connect(port, '127.0.0.1');
  let text = '';
  const reached = (end: string): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (!text.endsWith(end)) return;
        socket.off('data', look);
        resolve();
      };
      socket.on('data', look);
    });
  socket.on('data', (bytes) => {
    text += bytes.toString('latin1');
  });
  const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;
  const both = reached('</second>');
  socket.write(get('/first') + get('/second'));
  await both;
  const third = reached('</third>');
  socket.write(get('/third'));
  await third;
  const replies = text.split('HTTP/1.1 200 OK\r\n').slice(1);
  assert.equal(
    replies.map((reply) => reply.split('\r\n\r\n')[1]),
    ['</first>', '</second>', '</third>'],
  );
  for (const reply of replies) {
    assert.match(reply, /^Content-Type: text\/plain\r\nX-Mine: a\r\nContent-Length: [89]\r\n/);
    assert.match(reply, /\r\nConnection: keep-alive\r\n/);
  }
  socket.end();
  await new Promise<void>((resolve) => server.close(() => resolve()));
  assert.is(finished, 3);
});

test.run();
