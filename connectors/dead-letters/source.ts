// dead_letters: a stretch of a dead-letter queue's file as the records that were refused, byte for byte, in their order.
//
// What is acknowledged is noted beside the file, durably, before `ack` resolves. Acks name records by their own positions, which need
// not be unique in the file: letters are counted off in their order, and of two that look alike the first one is meant.
import type { ParameterValues } from '../sdk/parameters.ts';
import { recordBatchBuilder } from '../sdk/record-batch.ts';
import { appendRecordBytes } from '../sdk/record-bytes.ts';
import { recordPosition, recordPositionBytes } from '../sdk/record-position.ts';
import type { Payload, Position, Source, SourceContext, SourceDefinition } from '../sdk/source.ts';
import { deadLettersDeclaration } from './declarations.ts';
import { readLetter } from './letter.ts';
import { letterLines, noteReplayedTo, replayedTo } from './letter-file.ts';

const batchRows = 256;
const batchBytes = 1024 * 1024;

export const deadLetters: SourceDefinition = {
  ...deadLettersDeclaration,
  create: (configuration, context) => new DeadLetterSource(configuration, context),
};

class DeadLetterSource implements Source {
  readonly #path: string;
  readonly #pipeline: string;
  readonly #source: string;
  readonly #to: number;
  readonly #context: SourceContext;
  #from: number;
  /** What was read and not acknowledged: the position of the record in hexadecimal digits, and the offset behind its line. */
  #open: { readonly position: string; readonly end: number }[] = [];

  constructor(configuration: ParameterValues, context: SourceContext) {
    this.#path = String(configuration['path']);
    this.#pipeline = String(configuration['pipeline']);
    this.#source = String(configuration['source']);
    this.#from = Number(configuration['from']);
    this.#to = Number(configuration['to']);
    this.#context = context;
  }

  /** It goes on behind what is noted beside the file, whatever position the runtime knows. */
  async open(): Promise<void> {
    this.#from = Math.max(this.#from, await replayedTo(this.#path, this.#pipeline));
  }

  async *read(): AsyncIterable<Payload> {
    let builder = recordBatchBuilder();
    let bytes = 0;
    let last: Uint8Array = new Uint8Array(0);
    const made = (): Payload => {
      const payload: Payload = { kind: 'batch', batch: builder.finish(), position: recordPosition(last) };
      builder = recordBatchBuilder();
      bytes = 0;
      return payload;
    };
    for await (const { text, end } of letterLines(this.#path, this.#from, this.#to)) {
      if (this.#context.signal.aborted) return;
      const letter = readLetter(text);
      if (letter === null || letter.source !== this.#source) continue;
      appendRecordBytes(builder, letter.record);
      last = letter.record.position;
      this.#open.push({ position: Buffer.from(last).toString('hex'), end });
      bytes += text.length;
      if (builder.rows >= batchRows || bytes >= batchBytes) yield made();
    }
    if (builder.rows > 0) yield made();
  }

  async ack(position: Position): Promise<void> {
    const wanted = Buffer.from(recordPositionBytes(position)).toString('hex');
    const index = this.#open.findIndex((letter) => letter.position === wanted);
    const letter = this.#open[index];
    if (letter === undefined) return;
    await noteReplayedTo(this.#path, this.#pipeline, letter.end);
    this.#open.splice(0, index + 1);
  }
}
