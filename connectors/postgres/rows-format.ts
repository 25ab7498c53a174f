// What postgres_cdc_input gives: rows of a snapshot as COPY prints them, and changes as lines of JSON. A line each, so that the decoding
// pool has the work of both.
//
// Of a snapshot the source says which columns come and what they feed (`found`); what it does not say that of is changes. The json format
// comes from outside: connectors do not know formats.
import type { BatchBuilder } from '../../runtime/batch/batch-builder.ts';
import type { DecodeReport, Decoder, DecoderContext, StreamInputFormat } from '../sdk/format.ts';
import type { FittedColumn } from './column-fit.ts';
import { type CopyForm, CopyRows, copyForms } from './copy-rows.ts';
import { postgresRowsDeclaration } from './declarations.ts';

export interface FoundColumns {
  readonly columns: readonly FittedColumn[];
}

/** A reader that finds so many rows between two others is worth being asked for each. */
const enoughRows = 16;
const linesMax = 65_536;

const changes: Readonly<Record<string, unknown>> = { update_format: 'insert_delete' };

/** Rows of COPY straight into columns. */
interface RowReader {
  /** Answers with the position in front of the first row that it did not read. */
  read(bytes: Uint8Array, start: number, builder: BatchBuilder): number;
}

/** Null: there is none for such columns. */
type MakeReader = (context: DecoderContext, forms: readonly CopyForm[]) => RowReader | null;

export function postgresRows(json: StreamInputFormat, makeReader: MakeReader): StreamInputFormat {
  return {
    ...postgresRowsDeclaration,
    splitter: () => json.splitter({ ...changes, lines: 'single' }),
    decoder: (_, context) => {
      const lines = json.decoder(changes, context);
      if (context.found === undefined) return lines;
      // SAFETY: what the source has said of its own snapshot (table-snapshot.ts).
      const { columns } = context.found as FoundColumns;
      const forms = copyForms(columns);
      const reader = forms === null ? null : makeReader(context, forms);
      return new SnapshotDecoder(new CopyRows(columns), lines, reader);
    },
  };
}

class SnapshotDecoder implements Decoder {
  readonly #rows: CopyRows;
  readonly #lines: Decoder;

  readonly #reader: RowReader | null;
  /** Rows that are read as lines at a time, in front of the next try of the reader: more of them while it finds few. */
  #linesAtATime = 1;

  constructor(rows: CopyRows, lines: Decoder, reader: RowReader | null) {
    this.#rows = rows;
    this.#lines = lines;
    this.#reader = reader;
  }

  decode(bytes: Uint8Array, builder: BatchBuilder, report: DecodeReport, first: boolean, prologue: Uint8Array): void {
    const end = bytes.length;
    let at = 0;
    while (at < end) {
      const before = builder.rows;
      if (this.#reader !== null) at = this.#reader.read(bytes, at, builder);
      const found = builder.rows - before;
      report.records += found;
      if (at === end) return;
      this.#linesAtATime = found >= enoughRows ? 1 : Math.min(linesMax, this.#linesAtATime * 2);
      const stop = this.#reader === null ? end : behindLines(bytes, at, this.#linesAtATime);
      this.#lines.decode(this.#rows.lines(bytes.subarray(at, stop)), builder, report, first, prologue);
      at = stop;
    }
  }
}

// ── data plane ──

function behindLines(bytes: Uint8Array, start: number, lines: number): number {
  let at = start;
  for (let i = 0; i < lines; i++) {
    const found = bytes.indexOf(10, at);
    if (found < 0) return bytes.length;
    at = found + 1;
  }
  return at;
}
