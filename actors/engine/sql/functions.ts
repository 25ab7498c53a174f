// The table of SQL functions: every row, found by name, and the function that computes a bound call.
//
// Rows live in functions-*.ts by subject. To add a function: one row there, and a test.
import { assert } from '../../../runtime/assert.ts';
import type { FunctionCall } from './bound.ts';
import { metadataFunction } from './connector-metadata.ts';
import type { Evaluator, FunctionDefinition, FunctionOverload } from './function-definition.ts';
import { arrayFunctions } from './functions-array.ts';
import { arrayEditingFunctions } from './functions-array-editing.ts';
import { binaryFunctions } from './functions-binary.ts';
import { comparisonFunctions } from './functions-comparison.ts';
import { extractFunctions } from './functions-extract.ts';
import { gatheredFunctions } from './functions-gathered.ts';
import { geometryFunctions } from './functions-geometry.ts';
import { intervalFunctions } from './functions-interval.ts';
import { jsonFunctions } from './functions-json.ts';
import { jsonPathFunctions } from './functions-json-path.ts';
import { lambdaFunctions } from './functions-lambda.ts';
import { mathFunctions } from './functions-math.ts';
import { momentFunctions } from './functions-moments.ts';
import { partsFunctions } from './functions-parts.ts';
import { patternFunctions } from './functions-pattern.ts';
import { relationalFunctions } from './functions-relational.ts';
import { roundingFunctions } from './functions-rounding.ts';
import { stringFunctions } from './functions-string.ts';
import { temporalFunctions } from './functions-temporal.ts';
import { temporalTextFunctions } from './functions-temporal-text.ts';
import { variantFunctions } from './functions-variant.ts';

const table: readonly FunctionDefinition[] = [
  ...stringFunctions,
  ...patternFunctions,
  ...binaryFunctions,
  ...roundingFunctions,
  ...mathFunctions,
  ...comparisonFunctions,
  ...extractFunctions,
  ...temporalFunctions,
  ...temporalTextFunctions,
  ...intervalFunctions,
  ...jsonFunctions,
  ...jsonPathFunctions,
  ...variantFunctions,
  ...arrayFunctions,
  ...relationalFunctions,
  ...arrayEditingFunctions,
  ...lambdaFunctions,
  ...geometryFunctions,
  ...partsFunctions,
  ...gatheredFunctions,
  ...momentFunctions,
];

const byName = new Map<string, FunctionDefinition>();
for (const definition of table) {
  for (const name of [definition.name, ...(definition.aliases ?? [])]) {
    assert(!byName.has(name), `SQL function ${name} is defined once`);
    byName.set(name, definition);
  }
}

/** Every function, for docs. */
export function functionTable(): readonly FunctionDefinition[] {
  return table;
}

/** The row of a function; `name` in lower case, or an alias. */
export function findFunction(name: string): FunctionDefinition | undefined {
  return byName.get(name);
}

/** Every name by which a function can be called. */
export function functionNames(): readonly string[] {
  return [...byName.keys()].filter((name) => /^[a-z]/.test(name));
}

/** A bound call ready to be computed. */
export interface ResolvedFunction {
  /** One value for each operand; never NULL when `strict`. */
  readonly evaluate: Evaluator;
  readonly strict: boolean;
  /** The result may be NULL although no argument is. */
  readonly nullable: boolean;
  readonly canFail: boolean;
}

/** The evaluator of a call; literals among its operands (patterns, time units) are prepared once. */
export function resolveFunction(call: FunctionCall): ResolvedFunction {
  // Metadata that nobody has put in its place.
  if (call.name === metadataFunction) return { evaluate: () => null, strict: false, nullable: true, canFail: false };
  if (call.user !== undefined) {
    const { kind, evaluate, passesNull } = call.user;
    assert(evaluate !== null, `the code of ${call.name} has been loaded`);
    return { evaluate, strict: kind === 'function' && !passesNull, nullable: true, canFail: true };
  }
  const overload = overloadOf(call);
  const { strict, canFail } = overload;
  const nullable = overload.nullable === true;
  if (overload.prepare === undefined) return { evaluate: overload.evaluate, strict, nullable, canFail };
  const evaluate = overload.prepare({
    argumentTypes: call.operands.map((operand) => operand.type),
    resultType: call.type,
    constants: call.operands.map((operand) => (operand.kind === 'literal' ? operand.value : undefined)),
  });
  return { evaluate, strict, nullable, canFail };
}

/** The evaluator of a call, see `resolveFunction`. */
export function evaluatorOf(call: FunctionCall): Evaluator {
  return resolveFunction(call).evaluate;
}

function overloadOf(call: FunctionCall): FunctionOverload {
  const overload = byName.get(call.name)?.overloads[call.overload];
  assert(overload !== undefined, `there is a function ${call.name} with overload ${call.overload}`);
  return overload;
}
