// file_output: bytes into one file.
//
// `write` gathers bytes and hands them to the operating system in large pieces; `flush` writes what is gathered and
// syncs the file to the disk, which is why it is not done for every batch. After a crash the file holds everything that
// was flushed and perhaps a part of what came after.
// Not here: creating folders. A misspelt path must not sow folders. Exactly once is exactly-once-destination.ts.
import { assert } from '../../runtime/assert.ts';
import {
  type Destination,
  type DestinationContext,
  type DestinationDefinition,
  defineDestination,
  type Outgoing,
} from '../sdk/destination.ts';
import type { ParameterValues } from '../sdk/parameters.ts';
import { ExactlyOnceFile } from './exactly-once-destination.ts';
import { fileTarget, resolveFilePath } from './file-path.ts';
import { WrittenFile } from './written-file.ts';

/** So many bytes are gathered before they are written without being asked to. */
const gatherBytesMax = 1024 * 1024;

export const fileOutput: DestinationDefinition = defineDestination({
  name: 'file_output',
  summary: 'Writes a file.',
  description:
    'With `delivery: exactly_once` rows wait in files beside it (PATH.millrace-1, …), and come into it with each checkpoint of the pipeline, about once a second: whoever reads it sees each row once, whatever was killed, and nothing that is taken back.',
  format: 'required',
  isExactlyOnce: ({ delivery }) => delivery === 'exactly_once',
  parameters: [
    {
      name: 'path',
      type: { kind: 'string' },
      required: true,
      description:
        'Path or file:// URL of a file or a named pipe. A relative path starts at the folder of the pipeline file.',
    },
    {
      name: 'mode',
      type: { kind: 'enum', values: ['replace', 'append', 'fail'] },
      required: false,
      default: 'replace',
      description:
        'What to do with a file that exists: replace its content, write behind it, or refuse to start. With `exactly_once` only where the pipeline begins anew: from a checkpoint it goes on behind what it has written.',
    },
    {
      name: 'delivery',
      type: { kind: 'enum', values: ['at_least_once', 'exactly_once'] },
      required: false,
      default: 'at_least_once',
      description:
        '`exactly_once`: after a crash nothing comes twice, nothing is seen that the pipeline takes back, and nothing is missing. Needs a data folder, and a plain file that nobody else writes.',
    },
  ],
  // Where rows are written at their place nobody else may write.
  target: ({ path, mode, delivery }, baseFolder) =>
    fileTarget(String(path), baseFolder, mode !== 'append' || delivery === 'exactly_once'),
  create: (configuration, context) =>
    configuration['delivery'] === 'exactly_once'
      ? new ExactlyOnceFile(configuration, context)
      : new FileDestination(configuration, context),
});

class FileDestination implements Destination {
  readonly #path: string;
  readonly #mode: string;
  readonly #context: DestinationContext;
  #file: WrittenFile | null = null;
  #gathered: Uint8Array = new Uint8Array(64 * 1024);
  #gatheredBytes = 0;

  constructor(configuration: ParameterValues, context: DestinationContext) {
    this.#context = context;
    this.#path = resolveFilePath(String(configuration['path']), context.baseFolder);
    this.#mode = String(configuration['mode'] ?? 'replace');
  }

  async open(): Promise<void> {
    const flags = this.#mode === 'append' ? 'a' : this.#mode === 'fail' ? 'wx' : 'w';
    this.#file = await WrittenFile.open(this.#path, flags, this.#context);
    const { bytesBefore } = this.#file;
    if (this.#mode === 'replace' && bytesBefore > 0) {
      // `user`: shown by the command line too, because something of the user's is gone.
      const fields = { path: this.#path, bytes: bytesBefore, user: true };
      this.#context.log(`${this.#path}: replaced ${bytesBefore} bytes`, fields);
    }
  }

  async write(data: Outgoing): Promise<void> {
    assert(data.kind === 'bytes', 'file_output has a format');
    const { bytes } = data;
    if (this.#gatheredBytes + bytes.length > gatherBytesMax) await this.#writeGathered();
    if (bytes.length >= gatherBytesMax) {
      // The caller may reuse the array after this call only, so it is written as it is.
      await this.#writeAll(bytes);
      return;
    }
    this.#gather(bytes);
  }

  async flush(): Promise<void> {
    await this.#writeGathered();
    await this.#file?.sync();
  }

  async teardown(): Promise<void> {
    const file = this.#file;
    if (file === null) return;
    try {
      await this.#writeGathered();
    } finally {
      this.#file = null;
      await file.close();
    }
  }

  #gather(bytes: Uint8Array): void {
    const needed = this.#gatheredBytes + bytes.length;
    if (needed > this.#gathered.length) {
      const larger = new Uint8Array(Math.max(needed, Math.min(gatherBytesMax, this.#gathered.length * 2)));
      larger.set(this.#gathered.subarray(0, this.#gatheredBytes));
      this.#gathered = larger;
    }
    this.#gathered.set(bytes, this.#gatheredBytes);
    this.#gatheredBytes = needed;
  }

  async #writeGathered(): Promise<void> {
    if (this.#gatheredBytes === 0) return;
    const bytes = this.#gathered.subarray(0, this.#gatheredBytes);
    this.#gatheredBytes = 0;
    await this.#writeAll(bytes);
  }

  async #writeAll(bytes: Uint8Array): Promise<void> {
    const file = this.#file;
    assert(file !== null, 'a destination is open while it is written to');
    await file.write(bytes, this.#context.signal);
  }
}
