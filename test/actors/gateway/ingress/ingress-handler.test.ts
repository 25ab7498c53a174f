// HTTP input, from the socket to the frames that the engine would take.
import { connect } from 'node:net';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { Int32, Table, tableToIPC, Utf8, vectorFromArray } from 'apache-arrow';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { decodeToken } from '../../../../actors/completion-token.ts';
import type { Field } from '../../../../runtime/batch/schema.ts';
import { pack } from '../../../../runtime/wire/msgpack.ts';
import { type Reply, ServedTable, until } from './served-table.ts';

const fields: readonly Field[] = [
  { name: 'id', type: { kind: 'BIGINT' }, nullable: false },
  { name: 'name', type: { kind: 'VARCHAR', length: null }, nullable: true },
];

async function withTable(run: (table: ServedTable) => Promise<void>, options = {}, primaryKey: readonly string[] = []) {
  const table = new ServedTable(fields, primaryKey);
  await table.listen(options);
  try {
    await run(table);
  } finally {
    await table.close();
  }
}

const ids = (table: ServedTable): unknown[] => table.rows.map((row) => Number((row as { id: bigint | number }).id));
const details = (reply: Reply): Record<string, unknown> => reply.body['details'] as Record<string, unknown>;

test('rows of a JSON body arrive, and the token names the mark behind them', async () => {
  await withTable(async (table) => {
    const reply = await table.post('t?format=json&update_format=raw&pipeline_name=p', [
      '{"id":1,"name":"a"} {"id":2}\n',
    ]);
    assert.is(reply.status, 200);
    assert.equal(Object.keys(reply.body), ['token']);
    await until(() => table.taken.length === 3);
    assert.equal(ids(table), [1, 2]);
    assert.equal(table.taken[2], { mark: 1 });
    assert.equal(decodeToken(String(reply.body['token'])), {
      incarnation: 'i-1',
      endpoint: table.endpoints[0],
      mark: 1,
    });
    assert.match(table.endpoints[0] ?? '', /^t\.api-ingress-[0-9a-f]{16}$/);
    const counters = [...table.deployment.apiInputs.values()][0];
    assert.is(counters?.totalRecords, 2);
    assert.is(counters?.numParseErrors, 0);
  });
});

test('csv is the default, with its options in the query string', async () => {
  await withTable(async (table) => {
    assert.is((await table.post('T', ['1,a\n2,b\n'])).status, 200);
    assert.is((await table.post('t?headers=true&delimiter=%3B', ['name;id\nx;3\n'])).status, 200);
    await until(() => table.rows.length === 3);
    assert.equal(ids(table), [1, 2, 3]);
    assert.is(table.endpoints.length, 2);
  });
});

test('records go across chunk borders, wherever they lie', async () => {
  await withTable(async (table) => {
    const text = Array.from({ length: 40 }, (_, id) => `{"insert":{"id":${id},"name":"é{${id}"}}\n`).join('');
    const bytes = Buffer.from(text);
    const chunks = Array.from({ length: Math.ceil(bytes.length / 7) }, (_, i) => bytes.subarray(i * 7, i * 7 + 7));
    assert.is((await table.post('t?format=json', chunks)).status, 200);
    await until(() => table.rows.length === 40);
    assert.equal(
      ids(table),
      Array.from({ length: 40 }, (_, id) => id),
    );
  });
});

test('a header of a CSV body counts for all of its chunks', async () => {
  await withTable(async (table) => {
    const reply = await table.post('t?headers=true', ['name,', 'id\nx,1\ny', ',2\nz,3\n', 'w,4']);
    assert.is(reply.status, 200);
    await until(() => table.rows.length === 4);
    assert.equal(ids(table), [1, 2, 3, 4]);
  });
});

test('an empty body and a JSON null are no rows', async () => {
  await withTable(async (table) => {
    for (const body of ['', 'null']) {
      const reply = await table.post('t?format=json', [], { 'content-length': '0' });
      assert.is(reply.status, 200, body);
      const outgoing = table.open('t?format=json', { 'content-length': String(body.length) });
      outgoing.request.end(body);
      assert.is((await outgoing.reply).status, 200, body);
    }
    assert.is(table.rows.length, 0);
  });
});

