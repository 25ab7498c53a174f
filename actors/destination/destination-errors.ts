// What a destination actor itself can say is wrong. Errors of connectors and formats come from where they live.
import { type CodedErrorClass, defineError } from '../../runtime/errors.ts';

export const FormatMissing: CodedErrorClass<{ readonly transport: string }> = defineError(
  'destination.format_missing',
  { help: 'Add a format to the connector, such as `format: { name: json }`.' },
  (f) => `transport ${f.transport} writes bytes and the connector has no format to print them`,
);

export const RowNotEncodable: CodedErrorClass<{ readonly format: string; readonly reason: string }> = defineError(
  'destination.row_not_encodable',
  { help: 'Leave such rows out of the view, or choose a format that can hold them.' },
  (f) => `format ${f.format} cannot print a row: ${f.reason}`,
);

export const AcknowledgedTooMuch: CodedErrorClass<{
  readonly connector: string;
  readonly count: number;
  readonly outstanding: number;
}> = defineError(
  'destination.acknowledged_too_much',
  { help: 'This is a defect of the connector: it answers once for each record that it was written, in their order.' },
  (f) => `'${f.connector}' has answered for ${f.count} records, and ${f.outstanding} were waiting for an answer`,
);
