// What a destination has written and what went wrong, in numbers and in errors: gauges for everybody, the latest errors for who asks.
//
// Rows that cannot be printed are errors of the format, everything else is one of the transport, refused rows too. Not here: what is
// settled (settled-rows.ts).
import type { Outgoing } from '../../connectors/sdk/destination.ts';
import { errorsMax } from '../../connectors/sdk/format.ts';
import type { Clock } from '../../runtime/clock.ts';
import { type ErrorData, errorToData } from '../../runtime/errors.ts';
import type { Gauges } from '../../runtime/metrics.ts';
import { LatestList } from '../latest-list.ts';
import { ProcessorRefused } from '../processor-opening.ts';
import type { RecordedError } from '../source/messages.ts';
import { RowNotEncodable } from './destination-errors.ts';
import type { DestinationErrors } from './messages.ts';

/** What waits for a destination: in its mailbox, and in its buffer. */
export interface Waiting {
  readonly queued: { readonly queuedRows: number; readonly queuedBytes: number };
  readonly buffer: { readonly rows: number; readonly batches: number; readonly bytes: number } | null;
}

export class DeliveryLedger {
  readonly #clock: Clock;
  readonly #gauges: Gauges;
  readonly #format: string;
  readonly #encodeErrors = new LatestList<RecordedError>(errorsMax);
  readonly #transportErrors = new LatestList<RecordedError>(errorsMax);

  /** `format`: its name, as errors tell it. */
  constructor(clock: Clock, gauges: Gauges, format: string) {
    this.#clock = clock;
    this.#gauges = gauges;
    this.#format = format;
  }

  get errors(): DestinationErrors {
    return { encodeErrors: this.#encodeErrors.toArray(), transportErrors: this.#transportErrors.toArray() };
  }

  written(data: Outgoing): void {
    if (data.kind === 'bytes') this.#gauges.add('bytes', data.bytes.length);
    const records = data.kind === 'bytes' ? data.records : countRecords(data.batch.weights, data.batch.rows);
    this.#gauges.add('records', records);
    this.#gauges.add('heartbeat', 1);
    this.#gauges.set('activeAt', this.#clock.now());
  }

  /** `record`: its number among all that were written, from 1. */
  encodeError(error: unknown, record: number): void {
    const reason = error instanceof Error ? error.message : String(error);
    const coded = new RowNotEncodable({ format: this.#format, reason }, { cause: error, place: { record } });
    this.#gauges.add('numEncodeErrors', 1);
    this.#encodeErrors.add({ time: this.#clock.now(), record, error: errorToData(coded) });
  }

  transportError(error: unknown): ErrorData {
    const data = errorToData(error);
    this.#gauges.add('numTransportErrors', 1);
    this.#transportErrors.add({ time: this.#clock.now(), record: null, error: data });
    return data;
  }

  /** A row was refused by the destination or, where one is named, by a processor on the way to it. */
  refused(error: Error, processor: string | null): ErrorData {
    return this.transportError(processor === null ? error : new ProcessorRefused({ processor }, { cause: error }));
  }

  waiting({ queued, buffer }: Waiting): void {
    this.#gauges.set('queuedRecords', queued.queuedRows);
    this.#gauges.set('queuedBytes', queued.queuedBytes);
    this.#gauges.set('bufferedRecords', buffer?.rows ?? 0);
    this.#gauges.set('bufferedBatches', buffer?.batches ?? 0);
    this.#gauges.set('bufferedBytes', buffer?.bytes ?? 0);
  }
}

// ── data plane ──

/** What a row counts for is how often it is there or gone. */
function countRecords(weights: Int32Array | null, rows: number): number {
  if (weights === null) return rows;
  let records = 0;
  for (let i = 0; i < rows; i++) records += Math.abs(weights[i]!);
  return records;
}
