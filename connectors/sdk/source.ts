// The contract of a source: how data comes in. The same for what ships with Millrace and for a user's own.
//
// Order of calls: `configure` (at validation, on a fresh instance, followed by teardown) · configure, [onCreated |
// onUpdated], open(position), then `read()` is pulled while acks come back, stop, teardown. A connector that is deleted:
// onDeleted on a fresh instance without configure, teardown. Teardown comes always, also after a refused configure or a
// failed open. `read` is pulled one payload at a time: a source that is not pulled must not run ahead.
// A graceful stop calls `stop`, goes on pulling until `read` returns, has acknowledged what can be, and tears down. A source
// without `stop`, and every source that is stopped at once, sees `signal` aborted: `read` returns soon, without an error.
import type { ChangeBatch } from '../../runtime/batch/change-batch.ts';
import type { Relation } from '../../runtime/batch/schema.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { ConfigurationOf, Parameter, ParameterValues } from './parameters.ts';
import type { SchemaRegistry } from './schema-registry.ts';
import type { SettingRules } from './setting-rules.ts';
import type { TargetOf } from './target.ts';

/** A source's own bookmark: JSON-able, opaque to the runtime. What `open` can be asked to resume from. */
export type Position = Readonly<Record<string, unknown>>;

/**
 * Bytes of a payload, in memory of one of two kinds. Given away: a fresh array that owns its whole buffer, which may be transferred. Or lent:
 * in shared memory, of which nobody writes to the bytes before they are released; all that stands in front of them there is lent with them.
 */
export type PayloadBytes = Uint8Array<ArrayBuffer> | Uint8Array<SharedArrayBuffer>;

export function isLent(bytes: PayloadBytes): bytes is Uint8Array<SharedArrayBuffer> {
  return bytes.buffer instanceof SharedArrayBuffer;
}

/** Bytes of a continuous stream. Records may straddle payloads; the runtime splits them. */
export interface BytesPayload {
  readonly kind: 'bytes';
  readonly bytes: PayloadBytes;
  /**
   * Called at most once, by a receiver who will not look at the bytes any more: they may be written over. Of bytes that were given away it is
   * called by one who has copied them, and given them to nobody.
   */
  readonly release?: () => void;
  /** The position from which a source would go on after the first `length` bytes of this payload (0 = its start). */
  readonly positionAfter: (length: number) => Position;
  /** True when the stream ends here: the rest is a whole record, the next payload starts a new stream (a new file). */
  readonly endOfStream?: boolean;
  /** What CONNECTOR_METADATA() is for all records of this stream (a file, an object): JSON text of an object. */
  readonly metadata?: string;
  /**
   * Of a source with a format of its own (`impliedFormat`): what the decoder has to know of this stream besides its bytes, as JSON
   * (DecoderContext.found). The same for all payloads of a stream.
   */
  readonly found?: string;
  /** The bytes are whole messages, each a stream of its own. A source with `givesMessages` says so of every payload. */
  readonly messages?: MessageBorders;
}

/**
 * Message i is bytes[starts[i] .. ends[i]), in the order of the bytes. What stands between two messages, and behind the last one, is at
 * least one byte and nothing but line breaks, so that a format of lines may read several messages as one stream. Given away or lent, as the
 * bytes are.
 */
export interface MessageBorders {
  readonly starts: Int32Array<ArrayBuffer> | Int32Array<SharedArrayBuffer>;
  readonly ends: Int32Array<ArrayBuffer> | Int32Array<SharedArrayBuffer>;
  /** What CONNECTOR_METADATA() is for message i: JSON text of an object, bytes[offsets[i] .. offsets[i + 1]). */
  readonly metadata?: { readonly offsets: Int32Array; readonly bytes: Uint8Array };
}

/** Changes that the source has made itself; no format is involved. */
export interface BatchPayload {
  readonly kind: 'batch';
  readonly batch: ChangeBatch;
  readonly position: Position;
  /** Called at most once, by a receiver that will not look into the data of the batch any more: its memory may be used again. */
  readonly release?: () => void;
  /** Of records: each says already when it was read, and from which connector. */
  readonly isStamped?: boolean;
}

/** Nothing more for now, but everything until here should reach the engine without waiting for more. */
export interface IdlePayload {
  readonly kind: 'idle';
}

/**
 * Every row that the table holds goes, those that other connectors have brought among them; what comes behind fills it anew. It stands
 * between two records. Where it cannot be done (a table that keeps no rows, a pipeline without SQL) the connector ends with an error.
 */
export interface ClearPayload {
  readonly kind: 'clear';
  /** Behind it. */
  readonly position: Position;
}

export type Payload = BytesPayload | BatchPayload | IdlePayload | ClearPayload;

/** Bytes that can be read anywhere, for block formats such as Parquet. */
export interface RandomAccess {
  readonly size: number;
  /** What CONNECTOR_METADATA() is for all its records: JSON text of an object. */
  readonly metadata?: string;
  read(offset: number, length: number, signal: AbortSignal): Promise<Uint8Array<ArrayBuffer>>;
}

