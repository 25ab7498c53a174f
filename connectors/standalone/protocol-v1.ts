// Version 1 of the connector protocol (package connector.v1): one record and one ack in a message, Open is called Start.
import { ByteReader } from '../sdk/protobuf-wire.ts';
import { type PluginProtocol, readAckList } from './plugin-protocol.ts';
import { readSpecification } from './specification-reader.ts';

const services = { source: 'SourcePlugin', destination: 'DestinationPlugin' } as const;

export const protocolV1: PluginProtocol = {
  version: 1,
  recordsPerMessageMax: 1,
  path: (role, call) => `/connector.v1.${services[role]}/${call === 'Open' ? 'Start' : call}`,
  specifyPath: '/connector.v1.SpecifierPlugin/Specify',
  readSpecification: (answer) =>
    readSpecification(new ByteReader(answer), { default: 1, required: 2, description: 3, type: 4, validations: 5 }),
  readAcks: (message, visit) => readAckList(message, true, visit),
};
