// The raw input format: bytes as they are, one row for each line or for the whole stream.
//
// The bytes go into one VARCHAR (then they must be UTF-8) or VARBINARY column; every other column takes its default, else NULL. With
// `mode: lines` a line ends with LF or CR LF and empty lines are no rows; with `mode: blob` a stream (a file, a message) is one row.

import { BatchBuilder } from '../../runtime/batch/batch-builder.ts';
import type { Relation } from '../../runtime/batch/schema.ts';
import { formatSqlType } from '../../runtime/batch/sql-type.ts';
import { nearestName } from '../../runtime/nearest-name.ts';
import type { DecodeReport, Decoder, DecoderContext, Splitter, StreamInputFormat } from '../sdk/format.ts';
import type { ParameterValues } from '../sdk/parameters.ts';
import { encodeDefaults, writeDefault } from './column-default.ts';
import { type ColumnTarget, makeTargets, targetBinary, targetString } from './column-target.ts';
import { searchable } from './find-byte.ts';
import { FormatConflictingOptions } from './format-errors.ts';
import { rawInputDeclaration } from './input-declarations.ts';
import { LineSplitter } from './line-splitter.ts';
import { Refusal, reportRefusal } from './refusal.ts';
import { RowWriter } from './row-writer.ts';
import { findInvalidUtf8 } from './utf8.ts';

export const rawInput: StreamInputFormat = {
  ...rawInputDeclaration,
  joinsMessages: (configuration) => configuration['mode'] === 'lines',
  splitter: (configuration) => (configuration['mode'] === 'lines' ? new LineSplitter() : new WholeSplitter()),
  decoder: (configuration, context) => new RawDecoder(configuration, context),
};

/** The stream is one record. */
class WholeSplitter implements Splitter {
  split(): number {
    return 0;
  }

  reset(): void {}
}

class RawDecoder implements Decoder {
  readonly #relation: Relation;
  readonly #lines: boolean;
  readonly #target: ColumnTarget;
  readonly #others: readonly ColumnTarget[];
  readonly defaults: (Uint8Array | null)[];
  readonly #writer: RowWriter;
  readonly #refusal: Refusal = new Refusal();

  /** @throws FormatConflictingOptions, FormatBadDefault, FormatUnsupportedType */
  constructor(configuration: ParameterValues, context: DecoderContext) {
    this.#relation = context.relation;
    this.#lines = configuration['mode'] === 'lines';
    const scratch = new BatchBuilder(context.relation.schema, 8);
    const targets = makeTargets(context.relation, scratch.columns, 'raw');
    this.#target = findTarget(targets, configuration['column_name'], context.relation.name);
    this.#others = targets.filter((target) => target !== this.#target);
    this.defaults = encodeDefaults(targets, context.defaults);
    for (const target of this.#others) {
      const value = this.defaults[target.ordinal] ?? null;
      if (value === null && !target.nullable) {
        throw conflict(`column ${target.field.name} is NOT NULL and has no default, so no row could be complete`);
      }
    }
    this.#writer = new RowWriter(targets);
  }

  decode(bytes: Uint8Array, builder: BatchBuilder, report: DecodeReport, first: boolean): void {
    this.#writer.start(builder, this.#lines ? (bytes.length >> 5) + 1 : 1);
    if (!this.#lines) {
      // A stream has one blob; an empty rest behind it is none.
      if (bytes.length > 0 || first) this.#decodeRow(bytes, 0, bytes.length, report, 1);
      this.#writer.finish();
      report.records += bytes.length > 0 || first ? 1 : 0;
      return;
    }
    let records = 0;
    const searched = searchable(bytes);
    for (let start = 0; start < bytes.length; ) {
      const newline = searched.indexOf(10, start);
      const stop = newline < 0 ? bytes.length : newline;
      const end = newline > start && bytes[newline - 1] === 13 ? newline - 1 : stop;
      if (end > start) this.#decodeRow(bytes, start, end, report, ++records);
      start = stop + 1;
    }
    this.#writer.finish();
    report.records += records;
  }

  #decodeRow(bytes: Uint8Array, start: number, end: number, report: DecodeReport, record: number): void {
    const target = this.#target;
    const invalid = target.kind === targetString ? findInvalidUtf8(bytes, start, end) : -1;
    if (invalid >= 0) {
      this.#refusal.set('utf8', target.ordinal, invalid, -1);
      reportRefusal(report, this.#refusal, { bytes, record, start, end }, this.#relation.schema.fields);
      return;
    }
    this.#writer.prepare();
    target.column.appendBytes(bytes, start, end);
    for (const other of this.#others) writeDefault(this.defaults, other, this.#writer.row, this.#refusal);
    this.#writer.commit();
  }
}

function findTarget(targets: readonly ColumnTarget[], name: unknown, table: string): ColumnTarget {
  if (name === undefined && targets.length > 1) {
    throw conflict(`table ${table} has more than one column: set column_name`);
  }
  const wanted = typeof name === 'string' ? name : null;
  const target = targets.find(
    ({ field }) =>
      wanted === null ||
      field.name === wanted ||
      (field.quoted !== true && field.name.toLowerCase() === wanted.toLowerCase()),
  );
  if (target === undefined) {
    const suggestion = nearestName(
      wanted ?? '',
      targets.map(({ field }) => field.name),
    );
    throw conflict(`column_name "${wanted}" is no column of table ${table}`, suggestion);
  }
  if (target.kind !== targetString && target.kind !== targetBinary) {
    throw conflict(`column ${target.field.name} is ${formatSqlType(target.field.type)}, not VARCHAR or VARBINARY`);
  }
  return target;
}

function conflict(detail: string, suggestion?: string): Error {
  return new FormatConflictingOptions({ format: 'raw', detail }, { suggestion });
}
