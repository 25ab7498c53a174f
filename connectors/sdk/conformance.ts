// What every source (and every destination: destination-conformance.ts) has to get right, as a list of named checks that any test
// runner can run:
//
//   for (const { title, run } of conformance(myConnector, { … })) test(title, run);
//
// The checks drive the source as the runtime does, and nothing else: teardown always, also without open; the same rows
// or bytes when it is opened at any position that it has given out; an early stop without an error; no parameter that is
// not declared; nothing left open. An input that does not end says how many rows it has. They prove the contract, not that the data
// is right. Of records those parts are compared that are the same every time: not when they were read, nor counts since the start.
import type { ChangeBatch } from '../../runtime/batch/change-batch.ts';
import { readCell } from '../../runtime/batch/scalar-values.ts';
import type { Relation } from '../../runtime/batch/schema.ts';
import { type Clock, systemClock } from '../../runtime/clock.ts';
import {
  type ConformanceCase,
  check,
  leavesNothing,
  refusesMissingParameters,
  refusesUnknownParameter,
} from './conformance-check.ts';
import type { DestinationDefinition } from './destination.ts';
import { type DestinationConformanceOptions, destinationConformance } from './destination-conformance.ts';
import { recordBytes, recordColumn, recordSchema } from './record-batch.ts';
import { recordPosition } from './record-position.ts';
import { validateSettings } from './setting-rules.ts';
import {
  isLent,
  type Payload,
  type Position,
  type Source,
  type SourceContext,
  type SourceDefinition,
} from './source.ts';

export interface ConformanceOptions {
  /** A valid configuration of an input of at least two payloads (of one that does not end: of records). */
  readonly configuration: Readonly<Record<string, unknown>>;
  readonly relation: Relation;
  readonly baseFolder?: string;
  readonly clock?: Clock;
  /** Of an input that does not end: the rows (of bytes: lines) that are there. */
  readonly rows?: number;
  /** It has no positions inside: opened at any that it gives out it begins anew (the runtime leaves out what it has had). */
  readonly startsOver?: boolean;
  /** The data is another one every time; positions are the same. */
  readonly isRandom?: boolean;
}

export type { ConformanceCase } from './conformance-check.ts';

/** The checks for one connector in one configuration. */
export function conformance(definition: SourceDefinition, options: ConformanceOptions): readonly ConformanceCase[];
export function conformance(
  definition: DestinationDefinition,
  options: DestinationConformanceOptions,
): readonly ConformanceCase[];
export function conformance(
  definition: SourceDefinition | DestinationDefinition,
  options: ConformanceOptions | DestinationConformanceOptions,
): readonly ConformanceCase[] {
  if (definition.kind === 'destination') return destinationConformance(definition, options);
  // SAFETY: the overloads above; every destination says of which kind it is.
  return sourceConformance(definition as SourceDefinition, options as ConformanceOptions);
}

function sourceConformance(definition: SourceDefinition, options: ConformanceOptions): readonly ConformanceCase[] {
  const harness = new Harness(definition, options);
  const { name } = definition;
  return [
    { title: `${name} is torn down without having been opened`, run: () => harness.tearDownUnopened() },
    { title: `${name} refuses a parameter that it does not declare`, run: () => harness.refuseUnknownParameter() },
    { title: `${name} refuses a configuration that lacks a required parameter`, run: () => harness.refuseMissing() },
    { title: `${name} gives the same input every time it is opened anew`, run: () => harness.readTwice() },
    { title: `${name} goes on from every position that it has given out`, run: () => harness.resumeEverywhere() },
    { title: `${name} ends soon and without an error when it is stopped`, run: () => harness.stopEarly() },
    { title: `${name} ends when it is stopped while it waits for more`, run: () => harness.stopWaiting() },
    { title: `${name} says again that it has ended`, run: () => harness.readBeyondEnd() },
    { title: `${name} is told of everything that is safe, also when it has stopped`, run: () => harness.acknowledge() },
    { title: `${name} leaves nothing open behind`, run: () => leavesNothing(() => harness.stopEarly()) },
    { title: `${name} gives bytes that belong to the receiver alone`, run: () => harness.ownBytes() },
  ];
}

/** A payload as text: what it holds, and where one may go on after it. */
interface Taken {
  readonly content: string;
  readonly position: Position;
  /** Of a batch. */
  readonly rows: number;
  /** For bytes and records: the position in the middle of the payload, the content behind it, the rows in front of it. */
  readonly middle: { readonly position: Position; readonly rest: string; readonly rows: number } | null;
}

interface Made {
  readonly source: Source;
  readonly controller: AbortController;
}

class Harness {
  readonly #definition: SourceDefinition;
  readonly #options: ConformanceOptions;

