// Rows as the csv encoder prints them, into a table of texts, with COPY.
import type { Client } from 'pg';

/** `columns`: as SQL, in the order of the printed fields. Inside a transaction of the caller's. */
export async function copyIn(
  client: Client,
  table: string,
  columns: string,
  chunks: readonly Uint8Array[],
): Promise<void> {
  const { from } = await import('pg-copy-streams');
  const stream = client.query(from(`COPY ${table} (${columns}) FROM STDIN (FORMAT csv)`));
  const written = new Promise<void>((resolve, reject) => stream.once('finish', resolve).once('error', reject));
  for (const bytes of chunks) {
    if (!stream.write(bytes)) await Promise.race([written, new Promise((resolve) => stream.once('drain', resolve))]);
  }
  stream.end();
  await written;
}
