// Bad input of every kind through whole pipelines: each gets a coded error that names the place, good rows around a bad one
// are kept, bad ones are counted and shown, and nothing hangs. Exit codes are looked at through the binary.
import { copyFileSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type InputConnectorStats, type MillraceError, Pipeline, type PipelineStats } from '../../index.ts';
import { Fixture, rejects } from '../embedded/pipeline-fixture.ts';
import { millrace } from './cli-process.ts';

const fixture = new Fixture();
test.after(() => fixture.cleanUp());
const folder = fixture.folder;
const timeoutMs = 100_000;

const csv = { name: 'csv' };
const raw = { name: 'json', config: { update_format: 'raw' } };
const parquet = { name: 'parquet' };

function input(path: string, format: object, fields: object = {}): Record<string, unknown> {
  return { stream: 't', transport: { name: 'file_input', config: { path } }, format, ...fields };
}

// ── inputs: one pipeline, one connector for every kind ──

const program = `
  CREATE TABLE t (id INT, name VARCHAR, n SMALLINT);
  CREATE MATERIALIZED VIEW v AS SELECT id, name, n FROM t;
  CREATE TABLE flights (delay BIGINT, distance BIGINT);
`;

mkdirSync(fixture.path('folder'));
fixture.write('empty.csv', '');
fixture.write('header.csv', 'id,name,n\n');
fixture.write('wrong-header.csv', 'id,nam,n\n1,a,1\n');
fixture.write('fields.csv', '10,good,1\n11,short\n12,good,2\n13,long,3,4,5\n14,good,3\n');
fixture.write('fields.json', '{"id":20,"name":"good","n":1,"other":{"x":[1]},"another":2}\n{"id":21}\n');
writeFileSync(
  fixture.path('utf8.csv'),
  Buffer.concat([Buffer.from('30,good,1\n31,b'), Buffer.from([0xff, 0xc3]), Buffer.from(',2\n32,good,3\n')]),
);
writeFileSync(
  fixture.path('utf8.json'),
  Buffer.concat([
    Buffer.from('{"id":33,"name":"good"}\n{"id":34,"name":"'),
    Buffer.from([0xe2, 0x82]),
    Buffer.from('"}\n{"id":35,"name":"good"}\n'),
  ]),
);
fixture.write('overflow.csv', '40,good,32767\n41,bad,32768\n3000000000,bad,1\n43,good,-32768\n44,bad,x\n');
fixture.write('overflow.json', '{"id":45,"n":1e3}\n{"id":46,"n":1e9}\n{"id":47,"n":1.5}\n{"id":48,"n":"7"}\n');
fixture.write('broken.json', '{"id":50,"n":1}\n{"id":51,"n":]\n{"id":52,"n":2}\n{"id":53,"n":3\n');
writeFileSync(
  fixture.path('large.json'),
  `{"id":60,"name":"before"}\n{"id":61,"name":"${'x'.repeat(50_000_000)}"}\n{"id":62,"name":"after"}\n`,
);
const flights = fileURLToPath(new URL('../../../node_modules/vega-datasets/data/flights-3m.parquet', import.meta.url));
copyFileSync(flights, fixture.path('cut.parquet'));
truncateSync(fixture.path('cut.parquet'), 1_000_000);
fixture.write('none.parquet', '');
fixture.write('text.parquet', 'this is no parquet file at all, but long enough to look like one');

let pipeline: Pipeline;
let statistics: PipelineStats;
let rows: readonly Record<string, unknown>[];

/** What became of one connector, with the lists of its errors. */
function statsOf(name: string, table = 't'): Promise<InputConnectorStats> {
  return pipeline.inputConnectorStats(table, name);
}

/** Ids in the table between two bounds: the range that one file fills. */
function ids(from: number, to: number): unknown[] {
  return rows
    .map((row) => row['id'])
    .filter((id) => Number(id) >= from && Number(id) < to)
    .sort();
}

/** Record number and fragment of each refused row. */
function refused(stats: InputConnectorStats): (readonly [number | null, string])[] {
  return stats.parseErrors.map(({ record, error }) => [record, 'fragment' in error ? error.fragment : '']);
}

