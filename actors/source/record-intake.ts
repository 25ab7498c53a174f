// Reads a source of records to its end: batches go through processors and out, encoded, in order; nothing is decoded again.
//
//   source.read() ─► [LineRecords] ─► stamp ─► processors ─► encode ─► Outbox ─► relay
//                                                   └─ refused rows ─► the same road, with the reason
//
// What is sent is noted with the rows that it comes from before it leaves, so that what is settled can be told in the source's positions.
// The source is pulled only while the door is open and there is credit. Not here: threads, notices, acks (source-actor.ts).

import type { ChainFailure, ProcessorChain } from '../../connectors/sdk/processor-chain.ts';
import { recordColumn } from '../../connectors/sdk/record-batch.ts';
import type { Payload, Source } from '../../connectors/sdk/source.ts';
import type { ChangeBatch } from '../../runtime/batch/change-batch.ts';
import { gatherRows } from '../../runtime/batch/gather-rows.ts';
import { sliceBatch } from '../../runtime/batch/slice-batch.ts';
import type { Clock } from '../../runtime/clock.ts';
import { errorToData } from '../../runtime/errors.ts';
import { encodeBatch } from '../../runtime/wire/batch-codec.ts';
import type { InspectionTaps } from '../inspection-taps.ts';
import { ProcessorRefused } from '../processor-opening.ts';
import type { IntakeLedger } from './intake-ledger.ts';
import { LineRecords } from './line-records.ts';
import type { Outbox } from './outbox.ts';
import type { RecordPositions } from './record-positions.ts';
import { stampRecords } from './record-stamp.ts';
import { ClearWithoutTable, RecordWithoutPosition } from './source-errors.ts';

/** A source's batch of usual size is one frame. */
const frameRowsMax = 16_384;

export interface RecordIntakeParts {
  readonly connector: string;
  readonly source: Source;
  readonly chain: ProcessorChain;
  readonly taps: InspectionTaps;
  readonly outbox: Outbox;
  readonly ledger: IntakeLedger;
  readonly positions: RecordPositions;
  readonly clock: Clock;
  /** Nothing was left of what was read. */
  readonly onFiltered: () => void;
  readonly totals: (totals: { readonly bytes?: number | null; readonly records?: number | null }) => void;
  /** Nothing more is wanted, sent or not. */
  readonly signal: AbortSignal;
  /** Nothing more is to be read. */
  readonly reading: AbortSignal;
}

export class RecordIntake {
  readonly #parts: RecordIntakeParts;
  readonly #lines = new LineRecords();
  #records = 0;

  constructor(parts: RecordIntakeParts) {
    this.#parts = parts;
  }

  /** Resolves when the last record has been sent. @throws what ends the connector, after everything before it was sent. */
  async run(): Promise<void> {
    const { source, outbox, signal, reading, totals } = this.#parts;
    await outbox.whenOpen();
    for await (const payload of source.read()) {
      if (signal.aborted) return;
      totals({ bytes: source.bytesTotal?.() ?? null, records: source.recordsTotal?.() ?? null });
      await this.#take(payload);
      await outbox.whenOpen();
    }
    if (signal.aborted || reading.aborted) return;
    // What has no line end yet is a line only where the input has ended.
    const rest = this.#lines.end();
    if (rest !== null) await this.#takeBatch(rest);
  }

