// What it takes to validate a pipeline. main.ts puts it together: a gateway knows no engine.
import type { ConnectorRegistry } from '../../../connectors/sdk/connector.ts';
import type { MillraceError, Place } from '../../../runtime/errors.ts';
import type { CompileProgram, ValidatePipeline } from '../../supervisor/messages.ts';

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
}
