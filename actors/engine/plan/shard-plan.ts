// The circuit of one worker of several: the planner's circuit with nodes that pick or exchange rows where a key asks for it.
//
// Every worker is pushed every input row, in shared memory. From such rows (`everywhere`) a worker picks its own at no one's cost,
// by the hash of the columns that the first keyed node behind them asks for; what stands between a table and that node works on
// own rows only. Rows that lie by one key and are asked for by another go through an exchange. A distribution by some of the key
// columns is good enough: rows with equal keys are equal in those, too.
//
// Not here: the ways in which rows lie (row-distribution.ts), the circuit that is made of it (shard-assembly.ts), hashing
// (runtime/batch/partition-rows.ts), threads (workers/).
import type { Schema } from '../../../runtime/batch/schema.ts';
import type { CircuitNode, CircuitPlan, GatheredRows } from '../circuit/circuit.ts';
import type { NodeSharding } from '../circuit/node-sharding.ts';
import type { ShardLink } from '../circuit/shard-link.ts';
import { hashedColumns, type Ownership } from '../operators/own-rows.ts';
import {
  type Adaptor,
  both,
  type Distribution,
  isBy,
  isHashable,
  moved,
  placesOf,
  type Reader,
  sourcesOf,
} from './row-distribution.ts';
import { assembleShards } from './shard-assembly.ts';

export function shardPlan(plan: CircuitPlan, link: ShardLink): CircuitPlan {
  return new ShardPlanner(plan, link).planned();
}

class ShardPlanner {
  readonly #plan: CircuitPlan;
  readonly #link: ShardLink;
  readonly #nodes: readonly CircuitNode[];
  readonly #spread: Distribution[] = [];
  /** By node, then by input. */
  readonly #adaptors: (Adaptor | null)[][];
  readonly #readers: Reader[][];
  readonly #gathers: GatheredRows[] = [];

  constructor(plan: CircuitPlan, link: ShardLink) {
    this.#plan = plan;
    this.#link = link;
    this.#nodes = plan.nodes;
    this.#adaptors = plan.nodes.map(({ inputs }) => inputs.map(() => null));
    this.#readers = plan.nodes.map(() => []);
    plan.nodes.forEach(({ inputs }, node) => {
      inputs.forEach((input, port) => {
        this.#readers[input]!.push({ node, port });
      });
    });
  }

