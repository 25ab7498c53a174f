// What configurations may say of connectors that are plugin processes. Their code is loaded when one of them is used.
import type { DestinationDeclaration, SourceDeclaration } from '../sdk/load-on-use.ts';
import { pluginParameters } from './plugin-parameters.ts';

/** A message of gRPC that is longer is refused. */
export const messageBytesMax: number = 1 << 30;
export const recordBytesMaxDefault: number = 64 << 20;

export const pluginInputDeclaration: SourceDeclaration = {
  kind: 'source',
  name: 'plugin_input',
  summary: 'Reads from a Conduit connector plugin, a process of its own.',
  format: 'none',
  produces: 'records',
  parameters: [
    ...pluginParameters,
    {
      name: 'record_bytes_max',
      type: { kind: 'integer', min: 1, max: messageBytesMax },
      required: false,
      default: recordBytesMaxDefault,
      description: 'A larger record ends the connector with an error, in bytes.',
    },
  ],
};

export const pluginOutputDeclaration: DestinationDeclaration = {
  kind: 'destination',
  name: 'plugin_output',
  summary: 'Writes to a Conduit connector plugin, a process of its own.',
  format: 'none',
  accepts: 'records',
  acknowledges: true,
  parameters: pluginParameters,
};
