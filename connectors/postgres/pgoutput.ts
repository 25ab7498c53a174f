// Messages of logical replication: the pgoutput plugin, protocol version 1, inside frames of the streaming protocol.
// Values stay the text that the server prints. Nothing is kept between calls.
// https://www.postgresql.org/docs/15/protocol-logicalrep-message-formats.html
// https://www.postgresql.org/docs/15/protocol-replication.html
import { type CodedErrorClass, defineError } from '../../runtime/errors.ts';

export const PgoutputMalformed: CodedErrorClass<{ readonly detail: string }> = defineError(
  'postgres.malformed_message',
  { help: 'The server speaks another version of the protocol: PostgreSQL 10 or newer is needed.' },
  (f) => `logical replication: ${f.detail}`,
);

/** Text of a value; null; or undefined: not sent, because it is large and has not changed. */
export type TupleValue = string | null | undefined;

export interface RelationColumn {
  readonly name: string;
  readonly typeOid: number;
  readonly isKey: boolean;
}

export type ReplicationMessage =
  | { readonly kind: 'begin'; readonly commitLsn: bigint }
  | { readonly kind: 'commit'; readonly endLsn: bigint }
  | {
      readonly kind: 'relation';
      readonly id: number;
      readonly schema: string;
      readonly table: string;
      readonly columns: readonly RelationColumn[];
    }
  | { readonly kind: 'insert'; readonly id: number; readonly row: readonly TupleValue[] }
  | {
      readonly kind: 'update';
      readonly id: number;
      /** `key`: only key columns have values. */
      readonly before: { readonly kind: 'key' | 'row'; readonly row: readonly TupleValue[] } | null;
      readonly row: readonly TupleValue[];
    }
  /** `isWhole`: the row as it was; else only the columns of its identity have values. */
  | { readonly kind: 'delete'; readonly id: number; readonly isWhole: boolean; readonly row: readonly TupleValue[] }
  | { readonly kind: 'truncate'; readonly ids: readonly number[] }
  | { readonly kind: 'other' };

/** A frame of the stream. */
export type ReplicationFrame =
  | { readonly kind: 'data'; readonly body: Buffer }
  | { readonly kind: 'keepalive'; readonly walEnd: bigint; readonly replyRequested: boolean };

/** @throws PgoutputMalformed */
export function readFrame(chunk: Buffer): ReplicationFrame {
  if (chunk[0] === 0x77 && chunk.length >= 25) return { kind: 'data', body: chunk.subarray(25) };
  if (chunk[0] === 0x6b && chunk.length >= 18) {
    return { kind: 'keepalive', walEnd: chunk.readBigUInt64BE(1), replyRequested: chunk[17] === 1 };
  }
  throw new PgoutputMalformed({ detail: `a frame of kind ${chunk[0]} and ${chunk.length} bytes` });
}

/** What the standby tells: everything up to `lsn` is durable here. `micros` since 2000-01-01. */
export function statusUpdate(lsn: bigint, micros: bigint): Buffer {
  const message = Buffer.alloc(34);
  message[0] = 0x72;
  message.writeBigUInt64BE(lsn, 1);
  message.writeBigUInt64BE(lsn, 9);
  message.writeBigUInt64BE(lsn, 17);
  message.writeBigInt64BE(micros, 25);
  return message;
}

/** A position in the log as PostgreSQL prints it, such as 16/B374D848. */
export function formatLsn(lsn: bigint): string {
  const hex = (value: bigint): string => value.toString(16).toUpperCase();
  return `${hex(lsn >> 32n)}/${hex(lsn & 0xffffffffn)}`;
}

/** @throws PgoutputMalformed */
export function parseLsn(text: string): bigint {
  const [, high, low] = /^([0-9A-Fa-f]{1,8})\/([0-9A-Fa-f]{1,8})$/.exec(text) ?? [];
  if (high === undefined || low === undefined) throw new PgoutputMalformed({ detail: `"${text}" is no position` });
  return (BigInt(`0x${high}`) << 32n) | BigInt(`0x${low}`);
}

/** @throws PgoutputMalformed */
export function readMessage(body: Buffer): ReplicationMessage {
  try {
    return read(new Reader(body));
  } catch (cause) {
    if (cause instanceof PgoutputMalformed) throw cause;
    throw new PgoutputMalformed({ detail: 'a message is cut' }, { cause });
  }
}

function read(reader: Reader): ReplicationMessage {
  const tag = String.fromCharCode(reader.byte());
  switch (tag) {
    case 'B':
      return { kind: 'begin', commitLsn: reader.int64() };
    case 'C':
      reader.byte();
      reader.int64();
      return { kind: 'commit', endLsn: reader.int64() };
    case 'R':
      return relation(reader);
    case 'I': {
      const id = reader.int32();
      reader.byte();
      return { kind: 'insert', id, row: reader.tuple() };
    }
    case 'U': {
      const id = reader.int32();
      const first = String.fromCharCode(reader.byte());
      if (first === 'N') return { kind: 'update', id, before: null, row: reader.tuple() };
      const before = { kind: first === 'K' ? ('key' as const) : ('row' as const), row: reader.tuple() };
      reader.byte();
      return { kind: 'update', id, before, row: reader.tuple() };
    }
    case 'D': {
      const id = reader.int32();
      const isWhole = String.fromCharCode(reader.byte()) === 'O';
      return { kind: 'delete', id, isWhole, row: reader.tuple() };
    }
    case 'T': {
      const count = reader.int32();
      reader.byte();
      return { kind: 'truncate', ids: Array.from({ length: count }, () => reader.int32()) };
    }
    default:
      // Types, origins and messages of programs say nothing about rows.
      return { kind: 'other' };
  }
}

function relation(reader: Reader): ReplicationMessage {
  const id = reader.int32();
  const schema = reader.text();
  const table = reader.text();
  reader.byte();
  const columns = Array.from({ length: reader.int16() }, (): RelationColumn => {
    const isKey = (reader.byte() & 1) === 1;
    const name = reader.text();
    const typeOid = reader.int32();
    reader.int32();
    return { name, typeOid, isKey };
  });
  return { kind: 'relation', id, schema, table, columns };
}

class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  byte(): number {
    return this.#bytes.readUInt8(this.#at++);
  }

  int16(): number {
    this.#at += 2;
    return this.#bytes.readInt16BE(this.#at - 2);
  }

  int32(): number {
    this.#at += 4;
    return this.#bytes.readInt32BE(this.#at - 4);
  }

  int64(): bigint {
    this.#at += 8;
    return this.#bytes.readBigUInt64BE(this.#at - 8);
  }

  /** Ends with a zero byte. */
  text(): string {
    const end = this.#bytes.indexOf(0, this.#at);
    if (end < 0) throw new RangeError('no end of a text');
    const text = this.#bytes.toString('utf8', this.#at, end);
    this.#at = end + 1;
    return text;
  }

  tuple(): TupleValue[] {
    return Array.from({ length: this.int16() }, () => {
      const kind = String.fromCharCode(this.byte());
      if (kind === 'n') return null;
      if (kind === 'u') return undefined;
      const length = this.int32();
      if (this.#at + length > this.#bytes.length) throw new RangeError('a value is cut');
      this.#at += length;
      return this.#bytes.toString('utf8', this.#at - length, this.#at);
    });
  }
}
