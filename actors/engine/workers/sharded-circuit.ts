// The circuit of a program on several threads, spoken to like that of one (engine-circuit.ts).
//
// A step: the input is laid into shared memory once, all workers push it and pick their own rows, and what their exchanges send
// passes between them; worker 0, which is the caller's thread, gathers the changes of each view. A step is all or nothing here as
// well: the failure of any worker is thrown by `step`, and nothing of the step is let out.
//
// Cost besides the circuits': one copy of the columns that are read, a hash of each key, a message for each exchange and worker.
import type { ChangeBatch } from '../../../runtime/batch/change-batch.ts';
import { concatBatches } from '../../../runtime/batch/concat-batches.ts';
import { consolidate } from '../../../runtime/batch/consolidate.ts';
import { ownBatch } from '../../../runtime/batch/own-batch.ts';
import type { Schema } from '../../../runtime/batch/schema.ts';
import { AssertionFailed, errorFromData, errorToData, MillraceError } from '../../../runtime/errors.ts';
import type { Circuit, OperatorStatistics, RelationContents } from '../circuit/circuit.ts';
import { planProgram } from '../plan/planner.ts';
import type { Rel, SortKey } from '../sql/bound.ts';
import { packBatch, type SenderPool, unpackBatch } from './packed-batch.ts';
import { imageOf, partsOfImage } from './worker-image.ts';
import type { Answer } from './worker-messages.ts';
import { type TeamOptions, WorkerTeam } from './worker-team.ts';

/** Changes of a view that are fewer than this are put together into one batch. */
const joinedRowsMax = 512;

export class ShardedCircuit implements RelationContents {
  readonly #circuit: Circuit;
  readonly #team: WorkerTeam;
  readonly #schemas: ReadonlyMap<string, Schema>;

  constructor(options: TeamOptions, team: WorkerTeam) {
    const { program, onError } = options;
    this.#team = team;
    this.#circuit = planProgram(program, { onError, link: team.link });
    const relations = [...program.tables, ...program.views].map(({ relation }) => relation);
    if (program.clock !== undefined) relations.push(program.clock);
    this.#schemas = new Map(relations.map(({ name, schema }) => [name, schema]));
  }

  get circuit(): Circuit {
    return this.#circuit;
  }

  get systemThreads(): readonly number[] {
    return this.#team.systemThreads;
  }

  observe(relation: string): void {
    this.#circuit.observe(relation);
    this.#order({ kind: 'observe', relation });
  }

  unobserve(relation: string): void {
    this.#circuit.unobserve(relation);
    this.#order({ kind: 'unobserve', relation });
  }

  /** The change of every observed relation, in one or several batches. @throws what any worker has failed of */
  step(inputs: ReadonlyMap<string, readonly ChangeBatch[]>): ReadonlyMap<string, readonly ChangeBatch[]> {
    const { room } = this.#team;
    room.clear();
    const parts = [...inputs].map(([relation, batches]) => {
      const reads = this.#circuit.inputReads(relation);
      return { relation, batches: batches.map((batch) => packBatch(batch, room, reads)) };
    });
    this.#team.give({ kind: 'step', inputs: parts });
    let own: ReadonlyMap<string, ChangeBatch>;
    try {
      own = this.#circuit.step(inputs);
    } catch (thrown) {
      const error = thrown instanceof MillraceError ? thrown : errorFromData(errorToData(thrown));
      this.#team.abandon(error);
      throw thrown instanceof AssertionFailed ? thrown : error;
    }
    return this.#gathered(own, this.#team.answers());
  }