test.before(async () => {
  const headers = { name: 'csv', config: { headers: true } };
  pipeline = await fixture.track(
    Pipeline.open({
      program,
      baseFolder: folder,
      inputs: {
        missing: input('nowhere/data.csv', csv),
        folder: input('folder', csv),
        empty: input('empty.csv', csv),
        header: input('header.csv', headers),
        wrong_header: input('wrong-header.csv', headers),
        fields: input('fields.csv', csv),
        fields_json: input('fields.json', raw),
        utf8: input('utf8.csv', csv),
        utf8_json: input('utf8.json', raw),
        overflow: input('overflow.csv', csv),
        overflow_json: input('overflow.json', raw),
        broken: input('broken.json', raw),
        large: input('large.json', raw),
        cut: input('cut.parquet', parquet, { stream: 'flights' }),
        no_bytes: input('none.parquet', parquet, { stream: 'flights' }),
        text: input('text.parquet', parquet, { stream: 'flights' }),
        strict: input('fields.json', raw, { strict: true }),
        rigid_csv: input('fields.csv', { name: 'csv', config: { flexible: false } }),
        strict_csv: input('fields.csv', csv, { strict: true }),
      },
    }),
  );
  await pipeline.start();
  const error = await rejects(pipeline.waitForCompletion({ timeoutMs }), 'pipeline.connectors_failed');
  assert.equal(
    // SAFETY: the field of this code.
    [...(error.fields['failed'] as readonly string[])].sort(),
    ['flights.cut', 'flights.no_bytes', 'flights.text', 't.folder', 't.missing', 't.wrong_header'],
    'these, and no other, could not be read',
  );
  statistics = await pipeline.stats();
  rows = await pipeline.query('SELECT * FROM v');
});

test('a missing file and a folder: the connector fails and names the path', async () => {
  const missing = await statsOf('missing');
  assert.is(missing.state, 'failed');
  assert.is(missing.error?.code, 'file.not_found');
  assert.match(missing.error?.message ?? '', fixture.path('nowhere'));
  const isFolder = await statsOf('folder');
  assert.is(isFolder.error?.code, 'file.is_directory');
  assert.match(isFolder.error?.message ?? '', fixture.path('folder'));
});

test('an empty file and a header alone are inputs without rows', async () => {
  for (const name of ['empty', 'header']) {
    const { state, totalRecords, numParseErrors, endOfInput } = await statsOf(name);
    assert.equal([name, state, totalRecords, numParseErrors, endOfInput], [name, 'ended', 0, 0, true]);
  }
});

test('a header that matches no column fails the connector and lists the columns', async () => {
  const { error, totalRecords } = await statsOf('wrong_header');
  assert.is(error?.code, 'format.csv_header_mismatch');
  assert.match(error?.message ?? '', /nam\b.*columns of the table: id, name, n/);
  assert.is(totalRecords, 0);
});

test('a truncated, an empty and a foreign Parquet file fail with what is wrong with them', async () => {
  for (const name of ['cut', 'no_bytes', 'text']) {
    const { error, state } = await statsOf(name, 'flights');
    assert.is(state, 'failed');
    assert.match(error?.code ?? '', /^format\.parquet_(truncated|damaged|foreign)$/);
  }
});

test('CSV with too few or too many fields: by default NULL and a count, refused when asked for', async () => {
  const stats = await statsOf('fields');
  assert.equal([stats.totalRecords, stats.numParseErrors, stats.numUnknownFields], [5, 0, 2]);
  const short = rows.filter((row) => row['id'] === 11);
  assert.ok(short.length > 0 && short.every((row) => row['n'] === null));
  const strict = await statsOf('strict_csv');
  assert.equal(refused(strict), [[4, '13,long,3,4,5']], 'with strict: true surplus fields are errors');
  assert.is(strict.numUnknownFields, 0);
  const rigid = await statsOf('rigid_csv');
  assert.equal(refused(rigid), [
    [2, '11,short'],
    [4, '13,long,3,4,5'],
  ]);
  assert.is(rigid.totalRecords, 3);
});

test('JSON keys that the table lacks are ignored and counted, with strict: true refused', async () => {
  const stats = await statsOf('fields_json');
  assert.equal([stats.totalRecords, stats.numParseErrors, stats.numUnknownFields], [2, 0, 2]);
  const strict = await statsOf('strict');
  assert.equal([strict.totalRecords, strict.numParseErrors], [1, 1]);
  assert.is(strict.parseErrors[0]?.record, 1);
});

