// From the processors of a pipeline without SQL, as its user states them, to a chain that can be opened. For the actors of both directions.
import type { ConnectorRegistry } from '../connectors/sdk/connector.ts';
import { ProcessorChain } from '../connectors/sdk/processor-chain.ts';
import type { SchemaRegistry } from '../connectors/sdk/schema-registry.ts';
import type { Clock } from '../runtime/clock.ts';
import { type CodedErrorClass, defineError } from '../runtime/errors.ts';
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
