// A destination that is only asked something (connector-trial.ts).
import { registry } from '../../connectors/registry.ts';
import type { ConnectorRegistry } from '../../connectors/sdk/connector.ts';
import type { OutputConnector } from '../../connectors/sdk/connector-configuration.ts';
import type { Behaviour } from '../../runtime/actor/actor.ts';
import { trialBehaviour } from '../connector-trial.ts';
import type { TrialArguments, TrialMessage, TrialNotice } from '../connector-trial-messages.ts';
import { openDestination } from './destination-opening.ts';

export function destinationTrialBehaviour(
  connectors: ConnectorRegistry = registry,
): Behaviour<TrialArguments<OutputConnector>, TrialMessage, TrialNotice> {
  return trialBehaviour(async (args, { clock, log }, signal) => {
    const reportError = (error: unknown): void => log.warn('a connector reports an error', { error });
    const context = { signal, clock, reportError, acknowledged: () => {}, refused: reportError };
    const say = (message: string, fields: Readonly<Record<string, unknown>> = {}): void => log.info(message, fields);
    return (await openDestination(args, connectors, { ...context, log: say })).destination;
  });
}
