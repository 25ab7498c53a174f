// The dead-letter queue that a pipeline has without saying so: each letter is a line of the pipeline's log, and is kept in a file from
// which it can be replayed.
//
// A letter is acknowledged when it is on the disk. A line that a crash has torn is ended when the file is opened again, so that the next
// letter stands on a line of its own. Beyond `bytes_max` letters are logged and no longer kept, which is said once.
import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { assert } from '../../runtime/assert.ts';
import { makePrinter } from '../record-formats/make-printer.ts';
import type { RecordPrinter } from '../record-formats/record-format.ts';
import type { Destination, DestinationContext, DestinationDefinition, Outgoing } from '../sdk/destination.ts';
import type { ParameterValues } from '../sdk/parameters.ts';
import { keptLettersDeclaration } from './declarations.ts';
import { DeadLetterFileUnreadable } from './letter-file.ts';

const lineFeed = 10;

export const keptLetters: DestinationDefinition = {
  ...keptLettersDeclaration,
  create: (configuration, context) => new KeptLetters(configuration, context),
};

class KeptLetters implements Destination {
  readonly #context: DestinationContext;
  readonly #printer: RecordPrinter;
  readonly #path: string;
  readonly #bytesMax: number;
  readonly #level: string;
  readonly #message: string;
  #file: FileHandle | null = null;
  #bytes = 0;
  #isFull = false;

  constructor(configuration: ParameterValues, context: DestinationContext) {
    this.#context = context;
    this.#printer = makePrinter(configuration, context.clock);
    this.#path = String(configuration['path']);
    this.#bytesMax = Number(configuration['bytes_max']);
    this.#level = String(configuration['level'] ?? 'warn');
    this.#message = String(configuration['message'] ?? '');
  }

  async open(): Promise<void> {
    try {
      await mkdir(dirname(this.#path), { recursive: true });
      this.#file = await open(this.#path, 'a+');
      const { size } = await this.#file.stat();
      this.#bytes = size;
      const last = Buffer.alloc(1);
      if (size > 0) await this.#file.read(last, 0, 1, size - 1);
      if (size > 0 && last[0] !== lineFeed) {
        await this.#file.appendFile('\n');
        this.#bytes++;
      }
    } catch (cause) {
      throw this.#failure(cause);
    }
  }

  async write(data: Outgoing): Promise<void> {
    assert(data.kind === 'batch', 'dead letters are written in batches of records');
    for (let row = 0; row < data.batch.rows; row++) {
      const { bytes, failed } = this.#printer.print(data.batch, row, row + 1);
      const [failure] = failed;
      if (failure !== undefined) {
        this.#context.refused(failure.error);
        continue;
      }
      const line = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
      await this.#keep(line);
      const letter = line.toString('utf8', 0, line.length - 1);
      this.#context.log(this.#message === '' ? letter : `${this.#message} ${letter}`, { level: this.#level });
      this.#context.acknowledged(1);
    }
  }

  async teardown(): Promise<void> {
    await this.#file?.close();
    this.#file = null;
  }

  async #keep(line: Uint8Array): Promise<void> {
    if (this.#bytes + line.length > this.#bytesMax) {
      if (!this.#isFull) {
        const message = `${this.#path} has ${this.#bytes} bytes: dead letters are logged, but no longer kept; replay them and remove it`;
        this.#context.log(message, { level: 'error' });
      }
      this.#isFull = true;
      return;
    }
    try {
      await this.#file?.appendFile(line);
      await this.#file?.datasync();
    } catch (cause) {
      throw this.#failure(cause);
    }
    this.#bytes += line.length;
  }

  #failure(cause: unknown): Error {
    const detail = cause instanceof Error ? cause.message : String(cause);
    return new DeadLetterFileUnreadable({ path: this.#path, detail }, { cause });
  }
}
