// The OpenAPI document, printed from the tables of routes and the few routes whose bodies are streams.
import { isV1Path } from '../v1/v1-problem.ts';
import { platformVersion } from './hosting-start.ts';
import { json, type Route } from './route.ts';

type JsonObject = Readonly<Record<string, unknown>>;

/** Paths that are served before the tables of routes are asked. */
const streams: readonly Pick<Route, 'method' | 'path' | 'summary' | 'query' | 'hasBody' | 'ok' | 'problems'>[] = [
  {
    method: 'POST',
    path: '/v0/pipelines/{pipeline_name}/ingress/{table_name}',
    summary: 'Pushes rows into a table',
    query: { format: 'csv, json, …', update_format: 'of json', array: 'of json', force: 'also while paused' },
    hasBody: true,
    ok: [200],
    problems: [400, 401, 403, 404, 409, 410, 413, 415, 429, 503],
  },
  ...(['GET', 'POST'] as const).map((method) => ({
    method,
    path: '/v0/pipelines/{pipeline_name}/egress/{table_name}',
    summary: 'The changes of a view or table as they happen',
    query: { format: 'csv or json', backpressure: 'wait for slow readers', send_snapshot: 'begin with the contents' },
    ok: [200],
    problems: [400, 401, 403, 404, 409, 413, 415, 429, 503],
  })),
  {
    method: 'GET',
    path: '/v0/pipelines/{pipeline_name}/query',
    summary: 'Ad-hoc SQL over what is materialized',
    query: { sql: 'the query', format: 'text, json, csv, parquet, arrow_ipc or hash' },
    ok: [200],
    problems: [400, 401, 403, 404, 409, 413, 415, 429, 503],
  },
];

export function openApiRoute(routes: readonly Route[]): Route {
  const document = openApi(routes);
  return {
    method: 'GET',
    path: '/openapi.json',
    summary: 'This document',
    access: 'none',
    ok: [200],
    problems: [],
    handle: () => json(200, document),
  };
}

export function openApi(routes: readonly Route[]): JsonObject {
  const paths: Record<string, Record<string, JsonObject>> = {};
  for (const route of [...routes, ...streams]) {
    const operations = paths[route.path] ?? {};
    paths[route.path] = operations;
    operations[route.method.toLowerCase()] = operation(route);
  }
  return {
    openapi: '3.0.3',
    info: { title: 'Millrace', version: platformVersion },
    paths,
    components: {
      schemas: { ErrorResponse: errorSchema, Status: statusSchema },
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } },
    },
  };
}

const errorSchema: JsonObject = {
  type: 'object',
  required: ['message', 'error_code', 'details'],
  properties: { message: { type: 'string' }, error_code: { type: 'string' }, details: {} },
};

/** The problems of `/v1`. */
const statusSchema: JsonObject = {
  type: 'object',
  required: ['code', 'message', 'details'],
  properties: {
    code: { type: 'integer' },
    message: { type: 'string' },
    details: {
      type: 'array',
      items: {
        type: 'object',
        required: ['@type', 'reason', 'domain', 'metadata'],
        properties: {
          '@type': { type: 'string' },
          reason: { type: 'string' },
          domain: { type: 'string' },
          metadata: { type: 'object', additionalProperties: { type: 'string' } },
        },
      },
    },
  },
};

function operation(route: (typeof streams)[number]): JsonObject {
  const inPath = [...route.path.matchAll(/\{([^}]+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));
  const inQuery = Object.entries(route.query ?? {}).map(([name, description]) => ({
    name,
    in: 'query',
    required: false,
    description,
    schema: { type: 'string' },
  }));
  const schema = isV1Path(route.path) ? 'Status' : 'ErrorResponse';
  const problem = { content: { 'application/json': { schema: { $ref: `#/components/schemas/${schema}` } } } };
  // Who may not, who asks too often, and defects can come from every route.
  const problems = [...new Set([...route.problems, 400, 401, 403, 404, 408, 413, 415, 429, 500, 503])].sort(
    (a, b) => a - b,
  );
  return {
    summary: route.summary,
    parameters: [...inPath, ...inQuery],
    ...(route.hasBody === true ? { requestBody: { content: { '*/*': { schema: {} } } } } : {}),
    responses: Object.fromEntries([
      ...route.ok.map((status) => [String(status), { description: 'done' }]),
      ...problems.map((status) => [String(status), { description: 'a problem', ...problem }]),
    ]),
  };
}