test('compressed bodies are read, unknown codings and broken ones are refused', async () => {
  await withTable(async (table) => {
    const rows = '{"id":1}\n'.repeat(50_000);
    const zstd = Buffer.from(
      'KLUv/QRYjAAASHsiaWQiOjF9CgEA9P/MyxFMAAAIOgEA/P85EAJMAAAIIgEA/P85EAJNAAAIMQEAzF0dCAGSyamn',
      'base64',
    );
    const packed = { gzip: gzipSync(rows), deflate: deflateSync(rows), br: brotliCompressSync(rows), zstd };
    for (const [coding, bytes] of Object.entries(packed)) {
      const reply = await table.post('t?format=json&update_format=raw', [bytes], { 'content-encoding': coding });
      assert.is(reply.status, 200, coding);
    }
    await until(() => table.rows.length === 200_000);
    const unknown = await table.post('t?format=json', ['{}'], { 'content-encoding': 'lzma' });
    assert.is(unknown.status, 415);
    const broken = await table.post('t?format=json', ['no gzip'], { 'content-encoding': 'gzip' });
    assert.is(broken.status, 400);
    assert.is(broken.body['error_code'], 'InvalidContentEncoding');
    const cut = await table.post('t?format=json', [zstd.subarray(0, 40)], { 'content-encoding': 'zstd' });
    assert.is(cut.body['error_code'], 'InvalidContentEncoding');
  });
});

test('good rows of a body with bad ones are kept; positions are those of the request', async () => {
  await withTable(async (table) => {
    await table.post('t?format=json&update_format=raw', ['{"id":1}\n']);
    const reply = await table.post('t?format=json&update_format=raw', [
      '{"id":2}\n{"id":"x"',
      '}\n{"id":3}\n{"name":"a"}\n',
    ]);
    assert.is(reply.status, 400);
    assert.is(reply.body['error_code'], 'ParseErrors');
    const { num_errors, errors, token } = details(reply) as {
      num_errors: number;
      errors: { event_number: number; field: string; invalid_text: string }[];
      token: string;
    };
    assert.is(num_errors, 2);
    assert.equal(
      errors.map((error) => [error.event_number, error.field]),
      [
        [2, 'id'],
        [4, 'id'],
      ],
    );
    assert.is(errors[0]?.invalid_text, '{"id":"x"}');
    assert.ok(
      String(reply.body['message']).includes('Errors parsing input data (2 errors):\n    Parse error (event #2)'),
    );
    await until(() => table.rows.length === 3);
    assert.equal(ids(table), [1, 2, 3]);
    assert.is(decodeToken(token).mark, 2);
    assert.is([...table.deployment.apiInputs.values()][0]?.numParseErrors, 2);
  });
});

test('at most the latest thousand errors are listed, all are counted', async () => {
  await withTable(async (table) => {
    const reply = await table.post('t?format=json&update_format=raw', ['{"id":"x"}\n'.repeat(2500)]);
    const { num_errors, errors } = details(reply) as { num_errors: number; errors: { event_number: number }[] };
    assert.is(num_errors, 2500);
    assert.is(errors.length, 1000);
    assert.is(errors.at(-1)?.event_number, 2500);
    assert.ok(
      String(reply.body['message']).startsWith('HttpProblem: Errors parsing input data (reporting 1000 out of 2500'),
    );
  });
});

test('an atomic request is taken whole or not at all', async () => {
  await withTable(
    async (table) => {
      const bad = await table.post('t?format=json&update_format=raw&atomic=true', ['{"id":1}\n{"id":"x"}\n']);
      assert.is(bad.status, 400);
      assert.is(details(bad)['token'], null);
      const good = await table.post('t?format=json&update_format=raw&atomic=true', ['{"id":1}\n', '{"id":2}']);
      assert.is(good.status, 200);
      await until(() => table.rows.length === 2);
      assert.equal(ids(table), [1, 2]);
      const large = await table.post('t?format=json&update_format=raw&atomic=true', ['{"id":3}\n'.repeat(200)]);
      assert.is(large.status, 413);
      assert.is(table.rows.length, 2);
    },
    { limits: { recordBytesMax: 1000, collectedBytesMax: 1000 } },
  );
});

test('a bad element of an array discards its array', async () => {
  await withTable(async (table) => {
    const query = 't?format=json&update_format=raw&array=true';
    const reply = await table.post(query, ['[{"id":1},{"id":"x"},{"id":2}]\n[{"id":3}]']);
    assert.is(reply.status, 400);
    await until(() => table.rows.length === 1);
    assert.equal(ids(table), [3]);
  });
});

test('a paused pipeline holds the rest of a body back, and force lifts the pause', async () => {
  await withTable(async (table) => {
    const outgoing = table.open('t?format=json&update_format=raw');
    outgoing.request.write('{"id":1}\n');
    await until(() => table.rows.length === 1);
    table.setState('paused');
    outgoing.request.end('{"id":2}\n');
    assert.is((await table.post('t?format=json&update_format=raw&force=true', ['{"id":9}\n'])).status, 200);
    await until(() => table.rows.length === 2);
    assert.equal(ids(table), [1, 9]);
    table.setState('running');
    assert.is((await outgoing.reply).status, 200);
    await until(() => table.rows.length === 3);
  });
});

