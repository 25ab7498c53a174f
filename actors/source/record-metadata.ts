// What fills columns whose DEFAULT reads CONNECTOR_METADATA(): of a message one by one, of a stream once for all its records.
//
// What the source says of a record and what the format does are one object. Expressions are compiled when the first metadata comes.
import type { MessageLookup } from '../../connectors/sdk/format.ts';
import type { MessageBorders } from '../../connectors/sdk/source.ts';
import type { EvaluatedDefaults, MetadataDefault, MetadataEvaluator } from '../metadata-defaults.ts';
import type { DecodeSetup } from './piece-decoder.ts';

const encoder = new TextEncoder();

export class RecordMetadata {
  readonly #defaults: readonly MetadataDefault[];
  readonly #setup: DecodeSetup;
  readonly #lookup: MessageLookup | null;
  #evaluator: Promise<MetadataEvaluator> | null = null;

  constructor(defaults: readonly MetadataDefault[], setup: DecodeSetup, lookup: MessageLookup | null) {
    this.#defaults = defaults;
    this.#setup = setup;
    this.#lookup = lookup;
  }

  /** Null: nobody knows anything of these messages. */
  async ofMessages(bytes: Uint8Array, messages: MessageBorders): Promise<EvaluatedDefaults | null> {
    const { offsets, bytes: texts } = this.#described(bytes, messages) ?? messages.metadata ?? none;
    if (offsets.length === 0) return null;
    return (await this.#open()).evaluate(offsets, texts);
  }

  /** The setup of a decoder for the records of a stream. */
  async setupOf(metadata: string): Promise<string> {
    const text = encoder.encode(metadata);
    const evaluated = (await this.#open()).evaluate(Int32Array.of(0, text.length), text);
    const defaults = [...this.#setup.defaults];
    evaluated.columns.forEach((column, c) => {
      const value = Buffer.from(evaluated.bytes.subarray(evaluated.offsets[c], evaluated.offsets[c + 1])).toString();
      defaults[column] = value === '' ? null : value;
    });
    return JSON.stringify({ ...this.#setup, defaults });
  }

  /** What the source knows, and what the format adds; null: it adds nothing. */
  #described(
    bytes: Uint8Array,
    { starts, ends, metadata }: MessageBorders,
  ): { readonly offsets: Int32Array; readonly bytes: Uint8Array } | null {
    const lookup = this.#lookup;
    if (lookup?.describe === undefined) return null;
    const offsets = new Int32Array(starts.length + 1);
    const parts: Buffer[] = [];
    for (let i = 0; i < starts.length; i++) {
      const own =
        metadata === undefined
          ? '{}'
          : Buffer.from(metadata.bytes.subarray(metadata.offsets[i], metadata.offsets[i + 1])).toString();
      const more = lookup.describe(bytes, starts[i] ?? 0, ends[i] ?? 0);
      const text = more === '' ? own : `${own.slice(0, -1)}${own === '{}' ? '' : ','}${more}}`;
      const part = Buffer.from(text);
      parts.push(part);
      offsets[i + 1] = (offsets[i] ?? 0) + part.length;
    }
    return { offsets, bytes: Buffer.concat(parts) };
  }

  #open(): Promise<MetadataEvaluator> {
    const { relation } = this.#setup;
    this.#evaluator ??= import('../metadata-defaults.ts').then(
      ({ MetadataEvaluator: Evaluator }) => new Evaluator(this.#defaults, relation),
    );
    return this.#evaluator;
  }
}

const none = { offsets: new Int32Array(0), bytes: new Uint8Array(0) };
