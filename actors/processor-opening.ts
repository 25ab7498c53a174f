// From the processors of a pipeline without SQL, as its user states them, to a chain that can be opened (for the actors of both
// directions), or to everything that is wrong with them (for whoever takes a pipeline before it is started).

import { processorsWith } from '../connectors/connector-modules.ts';
import type { StandaloneMaker } from '../connectors/processors/assemble-chain.ts';
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
  const { problems } = await assembleChain(processors, registry.processors, context, {
    placeOf: placeOf ?? (() => ({})),
    standalone: await standaloneMaker(processors),
  });
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
  const context = {
    ...surroundings,
    log: (message: string, fields: Readonly<Record<string, unknown>> = {}): void => logged(log, message, fields),
  };
  const modules = [...new Set(processors.flatMap(({ module }) => (module === undefined ? [] : [module])))];
  const { chain, problems } = await assembleChain(processors, await processorsWith(registry, modules), context, {
    standalone: await standaloneMaker(processors),
  });
  const [problem] = problems;
  if (problem !== undefined) throw problem;
  return chain ?? new ProcessorChain([]);
}

/** The code that runs WebAssembly modules is loaded where there is one. */
async function standaloneMaker(processors: readonly Pick<RelayProcessor, 'file'>[]): Promise<StandaloneMaker | null> {
  if (processors.every(({ file }) => file === undefined)) return null;
  const { wasmProcessor } = await import('../connectors/standalone/wasm-processor.ts');
  return ({ path, plugin, settings }, context) => wasmProcessor({ path, plugin, settings }, context);
}

/** Processors may say how bad it is. */
function logged(log: Log, message: string, { level, ...fields }: Readonly<Record<string, unknown>>): void {
  if (level === 'error' || level === 'warn') log[level](message, fields);
  else log.info(message, level === undefined ? fields : { level, ...fields });
}
