// The json input format: bytes of whole JSON values to rows, without an object in between.
//
// A stream is JSON values with optional white space between them. With `update_format: raw` each is a row, with `insert_delete` an
// envelope of the verbs `delete`, `insert`, `update` (applied in this order, `null` counts as absent, `table` is ignored), with `weighted` and
// `debezium` their envelopes, walked first and read then; with `array` each
// top-level value is an array of such records, taken whole or not at all. A record that does not suit the table is reported and left out;
// after one that breaks the grammar decoding goes on at the next line that begins a value: one that starts in its first column with
// anything but a quote, a closer or a comma (with `lines: single`: at the next line). A decoder keeps nothing between calls but the
// caches of JsonKeys.

import { BatchBuilder } from '../../runtime/batch/batch-builder.ts';
import type { DecodeReport, Decoder, DecoderContext, StreamInputFormat } from '../sdk/format.ts';
import { searchable } from './find-byte.ts';
import { jsonInputDeclaration } from './input-declarations.ts';
import { spellAs } from './json-flavor.ts';
import { learnJsonLane } from './json-lane.ts';
import { memberPositions } from './json-members.ts';
import type { JsonInputOptions } from './json-options.ts';
import { readJsonInputOptions } from './json-options.ts';
import { RowReader, readRow, rowDeletedByKey, rowInserted, rowUpdated } from './json-row.ts';
import { skipColon, skipSpace, skipString, skipValue } from './json-scan.ts';
import { JsonSplitter } from './json-splitter.ts';
import { refused } from './json-value.ts';
import { LaneLearning } from './lane-learning.ts';
import { LineSplitter } from './line-splitter.ts';
import { reportRefusal } from './refusal.ts';
import type { Lane, LaneEnd } from './row-lane.ts';
import { RowWriter } from './row-writer.ts';

export const jsonInput: StreamInputFormat = {
  ...jsonInputDeclaration,
  joinsMessages: () => true,
  splitter: (configuration) => {
    return readJsonInputOptions(configuration).singleLine ? new LineSplitter() : new JsonSplitter();
  },
  decoder: (configuration, context) => new JsonDecoder(readJsonInputOptions(configuration), context),
};

const verbDelete = 0;
const verbInsert = 1;
const verbUpdate = 2;
const verbTable = 3;
const verbUnknown = 4;
const verbSpellings: readonly Uint8Array[] = ['"delete"', '"insert"', '"update"', '"table"'].map((text) =>
  new TextEncoder().encode(text),
);

class JsonDecoder implements Decoder {
  readonly #options: JsonInputOptions;
  readonly #hasKey: boolean;
  readonly #reader: RowReader;
  readonly #writer: RowWriter;
  #bytes: Uint8Array = new Uint8Array(0);
  #report: DecodeReport | null = null;
  #records = 0;
  readonly #learning: LaneLearning = new LaneLearning();
  readonly #laneEnd: LaneEnd = { position: 0, row: 0 };
  /** The record that was read last was one insertion in the shape that a lane may learn. */
  #insertedOne = false;

