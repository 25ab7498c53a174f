// A pipeline without SQL as the server keeps it beside the rest of its record: connectors, processors and the dead-letter queue with their dates, and
// who may change them. Plain JSON. Ids are unique in the whole server. What was provisioned from a file is changed by that file alone.
import type { DeadLetterQueue, ErrorRecovery, RelayConnector, RelayProcessor } from '../../relay-definition.ts';

interface Dated {
  /** RFC 3339. */
  readonly createdAt: string;
  readonly updatedAt: string;
}

export interface HostedProcessor extends RelayProcessor, Dated {}

export interface HostedConnector extends Omit<RelayConnector, 'processors'>, Dated {
  readonly processors: readonly HostedProcessor[];
}

export interface RelayPipeline {
  readonly provisionedBy: 'api' | 'file';
  readonly updatedAt: string;
  readonly connectors: readonly HostedConnector[];
  readonly processors: readonly HostedProcessor[];
  readonly deadLetterQueue: DeadLetterQueue;
  readonly errorRecovery?: ErrorRecovery;
}
