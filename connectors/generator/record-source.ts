// generator, as a source of records: made-up records, as fast as they are taken, at a rate, or in bursts.
//
// A record has a word as its key and made-up data as its payload: raw JSON, structured data, or the content of a file. Position: how
// many records have been made, in decimal digits; a source that goes on from one makes the rest of `recordCount` and then ends.
// Several collections take turns by chance. Data is written into columns directly (generated-data.ts).

import { readFile } from 'node:fs/promises';
import { assert } from '../../runtime/assert.ts';
import type { ChangeBatch } from '../../runtime/batch/change-batch.ts';
import type { Column } from '../../runtime/batch/column.ts';
import { ConfigInvalidValue, ConfigMissingKey } from '../sdk/configuration-errors.ts';
import { parseDuration } from '../sdk/duration.ts';
import type { ParameterValues } from '../sdk/parameters.ts';
import { type RecordOperation, recordMetadata, recordOperations } from '../sdk/record.ts';
import { dataShape, recordBatchBuilder, recordColumn, recordSchema, shapeShift } from '../sdk/record-batch.ts';
import { writeMetadata } from '../sdk/record-metadata.ts';
import { recordPositionBytes } from '../sdk/record-position.ts';
import type { Payload, Position, Source, SourceContext, SourceDefinition } from '../sdk/source.ts';
import { recordPayload, type SourceMiddleware, sourceMiddleware, withMiddleware } from '../sdk/source-middleware.ts';
import { wait } from '../sdk/wait.ts';
import { generatorRecordSourceDeclaration } from './declarations.ts';
import { type DataForm, GeneratedData } from './generated-data.ts';

const batchRowsMax = 8192;
/** The time of so many records is looked up once. */
const timeRows = 64;
/** With a rate, so many batches are made in a second where it allows. */
const batchesPerSecond = 20;

export const generatorRecordSource: SourceDefinition = {
  ...generatorRecordSourceDeclaration,
  create: (configuration, context) => new GeneratorRecordSource(configuration, context),
};

interface Collection {
  readonly name: string;
  readonly operations: readonly RecordOperation[];
  readonly form: DataForm;
  readonly fields: Readonly<Record<string, string>>;
  readonly path: string;
}

class GeneratorRecordSource implements Source {
  readonly #context: SourceContext;
  readonly #middleware: SourceMiddleware;
  readonly #collections: readonly Collection[];
  readonly #recordCount: number;
  /** Records a millisecond. */
  readonly #rate: number;
  readonly #sleepMs: number;
  readonly #generateMs: number;
  readonly #data: GeneratedData;
  #files: Uint8Array[] = [];
  #made = 0;
  /** Of each column of the last batch. */
  #bytesPerRow: readonly number[] = [];

  constructor(configuration: ParameterValues, context: SourceContext) {
    this.#context = context;
    this.#middleware = sourceMiddleware(configuration);
    this.#collections = collectionsOf(configuration);
    this.#recordCount = Number(configuration['recordCount']) || Number.POSITIVE_INFINITY;
    const readMs = durationOf(configuration, 'readTime');
    const perSecond = Number(configuration['rate']);
    if (readMs > 0 && perSecond > 0) {
      throw new ConfigInvalidValue({ key: 'readTime', reason: 'and "rate" are both given; "rate" is enough' });
    }
    this.#rate = perSecond > 0 ? perSecond / 1000 : readMs > 0 ? 1 / readMs : Number.POSITIVE_INFINITY;
    this.#sleepMs = durationOf(configuration, 'burst.sleepTime');
    this.#generateMs = durationOf(configuration, 'burst.generateTime');
    if (this.#sleepMs > 0 && this.#generateMs <= 0) {
      throw new ConfigInvalidValue({ key: 'burst.generateTime', reason: 'is not above 0' });
    }
    this.#data = new GeneratedData(context.clock);
  }

