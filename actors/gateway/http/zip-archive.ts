// A ZIP file in memory: for bundles of texts, so every entry is deflated and none is large (no ZIP64).
//
// The layout is that of PKWARE's APPNOTE: a local head and the bytes for each entry, then the directory, then its end.
import { crc32, deflateRawSync } from 'node:zlib';

export interface ZipEntry {
  readonly name: string;
  readonly bytes: Uint8Array;
}

const versionNeeded = 20;
const utf8Names = 0x0800;
const deflated = 8;

/** `modified` is the time of every entry, in milliseconds. */
export function zipArchive(entries: readonly ZipEntry[], modified: number): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  const { date, time } = dosTime(modified);
  let offset = 0;
  for (const { name, bytes } of entries) {
    const packed = deflateRawSync(bytes);
    const nameBytes = Buffer.from(name, 'utf8');
    // What the local head and the directory say alike.
    const shared = Buffer.alloc(26);
    shared.writeUInt16LE(versionNeeded, 0);
    shared.writeUInt16LE(utf8Names, 2);
    shared.writeUInt16LE(deflated, 4);
    shared.writeUInt16LE(time, 6);
    shared.writeUInt16LE(date, 8);
    shared.writeUInt32LE(crc32(bytes), 10);
    shared.writeUInt32LE(packed.length, 14);
    shared.writeUInt32LE(bytes.length, 18);
    shared.writeUInt16LE(nameBytes.length, 22);
    const madeBy = Buffer.alloc(2);
    madeBy.writeUInt16LE(versionNeeded, 0);
    const place = Buffer.alloc(14);
    place.writeUInt32LE(offset, 10);
    parts.push(Buffer.from('PK\x03\x04', 'latin1'), shared, nameBytes, packed);
    directory.push(Buffer.from('PK\x01\x02', 'latin1'), madeBy, shared, place, nameBytes);
    offset += 30 + nameBytes.length + packed.length;
  }
  const list = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 0, 'latin1');
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(list.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...parts, list, end]);
}

/** Two seconds exact, from 1980 on, in UTC. */
function dosTime(milliseconds: number): { readonly date: number; readonly time: number } {
  const at = new Date(milliseconds);
  const years = Math.max(0, at.getUTCFullYear() - 1980);
  return {
    date: (years << 9) | ((at.getUTCMonth() + 1) << 5) | at.getUTCDate(),
    time: (at.getUTCHours() << 11) | (at.getUTCMinutes() << 5) | (at.getUTCSeconds() >> 1),
  };
}
