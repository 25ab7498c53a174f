// log: every record as a line of the pipeline's log, in the format that `sdk.record.format` names. The usual dead-letter queue.
//
// A record is acknowledged when its line has been handed to the log. A record that its format cannot print is refused.

import { assert } from '../../runtime/assert.ts';
import type { ChangeBatch } from '../../runtime/batch/change-batch.ts';
import { makePrinter } from '../record-formats/make-printer.ts';
import type { RecordPrinter } from '../record-formats/record-format.ts';
import type { Destination, DestinationContext, DestinationDefinition, Outgoing } from '../sdk/destination.ts';
import { decodeSchemas, RateLimit, rowsAndRefusals } from '../sdk/destination-middleware.ts';
import type { ParameterValues } from '../sdk/parameters.ts';
import { logRecordDestinationDeclaration } from './declarations.ts';

export const logRecordDestination: DestinationDefinition = {
  ...logRecordDestinationDeclaration,
  create: (configuration, context) => new LogDestination(configuration, context),
};

class LogDestination implements Destination {
  readonly #configuration: ParameterValues;
  readonly #context: DestinationContext;
  readonly #printer: RecordPrinter;
  readonly #rate: RateLimit;
  readonly #level: string;
  readonly #message: string;

  constructor(configuration: ParameterValues, context: DestinationContext) {
    this.#configuration = configuration;
    this.#context = context;
    this.#printer = makePrinter(configuration, context.clock);
    this.#rate = new RateLimit(configuration, context.clock);
    this.#level = String(configuration['level'] ?? 'info');
    this.#message = String(configuration['message'] ?? '');
  }

  async open(): Promise<void> {}

  async write(data: Outgoing): Promise<void> {
    assert(data.kind === 'batch', 'log is written batches of records');
    const decoded = await decodeSchemas(data.batch, this.#configuration, this.#context.schemas);
    for (const { from, to, refused } of rowsAndRefusals(decoded)) {
      if (refused !== null) this.#context.refused(refused);
      else await this.#print(decoded.batch, from, to);
    }
  }

  async #print(batch: ChangeBatch, from: number, to: number): Promise<void> {
    for (let row = from; row < to; row++) {
      if (this.#rate.isActive && (await this.#rate.take(1, this.#context.signal)) === 0) return;
      const { bytes, failed } = this.#printer.print(batch, row, row + 1);
      const [failure] = failed;
      if (failure !== undefined) {
        this.#context.refused(failure.error);
        continue;
      }
      const record = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length - 1).toString();
      this.#context.log(this.#message === '' ? record : `${this.#message} ${record}`, {
        level: this.#level,
        user: true,
      });
      this.#context.acknowledged(1);
    }
  }
}
