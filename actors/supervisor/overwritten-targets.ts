// Outputs that would empty what another connector of the same pipeline reads or writes: a file that is its own input, one file for two
// outputs. Data of the user's would be gone before anything could tell.
//
// Pure: connectors say what they read or write by `target` of their definition, from their configuration alone; nothing is looked
// at, so that two names of one file (links) are not found out. Two that only write behind what is there may share it.
import type { ConnectorRegistry } from '../../connectors/sdk/connector.ts';
import type { InputConnector, OutputConnector } from '../../connectors/sdk/connector-configuration.ts';
import type { ParameterValues } from '../../connectors/sdk/parameters.ts';
import type { Target, TargetOf } from '../../connectors/sdk/target.ts';
import type { MillraceError, Place } from '../../runtime/errors.ts';
import { ConfigOverwritten } from './configuration-errors.ts';

interface Holder {
  readonly connector: InputConnector | OutputConnector;
  readonly target: Target;
}

/** A problem for each pair. `placeOf` finds the configuration of an output's transport. */
export function overwrittenTargets(
  inputs: readonly InputConnector[],
  outputs: readonly OutputConnector[],
  registry: ConnectorRegistry,
  baseFolder: string,
  placeOf: (endpoint: string) => Place,
): MillraceError[] {
  const problems: MillraceError[] = [];
  const sources = holders(inputs, registry.sources, baseFolder);
  const destinations = holders(outputs, registry.destinations, baseFolder);
  destinations.forEach(({ connector, target }, i) => {
    const earlier = destinations.slice(0, i).filter((other) => target.isReplaced || other.target.isReplaced);
    const read = target.isReplaced ? sources : [];
    const other = [...read, ...earlier].find((holder) => holder.target.name === target.name)?.connector;
    if (other === undefined) return;
    const fields = { target: target.name, endpoint: other.endpoint, isRead: other.kind === 'input' };
    problems.push(new ConfigOverwritten(fields, { place: placeOf(connector.endpoint) }));
  });
  return problems;
}

function holders(
  connectors: readonly (InputConnector | OutputConnector)[],
  definitions: readonly { readonly name: string; readonly target?: TargetOf }[],
  baseFolder: string,
): readonly Holder[] {
  return connectors.flatMap((connector) => {
    const definition = definitions.find(({ name }) => name === connector.transport.name);
    // SAFETY: the configuration of a connector that has been parsed is an object of validated values.
    const target = definition?.target?.(connector.transport.config as ParameterValues, baseFolder) ?? null;
    return target === null ? [] : [{ connector, target }];
  });
}
