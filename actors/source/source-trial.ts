// A source that is only asked something (connector-trial.ts).
import { registry } from '../../connectors/registry.ts';
import type { ConnectorRegistry } from '../../connectors/sdk/connector.ts';
import type { InputConnector } from '../../connectors/sdk/connector-configuration.ts';
import type { Behaviour } from '../../runtime/actor/actor.ts';
import { trialBehaviour } from '../connector-trial.ts';
import type { TrialArguments, TrialMessage, TrialNotice } from '../connector-trial-messages.ts';
import { openSource } from './source-opening.ts';

export function sourceTrialBehaviour(
  connectors: ConnectorRegistry = registry,
): Behaviour<TrialArguments<InputConnector>, TrialMessage, TrialNotice> {
  return trialBehaviour(async (args, { clock, log }, signal) => {
    const reportError = (error: unknown): void => log.warn('a connector reports an error', { error });
    const defaults = args.relation.schema.fields.map(() => null);
    return (await openSource({ ...args, defaults }, connectors, { signal, clock, reportError })).source;
  });
}
