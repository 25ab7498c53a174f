// A relay in front of an HTTP server that stops at a request: before the server has it, or when the server has answered and nobody has heard it.
// What a process is at when it is killed is chosen by this.
import { createServer, connect as open, type Socket } from 'node:net';

export interface RequestGate {
  readonly url: string;
  /** Resolves when a request whose first line is like that has been stopped. Its connection stands still from then on. */
  stopAt(request: RegExp, when: 'asked' | 'answered'): Promise<void>;
  close(): Promise<void>;
}

export async function startRequestGate(server: string): Promise<RequestGate> {
  const sockets = new Set<Socket>();
  let wanted: { readonly request: RegExp; readonly when: 'asked' | 'answered'; readonly stopped: () => void } | null =
    null;
  const keep = (socket: Socket): Socket => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    return socket;
  };
  const relay = createServer((near) => {
    keep(near);
    const far = keep(open(Number(new URL(server).port), '127.0.0.1'));
    let stopped: (() => void) | null = null;
    let isShut = false;
    near.on('data', (chunk) => {
      if (isShut) return;
      if (wanted?.request.test(chunk.toString('latin1').split('\r\n', 1)[0] ?? '') === true) {
        const { when, stopped: tell } = wanted;
        wanted = null;
        if (when === 'asked') {
          isShut = true;
          tell();
          return;
        }
        stopped = tell;
      }
      far.write(chunk);
    });
    far.on('data', (chunk) => {
      if (stopped === null) near.write(chunk);
      else stopped();
    });
    near.on('close', () => far.destroy());
    far.on('close', () => near.destroy());
  });
  await new Promise<void>((resolve) => relay.listen(0, '127.0.0.1', resolve));
  const address = relay.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    stopAt: (request, when) =>
      new Promise((resolve) => {
        wanted = { request, when, stopped: resolve };
      }),
    close: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => relay.close(() => resolve()));
    },
  };
}