  planned(): CircuitPlan {
    for (let node = 0; node < this.#nodes.length; node++) this.#spread.push(this.#distribute(node));
    // What nobody asks about is shared out evenly.
    for (let node = 0; node < this.#nodes.length; node++) {
      this.#refresh(node);
      if (this.#kind(node) === 'free') this.#settle(node, 'share');
    }
    const assembled = assembleShards(this.#plan, this.#link, {
      spread: this.#spread,
      adaptors: this.#adaptors,
      readers: this.#readers,
    });
    return { ...assembled, gathered: this.#gathers };
  }

  // ── how the rows of each node lie ──

  #distribute(node: number): Distribution {
    const sharding = this.#sharding(node);
    const { inputs } = this.#nodes[node]!;
    for (const input of inputs) this.#refresh(input);
    if (sharding === null) return this.#gathered(node, 'kind');
    switch (sharding.kind) {
      case 'everywhere':
        return { kind: 'everywhere' };
      case 'single':
        return this.#gathered(node, 'kind');
      case 'whole':
        inputs.forEach((input, port) => {
          this.#ask(node, port, input, 'everywhere');
        });
        return { kind: 'everywhere' };
      case 'table':
        return this.#table(sharding);
      case 'local':
        return this.#local(node, sharding);
      case 'rows':
        return this.#rows(node, sharding);
      case 'keyed':
        if (inputs.every((input) => this.#kind(input) === 'first')) return { kind: 'first' };
        return this.#keyed(node, sharding);
    }
  }

  #table({ schema, key }: Extract<NodeSharding, { kind: 'table' }>): Distribution {
    // Commands for keys that are not hashed go to every worker.
    if (!key.every((ordinal) => isHashable(schema, ordinal))) return { kind: 'everywhere' };
    return { kind: 'hash', slots: key.map((ordinal) => [ordinal]) };
  }

  /** All rows on worker 0. */
  #gathered(node: number, because: GatheredRows['because']): Distribution {
    const { inputs, operator, view } = this.#nodes[node]!;
    if (inputs.length === 0) return { kind: 'everywhere' };
    if (inputs.some((input) => this.#kind(input) !== 'first'))
      this.#gathers.push({ view, operator: operator.name, because });
    inputs.forEach((input, port) => {
      this.#ask(node, port, input, 'first');
    });
    return { kind: 'first' };
  }

  #local(node: number, { sources }: Extract<NodeSharding, { kind: 'local' }>): Distribution {
    const { inputs } = this.#nodes[node]!;
    if (inputs.every((input) => this.#kind(input) === 'everywhere' || this.#kind(input) === 'free'))
      return { kind: 'free' };
    inputs.forEach((input, port) => {
      // Rows that are on every worker would come out of each.
      if (this.#kind(input) === 'everywhere') this.#adaptors[node]![port] = { kind: 'own', by: 'share' };
      if (this.#kind(input) === 'free') this.#settle(input, 'share');
    });
    const spreads = inputs.map((input, port) => ({ spread: this.#at(input, node, port), sources: sources[port]! }));
    const [first, ...rest] = spreads.map(({ spread, sources: from }) => moved(spread, from));
    if (first === undefined) return { kind: 'any' };
    return rest.reduce(both, first);
  }

  #rows(node: number, { sources }: Extract<NodeSharding, { kind: 'rows' }>): Distribution {
    const input = this.#nodes[node]!.inputs[0]!;
    const spread = this.#spread[input]!;
    if (spread.kind === 'hash' || spread.kind === 'first') return moved(spread, sources[0]!);
    const by = this.#rowColumns(node, 0, input);
    if (by === null) return this.#gathered(node, 'unhashable keys');
    this.#ask(node, 0, input, by);
    return moved({ kind: 'hash', slots: by.map((ordinal) => [ordinal]) }, sources[0]!);
  }

  #keyed(node: number, sharding: Extract<NodeSharding, { kind: 'keyed' }>): Distribution {
    const { inputs } = this.#nodes[node]!;
    const schemas = inputs.map((input) => this.#schema(input));
    const [firstSchema] = schemas;
    const hashable = sharding.keys[0]!.map((ordinal, position) =>
      firstSchema != null && isHashable(firstSchema, ordinal) ? position : -1,
    ).filter((position) => position >= 0);
    if (hashable.length === 0 || schemas.some((schema) => schema === null)) return this.#unkeyed(node, sharding);
    const chosen = this.#positions(node, sharding, hashable);
    const [input] = inputs;
    if (sharding.among !== undefined && inputs.length === 1) {
      const columns = chosen.map((position) => sharding.keys[0]![position]!);
      const isOpen = this.#kind(input!) === 'everywhere' || this.#kind(input!) === 'free';
      if (isOpen && columns.every((ordinal) => this.#isTraced(input!, ordinal))) {
        this.#ask(node, 0, input!, { columns, among: sharding.among });
        return { kind: 'any' };
      }
    }
    inputs.forEach((input, port) => {
      const by = chosen.map((position) => sharding.keys[port]![position]!);
      if (!isBy(this.#spread[input]!, by)) this.#ask(node, port, input, by);
    });
    const ports = sharding.outer ? [0] : inputs.map((_, port) => port);
    const slots = chosen.map((position) =>
      ports.flatMap((port) => placesOf(sharding.sources[port]!, sharding.keys[port]![position]!)),
    );
    return slots.some((places) => places.length === 0) ? { kind: 'any' } : { kind: 'hash', slots };
  }

  /** Which of the keys rows are to lie by: those by which an input lies already, else those that cost no exchange. */
  #positions(
    node: number,
    { keys }: Extract<NodeSharding, { kind: 'keyed' }>,
    hashable: readonly number[],
  ): readonly number[] {
    const { inputs } = this.#nodes[node]!;
    let free: readonly number[] = hashable;
    let known: readonly number[] | null = null;
    inputs.forEach((input, port) => {
      const spread = this.#spread[input]!;
      if (spread.kind === 'hash' && known === null) {
        const found = spread.slots.map((places) => hashable.findIndex((p) => places.includes(keys[port]![p]!)));
        if (found.every((at) => at >= 0)) known = found.map((at) => hashable[at]!);
      }
      if (spread.kind === 'free' || spread.kind === 'everywhere')
        free = free.filter((position) => this.#isTraced(input, keys[port]![position]!));
    });
    if (known !== null) return known;
    // A truth value alone would keep two workers busy at most.
    const schema = this.#schema(inputs[0]!)!;
    const many = free.filter((position) => schema.fields[keys[0]![position]!]!.type.kind !== 'BOOLEAN');
    return many.length > 0 ? many : hashable;
  }

  /** No key to go by: groups without columns, joins of everything with everything. */
  #unkeyed(node: number, sharding: Extract<NodeSharding, { kind: 'keyed' }>): Distribution {
    const { inputs } = this.#nodes[node]!;
    const [left, right] = inputs;
    const because = sharding.keys[0]!.length > 0 ? 'unhashable keys' : 'no keys';
    if (left === undefined || right === undefined || this.#kind(left) === 'first') return this.#gathered(node, because);
    this.#ask(node, 1, right, 'everywhere');
    this.#refresh(left);
    const spread = this.#spread[left]!;
    const from = sharding.sources[0]!;
    if (spread.kind === 'hash' || spread.kind === 'first') return moved(spread, from);
    const by = this.#rowColumns(node, 0, left);
    if (by === null) return this.#gathered(node, because);
    this.#ask(node, 0, left, by);
    return moved({ kind: 'hash', slots: by.map((ordinal) => [ordinal]) }, from);
  }

  /** Columns by which rows of `input` may be dealt out whole: those that a keyed node behind `node` asks for, if there is one. */
  #rowColumns(node: number, port: number, input: number): readonly number[] | null {
    const schema = this.#schema(input);
    if (schema === null) return null;
    const isCheap = this.#kind(input) !== 'free';
    const usable = schema.fields
      .map((_, ordinal) => ordinal)
      .filter((ordinal) => isHashable(schema, ordinal) && (isCheap || this.#isTraced(input, ordinal)));
    const sources = sourcesOf(this.#sharding(node), port);
    const wished = sources === null ? [] : this.#wish(node).flatMap((ordinal) => sources[ordinal]!);
    const good = wished.filter((ordinal) => usable.includes(ordinal));
    if (good.length > 0) return good;
    const fixed = usable.filter(
      (ordinal) => !['CHAR', 'VARCHAR', 'BINARY', 'VARBINARY'].includes(schema.fields[ordinal]!.type.kind),
    );
    const chosen = fixed.length > 0 ? fixed : usable;
    return chosen.length > 0 ? chosen : null;
  }

  /** Columns of the output of `node` that are keys of a node behind it. */
  #wish(node: number): readonly number[] {
    for (const { node: reader, port } of this.#readers[node]!) {
      const sharding = this.#sharding(reader);
      if (sharding?.kind === 'keyed' && sharding.keys[port]!.length > 0) return sharding.keys[port]!;
      const sources = sourcesOf(sharding, port);
      if (sources === null) continue;
      const wished = this.#wish(reader)
        .map((ordinal) => sources[ordinal]!)
        .filter((ordinal) => ordinal >= 0);
      if (wished.length > 0) return wished;
    }
    return [];
  }

  // ── making rows lie as they are asked to ──

  /** Has an input of `node` lie as `to` says. */
  #ask(node: number, port: number, input: number, to: Exclude<Ownership, 'share'> | 'everywhere'): void {
    this.#refresh(input);
    const { kind } = this.#spread[input]!;
    const adapt = (adaptor: Adaptor | null): void => {
      this.#adaptors[node]![port] = adaptor;
    };
    if (kind === 'everywhere') adapt(to === 'everywhere' ? null : { kind: 'own', by: to });
    else if (kind === 'free') {
      const columns = to === 'everywhere' ? [] : hashedColumns(to);
      const isTraced = columns.every((ordinal) => this.#isTraced(input, ordinal));
      this.#settle(input, isTraced ? to : 'share');
      if (!isTraced) adapt({ kind: 'exchange', to: columns });
    } else if (to === 'first') adapt(kind === 'first' ? null : { kind: 'exchange', to: 'one' });
    else adapt({ kind: 'exchange', to: to === 'everywhere' ? to : hashedColumns(to) });
  }

  /** A free node is so no more when another reader of what it is computed from has decided how that lies. */
  #refresh(node: number): void {
    if (this.#kind(node) !== 'free') return;
    const sharding = this.#sharding(node);
    for (const input of this.#nodes[node]!.inputs) this.#refresh(input);
    if (sharding?.kind === 'local') this.#spread[node] = this.#local(node, sharding);
  }

  /** Decides how the rows of a free node lie, by deciding it for the rows that it is computed from. */
  #settle(node: number, to: Ownership | 'everywhere'): void {
    const { inputs } = this.#nodes[node]!;
    const sharding = this.#sharding(node);
    inputs.forEach((input, port) => {
      const sources = sourcesOf(sharding, port)!;
      const below = to === 'everywhere' ? to : movedDown(to, sources);
      if (this.#kind(input) === 'free') this.#settle(input, below);
      else if (below !== 'everywhere') this.#adaptors[node]![port] = { kind: 'own', by: below };
    });
    if (to === 'share' || (typeof to !== 'string' && 'among' in to)) this.#spread[node] = { kind: 'any' };
    else if (typeof to === 'string') this.#spread[node] = { kind: to };
    else {
      const places = (ordinal: number): number[] => {
        const all = inputs.map((_, port) => sourcesOf(sharding, port)!);
        return all[0]!.flatMap((_, o) => (all.every((sources) => sources[o] === sources[ordinal]) ? [o] : []));
      };
      this.#spread[node] = { kind: 'hash', slots: to.map(places) };
    }
  }

  /** Whether a column of a free node is one of the rows that it is computed from. */
  #isTraced(node: number, ordinal: number): boolean {
    if (this.#kind(node) === 'everywhere') return true;
    if (this.#kind(node) !== 'free') return false;
    const { inputs } = this.#nodes[node]!;
    return inputs.every((input, port) => {
      const source = sourcesOf(this.#sharding(node), port)![ordinal]!;
      return source >= 0 && this.#isTraced(input, source);
    });
  }

  #sharding(node: number): NodeSharding | null {
    return this.#nodes[node]!.sharding ?? null;
  }

  #schema(node: number): Schema | null {
    return this.#sharding(node)?.schema ?? null;
  }

  #kind(node: number): Distribution['kind'] {
    return this.#spread[node]!.kind;
  }

  /** How the rows of an input lie when they reach a node. */
  #at(input: number, node: number, port: number): Distribution {
    const adaptor = this.#adaptors[node]![port]!;
    return adaptor === null ? this.#spread[input]! : { kind: 'any' };
  }
}

/** The same of the rows that a node makes its own of, each of one. */
function movedDown(by: Ownership, sources: readonly number[]): Ownership {
  if (typeof by === 'string') return by;
  const columns = hashedColumns(by).map((ordinal) => sources[ordinal]!);
  return 'among' in by ? { columns, among: by.among } : columns;
}
