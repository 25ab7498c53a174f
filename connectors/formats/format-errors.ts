// Coded errors that the text formats (json, csv, raw) share: configurations that cannot work, and rows that cannot be printed.
// Bad input rows are not among them: see refusal.ts.
import { type CodedErrorClass, defineError } from '../../runtime/errors.ts';

export const FormatUnsupportedOption: CodedErrorClass<{
  readonly format: string;
  readonly option: string;
  readonly value: string;
  readonly supported: readonly string[];
}> = defineError(
  'format.unsupported_option',
  { help: 'Choose one of the supported values that the message lists.' },
  (f) => `${f.format} does not support ${f.option} "${f.value}"; supported: ${f.supported.join(', ')}`,
);

export const FormatConflictingOptions: CodedErrorClass<{ readonly format: string; readonly detail: string }> =
  defineError(
    'format.conflicting_options',
    { help: 'Change one of the options that the message names.' },
    (f) => `${f.format}: ${f.detail}`,
  );

export const FormatUnknownColumn: CodedErrorClass<{
  readonly option: string;
  readonly column: string;
  readonly relation: string;
}> = defineError(
  'format.unknown_column',
  { help: 'Name a column of the relation that the connector belongs to.' },
  (f) => `${f.option} names "${f.column}", which is no column of ${f.relation}`,
);

export const ArrowMalformed: CodedErrorClass<{ readonly detail: string }> = defineError(
  'format.arrow_malformed',
  { help: 'Send an Arrow IPC stream (no file with a footer) whose columns are those of the table.' },
  (f) => `no Arrow stream for this table: ${f.detail}`,
);

export const FormatUnsupportedType: CodedErrorClass<{
  readonly format: string;
  readonly column: string;
  readonly type: string;
}> = defineError(
  'format.unsupported_type',
  { help: 'Leave the column out of the relation, or cast it to VARCHAR in a view.' },
  (f) => `${f.format} has no form for column ${f.column} of type ${f.type}`,
);

export const FormatBadDefault: CodedErrorClass<{ readonly column: string; readonly value: string }> = defineError(
  'format.bad_default',
  { help: 'Correct the DEFAULT of the column so that its value belongs to the type of the column.' },
  (f) => `the default ${f.value} of column ${f.column} is no value of its type`,
);

export const FormatUnencodableValue: CodedErrorClass<{
  readonly format: string;
  readonly field: string;
  readonly value: string;
}> = defineError(
  'format.unencodable_value',
  { help: 'Replace the value in the view, for instance by NULL with a CASE expression.' },
  (f) => `${f.format} cannot spell the value ${f.value} of ${f.field}`,
);

export const FormatWeightTooLarge: CodedErrorClass<{ readonly weight: number; readonly weightMax: number }> =
  defineError(
    'format.weight_too_large',
    { help: 'Use a format with a weight column (csv), or aggregate in the view so that rows do not repeat so often.' },
    (f) => `a row with weight ${f.weight} would be printed ${f.weight} times; at most ${f.weightMax} are`,
  );

export const CsvHeaderMismatch: CodedErrorClass<{ readonly detail: string; readonly columns: readonly string[] }> =
  defineError(
    'format.csv_header_mismatch',
    { help: 'Rename the columns of the file or of the table, or set `headers: false` to map columns by position.' },
    (f) => `${f.detail}; columns of the table: ${f.columns.join(', ')}`,
  );
