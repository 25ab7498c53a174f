// Puts a limit on the memory that a WebAssembly module may take, by writing it into the module's own declaration: an engine lets
// memory grow to what is declared and no further, and a guest sees a growth that fails as memory that has run out. Limits of a worker
// thread do not count it. A module that imports its memory, or declares less, is left as it is.
// Binary format: https://webassembly.github.io/spec/core/binary/modules.html
import { ByteReader, ByteWriter } from '../sdk/protobuf-wire.ts';

const magicBytes = 8;
const memorySection = 5;
const pageBytes = 65_536;

/** Whether these are the first bytes of a WebAssembly module. */
export function isWasm(start: Uint8Array): boolean {
  return start.length >= 4 && start[0] === 0 && start[1] === 0x61 && start[2] === 0x73 && start[3] === 0x6d;
}

/** LEB128 is protobuf's varint. @throws ProtobufMalformed when the sections are cut */
export function withMemoryLimit(module: Uint8Array, bytesMax: number): Uint8Array<ArrayBuffer> {
  const pagesMax = Math.floor(bytesMax / pageBytes);
  const reader = new ByteReader(module, magicBytes);
  while (!reader.isDone) {
    const start = reader.at;
    const id = reader.varint();
    const content = reader.nested();
    if (id !== memorySection) continue;
    const limited = limitedMemories(content, pagesMax);
    const section = new ByteWriter(limited.length + 8);
    section.varint(memorySection);
    section.view(limited);
    const written = section.finish();
    const made = new Uint8Array(start + written.length + module.length - reader.at);
    made.set(module.subarray(0, start));
    made.set(written, start);
    made.set(module.subarray(reader.at), start + written.length);
    return made;
  }
  return new Uint8Array(module);
}

/** Of each memory: flags (1: it has a maximum, 2: shared), the pages at the start, and at most. */
function limitedMemories(reader: ByteReader, pagesMax: number): Uint8Array {
  const writer = new ByteWriter();
  const count = reader.varint();
  writer.varint(count);
  for (let i = 0; i < count; i++) {
    const flags = reader.varint();
    const pages = reader.varint();
    const most = (flags & 1) === 0 ? pagesMax : Math.min(reader.varint(), pagesMax);
    writer.varint(flags | 1);
    writer.varint(pages);
    writer.varint(Math.max(pages, most));
  }
  return writer.finish();
}
