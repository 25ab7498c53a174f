// The load of the HTTP benchmark: requests that are ready-made bytes, over raw sockets, one outstanding on each.
//
// Its own work for a request is a write and a look at the first bytes of the reply, so that what is measured is the server.
import { connect, type Socket } from 'node:net';

export interface Load {
  readonly port: number;
  readonly connections: number;
  /** All of them, in any order. */
  readonly requests: number;
  readonly requestAt: (ordinal: number) => Buffer;
}

/** Resolves when every request has been answered with 200; the connections are open before the clock starts. */
export async function sendAll(load: Load, onOpen: () => void): Promise<void> {
  const sockets = await Promise.all(Array.from({ length: load.connections }, () => open(load.port)));
  onOpen();
  let next = 0;
  await Promise.all(
    sockets.map(
      (socket) =>
        new Promise<void>((resolve, reject) => {
          const send = (): void => {
            if (next >= load.requests) {
              socket.destroy();
              resolve();
            } else socket.write(load.requestAt(next++));
          };
          let text = '';
          socket.on('data', (bytes) => {
            text += bytes.toString('latin1');
            const head = text.indexOf('\r\n\r\n');
            if (head < 0) return;
            const length = /content-length: (\d+)/i.exec(text);
            if (!text.startsWith('HTTP/1.1 200') || length === null) {
              reject(new Error(text.slice(0, 2000)));
              return;
            }
            if (text.length < head + 4 + Number(length[1])) return;
            text = '';
            send();
          });
          socket.on('error', reject);
          socket.on('close', () => reject(new Error('the server has closed a connection')));
          send();
        }),
    ),
  );
}

/** A request with its body. */
export function requestBytes(path: string, body: string | Buffer): Buffer {
  const bytes = Buffer.from(body);
  const head = `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${bytes.length}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), bytes]);
}

function open(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => resolve(socket));
    socket.setNoDelay(true);
    socket.once('error', reject);
  });
}
