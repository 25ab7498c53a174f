// The circuit of one worker of several: the planner's circuit with nodes that pick or exchange rows where a key asks for it.
//
// Every worker is pushed every input row, in shared memory. From such rows (`everywhere`) a worker picks its own at no one's cost,
// by the hash of the columns that the first keyed node behind them asks for; what stands between a table and that node works on
// own rows only. Rows that lie by one key and are asked for by another go through an exchange. A distribution by some of the key
// columns is good enough: rows with equal keys are equal in those, too.
//
//   free         computed from `everywhere` rows by local nodes; nobody has asked yet how it shall lie
//   hash         by the hash of some columns, each of which may be found at several places of the rows
//   any          every row on one worker, but which one does not follow from the row
//   first        on worker 0
// Numbers of nodes change; operators, and the closures that read their state, stay as they are.
// Not here: hashing (runtime/batch/partition-rows.ts), threads (workers/).
import { assert } from '../../../runtime/assert.ts';
import type { Schema } from '../../../runtime/batch/schema.ts';
import type { CircuitNode, CircuitPlan, CircuitRelation, RelationSpread } from '../circuit/circuit.ts';
import type { NodeSharding } from '../circuit/node-sharding.ts';
import type { Operator } from '../circuit/operator.ts';
import type { ShardLink } from '../circuit/shard-link.ts';
import { type Destination, ExchangeReceive, ExchangeSend } from '../operators/exchange.ts';
import { IdleNode } from '../operators/idle-node.ts';
import { type Ownership, OwnRows } from '../operators/own-rows.ts';

type Distribution =
  | { readonly kind: 'everywhere' | 'free' | 'any' | 'first' }
  /** For each hashed column, in the order of hashing, the ordinals at which its value lies. */
  | { readonly kind: 'hash'; readonly slots: readonly (readonly number[])[] };