test('invalid UTF-8 is refused row by row', async () => {
  const inCsv = await statsOf('utf8');
  assert.equal(ids(30, 33), [30, 32]);
  assert.equal([inCsv.numParseErrors, inCsv.parseErrors[0]?.record], [1, 2]);
  const inJson = await statsOf('utf8_json');
  assert.equal(ids(33, 36), [33, 35]);
  assert.equal([inJson.numParseErrors, inJson.parseErrors[0]?.record], [1, 2]);
});

test('numbers that overflow their column are refused with record and fragment, the rows around them kept', async () => {
  const inCsv = await statsOf('overflow');
  assert.equal(ids(40, 45), [40, 43]);
  assert.equal(refused(inCsv), [
    [2, '41,bad,32768'],
    [3, '3000000000,bad,1'],
    [5, '44,bad,x'],
  ]);
  const inJson = await statsOf('overflow_json');
  assert.ok(ids(45, 50).includes(45));
  assert.ok(
    refused(inJson).some(([record, fragment]) => record === 2 && fragment.includes('1e9')),
    JSON.stringify(inJson.parseErrors),
  );
  assert.ok(refused(inJson).some(([record]) => record === 3));
});

test('a JSON value with an error in it is refused alone, and one that the file cuts off', async () => {
  const stats = await statsOf('broken');
  assert.equal(ids(50, 60), [50, 52]);
  assert.equal(
    refused(stats).map(([record]) => record),
    [2, 4],
  );
});

test('a single JSON value of 50 MB is read as a row like any other', async () => {
  const stats = await statsOf('large');
  assert.equal(stats.state, 'ended', JSON.stringify(stats.error));
  assert.equal(ids(60, 70), [60, 61, 62]);
  assert.is(String(rows.find((row) => row['id'] === 61)?.['name']).length, 50_000_000);
});

test('statistics count what was refused, and never more than the latest 100 are kept', async () => {
  const overflow = statistics.inputs.find((stats) => stats.endpoint === 't.overflow');
  assert.is(overflow?.numParseErrors, 3);
  fixture.write('bad.csv', 'x\n'.repeat(250));
  const endpoint = await pipeline.addConnector('input', 'many', input('bad.csv', csv));
  assert.is(endpoint, 't.many');
  await pipeline.connectorEnded('t', 'many', { timeoutMs });
  const stats = await statsOf('many');
  assert.is(stats.numParseErrors, 250);
  assert.is(stats.parseErrors.length, 100);
  assert.equal([stats.parseErrors[0]?.record, stats.parseErrors[99]?.record], [151, 250]);
  await pipeline.stop();
});

// ── programs and configurations ──

async function problemsOf(options: {
  program?: string;
  inputs?: Record<string, Record<string, unknown>>;
}): Promise<MillraceError> {
  const error = await rejects(
    Pipeline.open({ program: options.program ?? 'CREATE TABLE t (x INT);', inputs: options.inputs ?? {} }),
    'pipeline.invalid',
  );
  return error;
}

test('errors of SQL and of the configuration name the place and the nearest name', async () => {
  const unknownColumn = await problemsOf({
    program: 'CREATE TABLE t (amount INT);\nCREATE VIEW v AS SELECT amuont FROM t;',
  });
  assert.match(unknownColumn.message, /sql\.unknown_column|2:25/);
  assert.match(unknownColumn.message, 'did you mean "amount"?');
  const syntax = await problemsOf({ program: 'CREATE TABLE t (x INT);\nCREATE VIEW v AS SELEC x FROM t;' });
  assert.match(syntax.message, '2:18');
  const missingTable = await problemsOf({ program: 'CREATE TABLE t (x INT);\nCREATE VIEW v AS SELECT x FROM tt;' });
  assert.match(missingTable.message, /2:32.*did you mean "t"\?/);
  const transport = await problemsOf({ inputs: { a: { stream: 't', transport: { name: 'file_inptu' } } } });
  assert.match(transport.message, /inputs\.a\.transport.*did you mean "file_input"\?/);
  const key = await problemsOf({ inputs: { a: { ...input('x.csv', csv), start_afterr: 'y' } } });
  assert.match(key.message, /inputs\.a.*start_afterr.*did you mean "start_after"\?/);
});

// ── evaluation errors ──

const numbers = 'CREATE TABLE t (id INT, name VARCHAR, n SMALLINT);';
fixture.write('zero.csv', '1,a,2\n2,b,0\n3,c,5\n');

