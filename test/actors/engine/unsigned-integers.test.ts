// Unsigned integers from SQL text to results: types, ranges, arithmetic, comparison, aggregates, order, Arrow columns.
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compileCircuit } from '../../../actors/engine/program-circuit.ts';
import { compileProgram, compileQuery } from '../../../actors/engine/sql/compile-program.ts';
import { arrowData } from '../../../connectors/formats/arrow-columns.ts';
import { rowsFromBatch } from '../../../runtime/batch/row-objects.ts';
import { formatSqlType } from '../../../runtime/batch/sql-type.ts';

const { program, problems } = compileProgram(`
  CREATE TABLE t (a TINYINT UNSIGNED, b SMALLINT UNSIGNED NOT NULL, c INT UNSIGNED, d BIGINT UNSIGNED) WITH ('materialized' = 'true');
  CREATE TABLE u (a UTINYINT, b USMALLINT, c UINTEGER, d UBIGINT);
`);
assert.equal(problems, []);
const relations = program!.tables.map((table) => table.relation);

function query(sql: string) {
  return compileCircuit({ program: program!, onError: 'stop' }).query(compileQuery(sql, relations));
}

/** The only column of a query. */
function column(sql: string): unknown[] {
  return query(sql).batches.flatMap((batch) => rowsFromBatch(batch).rows.map((row) => Object.values(row)[0]));
}

function fails(sql: string, code: string): void {
  assert.throws(
    () => column(sql),
    (error: { code: string; cause?: { code?: string } }) => [error.code, error.cause?.code].includes(code),
    sql,
  );
}

const u8 = (value: string): string => `CAST(${value} AS TINYINT UNSIGNED)`;
const u64 = (value: string): string => `CAST(${value} AS BIGINT UNSIGNED)`;
const max64 = '18446744073709551615';

test('both spellings of the types mean the same', () => {
  const [t, u] = relations.map((relation) => relation.schema.fields.map((field) => formatSqlType(field.type)));
  assert.equal(t, ['TINYINT UNSIGNED', 'SMALLINT UNSIGNED', 'INTEGER UNSIGNED', 'BIGINT UNSIGNED']);
  assert.equal(u, t);
});

test('values are numbers, and exact beyond 2^53', () => {
  assert.equal(column(`SELECT ${u8('255')}`), [255]);
  assert.equal(column(`SELECT ${u64(max64)}`), [18446744073709551615n]);
  assert.equal(column(`SELECT ${u8('NULL')}`), [null]);
  assert.equal(column(`SELECT CAST(${u64(max64)} AS VARCHAR)`), [max64]);
});

test('casts cut fractions off and refuse what is out of range', () => {
  assert.equal(column(`SELECT ${u8('1.9')}`), [1]);
  assert.equal(column(`SELECT ${u8('1.9e0')}`), [1]);
  assert.equal(column(`SELECT ${u8("'17'")}`), [17]);
  assert.equal(column(`SELECT SAFE_CAST(300 AS TINYINT UNSIGNED)`), [null]);
  for (const value of ['256', '-1', '-1.5', '1e9', "'-1'", "'x'"])
    assert.throws(() => column(`SELECT ${u8(value)}`), /cast|fit|overflow/i, value);
  assert.equal(column(`SELECT CAST(${u8('200')} AS INTEGER)`), [200]);
  assert.throws(() => column(`SELECT CAST(${u8('200')} AS TINYINT)`));
});

test('arithmetic stays in the type or overflows', () => {
  assert.equal(column(`SELECT ${u8('200')} + 55`), [255]);
  fails(`SELECT ${u8('200')} + ${u8('56')}`, 'sql.numeric_overflow');
  fails(`SELECT ${u8('1')} - 2`, 'sql.numeric_overflow');
  fails(`SELECT -${u8('1')}`, 'sql.numeric_overflow');
  fails(`SELECT ${u64(max64)} + 1`, 'sql.numeric_overflow');
  fails(`SELECT ${u8('1')} / 0`, 'sql.division_by_zero');
  assert.equal(column(`SELECT ${u8('7')} / ${u8('2')}`), [3]);
  assert.equal(column(`SELECT ${u64(max64)} / 2`), [9223372036854775807n]);
  assert.equal(column(`SELECT ${u64(max64)} / ${u64('18446744073709551614')}`), [1]);
  assert.equal(column(`SELECT ${u64(max64)} % 10`), [5]);
  assert.equal(column(`SELECT ${u8('7')} - CAST(9 AS TINYINT)`), [-2]);
  assert.equal(column(`SELECT ABS(${u8('7')})`), [7]);
  assert.equal(column(`SELECT MOD(${u8('7')}, 4)`), [3]);
});

test('values compare and are ordered as what they are, beside signed ones too', () => {
  assert.equal(column(`SELECT ${u64(max64)} > ${u64('9223372036854775807')}`), [true]);
  assert.equal(column(`SELECT ${u8('5')} > -1`), [true]);
  assert.equal(column(`SELECT ${u64(max64)} > CAST(-1 AS BIGINT)`), [true]);
  const values = `(VALUES (${u64(max64)}), (${u64('0')}), (${u64('9223372036854775808')})) AS v (x)`;
  assert.equal(column(`SELECT x FROM ${values} ORDER BY x LIMIT 5`).sort(), [
    0,
    18446744073709551615n,
    9223372036854775808n,
  ]);
  assert.equal(column(`SELECT MAX(x) FROM ${values}`), [18446744073709551615n]);
  assert.equal(column(`SELECT MIN(x) FROM ${values}`), [0]);
  assert.equal(column(`SELECT COUNT(DISTINCT x) FROM ${values}`), [3]);
  fails(`SELECT SUM(x) FROM ${values}`, 'sql.numeric_overflow');
});

test('SUM has the type of its argument and fails where it does not fit, AVG cuts toward zero', () => {
  const values = `(VALUES (${u8('200')}), (${u8('255')})) AS v (x)`;
  const small = query(`SELECT SUM(x) AS s FROM ${values} WHERE x > 200`);
  assert.is(formatSqlType(small.schema.fields[0]!.type), 'TINYINT UNSIGNED');
  assert.equal(column(`SELECT SUM(x) FROM ${values} WHERE x > 200`), [255]);
  assert.throws(() => column(`SELECT SUM(x) FROM ${values}`), /the result of SUM does not fit TINYINT UNSIGNED/);
  assert.equal(column(`SELECT SUM(CAST(x AS BIGINT UNSIGNED)) FROM ${values}`), [455]);
  assert.equal(column(`SELECT AVG(x) FROM ${values}`), [227]);
});

test('Arrow has unsigned columns', () => {
  const { batches } = query(`SELECT ${u8('255')} AS a, CAST(65535 AS SMALLINT UNSIGNED) AS b,
    CAST(4294967295 AS INT UNSIGNED) AS c, ${u64(max64)} AS d`);
  const [batch] = batches;
  const data = batch!.columns.map((one) => arrowData(one, 1));
  assert.equal(
    data.map((one) => String(one.type)),
    ['Uint8', 'Uint16', 'Uint32', 'Uint64'],
  );
  assert.equal(
    data.map((one) => one.values[0]),
    [255, 65535, 4294967295, 18446744073709551615n],
  );
});

test.run();
