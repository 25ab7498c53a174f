// Where the dead letters of a pipeline without SQL can be read again: in the file that its queue is written to. Pure.
//
// A queue that is a plugin's, a log's or printed in another format keeps nothing that could be replayed: an error says what does.
import { resolveFilePath } from '../connectors/file/file-path.ts';
import { type CodedErrorClass, defineError } from '../runtime/errors.ts';
import type { DeadLetterQueue } from './relay-definition.ts';

export const DeadLettersNotKept: CodedErrorClass<{ readonly plugin: string; readonly detail: string }> = defineError(
  'dead_letters.not_kept',
  {
    help: 'Use the plugin builtin:file with a `path` as the dead-letter queue, and the record format opencdc/json; what is refused from then on can be replayed.',
  },
  (f) => `the dead letters of this pipeline cannot be read again: its queue is ${f.plugin}, ${f.detail}`,
);

const format = 'opencdc/json';

/** @throws DeadLettersNotKept, ConfigInvalidValue */
export function deadLetterFile({ plugin, settings }: DeadLetterQueue, baseFolder: string): string {
  if (!/^(?:builtin:|any:)?file(?:@.*)?$/.test(plugin)) {
    throw new DeadLettersNotKept({ plugin, detail: 'which keeps nothing that Millrace could read' });
  }
  const { 'sdk.record.format': wanted = format, path = '' } = settings;
  if (wanted.trim() !== format && wanted.trim() !== '') {
    throw new DeadLettersNotKept({ plugin, detail: `which prints records as ${wanted}` });
  }
  return resolveFilePath(path.trim(), baseFolder);
}
