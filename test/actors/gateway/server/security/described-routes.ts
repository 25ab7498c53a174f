// The routes of a server as its /openapi.json lists them, for tests that go through all of them.
import type { Schema } from '../described-reply.ts';

export interface DescribedRoute {
  readonly method: string;
  /** With `{names}` in braces. */
  readonly path: string;
  readonly query: readonly string[];
  readonly hasBody: boolean;
  readonly statuses: readonly number[];
  /** The name of what problems look like. */
  readonly problem: string;
  /** Bodies of replies by status and content type. */
  readonly bodies: Readonly<Record<number, Readonly<Record<string, { readonly schema: Schema }>>>>;
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
  readonly content?: Readonly<Record<string, { readonly schema: Schema }>>;
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
      problem:
        String(operation.responses['400']?.content?.['application/json']?.schema['$ref']).split('/').at(-1) ?? '',
      bodies: Object.fromEntries(
        Object.entries(operation.responses).map(([status, { content = {} }]) => [Number(status), content]),
      ),
    })),
  );
}

/** With the same text for every name in braces. */
export function pathOf(route: DescribedRoute, text: string): string {
  return route.path.replaceAll(/\{[^}]+\}/g, text);
}
