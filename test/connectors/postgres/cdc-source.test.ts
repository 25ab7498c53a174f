// postgres_cdc_input against a real server: snapshot and changes without a gap, positions, slots, lost connections.
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { postgresCdcInput } from '../../../connectors/postgres/cdc-source.ts';
import { CopyRows } from '../../../connectors/postgres/copy-rows.ts';
import { conformance } from '../../../connectors/sdk/conformance.ts';
import type { Payload, Position, Source } from '../../../connectors/sdk/source.ts';
import { validateParameters } from '../../../connectors/sdk/validate-parameters.ts';
import { Pipeline } from '../../../index.ts';
import type { Relation } from '../../../runtime/batch/schema.ts';
import { systemClock } from '../../../runtime/clock.ts';
import { pollPause } from '../../poll-pause.ts';
import { startCutProxy } from '../../servers/cut-proxy.ts';
import { type PostgresServer, startPostgresServer } from '../../servers/postgres-server.ts';
import { bigint, codeOf, contextFor, relationOf, type TestContext, varchar } from '../connector-context.ts';

const cdc = suite<{ server: PostgresServer }>('postgres_cdc_input');
const server = await startPostgresServer();
const relation: Relation = { ...relationOf({ 'id!': bigint, t: varchar }), primaryKey: [0] };

interface Reading {
  readonly context: TestContext;
  readonly source: Source;
  /** Lines so far, and the position behind each payload. */
  readonly lines: string[];
  readonly positions: Position[];
  /** The first position that was given in the middle of a payload, behind its first line. */
  readonly done: Promise<void>;
}

function lineEnd({ bytes }: Extract<Payload, { kind: 'bytes' }>): number {
  return bytes.indexOf(10) + 1;
}

/** As lines of JSON: rows of a snapshot are lines of COPY. */
function textOf({ bytes, found }: Extract<Payload, { kind: 'bytes' }>): string {
  const lines = found === undefined ? bytes : new CopyRows(JSON.parse(found).columns).lines(bytes);
  return Buffer.from(lines).toString();
}

