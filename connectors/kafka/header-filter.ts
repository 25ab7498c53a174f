// `header_filter`: which records are read at all, by regular expressions over the values of their headers.
//
//   { header: { name, pattern } }   a header of this name has a value that the pattern matches as a whole; a null value is an empty one
//   { and: […] } { or: […] } { not: … }
//
// Values are matched as UTF-8. What is filtered out leaves no trace but its offset.
import { ConfigInvalidValue } from '../sdk/configuration-errors.ts';
import type { SettingProblem } from '../sdk/setting-rules.ts';
import { type RecordHeader, readHeaders } from './record-headers.ts';

/** Whether a record is read: its headers stand in bytes[start .. end). */
export type RecordFilter = (bytes: Uint8Array, start: number, end: number) => boolean;

type Test = (headers: readonly RecordHeader[]) => boolean;

const depthMax = 64;

/** Null: there is no filter. @throws ConfigInvalidValue */
export function headerFilter(value: unknown): RecordFilter | null {
  if (value === undefined || value === null) return null;
  const test = compile(value, 0);
  return (bytes, start, end) => test(readHeaders(bytes, start, end));
}

/** What is wrong with a filter; null: nothing. */
export function headerFilterProblem(value: unknown): SettingProblem | null {
  try {
    headerFilter(value);
    return null;
  } catch (thrown) {
    if (!(thrown instanceof ConfigInvalidValue)) throw thrown;
    return thrown.fields;
  }
}

function compile(node: unknown, depth: number): Test {
  if (depth > depthMax) throw invalid(`is nested more than ${depthMax} deep`);
  const entries = typeof node === 'object' && node !== null && !Array.isArray(node) ? Object.entries(node) : [];
  const [entry] = entries;
  if (entry === undefined || entries.length > 1)
    throw invalid('holds something else than {header}, {and}, {or} or {not}');
  const [kind, inner]: [string, unknown] = entry;
  switch (kind) {
    case 'header':
      return compileHeader(inner);
    case 'not': {
      const test = compile(inner, depth + 1);
      return (headers) => !test(headers);
    }
    case 'and':
    case 'or': {
      if (!Array.isArray(inner)) throw invalid(`has an "${kind}" that is no list`);
      const tests = inner.map((each: unknown) => compile(each, depth + 1));
      return kind === 'and'
        ? (headers) => tests.every((test) => test(headers))
        : (headers) => tests.some((test) => test(headers));
    }
    default:
      throw invalid(`has "${kind}", which is none of header, and, or, not`);
  }
}

function compileHeader(value: unknown): Test {
  const { name, pattern, ...others } = Object(value);
  if (typeof name !== 'string' || typeof pattern !== 'string' || Object.keys(others).length > 0) {
    throw invalid('has a header that is no {name, pattern}');
  }
  let expression: RegExp;
  try {
    expression = new RegExp(`^(?:${pattern})$`, 'su');
  } catch (error) {
    throw invalid(`has a pattern that cannot be used: ${error instanceof Error ? error.message : String(error)}`);
  }
  return (headers) =>
    headers.some(
      (header) => header.name === name && expression.test(Buffer.from(header.value ?? new Uint8Array(0)).toString()),
    );
}

function invalid(reason: string): InstanceType<typeof ConfigInvalidValue> {
  return new ConfigInvalidValue({ key: 'header_filter', reason });
}
