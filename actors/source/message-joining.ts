// Messages to rows: all at once where that is the same, else one by one.
//
// A format of lines reads messages with line breaks in between as one stream, which costs a message nothing. That this is the same as
// reading each alone is seen from the outcome: no error, and as many records as messages. Whatever else comes out is thrown away, and the
// messages are read one by one, so that a broken one spoils no other. A piece that was not worth the attempt makes the next ones go
// one by one at once, for a while. Decoders that read messages themselves are never asked to join.
import { type DecodeReport, type Decoder, errorsMax, type Splitter } from '../../connectors/sdk/format.ts';
import type { MessageBorders } from '../../connectors/sdk/source.ts';
import type { BatchBuilder } from '../../runtime/batch/batch-builder.ts';
import type { EvaluatedDefaults } from '../metadata-defaults.ts';
import { applyDefaults } from './message-defaults.ts';

/** Pieces that are read one by one after an attempt that failed without an error to blame. */
const pauseAfterMismatch = 64;
const noBytes = new Uint8Array(0);

export interface PieceMessages extends MessageBorders {
  /** Defaults that are other ones for each message. */
  readonly defaults?: EvaluatedDefaults;
}

export interface MessagePiece {
  readonly decoder: Decoder;
  /** For the prologue of a message. */
  readonly splitter: () => Splitter;
  readonly bytes: Uint8Array;
  readonly messages: PieceMessages;
  readonly builder: BatchBuilder;
  readonly report: DecodeReport;
}

export class MessageJoining {
  readonly #joins: boolean;
  #pause = 0;

  constructor(joins: boolean) {
    this.#joins = joins;
  }

  decode(piece: MessagePiece): void {
    const { decoder, bytes, messages, builder, report } = piece;
    const { starts, defaults } = messages;
    if (decoder.decodeMessages !== undefined) {
      const before = defaults === undefined ? null : (i: number) => applyDefaults(decoder, defaults, i);
      decoder.decodeMessages(bytes, messages, builder, report, before);
      return;
    }
    if (this.#joins && defaults === undefined && this.#pause === 0) {
      decoder.decode(bytes, builder, report, false, noBytes);
      if (report.numParseErrors === 0 && report.records === starts.length) return;
      if (report.numParseErrors === 0) this.#pause = pauseAfterMismatch;
      builder.rollbackTo(0);
      Object.assign(report, { records: 0, numParseErrors: 0, numUnknownFields: 0, fatal: null });
      report.errors.length = 0;
    } else if (this.#pause > 0) this.#pause--;
    this.#decodeEach(piece);
  }

  #decodeEach({ decoder, splitter, bytes, messages, builder, report }: MessagePiece): void {
    const { starts, ends, defaults } = messages;
    const own: DecodeReport = { records: 0, numParseErrors: 0, numUnknownFields: 0, errors: [], fatal: null };
    const prologue = splitter().prologue === undefined ? null : splitter;
    for (let i = 0; i < starts.length; i++) {
      const message = bytes.subarray(starts[i]!, ends[i]!);
      if (defaults !== undefined) applyDefaults(decoder, defaults, i);
      own.records = 0;
      decoder.decode(message, builder, own, true, prologue?.().prologue?.(message) ?? noBytes);
      if (own.errors.length > 0) addErrors(report, own, starts[i]!);
      report.records += own.records;
      report.fatal ??= own.fatal;
    }
    report.numParseErrors += own.numParseErrors;
    report.numUnknownFields += own.numUnknownFields;
  }
}

/** The errors of one message, as errors of the piece. */
function addErrors(report: DecodeReport, own: DecodeReport, start: number): void {
  for (const error of own.errors.splice(0)) {
    if (report.errors.length >= (report.errorsMax ?? errorsMax)) report.errors.shift();
    report.errors.push({ ...error, record: report.records + error.record, offset: start + error.offset });
  }
}
