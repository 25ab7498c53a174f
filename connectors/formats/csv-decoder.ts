// The csv input format: bytes of whole records to inserted rows.
//
// Fields are columns in the order of the table, or as the header line names them. Blank lines and comment lines are no records. Missing
// trailing fields take the default, else NULL, else the record is refused; surplus ones are counted (`flexible`) or refused. A
// record that is refused is left out and decoding goes on behind it; after a quoted field that is not closed, at the next line. The
// grammar is csv-scan.ts, the values are csv-field.ts. A decoder keeps nothing between calls but the mapping of the header it saw last.

import { BatchBuilder } from '../../runtime/batch/batch-builder.ts';
import type { Relation } from '../../runtime/batch/schema.ts';
import type { DecodeReport, Decoder, DecoderContext, StreamInputFormat } from '../sdk/format.ts';
import { encodeDefaults, writeDefault } from './column-default.ts';
import { type ColumnTarget, makeTargets } from './column-target.ts';
import { writeField } from './csv-field.ts';
import { mapHeader } from './csv-header.ts';
import { type CsvShape, makeCsvLane } from './csv-lane.ts';
import { type CsvInputOptions, readCsvInputOptions } from './csv-options.ts';
import { copyUnquoted, findClosingQuote, hasEscape, skipBlanks, skipRecord, skipUnquoted } from './csv-scan.ts';
import { CsvSplitter, hasByteOrderMark, headerEnd, headerStart } from './csv-splitter.ts';
import { csvInputDeclaration } from './input-declarations.ts';
import { LaneLearning } from './lane-learning.ts';
import { Refusal, reportRefusal } from './refusal.ts';
import type { Lane, LaneEnd } from './row-lane.ts';
import { RowWriter } from './row-writer.ts';

export const csvInput: StreamInputFormat = {
  ...csvInputDeclaration,
  joinsMessages: (configuration) => configuration['headers'] !== true,
  splitter: (configuration) => new CsvSplitter(readCsvInputOptions(configuration)),
  decoder: (configuration, context) => new CsvDecoder(readCsvInputOptions(configuration), context),
};

const refused = -1;
const notClosed = -2;
const headerAsRecord = 'the line names the columns of the table: `headers: true` takes it as a header';

class CsvDecoder implements Decoder {
  readonly #options: CsvInputOptions;
  readonly #relation: Relation;
  readonly #strict: boolean;
  readonly #targets: readonly ColumnTarget[];
  readonly defaults: (Uint8Array | null)[];
  readonly #writer: RowWriter;
  readonly #refusal: Refusal = new Refusal();
  readonly #positional: Int32Array;
  /** The column of each field, and the columns that no field gives. */
  #order: Int32Array;
  #absent: readonly ColumnTarget[] = [];
  #header: Uint8Array | null = null;
  #bytes: Uint8Array = new Uint8Array(0);
  #view: DataView = new DataView(new ArrayBuffer(0));
  #surplus = 0;
  #learning: LaneLearning = new LaneLearning();
  readonly #laneEnd: LaneEnd = { position: 0, row: 0 };

