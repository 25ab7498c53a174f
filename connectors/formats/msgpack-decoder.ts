// The msgpack input format: a stream of maps, or of arrays of maps, to rows.
//
// A map is a row by column names, with the rules of rows that are pushed as objects (runtime/batch/row-objects.ts); an array
// holds rows, as maps or by position, and is taken whole or not at all. Values are unpacked one by one: this format is for
// clients that have it, not for the fastest way in.

import type { BatchBuilder } from '../../runtime/batch/batch-builder.ts';
import { rowsToBatch } from '../../runtime/batch/row-objects.ts';
import { unpack } from '../../runtime/wire/msgpack.ts';
import {
  type DecodeReport,
  type Decoder,
  type DecoderContext,
  errorsMax,
  type StreamInputFormat,
} from '../sdk/format.ts';
import type { ParameterValues } from '../sdk/parameters.ts';
import { appendBatch } from './append-batch.ts';
import { msgpackInputDeclaration } from './input-declarations.ts';
import { MsgpackSplitter, walkValue, walkWhole } from './msgpack-splitter.ts';
import { RecordMalformed, ValueMalformed } from './refusal.ts';

export const msgpackInput: StreamInputFormat = {
  ...msgpackInputDeclaration,
  splitter: () => new MsgpackSplitter(),
  decoder: (configuration, context) => new MsgpackDecoder(configuration, context),
};

/** A row and where it stands. */
interface Place {
  readonly record: number;
  readonly offset: number;
}

class MsgpackDecoder implements Decoder {
  readonly #context: DecoderContext;
  readonly #updateFormat: 'raw' | 'insert_delete';

  constructor(configuration: ParameterValues, context: DecoderContext) {
    this.#context = context;
    this.#updateFormat = configuration['update_format'] === 'insert_delete' ? 'insert_delete' : 'raw';
  }

  decode(bytes: Uint8Array, builder: BatchBuilder, report: DecodeReport): void {
    let records = 0;
    let rows: unknown[] = [];
    let places: Place[] = [];
    const flush = (isWhole: boolean): void => {
      this.#write(rows, places, builder, report, isWhole);
      rows = [];
      places = [];
    };
    for (let start = 0; start < bytes.length; ) {
      const walk = { position: start, pending: 1 };
      const outcome = walkValue(bytes, walk);
      const value = outcome === walkWhole ? tryUnpack(bytes.subarray(start, walk.position)) : undefined;
      if (value === undefined) {
        records++;
        flush(false);
        const message =
          outcome === walkWhole ? 'the value cannot be unpacked' : 'the bytes are no whole MessagePack value';
        refuse(report, { record: records, offset: start }, RecordMalformed.definition.code, message, null, '', null);
        if (outcome !== walkWhole) break;
      } else if (Array.isArray(value)) {
        flush(false);
        for (const element of value) {
          rows.push(element);
          places.push({ record: ++records, offset: start });
        }
        flush(true);
      } else {
        rows.push(value);
        places.push({ record: ++records, offset: start });
      }
      start = walk.position;
    }
    flush(false);
    report.records += records;
  }

  #write(
    rows: readonly unknown[],
    places: readonly Place[],
    builder: BatchBuilder,
    report: DecodeReport,
    isWhole: boolean,
  ): void {
    if (rows.length === 0) return;
    const { relation, defaults } = this.#context;
    const result = rowsToBatch(rows, relation, defaults, { updateFormat: this.#updateFormat });
    report.numUnknownFields += result.numUnknownFields;
    for (const problem of result.problems) {
      const place = places[problem.row - 1] ?? { record: problem.row, offset: 0 };
      const code = problem.field === null ? RecordMalformed.definition.code : ValueMalformed.definition.code;
      refuse(report, place, code, problem.reason, problem.field, textOf(rows[problem.row - 1]), problem.suggestion);
    }
    if (!isWhole || result.problems.length === 0) appendBatch(builder, result.batch);
  }
}

/** undefined: it is none. */
function tryUnpack(bytes: Uint8Array): unknown {
  try {
    return unpack(bytes) ?? null;
  } catch {
    return undefined;
  }
}

function refuse(
  report: DecodeReport,
  place: Place,
  code: string,
  message: string,
  field: string | null,
  fragment: string,
  suggestion: string | null,
): void {
  report.numParseErrors++;
  if (report.errors.length >= (report.errorsMax ?? errorsMax)) report.errors.shift();
  report.errors.push({ ...place, code, message, field, fragment, suggestion });
}

function textOf(value: unknown): string {
  const text = JSON.stringify(value, (_, inner: unknown) => (typeof inner === 'bigint' ? inner.toString() : inner));
  return (text ?? '').slice(0, 200);
}
