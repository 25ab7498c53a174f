// The calls of a connector's life that both directions have, for messages and for what is said of a connector that hangs in one of them.
import type { ParameterValues } from '../connectors/sdk/parameters.ts';

/** What a connector is in the middle of. */
export type ConnectorPhase =
  | 'configure'
  | 'onCreated'
  | 'onUpdated'
  | 'onDeleted'
  | 'open'
  | 'read'
  | 'write'
  | 'flush'
  | 'stop'
  | 'teardown';

/** An event that a connector is told of. Settings are those of its configuration. */
export type LifecycleCall =
  | { readonly event: 'created'; readonly settings: ParameterValues }
  | { readonly event: 'updated'; readonly before: ParameterValues; readonly after: ParameterValues }
  | { readonly event: 'deleted'; readonly settings: ParameterValues };

interface HasEvents {
  onCreated?(configuration: ParameterValues): Promise<void>;
  onUpdated?(before: ParameterValues, after: ParameterValues): Promise<void>;
  onDeleted?(configuration: ParameterValues): Promise<void>;
}

export function phaseOf({ event }: LifecycleCall): ConnectorPhase {
  return event === 'created' ? 'onCreated' : event === 'updated' ? 'onUpdated' : 'onDeleted';
}

/** A connector without such a method has nothing to do. */
export async function tellEvent(connector: HasEvents, call: LifecycleCall): Promise<void> {
  switch (call.event) {
    case 'created':
      return await connector.onCreated?.(call.settings);
    case 'updated':
      return await connector.onUpdated?.(call.before, call.after);
    case 'deleted':
      return await connector.onDeleted?.(call.settings);
  }
}