  contents(relation: string): readonly ChangeBatch[] {
    const own = this.#circuit.contents(relation);
    if (this.#circuit.spread(relation)?.contentsAreOfFirst === true) return own;
    const schema = this.#schemas.get(relation)!;
    const others = this.#order({ kind: 'contents', relation });
    return [...own, ...others.flatMap((answer, i) => batchesOf(answer, relation, schema, this.#team.poolOf(i + 1)))];
  }

  isMaterialized(relation: string): boolean {
    return this.#circuit.isMaterialized(relation);
  }

  /** The rows of a query over materialized relations, computed by worker 0. */
  query(query: Rel, displayOrder: readonly SortKey[]): readonly ChangeBatch[] {
    return this.#circuit.query(query, displayOrder, this);
  }

  snapshot(): readonly Uint8Array[] {
    // In memory that is its own, for whoever stores it.
    const others = this.#order({ kind: 'snapshot' }).map(({ parts = [] }) => parts.map((part) => new Uint8Array(part)));
    return imageOf([this.#circuit.snapshot(), ...others]);
  }

  /** @throws SnapshotDamaged when the image is of another program or number of workers */
  restore(parts: readonly Uint8Array[]): void {
    const [own, ...others] = partsOfImage(parts, this.#team.workers);
    this.#circuit.restore(own!);
    this.#team.giveEach(others.map((each) => ({ kind: 'restore' as const, parts: each })));
    this.#team.answers();
  }

  /** Of each operator over all workers. */
  statistics(): readonly OperatorStatistics[] {
    const others = this.#order({ kind: 'statistics' }).map(({ statistics }) => statistics ?? []);
    return this.#circuit.statistics().map((own, id) => others.reduce((sum, each) => added(sum, each[id]!), own));
  }

  evaluationErrors(): number {
    const others = this.#order({ kind: 'statistics' });
    return others.reduce((sum, { evaluationErrors = 0 }) => sum + evaluationErrors, this.#circuit.failures.count);
  }

  stop(): Promise<void> {
    return this.#team.stop();
  }

  #order(order: Parameters<WorkerTeam['give']>[0]): readonly Answer[] {
    this.#team.give(order);
    return this.#team.answers();
  }

  #gathered(
    own: ReadonlyMap<string, ChangeBatch>,
    answers: readonly Answer[],
  ): ReadonlyMap<string, readonly ChangeBatch[]> {
    const changes = new Map<string, readonly ChangeBatch[]>([...own].map(([relation, change]) => [relation, [change]]));
    for (const [i, { batches = [] }] of answers.entries()) {
      const pool = this.#team.poolOf(i + 1);
      for (const { relation, batches: packed } of batches) {
        const schema = this.#schemas.get(relation)!;
        const unpacked = packed.map((batch) => unpackBatch(batch, schema, pool));
        changes.set(relation, [...(changes.get(relation) ?? []), ...unpacked]);
      }
    }
    for (const [relation, batches] of changes) {
      const merged = this.#merged(relation, batches);
      if (merged.length > 0) changes.set(relation, merged);
      else changes.delete(relation);
    }
    return changes;
  }

  #merged(relation: string, batches: readonly ChangeBatch[]): readonly ChangeBatch[] {
    if (batches.length === 1) return batches.map(ownBatch);
    const schema = this.#schemas.get(relation)!;
    const isDisjoint = this.#circuit.spread(relation)?.changesAreDisjoint === true;
    const isSettled = isDisjoint || batches.every(({ weights }) => weights === null || weights.every((w) => w > 0));
    if (!isSettled) {
      const merged = consolidate(batches, schema);
      return merged === null ? [] : [ownBatch(merged)];
    }
    const rows = batches.reduce((sum, batch) => sum + batch.rows, 0);
    // What other workers have sent is written over in the next step.
    return rows <= joinedRowsMax ? [ownBatch(concatBatches(batches, schema))] : batches.map(ownBatch);
  }
}

/** `prepared` is awaited before the caller's own circuit is made; what it does is not seen by the other threads. */
export async function openShardedCircuit(
  options: TeamOptions,
  prepared: () => Promise<unknown> = async () => {},
): Promise<ShardedCircuit> {
  // The program goes to the threads as it is now.
  const starting = WorkerTeam.start(options);
  const [team, own] = await Promise.allSettled([starting, prepared()]);
  if (team.status === 'rejected') throw team.reason;
  try {
    if (own.status === 'rejected') throw own.reason;
    return new ShardedCircuit(options, team.value);
  } catch (error) {
    await team.value.stop();
    throw error;
  }
}

function batchesOf(
  { batches = [] }: Answer,
  relation: string,
  schema: Schema,
  pool: SenderPool,
): readonly ChangeBatch[] {
  return batches.flatMap((each) =>
    each.relation === relation ? each.batches.map((batch) => ownBatch(unpackBatch(batch, schema, pool))) : [],
  );
}

function added(a: OperatorStatistics, b: OperatorStatistics): OperatorStatistics {
  return {
    ...a,
    rowsIn: a.rowsIn + b.rowsIn,
    rowsOut: a.rowsOut + b.rowsOut,
    nanos: a.nanos + b.nanos,
    stateRows: a.stateRows + b.stateRows,
    stateBytes: a.stateBytes + b.stateBytes,
    lateRows: Math.max(a.lateRows, b.lateRows),
  };
}
