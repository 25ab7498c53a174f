// The settings of an output's buffer: Feldera's, over those of a destination that has one of its own. Pure.
import type { OutputConnector } from '../../connectors/sdk/connector-configuration.ts';
import type { DestinationDefinition } from '../../connectors/sdk/destination.ts';
import type { ParameterValues, PlaceOf } from '../../connectors/sdk/parameters.ts';
import type { MillraceError } from '../../runtime/errors.ts';
import { ConfigBufferOff } from './configuration-errors.ts';
import { maxOutputBufferSizeRecordsDefault } from './connector-parameters.ts';

/** What bounds a buffer that there is not would be passed over silently. */
export function checkBuffer({ value, placeOf, path }: Written, problems: MillraceError[]): void {
  if (value['enable_output_buffer'] === true) return;
  const defaults: Readonly<Record<string, unknown>> = {
    max_output_buffer_time_millis: null,
    max_output_buffer_size_records: maxOutputBufferSizeRecordsDefault,
  };
  for (const [key, byDefault] of Object.entries(defaults)) {
    const given = value[key] ?? null;
    if (given === null || given === byDefault || Number(given) > Number.MAX_SAFE_INTEGER) continue;
    problems.push(new ConfigBufferOff({ key }, { place: placeOf([...path, key]) }));
  }
}

/** The user's settings, then those of the destination, then none. */
export function outputBuffer(
  values: ParameterValues,
  own: DestinationDefinition['outputBuffer'],
): Pick<OutputConnector, 'enableOutputBuffer' | 'maxOutputBufferTimeMillis' | 'maxOutputBufferSizeRecords'> {
  const timeMs = optionalNumber(values['max_output_buffer_time_millis']);
  const records = optionalNumber(values['max_output_buffer_size_records']);
  return {
    enableOutputBuffer: values['enable_output_buffer'] === true || own !== undefined,
    maxOutputBufferTimeMillis: timeMs ?? own?.timeMs ?? null,
    maxOutputBufferSizeRecords: records ?? own?.records ?? Number.MAX_SAFE_INTEGER,
  };
}

export function optionalNumber(value: unknown): number | null {
  return typeof value === 'number' ? value : null;
}

/** An output as its user wrote it, and where that stands. */
interface Written {
  readonly value: Readonly<Record<string, unknown>>;
  readonly placeOf: PlaceOf;
  readonly path: readonly (string | number)[];
}
