// parquet output, read back by Millrace and by DuckDB.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parquetInput } from '../../../connectors/formats/parquet-input.ts';
import { parquetOutput } from '../../../connectors/formats/parquet-output.ts';
import type { DecodeReport } from '../../../connectors/sdk/format.ts';
import { BatchBuilder } from '../../../runtime/batch/batch-builder.ts';
import type { ChangeBatch } from '../../../runtime/batch/change-batch.ts';
import { type CellValue, readCell, writeCell } from '../../../runtime/batch/scalar-values.ts';
import type { Relation } from '../../../runtime/batch/schema.ts';
import { bigint, codeOf, relationOf, varchar } from '../connector-context.ts';

const relation = relationOf({
  flag: { kind: 'BOOLEAN' },
  tiny: { kind: 'TINYINT' },
  'id!': bigint,
  ratio: { kind: 'DOUBLE' },
  price: { kind: 'DECIMAL', precision: 10, scale: 2 },
  wide: { kind: 'DECIMAL', precision: 30, scale: 5 },
  name: varchar,
  raw: { kind: 'VARBINARY', length: null },
  any: { kind: 'VARIANT' },
  day: { kind: 'DATE' },
  time: { kind: 'TIME' },
  at: { kind: 'TIMESTAMP' },
  key: { kind: 'UUID' },
});

const uuid = '00112233-4455-6677-8899-aabbccddeeff';
const rows: CellValue[][] = [
  [
    true,
    -128,
    1n,
    0.1,
    12345n,
    10n ** 29n,
    'häß',
    Uint8Array.of(0, 255),
    '{"a":[1]}',
    -5,
    86_399_999_999_999n,
    -77n,
    uuid,
  ],
  [null, null, -(2n ** 63n), null, null, null, null, null, null, null, null, null, null],
  [false, 127, 2n ** 63n - 1n, -1e300, -1n, -1n, '', new Uint8Array(0), 'null', 0, 0n, 0n, uuid],
];

function batchOf(of: Relation, cells: readonly CellValue[][], weights: readonly number[] = []): ChangeBatch {
  const builder = new BatchBuilder(of.schema);
  for (const [i, row] of cells.entries()) {
    builder.reserve(1);
    for (const [c, value] of row.entries()) writeCell(builder.columns[c]!, i, value);
    builder.commitRow(weights[i] ?? 1);
  }
  return builder.finish();
}

/** The file that holds the batches, and the records that each call counted. */
async function encode(
  of: Relation,
  configuration: object,
  ...batches: readonly ChangeBatch[]
): Promise<[Buffer, number[]]> {
  const encoder = await parquetOutput.encoder({ ...configuration }, of);
  const records: number[] = [];
  const parts = batches.map((batch) => {
    const { bytes, records: count } = encoder.encode(batch);
    records.push(count);
    return Buffer.from(bytes);
  });
  return [Buffer.concat([...parts, encoder.finish?.() ?? Buffer.alloc(0)]), records];
}

async function decode(of: Relation, bytes: Buffer): Promise<CellValue[][]> {
  const context = { relation: of, defaults: [], strict: true };
  const report: DecodeReport = { records: 0, numParseErrors: 0, numUnknownFields: 0, errors: [], fatal: null };
  const read = async (offset: number, length: number): Promise<Uint8Array<ArrayBuffer>> =>
    new Uint8Array(bytes.subarray(offset, offset + length));
  const decoded: CellValue[][] = [];
  for (const block of await parquetInput.plan(
    { size: bytes.length, read },
    {},
    context,
    new AbortController().signal,
  )) {
    const body = await read(block.offset, block.length);
    for (const batch of await parquetInput.decodeBlock(body, block, {}, context, report, 7)) {
      for (let i = 0; i < batch.rows; i++) decoded.push(batch.columns.map((column) => readCell(column, i)));
    }
  }
  assert.is(report.fatal, null);
  return decoded;
}

test('every type comes back as it went, over several batches and row groups', async () => {
  const many = Array.from({ length: 30 }, (_, i) => rows[i % 3] ?? []);
  const [bytes, records] = await encode(
    relation,
    { buffer_size_records: 12 },
    batchOf(relation, many),
    batchOf(relation, rows),
  );
  assert.equal(records, [30, 3]);
  assert.equal(await decode(relation, bytes), [...many, ...rows]);
});

test('DuckDB reads the same', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-parquet-out-'));
  const duckdb = await DuckDBInstance.create(':memory:');
  const connection = await duckdb.connect();
  try {
    const path = join(folder, 'out.parquet');
    const [bytes] = await encode(relation, {}, batchOf(relation, rows));
    writeFileSync(path, bytes);
    const columns = [
      'flag',
      'tiny',
      'id',
      'ratio',
      'price',
      'wide',
      'name',
      'hex(raw)',
      '"any"',
      'day',
      'time',
      '"at"',
      'key',
    ];
    const query = columns.map((column) => `(${column})::VARCHAR`).join(', ');
    const result = await connection.runAndReadAll(`SELECT ${query} FROM '${path}'`);
    assert.equal(result.getRows()[0], [
      'true',
      '-128',
      '1',
      '0.1',
      '123.45',
      '1000000000000000000000000.00000',
      'häß',
      '00FF',
      '{"a":[1]}',
      '1969-12-27',
      '23:59:59.999999999',
      '1969-12-31 23:59:59.999923',
      uuid,
    ]);
    assert.equal(
      result.getRows()[1]?.filter((value) => value !== null),
      ['-9223372036854775808'],
    );
  } finally {
    connection.closeSync();
    duckdb.closeSync();
    rmSync(folder, { recursive: true });
  }
});

test('a row with a weight above 1 stands as often as it says', async () => {
  const small = relationOf({ id: bigint });
  const [bytes, records] = await encode(small, {}, batchOf(small, [[1n], [2n]], [3, 1]));
  assert.equal(records, [4]);
  assert.equal(await decode(small, bytes), [[1n], [1n], [1n], [2n]]);
});

test('a deletion is an encode error, and nothing of its batch is written', async () => {
  const small = relationOf({ id: bigint });
  const encoder = await parquetOutput.encoder({}, small);
  assert.is(await codeOf(() => encoder.encode(batchOf(small, [[1n], [2n]], [1, -1]))), 'format.parquet_deletion');
  assert.equal(
    await decode(
      small,
      Buffer.concat([Buffer.from(encoder.encode(batchOf(small, [[3n]])).bytes), encoder.finish?.() ?? Buffer.alloc(0)]),
    ),
    [[3n]],
  );
});

test('an output without rows is a file without rows', async () => {
  const [bytes] = await encode(relation, {});
  assert.equal(await decode(relation, bytes), []);
});

test('a type that Parquet has no form for is refused', async () => {
  const odd = relationOf({ i: { kind: 'INTERVAL_MICROS' } });
  assert.is(await codeOf(() => parquetOutput.encoder({}, odd)), 'format.unsupported_type');
});

test.run();
