// Where the strings of a column lie, for those that read them row by row: in a bytes column, or behind codes that point into one.
//
// A dictionary whose entries repeat, such as the rows of one worker within a batch of all, is no help in telling strings apart: its
// strings are read as those of a bytes column would be, each where its code says.
import type { BytesColumn, Column } from '../../../runtime/batch/column.ts';

export interface TextSource {
  readonly strings: BytesColumn;
  /** Row i is string codes[i]; null: string i. */
  readonly codes: Int32Array | null;
  readonly validity: Uint8Array | null;
}

/** null: the column holds no strings, or those of a dictionary that are worth remembering. */
export function textSource(column: Column): TextSource | null {
  if (column.layout === 'bytes') return { strings: column, codes: null, validity: column.validity };
  if (column.layout !== 'dictionary' || column.dictionary.repeats !== true || column.validity !== null) return null;
  const { offsets, bytes } = column.dictionary;
  const strings: BytesColumn = { layout: 'bytes', type: column.type, validity: null, offsets, bytes };
  return { strings, codes: column.codes, validity: null };
}
