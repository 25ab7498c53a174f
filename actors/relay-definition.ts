// A pipeline without SQL, as its user states it: sources, processors, destinations, a dead-letter queue. Pipeline files of
// Conduit, `/v1` and the embedded API all end here; the supervisor validates it and runs it over a relay instead of an engine.
// Ids of connectors and processors are unique in the whole server: `<pipeline>:<connector>` from files, UUIDs from `/v1`.

export interface RelayDefinition {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly connectors: readonly RelayConnector[];
  /** Of the pipeline: after those of the source, before those of the destination. */
  readonly processors: readonly RelayProcessor[];
  readonly deadLetterQueue: DeadLetterQueue;
  readonly errorRecovery?: ErrorRecovery;
}

/** The definition of a pipeline without SQL, or null when it is of a program. */
export function relayIn(definition: unknown): RelayDefinition | null {
  if (typeof definition !== 'object' || definition === null || !('relay' in definition)) return null;
  // SAFETY: gateways make it by their own rules; the connectors in it are checked before they run.
  return definition.relay as RelayDefinition;
}

export interface RelayConnector {
  readonly id: string;
  readonly type: 'source' | 'destination';
  /** `[builtin:|standalone:|any:]name[@version]` */
  readonly plugin: string;
  readonly name: string;
  readonly settings: Readonly<Record<string, string>>;
  readonly processors: readonly RelayProcessor[];
  /** Millrace's own: labels, start_after and pause work here as they do for connectors of a SQL pipeline. */
  readonly labels?: readonly string[];
  readonly startAfter?: readonly string[];
  readonly paused?: boolean;
}

export interface RelayProcessor {
  readonly id: string;
  readonly plugin: string;
  readonly settings: Readonly<Record<string, string>>;
  /** A Go template over the record; records for which it is not true pass unchanged. '' = always. */
  readonly condition: string;
  readonly workers: number;
  /** Of a standalone processor: its module, put by whoever opens the pipeline. */
  readonly file?: string;
  /** Of a processor that a module of the user exports: the module, put when the pipeline is opened. */
  readonly module?: string;
}

export interface DeadLetterQueue {
  /** Default builtin:log. */
  readonly plugin: string;
  /** Default level warn, message 'record delivery failed'. */
  readonly settings: Readonly<Record<string, string>>;
  /** How many of the latest results are looked at; 0: any number may be refused. Default 1. */
  readonly windowSize: number;
  /** More refused than this in the window end the pipeline. Default 0. */
  readonly windowNackThreshold: number;
}

/** Back-off of a failed connector. */
export interface ErrorRecovery {
  /** Default 1 000. */
  readonly minDelayMs: number;
  /** Default 600 000. */
  readonly maxDelayMs: number;
  /** Default 2. */
  readonly backoffFactor: number;
  /** -1: without end (default). 0: none. */
  readonly maxRetries: number;
  /** Failures are forgotten after this. Default 300 000. */
  readonly maxRetriesWindowMs: number;
}

export const defaultDeadLetterQueue: DeadLetterQueue = {
  plugin: 'builtin:log',
  settings: { level: 'warn', message: 'record delivery failed' },
  windowSize: 1,
  windowNackThreshold: 0,
};

export const defaultErrorRecovery: ErrorRecovery = {
  minDelayMs: 1_000,
  maxDelayMs: 600_000,
  backoffFactor: 2,
  maxRetries: -1,
  maxRetriesWindowMs: 300_000,
};

/** The endpoint of a pipeline's dead-letter queue. */
export function deadLettersOf(pipeline: string): string {
  return `${pipeline}-dlq`;
}