test('a request into a paused pipeline may give up after a time or at once', async () => {
  await withTable(async (table) => {
    table.setState('paused');
    const late = await table.post('t?format=json&update_format=raw&timeout_ms=10', ['{"id":1}\n']);
    assert.is(late.status, 503);
    assert.equal(details(late), { num_records: 0, num_errors: 0, token: null });
    const refused = await table.post('t?format=json&on_paused=error', ['{"id":1}\n']);
    assert.is(refused.status, 409);
    assert.is(refused.body['error_code'], 'PipelinePaused');
    assert.is(table.rows.length, 0);
  });
});

test('without credit the socket is not read, whether forced or not', async () => {
  await withTable(async (table) => {
    table.takes = false;
    const outgoing = table.open('t?format=json&update_format=raw&force=true');
    const chunk = '{"id":1}\n'.repeat(100_000);
    let sent = 0;
    const write = (): void => {
      while (sent < 20 && outgoing.request.write(chunk)) sent++;
      if (sent < 20)
        outgoing.request.once('drain', () => {
          sent++;
          write();
        });
      else outgoing.request.end();
    };
    write();
    await until(() => (table.receivers[0]?.queuedRows ?? 0) >= 100_000);
    for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => setImmediate(resolve));
    assert.ok((table.receivers[0]?.queuedRows ?? 0) < 150_000);
    assert.ok(sent < 20);
    table.takes = true;
    table.take();
    assert.is((await outgoing.reply).status, 200);
    await until(() => table.rows.length === 2_000_000);
  });
});

