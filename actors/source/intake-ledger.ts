// What a source has taken in so far, in numbers and in errors: gauges for everybody, the latest errors for who asks.
//
// Records are numbered through the whole input, from 1, in the order in which they are handed out, whichever thread has
// decoded them; offsets likewise count from the start of the input.
import type { DecodeError } from '../../connectors/sdk/format.ts';
import { errorsMax } from '../../connectors/sdk/format.ts';
import { type Clock, processMillis } from '../../runtime/clock.ts';
import { errorToData } from '../../runtime/errors.ts';
import type { Gauges } from '../../runtime/metrics.ts';
import { LatestList } from '../latest-list.ts';
import type { RecordedError, SourceErrors } from './messages.ts';
import type { Decoded } from './piece-decoder.ts';

export class IntakeLedger {
  readonly #clock: Clock;
  readonly #gauges: Gauges;
  readonly #parseErrors = new LatestList<RecordedError>(errorsMax);
  readonly #transportErrors = new LatestList<RecordedError>(errorsMax);
  #records = 0;

  constructor(clock: Clock, gauges: Gauges) {
    this.#clock = clock;
    this.#gauges = gauges;
  }

  get errors(): SourceErrors {
    return { parseErrors: this.#parseErrors.toArray(), transportErrors: this.#transportErrors.toArray() };
  }

  read(bytes: number): void {
    this.#gauges.add('bytes', bytes);
    this.#gauges.add('heartbeat', 1);
  }

  /** Counts what a decoder said of the bytes that begin at `offset` of the input. Call it in order. */
  decoded(decoded: Decoded, offset: number): void {
    for (const error of decoded.errors) {
      const record = this.#records + error.record;
      const absolute: DecodeError = { ...error, record, offset: offset + error.offset };
      this.#parseErrors.add({ time: this.#clock.now(), record, error: absolute });
    }
    this.#records += decoded.records;
    if (decoded.numParseErrors > 0) this.#gauges.add('numParseErrors', decoded.numParseErrors);
    if (decoded.numUnknownFields > 0) this.#gauges.add('numUnknownFields', decoded.numUnknownFields);
  }

  sent(rows: number): void {
    this.#gauges.set('sentAt', processMillis());
    this.#gauges.add('records', rows);
    this.#gauges.add('batches', 1);
    this.#gauges.add('heartbeat', 1);
    this.#gauges.set('activeAt', this.#clock.now());
  }

  transportError(error: unknown): void {
    this.#gauges.add('numTransportErrors', 1);
    this.#transportErrors.add({ time: this.#clock.now(), record: null, error: errorToData(error) });
  }
}
