// Where a worker thread of an engine begins: the program's circuit, and orders carried out one after the other.
//
// Run by node:worker_threads, never imported. After `ready` it never returns to its event loop: it sleeps until worker 0 sends an
// order. A step that fails, here or elsewhere, leaves a circuit that is not used again; orders other than `stop` are then answered
// with that failure. Whatever ends the thread, the others are told, so that nobody waits for it.
import { parentPort, workerData } from 'node:worker_threads';
import type { ChangeBatch } from '../../../runtime/batch/change-batch.ts';
import type { Schema } from '../../../runtime/batch/schema.ts';
import { type ErrorData, errorToData } from '../../../runtime/errors.ts';
import type { Circuit } from '../circuit/circuit.ts';
import { planProgram } from '../plan/planner.ts';
import { loadFunctions } from '../sql/function-modules.ts';
import { type PackedBatch, packBatch, unpackBatch } from './packed-batch.ts';
import { WorkerLines } from './worker-line.ts';
import { type Answer, type Failed, type LineMessage, linkOver, type Order, spreadFailure } from './worker-messages.ts';
import type { WorkerStart } from './worker-team.ts';

// SAFETY: worker-team.ts starts this module with exactly this data.
const { program, onError, ends } = workerData as WorkerStart;
const lines = new WorkerLines(ends);
process.on('exit', () => lines.end());
// Not awaited at the top level: where the thread is ended meanwhile, Node 26 would end the whole process (see chevrotain-grammar.ts).
void loadFunctions(program.functions ?? []).then(() => new ShardWorker().run());

class ShardWorker {
  readonly #circuit: Circuit = planProgram(program, { onError, link: linkOver(lines) });
  readonly #schemas = new Map<string, Schema>();
  readonly #observed = new Set<string>();

  constructor() {
    for (const { relation } of [...program.tables, ...program.views]) this.#schemas.set(relation.name, relation.schema);
    if (program.clock !== undefined) this.#schemas.set(program.clock.name, program.clock.schema);
  }

  run(): void {
    parentPort?.postMessage('ready');
    let failure: ErrorData | null = null;
    for (;;) {
      // SAFETY: worker 0 sends nothing else; parcels and failures are left over from a step that has failed.
      const message = lines.receive(0) as LineMessage;
      if (message.kind === 'parcel' || message.kind === 'failed' || message.kind === 'done') continue;
      if (message.kind === 'stop') break;
      if (failure !== null) {
        lines.send(0, { kind: 'failed', error: failure } satisfies Failed);
        continue;
      }
      try {
        lines.room.clear();
        lines.send(0, this.#carryOut(message));
      } catch (thrown) {
        failure = errorToData(thrown);
        spreadFailure(lines, thrown);
      }
    }
    lines.close();
  }

  #carryOut(order: Exclude<Order, { kind: 'stop' }>): Answer {
    const circuit = this.#circuit;
    switch (order.kind) {
      case 'step':
        return { kind: 'done', batches: this.#step(order.inputs) };
      case 'observe':
        if (circuit.spread(order.relation)?.changesAreOfFirst === false) {
          this.#observed.add(order.relation);
          circuit.observe(order.relation);
        }
        return { kind: 'done' };
      case 'unobserve':
        if (this.#observed.delete(order.relation)) circuit.unobserve(order.relation);
        return { kind: 'done' };
      case 'contents': {
        const batches = circuit.contents(order.relation).map((batch) => packBatch(batch, lines.room));
        return { kind: 'done', batches: [{ relation: order.relation, batches }] };
      }
      case 'snapshot':
        return { kind: 'done', parts: circuit.snapshot().map(shared) };
      case 'restore':
        circuit.restore(order.parts);
        return { kind: 'done' };
      case 'statistics':
        return { kind: 'done', statistics: circuit.statistics(), evaluationErrors: circuit.failures.count };
    }
  }

  #step(
    inputs: Extract<Order, { kind: 'step' }>['inputs'],
  ): readonly { readonly relation: string; readonly batches: readonly PackedBatch[] }[] {
    const unpacked = new Map<string, readonly ChangeBatch[]>();
    for (const { relation, batches } of inputs) {
      const schema = this.#schemas.get(relation)!;
      unpacked.set(
        relation,
        batches.map((batch) => unpackBatch(batch, schema, lines.pools[0]!)),
      );
    }
    return [...this.#circuit.step(unpacked)].map(([relation, change]) => ({
      relation,
      batches: [packBatch(change, lines.room)],
    }));
  }
}

/** A part of a snapshot where worker 0 sees it: in memory of its own, which is not wanted again soon. */
function shared(part: Uint8Array): Uint8Array {
  const copy = new Uint8Array(new SharedArrayBuffer(part.length));
  copy.set(part);
  return copy;
}