  async #take(payload: Payload): Promise<void> {
    switch (payload.kind) {
      case 'bytes': {
        this.#parts.ledger.read(payload.bytes.length);
        const batch = this.#lines.take(payload);
        if (batch !== null) await this.#takeBatch(batch);
        return;
      }
      case 'batch':
        this.#parts.ledger.read(dataBytes(payload.batch));
        await this.#takeBatch(payload.batch, payload.isStamped === true);
        // Processors may keep what they have seen.
        if (this.#parts.chain.isEmpty) payload.release?.();
        return;
      case 'clear':
        throw new ClearWithoutTable({ connector: this.#parts.connector });
      case 'idle':
        return;
    }
  }

  async #takeBatch(whole: ChangeBatch, isStamped = false): Promise<void> {
    const { connector, clock } = this.#parts;
    const missing = firstWithoutPosition(whole);
    const batch = isStamped ? whole : stampRecords(whole, connector, clock.now());
    for (let start = 0; start < batch.rows; start += frameRowsMax) {
      const end = Math.min(batch.rows, start + frameRowsMax, missing ?? batch.rows);
      if (end > start) await this.#process(sliceBatch(batch, start, end));
      if (missing !== null && end === missing) {
        throw new RecordWithoutPosition({ connector, record: this.#records + 1 });
      }
    }
  }

  async #process(batch: ChangeBatch): Promise<void> {
    const { chain, taps } = this.#parts;
    taps.connector(batch);
    this.#records += batch.rows;
    if (chain.isEmpty) return await this.#send(batch, batch, null);
    const made = await chain.process(batch);
    if (made.failed.length === 0) {
      if (made.batch.rows === 0) return this.#filtered(batch);
      return await this.#send(batch, made.batch, made.origins);
    }
    await this.#sendWithRefused(batch, made.batch, made.origins, made.failed);
  }

  #filtered(rows: ChangeBatch): void {
    this.#parts.positions.sending(rows, null, 0);
    this.#parts.onFiltered();
  }

  async #send(from: ChangeBatch, batch: ChangeBatch, origins: Int32Array | null): Promise<void> {
    const { outbox, positions, ledger } = this.#parts;
    // A split may have made more rows than a frame should have; their origins go with them.
    for (let start = 0; start < batch.rows; start += frameRowsMax) {
      const end = Math.min(batch.rows, start + frameRowsMax);
      const part = sliceBatch(batch, start, end);
      const buffer = encodeBatch(part, 0, 'in memory');
      const isLast = end === batch.rows;
      const covered = origins === null || isLast ? from : sliceBatch(from, 0, origins[end] ?? from.rows);
      await outbox.send((sender) => {
        positions.sending(covered, origins?.subarray(start, end) ?? null, part.rows);
        sender.sendEncoded(buffer, part.rows);
      });
      ledger.sent(part.rows);
    }
  }

  /** In the order of the rows that came in: what was made of those before a refused one, the refused one, and so on. */
  async #sendWithRefused(
    batch: ChangeBatch,
    made: ChangeBatch,
    origins: Int32Array | null,
    failed: readonly ChainFailure[],
  ): Promise<void> {
    let row = 0;
    let at = 0;
    for (const failure of [...failed, null]) {
      const to = failure === null ? batch.rows : failure.row;
      const from = at;
      while (at < made.rows && (origins?.[at] ?? at) < to) at++;
      if (to > row) {
        const rows = sliceBatch(batch, row, to);
        const shifted = Int32Array.from({ length: at - from }, (_, i) => (origins?.[from + i] ?? from + i) - row);
        if (at > from) await this.#send(rows, sliceBatch(made, from, at), shifted);
        else this.#filtered(rows);
      }
      if (failure === null) return;
      await this.#refuse(sliceBatch(batch, to, to + 1), failure);
      row = to + 1;
    }
  }

  async #refuse(record: ChangeBatch, { node, error }: ChainFailure): Promise<void> {
    const { outbox, positions, ledger } = this.#parts;
    const reason = errorToData(new ProcessorRefused({ processor: node }, { cause: error }));
    const buffer = encodeBatch(gatherRows(record, Int32Array.of(0), 1, null), 0, 'in memory');
    await outbox.send((sender) => {
      positions.sending(record, null, 1);
      sender.sendRefused(buffer, [{ ...reason, message: `${reason.message}: ${errorToData(error).message}` }]);
    });
    ledger.sent(1);
  }
}

/** The first row whose position is empty; null: every row has one. */
function firstWithoutPosition(batch: ChangeBatch): number | null {
  const column = batch.columns[recordColumn.position];
  if (column === undefined || column.layout === 'fixed') return 0;
  if (column.layout === 'bytes') {
    const row = firstEmpty(column.offsets, batch.rows);
    return row < 0 ? null : row;
  }
  const { codes, dictionary } = column;
  const row = codes
    .subarray(0, batch.rows)
    .findIndex((code) => dictionary.offsets[code] === dictionary.offsets[code + 1]);
  return row < 0 ? null : row;
}

/** What the records of a batch count as in statistics. */
function dataBytes(batch: ChangeBatch): number {
  let bytes = 0;
  for (const ordinal of [recordColumn.key, recordColumn.before, recordColumn.after]) {
    const column = batch.columns[ordinal];
    if (column?.layout === 'bytes') bytes += (column.offsets[batch.rows] ?? 0) - (column.offsets[0] ?? 0);
  }
  return bytes;
}

// ── data plane ──

function firstEmpty(offsets: Int32Array, rows: number): number {
  for (let i = 0; i < rows; i++) if (offsets[i + 1]! === offsets[i]!) return i;
  return -1;
}
