// What tests of plugins need of a host: sources and destinations of a binary, with contexts that write down what they are told.
import { chmodSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Destination } from '../../connectors/sdk/destination.ts';
import type { ParameterValues } from '../../connectors/sdk/parameters.ts';
import { type ConnectorRecord, recordOperations } from '../../connectors/sdk/record.ts';
import { recordBatchOf, recordRelation, recordsOf } from '../../connectors/sdk/record-batch.ts';
import type { Payload, Position, Source, SourceContext } from '../../connectors/sdk/source.ts';
import { validateParameters } from '../../connectors/sdk/validate-parameters.ts';
import { pluginOutput } from '../../connectors/standalone/plugin-destination.ts';
import { pluginInput } from '../../connectors/standalone/plugin-source.ts';
import { contextFor, type TestContext } from '../connectors/connector-context.ts';

const here = dirname(fileURLToPath(import.meta.url));

export interface Hosted<T> {
  readonly connector: T;
  readonly context: TestContext;
  readonly configuration: ParameterValues;
  readonly failures: Error[];
}

export function temporaryFolder(): string {
  return mkdtempSync(join(tmpdir(), 'millrace-plugins-'));
}

/** An executable that runs the hostile plugin in this mode. */
export function hostile(mode: string): string {
  const path = join(temporaryFolder(), 'plugin');
  const script = join(here, 'hostile-plugin.js');
  writeFileSync(path, `#!/bin/sh\nexec '${process.execPath}' '${script}' '${mode}'\n`);
  chmodSync(path, 0o755);
  return path;
}

/** `surroundings`: of its context, which a connector may read as soon as it is made. */
export function hostedSource(
  path: string,
  settings: Record<string, string> = {},
  more: object = {},
  surroundings: Partial<Pick<SourceContext, 'stallMs' | 'stalled'>> = {},
): Hosted<Source> {
  const configuration = configured(pluginInput, { plugin: 'test', path, id: 'p:source', settings, ...more });
  const { context, failures } = makeContext();
  Object.assign(context, surroundings);
  return { connector: pluginInput.create(configuration, context), context, configuration, failures };
}

export function hostedDestination(
  path: string,
  settings: Record<string, string> = {},
  more: object = {},
): Hosted<Destination> {
  const configuration = configured(pluginOutput, { plugin: 'test', path, id: 'p:destination', settings, ...more });
  const { context, failures } = makeContext();
  return { connector: pluginOutput.create(configuration, context), context, configuration, failures };
}

function makeContext(): { readonly context: TestContext; readonly failures: Error[] } {
  const failures: Error[] = [];
  const context = contextFor(recordRelation, '/');
  return { context: Object.assign(context, { failed: (error: Error) => void failures.push(error) }), failures };
}

function configured(
  definition: { readonly parameters: typeof pluginInput.parameters },
  value: object,
): ParameterValues {
  const { values, problems } = validateParameters(definition.parameters, value, () => ({}), []);
  if (problems[0] !== undefined) throw problems[0];
  return values;
}

/** Reads on demand, so that a test can do something between two batches. */
export class Reading {
  readonly records: ConnectorRecord[] = [];
  readonly positions: Position[] = [];
  readonly #payloads: AsyncIterator<Payload>;

  constructor(source: Source) {
    this.#payloads = source.read()[Symbol.asyncIterator]();
  }

  /** False: the source has ended. @throws what ends it */
  async next(): Promise<boolean> {
    const { value, done } = await this.#payloads.next();
    if (done === true) return false;
    if (value.kind !== 'batch') return true;
    this.records.push(...recordsOf(value.batch));
    this.positions.push(value.position);
    return true;
  }

  async until(count: number): Promise<void> {
    while (this.records.length < count) if (!(await this.next())) throw new Error('the source ended too early');
  }

  async toEnd(): Promise<void> {
    while (await this.next());
  }
}

/** Records p-1 to p-count, as a batch. */
export function numbered(
  from: number,
  count: number,
  bytes = 1,
): { readonly kind: 'batch'; readonly batch: ReturnType<typeof recordBatchOf> } {
  const records = Array.from({ length: count }, (_, i): ConnectorRecord => {
    const operation = recordOperations[(from + i) % 4] ?? 'create';
    return {
      position: new Uint8Array(Buffer.from(`p-${from + i}`)),
      operation,
      metadata: { number: String(from + i) },
      key: null,
      before: null,
      after: new Uint8Array(bytes),
    };
  });
  return { kind: 'batch', batch: recordBatchOf(records) };
}

/** Resolves when `condition` holds; looks again after each turn of the loop. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 2));
}
