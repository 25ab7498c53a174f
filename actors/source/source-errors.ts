// What a source actor itself can say is wrong. Errors of connectors and formats come from where they live.
import { type CodedErrorClass, defineError } from '../../runtime/errors.ts';

export const RecordTooLarge: CodedErrorClass<{ readonly recordBytesMax: number; readonly offset: number }> =
  defineError(
    'source.record_too_large',
    { help: 'Check the format and its delimiters: the input may be of another format, or a quote is never closed.' },
    (f) => `a record that begins at byte ${f.offset} is longer than ${f.recordBytesMax} bytes`,
  );

export const InputTooLargeToBuffer: CodedErrorClass<{ readonly inputBytesMax: number }> = defineError(
  'source.input_too_large_to_buffer',
  { help: 'Read the input through a transport that offers random access, such as file_input.' },
  (f) =>
    'the format needs the whole input, the transport has no random access, ' +
    `and the input is larger than ${f.inputBytesMax} bytes`,
);

export const FormatMissing: CodedErrorClass<{ readonly transport: string }> = defineError(
  'source.format_missing',
  { help: 'Add a format to the connector, such as `format: { name: json }`.' },
  (f) => `transport ${f.transport} brings bytes and the connector has no format to read them`,
);

export const UnexpectedPayload: CodedErrorClass<{ readonly transport: string; readonly payload: string }> = defineError(
  'source.unexpected_payload',
  { help: 'This is a defect of the connector: its payloads must be of the kind that its definition declares.' },
  (f) => `transport ${f.transport} brought a payload of kind "${f.payload}" that its configuration has no use for`,
);

export const TableNotCleared: CodedErrorClass<{ readonly table: string; readonly reason: string }> = defineError(
  'source.table_not_cleared',
  {
    help: "Give the table a primary key, or declare it WITH ('materialized' = 'true') and without 'append_only' and LATENESS; or tell the connector to pass over it where it has a setting for that (postgres_cdc_input: on_truncate).",
  },
  (f) => `all rows of "${f.table}" were deleted at the source (TRUNCATE), which cannot be done here: ${f.reason}`,
);

export const ClearWithoutTable: CodedErrorClass<{ readonly connector: string }> = defineError(
  'source.clear_without_table',
  {
    help: 'Records that pass through have no word for it, and nobody knows which keys there were. Use a pipeline with SQL, or tell the connector to pass over it.',
  },
  (f) =>
    `'${f.connector}': all rows were deleted at the source at once, and the pipeline has no table that could be emptied`,
);

export const RecordWithoutPosition: CodedErrorClass<{ readonly connector: string; readonly record: number }> =
  defineError(
    'source.record_without_position',
    { help: 'This is a defect of the connector: every record needs a position, from which the source can go on.' },
    (f) => `record ${f.record} of '${f.connector}' has no position`,
  );
