// Refusals: records and values that a decoder leaves out, why, and how they are listed in the decoder's report.
//
// The row loops note what is wrong as a small number and a few positions in a `Refusal`, which costs a good row nothing; only
// `reportRefusal` makes text of it. Codes are stable: users filter on them. Only the latest `errorsMax` are kept.

import { formatSqlType, type SqlType } from '../../runtime/batch/sql-type.ts';
import { inexact, outOfRange, type ParseOutcome } from '../../runtime/batch/text-outcome.ts';
import { type CodedErrorClass, defineError } from '../../runtime/errors.ts';
import { type DecodeReport, errorsMax } from '../sdk/format.ts';

type Detail = CodedErrorClass<{ readonly detail: string }>;
const refusalKind = (code: string, help: string): Detail => defineError(code, { help }, (f) => f.detail);

export const RecordMalformed: Detail = refusalKind(
  'record.malformed',
  'The record breaks the grammar of its format and was left out. Correct it at the source.',
);
export const RecordInvalidUtf8: Detail = refusalKind(
  'record.invalid_encoding',
  'The record holds bytes that are not UTF-8 and was left out. Convert the input to UTF-8.',
);
export const RecordUnknownField: Detail = refusalKind(
  'record.unknown_field',
  'The connector is strict and the record has a field that the table lacks. Add a column or set `strict: false`.',
);
export const RecordUnsupportedOperation: Detail = refusalKind(
  'record.unsupported_operation',
  'The record asks for a change that the table or the format does not know. Check `update_format` and the primary key.',
);
export const ValueMissing: Detail = refusalKind(
  'value.missing',
  'The column is NOT NULL and has no DEFAULT. Give the column a value, a DEFAULT, or make it nullable.',
);
export const ValueNull: Detail = refusalKind(
  'value.null',
  'The column is NOT NULL. Give it a value at the source or make the column nullable.',
);
export const ValueMalformed: Detail = refusalKind(
  'value.malformed',
  'The value does not spell a value of its column. Correct it at the source or change the type of the column.',
);
export const ValueOutOfRange: Detail = refusalKind(
  'value.out_of_range',
  'The type of the column cannot hold the value. Widen the type.',
);
export const ValueInexact: Detail = refusalKind(
  'value.inexact',
  'The value has more fraction digits than the column keeps. Give the DECIMAL a larger scale or round at the source.',
);

export type RefusalKind =
  | 'malformed'
  | 'utf8'
  | 'unknown'
  | 'operation'
  | 'missing'
  | 'null'
  | 'value'
  | 'range'
  | 'inexact';

const kinds: Readonly<Record<RefusalKind, Detail>> = {
  malformed: RecordMalformed,
  utf8: RecordInvalidUtf8,
  unknown: RecordUnknownField,
  operation: RecordUnsupportedOperation,
  missing: ValueMissing,
  null: ValueNull,
  value: ValueMalformed,
  range: ValueOutOfRange,
  inexact: ValueInexact,
};

/** What is wrong with the record at hand. One per decoder, overwritten by each refusal. */
export class Refusal {
  kind: RefusalKind = 'malformed';
  /** Ordinal of the column to blame, or -1. */
  column = -1;
  /** Where in the bytes it went wrong; `valueEnd` is behind the value to blame, or -1. */
  at = 0;
  valueEnd = -1;
  /** Overrides the message that is made from the kind. */
  detail: string | null = null;
  suggestion: string | null = null;

  set(kind: RefusalKind, column: number, at: number, valueEnd: number, detail: string | null = null): void {
    this.kind = kind;
    this.column = column;
    this.at = at;
    this.valueEnd = valueEnd;
    this.detail = detail;
    this.suggestion = null;
  }
}

/** The kind of refusal for what a parse kernel said. */
export function refusalOf(outcome: ParseOutcome): RefusalKind {
  return outcome === outOfRange ? 'range' : outcome === inexact ? 'inexact' : 'value';
}

/** A record as it stands in the bytes of one decode call. */
export interface RefusedRecord {
  readonly bytes: Uint8Array;
  /** From 1. */
  readonly record: number;
  readonly start: number;
  readonly end: number;
}

/** Counts a refusal and lists it with the record's text. */
export function reportRefusal(
  report: DecodeReport,
  refusal: Refusal,
  refused: RefusedRecord,
  fields: readonly { readonly name: string; readonly type: SqlType }[],
): void {
  report.numParseErrors++;
  const field = fields[refusal.column];
  if (report.errors.length >= (report.errorsMax ?? errorsMax)) report.errors.shift();
  report.errors.push({
    record: refused.record,
    offset: refused.start,
    code: kinds[refusal.kind].definition.code,
    message: refusal.detail ?? messageOf(refusal, refused, field),
    field: field?.name ?? null,
    fragment: excerpt(refused.bytes, refused.start, refused.end, 200),
    suggestion: refusal.suggestion,
  });
}

function messageOf(
  refusal: Refusal,
  refused: RefusedRecord,
  field: { readonly name: string; readonly type: SqlType } | undefined,
): string {
  const column = field === undefined ? 'the record' : `column ${field.name}`;
  const type = field === undefined ? '' : formatSqlType(field.type);
  const value = refusal.valueEnd < 0 ? '' : ` ${excerpt(refused.bytes, refusal.at, refusal.valueEnd, 60)}`;
  switch (refusal.kind) {
    case 'malformed': {
      if (refusal.at >= refused.bytes.length) return 'the record ends before it is complete';
      return `unexpected ${describeByte(refused.bytes[refusal.at] ?? 0)} at byte ${refusal.at - refused.start} of the record`;
    }
    case 'utf8':
      return `invalid UTF-8 at byte ${refusal.at - refused.start} of the record`;
    case 'unknown':
      return `the table has no column${value}`;
    case 'operation':
      return `the change${value} is not supported`;
    case 'missing':
      return `${column} is missing, it is NOT NULL and has no default`;
    case 'null':
      return `${column} is NOT NULL`;
    case 'value':
      return `${column}: ${value.trimStart()} is no ${type}`;
    case 'range':
      return `${column}: ${value.trimStart()} does not fit ${type}`;
    case 'inexact':
      return `${column}: ${value.trimStart()} has more fraction digits than ${type}`;
  }
}

function describeByte(byte: number): string {
  if (byte > 0x20 && byte < 0x7f) return `"${String.fromCharCode(byte)}"`;
  return byte === 10 ? 'end of line' : `byte 0x${byte.toString(16).padStart(2, '0')}`;
}

function excerpt(bytes: Uint8Array, start: number, end: number, charactersMax: number): string {
  const cut = bytes.subarray(start, Math.min(end, start + charactersMax * 4));
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(cut).trimEnd().slice(0, charactersMax);
}
