// Metadata of a record between its bytes (entries of protobuf's map<string,string>, field 3) and an object. A key that comes
// twice has its last value, as protobuf says: entries may be appended to change a value.
import { ByteReader, ByteWriter } from './protobuf-wire.ts';

const entryTag = 0x1a;
const keyTag = 0x0a;
const valueTag = 0x12;

export function writeMetadata(metadata: Readonly<Record<string, string>>): Uint8Array {
  const writer = new ByteWriter();
  for (const [key, value] of Object.entries(metadata)) writeMetadataEntry(writer, key, value);
  return writer.finish();
}

export function writeMetadataEntry(writer: ByteWriter, key: string, value: string): void {
  writer.tag(entryTag);
  writer.nested((entry) => {
    entry.tag(keyTag);
    entry.text(key);
    entry.tag(valueTag);
    entry.text(value);
  });
}

/** @throws ProtobufMalformed */
export function readMetadata(bytes: Uint8Array): Record<string, string> {
  const metadata: Record<string, string> = {};
  const reader = new ByteReader(bytes);
  while (!reader.isDone) {
    if (reader.tag() !== entryTag) {
      reader.skipLast();
      continue;
    }
    const entry = reader.nested();
    let key = '';
    let value = '';
    while (!entry.isDone) {
      const tag = entry.tag();
      if (tag === keyTag) key = entry.text();
      else if (tag === valueTag) value = entry.text();
      else entry.skipLast();
    }
    metadata[key] = value;
  }
  return metadata;
}