  constructor(options: JsonInputOptions, context: DecoderContext) {
    this.#options = options;
    this.#hasKey = context.relation.primaryKey.length > 0;
    this.#reader = new RowReader(context, new BatchBuilder(context.relation.schema, 8), 'json');
    for (const target of this.#reader.targets) spellAs(target, options.flavor);
    this.#writer = new RowWriter(this.#reader.targets);
  }

  get defaults(): (Uint8Array | null)[] {
    return this.#reader.defaults;
  }

  decode(bytes: Uint8Array, builder: BatchBuilder, report: DecodeReport, first: boolean): void {
    this.#bytes = bytes;
    this.#reader.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#report = report;
    this.#records = 0;
    const end = bytes.length;
    this.#writer.start(builder, (end >> 4) + 1);
    const hasMark = first && end >= 3 && bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
    let i = hasMark ? 3 : 0;
    const lines = this.#options.singleLine ? searchable(bytes) : bytes;
    const usesLanes = !this.#options.array && !this.#options.singleLine;
    for (;;) {
      i = skipSpace(bytes, i, end);
      if (i >= end) break;
      const limit = this.#options.singleLine ? lineEnd(lines, i) : end;
      i = this.#options.array ? this.#decodeArray(i, limit) : this.#decodeOne(i, limit);
      if (usesLanes && this.#learning.lane !== null) i = this.#runLane(this.#learning.lane, i, end);
    }
    this.#writer.finish();
    report.records += this.#records;
    this.#bytes = new Uint8Array(0);
    this.#report = null;
  }

  /** Decodes the record at `start`, or reports it. Returns where to go on. */
  #decodeOne(start: number, end: number): number {
    this.#records++;
    const stop = this.#decodeRecord(start, end);
    if (stop >= 0) {
      if (this.#learning.offer()) this.#learn(start, end);
      return stop;
    }
    this.#writer.rollback();
    const next = stop === refused ? skipValue(this.#bytes, start, end) : stop;
    if (next >= 0) {
      this.#refuse(start, next);
      return next;
    }
    return this.#refuseBroken(start, end, stop);
  }

  #learn(start: number, end: number): void {
    const { array, singleLine, updateFormat } = this.#options;
    if (array || singleLine || !this.#insertedOne) return;
    this.#learning.learned(learnJsonLane(this.#reader, this.#bytes, start, end, updateFormat !== 'raw'));
  }

  /** Reads what the lane can read from the next record on; returns where it stopped. */
  #runLane(lane: Lane, position: number, end: number): number {
    const { targets, view } = this.#reader;
    let start = skipSpace(this.#bytes, position, end);
    const recordsBefore = this.#records;
    for (;;) {
      this.#writer.prepare();
      const row = this.#writer.row;
      const rowEnd = this.#writer.reservedEnd;
      lane(this.#bytes, view, start, end, row, rowEnd, this.#laneEnd);
      start = this.#laneEnd.position;
      this.#writer.adopt(this.#laneEnd.row);
      this.#records += this.#laneEnd.row - row;
      if (this.#laneEnd.row < rowEnd || targets.length === 0) break;
    }
    this.#learning.ran(this.#records - recordsBefore);
    this.#report!.numUnknownFields += this.#reader.unknownInLane;
    this.#reader.unknownInLane = 0;
    return start;
  }

  #decodeArray(start: number, end: number): number {
    const bytes = this.#bytes;
    const rowsBefore = this.#writer.row;
    const recordsBefore = this.#records;
    if (bytes[start] !== 0x5b) {
      this.#records++;
      const stop = skipValue(bytes, start, end);
      if (stop < 0) return this.#refuseBroken(start, end, stop);
      this.#reader.refusal.set('malformed', -1, start, stop, 'with `array: true` each value is an array of records');
      this.#refuse(start, stop);
      return stop;
    }
    let failed = false;
    let i = skipSpace(bytes, start + 1, end);
    if (i < end && bytes[i] === 0x5d) return i + 1;
    for (;;) {
      const element = i;
      this.#records++;
      i = i < end ? this.#decodeRecord(element, end) : ~end;
      if (i === refused) {
        this.#writer.rollback();
        failed = true;
        i = skipValue(bytes, element, end);
        if (i >= 0) this.#refuse(element, i);
        else return this.#refuseArray(start, end, refused, rowsBefore, recordsBefore);
      }
      if (i >= 0) i = skipSpace(bytes, i, end);
      if (i >= 0 && (i >= end || (bytes[i] !== 0x2c && bytes[i] !== 0x5d))) i = ~i;
      if (i < 0) return this.#refuseArray(start, end, i, rowsBefore, recordsBefore);
      if (bytes[i] === 0x5d) break;
      i = skipSpace(bytes, i + 1, end);
    }
    if (failed) this.#writer.rollbackTo(rowsBefore);
    return i + 1;
  }

  #refuseArray(start: number, end: number, stop: number, rowsBefore: number, recordsBefore: number): number {
    this.#writer.rollback();
    this.#writer.rollbackTo(rowsBefore);
    this.#records = recordsBefore + 1;
    return this.#refuseBroken(start, end, stop);
  }

  /** Writes and commits the row, or rows, of one record; returns the position behind it, `refused` or `~p`. */
  #decodeRecord(start: number, end: number): number {
    this.#writer.prepare();
    this.#insertedOne = this.#options.updateFormat === 'raw';
    if (this.#insertedOne) {
      const stop = readRow(this.#reader, this.#bytes, start, end, this.#writer.row, rowInserted, this.#writer.builder);
      if (stop >= 0) this.#commit(verbInsert);
      return stop;
    }
    switch (this.#options.updateFormat) {
      case 'weighted':
        return this.#decodeWeighted(start, end);
      case 'debezium':
        return this.#decodeDebezium(start, end);
      default:
        return this.#decodeEnvelope(start, end);
    }
  }

  /** {"weight": n, "data": row}. In a table with a key a weight says whether the row is set or deleted. */
  #decodeWeighted(start: number, end: number): number {
    const bytes = this.#bytes;
    const shape = 'a record is an object such as {"weight": 1, "data": row}';
    const stop = skipValue(bytes, start, end);
    if (stop < 0) return brokenUtf8(bytes, stop, end) ? this.#refuseUtf8(stop) : stop;
    if (bytes[start] !== 0x7b) return this.#refuseEnvelope(start, end, shape);
    const [at = -1, data = -1] = memberPositions(bytes, start, end, ['weight', 'data']);
    if (at < 0 || data < 0) return this.#refuseEnvelope(start, end, shape);
    const weight = Number(new TextDecoder().decode(bytes.subarray(at, skipValue(bytes, at, end))));
    if ((weight | 0) !== weight) return this.#refuseEnvelope(start, end, 'the weight is not a 32-bit integer');
    // Nothing happens no times; the row is not looked at.
    if (weight === 0) return stop;
    const rowEnd = this.#readVerbRow(weight < 0 ? verbDelete : verbInsert, data, end);
    if (rowEnd < 0) return rowEnd;
    if (this.#reader.unknownFields > 0) this.#report!.numUnknownFields += this.#reader.unknownFields;
    this.#writer.commitNow(this.#hasKey ? Math.sign(weight) : weight);
    return stop;
  }

  /** {"payload": {"before": row, "after": row}}: the one is deleted, the other inserted; the rest is ignored. */
  #decodeDebezium(start: number, end: number): number {
    const bytes = this.#bytes;
    const shape = 'a record is an object such as {"payload": {"op": "c", "after": row}}';
    const stop = skipValue(bytes, start, end);
    if (stop < 0) return brokenUtf8(bytes, stop, end) ? this.#refuseUtf8(stop) : stop;
    if (bytes[start] !== 0x7b) return this.#refuseEnvelope(start, end, shape);
    const [payload = -1] = memberPositions(bytes, start, end, ['payload']);
    if (payload < 0 || bytes[payload] !== 0x7b) return this.#refuseEnvelope(start, end, shape);
    const [before = -1, after = -1] = memberPositions(bytes, payload, end, ['before', 'after']);
    if (before < 0 && after < 0) return this.#refuseEnvelope(start, end, shape);
    return this.#applyVerbs([before, after, -1], end) ?? stop;
  }

  #decodeEnvelope(start: number, end: number): number {
    const bytes = this.#bytes;
    if (bytes[start] !== 0x7b) return this.#refuseEnvelope(start, end, 'a record is an object such as {"insert": row}');
    let verb = verbUnknown;
    let keys = 0;
    let i = skipSpace(bytes, start + 1, end);
    if (i < end && bytes[i] === 0x7d) return this.#refuseEnvelope(start, end, 'the record names no operation');
    for (;;) {
      const key = readVerb(bytes, i, end);
      keys++;
      i = key === verbUnknown ? skipString(bytes, i, end) : i + verbSpellings[key]!.length;
      if (i < 0) return i;
      if (key === verbUnknown) return this.#decodeUnusual(start, end);
      if (i < end && bytes[i] === 0x3a) i = skipSpace(bytes, i + 1, end);
      else i = skipColon(bytes, i, end);
      if (i < 0) return i;
      if (key === verbTable || (i < end && bytes[i] === 0x6e)) i = skipValue(bytes, i, end);
      else if (verb !== verbUnknown) {
        // A second operation: the first was written already, so start over and apply them in their order.
        this.#writer.rollback();
        return this.#decodeUnusual(start, end);
      } else {
        verb = key;
        i = this.#readVerbRow(key, i, end);
      }
      if (i < 0) return i;
      i = skipSpace(bytes, i, end);
      if (i >= end) return ~end;
      if (bytes[i] === 0x7d) break;
      if (bytes[i] !== 0x2c) return ~i;
      i = skipSpace(bytes, i + 1, end);
    }
    if (verb === verbUnknown) return this.#refuseEnvelope(start, end, 'the record names no operation');
    this.#commit(verb);
    // A lane knows {"insert": row} and nothing else.
    this.#insertedOne = verb === verbInsert && keys === 1;
    return i + 1;
  }

  #readVerbRow(verb: number, start: number, end: number): number {
    const reader = this.#reader;
    if (verb === verbInsert)
      return readRow(reader, this.#bytes, start, end, this.#writer.row, rowInserted, this.#writer.builder);
    if (verb === verbUpdate && !this.#hasKey) {
      reader.refusal.set('operation', -1, start, -1, 'an update needs a table with a primary key');
      return refused;
    }
    // Presence bits and weights are those of the builder's current row.
    const builder = this.#writer.settle();
    const purpose = verb === verbUpdate ? rowUpdated : this.#hasKey ? rowDeletedByKey : rowInserted;
    return readRow(reader, this.#bytes, start, end, this.#writer.row, purpose, builder);
  }

  /** An envelope with several operations, an operation that stands twice, escaped or unknown keys. Takes all of it or nothing. */
  #decodeUnusual(start: number, end: number): number {
    const bytes = this.#bytes;
    const stop = skipValue(bytes, start, end);
    if (stop < 0) return brokenUtf8(bytes, stop, end) ? this.#refuseUtf8(stop) : stop;
    const positions = [-1, -1, -1];
    for (let i = skipSpace(bytes, start + 1, end); bytes[i] !== 0x7d; ) {
      const keyEnd = skipString(bytes, i, end);
      const key: unknown = JSON.parse(new TextDecoder().decode(bytes.subarray(i, keyEnd)));
      const verb = key === 'delete' ? verbDelete : key === 'insert' ? verbInsert : key === 'update' ? verbUpdate : -1;
      if (verb < 0 && key !== 'table') {
        const detail = `${JSON.stringify(key)} is no operation: a record is {"insert": row}, {"delete": row} or {"update": row}; rows without one need \`update_format: raw\``;
        this.#reader.refusal.set('operation', -1, i, keyEnd, detail);
        return refused;
      }
      const value = skipColon(bytes, keyEnd, end);
      if (verb >= 0) positions[verb] = bytes[value] === 0x6e ? -1 : value;
      i = skipSpace(bytes, skipValue(bytes, value, end), end);
      if (bytes[i] === 0x2c) i = skipSpace(bytes, i + 1, end);
    }
    if (Math.max(...positions) < 0) return this.#refuseEnvelope(start, end, 'the record names no operation');
    return this.#applyVerbs(positions, end) ?? stop;
  }

  /** Deletion, insertion and update at `positions` (-1: none), all or nothing. Null when they are written, else what is wrong. */
  #applyVerbs(positions: readonly number[], end: number): number | null {
    const rowsBefore = this.#writer.row;
    for (const verb of [verbDelete, verbInsert, verbUpdate]) {
      const position = positions[verb] ?? -1;
      if (position < 0) continue;
      this.#writer.prepare();
      const rowEnd = this.#readVerbRow(verb, position, end);
      if (rowEnd < 0) {
        this.#writer.rollback();
        this.#writer.rollbackTo(rowsBefore);
        return rowEnd;
      }
      this.#commit(verb);
    }
    return null;
  }

