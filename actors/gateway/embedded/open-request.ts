// From the options of Pipeline.open to the request for the control thread. Pure.
//
// What is no option of ours goes on into the definition, so that a misspelt key is refused there with the nearest name.
import { type CodedErrorClass, defineError } from '../../../runtime/errors.ts';
import type { OpenRequest } from './control-interface.ts';
import type { OpenOptions } from './pipeline-options.ts';

export const OpenConflict: CodedErrorClass<{ readonly key: string }> = defineError(
  'embedded.file_and_program',
  { help: 'A pipeline file holds the whole definition: give `file` alone, or the definition without `file`.' },
  (f) => `Pipeline.open: \`${f.key}\` cannot be given together with \`file\``,
);

/** Options that are not part of a definition. */
const callKeys = [
  'signal',
  'timeoutMs',
  'log',
  'integers',
  'timestamps',
  'stepRowsMax',
  'baseFolder',
  'file',
  'dataFolder',
];
/** How a definition spells what the options spell in camel case. */
const definitionKeys: Readonly<Record<string, string>> = {
  onError: 'on_error',
  decodeWorkers: 'decode_workers',
  connectorModules: 'connector_modules',
  transportDefaults: 'transport_defaults',
};

/** @throws OpenConflict */
export function openRequest(options: OpenOptions): OpenRequest {
  const stepRowsMax = options.stepRowsMax ?? null;
  const definition: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(options)) {
    if (value === undefined || callKeys.includes(key)) continue;
    definition[definitionKeys[key] ?? key] = value;
  }
  if ('file' in options && options.file !== undefined) {
    const [key] = Object.keys(definition);
    if (key !== undefined) throw new OpenConflict({ key });
    return { source: { file: options.file }, stepRowsMax };
  }
  const baseFolder = ('baseFolder' in options ? options.baseFolder : undefined) ?? process.cwd();
  return { source: { definition, baseFolder }, stepRowsMax };
}
