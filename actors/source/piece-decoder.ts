// Bytes of whole records, or a block of a file, become encoded batches: the work of one job, on whichever thread.
//
// The same function serves the intake thread (small pieces) and the workers of the decoding pool. What belongs to a
// connector travels as one text (`DecodeSetup` as JSON), which is also the key under which the decoder is kept: the cache
// is a pure function of its key. Batches leave here encoded, at most `batchRowsMax` rows each, so that between here and
// the engine nothing touches a row again.
// Not here: order, pause, credit (delivery.ts), record numbers of the whole input.
import type {
  Block,
  DecodeError,
  DecodeReport,
  Decoder,
  DecoderContext,
  InputFormat,
  Splitter,
} from '../../connectors/sdk/format.ts';
import { loaded, type RegisteredInputFormat } from '../../connectors/sdk/load-on-use.ts';
import type { ParameterValues } from '../../connectors/sdk/parameters.ts';
import type { PayloadBytes } from '../../connectors/sdk/source.ts';
import { assert } from '../../runtime/assert.ts';
import { BatchBuilder } from '../../runtime/batch/batch-builder.ts';
import type { ChangeBatch } from '../../runtime/batch/change-batch.ts';
import type { Relation } from '../../runtime/batch/schema.ts';
import { type ErrorData, errorToData } from '../../runtime/errors.ts';
import { type FrameMemory, type LentFrame, oneRoom } from '../../runtime/mailbox/frame-rooms.ts';
import { batchRowsMax, type EncodedBatch, encodeAll } from './encoded-batch.ts';
import { MessageJoining, type PieceMessages } from './message-joining.ts';

/** Everything that a decoder is made of. Plain data. */
export interface DecodeSetup {
  readonly format: string;
  /** Validated. */
  readonly configuration: ParameterValues;
  readonly relation: Relation;
  readonly defaults: readonly (string | null)[];
  readonly strict: boolean;
  /** See DecoderContext. */
  readonly found?: unknown;
}

export type DecodeRequest =
  | {
      readonly kind: 'piece';
      /** A DecodeSetup as JSON. */
      readonly setup: string;
      readonly bytes: PayloadBytes;
      readonly first: boolean;
      readonly prologue: Uint8Array<ArrayBuffer>;
      /** The bytes are messages. */
      readonly messages?: PieceMessages;
      /** For what is made of it: taken for as many bytes as the piece has. */
      readonly room?: LentFrame;
    }
  | { readonly kind: 'block'; readonly setup: string; readonly bytes: Uint8Array<ArrayBuffer>; readonly block: Block };

export interface Decoded {
  readonly batches: readonly EncodedBatch[];
  readonly records: number;
  readonly numParseErrors: number;
  readonly numUnknownFields: number;
  readonly errors: readonly DecodeError[];
  readonly fatal: ErrorData | null;
}

/** Decodes and encodes; keeps the decoders that it has made. One for each thread. */
export class PieceDecoder {
  readonly #formats: readonly RegisteredInputFormat[];
  readonly #made = new Map<string, Made>();
  /** The builder of the latest piece, empty. One for each thread: a thread mostly decodes one connector after another. */
  #kept: BatchBuilder | null = null;

  constructor(formats: readonly RegisteredInputFormat[]) {
    this.#formats = formats;
  }

  /** At once where the decoder has been made before and a piece is to be decoded. */
  decode(request: DecodeRequest): Promise<Decoded> | Decoded {
    const made = this.#made.get(request.setup);
    return made === undefined
      ? this.#make(request.setup).then((fresh) => this.#decodeWith(fresh, request))
      : this.#decodeWith(made, request);
  }

  /** Makes the decoder of a setup, if it has not been. */
  async prepare(setup: string): Promise<void> {
    if (!this.#made.has(setup)) await this.#make(setup);
  }

  #decodeWith(made: Made, request: DecodeRequest): Promise<Decoded> | Decoded {
    return request.kind === 'piece' ? this.#decodePiece(made, request) : this.#decodeBlock(made, request);
  }

