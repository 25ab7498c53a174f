// postgres_output with exactly-once delivery, as the runtime calls it, against a real server: what is seen when, and what a
// process that died leaves for the next one.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { postgresOutput } from '../../../connectors/postgres/destination.ts';
import type { Destination } from '../../../connectors/sdk/destination.ts';
import { validateParameters } from '../../../connectors/sdk/validate-parameters.ts';
import { startPostgresServer } from '../../servers/postgres-server.ts';
import { bigint, codeOf, contextFor, eagerClock, relationOf, varchar } from '../connector-context.ts';

const exact = suite('postgres_output, exactly once');
const server = await startPostgresServer();
if ('missing' in server) {
  console.log(`skipped: postgres_output, exactly once: ${server.missing}`);
  exact('is not tried here', () => {});
} else {
  const { sql, uri } = server;
  exact.after(async () => await server.close());

  const relation = relationOf({ id: bigint, t: varchar }, 'v');
  const make = (
    given: object,
    options: { readonly clock?: ReturnType<typeof eagerClock>; readonly pipeline?: string } = {},
  ): Destination => {
    const settings = { uri, delivery: 'exactly_once', max_retries: 20, ...given };
    const { values, problems } = validateParameters(postgresOutput.parameters, settings, () => ({}), []);
    if (problems[0] !== undefined) throw problems[0];
    return postgresOutput.create(values, {
      ...contextFor(relation, '.', options.clock),
      pipeline: options.pipeline ?? 'p',
    });
  };
  const opened = async (given: object, checkpoint: string | null): Promise<Destination> => {
    const destination = make(given);
    await destination.open();
    await destination.recover?.(checkpoint, null);
    return destination;
  };
  /** `+1a` is the row (1, 'a') inserted, `-1a` deleted. */
  const write = async (destination: Destination, ...changes: readonly string[]): Promise<void> => {
    const lines = changes.map((change) => `${change[1]},${change.slice(2)},${change[0] === '+' ? 1 : -1}\n`);
    await destination.write({ kind: 'bytes', bytes: new TextEncoder().encode(lines.join('')), records: lines.length });
    await destination.flush?.();
  };
  const rowsOf = async (table: string, columns = 'id || t'): Promise<string> => {
    const { rows } = await sql(`SELECT coalesce(string_agg(${columns}, ' ' ORDER BY ctid), '') AS all FROM ${table}`);
    return String(rows[0]?.['all']);
  };
  const sorted = async (table: string): Promise<string> => (await rowsOf(table)).split(' ').sort().join(' ');
  /** As kill -9 ends it: no call comes any more, and its connection is gone. */
  const die = async (destination: Destination): Promise<void> => {
    const { rows } = await sql(
      "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE application_name = 'millrace'",
    );
    assert.is(rows.length, 1);
    await destination.teardown?.();
  };

  exact('rows are seen with the checkpoint that holds them, and not before', async () => {
    await sql('CREATE TABLE bag (id bigint, t text)');
    const destination = await opened({ table: 'bag' }, null);
    await write(destination, '+1a', '+2b');
    assert.is(await rowsOf('bag'), '');
    await destination.prepare?.('c1');
    await write(destination, '+3c');
    assert.is(await rowsOf('bag'), '');
    await destination.commit?.('c1');
    assert.is(await sorted('bag'), '1a 2b');
    await destination.prepare?.('c2');
    await destination.commit?.('c2');
    assert.is(await sorted('bag'), '1a 2b 3c');
    await destination.teardown?.();
  });

  exact('what died in front of its checkpoint is forgotten, and comes again', async () => {
    await sql('CREATE TABLE again (id bigint, t text)');
    const first = await opened({ table: 'again', output_id: 'again' }, null);
    await write(first, '+1a');
    await first.prepare?.('c1');
    await first.commit?.('c1');
    await write(first, '+2b');
    await first.prepare?.('never stored');
    await write(first, '+3c');
    await die(first);
    const second = await opened({ table: 'again', output_id: 'again' }, 'c1');
    assert.is(await sorted('again'), '1a');
    await write(second, '+2b', '+3c');
    await second.prepare?.('c2');
    await second.commit?.('c2');
    assert.is(await sorted('again'), '1a 2b 3c');
    await second.teardown?.();
  });

  exact(
    'what died between the storing of its checkpoint and the commit is brought in by the next run, once',
    async () => {
      await sql('CREATE TABLE between (id bigint, t text)');
      const given = { table: 'between', output_id: 'between' };
      const first = await opened(given, null);
      await write(first, '+1a');
      await write(first, '+2b');
      await first.prepare?.('c1');
      await write(first, '+3c');
      await die(first);
      for (let run = 0; run < 3; run++) {
        const next = await opened(given, 'c1');
        assert.is(await sorted('between'), '1a 2b');
        await die(next);
      }
    },
  );

  exact(
    'a pipeline that is renamed after it has died delivers what it had prepared under its former name',
    async () => {
      await sql('CREATE TABLE renamed (id bigint, t text)');
      const given = { table: 'renamed', state_table: 'renamed_state' };
      const first = make(given, { pipeline: 'before' });
      await first.open();
      await first.recover?.(null, null);
      await write(first, '+1a');
      await first.prepare?.('run:1');
      await write(first, '+2b');
      await die(first);
      assert.is(await sorted('renamed'), '');
      for (const name of ['after', 'after', 'later']) {
        const next = make(given, { pipeline: name });
        await next.open();
        await next.recover?.('run:1', null);
        assert.is(await sorted('renamed'), '1a', name);
        await next.teardown?.();
      }
      const { rows } = await sql('SELECT output FROM renamed_state');
      assert.equal(rows, [{ output: 'later/v.test' }]);
      // One that runs under that name is not robbed of it.
      const [owner, other] = [make(given, { pipeline: 'later' }), make(given, { pipeline: 'robber' })];
      await owner.open();
      await other.open();
      assert.is(await codeOf(async () => await other.recover?.('run:1', null)), 'postgres.output_taken');
      await other.teardown?.();
      await owner.teardown?.();
    },
  );

  exact('a checkpoint that was not stored is part of the next one, which may be committed late', async () => {
    await sql('CREATE TABLE later (id bigint, t text)');
    const given = { table: 'later', output_id: 'later' };
    const destination = await opened(given, null);
    await write(destination, '+1a');
    await destination.prepare?.('c1');
    await write(destination, '+2b');
    await destination.prepare?.('c2');
    await write(destination, '+3c');
    await destination.prepare?.('c3');
    await destination.commit?.('c2');
    assert.is(await sorted('later'), '1a 2b');
    await die(destination);
    const next = await opened(given, 'c3');
    assert.is(await sorted('later'), '1a 2b 3c');
    await next.teardown?.();
  });

  exact('a connection that is lost costs and doubles nothing, wherever it was', async () => {
    await sql('CREATE TABLE cut (id bigint, t text)');
    const destination = await opened({ table: 'cut' }, null);
    const cut = async (): Promise<void> => {
      const text = "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE application_name = 'millrace'";
      assert.is((await sql(text)).rows.length, 1);
    };
    await cut();
    await write(destination, '+1a');
    await cut();
    await destination.prepare?.('c1');
    await cut();
    await destination.commit?.('c1');
    await cut();
    await destination.commit?.('c1');
    assert.is(await sorted('cut'), '1a');
    // Too much to be kept in memory behind a transaction that is open.
    await destination.prepare?.('c2');
    const bytes = new TextEncoder().encode(`2,${'b'.repeat(10_000)},1\n`.repeat(1_700));
    await destination.write({ kind: 'bytes', bytes, records: 1_700 });
    await destination.flush?.();
    await destination.commit?.('c2');
    assert.is(await sorted('cut'), '1a');
    await destination.prepare?.('c3');
    await destination.commit?.('c3');
    assert.equal((await sql('SELECT count(*)::int AS n FROM cut')).rows, [{ n: 1_701 }]);
    await sql('DROP TABLE cut');
    await destination.teardown?.();
  });

  exact('what the table refuses is found before the checkpoint counts', async () => {
    await sql(
      'CREATE TABLE strict (id bigint PRIMARY KEY DEFERRABLE INITIALLY DEFERRED, t text); INSERT INTO strict VALUES (7)',
    );
    const destination = await opened({ table: 'strict', mode: 'materialized', key_columns: [] }, null);
    await write(destination, '+7a');
    assert.is(await codeOf(async () => await destination.prepare?.('c1')), 'postgres.refused');
    await destination.teardown?.();
    assert.is(await rowsOf('strict', 'id::text'), '7');
  });

  exact('a keyed table and a log hold what all steps of a checkpoint come to', async () => {
    await sql(`CREATE TABLE keyed (id bigint PRIMARY KEY, t text);
      CREATE TABLE log (id bigint, t text, __feldera_op text, __feldera_ts bigint)`);
    for (const [delivery, end] of [
      ['exactly_once', async (each: Destination) => [await each.prepare?.('c'), await each.commit?.('c')]],
      ['at_least_once', async (each: Destination) => await each.flush?.()],
    ] as const) {
      await sql('TRUNCATE keyed, log');
      for (const given of [{ table: 'keyed' }, { table: 'log', mode: 'cdc', key_columns: ['id'] }]) {
        const destination = make({ ...given, delivery });
        await destination.open();
        if (delivery === 'exactly_once') await destination.recover?.(null, null);
        // Three steps in one flush: a row that comes and goes, one that changes twice, one that stays.
        const steps = '1,a,1\n2,a,1\n3,a,1\n1,a,-1\n2,a,-1\n2,b,1\n2,b,-1\n2,c,1\n';
        await destination.write({ kind: 'bytes', bytes: new TextEncoder().encode(steps), records: 8 });
        await destination.flush?.();
        await write(destination, '-3a', '+3b');
        await write(destination, '-2c');
        await end(destination);
        await destination.teardown?.();
      }
      assert.is(await sorted('keyed'), '3b', delivery);
      assert.is(await rowsOf('log', '__feldera_op || id || t'), 'i3a i2c u3b d2c', delivery);
    }
  });

  exact('two outputs of one name, and a database that belongs to another checkpoint, are refused', async () => {
    await sql('CREATE TABLE named (id bigint, t text)');
    const given = { table: 'named', output_id: 'named' };
    const first = await opened(given, null);
    const second = make(given, { clock: eagerClock() });
    assert.is(await codeOf(async () => await second.open()), 'postgres.output_taken');
    await second.teardown?.();
    await first.prepare?.('c1');
    await first.commit?.('c1');
    await first.teardown?.();
    const third = make(given);
    await third.open();
    assert.is(await codeOf(async () => await third.recover?.('c0', null)), 'postgres.output_diverged');
    await third.teardown?.();
  });

  exact('an output that is deleted leaves its table alone, and nothing of its own', async () => {
    await sql('CREATE SCHEMA own; CREATE TABLE gone (id bigint, t text)');
    const given = { table: 'gone', state_table: 'own."State"' };
    const destination = await opened(given, null);
    await write(destination, '+1a');
    await destination.prepare?.('c1');
    await destination.commit?.('c1');
    await destination.teardown?.();
    const tables = async (): Promise<number> =>
      (await sql("SELECT 1 FROM pg_tables WHERE schemaname = 'own'")).rows.length;
    assert.is(await tables(), 2);
    const fresh = make(given);
    await fresh.onDeleted?.({});
    await fresh.teardown?.();
    assert.is(await tables(), 1);
    assert.is((await sql('SELECT 1 FROM own."State"')).rows.length, 0);
    assert.is(await sorted('gone'), '1a');
  });
}

exact.run();