export interface SourceContext {
  /** `relation.connector`. */
  readonly endpoint: string;
  /** Name of the pipeline; left out where a connector is only tried. */
  readonly pipeline?: string;
  /** What tells the pipeline from others for as long as it is, whatever it is called. Left out: its name does. */
  readonly pipelineId?: string;
  readonly relation: Relation;
  readonly signal: AbortSignal;
  /** Relative paths of a configuration are relative to this folder: the pipeline's. */
  readonly baseFolder: string;
  /** The only time a source knows: retries, polling and rates wait on it. */
  readonly clock: Clock;
  /** Left out where nobody keeps schemas, and for a source whose settings ask for none. */
  readonly schemas?: SchemaRegistry;
  /** Counts and lists a problem that does not end the connector (a retried request, say). */
  reportError(error: unknown): void;
  /** Its other side has not answered for so long, and why that is thought; null: it answers again. Shown in its status. */
  stalled?(reason: string | null, forMs: number): void;
  /** After how long without an answer that is to be said. Default 30 000. */
  readonly stallMs?: number;
  /** A line for the user, such as what a plugin has printed. */
  log?(message: string, fields?: Readonly<Record<string, unknown>>): void;
}

export interface Source {
  /** Checks what needs the outside world. Nothing may be left behind by it. @throws a coded error: the configuration is refused. */
  configure?(): Promise<void> | void;
  /** @throws a coded error that ends the connector (`failed`). */
  open(position: Position | null): Promise<void>;
  /** Ends when the input has ended. @throws a coded error that ends the connector. */
  read(): AsyncIterable<Payload>;
  /** After `open`: random access to the whole input, where the source can give it. Used instead of `read`. */
  randomAccess?(): RandomAccess | null;
  /** Bytes of the whole input, for progress; null or left out: not known (yet). May change while a source runs. */
  bytesTotal?(): number | null;
  /** Rows of the whole input, for progress; null or left out: not known. */
  recordsTotal?(): number | null;
  /** Everything up to `position` is durable, and so is `position` itself. Called in the order of the positions. */
  ack?(position: Position): Promise<void> | void;
  /** Read no more: `read` gives what has been read already and returns. */
  stop?(): Promise<void> | void;
  teardown?(): Promise<void> | void;
  /** Before the first open ever. */
  onCreated?(configuration: ParameterValues): Promise<void>;
  /** Before the first open with another configuration than that of the last start. */
  onUpdated?(before: ParameterValues, after: ParameterValues): Promise<void>;
  /** `configuration` is that of the last start. */
  onDeleted?(configuration: ParameterValues): Promise<void>;
}

/** A kind of source, as data: one value, one line in the registry. */
export interface SourceDefinition {
  /** Put by defineSource: how a module's exports are told apart. */
  readonly kind?: 'source';
  /** File of the module that it was loaded from; absent: it ships with Millrace. */
  readonly module?: string;
  /** Transport name, such as `file_input`. */
  readonly name: string;
  readonly summary: string;
  readonly parameters: readonly Parameter[];
  /** What else is asked of a configuration. */
  readonly rules?: SettingRules;
  /** What it reads: an output of the same pipeline that would empty it is refused. */
  readonly target?: TargetOf;
  /** `required`: bytes need a format. `none`: it makes batches itself. */
  readonly format: 'required' | 'none';
  /** Its bytes are messages (BytesPayload.messages): what a format needs that cannot find the borders of records itself. */
  readonly givesMessages?: boolean;
  /** Of a connector without a format of the user's: its bytes are in this one, with every key of its configuration. */
  readonly impliedFormat?: { readonly name: string; readonly config: Readonly<Record<string, unknown>> };
  /**
   * `records`: its batches are records (record-batch.ts), and positions are `recordPosition` of the bytes in them. They pass through a
   * pipeline without SQL as they are and become rows of a table in one with SQL. Default `rows`: of the relation that it is bound to.
   */
  readonly produces?: 'rows' | 'records';
  /**
   * Parameters that one connector of this transport in a program may give for all of them there: what the others leave out they take
   * from it.
   */
  readonly sharedParameters?: readonly string[];
  /**
   * False: what it has read cannot be read again in the same order, from its start or from a position. Once rows of it were sent, a
   * failure is final, since nobody could say which of them would come again. Default true.
   */
  readonly repeats?: boolean;
  /** Shown where connectors are listed; a connector that ships with Millrace has Millrace's version. */
  readonly version?: string;
  readonly author?: string;
  readonly description?: string;
  /** Of one that ships with Millrace: loads what its first request needs, ahead of an open that may come. */
  readonly loadAhead?: () => Promise<unknown>;
  /** Checks what neither parameters nor rules can say. @throws a coded error. `configuration` is validated. */
  readonly create: (configuration: ParameterValues, context: SourceContext) => Source;
}

/** `export const fileInput = defineSource({ … })` */
export function defineSource<const P extends readonly Parameter[]>(
  definition: Omit<SourceDefinition, 'kind' | 'parameters' | 'create'> & {
    readonly parameters: P;
    readonly create: (configuration: ConfigurationOf<P>, context: SourceContext) => Source;
  },
): SourceDefinition {
  // SAFETY: `create` is called with what validateParameters has made of these very parameters.
  const create = definition.create as SourceDefinition['create'];
  return { ...definition, create, kind: 'source' };
}