  async #decodeBlock(made: Made, request: Extract<DecodeRequest, { kind: 'block' }>): Promise<Decoded> {
    const { format, setup, context } = made;
    assert(format.kind === 'block', 'a block is decoded by a block format');
    const report = emptyReport();
    const { bytes, block } = request;
    const batches = await format.decodeBlock(bytes, block, setup.configuration, context, report, batchRowsMax);
    return decoded(batches, report);
  }

  #decodePiece(made: Made, request: Extract<DecodeRequest, { kind: 'piece' }>): Decoded {
    assert(made.decoder !== null, 'a piece is decoded by a stream format');
    const { schema } = made.context.relation;
    // What is decoded is encoded before this returns, so the next piece of the same connector is decoded into the same arrays: fresh ones
    // cost as much as a fifth of the decoding. Room for rows of about 32 bytes at first; a builder doubles where they are shorter.
    const kept = this.#kept?.schema === schema ? this.#kept : null;
    const builder = kept ?? new BatchBuilder(schema, Math.min(batchRowsMax, request.bytes.length >> 5));
    // A builder that is left half written by an exception is not used again.
    this.#kept = null;
    const report = emptyReport();
    if (request.messages !== undefined) decodeMessages(made, request.bytes, request.messages, builder, report);
    else made.decoder.decode(request.bytes, builder, report, request.first, request.prologue);
    const memory = request.room === undefined ? null : oneRoom(request.room);
    const result = decoded(builder.rows === 0 ? [] : [builder.peek()], report, memory);
    if (request.bytes.length <= keptPieceBytesMax) {
      builder.clear();
      this.#kept = builder;
    }
    return result;
  }

  async #make(setupText: string): Promise<Made> {
    // SAFETY: the text was made from a DecodeSetup by decode-pool.ts.
    const setup = JSON.parse(setupText) as DecodeSetup;
    const found = this.#formats.find((candidate) => candidate.name === setup.format);
    assert(found !== undefined, 'a decoder is asked for a format that is registered');
    const format = await loaded(found);
    const { relation, defaults, strict, found: foundOut } = setup;
    const context: DecoderContext = { relation, defaults, strict, found: foundOut };
    const decoder = format.kind === 'stream' ? format.decoder(setup.configuration, context) : null;
    const joins = format.kind === 'stream' && format.joinsMessages?.(setup.configuration) === true;
    const made = { setup, format, context, decoder, joining: new MessageJoining(joins) };
    if (this.#made.size === decodersMax) {
      for (const oldest of this.#made.keys()) {
        this.#made.delete(oldest);
        break;
      }
    }
    this.#made.set(setupText, made);
    return made;
  }
}

const decodersMax = 64;

/** A builder that has held a bigger piece is let go: its arrays would stay as big. */
const keptPieceBytesMax = 4 * 1024 * 1024;

interface Made {
  readonly setup: DecodeSetup;
  readonly format: InputFormat;
  readonly context: DecoderContext;
  readonly decoder: Decoder | null;
  readonly joining: MessageJoining;
}

function decodeMessages(
  { decoder, format, setup, joining }: Made,
  bytes: Uint8Array,
  messages: PieceMessages,
  builder: BatchBuilder,
  report: DecodeReport,
): void {
  assert(decoder !== null && format.kind === 'stream', 'messages are decoded by a stream format');
  const splitter = (): Splitter => format.splitter(setup.configuration);
  joining.decode({ decoder, splitter, bytes, messages, builder, report });
}

function emptyReport(): DecodeReport {
  return { records: 0, numParseErrors: 0, numUnknownFields: 0, errors: [], fatal: null };
}

function decoded(batches: readonly ChangeBatch[], report: DecodeReport, memory: FrameMemory | null = null): Decoded {
  return {
    batches: encodeAll(batches, memory),
    records: report.records,
    numParseErrors: report.numParseErrors,
    numUnknownFields: report.numUnknownFields,
    errors: report.errors,
    fatal: report.fatal === null ? null : errorToData(report.fatal),
  };
}
