// A node of a YAML document with its place: what stands there, read as the kind that is expected. Whatever is of another kind is
// a problem with file, line and column; reading goes on, so that all problems of a file are told at once.
//
// Aliases and merge keys are resolved. A scalar is the text as it was written: `1.50` stays `1.50`, `0x10` stays `0x10`.
import { type Document, isAlias, isMap, isNode, isScalar, isSeq, type LineCounter, type Node } from 'yaml';
import {
  ConfigInvalidValue,
  ConfigMissingKey,
  ConfigUnknownKey,
  ConfigUnknownValue,
  ConfigWrongType,
} from '../../../connectors/sdk/configuration-errors.ts';
import type { MillraceError, Place } from '../../../runtime/errors.ts';
import { nearestName } from '../../../runtime/nearest-name.ts';
import { expandEnvironment } from './environment-text.ts';
import { FileVariableUnset } from './file-errors.ts';

/** What the nodes of one document have in common. */
export interface YamlReading {
  readonly file: string;
  readonly document: Document.Parsed;
  readonly lines: LineCounter;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly problems: MillraceError[];
  readonly warnings: MillraceError[];
}

export class YamlNode {
  readonly #reading: YamlReading;
  readonly #node: Node | null;
  /** Where it is said that it is wrong: the key in front of it, where there is one. */
  readonly #at: Node | null;
  readonly path: readonly (string | number)[];

  constructor(
    reading: YamlReading,
    node: Node | null,
    path: readonly (string | number)[] = [],
    at: Node | null = node,
  ) {
    this.#reading = reading;
    this.#node = isAlias(node) ? (node.resolve(reading.document) ?? null) : node;
    this.#at = at;
    this.path = path;
  }

  get place(): Place {
    const offset = this.#at?.range?.[0];
    const { file, lines } = this.#reading;
    const path = this.path.join('.');
    if (offset === undefined) return { file, path };
    const { line, col } = lines.linePos(offset);
    return { file, line, column: col, path };
  }

  get name(): string {
    return String(this.path.at(-1) ?? '');
  }

  /** Nothing, or null. */
  get isEmpty(): boolean {
    return this.#node === null || (isScalar(this.#node) && this.#node.value === null);
  }

  get isMap(): boolean {
    return isMap(this.#node);
  }

  get isList(): boolean {
    return isSeq(this.#node);
  }

  /** Of the whole file, so far. */
  get problemCount(): number {
    return this.#reading.problems.length;
  }

  problem(error: MillraceError): void {
    this.#reading.problems.push(error);
  }

  warning(error: MillraceError): void {
    this.#reading.warnings.push(error);
  }

  refuse(reason: string): void {
    this.problem(new ConfigInvalidValue({ key: this.name, reason }, { place: this.place }));
  }

  /** Every entry by its key; merged ones behind those that stand there. */
  entries(): ReadonlyMap<string, YamlNode> {
    const found = new Map<string, YamlNode>();
    if (this.isEmpty) return found;
    if (!isMap(this.#node)) {
      this.#wrongType('a mapping');
      return found;
    }
    const merged: YamlNode[] = [];
    for (const { key, value } of this.#node.items) {
      const name = isScalar(key) ? (key.source ?? String(key.value)) : String(key);
      const node = new YamlNode(
        this.#reading,
        isNode(value) ? value : null,
        name === '<<' ? this.path : [...this.path, name],
        isNode(key) ? key : null,
      );
      if (name === '<<') merged.push(...(node.isList ? node.items() : [node]));
      else found.set(name, node);
    }
    for (const node of merged) {
      for (const [name, value] of node.entries()) if (!found.has(name)) found.set(name, value);
    }
    return found;
  }

  /** Like `entries`; keys that are none of `names` are problems, or warnings where the file may know more than we do. */
  fields(
    names: readonly string[],
    options: { readonly owner: string; readonly isLenient: boolean },
  ): ReadonlyMap<string, YamlNode> {
    const found = this.entries();
    for (const [key, node] of found) {
      if (names.includes(key)) continue;
      const context = { place: node.place, suggestion: nearestName(key, names) };
      const error = new ConfigUnknownKey({ key, owner: options.owner }, context);
      if (options.isLenient) this.warning(error);
      else this.problem(error);
    }
    return found;
  }

  items(): readonly YamlNode[] {
    if (this.isEmpty) return [];
    if (!isSeq(this.#node)) {
      this.#wrongType('a list');
      return [];
    }
    return this.#node.items.map(
      (item, i) => new YamlNode(this.#reading, isNode(item) ? item : null, [...this.path, i]),
    );
  }

  /** The text of a scalar, the environment filled in; '' when there is none. */
  text(): string {
    if (this.isEmpty) return '';
    if (!isScalar(this.#node)) {
      this.#wrongType('a text');
      return '';
    }
    const { value, source } = this.#node;
    const written = typeof value === 'string' ? value : (source ?? String(value));
    const { text, unset } = expandEnvironment(written, this.#reading.environment);
    for (const variable of new Set(unset)) this.problem(new FileVariableUnset({ variable }, { place: this.place }));
    return text;
  }

  textOf<T extends string>(values: readonly T[], fallback: T): T {
    const text = this.text();
    const found = values.find((value) => value === text);
    if (found !== undefined) return found;
    const context = { place: this.place, suggestion: nearestName(text, values) };
    this.problem(new ConfigUnknownValue({ key: this.name, got: JSON.stringify(text), values }, context));
    return fallback;
  }

  count(fallback: number): number {
    const text = this.text();
    if (text === '') return fallback;
    if (/^\d{1,15}$/.test(text)) return Number(text);
    this.#wrongType('a whole number from 0');
    return fallback;
  }

  flag(): boolean {
    const text = this.text();
    if (text !== '' && text !== 'true' && text !== 'false') this.#wrongType('true or false');
    return text === 'true';
  }

  /** Texts by name; a mapping inside it is a problem. */
  texts(): Readonly<Record<string, string>> {
    const texts: Record<string, string> = {};
    for (const [name, node] of this.entries()) {
      if (node.isMap) node.refuse('is a mapping; settings are texts: join the names with a dot, as in "a.b: text"');
      else texts[name] = node.text();
    }
    return texts;
  }

  missing(key: string, owner: string): void {
    this.problem(new ConfigMissingKey({ key, owner }, { place: this.place }));
  }

  #wrongType(expected: string): void {
    const kind = isMap(this.#node) ? 'a mapping' : isSeq(this.#node) ? 'a list' : 'another text';
    this.problem(new ConfigWrongType({ key: this.name, expected, got: kind }, { place: this.place }));
  }
}
