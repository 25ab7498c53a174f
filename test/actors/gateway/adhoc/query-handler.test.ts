// Ad-hoc queries over HTTP and web sockets against a pipeline that runs.
import { once } from 'node:events';
import { tableFromIPC } from 'apache-arrow';
import { parquetReadObjects } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { WebSocket } from 'ws';
import { type RunningPipeline, runPipeline } from './running-pipeline.ts';

const program = `
CREATE TABLE t (id INT NOT NULL PRIMARY KEY, name VARCHAR, price DECIMAL(10, 2) DEFAULT 1.50, at TIMESTAMP);
CREATE TABLE bag (n BIGINT, word VARCHAR) WITH ('materialized' = 'true');
CREATE TABLE stream (n INT);
CREATE TABLE every_type (
  b BOOLEAN, i8 TINYINT, i16 SMALLINT, i32 INT, i64 BIGINT, f32 REAL, f64 DOUBLE, d DECIMAL(8, 2), wide DECIMAL(38, 4), c CHAR(3),
  s VARCHAR, bin VARBINARY, day DATE, tod TIME, at TIMESTAMP, id UUID, v VARIANT
) WITH ('materialized' = 'true');
CREATE VIEW loose AS SELECT n FROM stream;
CREATE MATERIALIZED VIEW total AS SELECT SUM(n) AS n, COUNT(*) AS times FROM bag;
`;
const everyValue = `INSERT INTO every_type VALUES
  (TRUE, -1, -2, -3, 9007199254740993, 1.5, 0.1, 12.30, 1234567890123456789012345678.1234, 'abc', 'a "b", ü', x'00ff', '2024-02-29', '01:02:03.5',
   '2025-10-20 20:55:16.35', '6ba7b810-9dad-11d1-80b4-00c04fd430c8', CAST('x' AS VARIANT)),
  (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)`;

let running: RunningPipeline;

/** How many rows were inserted. Queries see them. */
async function insert(sql: string): Promise<string> {
  const reply = await running.text(sql, 'json');
  return /^\{"count":(\d+)\}\n$/.exec(reply)?.[1] ?? reply;
}

test.before(async () => {
  running = await runPipeline(program);
  await insert(
    "INSERT INTO t VALUES (1, 'one', 1, '2024-01-02 03:04:05'), (2, NULL, 2.25, NULL), (3, 'three', 3, NULL)",
  );
  await insert("INSERT INTO bag VALUES (7, 'x'), (7, 'x'), (8, 'a\nb')");
  await insert(everyValue);
});
test.after(() => running.close());

async function problem(sql: string, format = 'json'): Promise<{ status: number; message: string; code: string }> {
  const response = await running.query({ sql, format });
  // SAFETY: what is wrong with it fails the assertions.
  const body = (await response.json()) as { message: string; error_code: string };
  return { status: response.status, message: body.message, code: body.error_code };
}

test('text is the table that Feldera prints, of a content type without a charset', async () => {
  const response = await running.query({ sql: 'SELECT id, name FROM t ORDER BY id', pipeline_name: 'test' });
  assert.is(response.status, 200);
  assert.is(response.headers.get('content-type'), 'text/plain');
  assert.is(response.headers.get('transfer-encoding'), 'chunked');
  assert.is(
    await response.text(),
    '+----+-------+\n| id | name  |\n+----+-------+\n| 1  | one   |\n| 2  |       |\n| 3  | three |\n+----+-------+\n',
  );
});

test('a cell of more than 64 characters is cut', async () => {
  const lines = (await running.text(`SELECT '${'x'.repeat(70)}' AS c`)).split('\n');
  assert.is(lines[3], `| ${'x'.repeat(64)}... |`);
});

test('json has a line for each row, with explicit nulls and T in timestamps', async () => {
  const response = await running.query({ sql: 'SELECT * FROM t ORDER BY id DESC LIMIT 2 OFFSET 1', format: 'json' });
  assert.is(response.headers.get('content-type'), 'application/json');
  assert.is(
    await response.text(),
    '{"id":2,"name":null,"price":2.25,"at":null}\n{"id":1,"name":"one","price":1.00,"at":"2024-01-02T03:04:05"}\n',
  );
});

