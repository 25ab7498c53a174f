// Reads a pipeline file and validates it: the first half of every command that takes a FILE.
import { availableParallelism } from 'node:os';
import type { MillraceError } from '../../../runtime/errors.ts';
import type { ValidatedPipeline } from '../../supervisor/messages.ts';
import { type PipelineFile, readPipelineFile } from '../pipeline-file.ts';
import type { Tools } from './command.ts';
import { problemLines } from './problem-text.ts';

export interface LoadedPipeline {
  readonly file: PipelineFile;
  /** null when the YAML itself is broken. */
  readonly validated: ValidatedPipeline | null;
  readonly problems: readonly MillraceError[];
}

/** @throws PipelineFileUnreadable. Everything else that is wrong is in `problems`. */
export function loadPipeline(path: string, tools: Tools): LoadedPipeline {
  const file = readPipelineFile(path);
  if (file.problems.length > 0) return { file, validated: null, problems: file.problems };
  const validated = tools.validate(file.definition, {
    compile: tools.compile,
    registry: tools.registry,
    environment: tools.environment,
    baseFolder: file.baseFolder,
    decodeWorkersDefault: availableParallelism(),
    file: file.file,
    placeOf: file.placeOf,
    ...(file.programPlace === null ? {} : { programPlace: file.programPlace }),
  });
  return { file, validated, problems: validated.problems };
}

/** To the person, every problem with its place and what to do. */
export function printProblems(loaded: LoadedPipeline, tools: Tools): void {
  const count = loaded.problems.length;
  tools.err(`${loaded.file.file} has ${count} problem${count === 1 ? '' : 's'}:\n`);
  for (const problem of loaded.problems) tools.err(`${problemLines(problem).join('\n')}\n`);
}
