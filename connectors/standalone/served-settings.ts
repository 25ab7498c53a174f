// Settings as a host sends them, for a connector of ours that is served as a plugin: read from the call, made typed values,
// checked against the parameters. All problems at once, as one text: the protocol carries no more.
import { type CodedErrorClass, defineError } from '../../runtime/errors.ts';
import type { Parameter, ParameterValues } from '../sdk/parameters.ts';
import { ByteReader } from '../sdk/protobuf-wire.ts';
import { typedSettings } from '../sdk/text-settings.ts';
import { validateParameters } from '../sdk/validate-parameters.ts';

export const SettingsRefused: CodedErrorClass<{ readonly detail: string }> = defineError(
  'plugin.settings_refused',
  { help: 'Correct the settings of the connector; each line names one.' },
  (f) => f.detail,
);

/** The map in field `field` of a request. @throws ProtobufMalformed */
export function readSettings(request: Uint8Array, field = 1): Readonly<Record<string, string>> {
  const reader = new ByteReader(request);
  const settings: Record<string, string> = {};
  while (!reader.isDone) {
    if (reader.tag() !== ((field << 3) | 2)) {
      reader.skipLast();
      continue;
    }
    const entry = reader.nested();
    let [key, value] = ['', ''];
    while (!entry.isDone) {
      const tag = entry.tag();
      if (tag === 0x0a) key = entry.text();
      else if (tag === 0x12) value = entry.text();
      else entry.skipLast();
    }
    settings[key] = value;
  }
  return settings;
}

/** @throws SettingsRefused */
export function checkedSettings(
  parameters: readonly Parameter[],
  settings: Readonly<Record<string, string>>,
  owner: string,
): ParameterValues {
  const { values, problems } = validateParameters(
    parameters,
    typedSettings(parameters, settings),
    () => ({}),
    [],
    owner,
  );
  if (problems.length === 0) return values;
  throw new SettingsRefused({ detail: problems.map(({ message }) => message).join('\n') });
}
