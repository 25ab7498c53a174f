// The fields of a request's body, read one by one. Names in camel case or as protocol files spell them (`pipeline_id`); what a
// reply of the same resource carries and cannot be set is passed over, so that what was read may be sent back; any other
// name is refused with the nearest one. All problems of a body are told at once, by `check`. A place is `config.settings.path`, or
// `/settings/path` (a JSON pointer) in documents of whole pipelines, as Conduit has both.
import { nearestName } from '../../../runtime/nearest-name.ts';
import { type V1Detail, type V1Reason, v1Detail, v1Problem } from './v1-problem.ts';

type JsonObject = Readonly<Record<string, unknown>>;

interface Problem {
  readonly message: string;
  readonly detail: V1Detail;
}

/** What replies carry beside what can be set. */
const replyFields: readonly string[] = [
  ...['id', 'state', 'connectorIds', 'processorIds', 'createdAt', 'updatedAt', 'sourceState', 'destinationState'],
];

/** A name, or the place in a list. */
type Step = string | number;
type PlaceText = (steps: readonly Step[]) => string;

export class RequestFields {
  readonly #object: JsonObject;
  readonly #path: readonly Step[];
  readonly #problems: Problem[];
  readonly #placeText: PlaceText;

  /** `names`: what can be set. */
  constructor(
    value: unknown,
    names: readonly string[],
    path: readonly Step[] = [],
    problems: Problem[] = [],
    placeText: PlaceText = dotted,
  ) {
    this.#path = path;
    this.#problems = problems;
    this.#placeText = placeText;
    const object: Record<string, unknown> = {};
    this.#object = object;
    if (value === undefined || value === null) return;
    if (typeof value !== 'object' || Array.isArray(value)) {
      this.refuse([], 'config.field_invalid', 'an object is expected');
      return;
    }
    for (const [key, item] of Object.entries(value)) {
      const name = key.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
      if (names.includes(name)) object[name] = item;
      else if (!replyFields.includes(name)) {
        this.refuse(key, 'config.field_invalid', 'there is no such field', nearestName(name, names));
      }
    }
  }

  refuse(field: Step | readonly Step[], reason: V1Reason, why: string, suggestion?: string): void {
    const configPath = this.#placeOf(...(Array.isArray(field) ? field : [field]));
    const hint = suggestion === undefined ? '' : ` (did you mean "${suggestion}"?)`;
    const where = configPath === '' ? 'the body' : `"${configPath}"`;
    this.#problems.push({
      message: `${where}: ${why}${hint}`,
      detail: v1Detail(reason, { configPath, ...(suggestion === undefined ? {} : { suggestion }) }),
    });
  }

  has(name: string): boolean {
    return this.#object[name] !== undefined && this.#object[name] !== null;
  }

  raw(name: string): unknown {
    return this.#object[name] ?? undefined;
  }

  /** '' when there is none. */
  text(name: string, charactersMax: number = Number.POSITIVE_INFINITY): string {
    const value = this.raw(name);
    if (value === undefined) return '';
    if (typeof value !== 'string') {
      this.refuse(name, 'config.field_invalid', `a text is expected, not ${kindOf(value)}`);
      return '';
    }
    if ([...value].length > charactersMax) {
      this.refuse(name, 'config.field_too_long', `${[...value].length} characters; ${charactersMax} are allowed`);
    }
    return value;
  }

  /** Also as a text: that is how replies write 64-bit integers. */
  count(name: string, fallback: number): number {
    const value = this.raw(name);
    if (value === undefined) return fallback;
    const count = typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : value;
    if (typeof count === 'number' && Number.isSafeInteger(count) && count >= 0) return count;
    this.refuse(name, 'config.field_invalid', 'a whole number from 0 is expected');
    return fallback;
  }

  flag(name: string): boolean {
    const value = this.raw(name);
    if (value === undefined || typeof value === 'boolean') return value === true;
    this.refuse(name, 'config.field_invalid', `true or false is expected, not ${kindOf(value)}`);
    return false;
  }

  /** Texts by name. */
  settings(name: string): Readonly<Record<string, string>> {
    const value = this.raw(name);
    if (value === undefined) return {};
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      this.refuse(name, 'config.field_invalid', `texts by name are expected, not ${kindOf(value)}`);
      return {};
    }
    const settings: Record<string, string> = {};
    for (const [key, item] of Object.entries(value)) {
      if (typeof item === 'string') settings[key] = item;
      else this.refuse([name, key], 'config.field_invalid', `a text is expected, not ${kindOf(item)}`);
    }
    return settings;
  }

  object(name: string, names: readonly string[]): RequestFields {
    return this.#inner(this.raw(name), names, [...this.#path, name], this.#placeText);
  }

  /** As `object`, and the places inside of it are JSON pointers that begin there. */
  document(name: string, names: readonly string[]): RequestFields {
    return this.#inner(this.raw(name), names, [], pointer);
  }

  list(name: string, names: readonly string[]): readonly RequestFields[] {
    const value = this.raw(name);
    if (value === undefined) return [];
    if (!Array.isArray(value)) {
      this.refuse(name, 'config.field_invalid', `a list is expected, not ${kindOf(value)}`);
      return [];
    }
    return value.map((item, i) => this.#inner(item, names, [...this.#path, name, i], this.#placeText));
  }

  /** How the place of a field inside of this is written. */
  #placeOf(...steps: readonly Step[]): string {
    return this.#placeText([...this.#path, ...steps]);
  }

  /** @throws HttpProblem with everything that was refused. The first one gives the reply its reason. */
  check(): void {
    const [first] = this.#problems;
    if (first === undefined) return;
    // SAFETY: details are made of reasons only.
    const reason = first.detail.reason as V1Reason;
    throw v1Problem(
      reason,
      this.#problems.map(({ message }) => message).join('\n'),
      this.#problems.map(({ detail }) => detail),
    );
  }

  #inner(value: unknown, names: readonly string[], path: readonly Step[], placeText: PlaceText): RequestFields {
    return new RequestFields(value, names, path, this.#problems, placeText);
  }
}

function dotted(steps: readonly Step[]): string {
  return steps.map((step, i) => (typeof step === 'number' ? `[${step}]` : i === 0 ? step : `.${step}`)).join('');
}

function pointer(steps: readonly Step[]): string {
  return steps.map((step) => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

function kindOf(value: unknown): string {
  return value === null ? 'null' : Array.isArray(value) ? 'a list' : `a ${typeof value}`;
}
