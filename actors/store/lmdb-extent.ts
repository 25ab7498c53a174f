// Whether an lmdb file is as long as its header says, before lmdb maps it: what is not there is read as a signal that ends the process (SIGBUS), and
// a header that is none as another one. Called by lmdb-file.ts, before it opens the file.
//
//   page 0, page 1   each a header of 24 bytes, then the meta of every other transaction; the greater transaction counts:
//     +24 u32 magic, +28 u32 version, +48 u32 bytes of a page, +144 u64 last page, +152 u64 transaction
//
// A file may rightly be shorter, where its last pages were given back before they were ever written; nothing refers to those. It cannot be seen from
// here whether the missing pages are such: it is made as long as it says with zeros, which lmdb refuses where a page of a tree should be
// and checksums find elsewhere, and the caller is told, so that it reads everything once.
import { closeSync, existsSync, fstatSync, ftruncateSync, openSync, readSync } from 'node:fs';
import { StoreDamaged } from './store-errors.ts';

const magic = 0xbeefc0de;
const metaBytes = 160;
const pageBytesMin = 512;
const pageBytesMax = 65_536;

interface Meta {
  readonly pageBytes: number;
  readonly lastPage: bigint;
  readonly transaction: bigint;
}

/** True: pages were missing. A file that is not there or empty is made by lmdb. @throws StoreDamaged */
export function completeLmdbFile(path: string): boolean {
  if (!existsSync(path)) return false;
  const file = openSync(path, 'r+');
  try {
    const { size } = fstatSync(file);
    if (size === 0) return false;
    const first = readMeta(path, file, 0);
    const second = readMeta(path, file, first.pageBytes);
    const { lastPage } = second.transaction > first.transaction ? second : first;
    const bytes = Number(lastPage + 1n) * first.pageBytes;
    if (!Number.isSafeInteger(bytes)) throw new StoreDamaged({ file: path, detail: 'its header names no length' });
    if (size >= bytes) return false;
    ftruncateSync(file, bytes);
    return true;
  } finally {
    closeSync(file);
  }
}

function readMeta(path: string, file: number, position: number): Meta {
  const bytes = Buffer.alloc(metaBytes);
  const read = readSync(file, bytes, 0, metaBytes, position);
  const meta = {
    pageBytes: bytes.readUInt32LE(48),
    lastPage: bytes.readBigUInt64LE(144),
    transaction: bytes.readBigUInt64LE(152),
  };
  const { pageBytes } = meta;
  const isPage = pageBytes >= pageBytesMin && pageBytes <= pageBytesMax && (pageBytes & (pageBytes - 1)) === 0;
  if (read === metaBytes && bytes.readUInt32LE(24) === magic && isPage) return meta;
  throw new StoreDamaged({ file: path, detail: 'it does not begin as such a file does' });
}
