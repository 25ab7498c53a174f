// From the processors of a pipeline without SQL, as its user states them, to a chain that can be opened. For the actors of both directions.
import { assembleChain } from '../connectors/processors/assemble-chain.ts';
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
export function makeChain(
  processors: readonly RelayProcessor[],
  registry: ConnectorRegistry,
  { log, ...surroundings }: ProcessorSurroundings,
): ProcessorChain {
  const { chain, problems } = assembleChain(processors, registry.processors, {
    ...surroundings,
    log: (message, fields = {}) => log.info(message, fields),
  });
  const [problem] = problems;
  if (problem !== undefined) throw problem;
  return chain ?? new ProcessorChain([]);
}
