// From a connector's configuration to a destination that can be opened, and to the encoder in front of it.
//
// The configuration has been validated with places by the supervisor; it is validated again here, since this is where
// its defaults are filled in. Nothing is opened yet.
import { ConfigUnknownFormat, ConfigUnknownTransport } from '../../connectors/sdk/configuration-errors.ts';
import type { ConnectorRegistry } from '../../connectors/sdk/connector.ts';
import type { Destination, DestinationContext, DestinationDefinition } from '../../connectors/sdk/destination.ts';
import type { Encoder } from '../../connectors/sdk/format.ts';
import type { Parameter, ParameterValues } from '../../connectors/sdk/parameters.ts';
import { validateParameters } from '../../connectors/sdk/validate-parameters.ts';
import { nearestName } from '../../runtime/nearest-name.ts';
import { FormatMissing } from './destination-errors.ts';
import type { DestinationArguments } from './messages.ts';

/** `encoder` null: the destination takes batches. @throws a coded error when the configuration does not fit. */
export function openDestination(
  args: DestinationArguments,
  connectors: ConnectorRegistry,
  context: Pick<DestinationContext, 'signal' | 'clock' | 'reportError' | 'log'>,
): { readonly destination: Destination; readonly encoder: Encoder | null } {
  const { connector, relation, baseFolder } = args;
  const { transport, endpoint } = connector;
  const definition = connectors.destinations.find((candidate) => candidate.name === transport.name);
  if (definition === undefined) {
    const known = connectors.destinations.map((candidate) => candidate.name);
    const suggestion = nearestName(transport.name, known);
    throw new ConfigUnknownTransport({ name: transport.name, direction: 'output', known }, { suggestion });
  }
  const encoder = makeEncoder(args, connectors, definition);
  const configuration = validated(definition.parameters, transport.config, `${endpoint}: ${transport.name}`);
  const destination = definition.create(configuration, { ...context, endpoint, relation, baseFolder });
  return { destination, encoder };
}

function makeEncoder(
  args: DestinationArguments,
  connectors: ConnectorRegistry,
  definition: DestinationDefinition,
): Encoder | null {
  const { connector, relation } = args;
  if (definition.format === 'none') return null;
  if (connector.format === null) {
    if (definition.format === 'required') throw new FormatMissing({ transport: definition.name });
    return null;
  }
  const { name, config } = connector.format;
  const format = connectors.outputFormats.find((candidate) => candidate.name === name);
  if (format === undefined) {
    const known = connectors.outputFormats.map((candidate) => candidate.name);
    throw new ConfigUnknownFormat({ name, direction: 'output', known }, { suggestion: nearestName(name, known) });
  }
  return format.encoder(validated(format.parameters, config, `${connector.endpoint}: ${name}`), relation);
}

/** @throws the first problem. */
function validated(parameters: readonly Parameter[], config: unknown, owner: string): ParameterValues {
  const { values, problems } = validateParameters(parameters, config, () => ({}), [], owner);
  if (problems[0] !== undefined) throw problems[0];
  return values;
}
