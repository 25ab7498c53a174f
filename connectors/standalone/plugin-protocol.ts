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
  /** Each ack of a message of a destination, in order; an empty error is none. @throws ProtobufMalformed */
  readAcks(message: Uint8Array, visit: (position: Uint8Array, error: string) => void): void;
}

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

/** An ack with position 1 and error 2. @throws ProtobufMalformed */
export function readAck(reader: ByteReader, visit: (position: Uint8Array, error: string) => void): void {
  let position: Uint8Array = new Uint8Array(0);
  let error = '';
  while (!reader.isDone) {
    const tag = reader.tag();
    if (tag === 0x0a) position = reader.view();
    else if (tag === 0x12) error = reader.text();
    else reader.skipLast();
  }
  visit(position, error);
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
