// What postgres_cdc_input gives: rows of a snapshot as COPY prints them, and changes as lines of JSON. A line each, so that the decoding
// pool has the work of both.
//
// Of a snapshot the source says which columns come and what they feed (`found`); what it does not say that of is changes. The json format
// comes from outside: connectors do not know formats.
import type { BatchBuilder } from '../../runtime/batch/batch-builder.ts';
import type { DecodeReport, Decoder, StreamInputFormat } from '../sdk/format.ts';
import type { FittedColumn } from './column-fit.ts';
import { CopyRows } from './copy-rows.ts';
import { postgresRowsDeclaration } from './declarations.ts';

export interface FoundColumns {
  readonly columns: readonly FittedColumn[];
}

const changes: Readonly<Record<string, unknown>> = { update_format: 'insert_delete' };

export function postgresRows(json: StreamInputFormat): StreamInputFormat {
  return {
    ...postgresRowsDeclaration,
    splitter: () => json.splitter({ ...changes, lines: 'single' }),
    decoder: (_, context) => {
      const lines = json.decoder(changes, context);
      if (context.found === undefined) return lines;
      // SAFETY: what the source has said of its own snapshot (table-snapshot.ts).
      const { columns } = context.found as FoundColumns;
      return new SnapshotDecoder(new CopyRows(columns), lines);
    },
  };
}

class SnapshotDecoder implements Decoder {
  readonly #rows: CopyRows;
  readonly #lines: Decoder;

  constructor(rows: CopyRows, lines: Decoder) {
    this.#rows = rows;
    this.#lines = lines;
  }

  decode(bytes: Uint8Array, builder: BatchBuilder, report: DecodeReport, first: boolean, prologue: Uint8Array): void {
    this.#lines.decode(this.#rows.lines(bytes), builder, report, first, prologue);
  }
}
