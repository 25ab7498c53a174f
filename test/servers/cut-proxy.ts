// A TCP relay on a port that stays: the network between client and server, to be cut and mended, also while the server
// behind it is replaced by another one.
import { createServer, connect as open, type Socket } from 'node:net';

export interface CutProxy {
  readonly url: string;
  /** Where connections lead from now on. */
  target(url: string): void;
  /** Destroys every connection; new ones are destroyed too. */
  cut(): void;
  mend(): void;
  /** So many bytes a second each way from now on; 0: what comes is held back; null: as fast as it comes. */
  slow(bytesPerSecond: number | null): void;
  close(): Promise<void>;
}

export async function startCutProxy(): Promise<CutProxy> {
  const sockets = new Set<Socket>();
  let port = 0;
  let isCut = false;
  let rate: number | null = null;
  let held: (() => void)[] = [];
  const keep = (socket: Socket): Socket => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    return socket;
  };
  const relay = (from: Socket, to: Socket): void => {
    const pass = (chunk: Buffer): void => {
      const limit = rate;
      if (limit === 0) {
        from.pause();
        held.push(() => {
          from.resume();
          pass(chunk);
        });
        return;
      }
      if (limit === null) {
        if (!to.write(chunk)) {
          from.pause();
          to.once('drain', () => from.resume());
        }
        return;
      }
      to.write(chunk);
      from.pause();
      setTimeout(() => from.resume(), (chunk.length / limit) * 1000);
    };
    from.on('data', pass);
    from.on('end', () => to.end());
  };
  const server = createServer((near) => {
    keep(near);
    if (isCut) {
      near.destroy();
      return;
    }
    const far = keep(open(port, '127.0.0.1'));
    relay(near, far);
    relay(far, near);
    near.on('close', () => far.destroy());
    far.on('close', () => near.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const destroyAll = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: `http://127.0.0.1:${address.port}`,
    target: (url) => {
      port = Number(new URL(url).port);
    },
    cut: () => {
      isCut = true;
      destroyAll();
    },
    mend: () => {
      isCut = false;
    },
    slow: (bytesPerSecond) => {
      rate = bytesPerSecond;
      const waiting = held;
      held = [];
      for (const release of waiting) release();
    },
    close: () => {
      destroyAll();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
