// Version 2 of the connector protocol (package connector.v2): lists of records and of acks.
import { ByteReader } from '../sdk/protobuf-wire.ts';
import { type PluginProtocol, readAckList } from './plugin-protocol.ts';
import { readSpecification } from './specification-reader.ts';

const services = { source: 'SourcePlugin', destination: 'DestinationPlugin' } as const;

export const protocolV2: PluginProtocol = {
  version: 2,
  recordsPerMessageMax: 10_000,
  path: (role, call) => `/connector.v2.${services[role]}/${call}`,
  specifyPath: '/connector.v2.SpecifierPlugin/Specify',
  readSpecification: (answer) => {
    const reader = new ByteReader(answer);
    let specification = new ByteReader(new Uint8Array(0));
    while (!reader.isDone) {
      if (reader.tag() === 0x0a) specification = reader.nested();
      else reader.skipLast();
    }
    return readSpecification(specification, { default: 1, required: null, description: 2, type: 3, validations: 4 });
  },
  readAcks: (message, visit) => readAckList(message, false, visit),
};
