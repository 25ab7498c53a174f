// What CONNECTOR_METADATA() is for a record of Kafka, as JSON text: those of its parts that the configuration asks for.
//
//   kafka_topic kafka_partition kafka_offset     text, numbers
//   kafka_timestamp                              'YYYY-MM-DD HH:MM:SS.mmm', UTC
//   kafka_headers                                { name: [bytes] }; of a name that stands twice the last value counts
//   kafka_key                                    [bytes], or null
import type { ParameterValues } from '../sdk/parameters.ts';
import { readHeaders } from './record-headers.ts';
import type { RecordDetails, RecordPlace } from './record-values.ts';

/** By the name of its parameter. */
const parts = ['topic', 'partition', 'offset', 'timestamp', 'headers', 'key'] as const;
type Part = (typeof parts)[number];

export function wantedMetadata(settings: ParameterValues): ReadonlySet<Part> {
  return new Set(parts.filter((part) => settings[`include_${part}`] === true));
}

/** Prints a text for each record that is read into the same RecordValues. */
export class RecordMetadata implements RecordDetails {
  readonly #wanted: ReadonlySet<Part>;
  #head = '';
  #texts: Buffer[] = [];

  constructor(wanted: ReadonlySet<Part>) {
    this.#wanted = wanted;
  }

  begin(topic: string, partition: number): void {
    const members: string[] = [];
    if (this.#wanted.has('topic')) members.push(`"kafka_topic":${JSON.stringify(topic)}`);
    if (this.#wanted.has('partition')) members.push(`"kafka_partition":${partition}`);
    this.#head = members.join(',');
    this.#texts = [];
  }

  print(bytes: Uint8Array, { offset, timestamp, keyStart, keyEnd, headersStart, end }: RecordPlace): void {
    const members = this.#head === '' ? [] : [this.#head];
    const wanted = this.#wanted;
    if (wanted.has('offset')) members.push(`"kafka_offset":${offset}`);
    if (wanted.has('timestamp')) members.push(`"kafka_timestamp":${timestampText(timestamp)}`);
    if (wanted.has('headers')) members.push(`"kafka_headers":${headersText(bytes, headersStart, end)}`);
    if (wanted.has('key')) {
      members.push(`"kafka_key":${keyEnd < 0 ? 'null' : `[${bytes.subarray(keyStart, keyEnd).join(',')}]`}`);
    }
    this.#texts.push(Buffer.from(`{${members.join(',')}}`));
  }

  /** Those of the records since `begin`. */
  finish(): { readonly offsets: Int32Array; readonly bytes: Uint8Array } {
    const offsets = new Int32Array(this.#texts.length + 1);
    this.#texts.forEach((text, i) => {
      offsets[i + 1] = (offsets[i] ?? 0) + text.length;
    });
    return { offsets, bytes: Buffer.concat(this.#texts) };
  }
}

function timestampText(ms: number): string {
  const date = new Date(ms);
  // -1 is a record without a time.
  if (ms < 0 || Number.isNaN(date.getTime())) return 'null';
  return `"${date.toISOString().slice(0, -1).replace('T', ' ')}"`;
}

function headersText(bytes: Uint8Array, start: number, end: number): string {
  const headers = new Map<string, string>();
  for (const { name, value } of readHeaders(bytes, start, end)) {
    headers.set(name, value === null ? 'null' : `[${value.join(',')}]`);
  }
  return `{${[...headers].map(([name, value]) => `${JSON.stringify(name)}:${value}`).join(',')}}`;
}
