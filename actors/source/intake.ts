// Reads a source to its end: payloads are cut at record borders, decoded in parallel, and handed out in order.
//
//   source.read() ─► RecordCutter ─► decode (pool or here) ─► Delivery ─► Outbox ─► engine
//
// While something is on its way, small payloads are gathered until a piece is worth a job; when nothing is, whatever
// has come leaves at once: one row is not kept waiting, a flood is not cut into drops. The intake asks for room and for an
// open door before every read, so that a source is never pulled ahead of what the engine takes.
// Everything that was read before a failure is handed out before the failure is told.
// Not here: threads (decode-pool.ts), notices and the life of the source (source-actor.ts).

import type { Block } from '../../connectors/sdk/format.ts';
import {
  isLent,
  type MessageBorders,
  type Payload,
  type Position,
  type RandomAccess,
  type Source,
} from '../../connectors/sdk/source.ts';
import type { ChangeBatch } from '../../runtime/batch/change-batch.ts';
import { errorFromData } from '../../runtime/errors.ts';
import type { FrameRooms } from '../../runtime/mailbox/frame-rooms.ts';
import { Delivery } from './delivery.ts';
import { encodeAll, frameBytes } from './encoded-batch.ts';
import type { InFlightPositions } from './in-flight-positions.ts';
import { bufferedStreams } from './input-buffer.ts';
import type { IntakeLedger } from './intake-ledger.ts';
import type { PieceMessages } from './message-joining.ts';
import type { Unclearable } from './messages.ts';
import { type Outbox, postFrame } from './outbox.ts';
import type { Decoded, DecodeRequest } from './piece-decoder.ts';
import type { Piece, RecordCutter } from './record-cutter.ts';
import type { RecordMetadata } from './record-metadata.ts';
import type { ReplayPoints } from './replay-points.ts';
import { TableNotCleared, UnexpectedPayload } from './source-errors.ts';
import { encodeStreamPlace, headBytesMax } from './stream-position.ts';
import { valueBytes } from './value-bytes.ts';

/** Payloads are gathered up to this while earlier ones are on their way. */
const gatheredBytesMax = 256 << 10;
const inFlightBytesMax = 64 << 20;
const noBytes: Uint8Array<ArrayBuffer> = new Uint8Array(0);

/** How the payloads of a connector are read. */
export type Reading =
  | {
      readonly kind: 'stream';
      readonly cutter: RecordCutter;
      readonly setup: string;
      /** For streams of which the source says what their decoder has to know. */
      readonly setupOf: (found: string) => string;
      /** For messages: a setup that knows what they need. */
      readonly setupFor?: (bytes: Uint8Array, messages: MessageBorders) => Promise<string> | string;
      /** Where the table has columns that read the metadata of records. */
      readonly metadata?: RecordMetadata;
    }
  | {
      readonly kind: 'blocks';
      readonly plan: (input: RandomAccess) => Promise<readonly Block[]>;
      readonly setup: string;
      readonly metadata?: RecordMetadata;
    }
  | { readonly kind: 'batches' };

type StreamReading = Extract<Reading, { kind: 'stream' }>;

export interface IntakeParts {
  readonly transport: string;
  readonly source: Source;
  readonly reading: Reading;
  /** What becomes of batches that are no rows of the relation yet. */
  readonly convert: ((batch: ChangeBatch) => Decoded) | null;
  readonly decode: (request: DecodeRequest) => Promise<Decoded> | Decoded;
  /** Requests that are worth being under way at once. */
  readonly entriesMax: number;
  readonly outbox: Outbox;
  /** Of the channel to the engine. */
  readonly rooms: FrameRooms;
  readonly ledger: IntakeLedger;
  readonly positions: InFlightPositions;
  /** The source stands somewhere else without a row having been sent: nobody would know it by the rows. */
  readonly moved: () => void;
  /** Marks are sent, since the source wants acknowledgements. */
  readonly acknowledges: boolean;
  readonly replay: ReplayPoints;
  /** Why the table cannot be cleared; null: it can. */
  readonly unclearable: Unclearable | null;
  /** What the source has read it can read again in the same order: its positions name places in its bytes. */
  readonly repeats: boolean;
  readonly totals: (totals: { readonly bytes?: number | null; readonly records?: number | null }) => void;
  readonly signal: AbortSignal;
}

/** Decoded rows with their place in the input, or a clear at its place. */
interface Parcel {
  readonly clears?: boolean;
  readonly decoded: Decoded;
  readonly startOffset: number;
  /** The input can be taken up behind it. */
  readonly resumes: boolean;
  /** What whoever does so needs from the head of the stream. */
  readonly head: Uint8Array<ArrayBuffer> | null;
  /** Called when everything until its end has been sent. */
  readonly sent: () => void;
}

