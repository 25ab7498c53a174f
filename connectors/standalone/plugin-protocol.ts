// The messages of the connector protocol besides records: what is called, what is sent, what comes back. Versions 1 and 2 differ in
// names and in how many records a message may hold; each is a value of this shape (protocol-v1.ts, protocol-v2.ts).
// https://github.com/ConduitIO/conduit-connector-protocol
import { ByteReader, ByteWriter } from '../sdk/protobuf-wire.ts';
import type { PluginSpecification } from './plugin-specification.ts';

export type PluginRole = 'source' | 'destination';

export type PluginCall =
  | 'Configure'
  | 'Open'
  | 'Run'
  | 'Stop'
  | 'Teardown'
  | 'LifecycleOnCreated'
  | 'LifecycleOnUpdated'
  | 'LifecycleOnDeleted';

export interface PluginProtocol {
  readonly version: number;
  /** How many records, and how many positions, a message may hold. */
  readonly recordsPerMessageMax: number;
  path(role: PluginRole, call: PluginCall): string;
  readonly specifyPath: string;
  /** @throws ProtobufMalformed */
  readSpecification(answer: Uint8Array): PluginSpecification;
  /** Each ack of a message of a destination, in order. @throws ProtobufMalformed */
  readAcks(message: Uint8Array, visit: VisitAck): void;
}

/** The position is bytes[start .. end); an empty error is none. */
export type VisitAck = (bytes: Uint8Array, start: number, end: number, error: string) => void;

/** Configure, LifecycleOnCreated, LifecycleOnDeleted. */
export function settingsRequest(settings: Readonly<Record<string, string>>): Uint8Array {
  const writer = new ByteWriter();
  writeSettings(writer, 0x0a, settings);
  return writer.finish();
}

/** LifecycleOnUpdated. */
export function updateRequest(
  before: Readonly<Record<string, string>>,
  after: Readonly<Record<string, string>>,
): Uint8Array {
  const writer = new ByteWriter();
  writeSettings(writer, 0x0a, before);
  writeSettings(writer, 0x12, after);
  return writer.finish();
}

/** Open of a source, Stop of a destination: the bytes of a position, left out where there is none. */
export function positionRequest(position: Uint8Array): Uint8Array {
  const writer = new ByteWriter();
  if (position.length > 0) {
    writer.tag(0x0a);
    writer.view(position);
  }
  return writer.finish();
}

/** The answer of a source's Stop. @throws ProtobufMalformed */
export function readPosition(answer: Uint8Array): Uint8Array {
  const reader = new ByteReader(answer);
  let position: Uint8Array = new Uint8Array(0);
  while (!reader.isDone) {
    if (reader.tag() === 0x0a) position = reader.view().slice();
    else reader.skipLast();
  }
  return position;
}

// ── data plane ── an ack for each record that is written: one reader for all of them.

/** Acks with position 1 and error 2: those in field 1 of the message, or (`isOne`) the message itself. @throws ProtobufMalformed */
export function readAckList(message: Uint8Array, isOne: boolean, visit: VisitAck): void {
  const reader = new ByteReader(message);
  if (isOne) {
    readAck(reader, message.length, visit);
    return;
  }
  while (!reader.isDone) {
    if (reader.tag() === 0x0a) readAck(reader, endOfField(reader, message.length), visit);
    else reader.skipLast();
  }
}

function readAck(reader: ByteReader, end: number, visit: VisitAck): void {
  let start = 0;
  let positionEnd = 0;
  let error = '';
  while (reader.at < end) {
    const tag = reader.tag();
    if (tag === 0x0a) {
      positionEnd = endOfField(reader, end);
      start = reader.at;
      reader.at = positionEnd;
    } else if (tag === 0x12) error = reader.text();
    else reader.skipLast();
  }
  visit(reader.bytes, start, positionEnd, error);
}

function endOfField(reader: ByteReader, limit: number): number {
  const length = reader.varint();
  const end = reader.at + length;
  if (end > limit) throw reader.malformed('a field is longer than what it stands in');
  return end;
}

function writeSettings(writer: ByteWriter, tag: number, settings: Readonly<Record<string, string>>): void {
  for (const [key, value] of Object.entries(settings)) {
    writer.tag(tag);
    writer.nested((entry) => {
      entry.tag(0x0a);
      entry.text(key);
      entry.tag(0x12);
      entry.text(value);
    });
  }
}
