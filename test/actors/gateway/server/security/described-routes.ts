// The routes of a server as its /openapi.json lists them, for tests that go through all of them.
export interface DescribedRoute {
  readonly method: string;
  /** With `{names}` in braces. */
  readonly path: string;
  readonly query: readonly string[];
  readonly hasBody: boolean;
  readonly statuses: readonly number[];
  /** The name of what problems look like. */
  readonly problem: string;
}

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

interface Operation {
  readonly parameters: readonly { readonly name: string; readonly in: string }[];
  readonly requestBody?: object;
  readonly responses: Readonly<Record<string, Reply>>;
}

interface Reply {
  readonly content?: { readonly 'application/json': { readonly schema: { readonly $ref: string } } };
}

export async function describedRoutes(url: string): Promise<readonly DescribedRoute[]> {
  const response = await fetch(`${url}/openapi.json`);
  // SAFETY: the form of an OpenAPI document; a wrong one fails the test.
  const document = (await response.json()) as Document;
  return Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, operation]) => ({
      method: method.toUpperCase(),
      path,
      query: operation.parameters.filter((parameter) => parameter.in === 'query').map(({ name }) => name),
      hasBody: operation.requestBody !== undefined,
      statuses: Object.keys(operation.responses).map(Number),
      problem: operation.responses['400']?.content?.['application/json'].schema.$ref.split('/').at(-1) ?? '',
    })),
  );
}

/** With the same text for every name in braces. */
export function pathOf(route: DescribedRoute, text: string): string {
  return route.path.replaceAll(/\{[^}]+\}/g, text);
}