/** What stands between a node and one that reads it. */
type Adaptor =
  | { readonly kind: 'own'; readonly by: Ownership }
  | { readonly kind: 'exchange'; readonly to: Destination };

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
  readonly #readers: { readonly node: number; readonly port: number }[][];

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
    return this.#assemble();
  }

  // ── how the rows of each node lie ──

  #distribute(node: number): Distribution {
    const sharding = this.#sharding(node);
    const { inputs } = this.#nodes[node]!;
    for (const input of inputs) this.#refresh(input);
    if (sharding === null) return this.#gathered(node);
    switch (sharding.kind) {
      case 'everywhere':
        return { kind: 'everywhere' };
      case 'single':
        return this.#gathered(node);
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
  #gathered(node: number): Distribution {
    const { inputs } = this.#nodes[node]!;
    if (inputs.length === 0) return { kind: 'everywhere' };
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
    if (by === null) return this.#gathered(node);
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
    if (left === undefined || right === undefined || this.#kind(left) === 'first') return this.#gathered(node);
    this.#ask(node, 1, right, 'everywhere');
    this.#refresh(left);
    const spread = this.#spread[left]!;
    const from = sharding.sources[0]!;
    if (spread.kind === 'hash' || spread.kind === 'first') return moved(spread, from);
    const by = this.#rowColumns(node, 0, left);
    if (by === null) return this.#gathered(node);
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
  #ask(node: number, port: number, input: number, to: readonly number[] | 'first' | 'everywhere'): void {
    this.#refresh(input);
    const { kind } = this.#spread[input]!;
    const adapt = (adaptor: Adaptor | null): void => {
      this.#adaptors[node]![port] = adaptor;
    };
    if (kind === 'everywhere') adapt(to === 'everywhere' ? null : { kind: 'own', by: to });
    else if (kind === 'free') {
      const isTraced = typeof to === 'string' || to.every((ordinal) => this.#isTraced(input, ordinal));
      this.#settle(input, isTraced ? to : 'share');
      if (!isTraced && typeof to !== 'string') adapt({ kind: 'exchange', to });
    } else if (to === 'first') adapt(kind === 'first' ? null : { kind: 'exchange', to: 'one' });
    else adapt({ kind: 'exchange', to });
  }

  /** A free node is so no more when another reader of what it is computed from has decided how that lies. */
  #refresh(node: number): void {
    if (this.#kind(node) !== 'free') return;
    const sharding = this.#sharding(node);
    for (const input of this.#nodes[node]!.inputs) this.#refresh(input);
    if (sharding?.kind === 'local') this.#spread[node] = this.#local(node, sharding);
  }

  /** Decides how the rows of a free node lie, by deciding it for the rows that it is computed from. */
  #settle(node: number, to: readonly number[] | 'first' | 'everywhere' | 'share'): void {
    const { inputs } = this.#nodes[node]!;
    const sharding = this.#sharding(node);
    inputs.forEach((input, port) => {
      const sources = sourcesOf(sharding, port)!;
      const below = typeof to === 'string' ? to : to.map((ordinal) => sources[ordinal]!);
      if (this.#kind(input) === 'free') this.#settle(input, below);
      else if (below !== 'everywhere') this.#adaptors[node]![port] = { kind: 'own', by: below };
    });
    if (to === 'share') this.#spread[node] = { kind: 'any' };
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

  // ── the circuit with what has been decided ──

  #assemble(): CircuitPlan {
    const nodes: CircuitNode[] = [];
    const places: number[] = [];
    const entries = new Map<number, number>();
    const made = new Map<string, number>();
    let exchanges = 0;
    const add = (operator: Operator, view: string, inputs: readonly number[], isCopy = false): number =>
      nodes.push({ operator, view, inputs, isCopy }) - 1;
    const adapted = (input: number, node: number, port: number): number => {
      const adaptor = this.#adaptors[node]![port]!;
      const known = made.get(nameOf(input, adaptor));
      assert(known !== undefined, 'what a node reads stands before it');
      return known;
    };
    const link = this.#link;
    this.#nodes.forEach(({ operator, view, inputs }, node) => {
      const sharding = this.#sharding(node);
      if (sharding?.kind === 'table' && this.#kind(node) === 'hash') {
        entries.set(node, add(new OwnRows(sharding.key, null, link), view, []));
      }
      const from = inputs.map((input, port) =>
        this.#adaptors[node]![port] === null ? places[input]! : adapted(input, node, port),
      );
      const isIdle = this.#kind(node) === 'first' && link.worker !== 0;
      const isCopy = this.#kind(node) === 'everywhere' && link.worker !== 0;
      const place = add(
        isIdle ? new IdleNode(operator) : operator,
        view,
        entries.has(node) ? [entries.get(node)!] : from,
        isCopy,
      );
      places.push(place);
      // Rows set out for other workers as soon as they can.
      for (const { node: reader, port } of this.#readers[node]!) {
        const adaptor = this.#adaptors[reader]![port]!;
        const name = adaptor === null ? null : nameOf(node, adaptor);
        if (name === null || made.has(name)) continue;
        const reads = this.#readsOf(node, name);
        if (adaptor.kind === 'own') made.set(name, add(new OwnRows(adaptor.by, reads, link), view, [place]));
        else {
          const shape = { number: exchanges++, to: adaptor.to, schema: this.#schema(node)!, reads, link };
          const send = add(new ExchangeSend(shape), view, [place]);
          made.set(name, add(new ExchangeReceive(shape), view, [send]));
        }
      }
    });
    const relations = new Map(
      [...this.#plan.relations].map(([name, relation]): [string, CircuitRelation] => {
        const { node } = relation;
        const entry = entries.get(node);
        const spread = this.#relationSpread(relation);
        const reads = relation.isTable ? this.#inputReads(node) : null;
        const input = { ...(entry === undefined ? {} : { entry }), ...(reads === null ? {} : { inputReads: reads }) };
        return [name, { ...relation, node: places[node]!, spread, ...input }];
      }),
    );
    const sharedNodes = this.#spread.filter(({ kind }) => kind === 'hash' || kind === 'any').length;
    return { ...this.#plan, nodes, relations, sharedNodes };
  }

  /** The columns that the readers behind one adaptor read; null: all. */
  #readsOf(node: number, name: string): ReadonlySet<number> | null {
    const reads = new Set<number>();
    for (const { node: reader, port } of this.#readers[node]!) {
      const adaptor = this.#adaptors[reader]![port]!;
      if (adaptor === null || nameOf(node, adaptor) !== name) continue;
      const sharding = this.#sharding(reader);
      const own =
        sharding?.kind === 'keyed' ? sharding.reads?.[port] : sharding?.kind === 'local' ? sharding.reads : undefined;
      if (own === undefined) return null;
      for (const ordinal of own) reads.add(ordinal);
    }
    return reads;
  }

  /** The columns that are read of a table without state; null: all. */
  #inputReads(table: number): ReadonlySet<number> | null {
    const { operator } = this.#nodes[table]!;
    const sharding = this.#sharding(table);
    if (sharding?.kind !== 'everywhere' || !sharding.passesRows) return null;
    const reads = new Set<number>(operator.reads);
    for (const { node: reader, port } of this.#readers[table]!) {
      const adaptor = this.#adaptors[reader]![port]!;
      const own = adaptor === null ? null : this.#readsOf(table, nameOf(table, adaptor));
      if (own === null) return null;
      for (const ordinal of own) reads.add(ordinal);
      if (adaptor !== null && adaptor.kind === 'own' && typeof adaptor.by !== 'string') {
        for (const ordinal of adaptor.by) reads.add(ordinal);
      }
    }
    return reads;
  }

  #relationSpread({ node }: CircuitRelation): RelationSpread {
    const { kind } = this.#spread[node]!;
    let holder = node;
    for (;;) {
      const { operator, inputs } = this.#nodes[holder]!;
      if (operator.contents !== null || inputs.length !== 1 || this.#sharding(holder)?.kind !== 'local') break;
      holder = inputs[0]!;
    }
    const isHeld = this.#nodes[holder]!.operator.contents !== null;
    const isOfFirst = (of: Distribution['kind']): boolean => of === 'everywhere' || of === 'first';
    return {
      changesAreOfFirst: isOfFirst(kind),
      changesAreDisjoint: kind !== 'any',
      contentsAreOfFirst: isHeld && isOfFirst(this.#kind(holder)),
    };
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

function nameOf(input: number, adaptor: Adaptor): string {
  return `${input} ${adaptor.kind} ${String(adaptor.kind === 'own' ? adaptor.by : adaptor.to)}`;
}

/** For each column of the output the column of the input; null where a node says nothing of it. */
function sourcesOf(sharding: NodeSharding | null, port: number): readonly number[] | null {
  return sharding?.kind === 'local' || sharding?.kind === 'rows' || sharding?.kind === 'keyed'
    ? (sharding.sources[port] ?? null)
    : null;
}

/** How rows lie behind a node that leaves each where it is. */
function moved(spread: Distribution, sources: readonly number[]): Distribution {
  if (spread.kind !== 'hash') return spread;
  const slots = spread.slots.map((places) => places.flatMap((place) => placesOf(sources, place)));
  return slots.some((places) => places.length === 0) ? { kind: 'any' } : { kind: 'hash', slots };
}

/** How the rows of two inputs lie together. */
function both(a: Distribution, b: Distribution): Distribution {
  if (a.kind === 'first' && b.kind === 'first') return a;
  if (a.kind !== 'hash' || b.kind !== 'hash' || a.slots.length !== b.slots.length) return { kind: 'any' };
  const slots = a.slots.map((places, i) => places.filter((place) => b.slots[i]!.includes(place)));
  return slots.some((places) => places.length === 0) ? { kind: 'any' } : { kind: 'hash', slots };
}

function placesOf(sources: readonly number[], ordinal: number): number[] {
  return sources.flatMap((source, place) => (source === ordinal ? [place] : []));
}

function isBy(spread: Distribution, columns: readonly number[]): boolean {
  return (
    spread.kind === 'hash' &&
    spread.slots.length === columns.length &&
    spread.slots.every((places, i) => places.includes(columns[i]!))
  );
}

/** Equal values have equal hashes: not so for 0 and -0. */
function isHashable(schema: Schema, ordinal: number): boolean {
  const { kind } = schema.fields[ordinal]!.type;
  return kind !== 'REAL' && kind !== 'DOUBLE';
}