test('division by zero stops the pipeline before any output of that step, and says where and on which row', async () => {
  const failing = await fixture.track(
    Pipeline.open({
      program: `${numbers} CREATE MATERIALIZED VIEW share AS SELECT id, 10 / n AS s FROM t;`,
      baseFolder: folder,
      inputs: { zero: input('zero.csv', csv) },
      outputs: {
        share: {
          stream: 'share',
          transport: { name: 'file_output', config: { path: 'share.ndjson' } },
          format: { name: 'json' },
        },
      },
    }),
  );
  await failing.start();
  const error = await rejects(failing.waitForCompletion({ timeoutMs }), 'pipeline.failed');
  assert.is(failing.status.state, 'failed');
  const text = JSON.stringify([error.message, error.cause instanceof Error ? error.cause.message : '']);
  assert.match(text, /share/);
  assert.match(text, /zero/);
  const cause = failing.status.error;
  assert.match(JSON.stringify(cause), /10 \/ n/);
  assert.match(JSON.stringify(cause), /"?b"?/);
  await failing.stop({ force: true });
  assert.is(readFileSync(fixture.path('share.ndjson'), 'utf8'), '');
});

test('with on_error: skip the row is left out and counted', async () => {
  const skipping = await fixture.track(
    Pipeline.open({
      program: `${numbers} CREATE MATERIALIZED VIEW share AS SELECT id, 10 / n AS s FROM t;`,
      onError: 'skip',
      baseFolder: folder,
      inputs: { zero: input('zero.csv', csv) },
    }),
  );
  await skipping.start();
  await skipping.waitForCompletion({ timeoutMs });
  assert.equal(await skipping.query('SELECT * FROM share ORDER BY id'), [
    { id: 1, s: 5 },
    { id: 3, s: 2 },
  ]);
  const { engine } = await skipping.stats();
  assert.is(engine?.numEvaluationErrors, 1);
  await skipping.stop();
});

test('a SUM that overflows stops the pipeline', async () => {
  const summing = await fixture.track(
    Pipeline.open({
      program: 'CREATE TABLE t (x BIGINT); CREATE MATERIALIZED VIEW total AS SELECT SUM(x) AS s FROM t;',
    }),
  );
  await summing.start();
  const most = 9_223_372_036_854_775_807n;
  await summing.completed(await summing.inputJson('t', [{ x: most }]), { timeoutMs });
  assert.equal(await summing.query('SELECT * FROM total'), [{ s: most }]);
  const token = await summing.inputJson('t', [{ x: 1 }]);
  const error = await rejects(summing.completed(token, { timeoutMs }), 'pipeline.failed');
  assert.match(JSON.stringify(summing.status.error), /sql\.numeric_overflow|overflow/);
  assert.match(String(error.message), /total/);
  await summing.stop({ force: true });
});

// ── exit codes ──

test('the binary: 0 with refused rows, 1 when the pipeline fails, 2 for YAML, SQL and configuration errors', async () => {
  const connectors =
    'inputs:\n  a: { stream: t, transport: { name: file_input, config: { path: zero.csv } }, format: { name: csv } }\n';
  fixture.write('refused.yaml', `program: CREATE TABLE t (id INT, name INT, n INT);\n${connectors}`);
  fixture.write(
    'fails.yaml',
    `program: CREATE TABLE t (id INT, name VARCHAR, n INT); CREATE MATERIALIZED VIEW v AS SELECT 1 / n AS s FROM t;\n${connectors}`,
  );
  fixture.write('yaml.yaml', 'program: "unclosed\n');
  fixture.write('sql.yaml', `program: CREATE TABLE t (id INT; \n${connectors}`);
  const refusing = await millrace(['run', 'refused.yaml'], { folder });
  assert.is(refusing.code, 0, refusing.err);
  assert.match(refusing.out, 't.a: 3 rows refused');
  const failing = await millrace(['run', 'fails.yaml'], { folder });
  assert.is(failing.code, 1, failing.err);
  assert.match(failing.err, /^error pipeline\.failed: /m);
  assert.match(failing.err, /because sql\.division_by_zero/);
  const results = await Promise.all(['yaml.yaml', 'sql.yaml', '.'].map((file) => millrace(['run', file], { folder })));
  assert.equal(
    results.map(({ code, out, err }) => [code, out, /^error [a-z]+\.[a-z_]+: /m.test(err)]),
    [
      [2, '', true],
      [2, '', true],
      [2, '', true],
    ],
  );
});

test.run();
