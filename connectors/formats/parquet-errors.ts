// What can be wrong with a Parquet file, or with a table for it. All of these end the connector: a file whose directory
// or pages cannot be trusted has no good rows to keep. Single values that do not fit are refused row by row instead.
import { type CodedErrorClass, defineError } from '../../runtime/errors.ts';

export const ParquetForeign: CodedErrorClass<{ readonly size: number }> = defineError(
  'format.parquet_foreign',
  { help: 'The input is no Parquet file. Check the path, or set the format that the file really has.' },
  (f) => `no Parquet file: the ${f.size} bytes do not begin with PAR1`,
);

export const ParquetTruncated: CodedErrorClass<{ readonly size: number; readonly detail: string }> = defineError(
  'format.parquet_truncated',
  { help: 'The file is incomplete: a Parquet file is written from front to back and its directory stands at its end.' },
  (f) => `the Parquet file is cut off after ${f.size} bytes: ${f.detail}`,
);

export const ParquetDamaged: CodedErrorClass<{ readonly detail: string }> = defineError(
  'format.parquet_damaged',
  { help: 'The file contradicts itself. Write it anew.' },
  (f) => `the Parquet file is damaged: ${f.detail}`,
);

export const ParquetUnsupported: CodedErrorClass<{ readonly detail: string }> = defineError(
  'format.parquet_unsupported',
  { help: 'Write the file with another setting; the message names what cannot be read.' },
  (f) => `the Parquet file uses ${f.detail}, which is not supported`,
);

export const ParquetNested: CodedErrorClass<{ readonly column: string }> = defineError(
  'format.parquet_nested',
  { help: 'Leave the column out of the table, or write a file with flat columns.' },
  (f) => `column "${f.column}" of the Parquet file is nested (a list, map or struct)`,
);

export const ParquetMissingColumn: CodedErrorClass<{ readonly column: string; readonly inFile: readonly string[] }> =
  defineError(
    'format.parquet_missing_column',
    { help: 'Make the column nullable, give it a DEFAULT, or correct its name.' },
    (f) => `column "${f.column}" is NOT NULL but the Parquet file has only ${f.inFile.join(', ')}`,
  );

export const ParquetNoColumn: CodedErrorClass<{
  readonly inTable: readonly string[];
  readonly inFile: readonly string[];
}> = defineError(
  'format.parquet_no_column',
  {
    help: 'Columns are matched by name. Declare the table with the columns of the file; `millrace infer FILE` does it.',
  },
  (f) => `no column of the table (${f.inTable.join(', ')}) is in the Parquet file (${f.inFile.join(', ')})`,
);

export const ParquetUnknownColumn: CodedErrorClass<{ readonly column: string; readonly table: string }> = defineError(
  'format.parquet_unknown_column',
  { help: 'Add the column to the table, or set `strict: false`.' },
  (f) => `column "${f.column}" of the Parquet file is not in table ${f.table}, and the connector is strict`,
);

export const ParquetColumnType: CodedErrorClass<{
  readonly column: string;
  readonly inFile: string;
  readonly inTable: string;
}> = defineError(
  'format.parquet_column_type',
  { help: 'Declare the column with a type that the type in the file converts to; `millrace infer FILE` prints it.' },
  (f) => `column "${f.column}" is ${f.inFile} in the Parquet file, which cannot become ${f.inTable}`,
);

export const ParquetDeletion: CodedErrorClass<{ readonly relation: string; readonly records: number }> = defineError(
  'format.parquet_deletion',
  { help: 'Parquet files only grow. Use json or csv for a view whose rows change, or write an append-only view.' },
  (f) => `${f.records} deletions of ${f.relation} cannot be written as Parquet`,
);
