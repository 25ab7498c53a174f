// How the rows of a node lie on the workers of a circuit, and what stands between a node and one that reads it.
//
//   everywhere   every worker sees every row
//   free         computed from `everywhere` rows by local nodes; nobody has asked yet how it shall lie
//   hash         by the hash of some columns, each of which may be found at several places of the rows
//   any          every row on one worker, but which one does not follow from the row
//   first        on worker 0
// Plain values and functions of them; who decides is shard-plan.ts, what is made of it shard-assembly.ts.
import type { Schema } from '../../../runtime/batch/schema.ts';
import type { NodeSharding } from '../circuit/node-sharding.ts';
import type { Destination } from '../operators/exchange.ts';
import type { Ownership } from '../operators/own-rows.ts';

export type Distribution =
  | { readonly kind: 'everywhere' | 'free' | 'any' | 'first' }
  /** For each hashed column, in the order of hashing, the ordinals at which its value lies. */
  | { readonly kind: 'hash'; readonly slots: readonly (readonly number[])[] };

/** What stands between a node and one that reads it. */
export type Adaptor =
  | { readonly kind: 'own'; readonly by: Ownership }
  | { readonly kind: 'exchange'; readonly to: Destination };

/** An input of a node. */
export interface Reader {
  readonly node: number;
  readonly port: number;
}

/** The same for all readers of `input` that are served alike. */
export function nameOf(input: number, adaptor: Adaptor): string {
  return `${input} ${adaptor.kind} ${JSON.stringify(adaptor.kind === 'own' ? adaptor.by : adaptor.to)}`;
}

/** For each column of the output the column of the input; null where a node says nothing of it. */
export function sourcesOf(sharding: NodeSharding | null, port: number): readonly number[] | null {
  return sharding?.kind === 'local' || sharding?.kind === 'rows' || sharding?.kind === 'keyed'
    ? (sharding.sources[port] ?? null)
    : null;
}

/** How rows lie behind a node that leaves each where it is. */
export function moved(spread: Distribution, sources: readonly number[]): Distribution {
  if (spread.kind !== 'hash') return spread;
  const slots = spread.slots.map((places) => places.flatMap((place) => placesOf(sources, place)));
  return slots.some((places) => places.length === 0) ? { kind: 'any' } : { kind: 'hash', slots };
}

/** How the rows of two inputs lie together. */
export function both(a: Distribution, b: Distribution): Distribution {
  if (a.kind === 'first' && b.kind === 'first') return a;
  if (a.kind !== 'hash' || b.kind !== 'hash' || a.slots.length !== b.slots.length) return { kind: 'any' };
  const slots = a.slots.map((places, i) => places.filter((place) => b.slots[i]!.includes(place)));
  return slots.some((places) => places.length === 0) ? { kind: 'any' } : { kind: 'hash', slots };
}

export function placesOf(sources: readonly number[], ordinal: number): number[] {
  return sources.flatMap((source, place) => (source === ordinal ? [place] : []));
}

export function isBy(spread: Distribution, columns: readonly number[]): boolean {
  return (
    spread.kind === 'hash' &&
    spread.slots.length === columns.length &&
    spread.slots.every((places, i) => places.includes(columns[i]!))
  );
}

/** Equal values have equal hashes: not so for 0 and -0. */
export function isHashable(schema: Schema, ordinal: number): boolean {
  const { kind } = schema.fields[ordinal]!.type;
  return kind !== 'REAL' && kind !== 'DOUBLE';
}
