// What it takes to validate a pipeline. main.ts puts it together: a gateway knows no engine.
import type { ConnectorRegistry } from '../../../connectors/sdk/connector.ts';
import type { MillraceError, Place } from '../../../runtime/errors.ts';
import type { CompileProgram, ValidatedPipeline, ValidatePipeline } from '../../supervisor/messages.ts';

/** `alone`: what one worker has to compute, a line for each. */
interface Sharing {
  readonly isShared: boolean;
  readonly alone: readonly string[];
}

export interface Validation {
  /** Knows the functions of modules that a definition names. */
  readonly compilerFor: (
    definition: unknown,
    baseFolder: string,
    place?: Place,
  ) => Promise<{ readonly compile: CompileProgram; readonly problems: readonly MillraceError[] }>;
  readonly compile: CompileProgram;
  readonly validate: ValidatePipeline;
  readonly registry: ConnectorRegistry;
  /** How much of a program several workers could compute together; loads the planner. Absent where nobody asks. */
  readonly sharingOf?: (program: NonNullable<ValidatedPipeline['program']>, workers: number) => Promise<Sharing>;
}
