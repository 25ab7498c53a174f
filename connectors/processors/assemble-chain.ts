// From processors as a pipeline states them (a plugin's name, settings that are all text, a condition) to a chain that runs.
//
// Every problem at once: names that nobody knows, settings, references, templates. Nothing is opened here.
import { type CodedErrorClass, defineError, formatPlace, MillraceError, Unexpected } from '../../runtime/errors.ts';
import { nearestName } from '../../runtime/nearest-name.ts';
import { loaded, type RegisteredProcessor } from '../sdk/load-on-use.ts';
import type { Parameter, PlaceOf } from '../sdk/parameters.ts';
import type { Processor, ProcessorContext, ProcessorDefinition } from '../sdk/processor.ts';
import { type ChainLink, ProcessorChain } from '../sdk/processor-chain.ts';
import { typedSettings } from '../sdk/text-settings.ts';
import { validateParameters } from '../sdk/validate-parameters.ts';
import { conditional } from './conditional.ts';
import { withSchemas } from './record-schemas.ts';

export const ProcessorUnknown: CodedErrorClass<{ readonly plugin: string; readonly known: readonly string[] }> =
  defineError(
    'processor.unknown',
    { help: 'Choose one of the processors that docs/processors.md lists, or register your own.' },
    (f) => `there is no processor "${f.plugin}"; there are ${f.known.join(', ')}`,
  );

export const ProcessorStandalone: CodedErrorClass<{ readonly plugin: string }> = defineError(
  'processor.standalone_unknown',
  {
    help: 'Put its WebAssembly module into the folder of processors (--processors); `processor-plugins list` shows them.',
  },
  (f) => `there is no standalone processor "${f.plugin}"`,
);

/** A processor as a pipeline states it. */
export interface ProcessorPlan {
  readonly id: string;
  /** `[builtin:|any:]name[@version]` */
  readonly plugin: string;
  readonly settings: Readonly<Record<string, string>>;
  /** '' = always. */
  readonly condition: string;
  /** The WebAssembly module of a standalone processor. */
  readonly file?: string;
}

/** A processor of a WebAssembly module. @throws what is wrong with its settings, as far as that can be seen from outside */
export type StandaloneMaker = (
  module: Pick<ProcessorPlan, 'plugin' | 'settings'> & { readonly path: string },
  context: ProcessorContext,
) => Processor;

export interface AssemblyOptions {
  /** Finds `[index of the processor, 'settings' | 'condition' | 'plugin', …]` in what the user wrote. */
  readonly placeOf?: PlaceOf;
  /** null: nobody runs modules here. */
  readonly standalone?: StandaloneMaker | null;
}

/** Parameters that every processor has. */
export const processorMiddlewareParameters: readonly Parameter[] = [
  ...(['payload', 'key'] as const).map(
    (part): Parameter => ({
      name: `sdk.schema.decode.${part}.enabled`,
      type: { kind: 'boolean' },
      required: false,
      default: true,
      description: `The ${part} is decoded before the processor sees it where the metadata names its schema.`,
    }),
  ),
  ...(['payload', 'key'] as const).map(
    (part): Parameter => ({
      name: `sdk.schema.encode.${part}.enabled`,
      type: { kind: 'boolean' },
      required: false,
      default: true,
      description: `The ${part} is encoded again behind the processor where the metadata names its schema; what no longer fits gets a new version of it.`,
    }),
  ),
];

export interface AssembledChain {
  /** null when there are problems. */
  readonly chain: ProcessorChain | null;
  readonly problems: readonly MillraceError[];
}

