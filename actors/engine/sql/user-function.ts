// Functions and aggregates that users write in JavaScript: what a module exports, and what a program knows of one.
//
// A program carries a handle for each; calls in it refer to the very same objects, which structured clone keeps. On the thread of
// the compiler a handle has no code; the thread that computes loads the module and puts the code in (function-modules.ts). A
// function is taken to be pure: its calls may be computed once, again, or in another order.
// Values are in their public forms (public-values.ts). Not here: binding of calls (bind-user-function.ts).
import { fromPublic, Refusal, toPublic } from '../../../runtime/batch/public-values.ts';
import type { SqlType } from '../../../runtime/batch/sql-type.ts';
import { UserFunctionFailed } from './evaluation-errors.ts';
import type { Evaluator } from './function-definition.ts';
import type { ScalarValue } from './scalar-value.ts';

/** A function of one row. Types are SQL text, such as `DECIMAL(10, 2)` or `VARCHAR ARRAY`. */
export interface FunctionSource {
  readonly name: string;
  readonly parameters: readonly string[];
  readonly result: string;
  /** `null` (default): a NULL argument gives NULL without a call. `pass`: NULL is passed as null. */
  readonly onNull?: 'null' | 'pass';
  // biome-ignore lint/suspicious/noExplicitAny: the arguments have the types that `parameters` says, which TypeScript does not read.
  readonly evaluate: (...values: any[]) => unknown;
}

/** An aggregate: a fold over the values of a group, in no particular order. */
export interface AggregateSource<State = unknown> {
  readonly name: string;
  readonly parameter: string;
  readonly result: string;
  /** `null` (default): NULLs are left out. `pass`: they are folded in as null. */
  readonly onNull?: 'null' | 'pass';
  readonly initial: () => State;
  // biome-ignore lint/suspicious/noExplicitAny: the value has the type that `parameter` says, which TypeScript does not read.
  readonly step: (state: State, value: any) => State;
  readonly finish: (state: State) => unknown;
}

export type FunctionExport =
  | (FunctionSource & { readonly kind: 'sql function' })
  | (AggregateSource & { readonly kind: 'sql aggregate' });

/** `export const slug = defineFunction({ name: 'slug', parameters: ['VARCHAR'], result: 'VARCHAR', evaluate: (text) => … })` */
export function defineFunction(source: FunctionSource): FunctionExport {
  return { ...source, kind: 'sql function' };
}

/** `export const product = defineAggregate({ name: 'product', parameter: 'DOUBLE', result: 'DOUBLE', initial: () => 1, … })` */
export function defineAggregate<State>(source: AggregateSource<State>): FunctionExport {
  // SAFETY: `step` and `finish` are only given what `initial` and `step` of the same aggregate have made.
  return { ...(source as AggregateSource), kind: 'sql aggregate' };
}

/** What a program knows of a function. Data, apart from `evaluate`. */
export interface UserFunction {
  readonly kind: 'function' | 'aggregate';
  /** Lower case. */
  readonly name: string;
  /** The file of the module, absolute. */
  readonly module: string;
  /** An aggregate has one. */
  readonly parameters: readonly SqlType[];
  readonly result: SqlType;
  readonly passesNull: boolean;
  /** Null until the thread that computes has loaded the module. */
  evaluate: Evaluator | null;
}

/** The code behind a handle, from values of cells to values of cells. */
export function userEvaluator(handle: UserFunction, code: FunctionExport): Evaluator {
  const compute = code.kind === 'sql function' ? scalarCode(handle, code) : foldCode(handle, code);
  return (...values) => {
    let made: unknown;
    try {
      made = compute(values);
    } catch (cause) {
      const detail = cause instanceof Error ? cause.message : String(cause);
      throw new UserFunctionFailed({ function: handle.name, detail }, { cause });
    }
    if (made === undefined || made === null) return null;
    const cell = fromPublic(made, handle.result);
    if (cell instanceof Refusal) {
      throw new UserFunctionFailed({ function: handle.name, detail: `its result is wrong: ${cell.reason}` });
    }
    return cell;
  };
}

type Compute = (values: readonly ScalarValue[]) => unknown;

function scalarCode({ parameters }: UserFunction, { evaluate }: FunctionSource): Compute {
  return (values) => evaluate(...parameters.map((type, i) => toPublic(values[i] ?? null, type, {})));
}

/** All values of the group have been gathered in an array; NULL stands for none. */
function foldCode({ parameters, passesNull }: UserFunction, code: AggregateSource): Compute {
  const type: SqlType = { kind: 'ARRAY', element: parameters[0] ?? { kind: 'NULL' } };
  return ([array]) => {
    const values = toPublic(array ?? null, type, {});
    let state = code.initial();
    for (const value of Array.isArray(values) ? values : []) {
      if (value !== null || passesNull) state = code.step(state, value);
    }
    return code.finish(state);
  };
}