  constructor(options: CsvInputOptions, context: DecoderContext) {
    this.#options = options;
    this.#relation = context.relation;
    this.#strict = context.strict;
    const scratch = new BatchBuilder(context.relation.schema, 8);
    this.#targets = makeTargets(context.relation, scratch.columns, 'csv');
    this.defaults = encodeDefaults(this.#targets, context.defaults);
    this.#writer = new RowWriter(this.#targets);
    this.#positional = Int32Array.from(this.#targets, (_, ordinal) => ordinal);
    this.#order = this.#positional;
  }

  decode(bytes: Uint8Array, builder: BatchBuilder, report: DecodeReport, first: boolean, prologue: Uint8Array): void {
    const end = bytes.length;
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    let i = first && hasByteOrderMark(bytes) ? 3 : 0;
    if (this.#options.headers) {
      const headerStop = first ? headerEnd(bytes, this.#options) : 0;
      if (!this.#takeHeader(prologue.length > 0 ? prologue : bytes.subarray(0, Math.max(0, headerStop)), report))
        return;
      i = headerStop < 0 ? end : headerStop;
    }
    this.#writer.start(builder, (end >> 4) + 1);
    let records = 0;
    while (i < end) {
      const start = i;
      if (bytes[i] === 10) {
        i++;
        continue;
      }
      if (bytes[i] === 13 && i + 1 < end && bytes[i + 1] === 10) {
        i += 2;
        continue;
      }
      if (bytes[i] === this.#options.comment) {
        i = nextLine(bytes, i);
        continue;
      }
      records++;
      this.#writer.prepare();
      i = this.#readRecord(start, end);
      if (i >= 0) {
        if (this.#surplus > 0) report.numUnknownFields += this.#surplus;
        this.#writer.commit();
        if (this.#learning.offer()) this.#learning.learned(makeCsvLane(this.#shape));
        if (this.#learning.lane !== null) {
          const row = this.#writer.row;
          i = this.#runLane(this.#learning.lane, i, end);
          records += this.#writer.row - row;
        }
        continue;
      }
      this.#writer.rollback();
      i = i === notClosed ? -1 : skipRecord(bytes, start, end, this.#options);
      if (i < 0) i = nextLine(bytes, start);
      if (first && records === 1 && this.#isHeader(start, i)) this.#refusal.detail = headerAsRecord;
      reportRefusal(report, this.#refusal, { bytes, record: records, start, end: i }, this.#relation.schema.fields);
    }
    this.#writer.finish();
    report.records += records;
    this.#bytes = new Uint8Array(0);
  }

  /** Reads what the lane can read from the next record on; returns where it stopped. */
  #runLane(lane: Lane, position: number, end: number): number {
    const writer = this.#writer;
    const first = writer.row;
    let start = position;
    for (;;) {
      writer.prepare();
      const rowEnd = writer.reservedEnd;
      lane(this.#bytes, this.#view, start, end, writer.row, rowEnd, this.#laneEnd);
      start = this.#laneEnd.position;
      writer.adopt(this.#laneEnd.row);
      if (this.#laneEnd.row < rowEnd) break;
    }
    this.#learning.ran(writer.row - first);
    return start;
  }

  get #shape(): CsvShape {
    const [options, targets, defaults, order] = [this.#options, this.#targets, this.defaults, this.#order];
    return { options, targets, defaults, order, absent: this.#absent };
  }

  /** Maps the header, unless it is the one that was mapped last. False when nothing can be read. */
  /** Whether a record that does not fit is a header whose columns the table has. */
  #isHeader(start: number, end: number): boolean {
    if (this.#options.headers) return false;
    try {
      mapHeader(readNames(this.#bytes.subarray(start, end), 0, this.#options), this.#relation.schema, () => true);
      return true;
    } catch {
      return false;
    }
  }

  #takeHeader(header: Uint8Array, report: DecodeReport): boolean {
    if (this.#header !== null && sameBytes(this.#header, header)) return true;
    const start = headerStart(header, this.#options);
    // An empty stream has no header and no rows.
    if (start < 0) return true;
    try {
      const names = readNames(header, start, this.#options);
      this.#order = mapHeader(names, this.#relation.schema, (column) => this.defaults[column] !== null);
    } catch (error) {
      report.fatal = error instanceof Error ? error : new Error(String(error));
      return false;
    }
    this.#absent = this.#targets.filter((target) => !this.#order.includes(target.ordinal));
    this.#header = header.slice();
    this.#learning = new LaneLearning();
    return true;
  }

  /** Writes the record at `start`; returns the position behind it, `refused` or `notClosed`. */
  #readRecord(start: number, end: number): number {
    const { delimiter, quote, trimFields } = this.#options;
    const bytes = this.#bytes;
    const view = this.#view;
    const order = this.#order;
    const targets = this.#targets;
    const refusal = this.#refusal;
    const row = this.#writer.row;
    const fields = order.length;
    let position = 0;
    let i = start;
    for (;;) {
      if (trimFields) i = skipBlanks(bytes, i, end, delimiter);
      let stop: number;
      if (i < end && bytes[i] === quote) {
        const close = findClosingQuote(bytes, i, end, this.#options);
        if (close < 0) {
          refusal.set('malformed', -1, i, -1, 'a quoted field is not closed');
          return notClosed;
        }
        stop = close + 1;
        if (trimFields) stop = skipBlanks(bytes, stop, end, delimiter);
        if (stop + 1 < end && bytes[stop] === 13 && bytes[stop + 1] === 10) stop++;
        if (stop < end && bytes[stop] !== delimiter && bytes[stop] !== 10) {
          refusal.set('malformed', -1, stop, -1, `text behind the closing quote at byte ${stop - start} of the record`);
          return refused;
        }
        if (position < fields && !this.#writeQuoted(i + 1, close, targets[order[position]!]!, row)) return refused;
      } else {
        stop = skipUnquoted(bytes, i, end, delimiter);
        if (position < fields) {
          let textEnd = stop;
          // Before a line feed a carriage return belongs to the line break.
          if (textEnd > i && bytes[textEnd - 1] === 13 && stop < end && bytes[stop] === 10) textEnd--;
          if (trimFields) textEnd = trimBlanks(bytes, i, textEnd);
          if (!writeField(bytes, view, i, textEnd, false, targets[order[position]!]!, row, refusal)) return refused;
        }
      }
      position++;
      if (stop >= end || bytes[stop] === 10) {
        i = stop < end ? stop + 1 : end;
        break;
      }
      i = stop + 1;
    }
    if (position !== fields || this.#absent.length > 0) return this.#complete(position, start, i);
    this.#surplus = 0;
    return i;
  }

  #writeQuoted(start: number, end: number, target: ColumnTarget, row: number): boolean {
    const bytes = this.#bytes;
    if (!hasEscape(bytes, start, end, this.#options)) {
      return writeField(bytes, this.#view, start, end, true, target, row, this.#refusal);
    }
    const text = new Uint8Array(end - start);
    const length = copyUnquoted(bytes, start, end, this.#options, text, 0);
    if (writeField(text, new DataView(text.buffer), 0, length, true, target, row, this.#refusal)) return true;
    // Positions in the copy mean nothing in the record.
    this.#refusal.at = start;
    if (this.#refusal.valueEnd >= 0) this.#refusal.valueEnd = end;
    return false;
  }

  /** Too few or too many fields, or columns that the header lacks. Returns `stop`, or `refused`. */
  #complete(position: number, start: number, stop: number): number {
    const fields = this.#order.length;
    const refusal = this.#refusal;
    this.#surplus = Math.max(0, position - fields);
    if (position !== fields && !this.#options.flexible) {
      refusal.set('malformed', -1, start, -1, `the record has ${position} fields instead of ${fields}`);
      return refused;
    }
    if (this.#surplus > 0 && this.#strict) {
      refusal.set('unknown', -1, start, -1, `the record has ${position} fields, the table takes ${fields}`);
      return refused;
    }
    for (let missing = position; missing < fields; missing++) {
      if (!this.#writeMissing(this.#targets[this.#order[missing]!]!, start)) return refused;
    }
    for (const target of this.#absent) if (!this.#writeMissing(target, start)) return refused;
    return stop;
  }

  #writeMissing(target: ColumnTarget, start: number): boolean {
    if (writeDefault(this.defaults, target, this.#writer.row, this.#refusal)) return true;
    this.#refusal.set('missing', target.ordinal, start, -1);
    return false;
  }
}

/** The names of the header line that begins at `start`. @throws CsvHeaderMismatch is left to `mapHeader`. */
function readNames(header: Uint8Array, start: number, options: CsvInputOptions): string[] {
  const names: string[] = [];
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  const { delimiter, quote } = options;
  let end = header.length;
  if (end > start && header[end - 1] === 10) end--;
  if (end > start && header[end - 1] === 13) end--;
  for (let i = start; ; i++) {
    const field = options.trimFields || options.trimHeaders ? skipBlanks(header, i, end, delimiter) : i;
    const close = field < end && header[field] === quote ? findClosingQuote(header, field, end, options) : -1;
    const stop = skipUnquoted(header, close < 0 ? i : close + 1, end, delimiter);
    if (close >= 0) {
      const text = new Uint8Array(close - field);
      names.push(decoder.decode(text.subarray(0, copyUnquoted(header, field + 1, close, options, text, 0))));
    } else {
      const name = decoder.decode(header.subarray(i, stop));
      names.push(options.trimHeaders ? name.trim() : name);
    }
    if (stop >= end) return names;
    i = stop;
  }
}

// ── data plane ──

function trimBlanks(bytes: Uint8Array, start: number, end: number): number {
  let at = end;
  while (at > start && (bytes[at - 1] === 0x20 || bytes[at - 1] === 0x09)) at--;
  return at;
}

function nextLine(bytes: Uint8Array, start: number): number {
  const newline = bytes.indexOf(10, start);
  return newline < 0 ? bytes.length : newline + 1;
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
