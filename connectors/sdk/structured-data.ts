// Structured data of a record between its MessagePack bytes and objects. Exact: a bigint comes back as a bigint, bytes as
// bytes, a number as the same number (but -0 as 0). Integers are those of 64 bits.
import { type CodedErrorClass, defineError } from '../../runtime/errors.ts';
import { pack, unpack } from '../../runtime/wire/msgpack.ts';
import type { StructuredData } from './record.ts';

export const StructuredDataMalformed: CodedErrorClass<{ readonly detail: string }> = defineError(
  'record.structured_data_malformed',
  { help: 'Structured data is an object of text, numbers, 64-bit bigints, booleans, bytes, null, lists and objects.' },
  (f) => `structured data of a record is malformed: ${f.detail}`,
);

/** A copy of its own. @throws StructuredDataMalformed */
export function packStructured(data: StructuredData): Uint8Array {
  try {
    return pack(data).slice();
  } catch (error) {
    throw new StructuredDataMalformed({ detail: reasonOf(error) }, { cause: error });
  }
}

/** @throws StructuredDataMalformed */
export function unpackStructured(bytes: Uint8Array): StructuredData {
  let value: unknown;
  try {
    value = unpack(bytes.slice());
  } catch (error) {
    throw new StructuredDataMalformed({ detail: reasonOf(error) }, { cause: error });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof Uint8Array) {
    throw new StructuredDataMalformed({ detail: 'it is not an object' });
  }
  // SAFETY: MessagePack without extensions holds only values of StructuredValue.
  return value as StructuredData;
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
