// Maps the header line of a CSV stream to the columns of the table.
//
// Unquoted columns match in any case, quoted ones exactly. Every name of the header must be a column, and no column may stand
// twice; a column that the header lacks must be nullable or have a default. Anything else ends the connector, because every
// row would be wrong.

import type { Schema } from '../../runtime/batch/schema.ts';
import { nearestName } from '../../runtime/nearest-name.ts';
import { CsvHeaderMismatch } from './format-errors.ts';

/** The column of each field of a row. @throws CsvHeaderMismatch */
export function mapHeader(
  names: readonly string[],
  schema: Schema,
  hasDefault: (column: number) => boolean,
): Int32Array {
  const columns = schema.fields.map((field) => field.name);
  const order = new Int32Array(names.length);
  const taken = new Set<number>();
  names.forEach((name, position) => {
    const exact = schema.fields.findIndex((field) => field.name === name);
    const folded = schema.fields.findIndex(
      (field) => field.quoted !== true && field.name.toLowerCase() === name.toLowerCase(),
    );
    const column = exact >= 0 ? exact : folded;
    if (column < 0) {
      const suggestion = nearestName(name, columns);
      throw new CsvHeaderMismatch(
        { detail: `the header names "${name}", which is no column of the table`, columns },
        { suggestion },
      );
    }
    if (taken.has(column)) throw new CsvHeaderMismatch({ detail: `the header names "${name}" twice`, columns });
    taken.add(column);
    order[position] = column;
  });
  schema.fields.forEach((field, column) => {
    if (taken.has(column) || field.nullable || hasDefault(column)) return;
    const detail = `the header lacks column "${field.name}", which is NOT NULL and has no default`;
    throw new CsvHeaderMismatch({ detail, columns });
  });
  return order;
}