export class Intake {
  readonly #parts: IntakeParts;
  readonly #delivery: Delivery<Parcel>;
  /** Bytes of all payloads so far. */
  #offset = 0;
  /** Of the stream that is being read, where its metadata, or what its source has found, matters. */
  #streamSetup: string | null = null;

  constructor(parts: IntakeParts) {
    this.#parts = parts;
    const limits = { entriesMax: parts.entriesMax, bytesMax: inFlightBytesMax };
    this.#delivery = new Delivery<Parcel>(limits, (parcel) => this.#handOut(parcel));
  }

  /** Resolves when the last row has been sent. @throws what ends the connector, after everything before it was sent. */
  async run(): Promise<void> {
    const reading = this.#read();
    reading.catch(() => {});
    try {
      // A failure of what was handed out must not wait for the next payload.
      await Promise.race([reading, this.#delivery.failed]);
    } catch (error) {
      if (!this.#parts.signal.aborted) await this.#delivery.finished().catch(() => {});
      throw error;
    }
    await this.#delivery.finished();
  }

  async #read(): Promise<void> {
    const { reading } = this.#parts;
    if (reading.kind === 'blocks') await this.#readBlocks(reading);
    else await this.#readPayloads(reading);
  }

  async #readPayloads(reading: Extract<Reading, { kind: 'stream' | 'batches' }>): Promise<void> {
    const { source, signal, outbox } = this.#parts;
    if (reading.kind === 'stream') this.#delivery.onEmpty = () => this.#pushGathered(reading);
    await this.#mayRead();
    for await (const payload of source.read()) {
      if (signal.aborted) return;
      this.#showTotals();
      await this.#take(payload, reading);
      await this.#mayRead();
    }
    if (signal.aborted) return;
    if (reading.kind === 'stream') await this.#pushPieces(reading.cutter.end(), this.#current(reading));
    await outbox.whenOpen();
    this.#showTotals();
  }

  async #take(payload: Payload, reading: Extract<Reading, { kind: 'stream' | 'batches' }>): Promise<void> {
    const { positions, ledger } = this.#parts;
    switch (payload.kind) {
      case 'bytes': {
        if (reading.kind !== 'stream') throw this.#unexpected(payload);
        const { cutter } = reading;
        const current = await this.#begun(payload, reading);
        const { bytes } = payload;
        ledger.read(bytes.length);
        positions.payload(this.#offset, this.#offset + bytes.length, payload.positionAfter);
        const startOffset = this.#offset;
        this.#offset += bytes.length;
        if (payload.messages !== undefined) {
          await this.#pushMessages(payload, startOffset, payload.messages, reading);
          return;
        }
        cutter.append(bytes, payload.release);
        if (payload.endOfStream === true) await this.#endStream(payload, current);
        else if (this.#delivery.isEmpty || cutter.unseenBytes >= gatheredBytesMax) {
          await this.#pushPieces(cutter.cut(), current);
        }
        return;
      }
      case 'batch': {
        if (reading.kind !== 'batches') throw this.#unexpected(payload);
        const { batch, position } = payload;
        const result = {
          decoded: this.#parts.convert?.(batch) ?? ready(encodeAll([batch], this.#parts.rooms)),
          startOffset: 0,
          resumes: true,
          head: null,
          sent: () => positions.sentPosition(position),
        };
        let bytes = 0;
        for (const each of result.decoded.batches) bytes += frameBytes(each);
        ledger.read(valueBytes(batch));
        // Rows of a conversion may still be read from what was converted.
        if (this.#parts.convert === null) payload.release?.();
        this.#delivery.push({ result, bytes });
        return;
      }
      case 'clear':
        await this.#takeClear(payload, reading);
        return;
      case 'idle':
        if (reading.kind === 'stream') await this.#pushPieces(reading.cutter.cut(), this.#current(reading));
    }
  }

  async #takeClear(
    { position }: Extract<Payload, { kind: 'clear' }>,
    reading: Extract<Reading, { kind: 'stream' | 'batches' }>,
  ): Promise<void> {
    const { unclearable, positions } = this.#parts;
    // Whole records that came before it go before it.
    if (reading.kind === 'stream') await this.#pushPieces(reading.cutter.cut(), this.#current(reading));
    if (unclearable !== null) throw new TableNotCleared(unclearable);
    await this.#delivery.room();
    const resumes = reading.kind === 'batches' || reading.cutter.taken === 'anywhere';
    const sent = (): void => positions.sentPosition(position);
    const result = { clears: true, decoded: ready([]), startOffset: this.#offset, resumes, head: null, sent };
    this.#delivery.push({ result, bytes: 0 });
  }

  /** Also where nothing is left to be sent, as behind a snapshot: the source may go on behind its end. */
  async #endStream(
    { bytes, positionAfter }: Extract<Payload, { kind: 'bytes' }>,
    reading: StreamReading,
  ): Promise<void> {
    const pieces = reading.cutter.end();
    await this.#pushPieces(pieces, reading, true);
    if (pieces.length > 0) return;
    await this.#delivery.room();
    const sent = (): void => this.#parts.positions.sentPosition(positionAfter(bytes.length));
    const resumes = reading.cutter.taken !== 'again from its start';
    this.#delivery.push({
      result: { decoded: ready([]), startOffset: this.#offset, resumes, head: null, sent },
      bytes: 0,
    });
  }

