// From the processors of a pipeline without SQL, as its user states them, to a chain that can be opened. For the actors of both directions.
import type { ConnectorRegistry } from '../connectors/sdk/connector.ts';
import { type ChainLink, ProcessorChain } from '../connectors/sdk/processor-chain.ts';
import { typedSettings } from '../connectors/sdk/text-settings.ts';
import { validateParameters } from '../connectors/sdk/validate-parameters.ts';
import type { Clock } from '../runtime/clock.ts';
import { type CodedErrorClass, defineError } from '../runtime/errors.ts';
import type { Log } from '../runtime/log.ts';
import { nearestName } from '../runtime/nearest-name.ts';
import type { RelayProcessor } from './relay-definition.ts';

export const ProcessorUnknown: CodedErrorClass<{ readonly plugin: string; readonly known: readonly string[] }> =
  defineError(
    'processor.unknown_plugin',
    { help: 'Name a processor that ships with Millrace.' },
    (f) => `there is no processor '${f.plugin}'`,
  );

export const ProcessorRefused: CodedErrorClass<{ readonly processor: string }> = defineError(
  'processor.refused_record',
  { help: 'The cause is what the processor says. The dead-letter queue keeps such records, as many as it allows.' },
  (f) => `processor '${f.processor}' has refused a record`,
);

export interface ProcessorSurroundings {
  readonly baseFolder: string;
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly log: Log;
}

/** @throws ProcessorUnknown, or the first problem of a configuration */
export function makeChain(
  processors: readonly RelayProcessor[],
  registry: ConnectorRegistry,
  surroundings: ProcessorSurroundings,
): ProcessorChain {
  return new ProcessorChain(processors.map((processor) => makeLink(processor, registry, surroundings)));
}

function makeLink(
  { id, plugin, settings }: RelayProcessor,
  registry: ConnectorRegistry,
  surroundings: ProcessorSurroundings,
): ChainLink {
  const name = plugin.replace(/^builtin:/, '').replace(/@.*$/, '');
  const definition = registry.processors.find((candidate) => candidate.name === name);
  if (definition === undefined) {
    const known = registry.processors.map((candidate) => candidate.name);
    throw new ProcessorUnknown({ plugin, known }, { suggestion: nearestName(name, known) });
  }
  const typed = typedSettings(definition.parameters, settings);
  const { values, problems } = validateParameters(definition.parameters, typed, () => ({}), [], id);
  if (problems[0] !== undefined) throw problems[0];
  const log = (message: string, fields: Readonly<Record<string, unknown>> = {}): void =>
    surroundings.log.info(message, { processor: id, ...fields });
  return { id, processor: definition.create(values, { ...surroundings, id, log }) };
}
