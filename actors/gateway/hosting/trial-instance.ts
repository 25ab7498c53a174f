// One fresh instance of a connector that is never opened: it checks a configuration, or is told that its connector is deleted.
// It is torn down in any case, also when it has refused; every call has a deadline, after which it is left to itself (the
// process of a plugin is ended).

import type { ConnectorRegistry } from '../../../connectors/sdk/connector.ts';
import type { Destination } from '../../../connectors/sdk/destination.ts';
import { loaded } from '../../../connectors/sdk/load-on-use.ts';
import type { ParameterValues } from '../../../connectors/sdk/parameters.ts';
import { recordRelation } from '../../../connectors/sdk/record-batch.ts';
import { type RuledParameters, validateSettings } from '../../../connectors/sdk/setting-rules.ts';
import type { Source } from '../../../connectors/sdk/source.ts';
import { typedSettings } from '../../../connectors/sdk/text-settings.ts';
import type { Clock, Timer } from '../../../runtime/clock.ts';
import { type CodedErrorClass, defineError } from '../../../runtime/errors.ts';
import { fullName, type PluginSpecification } from './plugin-specification.ts';

export type TrialPhase = 'start' | 'configure' | 'onDeleted' | 'teardown';

export const TrialFailed: CodedErrorClass<{
  readonly plugin: string;
  readonly phase: TrialPhase;
  readonly detail: string;
}> = defineError('connector.trial_failed', { help: 'Correct the settings; the message is that of the plugin.' }, (f) =>
  f.phase === 'configure' ? f.detail : `${f.phase}: ${f.detail}`,
);

export const TrialTimedOut: CodedErrorClass<{
  readonly plugin: string;
  readonly phase: TrialPhase;
  readonly deadlineMs: number;
}> = defineError(
  'connector.trial_timed_out',
  { help: 'The plugin hangs. Its process was ended; look into its log.' },
  (f) => `${f.plugin} has not come back from ${f.phase} within ${f.deadlineMs / 1000} s`,
);

/** A plugin, or a transport of programs. */
export type TrialPlugin = Pick<PluginSpecification, 'kind' | 'name' | 'version' | 'path'>;

export interface TrialOptions {
  readonly registry: ConnectorRegistry;
  readonly type: 'source' | 'destination';
  readonly plugin: TrialPlugin;
  /** What a plugin process is told of who it is. */
  readonly id: string;
  /** Of a connector of a program. */
  readonly pipeline?: { readonly name: string; readonly id: string };
  readonly settings: Readonly<Record<string, unknown>>;
  /** The settings are no texts: those of a connector of a program. */
  readonly isTyped?: boolean;
  readonly baseFolder: string;
  readonly clock: Clock;
  /** Of the request: without its caller nobody waits. */
  readonly signal: AbortSignal;
  /** Parameters of plugin processes that the server sets, such as where schemas are kept. */
  readonly process: ParameterValues;
  readonly deadlines: TrialDeadlines;
}

export interface TrialDeadlines {
  /** Starting a process is part of it. */
  readonly callMs: number;
  readonly teardownMs: number;
}

export const trialDeadlines: TrialDeadlines = { callMs: 20_000, teardownMs: 10_000 };

/** A process that hangs is ended a moment before nobody waits for it any more, with the better error. */
const graceMs = 3_000;

/** @throws TrialFailed, TrialTimedOut: of the call, and of the teardown when the call has succeeded */
export async function tryConfiguration(options: TrialOptions): Promise<void> {
  await withInstance(options, 'configure', async (instance) => instance.configure?.());
}

/** `settings` are those of its last start. @throws like `tryConfiguration`; what a connector without events throws is the cause */
export async function tellDeleted(options: TrialOptions, settings: ParameterValues): Promise<void> {
  await withInstance(options, 'onDeleted', async (instance) => instance.onDeleted?.(settings));
}

