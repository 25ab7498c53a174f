// The functions that take a lambda, by name. Nothing here binds or computes them (bind-lambda.ts, functions-lambda.ts).

const lambdaFunctions = [
  'transform',
  'array_exists',
  'variant_map',
  'variant_deep_map',
  'variant_filter',
  'variant_deep_filter',
] as const;

export type LambdaFunction = (typeof lambdaFunctions)[number];

export function isLambdaFunction(name: string): name is LambdaFunction {
  const names: readonly string[] = lambdaFunctions;
  return names.includes(name);
}
