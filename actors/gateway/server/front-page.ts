// What somebody sees who opens the address of a server in a browser, or asks it with curl: what it is, and where to go on.
//
// Plain text for everybody, with or without a key: it says nothing of the pipelines that there are.
import { body } from '../http/reply-shape.ts';
import type { Route } from '../http/route.ts';

const page = `This is a Millrace server: streaming SQL, and pipelines of connectors.

  /openapi.json    every route, with what it takes and answers
  /v0/pipelines    pipelines with SQL (Feldera's API)
  /v1/pipelines    pipelines without (Conduit's API)
  /healthz         whether it works
  /metrics         for Prometheus: the server
  /v0/metrics      for Prometheus: pipelines and their connectors

On the command line: millrace ps, millrace sql PIPELINE, millrace help
`;

export const frontPageRoute: Route = {
  method: 'GET',
  path: '/',
  summary: 'Where things are',
  access: 'none',
  ok: { 200: body('text/plain') },
  problems: [],
  handle: () => ({ status: 200, body: page, contentType: 'text/plain' }),
};
