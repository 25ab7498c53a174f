// The contract of a format: how bytes become changes, and changes bytes.
//
// A stream format (json, csv, raw) is a splitter, which finds where records end in a byte stream and runs on the source's
// thread, and a decoder, which turns whole records into columns and may run on any thread of the decoding pool: the two
// share nothing. A block format (parquet) plans blocks over random access instead. Decoders are made per connector from
// a validated configuration and may be made many times; they keep no state between calls but caches.
import type { BatchBuilder } from '../../runtime/batch/batch-builder.ts';
import type { ChangeBatch } from '../../runtime/batch/change-batch.ts';
import type { Relation } from '../../runtime/batch/schema.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Parameter, ParameterValues } from './parameters.ts';
import type { SettingRules } from './setting-rules.ts';
import type { MessageBorders, RandomAccess } from './source.ts';

/** A row that was refused, or a value: the row is left out, the rows around it stay. */
export interface DecodeError {
  /** Position of the record in this call's bytes, from 1. */
  readonly record: number;
  /** Byte offset of the record in this call's bytes. */
  readonly offset: number;
  readonly code: string;
  readonly message: string;
  /** Column name, where one is to blame. */
  readonly field: string | null;
  /** The record as text, cut to 200 characters; invalid UTF-8 replaced. */
  readonly fragment: string;
  readonly suggestion: string | null;
}

/** What a decoder says besides rows. Only the latest errors are kept, all are counted. */
export interface DecodeReport {
  /** How many errors are kept; `errorsMax` unless the caller wants another number. */
  readonly errorsMax?: number;
  /** Records seen, good and bad. */
  records: number;
  numParseErrors: number;
  numUnknownFields: number;
  readonly errors: DecodeError[];
  /** The first line was a header that matches no column or some such: nothing can be read. Ends the connector. */
  fatal: Error | null;
}

export const errorsMax = 100;

export interface DecoderContext {
  readonly relation: Relation;
  /** A default for each column: JSON text in the default flavour, or null when the column has none. */
  readonly defaults: readonly (string | null)[];
  /** Unknown JSON keys and surplus CSV fields are parse errors. */
  readonly strict: boolean;
  /** What `MessageLookup` has found. Plain data. */
  readonly found?: unknown;
}

/** Turns whole records into rows of `builder`. */
export interface Decoder {
  /**
   * Decodes all of `bytes`. `first` is true for the first bytes of a stream (a CSV header stands there). Never throws
   * for bad data. `prologue` is what `Splitter.prologue` returned, for every call of the stream.
   */
  decode(bytes: Uint8Array, builder: BatchBuilder, report: DecodeReport, first: boolean, prologue: Uint8Array): void;
  /**
   * Decodes message after message, where that is more than `decode` of each: message i is bytes[starts[i] .. ends[i]). Errors have the
   * number of the message and the offset of its start.
   */
  decodeMessages?(
    bytes: Uint8Array,
    messages: MessageBorders,
    builder: BatchBuilder,
    report: DecodeReport,
    before: ((message: number) => void) | null,
  ): void;
  /** JSON text of the default of each column, from now on, instead of those of the context. Only columns that had one. */
  readonly defaults?: (Uint8Array | null)[];
}

/** What a decoder has to know besides its configuration, and only the outside world knows: the schemas that messages name. */
export interface MessageLookup {
  /** What is known when everything is that these messages need: the very same value as long as nothing is new. @throws a coded error */
  find(bytes: Uint8Array, messages: MessageBorders): Promise<unknown> | unknown;
  /** Members that CONNECTOR_METADATA() has more for the message that begins here, as JSON without braces. */
  describe?(bytes: Uint8Array, start: number, end: number): string;
}

/** For what a format asks outside. */
export interface FormatContext {
  readonly relation: Relation;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  /** Counts and lists a problem that may pass. */
  reportError(error: unknown): void;
  /** Of the transport that carries the bytes. */
  readonly transport: ParameterValues;
  /** A unique key of the relation, by the user's word: a name, and ordinals of columns. */
  readonly key?: RelationKey;
}

export interface RelationKey {
  readonly name: string;
  readonly columns: readonly number[];
}

/** Finds record borders. One per stream; it may keep state between calls. */
export interface Splitter {
  /**
   * `bytes` starts at a record border: what the last call left over, then new bytes. Returns how many bytes from the
   * start hold whole records (0: none yet). With `final` everything is returned as it is: the splitter is not asked.
   */
  split(bytes: Uint8Array): number;
  /** Bytes at the head of the stream that every decode call needs (the CSV header), known after the first split. */
  prologue?(bytes: Uint8Array): Uint8Array;
  /** Forgets the stream: another starts. */
  reset(): void;
  /**
   * The bytes that come next stand in the middle of a stream, behind one of its records; the head is known from before. Left out: a
   * stream cannot be taken up there, it is read again from its start.
   */
  resume?(): void;
}

