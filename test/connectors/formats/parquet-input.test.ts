// parquet input against files of two other writers (DuckDB, hyparquet-writer) and a real one, and against files that were
// cut or changed: those are refused with a coded error, never read out of bounds.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DuckDBInstance } from '@duckdb/node-api';
import fc from 'fast-check';
import { parquetReadObjects } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parquetInput } from '../../../connectors/formats/parquet-input.ts';
import type { DecodeReport, DecoderContext } from '../../../connectors/sdk/format.ts';
import { assertBatch, type ChangeBatch } from '../../../runtime/batch/change-batch.ts';
import { type CellValue, readCell } from '../../../runtime/batch/scalar-values.ts';
import type { Relation } from '../../../runtime/batch/schema.ts';
import { MillraceError } from '../../../runtime/errors.ts';
import { bigint, codeOf, relationOf, varchar } from '../connector-context.ts';

const folder = mkdtempSync(join(tmpdir(), 'millrace-parquet-'));
const duckdb = await DuckDBInstance.create(':memory:');
const connection = await duckdb.connect();
const signal = new AbortController().signal;

test.after(() => {
  connection.closeSync();
  duckdb.closeSync();
  rmSync(folder, { recursive: true });
});

interface Decoded {
  readonly rows: CellValue[][];
  readonly batches: readonly ChangeBatch[];
  readonly report: DecodeReport;
}

