// The OpenAPI document, printed from the tables of routes and the few routes whose bodies are streams.

import { platformVersion } from '../hosting/hosting.ts';
import {
  anyObject,
  body,
  flag,
  type JsonSchema,
  list,
  object,
  type ReplyBody,
  text,
  whole,
} from '../http/reply-shape.ts';
import { json, type Route } from '../http/route.ts';
import { isV1Path } from '../v1/v1-problem.ts';

type JsonObject = JsonSchema;

/** What a listener reads: rows, or nothing but a sign of life. */
const chunkShape = object(
  { sequence_number: whole },
  {
    snapshot: flag,
    json_data: list(anyObject),
    text_data: text,
    processed_steps: whole,
    incarnation: text,
    snapshot_end: flag,
  },
);

type Described = Pick<Route, 'method' | 'path' | 'summary' | 'query' | 'hasBody' | 'ok' | 'problems'>;

const refused = [400, 401, 403, 404, 409, 413, 415, 429, 503];

/** Paths that are served before the tables of routes are asked. */
const streams: readonly Described[] = [
  {
    method: 'POST',
    path: '/v0/pipelines/{pipeline_name}/ingress/{table_name}',
    summary: 'Pushes rows into a table',
    query: {
      format: 'csv (default), json, …',
      update_format: 'of json: raw, insert_delete (default), weighted',
      array: 'of json: each value is an array of records',
      force: 'also while paused',
      on_paused: 'wait (default) or error',
      timeout_ms: 'how long to wait for a paused pipeline, or for room',
      atomic: 'all or nothing',
      wait: 'accepted (default), processed or delivered',
    },
    hasBody: true,
    ok: { 200: object({ token: text }) },
    problems: [...refused, 410],
  },
  ...(['GET', 'POST'] as const).map((method) => ({
    method,
    path: '/v0/pipelines/{pipeline_name}/egress/{table_name}',
    summary: 'The changes of a view or table as they happen: one JSON object a line',
    query: { format: 'csv or json', backpressure: 'wait for slow readers', send_snapshot: 'begin with the contents' },
    ok: { 200: body('application/json', chunkShape) },
    problems: refused,
  })),
  {
    method: 'GET',
    path: '/v0/pipelines/{pipeline_name}/query',
    summary: 'Ad-hoc SQL over what is materialized; JSON is one object a line',
    query: { sql: 'the query', format: 'text, json, csv, parquet, arrow_ipc or hash' },
    ok: { 200: body('text/plain', anyObject) },
    problems: refused,
  },
];

export function openApiRoute(routes: readonly Route[]): Route {
  const document = openApi(routes);
  return {
    method: 'GET',
    path: '/openapi.json',
    summary: 'This document',
    access: 'none',
    ok: { 200: anyObject },
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

function operation(route: Described): JsonObject {
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
      ...Object.entries(route.ok).map(([status, reply]) => [status, success(reply)]),
      ...problems.map((status) => [String(status), { description: 'a problem', ...problem }]),
    ]),
  };
}

function success(reply: ReplyBody): JsonObject {
  if ('schema' in reply) return { description: 'done', content: jsonContent(reply.schema) };
  const { contentType, json } = reply;
  if (contentType === null) return { description: 'done, without a body' };
  const other = { [contentType]: { schema: { type: 'string', format: 'binary' } } };
  return { description: 'done', content: { ...other, ...(json === null ? {} : jsonContent(json.schema)) } };
}

function jsonContent(schema: JsonSchema): JsonObject {
  return { 'application/json': { schema } };
}
