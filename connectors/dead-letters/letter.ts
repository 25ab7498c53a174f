// A dead letter as it stands in a file: one line of opencdc/json, with the refused record in `payload.after`. From the line to who
// refused what, and to the record as it was, byte for byte. Pure.
//
// Raw bytes are base64 in JSON and exact. Structured data is exact in the metadata `millrace.dlq.data` (sdk/record-bytes.ts), which
// letters of Conduit do not have: theirs is read from JSON. A line that was torn by a crash stands before the next one, without its
// end: what can be read of such a line is its last record.
import { JsonMalformed, parseJsonObject } from '../sdk/exact-json.ts';
import { recordMetadata, recordOperations, type StructuredData, type StructuredValue } from '../sdk/record.ts';
import { dataShape, shapeShift } from '../sdk/record-batch.ts';
import { type RecordBytes, type RecordDataBytes, readExactData } from '../sdk/record-bytes.ts';
import { writeMetadata } from '../sdk/record-metadata.ts';
import { packStructured } from '../sdk/structured-data.ts';

export interface DeadLetter {
  /** Id of the connector that the record comes from. */
  readonly source: string;
  /** Id of the connector or processor that refused it. */
  readonly node: string;
  readonly reason: string;
  /** Nanoseconds since 1970 as text, or empty. */
  readonly createdAt: string;
  /** The refused record as the letter shows it. */
  readonly shown: StructuredData;
  readonly record: RecordBytes;
}

const lineStart = '{"position":';

/** Null: the line holds no dead letter. */
export function readLetter(line: string): DeadLetter | null {
  for (let at = line.indexOf(lineStart); at >= 0; at = line.indexOf(lineStart, at + 1)) {
    const letter = parseLetter(line.slice(at));
    if (letter !== null) return letter;
  }
  return null;
}

function parseLetter(text: string): DeadLetter | null {
  let line: StructuredData;
  try {
    line = parseJsonObject(text);
  } catch (thrown) {
    if (thrown instanceof JsonMalformed) return null;
    throw thrown;
  }
  const metadata = objectOf(line['metadata']);
  const shown = objectOf(objectOf(line['payload'])?.['after']);
  if (metadata === null || shown === null) return null;
  const record = recordOf(shown, textOf(metadata[recordMetadata.deadLetterData]));
  const source = textOf(metadata[recordMetadata.sourceConnector]);
  if (record === null) return null;
  return {
    source: source === '' ? textOf(objectOf(shown['metadata'])?.[recordMetadata.sourceConnector]) : source,
    node: textOf(metadata[recordMetadata.nackNode]),
    reason: textOf(metadata[recordMetadata.nackError]),
    createdAt: textOf(metadata[recordMetadata.createdAt]),
    shown,
    record,
  };
}

function recordOf(shown: StructuredData, exact: string): RecordBytes | null {
  const { position, operation, metadata, key, payload } = shown;
  const operations: readonly string[] = recordOperations;
  const number = operations.indexOf(textOf(operation)) + 1;
  const entries = objectOf(metadata) ?? {};
  const change = objectOf(payload);
  if (typeof position !== 'string' || number === 0 || change === null) return null;
  const data = exact === '' ? fromJson(key, change['before'], change['after']) : readExactData(exact);
  if (data === null) return null;
  const texts = Object.fromEntries(Object.entries(entries).map(([name, value]) => [name, textOf(value)]));
  return { ...data, position: Buffer.from(position, 'base64'), operation: number, metadata: writeMetadata(texts) };
}

function fromJson(...values: readonly (StructuredValue | undefined)[]): RecordDataBytes {
  let shapes = 0;
  const shifts = [shapeShift.key, shapeShift.before, shapeShift.after];
  const [key, before, after] = values.map((value, i) => {
    const shift = shifts[i] ?? 0;
    if (typeof value === 'string') {
      shapes |= dataShape.raw << shift;
      return Buffer.from(value, 'base64');
    }
    const structured = objectOf(value);
    if (structured === null) return new Uint8Array(0);
    shapes |= dataShape.msgpack << shift;
    return packStructured(structured);
  });
  const nothing = new Uint8Array(0);
  return { shapes, key: key ?? nothing, before: before ?? nothing, after: after ?? nothing };
}

function objectOf(value: StructuredValue | undefined): StructuredData | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || value instanceof Uint8Array) return null;
  // SAFETY: what is left of the values of structured data is an object.
  return value as StructuredData;
}

function textOf(value: StructuredValue | undefined): string {
  return typeof value === 'string' ? value : '';
}
