// Which schemas messages name, and the texts of those schemas: asked of the registry on the thread of the source, before messages are
// decoded on whichever thread.
//
//   message   0 | id, four bytes, the highest first | data        the form of Confluent
//
// Every id is asked for once. An id that the registry does not know stays unknown for `unknownMs`: its messages are refused, and the
// registry is not asked again for each of them.
import type { Clock } from '../../runtime/clock.ts';
import type { FormatContext, MessageLookup } from '../sdk/format.ts';
import type { ParameterValues } from '../sdk/parameters.ts';
import type { MessageBorders } from '../sdk/source.ts';
import { SchemaRegistryClient, type SchemaText } from './schema-registry-client.ts';

/** By id; null: the registry has none. */
export type FoundSchemas = Readonly<Record<string, SchemaText | null>>;

export const messageHeadBytes = 5;
const unknownMs = 10_000;

export class AvroLookup implements MessageLookup {
  readonly #client: SchemaRegistryClient;
  readonly #clock: Clock;
  readonly #unknownUntil = new Map<number, number>();
  #found: FoundSchemas = {};

  constructor(configuration: ParameterValues, context: FormatContext) {
    this.#client = new SchemaRegistryClient(configuration, context);
    this.#clock = context.clock;
  }

  find(bytes: Uint8Array, messages: MessageBorders): Promise<FoundSchemas> | FoundSchemas {
    const missing = this.#missing(bytes, messages);
    return missing.size === 0 ? this.#found : this.#ask(missing);
  }

  describe(bytes: Uint8Array, start: number, end: number): string {
    const hasHead = end - start >= messageHeadBytes && bytes[start] === 0;
    return hasHead ? `"avro_schema_id":${schemaIdAt(bytes, start)}` : '';
  }

  async #ask(ids: ReadonlySet<number>): Promise<FoundSchemas> {
    const found: Record<string, SchemaText | null> = { ...this.#found };
    for (const id of ids) {
      found[id] = await this.#client.schemaById(id);
      if (found[id] === null) this.#unknownUntil.set(id, this.#clock.monotonic() + unknownMs);
      else this.#unknownUntil.delete(id);
    }
    this.#found = found;
    return found;
  }

  #missing(bytes: Uint8Array, { starts, ends }: MessageBorders): ReadonlySet<number> {
    const missing = new Set<number>();
    let last = -1;
    for (let i = 0; i < starts.length; i++) {
      const start = starts[i]!;
      if (ends[i]! - start < messageHeadBytes || bytes[start] !== 0) continue;
      const id = schemaIdAt(bytes, start);
      if (id === last) continue;
      last = id;
      const known = this.#found[id];
      const isUnknown = known === null && this.#clock.monotonic() < (this.#unknownUntil.get(id) ?? 0);
      if (known === undefined || (known === null && !isUnknown)) missing.add(id);
    }
    return missing;
  }
}

/** Of the message that begins at `start` and has a head. */
export function schemaIdAt(bytes: Uint8Array, start: number): number {
  return ((bytes[start + 1]! << 24) | (bytes[start + 2]! << 16) | (bytes[start + 3]! << 8) | bytes[start + 4]!) >>> 0;
}
