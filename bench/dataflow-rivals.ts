// The libraries of incremental dataflow in JavaScript that are measured beside ours, behind one face: @tanstack/db-ivm and
// @electric-sql/d2ts. Rows are objects, changes go in step by step, results come out as rows with weights.
//
// Both grew out of the same idea and spell most things alike; d2ts wants a version for everything that is sent, and hears by frontiers
// that a version is whole.
import * as d2ts from '@electric-sql/d2ts';
import * as ivm from '@tanstack/db-ivm';

export type DataflowName = 'db-ivm' | 'd2ts';

/** Of rows of type T; each library has its own behind it. */
export interface Stream<T> {
  readonly rows?: T;
}

export interface Input<T> {
  readonly stream: Stream<T>;
  /** Makes what the library is sent; called, it is sent. */
  prepare(rows: readonly T[]): () => void;
}

export interface Dataflow {
  input<T>(): Input<T>;
  map<T, U>(stream: Stream<T>, change: (row: T) => U): Stream<U>;
  filter<T>(stream: Stream<T>, holds: (row: T) => boolean): Stream<T>;
  join<K, A, B>(left: Stream<[K, A]>, right: Stream<[K, B]>): Stream<[K, [A, B]]>;
  countAndSum<T>(stream: Stream<T>, keyOf: (row: T) => number, amountOf: (row: T) => number): Stream<Totals>;
  output<T>(stream: Stream<T>, hear: (row: T, weight: number) => void): void;
  /** Before the first step, after everything is connected. */
  finalize(): void;
  /** Computes what was sent since the step before. */
  step(): void;
}

export type Totals = [key: unknown, group: { readonly n: number; readonly total: number }];

/** What both libraries have in common, by shape. */
interface Library {
  map(change: unknown): unknown;
  filter(holds: unknown): unknown;
  join(other: unknown, kind: string): unknown;
  groupBy(keyOf: unknown, aggregates: unknown): unknown;
  output(hear: unknown): unknown;
  readonly groupByOperators: { count(): unknown; sum(amountOf: unknown): unknown };
}

interface Piped {
  pipe(operator: unknown): unknown;
}

export function openDataflow(name: DataflowName): Dataflow {
  return name === 'db-ivm' ? openIvm() : openD2ts();
}

// SAFETY of the casts below: a stream is what the library has returned for one, and its operators take it back.
const connecting = (
  library: Library,
  entriesOf: (message: never) => readonly (readonly [unknown, number])[],
): Omit<Dataflow, 'input' | 'finalize' | 'step'> => {
  const pipe = <T>(stream: Stream<unknown>, operator: unknown): Stream<T> =>
    (stream as Piped).pipe(operator) as Stream<T>;
  return {
    map: (stream, change) => pipe(stream, library.map(change)),
    filter: (stream, holds) => pipe(stream, library.filter(holds)),
    join: (left, right) => pipe(left, library.join(right, 'inner')),
    countAndSum: (stream, keyOf, amountOf) => {
      const { count, sum } = library.groupByOperators;
      return pipe(
        stream,
        library.groupBy((row: never) => ({ key: keyOf(row) }), { n: count(), total: sum(amountOf) }),
      );
    },
    output: (stream, hear) => {
      pipe(
        stream,
        library.output((message: never) => {
          for (const [row, weight] of entriesOf(message)) hear(row as never, weight);
        }),
      );
    },
  };
};

function openIvm(): Dataflow {
  const graph = new ivm.D2();
  return {
    // SAFETY: see above.
    ...connecting(ivm as unknown as Library, (message: ivm.MultiSet<unknown>) => message.getInner()),
    input: <T>(): Input<T> => {
      const input = graph.newInput<T>();
      return {
        stream: input as Stream<T>,
        prepare: (rows: readonly T[]) => {
          const set = new ivm.MultiSet<T>(rows.map((row): [T, number] => [row, 1]));
          return () => input.sendData(set);
        },
      };
    },
    finalize: () => graph.finalize(),
    step: () => graph.run(),
  };
}

function openD2ts(): Dataflow {
  const graph = new d2ts.D2({ initialFrontier: 0 });
  const inputs: { sendFrontier(frontier: number): void }[] = [];
  let version = 0;
  const entriesOf = (message: d2ts.Message<unknown>): readonly (readonly [unknown, number])[] =>
    message.type === d2ts.MessageType.DATA ? message.data.collection.getInner() : [];
  return {
    // SAFETY: see above.
    ...connecting(d2ts as unknown as Library, entriesOf),
    input: <T>(): Input<T> => {
      const input = graph.newInput<T>();
      inputs.push(input);
      return {
        stream: input as Stream<T>,
        prepare: (rows: readonly T[]) => {
          const set = new d2ts.MultiSet<T>(rows.map((row): [T, number] => [row, 1]));
          return () => input.sendData(version, set);
        },
      };
    },
    finalize: () => graph.finalize(),
    step: () => {
      version++;
      for (const input of inputs) input.sendFrontier(version);
      graph.run();
    },
  };
}
