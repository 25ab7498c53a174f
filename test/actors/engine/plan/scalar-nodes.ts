// Short ways to write bound scalars and batches in tests of the expression compiler.
import type {
  CaseExpression,
  CastExpression,
  ColumnReference,
  InList,
  Literal,
  OperatorCall,
  Scalar,
  ScalarOperator,
} from '../../../../actors/engine/sql/bound.ts';
import type { ScalarValue } from '../../../../actors/engine/sql/scalar-value.ts';
import { BatchBuilder } from '../../../../runtime/batch/batch-builder.ts';
import type { ChangeBatch } from '../../../../runtime/batch/change-batch.ts';
import type { Column } from '../../../../runtime/batch/column.ts';
import { writeCell } from '../../../../runtime/batch/scalar-values.ts';
import { makeSchema, type Schema } from '../../../../runtime/batch/schema.ts';
import { type SqlType, storageOf } from '../../../../runtime/batch/sql-type.ts';

export const boolean: SqlType = { kind: 'BOOLEAN' };
export const tinyint: SqlType = { kind: 'TINYINT' };
export const smallint: SqlType = { kind: 'SMALLINT' };
export const integer: SqlType = { kind: 'INTEGER' };
export const bigint: SqlType = { kind: 'BIGINT' };
export const real: SqlType = { kind: 'REAL' };
export const double: SqlType = { kind: 'DOUBLE' };
export const varchar: SqlType = { kind: 'VARCHAR', length: null };
export const varbinary: SqlType = { kind: 'VARBINARY', length: null };
export const date: SqlType = { kind: 'DATE' };
export const time: SqlType = { kind: 'TIME' };
export const timestamp: SqlType = { kind: 'TIMESTAMP' };
export const months: SqlType = { kind: 'INTERVAL_MONTHS' };
export const micros: SqlType = { kind: 'INTERVAL_MICROS' };
export const uuid: SqlType = { kind: 'UUID' };
export const variant: SqlType = { kind: 'VARIANT' };
export const nullType: SqlType = { kind: 'NULL' };

export function decimal(precision: number, scale: number): Extract<SqlType, { kind: 'DECIMAL' }> {
  return { kind: 'DECIMAL', precision, scale };
}

const source = { place: { line: 3, column: 7 }, text: 'the expression' } as const;

export function column(ordinal: number, type: SqlType, nullable = true): ColumnReference {
  return { kind: 'column', ordinal, type, nullable, source };
}

export function literal(value: ScalarValue, type: SqlType): Literal {
  return { kind: 'literal', value, type, nullable: value === null, source };
}

export function operator(name: ScalarOperator, type: SqlType, ...operands: readonly Scalar[]): OperatorCall {
  const nullable = !name.startsWith('is ') && operands.some((operand) => operand.nullable);
  return { kind: 'operator', operator: name, operands, type, nullable, source };
}

export function when(branches: readonly (readonly [Scalar, Scalar])[], otherwise: Scalar): CaseExpression {
  const type = otherwise.type;
  const cases = branches.map(([test, then]) => ({ when: test, then }));
  return { kind: 'case', branches: cases, otherwise, type, nullable: true, source };
}

export function cast(operand: Scalar, type: SqlType, safe = false): CastExpression {
  return { kind: 'cast', operand, type, safe, nullable: safe || operand.nullable, source };
}

export function inList(operand: Scalar, values: readonly ScalarValue[]): InList {
  return { kind: 'in list', operand, values, type: boolean, nullable: true, source };
}

export function schemaOf(types: readonly SqlType[], nullable = true): Schema {
  return makeSchema(types.map((type, i) => ({ name: `c${i}`, type, nullable })));
}

export function batchOf(
  schema: Schema,
  rows: readonly (readonly ScalarValue[])[],
  weights?: readonly number[],
): ChangeBatch {
  const builder = new BatchBuilder(schema);
  rows.forEach((row, i) => {
    builder.reserve(1);
    builder.columns.forEach((target, ordinal) => {
      writeCell(target, i, row[ordinal] ?? null);
    });
    builder.commitRow(weights?.[i] ?? 1);
  });
  return builder.finish();
}

/** The same batch with every bytes column as codes into a dictionary. Codes under a NULL are out of its range. */
export function withDictionaries(batch: ChangeBatch, identities: object[] = []): ChangeBatch {
  const columns = batch.columns.map((source, ordinal): Column => {
    if (source.layout !== 'bytes' || storageOf(source.type) !== 'bytes') return source;
    const codes = new Int32Array(batch.rows);
    const entries = new Map<string, number>();
    const parts: Buffer[] = [];
    for (let row = 0; row < batch.rows; row++) {
      if (source.validity !== null && (source.validity[row >> 3]! & (1 << (row & 7))) === 0) {
        codes[row] = 123456;
        continue;
      }
      const bytes = Buffer.from(source.bytes.slice(source.offsets[row]!, source.offsets[row + 1]!));
      const key = bytes.toString('latin1');
      if (!entries.has(key)) {
        entries.set(key, parts.length);
        parts.push(bytes);
      }
      codes[row] = entries.get(key)!;
    }
    const offsets = new Int32Array(parts.length + 1);
    parts.forEach((part, i) => {
      offsets[i + 1] = offsets[i]! + part.length;
    });
    identities[ordinal] ??= {};
    const bytes = new Uint8Array(Buffer.concat(parts));
    const dictionary = { identity: identities[ordinal], size: parts.length, offsets, bytes };
    return { layout: 'dictionary', type: source.type, validity: source.validity, codes, dictionary };
  });
  return { ...batch, columns };
}
