// The definition of a pipeline as it stands now: what was given at the start, plus connectors added, minus those removed.
//
// It is always validated as a whole, labels and cycles included, and changes only when that succeeds. Problems that were
// there before a change (a removed connector that the SQL text still declares, say) are not held against the change.
import type { Connector } from '../../connectors/sdk/connector-configuration.ts';
import { errorToData, type MillraceError } from '../../runtime/errors.ts';
import { ConfigDuplicateEndpoint } from './configuration-errors.ts';
import type { Direction } from './messages.ts';
import { PipelineInvalid } from './supervision-errors.ts';
import type { ValidatedPipeline } from './validate-pipeline.ts';

type Sections = Readonly<Record<string, unknown>>;

export class LiveDefinition {
  readonly #validate: (definition: unknown) => ValidatedPipeline;
  #definition: Sections;
  #validated: ValidatedPipeline;

  /** @throws PipelineInvalid with every problem. */
  constructor(definition: unknown, validate: (definition: unknown) => ValidatedPipeline) {
    this.#validate = validate;
    this.#validated = validate(definition);
    if (this.#validated.problems.length > 0) throw invalid(this.#validated.problems);
    // SAFETY: a definition without problems is an object.
    this.#definition = definition as Sections;
  }

  get validated(): ValidatedPipeline {
    return this.#validated;
  }

  /** Adds a connector and returns it as parsed. @throws PipelineInvalid; nothing has changed then. */
  add(direction: Direction, key: string, connector: unknown): Connector {
    const section = `${direction}s`;
    const entries = asSection(this.#definition[section]);
    const definition = {
      ...this.#definition,
      [section]: { ...entries, [freeKey(entries, key, connector)]: connector },
    };
    const validated = this.#validate(definition);
    const before = new Set(this.#validated.problems.map(identity));
    const problems = validated.problems.filter((problem) => !before.has(identity(problem)));
    if (problems.length > 0) throw invalid(problems);
    const known = new Set(this.#connectors(direction, this.#validated).map((old) => old.endpoint));
    const added = this.#connectors(direction, validated).find((candidate) => !known.has(candidate.endpoint));
    if (added === undefined) throw invalid([]);
    this.#definition = definition;
    this.#validated = validated;
    return added;
  }

  /** What `add` would say if `replaced` were not there. Nothing changes. @throws PipelineInvalid */
  check(direction: Direction, key: string, connector: unknown, replaced: string): void {
    const definition = this.#definition;
    const validated = this.#validated;
    try {
      this.remove(direction, replaced);
      this.add(direction, key, connector);
    } finally {
      this.#definition = definition;
      this.#validated = validated;
    }
  }

  remove(direction: Direction, endpoint: string): void {
    if (!this.#connectors(direction, this.#validated).some((connector) => connector.endpoint === endpoint)) return;
    const section = `${direction}s`;
    const without = { ...asSection(this.#definition[section]) };
    for (const key of Object.keys(without)) {
      const definition = { ...this.#definition, [section]: omit(without, key) };
      const rest = this.#connectors(direction, this.#validate(definition));
      if (rest.some((connector) => connector.endpoint === endpoint)) continue;
      this.#definition = definition;
      this.#validated = this.#validate(definition);
      return;
    }
  }

  #connectors(direction: Direction, validated: ValidatedPipeline): readonly Connector[] {
    return direction === 'input' ? validated.inputs : validated.outputs;
  }
}

/** The key, or `<stream>.<key>` when the key is taken by a connector of another stream. */
function freeKey(entries: Sections, key: string, connector: unknown): string {
  if (!Object.hasOwn(entries, key)) return key;
  const hasStream = typeof connector === 'object' && connector !== null && 'stream' in connector;
  const full = hasStream ? `${connector.stream}.${key}` : key;
  if (Object.hasOwn(entries, full)) throw invalid([new ConfigDuplicateEndpoint({ endpoint: full })]);
  return full;
}

/** Every problem as one error; the first is its cause. */
export function invalid(problems: readonly MillraceError[]): MillraceError {
  const summary = problems.map((problem) => `  ${problem.code}: ${problem.message}`).join('\n');
  const data = problems.map((problem) => errorToData(problem));
  return new PipelineInvalid({ problems: data, summary }, { cause: problems[0] });
}

function asSection(section: unknown): Sections {
  // SAFETY: validation has refused sections that are no objects.
  return (section ?? {}) as Sections;
}

function omit(section: Sections, key: string): Sections {
  const { [key]: _, ...rest } = section;
  return rest;
}

function identity(problem: MillraceError): string {
  return JSON.stringify([problem.code, problem.message]);
}
