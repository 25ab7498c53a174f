// A connector as configured, after parsing: every default filled in, transport and format still to be validated against
// their parameters. YAML, SQL (`WITH ('connectors' = …)`), the embedded API and the REST facades all end here.

import type { RelationKey } from './format.ts';

export interface NamedConfiguration {
  readonly name: string;
  readonly config: Readonly<Record<string, unknown>>;
  /** File of the module that defines it (connector-modules.ts); absent: it ships with Millrace. */
  readonly module?: string;
  /** As its user has named it and set it, where that is another thing than `name` and `config`: what lifecycle events speak of. */
  readonly plugin?: string;
  readonly settings?: Readonly<Record<string, unknown>>;
}

/** What a waiting connector does when a connector that it waits for fails. */
export type OnDependencyFailure = 'wait' | 'fail' | 'continue';

export interface InputConnector {
  readonly kind: 'input';
  /** Unique within its relation. */
  readonly name: string;
  /** Canonical name of the table. */
  readonly relation: string;
  /** `relation.name`, unique among inputs. */
  readonly endpoint: string;
  readonly transport: NamedConfiguration;
  readonly format: NamedConfiguration | null;
  readonly labels: readonly string[];
  readonly startAfter: readonly string[];
  readonly onDependencyFailure: OnDependencyFailure;
  readonly paused: boolean;
  /** Unknown fields are parse errors. Default false. */
  readonly strict: boolean;
  /** Default 1 000 000. */
  readonly maxQueuedRecords: number;
  /** Default 64 MiB, or 1 000 bytes for each of maxQueuedRecords if that is less. */
  readonly maxQueuedBytes: number;
  /** The most records of this connector that enter one step; null: the engine's own bound. */
  readonly maxBatchSize: number | null;
}

/** What happens to the pipeline when an output's queue is full: it waits, or the output loses (counted). */
export type OnFull = 'block' | 'drop';

export interface OutputConnector {
  readonly kind: 'output';
  readonly name: string;
  /** Canonical name of the view or table. */
  readonly relation: string;
  readonly endpoint: string;
  readonly transport: NamedConfiguration;
  readonly format: NamedConfiguration | null;
  readonly labels: readonly string[];
  readonly onFull: OnFull;
  readonly maxQueuedRecords: number;
  readonly maxQueuedBytes: number;
  /** The columns of its `index`: a unique key, by the user's word. */
  readonly key?: RelationKey;
  /** Send the whole content of the relation first. Needs a materialized relation. */
  readonly sendSnapshot: boolean;
  /** Merge changes until a bound is reached (Feldera's output buffer). */
  readonly enableOutputBuffer: boolean;
  readonly maxOutputBufferTimeMillis: number | null;
  readonly maxOutputBufferSizeRecords: number;
  /** It delivers with checkpoints: see Destination.prepare. */
  readonly isExactlyOnce?: boolean;
  /** Nothing on its way or at its end looks at the columns of rows. */
  readonly ignoresColumns?: boolean;
}

export type Connector = InputConnector | OutputConnector;

/** What to do when an expression fails on a row: stop the pipeline, or leave the row out and count it. */
export type OnError = 'stop' | 'skip';

/** A pipeline, parsed. `program` is SQL text. */
export interface PipelineConfiguration {
  readonly name: string;
  readonly program: string;
  readonly inputs: readonly InputConnector[];
  readonly outputs: readonly OutputConnector[];
  readonly onError: OnError;
  /** Threads that compute the views. */
  readonly workers?: number;
  /** Threads that decode input. Default: cores. */
  readonly decodeWorkers: number;
  /** Relative paths of connectors are relative to this folder. */
  readonly baseFolder: string;
}
