// Reads a pipeline file and validates it: the first half of every command that takes a FILE.
import { availableParallelism } from 'node:os';
import { modulesOf, withModules } from '../../../connectors/connector-modules.ts';
import type { MillraceError, Place } from '../../../runtime/errors.ts';
import { decodeThreads } from '../../../runtime/thread/placement.ts';
import type { ValidatedPipeline } from '../../supervisor/messages.ts';
import type { Validation } from '../hosting/validation.ts';
import { type PipelineFile, readPipelineFile } from '../pipeline-file.ts';
import type { Tools } from './command.ts';

export interface LoadedPipeline {
  readonly file: PipelineFile;
  /** null when the YAML itself is broken. */
  readonly validated: ValidatedPipeline | null;
  readonly problems: readonly MillraceError[];
  /** What is computed in another way than `workers` asks for; a line for each. */
  readonly notShared: readonly string[];
}

/** @throws PipelineFileUnreadable. Everything else that is wrong is in `problems`. */
export async function loadPipeline(path: string, tools: Tools): Promise<LoadedPipeline> {
  const file = readPipelineFile(path);
  if (file.problems.length > 0) return { file, validated: null, problems: file.problems, notShared: [] };
  const { validate, compilerFor, sharingOf, registry: shipped } = await tools.loadValidation();
  const placeOfModule = (index: number): Place => file.placeOf(['connector_modules', index]);
  const modules = modulesOf(file.definition, file.baseFolder);
  const { registry, problems: moduleProblems } = await withModules(shipped, modules, placeOfModule);
  const compiler = await compilerFor(file.definition, file.baseFolder, file.placeOf(['functions']));
  const validated = validate(file.definition, {
    compile: compiler.compile,
    registry,
    moduleProblems: [...moduleProblems, ...compiler.problems],
    environment: tools.environment,
    baseFolder: file.baseFolder,
    decodeWorkersDefault: decodeThreads(availableParallelism()),
    file: file.file,
    placeOf: file.placeOf,
    ...(file.programPlace === null ? {} : { programPlace: file.programPlace }),
  });
  return { file, validated, problems: validated.problems, notShared: await notSharedIn(validated, sharingOf) };
}

async function notSharedIn(
  { program, configuration }: ValidatedPipeline,
  sharingOf: Validation['sharingOf'],
): Promise<readonly string[]> {
  const workers = configuration?.workers ?? 1;
  if (workers === 1 || program === null || sharingOf === undefined) return [];
  const { isShared, alone } = await sharingOf(program, workers);
  return isShared ? alone : ['nothing can be shared among workers: one computes all', ...alone];
}
