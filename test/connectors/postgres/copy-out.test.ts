// Rows that COPY sends, taken off the socket as pieces: whole ones of any length, in memory that is used again, with the connection as it was
// behind the last one.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { copyOut } from '../../../connectors/postgres/copy-out.ts';
import { closePostgres, connectPostgres } from '../../../connectors/postgres/postgres-connection.ts';
import { systemClock } from '../../../runtime/clock.ts';
import { pollPause } from '../../poll-pause.ts';
import { startPostgresServer } from '../../servers/postgres-server.ts';

const test = suite('rows of COPY');
const server = await startPostgresServer();
if ('missing' in server) {
  console.log(`skipped: rows of COPY: ${server.missing}`);
  test('are not tried here', () => {});
} else {
  test.after(async () => await server.close());
  const { signal } = new AbortController();
  const surroundings = { clock: systemClock, signal, baseFolder: '.', reportError: () => {} };
  const settings = { uri: server.uri, max_retries: 0, verify_hostname: true };
  /** Texts of 0 to 300 000 letters between short ones, of which every row has its own. */
  const query = `SELECT i, repeat(chr(97 + i % 26), CASE WHEN i % 500 = 0 THEN i * 100 ELSE i % 90 END) FROM generate_series(0, 3000) AS i`;
  const expected = Array.from({ length: 3001 }, (_, i) => {
    const length = i % 500 === 0 ? i * 100 : i % 90;
    return `${i}\t${String.fromCharCode(97 + (i % 26)).repeat(length)}\n`;
  }).join('');

  test('pieces are whole rows, may be written over when they come back, and leave the connection as it was', async () => {
    const client = await connectPostgres(settings, surroundings);
    try {
      for (let i = 0; i < 3; i++) {
        let text = '';
        let rowsSeen = 0;
        for await (const { bytes, rows, release } of copyOut(client, `COPY (${query}) TO STDOUT`, {
          signal,
          clock: systemClock,
        })) {
          assert.is(bytes.at(-1), 10);
          text += Buffer.from(bytes).toString();
          rowsSeen += rows;
          bytes.fill(0);
          release();
        }
        assert.is(rowsSeen, 3001);
        assert.ok(text === expected, 'every byte of every row, in order');
        const { rows } = await client.query(`SELECT repeat('x', 500000) AS long`);
        assert.is(rows[0]?.long.length, 500_000);
      }
    } finally {
      await closePostgres(client);
    }
  });

  test('pieces that nobody takes for a while keep their bytes, and the rest comes when they are taken', async () => {
    const client = await connectPostgres(settings, surroundings);
    try {
      const pieces = copyOut(client, 'COPY (SELECT i FROM generate_series(1, 1000000) AS i) TO STDOUT', {
        signal,
        clock: systemClock,
      });
      let sum = 0;
      let taken = 0;
      for await (const { bytes, release } of pieces) {
        if (taken++ < 3) for (let i = 0; i < 5; i++) await pollPause();
        for (const line of Buffer.from(bytes).toString().split('\n')) sum += Number(line);
        release();
      }
      assert.is(sum, 500_000_500_000);
      assert.ok(taken > 3);
    } finally {
      await closePostgres(client);
    }
  });

  test('an error in the middle is told behind the rows that came before it, and the connection goes on', async () => {
    const client = await connectPostgres(settings, surroundings);
    try {
      const failing = 'COPY (SELECT 1000000 / (400000 - i) FROM generate_series(1, 500000) AS i) TO STDOUT';
      let rowsSeen = 0;
      const read = async (): Promise<void> => {
        for await (const { rows } of copyOut(client, failing, { signal, clock: systemClock })) rowsSeen += rows;
      };
      const thrown = await read().then(
        () => null,
        (error: unknown) => error,
      );
      assert.match(String(thrown), /division by zero/);
      assert.is(rowsSeen, 399_999);
      assert.equal((await client.query('SELECT 1 AS one')).rows, [{ one: 1 }]);
    } finally {
      await closePostgres(client);
    }
  });
}

test.run();
