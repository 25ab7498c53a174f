// What a connector reads or writes, so that a pipeline whose output would empty its own input is refused before it starts.
import type { ParameterValues } from './parameters.ts';

export interface Target {
  /** Equal for two connectors that mean the same thing, and shown to the user: an absolute path, a bucket and key. */
  readonly name: string;
  /** An output that empties it when it opens; false of inputs and of outputs that write behind what is there. */
  readonly isReplaced: boolean;
}

/** Of a validated configuration; null: it cannot be said, or may be shared. Pure: nothing is opened. */
export type TargetOf = (configuration: ParameterValues, baseFolder: string) => Target | null;
