// Columns of a JSON file, from the records at its head: values one after the other, or arrays of them; bare rows, or rows
// wrapped in {"insert": …}, {"delete": …}, {"update": …}.

import { TypeEvidence } from './infer-type.ts';
import type { InferredFile } from './inferred-table.ts';

const verbs = ['insert', 'delete', 'update'];

export function inferJson(sample: string): InferredFile {
  const values = splitValues(sample);
  const array = values.length > 0 && sample.trimStart().startsWith('[');
  const records = values.filter(isObject);
  const wrapped = records.length > 0 && records.every(isChange);
  const rows = wrapped ? records.flatMap((record) => verbs.map((verb) => record[verb]).filter(isObject)) : records;
  const evidence = new Map<string, TypeEvidence>();
  for (const row of rows) for (const [name, value] of Object.entries(row)) addValue(evidence, name, value);
  const columns = [...evidence].map(([name, seen]) => ({ name, ...seen.conclude(rows.length) }));
  const config = { update_format: wrapped ? 'insert_delete' : 'raw', ...(array ? { array: true } : {}) };
  const notes = values.length > records.length ? ['Some values are no objects; they were left out of account.'] : [];
  return { columns, format: { name: 'json', config }, records: rows.length, notes };
}

function addValue(evidence: Map<string, TypeEvidence>, name: string, value: unknown): void {
  let seen = evidence.get(name);
  if (seen === undefined) {
    seen = new TypeEvidence();
    evidence.set(name, seen);
  }
  if (value === null) seen.addNull();
  else if (typeof value === 'object') seen.addStructure();
  else seen.add(String(value), typeof value === 'string' ? 'string' : 'literal');
}

function isChange(record: Readonly<Record<string, unknown>>): boolean {
  const keys = Object.keys(record).filter((key) => key !== 'table');
  return keys.length > 0 && keys.every((key) => verbs.includes(key) && isObject(record[key]));
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The whole values of the sample, elements of arrays at the top taken apart. A value that is cut off ends it. */
function splitValues(sample: string): unknown[] {
  const values: unknown[] = [];
  let at = 0;
  for (;;) {
    while (at < sample.length && /[\s,[\]]/.test(sample[at] ?? '')) at++;
    const end = endOfValue(sample, at);
    if (end < 0) return values;
    try {
      values.push(JSON.parse(sample.slice(at, end), keepNumbers));
    } catch {
      return values;
    }
    at = end;
  }
}

/** Big integers keep their kind: as a double they would look like a fraction or lose digits. */
function keepNumbers(_key: string, value: unknown): unknown {
  return typeof value === 'number' && Number.isInteger(value) && Math.abs(value) < 2 ** 63 ? BigInt(value) : value;
}

/** Where the value at `at` ends, or -1 when it does not. */
function endOfValue(sample: string, at: number): number {
  const first = sample[at];
  if (first === undefined) return -1;
  if (first !== '{' && first !== '"') {
    const end = sample.slice(at).search(/[\s,\]]/);
    return end <= 0 ? -1 : at + end;
  }
  let depth = 0;
  let inText = false;
  for (let i = at; i < sample.length; i++) {
    const character = sample[i];
    if (inText) {
      if (character === '\\') i++;
      else if (character === '"') inText = false;
    } else if (character === '"') inText = true;
    else if (character === '{' || character === '[') depth++;
    else if (character === '}' || character === ']') depth--;
    if (depth === 0 && !inText) return i + 1;
  }
  return -1;
}