test('json spells every type', async () => {
  const text = await running.text('SELECT * FROM every_type WHERE b', 'json');
  assert.is(
    text,
    '{"b":true,"i8":-1,"i16":-2,"i32":-3,"i64":9007199254740993,"f32":1.5,"f64":0.1,"d":12.30,' +
      '"wide":1234567890123456789012345678.1234,"c":"abc","s":"a \\"b\\", ü","bin":"00ff","day":"2024-02-29",' +
      '"tod":"01:02:03.500","at":"2025-10-20T20:55:16.350","id":"6ba7b810-9dad-11d1-80b4-00c04fd430c8","v":"\\"x\\""}\n',
  );
});

test('rows that stand twice are given twice, in every format', async () => {
  const sql = "SELECT n, word FROM bag WHERE word = 'x'";
  assert.is(await running.text(sql, 'json'), '{"n":7,"word":"x"}\n{"n":7,"word":"x"}\n');
  assert.is(await running.text(sql, 'csv'), 'n,word\n7,x\n7,x\n');
  assert.is((await running.text(sql)).split('\n').length, 7);
  const arrow = tableFromIPC(new Uint8Array(await (await running.query({ sql, format: 'arrow_ipc' })).arrayBuffer()));
  assert.is(arrow.numRows, 2);
});

test('csv quotes what needs it', async () => {
  assert.is(
    await running.text("SELECT s, CAST(NULL AS VARCHAR) AS n, '' AS e FROM every_type WHERE b", 'csv'),
    's,n,e\n"a ""b"", ü",,""\n',
  );
});

test('arrow_ipc is an IPC stream that apache-arrow reads back', async () => {
  const response = await running.query({ sql: 'SELECT * FROM every_type ORDER BY i8 NULLS LAST', format: 'arrow_ipc' });
  assert.is(response.headers.get('content-type'), 'application/octet-stream');
  const table = tableFromIPC(new Uint8Array(await response.arrayBuffer()));
  const types =
    'Bool Int8 Int16 Int32 Int64 Float32 Float64 Decimal[8e+2] Decimal[38e+4] Utf8 Utf8 LargeBinary Date32<DAY> ';
  assert.is(
    table.schema.fields.map((field) => String(field.type)).join(' '),
    `${types}Time64<NANOSECOND> Timestamp<MICROSECOND> Utf8 Utf8`,
  );
  assert.is(table.numRows, 2);
  const cell = (name: string, row: number): unknown => table.getChild(name)?.get(row);
  assert.is(cell('b', 0), true);
  assert.is(cell('i64', 0), 9007199254740993n);
  assert.is(cell('f64', 0), 0.1);
  assert.is(String(cell('d', 0)), '1230');
  assert.is(String(cell('wide', 0)), '12345678901234567890123456781234');
  assert.is(cell('s', 0), 'a "b", ü');
  assert.is(String(cell('bin', 0)), '0,255');
  assert.is(cell('tod', 0), 3_723_500_000_000n);
  assert.is(cell('id', 0), '6ba7b810-9dad-11d1-80b4-00c04fd430c8');
  for (const field of table.schema.fields) assert.is(cell(field.name, 1), null, field.name);
});

test('columns of one name keep their places in arrow, and an empty result has a schema', async () => {
  const bytes = await (await running.query({ sql: 'SELECT 1 AS a, 2 AS a', format: 'arrow_ipc' })).arrayBuffer();
  const table = tableFromIPC(new Uint8Array(bytes));
  assert.equal([table.getChildAt(0)?.get(0), table.getChildAt(1)?.get(0)], [1, 2]);
  const none = await (await running.query({ sql: 'SELECT id FROM t WHERE id > 9', format: 'arrow_ipc' })).arrayBuffer();
  const empty = tableFromIPC(new Uint8Array(none));
  assert.is(empty.numRows, 0);
  assert.is(empty.schema.fields[0]?.name, 'id');
});

