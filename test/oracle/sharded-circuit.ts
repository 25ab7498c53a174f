// The circuits of several workers side by side on one thread, each node of all of them in turn, as one circuit.
//
// What workers send one another passes through arrays, so that a property can look at thousands of histories. Promises what a
// circuit does: the change of every observed relation, contents, snapshots.
import type { Circuit } from '../../actors/engine/circuit/circuit.ts';
import type { Parcel, ShardLink } from '../../actors/engine/circuit/shard-link.ts';
import { planProgram } from '../../actors/engine/plan/planner.ts';
import type { BoundProgram } from '../../actors/engine/sql/bound.ts';
import type { ChangeBatch } from '../../runtime/batch/change-batch.ts';
import { consolidate } from '../../runtime/batch/consolidate.ts';

export class ShardedCircuit {
  readonly circuits: readonly Circuit[];

  constructor(program: BoundProgram, workers: number, onError: 'stop' | 'skip' = 'stop') {
    /** exchange -> sender -> parcels by receiver */
    const under = new Map<number, Map<number, readonly Parcel[]>>();
    this.circuits = Array.from({ length: workers }, (_, worker): Circuit => {
      const link: ShardLink = {
        worker,
        workers,
        send: (exchange, parcels) => {
          const sent = under.get(exchange) ?? new Map<number, readonly Parcel[]>();
          under.set(exchange, sent.set(worker, parcels));
        },
        receive: (exchange) =>
          Array.from({ length: workers }, (__, sender) => {
            const parcels = under.get(exchange)?.get(sender);
            if (parcels === undefined) throw new Error(`worker ${sender} has sent nothing through ${exchange}`);
            return parcels[worker]!;
          }),
      };
      return planProgram(program, { onError, link });
    });
  }

  observe(relation: string): void {
    for (const circuit of this.circuits) circuit.observe(relation);
  }

  /** The changes of each relation, worker by worker where no two have equal rows. */
  step(inputs: ReadonlyMap<string, readonly ChangeBatch[]>): ReadonlyMap<string, ChangeBatch> {
    const { circuits } = this;
    for (const circuit of circuits) circuit.push(inputs);
    for (let node = 0; node < circuits[0]!.nodes; node++) for (const circuit of circuits) circuit.flush(node);
    const parts = new Map<string, ChangeBatch[]>();
    circuits.forEach((circuit, worker) => {
      for (const [relation, change] of circuit.collect()) {
        const spread = circuit.spread(relation);
        if (spread === null || (spread.changesAreOfFirst && worker > 0)) continue;
        parts.set(relation, [...(parts.get(relation) ?? []), change]);
      }
    });
    const changes = new Map<string, ChangeBatch>();
    for (const [relation, batches] of parts) {
      const merged = consolidate(batches, batches[0]!.schema);
      if (merged === null) continue;
      if (circuits[0]!.spread(relation)!.changesAreDisjoint) {
        const rows = batches.reduce((sum, batch) => sum + (consolidate([batch], batch.schema)?.rows ?? 0), 0);
        if (merged.rows < rows) throw new Error(`two workers have equal rows of ${relation}`);
      }
      changes.set(relation, merged);
    }
    return changes;
  }

  contents(relation: string): readonly ChangeBatch[] {
    const [first, ...others] = this.circuits;
    if (first!.spread(relation)!.contentsAreOfFirst) return first!.contents(relation);
    return [first!, ...others].flatMap((circuit) => circuit.contents(relation));
  }

  snapshot(): readonly (readonly Uint8Array[])[] {
    return this.circuits.map((circuit) => circuit.snapshot());
  }

  restore(parts: readonly (readonly Uint8Array[])[]): void {
    this.circuits.forEach((circuit, worker) => {
      circuit.restore(parts[worker]!);
    });
  }
}