  async open(position: Position | null): Promise<void> {
    this.#made = Number(Buffer.from(recordPositionBytes(position)).toString()) || 0;
    this.#files = await Promise.all(
      this.#collections.map(async ({ form, path }) => (form === 'file' ? await readFile(path) : new Uint8Array(0))),
    );
  }

  read(): AsyncIterable<Payload> {
    return withMiddleware(this.#readBatches(), this.#middleware, this.#context);
  }

  recordsTotal(): number | null {
    return Number.isFinite(this.#recordCount) ? this.#recordCount : null;
  }

  async *#readBatches(): AsyncIterable<Payload> {
    const { clock, signal } = this.#context;
    const usual = Number.isFinite(this.#rate) ? Math.floor((this.#rate * 1000) / batchesPerSecond) : batchRowsMax;
    const rowsMax = Math.min(batchRowsMax, Math.max(1, usual));
    const startedAt = clock.monotonic();
    const first = this.#made;
    let burstEnds = startedAt + this.#generateMs;
    while (this.#made < this.#recordCount && !signal.aborted) {
      if (this.#sleepMs > 0 && clock.monotonic() >= burstEnds) {
        yield { kind: 'idle' };
        await wait(clock, this.#sleepMs, signal);
        burstEnds = clock.monotonic() + this.#generateMs;
        continue;
      }
      const rows = Math.min(rowsMax, this.#recordCount - this.#made);
      const batch = this.#makeBatch(rows);
      // A record counts when its time has passed, so that a rate is never exceeded.
      const due = startedAt + (this.#made - first) / this.#rate;
      if (due > clock.monotonic()) yield { kind: 'idle' };
      for (let left = due - clock.monotonic(); left > 0 && !signal.aborted; left = due - clock.monotonic()) {
        await wait(clock, left, signal);
      }
      if (signal.aborted) return;
      yield recordPayload(batch);
    }
  }

  #makeBatch(rows: number): ChangeBatch {
    const builder = recordBatchBuilder(rows);
    const [position, operation, , shapes, key, before, after] = builder.columns;
    // As large as they were the last time, and a little: columns that grow are copied.
    for (const [i, column] of builder.columns.entries()) {
      const perRow = this.#bytesPerRow[i] ?? 0;
      if (perRow > 0) column.reserveBytes(Math.ceil(perRow * 1.1 * rows));
    }
    const chosenEntries = new Int32Array(rows);
    const createdAt = `${Math.floor(this.#context.clock.now())}000000`;
    const entries = this.#collections.map(({ name }) =>
      writeMetadata({
        ...(name === '' ? {} : { [recordMetadata.collection]: name }),
        [recordMetadata.createdAt]: createdAt,
      }),
    );
    const data = this.#data;
    for (let row = 0; row < rows; row++) {
      if (row % timeRows === 0) data.lookAtClock();
      const c = this.#collections.length === 1 ? 0 : data.below(this.#collections.length);
      const collection = this.#collections[c];
      if (collection === undefined) break;
      const { operations, form } = collection;
      const chosen = operations.length === 1 ? operations[0] : operations[data.below(operations.length)];
      data.count(++this.#made, position);
      data.word(key);
      chosenEntries[row] = c;
      const shape = form === 'structured' ? dataShape.msgpack : dataShape.raw;
      let bits: number = dataShape.raw << shapeShift.key;
      if (chosen === 'update' || chosen === 'delete') {
        data.data(collection.fields, form, this.#files[c], before);
        bits |= shape << shapeShift.before;
      }
      if (chosen !== 'delete') {
        data.data(collection.fields, form, this.#files[c], after);
        bits |= shape << shapeShift.after;
      }
      if (operation !== undefined) operation.values[row] = recordOperations.indexOf(chosen ?? 'create') + 1;
      if (shapes !== undefined) shapes.values[row] = bits;
      builder.commitRow();
    }
    this.#bytesPerRow = builder.columns.map(({ bytesUsed }) => bytesUsed / rows);
    const batch = builder.finish();
    const columns = [...batch.columns];
    columns[recordColumn.metadata] = dictionaryColumn(entries, chosenEntries);
    return { ...batch, columns };
  }
}

/** Metadata says the same of every record of a collection. */
function dictionaryColumn(entries: readonly Uint8Array[], codes: Int32Array): Column {
  const offsets = new Int32Array(entries.length + 1);
  for (const [i, { length }] of entries.entries()) offsets[i + 1] = (offsets[i] ?? 0) + length;
  const bytes = new Uint8Array(offsets[entries.length] ?? 0);
  for (const [i, entry] of entries.entries()) bytes.set(entry, offsets[i]);
  const type = recordSchema.fields[recordColumn.metadata]?.type;
  assert(type !== undefined, 'records have metadata');
  const dictionary = { identity: bytes, size: entries.length, offsets, bytes };
  return { layout: 'dictionary', type, validity: null, codes, dictionary };
}

/** @throws ConfigMissingKey, ConfigInvalidValue */
function collectionsOf(configuration: ParameterValues): Collection[] {
  // SAFETY: the values have been validated against the parameters above.
  const named = Object.entries((configuration['collections'] ?? {}) as Readonly<Record<string, ParameterValues>>);
  const given: (readonly [string, ParameterValues])[] =
    configuration['format.type'] === undefined ? named : [['', configuration], ...named];
  if (given.length === 0) throw new ConfigMissingKey({ key: 'format.type', owner: 'generator' });
  return given.map(([name, values]) => {
    const prefix = name === '' ? '' : `collections.${name}.`;
    const form = values['format.type'];
    if (form !== 'raw' && form !== 'structured' && form !== 'file') {
      throw new ConfigMissingKey({ key: `${prefix}format.type`, owner: 'generator' });
    }
    const path = values['format.options.path'];
    if (form === 'file' && path === undefined) {
      throw new ConfigMissingKey({ key: `${prefix}format.options.path`, owner: 'generator' });
    }
    return {
      name,
      form,
      // SAFETY: as above.
      operations: (values['operations'] ?? ['create']) as readonly RecordOperation[],
      // SAFETY: as above.
      fields: (values['format.options'] ?? {}) as Readonly<Record<string, string>>,
      path: String(path ?? ''),
    };
  });
}

function durationOf(configuration: ParameterValues, key: string): number {
  const ms = parseDuration(String(configuration[key] ?? '0')) ?? 0;
  if (ms < 0) throw new ConfigInvalidValue({ key, reason: 'is negative' });
  return ms;
}