async function withInstance(
  options: TrialOptions,
  phase: TrialPhase,
  call: (instance: Source | Destination) => Promise<void> | void,
): Promise<void> {
  const { deadlines, signal } = options;
  const end = new AbortController();
  const giveUp = (): void => end.abort();
  signal.addEventListener('abort', giveUp, { once: true });
  try {
    const instance = await bounded(options, 'start', deadlines.callMs, async () => makeInstance(options, end.signal));
    let failure: { readonly error: unknown } | null = null;
    try {
      await bounded(options, phase, deadlines.callMs + graceMs, async () => call(instance));
    } catch (error) {
      failure = { error };
    }
    try {
      await bounded(options, 'teardown', deadlines.teardownMs + graceMs, async () => instance.teardown?.());
    } catch (error) {
      // What went wrong first says more.
      failure ??= { error };
    }
    if (failure !== null) throw failure.error;
  } finally {
    signal.removeEventListener('abort', giveUp);
    end.abort();
  }
}

async function makeInstance(options: TrialOptions, signal: AbortSignal): Promise<Source | Destination> {
  const { registry, type, plugin, clock, baseFolder, id } = options;
  const { pipeline } = options;
  const context = {
    endpoint: id,
    ...(pipeline === undefined ? {} : { pipeline: pipeline.name, pipelineId: pipeline.id }),
    relation: recordRelation,
    signal,
    baseFolder,
    clock,
    reportError: () => {},
    acknowledged: () => {},
    refused: () => {},
    log: () => {},
  };
  if (type === 'source') {
    const definition = registry.sources.find(({ name }) => name === definitionName(options));
    if (definition === undefined) throw new Error(`there is no ${fullName(plugin)}`);
    return (await loaded(definition)).create(configurationOf(options, definition), context);
  }
  const definition = registry.destinations.find(({ name }) => name === definitionName(options));
  if (definition === undefined) throw new Error(`there is no ${fullName(plugin)}`);
  return (await loaded(definition)).create(configurationOf(options, definition), context);
}

function textsOf(settings: Readonly<Record<string, unknown>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(settings).map(([name, value]) => [name, String(value)]));
}

function definitionName({ type, plugin }: TrialOptions): string {
  if (plugin.kind === 'builtin') return plugin.name;
  return type === 'source' ? 'plugin_input' : 'plugin_output';
}

/** @throws the problems, as one */
function configurationOf(
  { plugin, settings, isTyped = false, id, deadlines, process }: TrialOptions,
  definition: RuledParameters,
): ParameterValues {
  const given =
    plugin.kind === 'builtin'
      ? isTyped
        ? settings
        : typedSettings(definition.parameters, textsOf(settings))
      : {
          ...process,
          plugin: fullName(plugin),
          path: plugin.path ?? '',
          id,
          settings,
          start_timeout: `${deadlines.callMs}ms`,
          call_timeout: `${deadlines.callMs}ms`,
          teardown_timeout: `${deadlines.teardownMs}ms`,
        };
  const { values, problems } = validateSettings(
    definition,
    given,
    (path) => ({ path: path.join('.') }),
    ['settings'],
    'settings',
  );
  if (problems.length > 0) throw new Error(problems.map(({ message }) => message).join('\n'));
  return values;
}

async function bounded<R>(
  { plugin, clock }: TrialOptions,
  phase: TrialPhase,
  deadlineMs: number,
  work: () => Promise<R>,
): Promise<R> {
  const name = fullName(plugin);
  let timer: Timer | null = null;
  const late = new Promise<never>((_, reject) => {
    timer = clock.after(deadlineMs, () => reject(new TrialTimedOut({ plugin: name, phase, deadlineMs })));
  });
  try {
    return await Promise.race([work(), late]);
  } catch (error) {
    if (error instanceof TrialTimedOut) throw error;
    const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : '';
    if (code === 'plugin.call_timed_out')
      throw new TrialTimedOut({ plugin: name, phase, deadlineMs }, { cause: error });
    const detail = error instanceof Error ? error.message : String(error);
    const failed = code === 'plugin.not_started' ? 'start' : phase === 'start' ? 'configure' : phase;
    throw new TrialFailed({ plugin: name, phase: failed, detail }, { cause: error });
  } finally {
    // SAFETY: set by the promise above, which the compiler does not follow.
    (timer as Timer | null)?.cancel();
  }
}
