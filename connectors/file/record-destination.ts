// file, as a destination of records: appends one line for each record, in the format that `sdk.record.format` names.
//
// Lines are gathered and handed to the operating system in large pieces; `flush` writes what is gathered, syncs the file to the disk and
// only then acknowledges. A record that its format cannot print is refused by itself, in its place in the order.

import { stat } from 'node:fs/promises';
import { assert } from '../../runtime/assert.ts';
import type { ChangeBatch } from '../../runtime/batch/change-batch.ts';
import { makePrinter } from '../record-formats/make-printer.ts';
import type { RecordPrinter } from '../record-formats/record-format.ts';
import type { Destination, DestinationContext, DestinationDefinition, Outgoing } from '../sdk/destination.ts';
import { decodeSchemas, RateLimit, rowsAndRefusals } from '../sdk/destination-middleware.ts';
import type { ParameterValues } from '../sdk/parameters.ts';
import { fileRecordDestinationDeclaration } from './declarations.ts';
import { FileIsDirectory, resolveFilePath } from './file-path.ts';
import { WrittenFile } from './written-file.ts';

const gatherBytesMax = 1024 * 1024;
const directBytesMin = 256 * 1024;
/** Rows printed at a time, so that what is gathered stays small. */
const printRowsMax = 16_384;

export const fileRecordDestination: DestinationDefinition = {
  ...fileRecordDestinationDeclaration,
  create: (configuration, context) => new FileRecordDestination(configuration, context),
};

class FileRecordDestination implements Destination {
  readonly #path: string;
  readonly #configuration: ParameterValues;
  readonly #context: DestinationContext;
  readonly #printer: RecordPrinter;
  readonly #rate: RateLimit;
  #file: WrittenFile | null = null;
  readonly #gathered = new Uint8Array(gatherBytesMax);
  #gatheredBytes = 0;
  /** What has been written or refused since the last flush: counts of records, and refusals between them. */
  #outcomes: (number | Error)[] = [];

  constructor(configuration: ParameterValues, context: DestinationContext) {
    this.#configuration = configuration;
    this.#context = context;
    this.#path = resolveFilePath(String(configuration['path']), context.baseFolder);
    this.#printer = makePrinter(configuration, context.clock);
    this.#rate = new RateLimit(configuration, context.clock);
  }

  async configure(): Promise<void> {
    const stats = await stat(this.#path).catch(() => null);
    if (stats?.isDirectory()) throw new FileIsDirectory({ path: this.#path });
  }

  async open(): Promise<void> {
    this.#file = await WrittenFile.open(this.#path, 'a', this.#context);
  }

  async write(data: Outgoing): Promise<void> {
    assert(data.kind === 'batch', 'file is written batches of records');
    const decoded = await decodeSchemas(data.batch, this.#configuration, this.#context.schemas);
    for (const { from, to, refused } of rowsAndRefusals(decoded)) {
      if (refused !== null) this.#outcomes.push(refused);
      else await this.#print(decoded.batch, from, to);
    }
  }

  async #print(batch: ChangeBatch, from: number, to: number): Promise<void> {
    for (let row = from; row < to; ) {
      let rows = Math.min(printRowsMax, to - row);
      if (this.#rate.isActive) {
        rows = await this.#rate.take(rows, this.#context.signal);
        if (rows === 0) return;
      }
      const { bytes, failed } = this.#printer.print(batch, row, row + rows);
      let next = row;
      for (const { row: refused, error } of failed) {
        if (refused > next) this.#outcomes.push(refused - next);
        this.#outcomes.push(error);
        next = refused + 1;
      }
      if (row + rows > next) this.#outcomes.push(row + rows - next);
      row += rows;
      await this.#gather(bytes);
      if (this.#rate.isActive) await this.#writeGathered();
    }
  }

  async flush(): Promise<void> {
    await this.#writeGathered();
    await this.#file?.sync();
    const outcomes = this.#outcomes;
    this.#outcomes = [];
    for (const outcome of outcomes) {
      if (typeof outcome === 'number') this.#context.acknowledged(outcome);
      else this.#context.refused(outcome);
    }
  }

  async teardown(): Promise<void> {
    const file = this.#file;
    if (file === null) return;
    try {
      await this.flush();
    } finally {
      this.#file = null;
      await file.close();
    }
  }

  async #gather(bytes: Uint8Array): Promise<void> {
    if (this.#gatheredBytes + bytes.length > gatherBytesMax) await this.#writeGathered();
    // A large piece is not worth a copy: the printer waits until it is written.
    if (bytes.length >= directBytesMin) {
      await this.#writeGathered();
      await this.#writeAll(bytes);
      return;
    }
    this.#gathered.set(bytes, this.#gatheredBytes);
    this.#gatheredBytes += bytes.length;
  }

  async #writeGathered(): Promise<void> {
    if (this.#gatheredBytes === 0) return;
    const bytes = this.#gathered.subarray(0, this.#gatheredBytes);
    await this.#writeAll(bytes);
    this.#gatheredBytes = 0;
  }

  async #writeAll(bytes: Uint8Array): Promise<void> {
    const file = this.#file;
    assert(file !== null, 'a destination is open while it is written to');
    await file.write(bytes, this.#context.signal);
  }
}
