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
