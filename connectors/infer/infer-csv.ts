// Columns of a CSV file, from the records at its head.
//
// The delimiter is the one of , ; tab | that splits the first records evenly and most often. The first record is a header
// when its fields are distinct, non-empty and none of them a number, and when a column below is not text or at least
// differs from its title.

import { TypeEvidence } from './infer-type.ts';
import type { InferredColumn, InferredFile } from './inferred-table.ts';

const delimiters = [',', ';', '\t', '|'] as const;

/** A field as it stands in the file. */
interface CsvField {
  readonly text: string;
}

/** `complete`: the sample is the whole file; else its last record may be cut and is left out. */
export function inferCsv(sample: string, complete: boolean): InferredFile {
  const delimiter = chooseDelimiter(sample);
  const records = splitRecords(sample, delimiter);
  if (!complete) records.pop();
  const [first] = records;
  const headers = first !== undefined && looksLikeHeader(first, records.slice(1));
  const rows = headers ? records.slice(1) : records;
  const width = Math.max(first?.length ?? 0, headers ? 0 : Math.max(0, ...rows.slice(0, 100).map((row) => row.length)));
  const columns: InferredColumn[] = [];
  for (let i = 0; i < width; i++) {
    const evidence = new TypeEvidence();
    for (const row of rows) {
      const field = row[i];
      if (field === undefined || field.text === '') evidence.addNull();
      else evidence.add(field.text.trim(), 'field');
    }
    const name = headers ? (first?.[i]?.text.trim() ?? '') : `column${i + 1}`;
    columns.push({ name, ...evidence.conclude(rows.length) });
  }
  const config = { ...(headers ? { headers: true } : {}), ...(delimiter === ',' ? {} : { delimiter }) };
  const notes = headers ? [] : ['No header was found: columns are named by position and mapped by position.'];
  const format = Object.keys(config).length === 0 ? { name: 'csv' } : { name: 'csv', config };
  return { columns, format, records: rows.length, notes };
}

function chooseDelimiter(sample: string): string {
  let best: string = delimiters[0];
  let bestFields = 1;
  for (const delimiter of delimiters) {
    const widths = splitRecords(sample.slice(0, 64 * 1024), delimiter)
      .slice(0, 20)
      .map((record) => record.length);
    const [width = 1] = widths;
    // The last record of the sample may be cut.
    const even = widths.slice(0, Math.max(1, widths.length - 1)).every((other) => other === width);
    if (even && width > bestFields) {
      best = delimiter;
      bestFields = width;
    }
  }
  return best;
}

function looksLikeHeader(first: readonly CsvField[], rows: readonly (readonly CsvField[])[]): boolean {
  const names = first.map((field) => field.text.trim());
  if (names.some((name) => name === '' || /^[+-]?[\d.]+$/.test(name)) || new Set(names).size < names.length)
    return false;
  const [row] = rows;
  if (row === undefined) return true;
  const evidences = names.map((_, i) => {
    const evidence = new TypeEvidence();
    for (const other of rows.slice(0, 100)) if (other[i]?.text) evidence.add(other[i].text.trim(), 'field');
    return evidence.conclude(0).type.kind;
  });
  if (evidences.some((kind) => kind !== 'VARCHAR')) {
    // A column of numbers or dates under a title that is neither.
    return names.every((name, i) => evidences[i] === 'VARCHAR' || !sameKind(name, evidences[i] ?? ''));
  }
  // Texts only: titles are words, and none of them comes again below.
  return names.every(
    (name, i) => /^[\p{L}_][\p{L}\p{N}_ .-]*$/u.test(name) && rows.every((other) => other[i]?.text !== name),
  );
}

function sameKind(text: string, kind: string): boolean {
  const evidence = new TypeEvidence();
  evidence.add(text, 'field');
  return evidence.conclude(0).type.kind === kind;
}

/** RFC 4180: quotes double inside of quotes; a quoted field may hold delimiters and line ends. */
function splitRecords(sample: string, delimiter: string): CsvField[][] {
  const records: CsvField[][] = [];
  let record: CsvField[] = [];
  let at = 0;
  while (at < sample.length) {
    let text = '';
    if (sample[at] === '"') {
      at++;
      for (;;) {
        const end = sample.indexOf('"', at);
        text += sample.slice(at, end < 0 ? undefined : end);
        at = end < 0 ? sample.length : end + 1;
        if (end < 0 || sample[at] !== '"') break;
        text += '"';
        at++;
      }
    }
    const start = at;
    while (at < sample.length && sample[at] !== delimiter && sample[at] !== '\n' && sample[at] !== '\r') at++;
    record.push({ text: text + sample.slice(start, at) });
    if (sample[at] === delimiter) {
      at++;
      if (at === sample.length) record.push({ text: '' });
      continue;
    }
    if (sample[at] === '\r') at++;
    if (sample[at] === '\n') at++;
    if (record.length > 1 || record[0]?.text !== '') records.push(record);
    record = [];
  }
  if (record.length > 0) records.push(record);
  return records;
}
