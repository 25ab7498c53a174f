// The circuit of one worker of several, once it is decided how the rows of each node lie: the planner's nodes with those between them
// that pick or exchange rows.
//
// Numbers of nodes change; operators, and the closures that read their state, stay as they are. Not here: what is decided, and why
// (shard-plan.ts).
import { assert } from '../../../runtime/assert.ts';
import type { CircuitNode, CircuitPlan, CircuitRelation, RelationSpread } from '../circuit/circuit.ts';
import type { NodeSharding } from '../circuit/node-sharding.ts';
import type { Operator } from '../circuit/operator.ts';
import type { ShardLink } from '../circuit/shard-link.ts';
import { ExchangeReceive, ExchangeSend } from '../operators/exchange.ts';
import { IdleNode } from '../operators/idle-node.ts';
import { hashedColumns, OwnRows } from '../operators/own-rows.ts';
import { type Adaptor, type Distribution, nameOf, type Reader } from './row-distribution.ts';

/** What has been decided, by node; adaptors also by input. */
export interface ShardDecisions {
  readonly spread: readonly Distribution[];
  readonly adaptors: readonly (readonly (Adaptor | null)[])[];
  readonly readers: readonly (readonly Reader[])[];
}

export function assembleShards(plan: CircuitPlan, link: ShardLink, decisions: ShardDecisions): CircuitPlan {
  return new ShardAssembly(plan, link, decisions).assembled();
}

class ShardAssembly {
  readonly #plan: CircuitPlan;
  readonly #link: ShardLink;
  readonly #nodes: readonly CircuitNode[];
  readonly #spread: readonly Distribution[];
  readonly #adaptors: readonly (readonly (Adaptor | null)[])[];
  readonly #readers: readonly (readonly Reader[])[];

  constructor(plan: CircuitPlan, link: ShardLink, { spread, adaptors, readers }: ShardDecisions) {
    this.#plan = plan;
    this.#link = link;
    this.#nodes = plan.nodes;
    this.#spread = spread;
    this.#adaptors = adaptors;
    this.#readers = readers;
  }

  assembled(): CircuitPlan {
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
      const sharding = this.#shardingOf(node);
      if (sharding?.kind === 'table' && this.#kind(node) === 'hash') {
        entries.set(node, add(new OwnRows({ by: sharding.key, reads: null, link, balances: false }), view, []));
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
        if (adaptor.kind === 'own') {
          const rows = new OwnRows({ by: adaptor.by, reads, link, balances: this.#mayBalance(node, name) });
          made.set(name, add(rows, view, [place]));
        } else {
          const shape = { number: exchanges++, to: adaptor.to, schema: this.#shardingOf(node)!.schema, reads, link };
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
      const sharding = this.#shardingOf(reader);
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
    const sharding = this.#shardingOf(table);
    if (sharding?.kind !== 'everywhere' || !sharding.passesRows) return null;
    const reads = new Set<number>(operator.reads);
    for (const { node: reader, port } of this.#readers[table]!) {
      const adaptor = this.#adaptors[reader]![port]!;
      const own = adaptor === null ? null : this.#readsOf(table, nameOf(table, adaptor));
      if (own === null) return null;
      for (const ordinal of own) reads.add(ordinal);
      if (adaptor?.kind === 'own') for (const ordinal of hashedColumns(adaptor.by)) reads.add(ordinal);
    }
    return reads;
  }

  #relationSpread({ node }: CircuitRelation): RelationSpread {
    const { kind } = this.#spread[node]!;
    let holder = node;
    for (;;) {
      const { operator, inputs } = this.#nodes[holder]!;
      if (operator.contents !== null || inputs.length !== 1 || this.#shardingOf(holder)?.kind !== 'local') break;
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

  /** Whether nothing behind a node puts its rows beside others, which would have to lie in the same way. */
  #isAlone(node: number): boolean {
    return this.#nodes[node]!.inputs.length === 1 && this.#readers[node]!.every((reader) => this.#isAlone(reader.node));
  }

  /** Whether the rows of a worker may be chosen by how many each key has: where nobody else has rows of the same keys. */
  #mayBalance(node: number, name: string): boolean {
    return this.#readers[node]!.every(({ node: reader, port }) => {
      const adaptor = this.#adaptors[reader]![port]!;
      return adaptor === null || nameOf(node, adaptor) !== name || this.#isAlone(reader);
    });
  }

  #shardingOf(node: number): NodeSharding | null {
    return this.#nodes[node]!.sharding ?? null;
  }

  #kind(node: number): Distribution['kind'] {
    return this.#spread[node]!.kind;
  }
}