  #commit(verb: number): void {
    if (this.#reader.unknownFields > 0) this.#report!.numUnknownFields += this.#reader.unknownFields;
    if (verb === verbInsert) this.#writer.commit();
    else this.#writer.commitNow(verb === verbDelete ? -1 : 1);
  }

  #refuseEnvelope(start: number, end: number, detail: string): number {
    const stop = skipValue(this.#bytes, start, end);
    if (stop < 0) return stop;
    this.#reader.refusal.set('operation', -1, start, stop, detail);
    return refused;
  }

  #refuseUtf8(stop: number): number {
    this.#reader.refusal.set('utf8', -1, ~stop, -1);
    return refused;
  }

  #refuse(start: number, end: number): void {
    const { refusal, relation } = this.#reader;
    const place = { bytes: this.#bytes, record: this.#records, start, end };
    reportRefusal(this.#report!, refusal, place, relation.schema.fields);
  }

  /** Reports a record whose end cannot be known and returns where the next one may begin. `stop` is `refused` or `~p`. */
  #refuseBroken(start: number, end: number, stop: number): number {
    const next = this.#options.singleLine ? end : nextRecord(this.#bytes, start);
    if (stop !== refused) {
      if (brokenUtf8(this.#bytes, stop, end)) this.#refuseUtf8(stop);
      else this.#reader.refusal.set('malformed', -1, ~stop, -1);
    }
    this.#refuse(start, next);
    return next;
  }
}

// ── data plane ──

function readVerb(bytes: Uint8Array, start: number, end: number): number {
  if (start + 8 > end) return verbUnknown;
  const letter = bytes[start + 1]!;
  const verb = letter === 0x69 ? verbInsert : letter === 0x64 ? verbDelete : letter === 0x75 ? verbUpdate : verbTable;
  const spelling = verbSpellings[verb]!;
  for (let k = 0; k < spelling.length; k++) if (bytes[start + k] !== spelling[k]) return verbUnknown;
  return verb;
}

function lineEnd(bytes: Uint8Array, start: number): number {
  const newline = bytes.indexOf(10, start);
  return newline < 0 ? bytes.length : newline;
}

function brokenUtf8(bytes: Uint8Array, stop: number, end: number): boolean {
  return ~stop < end && bytes[~stop]! >= 0x80;
}

/** The start of the next line that may begin a value, after `start`. */
function nextRecord(bytes: Uint8Array, start: number): number {
  for (let newline = bytes.indexOf(10, start); newline >= 0; newline = bytes.indexOf(10, newline + 1)) {
    const byte = newline + 1 < bytes.length ? bytes[newline + 1]! : 0x20;
    // Space, quote, comma, closers: the inside of a value over several lines.
    if (byte > 0x20 && byte !== 0x22 && byte !== 0x2c && byte !== 0x5d && byte !== 0x7d) return newline + 1;
  }
  return bytes.length;
}
