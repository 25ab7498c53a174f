// Parameters that one connector of a transport gives for all of its kind in a program (`sharedParameters` of the definition).
//
// Whoever leaves such a parameter out gets it as another one has given it. Two that give it differently are a problem: neither can be
// meant. Pure; the configurations have been validated, their defaults are filled in.
import { isDeepStrictEqual } from 'node:util';
import { ConfigInvalidValue } from '../../connectors/sdk/configuration-errors.ts';
import type { InputConnector } from '../../connectors/sdk/connector-configuration.ts';
import type { RegisteredSource } from '../../connectors/sdk/load-on-use.ts';
import type { MillraceError, Place } from '../../runtime/errors.ts';

/** The inputs, in their order. `placeOf` finds a parameter of the transport of an endpoint. */
export function shareSettings(
  inputs: readonly InputConnector[],
  sources: readonly RegisteredSource[],
  placeOf: (endpoint: string, parameter: string) => Place,
  problems: MillraceError[],
): readonly InputConnector[] {
  let shared = inputs;
  for (const { name, sharedParameters = [] } of sources) {
    for (const parameter of sharedParameters) shared = shareOne(shared, name, parameter, placeOf, problems);
  }
  return shared;
}

function shareOne(
  inputs: readonly InputConnector[],
  transport: string,
  parameter: string,
  placeOf: (endpoint: string, parameter: string) => Place,
  problems: MillraceError[],
): readonly InputConnector[] {
  const givenBy = (input: InputConnector): unknown =>
    input.transport.name === transport ? settingsOf(input)[parameter] : undefined;
  const giver = inputs.find((input) => givenBy(input) !== undefined);
  if (giver === undefined) return inputs;
  const value = givenBy(giver);
  return inputs.map((input) => {
    if (input.transport.name !== transport || input === giver) return input;
    const own = givenBy(input);
    if (own === undefined) {
      return { ...input, transport: { ...input.transport, config: { ...settingsOf(input), [parameter]: value } } };
    }
    if (!isDeepStrictEqual(own, value)) {
      const reason = `is not what ${giver.endpoint} gives; it holds for all connectors of "${transport}", so one of them is enough`;
      problems.push(new ConfigInvalidValue({ key: parameter, reason }, { place: placeOf(input.endpoint, parameter) }));
    }
    return input;
  });
}

function settingsOf({ transport }: InputConnector): Readonly<Record<string, unknown>> {
  // SAFETY: a configuration that has been validated is an object.
  return transport.config as Readonly<Record<string, unknown>>;
}
