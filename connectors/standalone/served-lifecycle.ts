// The calls of a plugin's life that are the same for a source and a destination: its configuration, and what has become of it.
// An event may come without a configuration before it (a connector that is deleted): the instance is made for it then.
import type { ParameterValues } from '../sdk/parameters.ts';
import type { PluginCall } from './plugin-protocol.ts';
import { readSettings } from './served-settings.ts';

type Settings = Readonly<Record<string, string>>;

interface Living {
  configure?(): Promise<void> | void;
  onCreated?(configuration: ParameterValues): Promise<void>;
  onUpdated?(before: ParameterValues, after: ParameterValues): Promise<void>;
  onDeleted?(configuration: ParameterValues): Promise<void>;
}

export interface ServedSide {
  /** The instance that was configured, or null. */
  current(): Living | null;
  /** A new instance, which is the current one from then on. @throws SettingsRefused */
  make(settings: Settings): Living;
  /** @throws SettingsRefused */
  check(settings: Settings): ParameterValues;
}

export const lifecycleCalls: ReadonlySet<PluginCall> = new Set<PluginCall>([
  'Configure',
  'LifecycleOnCreated',
  'LifecycleOnUpdated',
  'LifecycleOnDeleted',
]);

/** `call` is one of lifecycleCalls. @throws what goes back as the status of the call */
export async function answerLifecycle(side: ServedSide, call: PluginCall, request: Uint8Array): Promise<void> {
  const settings = readSettings(request);
  switch (call) {
    case 'Configure':
      await side.make(settings).configure?.();
      return;
    case 'LifecycleOnCreated':
      await (side.current() ?? side.make(settings)).onCreated?.(side.check(settings));
      return;
    case 'LifecycleOnUpdated': {
      const after = readSettings(request, 2);
      await (side.current() ?? side.make(after)).onUpdated?.(side.check(settings), side.check(after));
      return;
    }
    case 'LifecycleOnDeleted':
      await (side.current() ?? side.make(settings)).onDeleted?.(side.check(settings));
      return;
    default:
      throw new Error(`${call} is no call of a connector's life`);
  }
}
