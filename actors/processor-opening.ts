// From the processors of a pipeline without SQL, as its user states them, to a chain that can be opened (for the actors of both
// directions), or to everything that is wrong with them (for whoever takes a pipeline before it is started).
import type { ConnectorRegistry } from '../connectors/sdk/connector.ts';
import type { PlaceOf } from '../connectors/sdk/parameters.ts';
import { ProcessorChain } from '../connectors/sdk/processor-chain.ts';
import type { SchemaRegistry } from '../connectors/sdk/schema-registry.ts';
import type { Clock } from '../runtime/clock.ts';
import { type CodedErrorClass, defineError, type MillraceError } from '../runtime/errors.ts';
import type { Log } from '../runtime/log.ts';
import type { RelayProcessor } from './relay-definition.ts';

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
  /** Left out where nobody keeps schemas. */
  readonly schemas?: SchemaRegistry;
}

/** Names, settings, references, templates, conditions: everything at once, each with its place. Nothing is opened. */
export async function processorProblems(
  processors: readonly Omit<RelayProcessor, 'workers'>[],
  registry: Pick<ConnectorRegistry, 'processors'>,
  { baseFolder, clock }: Pick<ProcessorSurroundings, 'baseFolder' | 'clock'>,
  placeOf?: PlaceOf,
): Promise<readonly MillraceError[]> {
  if (processors.length === 0) return [];
  const { assembleChain } = await import('../connectors/processors/assemble-chain.ts');
  const { SchemaStore } = await import('../connectors/standalone/schema-store.ts');
  const { signal } = new AbortController();
  const context = { baseFolder, clock, signal, schemas: new SchemaStore(null), log: () => {} };
  const { problems } = await assembleChain(processors, registry.processors, context, placeOf);
  return problems;
}

/** @throws the first problem of a name, a configuration or a condition */
export async function makeChain(
  processors: readonly RelayProcessor[],
  registry: ConnectorRegistry,
  { log, ...surroundings }: ProcessorSurroundings,
): Promise<ProcessorChain> {
  if (processors.length === 0) return new ProcessorChain([]);
  // Templates, scripts and schemas: none of it is loaded where there are no processors.
  const { assembleChain } = await import('../connectors/processors/assemble-chain.ts');
  const { chain, problems } = await assembleChain(processors, registry.processors, {
    ...surroundings,
    log: (message, fields = {}) => log.info(message, fields),
  });
  const [problem] = problems;
  if (problem !== undefined) throw problem;
  return chain ?? new ProcessorChain([]);
}
