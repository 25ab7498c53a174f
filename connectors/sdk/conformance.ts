// What every source has to get right, as a list of named checks that any test runner can run:
//
//   for (const { title, run } of conformance(myConnector, { … })) test(title, run);
//
// The checks drive the source as the runtime does, and nothing else: teardown always, also without open; the same rows
// or bytes when it is opened at any position that it has given out; an early stop without an error; no parameter that is
// not declared. They need an input that ends. They prove the contract, not that the data is right.
import { readCell } from '../../runtime/batch/scalar-values.ts';
import type { Relation } from '../../runtime/batch/schema.ts';
import { type Clock, systemClock } from '../../runtime/clock.ts';
import { AssertionFailed } from '../../runtime/errors.ts';
import type { Payload, Position, Source, SourceContext, SourceDefinition } from './source.ts';
import { validateParameters } from './validate-parameters.ts';

export interface ConformanceOptions {
  /** A valid configuration of an input that ends after at least two payloads. */
  readonly configuration: Readonly<Record<string, unknown>>;
  readonly relation: Relation;
  readonly baseFolder?: string;
  readonly clock?: Clock;
}

export interface ConformanceCase {
  readonly title: string;
  readonly run: () => Promise<void>;
}

/** The checks for one source in one configuration. */
export function conformance(definition: SourceDefinition, options: ConformanceOptions): readonly ConformanceCase[] {
  const harness = new Harness(definition, options);
  const { name } = definition;
  return [
    { title: `${name} is torn down without having been opened`, run: () => harness.tearDownUnopened() },
    { title: `${name} refuses a parameter that it does not declare`, run: () => harness.refuseUnknownParameter() },
    { title: `${name} refuses a configuration that lacks a required parameter`, run: () => harness.refuseMissing() },
    { title: `${name} gives the same input every time it is opened anew`, run: () => harness.readTwice() },
    { title: `${name} goes on from every position that it has given out`, run: () => harness.resumeEverywhere() },
    { title: `${name} ends soon and without an error when it is stopped`, run: () => harness.stopEarly() },
    { title: `${name} gives bytes that belong to the receiver alone`, run: () => harness.ownBytes() },
  ];
}

/** A payload as text: what it holds, and where one may go on after it. */
interface Taken {
  readonly content: string;
  readonly position: Position;
  /** Only for bytes: the position in the middle of the payload, and the content behind it. */
  readonly middle: { readonly position: Position; readonly rest: string } | null;
}

class Harness {
  readonly #definition: SourceDefinition;
  readonly #options: ConformanceOptions;

  constructor(definition: SourceDefinition, options: ConformanceOptions) {
    this.#definition = definition;
    this.#options = options;
  }

  async tearDownUnopened(): Promise<void> {
    const { source } = this.#make();
    await source.teardown?.();
  }

  async refuseUnknownParameter(): Promise<void> {
    const given = { ...this.#options.configuration, no_such_parameter: 1 };
    const { problems } = validateParameters(this.#definition.parameters, given, () => ({}), []);
    check(
      problems.some((problem) => problem.code === 'config.unknown_key'),
      'an unknown parameter is refused',
    );
  }

  async refuseMissing(): Promise<void> {
    for (const parameter of this.#definition.parameters) {
      if (!parameter.required) continue;
      const { [parameter.name]: _, ...given } = this.#options.configuration;
      const { problems } = validateParameters(this.#definition.parameters, given, () => ({}), []);
      check(
        problems.some((problem) => problem.code === 'config.missing_key'),
        `a configuration without ${parameter.name} is refused`,
      );
    }
  }

  async readTwice(): Promise<void> {
    const first = contentOf(await this.#take(null));
    const second = contentOf(await this.#take(null));
    check(first.length > 0, 'the input of a conformance test is not empty');
    check(first === second, 'two runs over the same input give the same content');
  }

  async resumeEverywhere(): Promise<void> {
    const all = await this.#take(null);
    check(all.length >= 2, 'the input of a conformance test has at least two payloads');
    for (const [i, taken] of all.entries()) {
      const rest = contentOf(all.slice(i + 1));
      // A position goes through JSON on its way to the disk and back.
      const resumed = contentOf(await this.#take(throughJson(taken.position)));
      check(resumed === rest, `the input goes on behind payload ${i + 1}`);
      if (taken.middle === null) continue;
      const inside = contentOf(await this.#take(throughJson(taken.middle.position)));
      check(inside === taken.middle.rest + rest, `the input goes on inside payload ${i + 1}`);
    }
  }

  async stopEarly(): Promise<void> {
    const { source, controller } = this.#make();
    try {
      await source.open(null);
      let payloads = 0;
      for await (const _ of source.read()) {
        payloads++;
        controller.abort();
        await source.stop?.();
        check(payloads <= 2, 'a stopped source gives at most the payload that was under way');
      }
    } finally {
      await source.teardown?.();
    }
  }

  async ownBytes(): Promise<void> {
    const seen = new Set<ArrayBuffer>();
    const { source } = this.#make();
    try {
      await source.open(null);
      for await (const payload of source.read()) {
        if (payload.kind !== 'bytes' || payload.bytes.length === 0) continue;
        check(payload.bytes.byteLength === payload.bytes.buffer.byteLength, 'a payload owns its whole buffer');
        check(!seen.has(payload.bytes.buffer), 'a payload does not share its buffer with an earlier one');
        seen.add(payload.bytes.buffer);
      }
    } finally {
      await source.teardown?.();
    }
  }

  #make(): { readonly source: Source; readonly controller: AbortController } {
    const { configuration, relation, baseFolder, clock } = this.#options;
    const { values, problems } = validateParameters(this.#definition.parameters, configuration, () => ({}), []);
    if (problems[0] !== undefined) throw problems[0];
    const controller = new AbortController();
    const context: SourceContext = {
      endpoint: `${relation.name}.conformance`,
      relation,
      signal: controller.signal,
      baseFolder: baseFolder ?? process.cwd(),
      clock: clock ?? systemClock,
      reportError: () => {},
    };
    return { source: this.#definition.create(values, context), controller };
  }

  async #take(position: Position | null): Promise<readonly Taken[]> {
    const { source } = this.#make();
    const taken: Taken[] = [];
    try {
      await source.open(position);
      for await (const payload of source.read()) {
        const one = takenOf(payload);
        if (one !== null) taken.push(one);
      }
    } finally {
      await source.teardown?.();
    }
    return taken;
  }
}

function takenOf(payload: Payload): Taken | null {
  switch (payload.kind) {
    case 'idle':
      return null;
    case 'bytes': {
      const content = Buffer.from(payload.bytes).toString('latin1');
      const half = payload.bytes.length >> 1;
      const middle = { position: payload.positionAfter(half), rest: content.slice(half) };
      return { content, position: payload.positionAfter(payload.bytes.length), middle };
    }
    case 'batch': {
      const { batch, position } = payload;
      let content = '';
      for (let row = 0; row < batch.rows; row++) {
        const cells = batch.columns.map((column) => String(readCell(column, row)));
        content += `${batch.weights?.[row] ?? 1} ${cells.join(',')}\n`;
      }
      return { content, position, middle: null };
    }
  }
}

function contentOf(taken: readonly Taken[]): string {
  return taken.map(({ content }) => content).join('');
}

function throughJson(position: Position): Position {
  return JSON.parse(JSON.stringify(position));
}

function check(condition: boolean, claim: string): void {
  if (!condition) throw new AssertionFailed({ invariant: claim });
}