export interface StreamInputFormat {
  readonly kind: 'stream';
  readonly name: string;
  readonly summary: string;
  readonly parameters: readonly Parameter[];
  /** What else is asked of a configuration. */
  readonly rules?: SettingRules;
  /** @throws a coded error for what parameters as data cannot say. */
  readonly splitter: (configuration: ParameterValues) => Splitter;
  readonly decoder: (configuration: ParameterValues, context: DecoderContext) => Decoder;
  /** Only a source that `givesMessages` can have it: its records do not say where they end. */
  readonly needsMessages?: boolean;
  /** Several messages with line breaks in between mean the same as each of them alone. */
  readonly joinsMessages?: (configuration: ParameterValues) => boolean;
  /** One for each source. @throws a coded error for a configuration that does not suit the relation. */
  readonly lookup?: (configuration: ParameterValues, context: FormatContext) => MessageLookup;
}

/** A part of a block file that can be decoded alone. Plain data. */
export interface Block {
  /** Bytes to read. */
  readonly offset: number;
  readonly length: number;
  readonly rows: number;
  /** What the decoder needs besides the bytes. Plain data. */
  readonly description: unknown;
}

export interface BlockInputFormat {
  readonly kind: 'block';
  readonly name: string;
  readonly summary: string;
  readonly parameters: readonly Parameter[];
  /** What else is asked of a configuration. */
  readonly rules?: SettingRules;
  /** Reads the directory of the file. @throws a coded error when it is truncated or foreign. */
  readonly plan: (
    input: RandomAccess,
    configuration: ParameterValues,
    context: DecoderContext,
    signal: AbortSignal,
  ) => Promise<readonly Block[]>;
  /** Runs in the decoding pool. Batches of at most `batchRowsMax` rows, in order. */
  readonly decodeBlock: (
    bytes: Uint8Array,
    block: Block,
    configuration: ParameterValues,
    context: DecoderContext,
    report: DecodeReport,
    batchRowsMax: number,
  ) => Promise<readonly ChangeBatch[]>;
}

export type InputFormat = StreamInputFormat | BlockInputFormat;

export interface Encoded {
  readonly bytes: Uint8Array;
  readonly records: number;
  /** Of a format that makes messages. */
  readonly messages?: EncodedMessages;
}

/**
 * Message i is its key, then its value: bytes[valueEnds[i - 1] .. keyEnds[i]) and bytes[keyEnds[i] .. valueEnds[i]). The arrays may be
 * reused by the next call.
 */
export interface EncodedMessages {
  readonly count: number;
  readonly keyEnds: Int32Array;
  readonly valueEnds: Int32Array;
  /** Whether messages have keys at all. */
  readonly hasKeys: boolean;
  /** hasValue[i] 0: a key without a value, which deletes. */
  readonly hasValue: Uint8Array;
  /** Which of `headerSets` message i has. */
  readonly headers: Uint8Array;
  readonly headerSets: readonly Readonly<Record<string, string>>[];
}

/** Prints batches. One per connector; calls do not overlap. */
export interface Encoder {
  /**
   * The bytes of a batch, deletions before insertions. The array may be reused by the next call: write it first.
   * `records` counts what was printed (|weight| each).
   */
  encode(batch: ChangeBatch): Encoded;
  /** Insertions printed in parts, one after the other, are the same bytes as printed at once. */
  readonly isDivisible?: boolean;
  /** The bytes that end the output (a Parquet footer), if any. */
  finish?(): Uint8Array | null;
}

/** An encoder that stands on a large library is a promise: the library is loaded when the first one is made. */
export interface OutputFormat<Made extends Encoder | Promise<Encoder> = Encoder | Promise<Encoder>> {
  readonly name: string;
  readonly summary: string;
  readonly parameters: readonly Parameter[];
  /** What else is asked of a configuration. */
  readonly rules?: SettingRules;
  readonly encoder: (configuration: ParameterValues, relation: Relation, context?: FormatContext) => Made;
  /** So configured, only a destination that `takesMessages` can have it. */
  readonly makesMessages?: (configuration: ParameterValues) => boolean;
  /** The changes of a key are merged where the connector has an `index`. */
  readonly takesIndex?: boolean;
  /** What it prints can be read with its end only, and nothing may stand behind that. */
  readonly needsEnd?: boolean;
}