test('arrays, maps and rows are nested columns in arrow, JSON in json', async () => {
  const sql = "SELECT ARRAY[1, NULL, 3] AS a, MAP['x', 1.5, 'y', 2.5] AS m, ROW(7, 'seven') AS r";
  const reply = await running.query({ sql, format: 'arrow_ipc' });
  const table = tableFromIPC(new Uint8Array(await reply.arrayBuffer()));
  assert.is(JSON.stringify([...(table.getChild('a')?.get(0) ?? [])]), '[1,null,3]');
  assert.equal(Object.keys(table.getChild('m')?.get(0)?.toJSON() ?? {}), ['x', 'y']);
  assert.equal(
    [...(table.getChild('r')?.get(0) ?? [])].map(([, value]) => value),
    [7, 'seven'],
  );
  assert.match(await running.text(sql, 'json'), /^\{"a":\[1,null,3\],"m":\{"x":1\.5,"y":2\.5\},"r":\{/);
  assert.match(await running.text("SELECT MAP[1, 'x'] AS m", 'hash'), /^[0-9A-F]{64}$/);
  assert.match(await running.text("SELECT MAP[1, 'x'] AS m", 'json'), /^\{"error":".*text keys only/);
});

test('numbers for a DOUBLE column are divided as doubles', async () => {
  assert.is(await insert('INSERT INTO every_type (i8, f64, f32) VALUES (99, -1.0/0.0, CAST(0.0/0.0 AS REAL))'), '1');
  assert.is(await running.text('SELECT f64, f32 FROM every_type WHERE i8 = 99', 'csv'), 'f64,f32\n-Infinity,NaN\n');
  assert.is(await running.text('SELECT f64 FROM every_type WHERE i8 = 99', 'json'), '{"f64":null}\n');
});

test('texts are inserted as they come, as connectors bring them: neither padded nor cut', async () => {
  assert.is(await insert("INSERT INTO every_type (i8, c) VALUES (77, 'x'), (78, 'longer')"), '2');
  const sql = "SELECT i8, '[' || c || ']' AS c FROM every_type WHERE i8 IN (77, 78) ORDER BY i8";
  assert.is(await running.text(sql, 'csv'), 'i8,c\n77,[x]\n78,[longer]\n');
});

test('parquet is a file with an attachment name', async () => {
  const response = await running.query({ sql: 'SELECT id, name, price FROM t ORDER BY id', format: 'parquet' });
  assert.match(
    response.headers.get('content-disposition') ?? '',
    /^attachment; filename="results_\d{8}_\d{6}\.parquet"$/,
  );
  const rows = await parquetReadObjects({ file: await response.arrayBuffer(), compressors });
  assert.equal(rows[0], { id: 1, name: 'one', price: 1 });
  assert.is(rows.length, 3);
});

test('hash does not depend on the order of rows, but on everything else', async () => {
  const hash = (sql: string): Promise<string> => running.text(sql, 'hash');
  const first = await hash('SELECT id, name FROM t ORDER BY id');
  assert.match(first, /^[0-9A-F]{64}$/);
  assert.is(await hash('SELECT id, name FROM t ORDER BY id DESC'), first);
  assert.is.not(await hash('SELECT id, name FROM t WHERE id < 3'), first);
  assert.is.not(await hash('SELECT id, name AS n FROM t'), first);
  assert.is.not(await hash('SELECT n FROM bag'), await hash('SELECT DISTINCT n FROM bag'));
});

test('what is not materialized is refused, and so is bad SQL, each with its place', async () => {
  const loose = await problem('SELECT * FROM loose', 'text');
  assert.is(loose.status, 400);
  assert.is(loose.code, 'AdHocQueryError');
  assert.match(loose.message, /^Error during query processing: .*materialized/);
  const column = await problem("INSERT INTO bag VALUES (1, 'y');\nSELECT nam FROM t");
  assert.is(column.status, 400);
  assert.match(column.message, /2:8: no column is named "nam"/);
  assert.is(await running.text('SELECT COUNT(*) AS c FROM bag', 'json'), '{"c":3}\n');
});

test('a query is prepared and executed in one request', async () => {
  const text = 'PREPARE p AS SELECT COUNT(*) AS c FROM bag WHERE $1 = 1; EXECUTE p(2 - 1);';
  assert.is(await running.text(text, 'json'), '{"c":3}\n');
  assert.match((await problem('PREPARE p AS SELECT 1 AS x')).message, /PREPARE is not supported here/);
});

test('definitions, rows in the middle, empty texts and unknown formats are refused', async () => {
  assert.match((await problem('  DROP TABLE t')).message, /1:3: DROP is not supported here/);
  assert.match((await problem('CREATE TABLE x (n INT)')).message, /editing the program/);
  assert.match((await problem('SELECT 1; SELECT 2')).message, /only the last statement may return rows/);
  assert.match((await problem(' ; -- nothing')).message, /no SQL statements/);
  assert.is((await problem('SELECT 1', 'xml')).code, 'InvalidParam');
  assert.is((await running.query({})).status, 400);
});

test('a value that fails ends a reply that has begun', async () => {
  const text = await running.query({ sql: 'SELECT 1 / (id - 1) FROM t' });
  assert.is(text.status, 200);
  assert.match(await text.text(), /ERROR: .*division by zero/);
  const json = await running.query({ sql: 'SELECT 1 / 0 AS x', format: 'json' });
  assert.is(json.status, 200);
  assert.match(await json.text(), /^\{"error":".*division by zero.*"\}\n$/);
  assert.is((await problem('SELECT 1 / 0 AS x', 'arrow_ipc')).status, 400);
});

test('INSERT says how many rows, takes defaults, and a trailing SELECT sees the state before', async () => {
  assert.is(
    await running.text("INSERT INTO t (name, id) VALUES ('ten', 10), ('el;even', 11)", 'json'),
    '{"count":2}\n',
  );
  assert.is(await insert('INSERT INTO t SELECT id + 100, UPPER(name), price, at FROM t WHERE id = 10'), '1');
  assert.is(
    await running.text('SELECT id, name, price FROM t WHERE id > 9 ORDER BY id', 'json'),
    '{"id":10,"name":"ten","price":1.50}\n{"id":11,"name":"el;even","price":1.50}\n{"id":110,"name":"TEN","price":1.50}\n',
  );
  const both = await running.text('INSERT INTO t (id) VALUES (12); SELECT COUNT(*) AS c FROM t WHERE id > 9;', 'json');
  assert.is(both, '{"c":3}\n');
  await insert('INSERT INTO t (id) VALUES (13)');
  assert.is(await running.text('SELECT COUNT(*) AS c FROM t WHERE id > 9', 'json'), '{"c":5}\n');
});

test('INSERT is refused as a whole when a row does not fit', async () => {
  assert.match((await problem("INSERT INTO t VALUES (20, 'x')")).message, /2 values into 4 columns/);
  assert.match((await problem('INSERT INTO t (nme) VALUES (20)')).message, /did you mean "name"/);
  assert.match((await problem("INSERT INTO t (name) VALUES ('x')")).message, /"id" is NOT NULL/);
  assert.match((await problem('INSERT INTO t (id) SELECT CASE WHEN n > 7 THEN 1 END FROM bag')).message, /NOT NULL/);
  assert.match((await problem('INSERT INTO total VALUES (1, 2)')).message, /is a view/);
  assert.is(await running.text('SELECT id FROM t WHERE id = 20', 'json'), '');
});

test('INSERT waits while the pipeline is paused, SELECT does not; the time limit ends the wait', async () => {
  await running.control.call('pause', (api) => api.pause());
  const late = await running.query({ sql: 'INSERT INTO t (id) VALUES (30)', timeout_ms: '50' });
  assert.is(late.status, 400);
  // SAFETY: what is wrong with it fails the assertion.
  assert.is(((await late.json()) as { error_code: string }).error_code, 'AdHocQueryTimeout');
  const waiting = running.text('INSERT INTO t (id) VALUES (31)', 'json');
  assert.is(await running.text('SELECT id FROM t WHERE id = 1', 'json'), '{"id":1}\n');
  await running.control.call('resume', (api) => api.resume());
  assert.is(await waiting, '{"count":1}\n');
  await insert('INSERT INTO t (id) VALUES (32)');
  assert.is(
    await running.text('SELECT id FROM t WHERE id BETWEEN 30 AND 39 ORDER BY id', 'json'),
    '{"id":31}\n{"id":32}\n',
  );
});

test('a client that leaves gives its INSERT up', async () => {
  await running.control.call('pause', (api) => api.pause());
  const leaving = new AbortController();
  const request = running.query({ sql: 'INSERT INTO t (id) VALUES (40)' }, { signal: leaving.signal });
  // Something that is answered after the INSERT was asked for.
  await running.text('SELECT 1');
  leaving.abort();
  await request.then(
    () => assert.unreachable(),
    () => {},
  );
  await running.text('SELECT 1');
  await running.control.call('resume', (api) => api.resume());
  await insert('INSERT INTO t (id) VALUES (41)');
  assert.is(await running.text('SELECT id FROM t WHERE id BETWEEN 40 AND 49', 'json'), '{"id":41}\n');
});

test('a result beyond the limit is refused', async () => {
  const small = await runPipeline('CREATE TABLE t (n INT);', { resultBytesMax: 10 });
  const response = await small.query({ sql: 'SELECT 1 AS a' });
  assert.is(response.status, 400);
  assert.match(await response.text(), /AdHocQueryResultTooLarge/);
  await small.close();
});

interface SocketReply {
  readonly text: string;
  readonly frames: readonly Buffer[];
  readonly binary: boolean;
  readonly code: number;
}

async function ask(request: unknown): Promise<SocketReply> {
  const socket = new WebSocket(running.url.replace('http', 'ws'));
  const frames: Buffer[] = [];
  let binary = false;
  socket.on('message', (data, isBinary) => {
    binary = isBinary;
    if (Buffer.isBuffer(data)) frames.push(data);
  });
  socket.on('open', () => socket.send(typeof request === 'string' ? request : JSON.stringify(request)));
  const [code]: unknown[] = await once(socket, 'close');
  return { text: Buffer.concat(frames).toString(), frames, binary, code: Number(code) };
}

test('over a web socket: text or binary frames, then close 1000', async () => {
  const json = await ask({ sql: 'SELECT id FROM t WHERE id < 3 ORDER BY id', format: 'json' });
  assert.equal([json.text, json.binary, json.code], ['{"id":1}\n{"id":2}\n', false, 1000]);
  const arrow = await ask({ sql: 'SELECT id FROM t WHERE id < 3', format: 'arrow_ipc' });
  assert.equal([arrow.binary, arrow.code], [true, 1000]);
  assert.is(tableFromIPC(new Uint8Array(Buffer.concat(arrow.frames))).numRows, 2);
});

test('over a web socket: an error is a frame, then close 1011', async () => {
  const wrong = await ask({ sql: 'SELECT x FROM t', format: 'json' });
  assert.is(wrong.code, 1011);
  assert.is(JSON.parse(wrong.text).error_code, 'AdHocQueryError');
  assert.is((await ask('nonsense')).code, 1011);
});

test('over a web socket: large results come in frames of at most 2 MiB', async () => {
  // Too long for the line of a request.
  const sql = `INSERT INTO bag VALUES (100, '${'ü'.repeat(1_000_000)}'), (100, '${'é'.repeat(1_500_000)}')`;
  const { token } = await running.control.wait('insert', (api, waitId) => api.insert(waitId, sql));
  await running.control.wait('completed', (api, waitId) => api.tokenCompleted(waitId, token));
  const large = await ask({ sql: 'SELECT word FROM bag WHERE n = 100', format: 'csv' });
  assert.is(large.code, 1000);
  assert.ok(large.frames.length > 2);
  assert.ok(large.frames.every((frame) => frame.length <= 2 * 1024 * 1024 && !frame.toString().includes('\ufffd')));
  assert.is(large.text.length, 'word\n'.length + 2_500_002);
});

test.run();
