// A connection to a broker that asks who is there: the library's, which knows the mechanisms and says who it is again when a session ends.
// It is loaded here only, since that takes half a second of work.
import type { Reader, SASLOptions } from '@platformatic/kafka';
import type { BrokerConnection, BrokerRequest, ConnectionParts } from './broker-connection.ts';
import { WireReader } from './wire-bytes.ts';

/** The library's own deadline, which a slow line must not meet: as far away as a timer can be. */
const neverMs = 2 ** 31 - 1;

export async function openSaslConnection(
  { address, clientId, tls, timeoutMs, onLost }: ConnectionParts,
  sasl: SASLOptions,
): Promise<BrokerConnection> {
  const library = await import('@platformatic/kafka');
  const connection = new library.Connection(clientId, {
    connectTimeout: timeoutMs,
    requestTimeout: neverMs,
    maxInflights: 16,
    sasl,
    ...(tls === null ? {} : { tls, tlsServerName: tls.servername ?? false }),
  });
  let lost: Error | null = null;
  // A connection that breaks while nobody waits for an answer must not end the process.
  connection.on('error', (error: Error) => {
    lost = error;
    onLost();
  });
  connection.on('close', onLost);
  await connection.connect(address.host, address.port);

  const request = ({ key, version, body, isAnswered = true }: BrokerRequest): Promise<WireReader> =>
    new Promise((resolve, reject) => {
      const payload = (): InstanceType<typeof library.Writer> => {
        const writer = library.Writer.create();
        for (const part of body) writer.append(Buffer.from(part.buffer, part.byteOffset, part.length));
        if (!isAnswered) writer.context['noResponse'] = true;
        return writer;
      };
      const taken = (_correlation: number, _key: number, _version: number, { buffer }: Reader): WireReader =>
        new WireReader(buffer.slice(0, buffer.length));
      connection.send(key, version, payload, taken, true, true, (error, answer) => {
        // The library says of all requests under way that the connection was closed.
        if (error !== null && error !== undefined) reject(lost ?? error);
        else resolve(answer instanceof WireReader ? answer : new WireReader(new Uint8Array(0)));
      });
    });
  const close = async (): Promise<void> => {
    connection.socket?.destroy();
    await connection.close().catch(() => {});
  };
  return { socket: connection.socket, request, close };
}
