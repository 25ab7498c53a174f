// Where the dead letters of a pipeline without SQL can be read again: in the file that its queue is written to, or in the one that is kept
// beside the log in a data folder. Pure.
//
// A queue that is a plugin's, printed in another format, or a log without a data folder keeps nothing that could be replayed: an error
// says what does.
import { join } from 'node:path';
import { resolveFilePath } from '../connectors/file/file-path.ts';
import { type CodedErrorClass, defineError } from '../runtime/errors.ts';
import type { DeadLetterQueue, RelayDefinition } from './relay-definition.ts';

export const DeadLettersNotKept: CodedErrorClass<{ readonly plugin: string; readonly detail: string }> = defineError(
  'dead_letters.not_kept',
  {
    help: 'Use builtin:log with a data folder, or the plugin builtin:file with a `path`, as the dead-letter queue, and the record format opencdc/json; what is refused from then on can be replayed.',
  },
  (f) => `the dead letters of this pipeline cannot be read again: its queue is ${f.plugin}, ${f.detail}`,
);

const format = 'opencdc/json';

/** The file that is kept for a queue which is the log. null: nobody has to, or there is no folder for it. */
export function keptLetterFile(
  { id, deadLetterQueue }: Pick<RelayDefinition, 'id' | 'deadLetterQueue'>,
  folder: string | null,
): string | null {
  const isLog = /^(?:builtin:|any:)?log(?:@.*)?$/.test(deadLetterQueue.plugin);
  if (folder === null || !isLog || formatOf(deadLetterQueue) !== format) return null;
  // Ids may hold what file names may not.
  return join(folder, `${encodeURIComponent(id)}.jsonl`);
}

/** `folder`: of the letters that are kept beside the log. @throws DeadLettersNotKept, ConfigInvalidValue */
export function deadLetterFile(
  pipeline: Pick<RelayDefinition, 'id' | 'deadLetterQueue'>,
  baseFolder: string,
  folder: string | null,
): string {
  const { deadLetterQueue } = pipeline;
  const { plugin, settings } = deadLetterQueue;
  const kept = keptLetterFile(pipeline, folder);
  if (kept !== null) return kept;
  const wanted = formatOf(deadLetterQueue);
  if (wanted !== format) throw new DeadLettersNotKept({ plugin, detail: `which prints records as ${wanted}` });
  if (!/^(?:builtin:|any:)?file(?:@.*)?$/.test(plugin)) {
    throw new DeadLettersNotKept({ plugin, detail: 'which keeps nothing that Millrace could read' });
  }
  return resolveFilePath((settings['path'] ?? '').trim(), baseFolder);
}

function formatOf({ settings }: DeadLetterQueue): string {
  return (settings['sdk.record.format'] ?? '').trim() || format;
}