test('requests of one turn share a batch, a mark and a token', async () => {
  await withTable(async (table) => {
    await table.post('t?format=json&update_format=raw', ['{"id":1}']);
    // Requests behind one another in one segment are read in one turn.
    const request = 'POST /t?format=json&update_format=raw HTTP/1.1\r\nHost: a\r\nContent-Length: 8\r\n\r\n{"id":2}';
    const socket = connect(table.port, '127.0.0.1');
    let text = '';
    socket.on('data', (bytes) => {
      text += bytes.toString();
    });
    socket.write(request.repeat(20));
    await until(() => text.split('"token"').length === 21 && text.endsWith('}'));
    socket.destroy();
    await until(() => table.rows.length === 21);
    assert.is(new Set(text.match(/"token":"[^"]+"/g)).size, 1);
    assert.is(table.batches, 2);
  });
});

test('wait=processed and wait=delivered answer when the rows are that far', async () => {
  await withTable(async (table) => {
    for (const wait of ['processed', 'delivered']) {
      const before = table.completed;
      assert.is((await table.post(`t?format=json&update_format=raw&wait=${wait}`, ['{"id":1}'])).status, 200);
      assert.ok(table.completed > before, wait);
    }
  });
});

test('weighted and debezium envelopes become changes', async () => {
  await withTable(async (table) => {
    const weighted =
      '{"weight":2,"data":{"id":1}} {"data":{"id":2},"weight":-1} {"weight":0,"data":{"id":9}} {"weight":1}';
    const reply = await table.post('t?format=json&update_format=weighted', [weighted]);
    assert.is(reply.status, 400);
    assert.is(details(reply)['num_errors'], 1);
    const changed =
      '{"payload":{"op":"u","before":{"id":3},"after":{"id":4}}}{"payload":{"op":"c","before":null,"after":{"id":5}}}';
    assert.is((await table.post('t?format=json&update_format=debezium', [changed])).status, 200);
    await until(() => table.rows.length === 5);
    const weights = table.taken.flatMap(({ weight }) => (weight === undefined ? [] : [weight]));
    assert.equal(
      [ids(table), weights],
      [
        [1, 2, 3, 4, 5],
        [2, -1, -1, 1, 1],
      ],
    );
  });
});

test('msgpack maps are rows, also in arrays, also cut anywhere', async () => {
  await withTable(async (table) => {
    const packed = (value: unknown): Uint8Array => pack(value).slice();
    const rows = [{ id: 1, name: 'a' }, { id: 2 }, [{ id: 3, name: 'x'.repeat(300) }, [4, null]]];
    const bytes = Buffer.concat(rows.map(packed));
    const chunks = Array.from({ length: Math.ceil(bytes.length / 5) }, (_, i) => bytes.subarray(i * 5, i * 5 + 5));
    assert.is((await table.post('t?format=msgpack', chunks)).status, 200);
    await until(() => table.rows.length === 4);
    assert.equal(ids(table), [1, 2, 3, 4]);
    const bad = Buffer.concat([{ id: 5 }, { id: 'x' }, [{ id: 6 }, {}], { id: 7 }].map(packed));
    const reply = await table.post('t?format=msgpack', [bad]);
    assert.is(reply.status, 400);
    const { errors } = details(reply) as { errors: { event_number: number }[] };
    assert.equal(
      errors.map((error) => error.event_number),
      [2, 4],
    );
    await until(() => table.rows.length === 6);
    assert.equal(ids(table).slice(4), [5, 7]);
    const broken = await table.post('t?format=msgpack', [
      Buffer.concat([packed({ id: 8 }), Buffer.from([0xc1, 0, 0])]),
    ]);
    assert.is(broken.status, 400);
    await until(() => table.rows.length === 7);
  });
});

test('an Arrow stream of several record batches is read, cut anywhere', async () => {
  await withTable(async (table) => {
    const part = (first: number): Table =>
      new Table({
        NAME: vectorFromArray(['a', null, 'c'], new Utf8()),
        id: vectorFromArray([first, first + 1, first + 2], new Int32()),
        more: vectorFromArray([1, 2, 3], new Int32()),
      });
    const bytes = tableToIPC(part(1).concat(part(4)), 'stream');
    const chunks = Array.from({ length: Math.ceil(bytes.length / 50) }, (_, i) => bytes.subarray(i * 50, i * 50 + 50));
    assert.is((await table.post('t?format=arrow', chunks)).status, 200);
    await until(() => table.rows.length === 6);
    assert.equal(ids(table), [1, 2, 3, 4, 5, 6]);
    assert.equal((table.rows[4] as { name: unknown }).name, null);
    assert.is((await table.post('t?format=arrow', ['no arrow at all'])).status, 400);
  });
});

test('what pandas prints is read: epoch milliseconds and integers with a fraction of zero', async () => {
  const table = new ServedTable([...fields, { name: 'at', type: { kind: 'TIMESTAMP' }, nullable: true }]);
  await table.listen();
  try {
    const query = 't?format=json&update_format=raw&array=true&json_flavor=pandas';
    const body = '[{"id":1.0,"at":1700000000123},{"id":2,"at":-1},{"id":3,"at":null}]';
    assert.is((await table.post(query, [body])).status, 200);
    await until(() => table.rows.length === 3);
    const times = table.rows.map((row) => String((row as { at: unknown }).at));
    assert.match(times[0] ?? '', /2023-11-14.22:13:20.123/);
    assert.match(times[1] ?? '', /1969-12-31.23:59:59.999/);
  } finally {
    await table.close();
  }
});

test('what cannot be is refused by name', async () => {
  await withTable(async (table) => {
    const refusals: readonly [string, number, string][] = [
      ['nosuch?format=json', 404, 'ConfigError.UnknownInputStream'],
      ['t?format=xml', 400, 'ConfigError.UnknownInputFormat'],
      ['t?format=json&array=perhaps', 400, 'InvalidParam'],
      ['t?format=json&update_format=snowflake', 400, 'InvalidParam'],
      ['t?force=maybe', 400, 'InvalidParam'],
      ['t?timeout_ms=-1', 400, 'InvalidParam'],
      ['t?wait=forever', 400, 'InvalidParam'],
    ];
    for (const [query, status, code] of refusals) {
      const reply = await table.post(query, ['{}']);
      assert.equal([reply.status, reply.body['error_code']], [status, code], query);
    }
  });
});

test('a hundred inputs of one pipeline are enough', async () => {
  await withTable(async (table) => {
    const delimiters = Array.from({ length: 128 }, (_, code) => code).filter((code) => ![10, 13, 34].includes(code));
    for (const code of delimiters.slice(0, 100)) {
      const query = `t?delimiter=%${code.toString(16).padStart(2, '0')}`;
      assert.is((await table.post(query, [])).status, 200, query);
    }
    const query = `t?delimiter=%${delimiters[100]?.toString(16)}`;
    const reply = await table.post(query, ['1']);
    assert.equal([reply.status, reply.body['error_code']], [429, 'ApiConnectionLimit']);
  });
});

test('the end of the deployment answers those who wait', async () => {
  await withTable(async (table) => {
    table.setState('paused');
    const waiting = table.post('t?format=json&update_format=raw', ['{"id":1}\n']);
    await until(() => table.endpoints.length === 1);
    table.setState('draining');
    assert.is((await waiting).status, 410);
    assert.is((await table.post('t?format=json', [''])).status, 410);
  });
});

test.run();
