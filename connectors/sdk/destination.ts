// The contract of a destination: how changes go out.
//
// Order of calls: configure, [onCreated | onUpdated], open, write…, flush, stop, teardown. Calls do not overlap: `write` is
// called again only after the promise of the last one is settled. `write` may buffer; `flush` makes everything written
// so far as durable as the destination can make it. The runtime flushes when its queue runs empty and before it confirms.
//
// Exactly once: a destination that can take back what it was written until it is told that it counts may have `isExactlyOnce`, and
// prepare, commit and recover. After a crash the pipeline goes on from its last checkpoint, and makes everything behind that again, perhaps in
// other steps. So what was written before prepare(c) has to be as durable as can be, and to be seen by nobody until commit(c): then c is
// on disk. commit(c) covers what was prepared before c. recover(c) comes behind every open: c is what the pipeline goes on from, and null is
// its beginning; what was prepared up to c is committed, what was written behind it is forgotten. A c that was prepared may
// never be committed (it could not be stored), and may be recovered without having been committed (the process died in between).
// A note that prepare(c) answers with is stored with c, and given to recover(c): who has one needs no memory of its own outside.
import type { ChangeBatch } from '../../runtime/batch/change-batch.ts';
import type { Relation } from '../../runtime/batch/schema.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { EncodedMessages } from './format.ts';
import type { ConfigurationOf, Parameter, ParameterValues } from './parameters.ts';
import type { SchemaRegistry } from './schema-registry.ts';
import type { SettingRules } from './setting-rules.ts';
import type { TargetOf } from './target.ts';

/** What `write` gets: bytes when the connector has a format, else the batch itself. */
export type Outgoing =
  | {
      readonly kind: 'bytes';
      readonly bytes: Uint8Array;
      readonly records: number;
      /** Of a format that makes messages, for a destination that `takesMessages`. */
      readonly messages?: EncodedMessages;
    }
  | { readonly kind: 'batch'; readonly batch: ChangeBatch };

export interface DestinationContext {
  readonly endpoint: string;
  /** Name of the pipeline; left out where a connector is only tried. */
  readonly pipeline?: string;
  readonly relation: Relation;
  readonly signal: AbortSignal;
  /** Relative paths of a configuration are relative to this folder: the pipeline's. */
  readonly baseFolder: string;
  /** The only time a destination knows. */
  readonly clock: Clock;
  /** Left out where nobody keeps schemas. */
  readonly schemas?: SchemaRegistry;
  reportError(error: unknown): void;
  /**
   * For a destination that `acknowledges`: the next `count` records, in the order in which they were written, are safe.
   * At any time between open and the end of teardown.
   */
  acknowledged(count: number): void;
  /** For a destination that `acknowledges`: the next record was refused; the dead-letter queue decides. */
  refused(error: Error): void;
  /** For a destination that `acknowledges`: it has failed while nothing was asked of it. The next call would say so, too. */
  failed?(error: Error): void;
  /** Its other side has not answered for so long, and why that is thought; null: it answers again. Shown in its status. */
  stalled?(reason: string | null, forMs: number): void;
  /** After how long without an answer that is to be said. Default 30 000. */
  readonly stallMs?: number;
  /** A line for the user, such as how many bytes were replaced. */
  log(message: string, fields?: Readonly<Record<string, unknown>>): void;
}

/** JSON of the destination's own that is kept with a checkpoint. */
export type CheckpointNote = Readonly<Record<string, unknown>>;

