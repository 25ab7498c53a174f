// The dead letters of a pipeline that have not been replayed, as its user sees them. Reads the file of the queue (dead-letter-file.ts);
// the pipeline need not run.
import { readLetter } from '../connectors/dead-letters/letter.ts';
import { letterLines, replayedTo } from '../connectors/dead-letters/letter-file.ts';
import type { StructuredData } from '../connectors/sdk/record.ts';
import { deadLetterFile } from './dead-letter-file.ts';
import type { RelayDefinition } from './relay-definition.ts';

export interface ListedLetter {
  /** Of its line in the file. */
  readonly offset: number;
  /** Ids of the connector that it comes from, and of the connector or processor that refused it. */
  readonly source: string;
  readonly node: string;
  readonly reason: string;
  /** Nanoseconds since 1970, as text. */
  readonly createdAt: string;
  /** As JSON of a record has it: position, operation, metadata, key, payload. */
  readonly record: StructuredData;
}

export interface DeadLetterList {
  readonly path: string;
  /** The first ones, in their order. */
  readonly letters: readonly ListedLetter[];
  /** Of this pipeline, not replayed. */
  readonly waiting: number;
  /** Lines that hold no dead letter. */
  readonly unreadable: number;
}

type Listed = Pick<RelayDefinition, 'id' | 'connectors' | 'deadLetterQueue'>;

/** `folder`: of the letters that are kept beside the log. @throws DeadLettersNotKept, DeadLetterFileUnreadable */
export async function listDeadLetters(
  pipeline: Listed,
  { baseFolder, folder = null }: { readonly baseFolder: string; readonly folder?: string | null },
  limit: number,
): Promise<DeadLetterList> {
  const path = deadLetterFile(pipeline, baseFolder, folder);
  const ids = new Set(pipeline.connectors.map(({ id }) => id));
  const letters: ListedLetter[] = [];
  let waiting = 0;
  let unreadable = 0;
  for await (const { offset, text } of letterLines(path, await replayedTo(path, pipeline.id))) {
    const letter = readLetter(text);
    if (letter === null) {
      if (text !== '') unreadable++;
      continue;
    }
    const { source, node, reason, createdAt, shown } = letter;
    if (!ids.has(source) && !ids.has(node)) continue;
    waiting++;
    if (letters.length < limit) letters.push({ offset, source, node, reason, createdAt, record: shown });
  }
  return { path, letters, waiting, unreadable };
}
