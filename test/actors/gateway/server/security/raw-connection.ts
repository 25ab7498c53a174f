// Bytes as no HTTP client would send them, and what the server says to them until it hangs up.
import { connect } from 'node:net';

export interface Heard {
  readonly text: string;
  /** The server has ended the connection; false: it still stood when the time was over. */
  readonly isClosed: boolean;
}

export function exchange(url: string, bytes: string | Buffer, limitMs = 60_000): Promise<Heard> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port: Number(port) });
    const chunks: Buffer[] = [];
    const settle = (isClosed: boolean): void => {
      clearTimeout(limit);
      socket.destroy();
      resolve({ text: Buffer.concat(chunks).toString('latin1'), isClosed });
    };
    const limit = setTimeout(() => settle(false), limitMs);
    socket.on('connect', () => socket.write(bytes));
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('end', () => settle(true));
    socket.on('close', () => settle(true));
    socket.on('error', (error: NodeJS.ErrnoException) =>
      error.code === 'ECONNRESET' || error.code === 'EPIPE' ? settle(true) : reject(error),
    );
  });
}

/** The statuses of all replies on one connection, in order. */
export function statusesOf(text: string): readonly number[] {
  return [...text.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => Number(status));
}