export interface Destination {
  /** Checks what needs the outside world. Nothing may be left behind by it. @throws a coded error: the configuration is refused. */
  configure?(): Promise<void> | void;
  open(): Promise<void>;
  write(data: Outgoing): Promise<void>;
  flush?(): Promise<void>;
  /** Exactly once, behind a flush: everything written so far is in this checkpoint, which is about to be stored. May come after `stop`. */
  // biome-ignore lint/suspicious/noConfusingVoidType: most have nothing to note, and say nothing.
  prepare?(checkpoint: string): Promise<CheckpointNote | void>;
  /** Exactly once: this checkpoint, which it was prepared for, is on disk. May come after `stop`. */
  commit?(checkpoint: string): Promise<void>;
  /** Exactly once, behind `open`: the pipeline goes on from this checkpoint, with what was noted of it, or from its beginning. */
  recover?(checkpoint: string | null, note: CheckpointNote | null): Promise<void>;
  stop?(): Promise<void> | void;
  /** The pipeline is about to stop. Throws when the other side does not answer at all, so that nobody waits for what it still has. */
  ping?(): Promise<void>;
  teardown?(): Promise<void> | void;
  /** Before the first open ever. */
  onCreated?(configuration: ParameterValues): Promise<void>;
  /** Before the first open with another configuration than that of the last start. */
  onUpdated?(before: ParameterValues, after: ParameterValues): Promise<void>;
  /** `configuration` is that of the last start. */
  onDeleted?(configuration: ParameterValues): Promise<void>;
}

export interface DestinationDefinition {
  /** Put by defineDestination: how a module's exports are told apart. */
  readonly kind?: 'destination';
  /** File of the module that it was loaded from; absent: it ships with Millrace. */
  readonly module?: string;
  readonly name: string;
  readonly summary: string;
  readonly parameters: readonly Parameter[];
  /** What else is asked of a configuration. */
  readonly rules?: SettingRules;
  /** What it writes, and whether it empties it first: another connector of the same pipeline must not use it then. */
  readonly target?: TargetOf;
  /** `required`: it writes bytes. `optional`: batches without a format, bytes with one. `none`: batches only. */
  readonly format: 'required' | 'optional' | 'none';
  /** Of a connector without a format of the user's: its bytes are in this one, with every key of its configuration. */
  readonly impliedFormat?: { readonly name: string; readonly config: Readonly<Record<string, unknown>> };
  /** It keeps messages apart, with their keys and headers: what a format needs that makes messages. */
  readonly takesMessages?: boolean;
  /** Each flush ends a stream: the encoder's end (the directory of a Parquet file) is written before it, and a new one begins. */
  readonly streamPerFlush?: boolean;
  /** The output buffer that it has unless the user configures one: changes are merged for so long, or until there are so many. */
  readonly outputBuffer?: { readonly timeMs: number; readonly records: number };
  /** Of batches it looks at their rows and weights alone: where no format does either, they come without columns (bare-batch.ts). */
  readonly ignoresColumns?: boolean;
  /** `records`: it is written batches of records (record-batch.ts). Default `rows`: of the relation that it is bound to. */
  readonly accepts?: 'rows' | 'records';
  /**
   * It says itself which records are safe or refused (context.acknowledged, context.refused), perhaps long after `write` and
   * for several writes at once. Default: what was written is safe when `flush` has resolved, and refused as a whole when it throws.
   */
  readonly acknowledges?: boolean;
  /** Whether a valid configuration asks for exactly once. Such a destination has prepare, commit and recover. */
  readonly isExactlyOnce?: (configuration: ParameterValues) => boolean;
  /** Shown where connectors are listed; a connector that ships with Millrace has Millrace's version. */
  readonly version?: string;
  readonly author?: string;
  readonly description?: string;
  readonly create: (configuration: ParameterValues, context: DestinationContext) => Destination;
}

export function defineDestination<const P extends readonly Parameter[]>(
  definition: Omit<DestinationDefinition, 'kind' | 'parameters' | 'create'> & {
    readonly parameters: P;
    readonly create: (configuration: ConfigurationOf<P>, context: DestinationContext) => Destination;
  },
): DestinationDefinition {
  // SAFETY: `create` is called with what validateParameters has made of these very parameters.
  const create = definition.create as DestinationDefinition['create'];
  return { ...definition, create, kind: 'destination' };
}