if ('missing' in server) {
  console.log(`skipped: postgres_cdc_input against a real server: ${server.missing}`);
  cdc('is not tried here', () => {});
} else {
  const { sql } = server;
  cdc.after(async () => await server.close());

  const make = (given: object, context = contextFor(relation, '.')): Source => {
    const { values } = validateParameters(postgresCdcInput.parameters, { uri: server.uri, ...given }, () => ({}), []);
    return postgresCdcInput.create(values, context);
  };

  /** Reads until `until` says that it is enough. */
  const read = async (
    given: object,
    position: Position | null,
    until: (lines: readonly string[], idle: boolean) => boolean,
    onOpen: () => Promise<unknown> = async () => {},
  ): Promise<Omit<Reading, 'done' | 'source'>> => {
    const context = contextFor(relation, '.');
    const source = make(given, context);
    const lines: string[] = [];
    const positions: Position[] = [];
    try {
      await source.open(position);
      await onOpen();
      for await (const payload of source.read()) {
        if (payload.kind === 'bytes' && payload.bytes.length > 0) {
          lines.push(...textOf(payload).trim().split('\n'));
          positions.push(JSON.parse(JSON.stringify(payload.positionAfter(lineEnd(payload)))));
          positions.push(JSON.parse(JSON.stringify(payload.positionAfter(payload.bytes.length))));
        }
        if (until(lines, payload.kind === 'idle')) context.controller.abort();
      }
    } finally {
      await source.teardown?.();
    }
    return { context, lines, positions };
  };
  const compact = (lines: readonly string[]): string[] => lines.map((line) => JSON.stringify(JSON.parse(line)));

  cdc('a snapshot is followed by what comes behind it, also what comes while it is read', async () => {
    await sql('CREATE TABLE a (id bigint PRIMARY KEY, t text); INSERT INTO a VALUES (1, $$one$$), (2, NULL)');
    const given = { source_table: 'public.a', slot_name: 'a_slot' };
    const state = new Map<number, string | null>();
    let seen = 0;
    let isTold = false;
    await read(
      given,
      null,
      (lines, idle) => {
        for (; seen < lines.length; seen++) {
          const { insert, delete: deleted } = JSON.parse(lines[seen] ?? '');
          if (insert !== undefined) state.set(insert.id, insert.t);
          else assert.ok(state.delete(deleted.id));
        }
        if (idle && !isTold) {
          isTold = true;
          sql(`INSERT INTO a VALUES (4, 'four'); UPDATE a SET t = 'THREE' WHERE id = 3; DELETE FROM a WHERE id = 1`);
        }
        return state.get(3) === 'THREE' && !state.has(1);
      },
      () =>
        sql(
          `INSERT INTO a VALUES (3, 'three "3"'); UPDATE a SET t = 'ONE' WHERE id = 1; UPDATE a SET id = 20 WHERE id = 2`,
        ),
    );
    const expected = [
      [20, null],
      [3, 'THREE'],
      [4, 'four'],
    ];
    assert.equal([...state].sort(), expected);
    // Three rows and three changes: nothing has come twice.
    assert.is(seen, 6);
  });

  const terminateCopies = (): Promise<unknown> =>
    sql(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'COPY (%' AND pid <> pg_backend_pid()`,
    );

  cdc('a snapshot whose connection breaks off is read on behind the last row that came', async () => {
    // More than the buffers of two sockets take in.
    await sql(`CREATE TABLE big (id bigint, t text);
      INSERT INTO big SELECT i, repeat('x', 400) FROM generate_series(1, 100000) AS i`);
    const bag = { ...relation, primaryKey: [] };
    const context = contextFor(bag, '.');
    const source = make({ source_table: 'big', slot_name: 'big_slot' }, context);
    const seen = new Set<number>();
    let text = '';
    let payloads = 0;
    try {
      await source.open(null);
      for await (const payload of source.read()) {
        if (payload.kind === 'idle') context.controller.abort();
        else if (payload.kind === 'bytes') {
          text += textOf(payload);
          const end = text.lastIndexOf('\n') + 1;
          for (const line of text
            .slice(0, end)
            .split('\n')
            .filter((each) => each !== '')) {
            const { insert } = JSON.parse(line);
            assert.is(seen.has(insert.id), false, `row ${insert.id} came twice`);
            seen.add(insert.id);
          }
          text = text.slice(end);
          if (++payloads === 1) await terminateCopies();
        }
      }
    } finally {
      await source.teardown?.();
    }
    assert.is(seen.size, 100_000);
    assert.equal(context.reported, ['postgres.no_identity', 'postgres.unavailable']);
  });

  cdc('a snapshot that is read again by another run leaves what was deleted meanwhile deleted', async () => {
    await sql(`CREATE TABLE again (id bigint PRIMARY KEY, t text);
      INSERT INTO again SELECT i, repeat('x', 100) FROM generate_series(1, 2000) AS i`);
    const given = { source_table: 'again', slot_name: 'again_slot' };
    const state = new Set<number>();
    let seen = 0;
    const apply = (lines: readonly string[]): void => {
      for (const line of lines) {
        const { insert, delete: deleted } = JSON.parse(line);
        if (insert !== undefined) state.add(insert.id);
        else state.delete(deleted.id);
      }
    };
    const first = await read(given, null, (lines) => lines.length > 0);
    apply(first.lines);
    assert.ok(state.has(1));
    const position = first.positions[0] ?? null;
    assert.is(position?.['snapshot'], true);
    await sql(`DELETE FROM again WHERE id = 1; INSERT INTO again VALUES (30000, 'new')`);
    let isLast = false;
    await read(given, position, (lines, idle) => {
      apply(lines.slice(seen));
      seen = lines.length;
      if (idle && !isLast) {
        isLast = true;
        sql(`INSERT INTO again VALUES (40000, 'last')`);
      }
      return state.has(40_000);
    });
    assert.equal([state.has(1), state.has(30_000), state.size], [false, true, 2_001]);
    const bag = make(given, contextFor({ ...relation, primaryKey: [] }, '.'));
    assert.is(await codeOf(() => bag.open(position)), 'postgres.snapshot_broken');
    await bag.teardown?.();
  });

  cdc('it goes on at any position, in the middle of a transaction too', async () => {
    await sql('CREATE TABLE b (id bigint PRIMARY KEY, t text)');
    const given = { source_table: 'b', slot_name: 'b_slot' };
    const start = await read(given, null, (_, idle) => idle);
    assert.equal(start.lines, []);
    await sql(`BEGIN; INSERT INTO b VALUES (1, 'x'), (2, 'y'), (3, 'z'); COMMIT; DELETE FROM b WHERE id = 2;`);
    const { rows } = await sql(
      `SELECT confirmed_flush_lsn AS lsn FROM pg_replication_slots WHERE slot_name = 'b_slot'`,
    );
    const beginning = { lsn: String(rows[0]?.['lsn']), skip: 0 };
    const all = await read({ ...given, snapshot: false }, beginning, (lines) => lines.length === 4);
    assert.equal(compact(all.lines), [
      '{"insert":{"id":1,"t":"x"}}',
      '{"insert":{"id":2,"t":"y"}}',
      '{"insert":{"id":3,"t":"z"}}',
      '{"delete":{"id":2}}',
    ]);
    const [afterOne] = all.positions;
    const rest = await read(given, afterOne ?? null, (lines) => lines.length === 3);
    assert.equal(compact(rest.lines), compact(all.lines).slice(1));
    const end = all.positions.at(-1) ?? null;
    const none = await read(
      given,
      end,
      (lines) => lines.length === 1,
      () => sql(`INSERT INTO b VALUES (9, 'new')`),
    );
    assert.equal(compact(none.lines), ['{"insert":{"id":9,"t":"new"}}']);
  });

  cdc('publication and slot are made with the connector, kept between runs and dropped with it', async () => {
    await sql('CREATE TABLE c (id bigint PRIMARY KEY, t text)');
    const source = make({ source_table: 'c' });
    await source.onCreated?.({});
    await source.teardown?.();
    const kept = async (): Promise<number> => {
      const slots = await sql(`SELECT 1 FROM pg_replication_slots WHERE slot_name LIKE 'millrace_t_test_c_%'`);
      const publications = await sql(`SELECT 1 FROM pg_publication WHERE pubname LIKE 'millrace_t_test_c_%'`);
      return slots.rows.length + publications.rows.length;
    };
    assert.is(await kept(), 2);
    const fresh = make({ source_table: 'c' });
    await fresh.onDeleted?.({});
    await fresh.teardown?.();
    assert.is(await kept(), 0);
    assert.is(
      await codeOf(() => read({ source_table: 'c' }, { lsn: '0/10', skip: 0 }, () => true)),
      'postgres.slot_lost',
    );
  });

  cdc(
    'two pipelines that follow one table have a slot each, also when one is renamed or turns to another',
    async () => {
      await sql(
        'CREATE TABLE both_follow (id bigint PRIMARY KEY, t text); CREATE TABLE other (id bigint PRIMARY KEY, t text)',
      );
      const long = 'a-pipeline-with-a-name-that-alone-is-longer-than-any-name-of-postgresql-may-be';
      const of = (pipeline: string, pipelineId: string, table = 'both_follow'): Source =>
        make({ source_table: table }, { ...contextFor(relation, '.'), pipeline, pipelineId });
      const slots = async (): Promise<readonly string[]> => {
        const { rows } = await sql(
          `SELECT slot_name FROM pg_replication_slots WHERE slot_name LIKE 'millrace_%' ORDER BY 1`,
        );
        return rows.map((row) => String(row['slot_name']).replace(/[0-9a-f]{12}$/, '#'));
      };
      await of('shop', '1').onCreated?.({});
      await of(long, '2').onCreated?.({});
      const cut = 'millrace_a_pipeline_with_a_name_that_alone_is_long_#';
      assert.equal(await slots(), [cut, 'millrace_shop_t_test_both_follow_#']);
      await of('renamed', '1').onCreated?.({});
      assert.equal(await slots(), [cut, 'millrace_shop_t_test_both_follow_#']);
      const { values } = validateParameters(
        postgresCdcInput.parameters,
        { uri: server.uri, source_table: 'both_follow' },
        () => ({}),
        [],
      );
      await of('renamed', '1', 'other').onUpdated?.(values, {});
      assert.equal(await slots(), [cut]);
      await of('whatever', '2').onDeleted?.({});
      assert.equal(await slots(), []);
      assert.is((await sql(`SELECT 1 FROM pg_publication WHERE pubname LIKE 'millrace_%both%'`)).rows.length, 0);
    },
  );

  cdc(
    'a slot of an earlier version, which had not the name of the pipeline, is read on under its own name',
    async () => {
      await sql('CREATE TABLE former (id bigint PRIMARY KEY, t text)');
      await sql('CREATE PUBLICATION millrace_t_test_former FOR TABLE former');
      await sql(`SELECT pg_create_logical_replication_slot('millrace_t_test_former', 'pgoutput')`);
      const { rows } = await sql('SELECT pg_current_wal_lsn()::text AS lsn');
      await sql(`INSERT INTO former VALUES (1, 'while nobody was there')`);
      const given = { source_table: 'former' };
      const { lines } = await read(given, { lsn: String(rows[0]?.['lsn']), skip: 0 }, (all) => all.length === 1);
      assert.equal(compact(lines), ['{"insert":{"id":1,"t":"while nobody was there"}}']);
      const named = await sql(`SELECT slot_name FROM pg_replication_slots WHERE slot_name LIKE '%former%'`);
      assert.equal(
        named.rows.map((row) => String(row['slot_name']).replace(/[0-9a-f]{12}$/, '#')),
        ['millrace_t_test_former_#'],
      );
      await make(given).onDeleted?.({});
      assert.is((await sql(`SELECT 1 FROM pg_replication_slots WHERE slot_name LIKE '%former%'`)).rows.length, 0);
      assert.is((await sql(`SELECT 1 FROM pg_publication WHERE pubname LIKE '%former%'`)).rows.length, 0);
    },
  );

  cdc(
    'a slot that was dropped or made again while nobody read it is noticed, or read on where that is wanted',
    async () => {
      await sql('CREATE TABLE lost (id bigint PRIMARY KEY, t text)');
      const given = { source_table: 'lost', slot_name: 'lost_slot' };
      const failure = (position: Position | null): Promise<string> =>
        read(given, position, () => true).then(
          () => 'no error',
          (error: Error) => error.message,
        );
      let isTold = false;
      const first = await read(given, null, (lines, idle) => {
        if (idle && !isTold) {
          isTold = true;
          sql(`INSERT INTO lost VALUES (1, 'x')`);
        }
        return lines.length === 1;
      });
      const position = first.positions.at(-1) ?? null;
      await sql(`SELECT pg_drop_replication_slot('lost_slot')`);
      await sql(`INSERT INTO lost VALUES (2, 'missed')`);
      assert.match(
        await failure(position),
        '"lost_slot", which has been read before, is gone: somebody has dropped it',
      );
      await sql(`SELECT pg_create_logical_replication_slot('lost_slot', 'pgoutput')`);
      assert.match(await failure(position), /stands at \S+, ahead of \S+ where this connector goes on: it was dropped/);
      // Inside a snapshot too: what was deleted since is known from the log alone.
      assert.match(await failure({ snapshot: true, from: position?.['lsn'] }), /stands at \S+, ahead of \S+ where/);
      for (const id of [3, 4]) {
        if (id === 4) await sql(`SELECT pg_drop_replication_slot('lost_slot')`);
        const on = await read(
          { ...given, resume_if_changes_lost: true },
          position,
          (lines) => lines.length === 1,
          () => sql(`INSERT INTO lost VALUES (${id}, 'x')`),
        );
        assert.equal(compact(on.lines), [`{"insert":{"id":${id},"t":"x"}}`]);
        assert.equal(on.context.reported, ['postgres.slot_lost']);
        // What was said is over.
        const behind = on.positions.at(-1) ?? null;
        const rest = await read(
          given,
          behind,
          (lines) => lines.length === 1,
          () => sql(`UPDATE lost SET t = 'y' WHERE id = 1`),
        );
        assert.equal(rest.context.reported, []);
      }
    },
  );

  cdc('a quiet table beside a busy one does not keep the log of that one, and misses nothing of its own', async () => {
    await sql('CREATE TABLE quiet (id bigint PRIMARY KEY, t text); CREATE TABLE busy (id bigint)');
    // A position is kept now and then only.
    const context = contextFor(relation, '.', { ...systemClock, monotonic: () => systemClock.monotonic() * 1_000 });
    const source = make({ source_table: 'quiet', slot_name: 'quiet_slot' }, context);
    const confirmed = async (lsn: string): Promise<boolean> => {
      const { rows } = await sql(
        `SELECT confirmed_flush_lsn >= '${lsn}'::pg_lsn AS done FROM pg_replication_slots WHERE slot_name = 'quiet_slot'`,
      );
      return rows[0]?.['done'] === true;
    };
    let text = '';
    let stage = 0;
    const work = async (): Promise<void> => {
      // As much log as is worth it.
      for (let i = 0; i < 3; i++) {
        await sql('INSERT INTO busy SELECT generate_series(1, 1000)');
        await sql('SELECT pg_switch_wal()');
      }
      await sql('INSERT INTO busy VALUES (0)');
      const { rows } = await sql('SELECT (pg_current_wal_lsn() - 16 * 1024 * 1024)::text AS lsn');
      while (!(await confirmed(String(rows[0]?.['lsn'])))) await pollPause();
      await sql(`INSERT INTO quiet VALUES (2, 'after')`);
    };
    let working: Promise<void> | null = null;
    await source.open(null);
    for await (const payload of source.read()) {
      if (payload.kind === 'bytes') {
        text += Buffer.from(payload.bytes);
        source.ack?.(payload.positionAfter(payload.bytes.length));
      }
      if (payload.kind === 'idle' && stage++ === 0) await sql(`INSERT INTO quiet VALUES (1, 'before')`);
      if (text.includes('before')) working ??= work();
      if (text.includes('after')) context.controller.abort();
    }
    await source.teardown?.();
    await working;
    assert.equal(compact(text.trim().split('\n')), [
      '{"insert":{"id":1,"t":"before"}}',
      '{"insert":{"id":2,"t":"after"}}',
    ]);
  });

  cdc('a table without a key is followed by whole rows when it says them', async () => {
    await sql(`CREATE TABLE d (id bigint, t text); ALTER TABLE d REPLICA IDENTITY FULL`);
    const bag = { ...relation, primaryKey: [] };
    const context = contextFor(bag, '.');
    const source = make({ source_table: 'd', slot_name: 'd_slot' }, context);
    await source.open(null);
    const lines: string[] = [];
    let isTold = false;
    for await (const payload of source.read()) {
      if (payload.kind === 'idle' && !isTold) {
        isTold = true;
        await sql(
          `INSERT INTO d VALUES (1, 'x'), (1, 'x'); UPDATE d SET t = 'y' WHERE ctid = (SELECT min(ctid) FROM d); DELETE FROM d`,
        );
      }
      if (payload.kind === 'bytes')
        lines.push(
          ...Buffer.from(payload.bytes)
            .toString()
            .split('\n')
            .filter((line) => line !== ''),
        );
      if (lines.length >= 6) context.controller.abort();
    }
    await source.teardown?.();
    const weights = new Map<string, number>();
    for (const line of lines) {
      const { insert, delete: deleted } = JSON.parse(line);
      const key = JSON.stringify(insert ?? deleted);
      weights.set(key, (weights.get(key) ?? 0) + (insert === undefined ? -1 : 1));
    }
    assert.equal([...weights.values()], [0, 0]);
  });

  cdc('a server that is killed while changes come costs none and repeats none', async () => {
    await sql('CREATE TABLE e (id bigint PRIMARY KEY, t text)');
    let stage = 0;
    const given = { source_table: 'e', slot_name: 'e_slot', max_retries: 20 };
    const result = await read(given, null, (lines, idle) => {
      if (idle && stage === 0) {
        stage = 1;
        sql(`INSERT INTO e SELECT i, 'before' FROM generate_series(1, 1000) AS i`);
      }
      if (lines.length >= 1000 && stage === 1) {
        stage = 2;
        server.process
          .stop('SIGKILL')
          .then(() => server.process.start())
          .then(() => sql(`INSERT INTO e SELECT i, 'after' FROM generate_series(1001, 2000) AS i`));
      }
      return lines.length >= 2000;
    });
    assert.equal(
      result.lines.map((line) => JSON.parse(line).insert.id),
      Array.from({ length: 2000 }, (_, i) => i + 1),
    );
    assert.ok(result.context.reported.includes('postgres.unavailable'));
  });

  cdc(
    'a connection that is slow, and cut again and again, while changes come costs none and repeats none',
    async () => {
      await sql('CREATE TABLE h (id bigint PRIMARY KEY, t text)');
      const proxy = await startCutProxy();
      proxy.target(server.uri.replace('postgres://', 'http://'));
      const through = new URL(server.uri);
      through.port = new URL(proxy.url).port;
      const given = { source_table: 'h', slot_name: 'h_slot', max_retries: 1000, uri: through.href };
      let writing: Promise<void> | null = null;
      let cuts = 0;
      // One behind the other: their order is that of the commits.
      const write = async (): Promise<void> => {
        for (let from = 1; from <= 2000; from += 200) {
          await sql(`INSERT INTO h SELECT i, 'x' FROM generate_series(${from}, ${from + 199}) AS i`);
        }
      };
      const { lines, context } = await read(given, null, (seen, idle) => {
        if (idle) writing ??= write();
        if (seen.length > cuts * 300 && cuts < 5) {
          cuts++;
          // The first part over a slow line.
          proxy.slow(cuts < 3 ? 30_000 : null);
          proxy.cut();
          proxy.mend();
        }
        return seen.length >= 2000;
      });
      assert.equal(
        lines.map((line) => JSON.parse(line).insert.id),
        Array.from({ length: 2000 }, (_, i) => i + 1),
      );
      assert.ok(context.reported.length > 0);
      await writing;
      await proxy.close();
    },
  );

  cdc('a slot that is taken and a table that is missing say what they are', async () => {
    await sql('CREATE TABLE f (id bigint PRIMARY KEY, t text)');
    assert.is(await codeOf(() => read({ source_table: 'nowhere' }, null, () => true)), 'postgres.missing');
    const mine = { source_table: 'f', publication: 'absent' };
    assert.is(await codeOf(() => read(mine, null, () => true)), 'postgres.missing');
    const holder = contextFor(relation, '.');
    const first = make({ source_table: 'f', slot_name: 'g_slot' }, holder);
    await first.open(null);
    let inner = '';
    for await (const payload of first.read()) {
      if (payload.kind !== 'idle' || inner !== '') continue;
      inner = 'asked';
      const other = { source_table: 'f', slot_name: 'g_slot', max_retries: 0, snapshot: false };
      const taken = `SELECT 1 FROM pg_replication_slots WHERE slot_name = 'g_slot' AND active`;
      // The stream begins behind the first idle payload of the snapshot.
      void (async () => {
        while ((await sql(taken)).rows.length === 0) await pollPause();
        inner = await codeOf(() => read(other, null, () => false));
        holder.controller.abort();
      })();
    }
    await first.teardown?.();
    assert.is(inner, 'postgres.slot_taken');
  });

  cdc('every type is the same in a snapshot and in a change', async () => {
    const row = `(ID, true, 9223372036854775807, 123456789012345678901234567.25, 0.1, E'a "b" \\\\ \\n é', '\\x00ff', '2024-02-29',
      '12:34:56.123456', '2024-02-29 12:34:56.123456', '2024-02-29 12:34:56+02', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11',
      '{"k": [1, 9007199254740993]}', '{1,NULL,3}', ARRAY['x "y"', NULL, 'a,b'])`;
    await sql(`CREATE TABLE kinds (id bigint PRIMARY KEY, b boolean, i8 bigint, n numeric(38,10), d double precision, t text, bin bytea,
      da date, ti time, ts timestamp, tz timestamptz, u uuid, j jsonb, a int[], s text[]);
      INSERT INTO kinds VALUES ${row.replace('ID', '1')}`);
    await using pipeline = await Pipeline.open({
      program: `CREATE TABLE kinds (id BIGINT NOT NULL PRIMARY KEY, b BOOLEAN, i8 BIGINT, n DECIMAL(38,10), d DOUBLE, t VARCHAR,
        bin VARBINARY, da DATE, ti TIME, ts TIMESTAMP, tz TIMESTAMP, u UUID, j VARIANT, a INT ARRAY, s VARCHAR ARRAY);`,
      inputs: {
        k: {
          stream: 'kinds',
          transport: { name: 'postgres_cdc_input', config: { uri: server.uri, source_table: 'kinds' } },
        },
      },
    });
    await pipeline.start();
    const rows = async (count: number): Promise<Record<string, unknown>[]> => {
      while (true) {
        const found = await pipeline.query('SELECT * FROM kinds ORDER BY id');
        if (found.length >= count) return found;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    };
    await rows(1);
    await sql(`INSERT INTO kinds VALUES ${row.replace('ID', '2')}`);
    const [first, second] = await rows(2);
    assert.equal({ ...second, id: 1 }, first);
    assert.is(first?.['n'], '123456789012345678901234567.2500000000');
    assert.is(first?.['t'], 'a "b" \\ \n é');
    assert.equal(first?.['s'], ['x "y"', null, 'a,b']);
    assert.equal(first?.['j'], { k: [1, 9007199254740993n] });
    assert.is(first?.['tz'], '2024-02-29 10:34:56');
    await pipeline.stop({ force: true });
  });

  await sql(
    'CREATE TABLE conforming (id bigint PRIMARY KEY, t text); INSERT INTO conforming VALUES (1, $$x$$), (2, $$y$$)',
  );
  const configuration = { uri: server.uri, source_table: 'public.conforming', slot_name: 'conforming_slot' };
  // A snapshot that is broken off is taken anew, so that there is no going on inside it; behind it there is (above).
  const isApart = ({ title }: { readonly title: string }): boolean => title.includes('every position');
  const checks = conformance(postgresCdcInput, { configuration, relation, rows: 2 });
  for (const { title, run } of checks.filter((each) => !isApart(each))) cdc(title, run);
}

cdc.run();
