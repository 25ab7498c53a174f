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

export const RecordWithoutPosition: CodedErrorClass<{ readonly connector: string; readonly record: number }> =
  defineError(
    'source.record_without_position',
    { help: 'This is a defect of the connector: every record needs a position, from which the source can go on.' },
    (f) => `record ${f.record} of '${f.connector}' has no position`,
  );
