// What is said when a configuration names a transport or a format that is not registered.
import { type CodedErrorClass, defineError } from '../../runtime/errors.ts';

export const ConfigUnknownTransport: CodedErrorClass<{
  readonly transport: string;
  readonly known: readonly string[];
}> = defineError(
  'config.unknown_transport',
  { help: 'Name one of the transports that are listed.' },
  (f) => `there is no transport "${f.transport}"; there are ${f.known.join(', ')}`,
);
export const ConfigUnknownFormat: CodedErrorClass<{ readonly format: string; readonly known: readonly string[] }> =
  defineError(
    'config.unknown_format',
    { help: 'Name one of the formats that are listed.' },
    (f) => `there is no format "${f.format}"; there are ${f.known.join(', ')}`,
  );