export async function assembleChain(
  plans: readonly ProcessorPlan[],
  definitions: readonly RegisteredProcessor[],
  context: Omit<ProcessorContext, 'id'>,
  { placeOf = () => ({}), standalone = null }: AssemblyOptions = {},
): Promise<AssembledChain> {
  const problems: MillraceError[] = [];
  const links: ChainLink[] = [];
  for (const [i, plan] of plans.entries()) {
    const ownContext = { ...context, id: plan.id };
    const settingsAt: PlaceOf = (path) => placeOf([i, 'settings', ...path]);
    let processor: MadeProcessor;
    try {
      processor =
        plan.file === undefined
          ? makeProcessor(await loaded(findProcessor(plan.plugin, definitions)), plan, ownContext, settingsAt)
          : makeStandalone(plan, plan.file, standalone, ownContext, settingsAt);
    } catch (thrown) {
      problems.push(placed(thrown, placeOf, [i, 'plugin']));
      continue;
    }
    problems.push(...processor.problems);
    const { made } = processor;
    try {
      const inert: Processor = { process: (batch) => ({ batch, origins: null, failed: [] }) };
      const guarded = plan.condition.trim() === '' ? made : conditional(made ?? inert, plan.condition, context.clock);
      if (made !== null && guarded !== null) links.push({ id: plan.id, processor: guarded });
    } catch (thrown) {
      problems.push(placed(thrown, placeOf, [i, 'condition']));
    }
  }
  return problems.length > 0 ? { chain: null, problems } : { chain: new ProcessorChain(links), problems };
}

/** @throws ProcessorUnknown, ProcessorStandalone */
export function findProcessor(plugin: string, definitions: readonly RegisteredProcessor[]): RegisteredProcessor {
  const [, kind, name = ''] = /^(?:(builtin|standalone|any):)?([^@]*)/.exec(plugin) ?? [];
  if (kind === 'standalone') throw new ProcessorStandalone({ plugin });
  const found = definitions.find((definition) => definition.name === name);
  if (found !== undefined) return found;
  const known = definitions.map((definition) => definition.name);
  throw new ProcessorUnknown({ plugin, known }, { suggestion: nearestName(name, known) });
}

interface MadeProcessor {
  /** null when there are problems. */
  readonly made: Processor | null;
  readonly problems: readonly MillraceError[];
}

/** It validates its settings itself, and it has the middleware in itself. @throws ProcessorStandalone */
function makeStandalone(
  plan: ProcessorPlan,
  path: string,
  standalone: StandaloneMaker | null,
  context: ProcessorContext,
  placeOf: PlaceOf,
): MadeProcessor {
  const { plugin, settings } = plan;
  if (standalone === null) throw new ProcessorStandalone({ plugin });
  try {
    return { made: standalone({ plugin, settings, path }, context), problems: [] };
  } catch (thrown) {
    return { made: null, problems: [placed(thrown, placeOf, [])] };
  }
}

function makeProcessor(
  definition: ProcessorDefinition,
  plan: ProcessorPlan,
  context: ProcessorContext,
  placeOf: PlaceOf,
): MadeProcessor {
  const parameters = [...definition.parameters, ...processorMiddlewareParameters];
  const given = typedSettings(parameters, plan.settings);
  const { values, problems } = validateParameters(parameters, given, placeOf, [], plan.id);
  if (problems.length > 0) return { made: null, problems };
  try {
    const own = Object.fromEntries(Object.entries(values).filter(([key]) => !key.startsWith('sdk.')));
    const processor = definition.create(own, context);
    return { made: withSchemas(processor, values, context.schemas), problems };
  } catch (thrown) {
    return { made: null, problems: [placed(thrown, placeOf, [])] };
  }
}

/** The error with the place of the setting in front; a template's own line and column stay in the message. */
function placed(thrown: unknown, placeOf: PlaceOf, path: readonly (string | number)[]): MillraceError {
  const place = placeOf(path);
  if (!(thrown instanceof MillraceError)) {
    const detail = thrown instanceof Error ? thrown.message : String(thrown);
    return new Unexpected({ detail }, { place, cause: thrown });
  }
  if (Object.keys(place).length === 0) return thrown;
  const { code, help, retry, fields, suggestion, cause } = thrown;
  const error = new MillraceError({ code, help, retry }, '', fields, { place, suggestion, cause });
  // The message holds the suggestion already.
  Object.defineProperty(error, 'message', { value: `${formatPlace(place)}: ${thrown.message}`, configurable: true });
  return error;
}