  async #pushPieces(pieces: readonly Piece[], reading: StreamReading, endsStream = false): Promise<void> {
    for (const [at, piece] of pieces.entries()) {
      await this.#delivery.room();
      this.#pushPiece(piece, reading, endsStream && at === pieces.length - 1);
    }
  }

  /** With what is known of the stream that is being read. */
  #current(reading: StreamReading): StreamReading {
    return this.#streamSetup === null ? reading : { ...reading, setup: this.#streamSetup };
  }

  /** The reading of a payload: all that is cut of one stream has the metadata of that stream. */
  async #begun(
    { metadata, found, endOfStream }: Extract<Payload, { kind: 'bytes' }>,
    reading: StreamReading,
  ): Promise<StreamReading> {
    if (found !== undefined) this.#streamSetup ??= reading.setupOf(found);
    else if (reading.metadata === undefined || metadata === undefined) return reading;
    else this.#streamSetup ??= await reading.metadata.setupOf(metadata);
    const current = this.#current(reading);
    if (endOfStream === true) this.#streamSetup = null;
    return current;
  }

  async #pushMessages(
    { bytes, release }: Extract<Payload, { kind: 'bytes' }>,
    startOffset: number,
    messages: MessageBorders,
    reading: StreamReading,
  ): Promise<void> {
    const { setup, setupFor, metadata } = reading;
    const suited = setupFor === undefined ? setup : await setupFor(bytes, messages);
    const defaults = metadata === undefined ? null : await metadata.ofMessages(bytes, messages);
    await this.#delivery.room();
    const endOffset = startOffset + bytes.length;
    const lent = isLent(bytes) && release !== undefined ? release : null;
    const piece = { bytes, release: lent, first: false, prologue: noBytes, startOffset, endOffset };
    const { starts, ends } = messages;
    const borders = { starts, ends, ...(defaults === null ? {} : { defaults }) };
    this.#pushPiece(piece, { ...reading, setup: suited }, false, borders);
  }

  /** What was gathered while earlier pieces were on their way: they have left, so it leaves as well. */
  #pushGathered(reading: StreamReading): void {
    try {
      for (const piece of reading.cutter.cut()) this.#pushPiece(piece, this.#current(reading), false);
    } catch (error) {
      this.#delivery.push({ result: Promise.reject(error), bytes: 0 });
    }
  }

  /** `messages`: each stands alone, so that there is nothing that its records need beside it. */
  #pushPiece(piece: Piece, reading: StreamReading, endsStream: boolean, messages: PieceMessages | null = null): void {
    const { bytes, first, prologue, startOffset, endOffset } = piece;
    const length = bytes.length;
    const { taken } = reading.cutter;
    // Behind the last piece another stream begins, with a head of its own.
    const isInside = messages === null && this.#parts.repeats && !endsStream;
    const head = taken === 'with its head' && isInside ? prologue : null;
    const resumes = messages !== null || (taken !== 'again from its start' && (head?.length ?? 0) <= headBytesMax);
    const inMessages = messages === null ? {} : { messages };
    const { setup } = reading;
    const decoding = this.#parts.decode({ kind: 'piece', setup, bytes, first, prologue, ...inMessages });
    const decoded = piece.release === null ? decoding : released(decoding, piece.release);
    const sent = (): void => this.#parts.positions.sentUpTo(endOffset);
    this.#delivery.push({ result: parcel(decoded, { startOffset, resumes, head, sent }), bytes: length });
  }

  /** The whole input where it can be read anywhere; else stream by stream, each of which ends at a position. */
  async #readBlocks(reading: Extract<Reading, { kind: 'blocks' }>): Promise<void> {
    const { source, signal } = this.#parts;
    await this.#mayRead();
    const input = source.randomAccess?.() ?? null;
    if (input !== null) {
      await this.#readStream(input, reading, null);
      return;
    }
    for await (const { input: stream, positionAfter } of bufferedStreams(source.read(), signal)) {
      await this.#readStream(stream, reading, positionAfter);
      await this.#mayRead();
    }
  }

  /** `behind` is the position at its end, if the source can go on there. */
  async #readStream(
    input: RandomAccess,
    reading: Extract<Reading, { kind: 'blocks' }>,
    behind: Position | null,
  ): Promise<void> {
    const { signal, ledger, totals, positions } = this.#parts;
    const blocks = await reading.plan(input);
    const rows = blocks.reduce((sum, block) => sum + block.rows, 0);
    if (behind === null) totals({ bytes: input.size, records: rows });
    const { metadata } = input;
    const known = metadata === undefined ? undefined : reading.metadata;
    const setup = known === undefined || metadata === undefined ? reading.setup : await known.setupOf(metadata);
    let end = 0;
    for (const [i, block] of blocks.entries()) {
      await this.#mayRead();
      const bytes = await input.read(block.offset, block.length, signal);
      ledger.read(block.length);
      end += block.length;
      const decoded = this.#parts.decode({ kind: 'block', setup, bytes, block });
      const endsStream = behind !== null && i === blocks.length - 1;
      const sent = endsStream ? () => positions.sentPosition(behind) : () => {};
      this.#delivery.push({
        result: parcel(decoded, { startOffset: block.offset, resumes: endsStream, head: null, sent }),
        bytes: block.length,
      });
    }
    // The directory of the file counts as read, so that progress ends at the whole.
    if (!signal.aborted) ledger.read(Math.max(0, input.size - end));
  }

  /** Resolves when the door is open and there is room for what will be read. */
  async #mayRead(): Promise<void> {
    await this.#parts.outbox.whenOpen();
    await this.#delivery.room();
  }

  async #handOut(parcel: Parcel): Promise<void> {
    const { outbox, ledger, positions, replay, acknowledges } = this.#parts;
    ledger.decoded(parcel.decoded, parcel.startOffset);
    if (parcel.clears === true && replay.keepClear()) {
      await outbox.send((sender) => sender.sendClear());
      ledger.sent(1);
      replay.sent(1);
    }
    for (const batch of parcel.decoded.batches) {
      const kept = replay.keep(batch);
      if (kept !== batch && !(batch.frame instanceof ArrayBuffer)) this.#parts.rooms.giveBack([batch.frame.room]);
      if (kept === null) continue;
      const { frame, rows } = kept;
      await outbox.send((sender) => {
        if (frame instanceof ArrayBuffer) sender.sendEncoded(frame, rows);
        else sender.sendLent(frame, rows);
      });
      ledger.sent(rows);
      replay.sent(rows);
    }
    if (parcel.decoded.fatal !== null) throw errorFromData(parcel.decoded.fatal);
    parcel.sent();
    const { latest } = positions;
    const { head } = parcel;
    if (parcel.resumes && latest !== null) {
      replay.reached(() => encodeStreamPlace({ position: latest(), head }));
      if (parcel.decoded.batches.length === 0 && parcel.clears !== true) this.#parts.moved();
    }
    const mark = acknowledges ? positions.takeMark() : null;
    if (mark !== null) await outbox.send(postFrame({ kind: 'mark', mark }));
  }

  #showTotals(): void {
    const { source, totals } = this.#parts;
    totals({ bytes: source.bytesTotal?.() ?? null, records: source.recordsTotal?.() ?? null });
  }

  #unexpected(payload: Payload): Error {
    return new UnexpectedPayload({ transport: this.#parts.transport, payload: payload.kind });
  }
}

function parcel(decoded: Promise<Decoded> | Decoded, place: Omit<Parcel, 'decoded'>): Promise<Parcel> | Parcel {
  if (decoded instanceof Promise) return decoded.then((result) => ({ decoded: result, ...place }));
  return { decoded, ...place };
}

/** A thread that has failed may still look at the bytes: they are not used again. */
function released(decoding: Promise<Decoded> | Decoded, release: () => void): Promise<Decoded> | Decoded {
  const freed = (decoded: Decoded): Decoded => {
    release();
    return decoded;
  };
  return decoding instanceof Promise ? decoding.then(freed) : freed(decoding);
}

function ready(batches: Decoded['batches']): Decoded {
  const records = batches.reduce((rows, batch) => rows + batch.rows, 0);
  return { batches, records, numParseErrors: 0, numUnknownFields: 0, errors: [], fatal: null };
}