  constructor(definition: SourceDefinition, options: ConformanceOptions) {
    this.#definition = definition;
    this.#options = options;
  }

  async tearDownUnopened(): Promise<void> {
    const { source } = this.#make();
    await source.teardown?.();
  }

  async refuseUnknownParameter(): Promise<void> {
    refusesUnknownParameter(this.#definition.parameters, this.#options.configuration);
  }

  async refuseMissing(): Promise<void> {
    refusesMissingParameters(this.#definition.parameters, this.#options.configuration);
  }

  async readTwice(): Promise<void> {
    const first = contentOf(await this.#take(null));
    const second = contentOf(await this.#take(null));
    check(first.length > 0, 'the input of a conformance test is not empty');
    check(first === second, 'two runs over the same input give the same content');
  }

  async resumeEverywhere(): Promise<void> {
    const all = await this.#take(null);
    const rows = all.reduce((sum, taken) => sum + taken.rows, 0);
    check(all.length >= 2 || rows >= 2, 'the input of a conformance test has at least two payloads, or rows');
    if (this.#options.startsOver === true) {
      const again = contentOf(await this.#take(throughJson(all[0]?.position ?? {})));
      check(again === contentOf(all), 'a source without positions begins anew');
      return;
    }
    let before = 0;
    for (const [i, taken] of all.entries()) {
      const rest = contentOf(all.slice(i + 1));
      // A position goes through JSON on its way to the disk and back.
      const resumed = contentOf(await this.#take(throughJson(taken.position), before + taken.rows));
      check(resumed === rest, `the input goes on behind payload ${i + 1}`);
      if (taken.middle !== null) {
        const { position, rows: insideRows } = taken.middle;
        const inside = contentOf(await this.#take(throughJson(position), before + insideRows));
        check(inside === taken.middle.rest + rest, `the input goes on inside payload ${i + 1}`);
      }
      before += taken.rows;
    }
  }

  async stopEarly(): Promise<void> {
    const { source, controller } = this.#make();
    try {
      await source.open(null);
      let payloads = 0;
      for await (const _ of source.read()) {
        payloads++;
        controller.abort();
        await source.stop?.();
        check(payloads <= 2, 'a stopped source gives at most the payload that was under way');
      }
    } finally {
      await source.teardown?.();
    }
  }

  /** Everything that is there has been read: the next read is under way when it is stopped. */
  async stopWaiting(): Promise<void> {
    await this.#reading(async (iterator, { source, controller }) => {
      for (let rows = 0; ; ) {
        const next = iterator.next();
        if (rows >= this.#rowsMax) {
          controller.abort();
          await source.stop?.();
        }
        const result = await next;
        if (result.done === true) return;
        rows += rowsOf(result.value);
      }
    });
  }

  async readBeyondEnd(): Promise<void> {
    await this.#reading(async (iterator, { source, controller }) => {
      let rows = 0;
      for (let result = await iterator.next(); result.done !== true; result = await iterator.next()) {
        rows += rowsOf(result.value);
        if (rows < this.#rowsMax) continue;
        controller.abort();
        await source.stop?.();
      }
      const after = await iterator.next();
      check(after.done === true, 'a source that has ended has ended');
    });
  }

  async acknowledge(): Promise<void> {
    await this.#reading(async (iterator, { source, controller }) => {
      const positions: Position[] = [];
      let rows = 0;
      for (let result = await iterator.next(); result.done !== true; result = await iterator.next()) {
        const payload = result.value;
        rows += rowsOf(payload);
        if (payload.kind === 'batch') positions.push(payload.position);
        if (payload.kind === 'bytes') positions.push(payload.positionAfter(payload.bytes.length));
        const half = positions.length > 1 ? positions.shift() : undefined;
        if (half !== undefined) await source.ack?.(throughJson(half));
        if (rows < this.#rowsMax) continue;
        controller.abort();
        await source.stop?.();
      }
      for (const position of positions) await source.ack?.(throughJson(position));
    });
  }

  async #reading(use: (iterator: AsyncIterator<Payload>, made: Made) => Promise<void>): Promise<void> {
    const made = this.#make();
    try {
      await made.source.configure?.();
      await made.source.open(null);
      await use(made.source.read()[Symbol.asyncIterator](), made);
    } finally {
      await made.source.teardown?.();
    }
  }

  get #rowsMax(): number {
    return this.#options.rows ?? Number.POSITIVE_INFINITY;
  }

  async ownBytes(): Promise<void> {
    const seen = new Set<ArrayBufferLike>();
    const { source } = this.#make();
    try {
      await source.open(null);
      let rows = 0;
      for await (const payload of source.read()) {
        rows += rowsOf(payload);
        if (rows >= this.#rowsMax) break;
        if (payload.kind !== 'bytes' || payload.bytes.length === 0) continue;
        const isWhole = payload.bytes.byteLength === payload.bytes.buffer.byteLength;
        check(isLent(payload.bytes) || isWhole, 'a payload that is given away owns its whole buffer');
        check(!seen.has(payload.bytes.buffer), 'a payload does not share its buffer with an earlier one');
        seen.add(payload.bytes.buffer);
      }
    } finally {
      await source.teardown?.();
    }
  }

  #make(): Made {
    const { configuration, relation, baseFolder, clock } = this.#options;
    const { values, problems } = validateSettings(
      this.#definition,
      configuration,
      () => ({}),
      [],
      this.#definition.name,
    );
    if (problems[0] !== undefined) throw problems[0];
    const controller = new AbortController();
    const context: SourceContext = {
      endpoint: `${relation.name}.conformance`,
      relation,
      signal: controller.signal,
      baseFolder: baseFolder ?? process.cwd(),
      clock: clock ?? systemClock,
      reportError: () => {},
    };
    return { source: this.#definition.create(values, context), controller };
  }

  /** `skipped`: rows in front of the position. */
  async #take(position: Position | null, skipped = 0): Promise<readonly Taken[]> {
    const { source, controller } = this.#make();
    const taken: Taken[] = [];
    let rows = skipped;
    if (rows >= this.#rowsMax) return [];
    try {
      await source.open(position);
      for await (const payload of source.read()) {
        const one = takenOf(payload, this.#options.isRandom === true);
        if (one !== null) taken.push(one);
        rows += one?.rows ?? 0;
        if (rows >= this.#rowsMax) break;
      }
      // One that does not end is stopped before it is torn down.
      if (rows >= this.#rowsMax) {
        controller.abort();
        await source.stop?.();
      }
    } finally {
      await source.teardown?.();
    }
    return taken;
  }
}

/** Of bytes, the lines. */
function rowsOf(payload: Payload): number {
  if (payload.kind === 'batch') return payload.batch.rows;
  return payload.kind === 'bytes' ? linesIn(payload.bytes) : 0;
}

function linesIn(bytes: Uint8Array): number {
  let lines = 0;
  for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) lines++;
  return lines;
}

function takenOf(payload: Payload, isRandom: boolean): Taken | null {
  switch (payload.kind) {
    case 'idle':
      return null;
    case 'clear':
      return { content: 'clear\n', position: payload.position, rows: 0, middle: null };
    case 'bytes': {
      const content = Buffer.from(payload.bytes).toString('latin1');
      const { bytes } = payload;
      // A source may go on at the start of a record alone.
      const half = bytes.lastIndexOf(10, bytes.length >> 1) + 1;
      const position = payload.positionAfter(half);
      const middle = { position, rest: content.slice(half), rows: linesIn(bytes.subarray(0, half)) };
      return { content, position: payload.positionAfter(bytes.length), rows: linesIn(bytes), middle };
    }
    case 'batch': {
      const { batch, position } = payload;
      const isRecords = batch.schema.fingerprint === recordSchema.fingerprint;
      const lines = Array.from({ length: batch.rows }, (_, row) => rowText(batch, row, isRandom));
      const content = lines.join('');
      if (!isRecords || batch.rows < 2) return { content, position, rows: batch.rows, middle: null };
      // Every record has a position of its own.
      const half = batch.rows >> 1;
      const middle = {
        position: recordPosition(recordBytes(batch, recordColumn.position, half - 1).slice()),
        rest: lines.slice(half).join(''),
        rows: half,
      };
      return { content, position, rows: batch.rows, middle };
    }
  }
}

function rowText(batch: ChangeBatch, row: number, isRandom: boolean): string {
  if (batch.schema.fingerprint !== recordSchema.fingerprint) {
    const cells = batch.columns.map((column) => String(readCell(column, row)));
    return `${batch.weights?.[row] ?? 1} ${isRandom ? '' : cells.join(',')}\n`;
  }
  const { position, operation, before, after } = recordColumn;
  const compared = isRandom ? [position] : [position, before, after];
  const parts = compared.map((ordinal) => Buffer.from(recordBytes(batch, ordinal, row)).toString('latin1'));
  const kind = batch.columns[operation];
  return `${isRandom || kind === undefined ? '' : readCell(kind, row)} ${parts.join(' ')}\n`;
}

function contentOf(taken: readonly Taken[]): string {
  return taken.map(({ content }) => content).join('');
}

function throughJson(position: Position): Position {
  return JSON.parse(JSON.stringify(position));
}
