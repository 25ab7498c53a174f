// msgpack, as the rest of the program sees it: the only file that imports msgpackr.
//
// Plain data only: objects become maps with string keys, typed arrays of bytes become bin, numbers the shortest form.
// No msgpackr extension (records, structured clone) is used, so any msgpack reader can read what is written here.
// `unpack` returns views of the bytes it is given (it copies no bin) and throws whatever msgpackr throws on garbage:
// callers at a border turn that into a coded error of their own.
//
// The entry /pack is the whole library without its native addon, which reads strings faster: headers are short, and looking
// for the addon costs every thread more than anything else that it loads.
import { Packr } from 'msgpackr/pack';

// A packer keeps scratch memory and no state between calls; one for each thread is enough.
const packr = new Packr({ useRecords: false, mapsAsObjects: true, int64AsType: 'bigint', variableMapSize: true });

/** The value as msgpack. The bytes are valid until the next call: copy them. */
export function pack(value: unknown): Uint8Array {
  return packr.pack(value);
}

/** The one msgpack value that `bytes` holds. @throws Error when it is not exactly one value. */
export function unpack(bytes: Uint8Array): unknown {
  return packr.unpack(bytes);
}