async function decode(
  bytes: Uint8Array,
  relation: Relation,
  options: Partial<DecoderContext> = {},
  batchRowsMax = 1000,
): Promise<Decoded> {
  const defaults = relation.schema.fields.map(() => null);
  const context: DecoderContext = { relation, defaults, strict: false, ...options };
  const report: DecodeReport = { records: 0, numParseErrors: 0, numUnknownFields: 0, errors: [], fatal: null };
  const read = async (offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> =>
    new Uint8Array(bytes.subarray(offset, offset + length));
  const blocks = await parquetInput.plan({ size: bytes.length, read }, {}, context, signal);
  const batches: ChangeBatch[] = [];
  for (const block of blocks) {
    // Descriptions travel to another thread.
    const sent = structuredClone(block);
    const body = await read(block.offset, block.length);
    batches.push(...(await parquetInput.decodeBlock(body, sent, {}, context, report, batchRowsMax)));
    if (report.fatal !== null) throw report.fatal;
  }
  const rows: CellValue[][] = [];
  for (const batch of batches) {
    assertBatch(batch);
    assert.ok(batch.rows <= batchRowsMax);
    for (let i = 0; i < batch.rows; i++) rows.push(batch.columns.map((column) => readCell(column, i)));
  }
  return { rows, batches, report };
}

/** A file that DuckDB writes of a query. */
async function duckdbFile(query: string, options = ''): Promise<Uint8Array> {
  const path = join(folder, 'file.parquet');
  await connection.run(`COPY (${query}) TO '${path}' (FORMAT parquet${options})`);
  return readFileSync(path);
}

const everyType = `SELECT
  CASE WHEN i % 7 <> 0 THEN i % 2 = 0 END AS flag, CASE WHEN i % 5 <> 0 THEN (i % 200 - 100)::TINYINT END AS tiny,
  (i * 31 % 60000 - 30000)::SMALLINT AS small, CASE WHEN i % 3 <> 0 THEN (i * 7919)::INTEGER END AS medium,
  (i::BIGINT * 1234567890123) AS big, (i % 200)::UTINYINT AS unsigned_tiny, (4000000000 + i)::UINTEGER AS unsigned_medium,
  (i / 4)::FLOAT AS single, CASE WHEN i % 11 <> 0 THEN i / 3.0 END::DOUBLE AS double,
  (i * 1.25)::DECIMAL(9, 2) AS decimal_32, CASE WHEN i % 2 = 0 THEN (i * -1.25) END::DECIMAL(18, 3) AS decimal_64,
  (i * 1000000000000000.5)::DECIMAL(30, 1) AS decimal_128,
  CASE WHEN i % 4 <> 0 THEN 'text ' || (i % 17) END AS short_texts, 'a rather long text that is always another ' || i AS long_texts,
  ('x' || i)::BLOB AS blob, DATE '1999-12-30' + (i % 1000)::INTEGER AS day, TIME '23:59:58' - INTERVAL (i) SECOND AS time,
  TIMESTAMP '2001-02-03 04:05:06.789' + INTERVAL (i) MINUTE AS at,
  CASE WHEN i % 6 <> 0 THEN (TIMESTAMP '2001-02-03 04:05:06' - INTERVAL (i) DAY) END::TIMESTAMP_MS AS at_millis,
  ('00112233-4455-6677-8899-' || lpad(i::VARCHAR, 12, '0'))::UUID AS id
  FROM range(ROWS) t(i)`;

const everyRelation = relationOf({
  flag: { kind: 'BOOLEAN' },
  tiny: { kind: 'TINYINT' },
  small: { kind: 'SMALLINT' },
  medium: { kind: 'INTEGER' },
  big: bigint,
  unsigned_tiny: { kind: 'SMALLINT' },
  unsigned_medium: bigint,
  single: { kind: 'REAL' },
  double: { kind: 'DOUBLE' },
  decimal_32: { kind: 'DECIMAL', precision: 12, scale: 3 },
  decimal_64: { kind: 'DECIMAL', precision: 18, scale: 3 },
  decimal_128: { kind: 'DECIMAL', precision: 32, scale: 2 },
  short_texts: varchar,
  long_texts: varchar,
  blob: { kind: 'VARBINARY', length: null },
  day: { kind: 'DATE' },
  time: { kind: 'TIME' },
  at: { kind: 'TIMESTAMP' },
  at_millis: { kind: 'TIMESTAMP' },
  id: { kind: 'UUID' },
});

/** What a row of the query above is, in cells; computed without Parquet. */
function expectedRow(i: number): CellValue[] {
  const minute = 60_000_000n;
  const text = (n: number): string => String(n).padStart(12, '0');
  return [
    i % 7 !== 0 ? i % 2 === 0 : null,
    i % 5 !== 0 ? (i % 200) - 100 : null,
    ((i * 31) % 60000) - 30000,
    i % 3 !== 0 ? i * 7919 : null,
    BigInt(i) * 1234567890123n,
    i % 200,
    4_000_000_000n + BigInt(i),
    i / 4,
    i % 11 !== 0 ? Number((i / 3).toFixed(20)) : null,
    BigInt(i) * 1250n,
    i % 2 === 0 ? BigInt(i) * -1250n : null,
    BigInt(i) * 100_000_000_000_000_050n,
    i % 4 !== 0 ? `text ${i % 17}` : null,
    `a rather long text that is always another ${i}`,
    new TextEncoder().encode(`x${i}`),
    10_955 + (i % 1000),
    BigInt(86_398 - i) * 1_000_000_000n,
    981_173_106_789_000n + BigInt(i) * minute,
    i % 6 !== 0 ? 981_173_106_000_000n - BigInt(i) * 1440n * minute : null,
    `00112233-4455-6677-8899-${text(i)}`,
  ];
}

for (const options of [
  ', COMPRESSION zstd',
  ', COMPRESSION snappy, PARQUET_VERSION v2, ROW_GROUP_SIZE 2048',
  ', COMPRESSION gzip, DICTIONARY_SIZE_LIMIT 1',
  ', COMPRESSION uncompressed, ROW_GROUP_SIZE 2048',
  ', COMPRESSION brotli',
  ', COMPRESSION lz4_raw, PARQUET_VERSION v2',
]) {
  test(`every type is read as DuckDB wrote it${options}`, async () => {
    const rows = 2500;
    const bytes = await duckdbFile(everyType.replace('ROWS', String(rows)), options);
    const decoded = await decode(bytes, everyRelation);
    assert.is(decoded.rows.length, rows);
    assert.is(decoded.report.numParseErrors, 0);
    const doubles = 8;
    for (const [i, row] of decoded.rows.entries()) {
      const expected = expectedRow(i);
      const double = expected[doubles];
      if (typeof double === 'number') {
        assert.ok(Math.abs(Number(row[doubles]) - double) <= Math.abs(double) * 1e-15);
        expected[doubles] = row[doubles] ?? null;
      }
      assert.equal(row, expected, `row ${i}`);
    }
  });
}

test('the first row group of the flights agrees with hyparquet', async () => {
  const path = fileURLToPath(
    new URL('../../../../node_modules/vega-datasets/data/flights-3m.parquet', import.meta.url),
  );
  const bytes = readFileSync(path);
  const buffer = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length);
  const rowEnd = 3000;
  const objects = await parquetReadObjects({ file: buffer, rowEnd, compressors });
  const relation = relationOf({
    date: { kind: 'TIMESTAMP' },
    delay: bigint,
    distance: bigint,
    origin: varchar,
    destination: varchar,
  });
  const context: DecoderContext = { relation, defaults: [], strict: true };
  const report: DecodeReport = { records: 0, numParseErrors: 0, numUnknownFields: 0, errors: [], fatal: null };
  const read = async (offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> =>
    new Uint8Array(bytes.subarray(offset, offset + length));
  const blocks = await parquetInput.plan({ size: bytes.length, read }, {}, context, signal);
  assert.is(blocks.length, 11);
  assert.is(
    blocks.reduce((rows, block) => rows + block.rows, 0),
    3_000_000,
  );
  const [block] = blocks;
  if (block === undefined) throw new Error('there is a row group');
  const batches = await parquetInput.decodeBlock(
    await read(block.offset, block.length),
    block,
    {},
    context,
    report,
    65_536,
  );
  assert.is(report.records, block.rows);
  const [batch] = batches;
  assert.equal(
    batch?.columns.map((column) => column.layout),
    ['fixed', 'fixed', 'fixed', 'dictionary', 'dictionary'],
  );
  for (let i = 0; i < rowEnd; i++) {
    const row = batch?.columns.map((column) => readCell(column, i)) ?? [];
    const { date, delay, distance, origin, destination } = objects[i] ?? {};
    assert.equal(row, [BigInt(date.getTime()) * 1000n, delay, distance, origin, destination]);
  }
});

test('columns are matched by name, missing ones take their default or NULL, surplus ones are counted', async () => {
  const bytes = await duckdbFile(`SELECT i AS "ID", 'x' AS surplus FROM range(3) t(i)`, ', ROW_GROUP_SIZE 2048');
  const relation = relationOf({
    n: { kind: 'INTEGER' },
    id: bigint,
    'd!': { kind: 'DECIMAL', precision: 5, scale: 2 },
  });
  const { rows, report } = await decode(bytes, relation, { defaults: [null, null, '1.5'] });
  assert.equal(rows[2], [null, 2n, 150n]);
  assert.is(report.numUnknownFields, 1);
});

test('tables that do not go with a file are refused with coded errors', async () => {
  const bytes = await duckdbFile(`SELECT i AS id, 'x' AS name, [i] AS list FROM range(3) t(i)`);
  const refused = (columns: Parameters<typeof relationOf>[0], options: Partial<DecoderContext> = {}): Promise<string> =>
    codeOf(() => decode(bytes, relationOf(columns), options));
  assert.is(await refused({ idd: bigint }), 'format.parquet_no_column');
  assert.is(await refused({ id: bigint, 'other!': bigint }), 'format.parquet_missing_column');
  assert.is(await refused({ id: varchar }), 'format.parquet_column_type');
  assert.is(await refused({ id: bigint, list: varchar }), 'format.parquet_nested');
  assert.is(await refused({ id: bigint }, { strict: true }), 'format.parquet_unknown_column');
  assert.is(await refused({ id: bigint, n: bigint }, { defaults: [null, '"x"'] }), 'format.bad_default');
});

test('a value that does not fit and a NULL that may not be refuse their row, and no other', async () => {
  const bytes = await duckdbFile(
    `SELECT i AS small, CASE WHEN i <> 4 THEN 't' || i END AS name, CASE WHEN i % 2 = 0 THEN i END AS maybe FROM range(300) t(i)`,
  );
  const relation = relationOf({ small: { kind: 'TINYINT' }, 'name!': varchar, maybe: bigint });
  const { rows, report } = await decode(bytes, relation, {}, 50);
  assert.is(report.records, 300);
  assert.is(report.numParseErrors, 173);
  assert.is(report.errors.length, 100);
  assert.equal(
    rows.map(([small]) => small),
    [...Array(128).keys()].filter((i) => i !== 4),
  );
  assert.equal(rows[4], [5, 't5', null]);
  assert.equal(rows[5], [6, 't6', 6n]);
  const last = report.errors.at(-1);
  assert.equal([last?.record, last?.code, last?.field, last?.fragment], [300, 'value.out_of_range', 'small', '299']);
});

test('text that is not UTF-8 refuses its row', async () => {
  const data = [
    Uint8Array.of(0x61),
    Uint8Array.of(0xff),
    Uint8Array.of(0xc3),
    Uint8Array.of(0xa9),
    Uint8Array.of(0xc3, 0xa9),
  ];
  const buffer = parquetWriteBuffer({ columnData: [{ name: 's', data, type: 'BYTE_ARRAY' }] });
  const { rows, report } = await decode(new Uint8Array(buffer), relationOf({ s: varchar }));
  assert.equal(rows, [['a'], ['é']]);
  assert.equal(
    report.errors.map(({ record, code }) => [record, code]),
    [
      [2, 'value.malformed'],
      [3, 'value.malformed'],
      [4, 'value.malformed'],
    ],
  );
});

test('encodings of hyparquet-writer are read, among them those with differences', async () => {
  const numbers = Array.from({ length: 1000 }, (_, i) => BigInt(i * i - 5000));
  const texts = numbers.map((n) => `prefix ${n}`);
  const bytes = new Uint8Array(
    parquetWriteBuffer({
      columnData: [
        { name: 'n', data: numbers, type: 'INT64', encoding: 'DELTA_BINARY_PACKED' },
        { name: 's', data: texts, type: 'STRING', encoding: 'DELTA_BYTE_ARRAY' },
        { name: 'l', data: texts, type: 'STRING', encoding: 'DELTA_LENGTH_BYTE_ARRAY' },
        { name: 'd', data: numbers.map(Number), type: 'DOUBLE', encoding: 'BYTE_STREAM_SPLIT' },
        { name: 'j', data: numbers.map((n) => ({ 'a b': [Number(n), ' x '] })), type: 'JSON' },
      ],
    }),
  );
  const relation = relationOf({ n: bigint, s: varchar, l: varchar, d: { kind: 'DOUBLE' }, j: { kind: 'VARIANT' } });
  const { rows } = await decode(bytes, relation);
  assert.equal(rows[999], [993001n, 'prefix 993001', 'prefix 993001', 993001, '{"a b":[993001," x "]}']);
  assert.is(rows.length, 1000);
});

test('foreign, empty and truncated files are refused', async () => {
  const bytes = await duckdbFile(everyType.replace('ROWS', '100'));
  const refused = (part: Uint8Array): Promise<string> => codeOf(() => decode(part, everyRelation));
  assert.is(await refused(new Uint8Array(0)), 'format.parquet_foreign');
  assert.is(await refused(new TextEncoder().encode('id,name\n1,x\n')), 'format.parquet_foreign');
  assert.is(await refused(bytes.subarray(0, 6)), 'format.parquet_truncated');
  assert.is(await refused(bytes.subarray(0, bytes.length - 1)), 'format.parquet_truncated');
  assert.is(await refused(bytes.subarray(0, bytes.length >> 1)), 'format.parquet_truncated');
});

test('a file with flipped bytes is decoded or refused with a coded error, never anything else', async () => {
  const files = [
    await duckdbFile(everyType.replace('ROWS', '300'), ', COMPRESSION uncompressed'),
    await duckdbFile(everyType.replace('ROWS', '300'), ', COMPRESSION snappy, PARQUET_VERSION v2'),
  ];
  let decoded = 0;
  let refused = 0;
  const numRuns = process.env['MILLRACE_LONG'] === '1' ? 5000 : 120;
  await fc.assert(
    fc.asyncProperty(
      fc.nat({ max: files.length - 1 }),
      fc.array(fc.tuple(fc.nat({ max: 1_000_000 }), fc.integer({ min: 1, max: 255 })), {
        minLength: 1,
        maxLength: 4,
      }),
      async (which, flips) => {
        const bytes = new Uint8Array(files[which] ?? []);
        for (const [where, mask] of flips) bytes[where % bytes.length]! ^= mask;
        try {
          await decode(bytes, everyRelation);
          decoded++;
        } catch (thrown) {
          refused++;
          if (!(thrown instanceof MillraceError) || !thrown.code.startsWith('format.')) throw thrown;
        }
      },
    ),
    { numRuns },
  );
  // Else the flips miss what they are meant for.
  assert.ok(decoded > numRuns / 10 && refused > numRuns / 10, `${decoded} decoded, ${refused} refused`);
});

test('a page that sends a decompressor into an endless loop is refused', async () => {
  // A ZSTD frame whose Huffman weights are coded with a table of one symbol: no bits are ever used up.
  const frame = '28b52ffd 2064 5d0000 a20002 04f0030080 010101'.replaceAll(' ', '');
  const ZSTD = (): Uint8Array => Uint8Array.from(Buffer.from(frame, 'hex'));
  const columnData = [{ name: 'id', data: [1n, 2n, 3n], type: 'INT64' as const }];
  const bytes = new Uint8Array(parquetWriteBuffer({ columnData, codec: 'ZSTD', compressors: { ZSTD } }));
  assert.is(await codeOf(() => decode(bytes, relationOf({ id: bigint }))), 'format.parquet_damaged');
});

test.run();
