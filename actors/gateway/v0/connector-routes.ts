// Connectors of a pipeline that runs: started and paused by hand, looked at, added and removed.
//
// The segment of a table or view is a SQL identifier (hosting/relation-name.ts), a connector's name is taken as it stands.
import type { Direction } from '../../supervisor/messages.ts';
import type { HostedPipeline } from '../hosting/hosted-pipeline.ts';
import type { Hosting } from '../hosting/hosting.ts';
import type { LiveDeployment } from '../hosting/live-deployment.ts';
import { relationByPath } from '../hosting/relation-name.ts';
import { HttpProblem } from '../http/http-problem.ts';
import { anyObject, nothing, object, text } from '../http/reply-shape.ts';
import { json, type Route, type RouteRequest } from '../http/route.ts';
import {
  apiInputStatus,
  apiOutputStatus,
  inputShape,
  inputStatus,
  outputShape,
  outputStatus,
} from './endpoint-status.ts';

interface Side {
  readonly direction: Direction;
  readonly folder: 'tables' | 'views';
  readonly parameter: 'table_name' | 'view_name';
}

const sides: readonly Side[] = [
  { direction: 'input', folder: 'tables', parameter: 'table_name' },
  { direction: 'output', folder: 'views', parameter: 'view_name' },
];

const connectorShape = object({ endpoint_name: text, config: anyObject });

export function connectorRoutes(hosting: Hosting): readonly Route[] {
  return [...sides.flatMap((side) => sideRoutes(hosting, side)), tokenRoute(hosting)];
}

function sideRoutes(hosting: Hosting, side: Side): readonly Route[] {
  const path = `/v0/pipelines/{pipeline_name}/${side.folder}/{${side.parameter}}/connectors/{connector_name}`;
  const problems = [400, 404, 409, 503];
  return [
    {
      method: 'GET',
      path: `${path}/stats`,
      summary: `Counters of an ${side.direction} connector`,
      access: 'read',
      ok: { 200: side.direction === 'input' ? inputShape : outputShape },
      problems,
      handle: async (request) => {
        const { deployment, endpoint } = connectorOf(hosting, side, request);
        if (side.direction === 'input') {
          const api = deployment.apiInputs.get(endpoint);
          if (api !== undefined) return json(200, apiInputStatus(api, true));
          assertKnown(deployment, side, endpoint);
          const stats = await deployment.call('stats', (control) => control.inputStats(endpoint));
          return json(200, inputStatus(stats, true));
        }
        const api = deployment.apiOutputs.get(endpoint);
        if (api === undefined) assertKnown(deployment, side, endpoint);
        const [output, stats] = await Promise.all([
          api === undefined ? deployment.call('stats', (control) => control.outputStats(endpoint)) : null,
          deployment.call('stats', (control) => control.stats()),
        ]);
        if (api !== undefined) return json(200, apiOutputStatus(api, stats));
        return json(200, output === null ? undefined : outputStatus(output, { deployment, withErrors: true }));
      },
    },
    {
      method: 'POST',
      path: `${path}/{action}`,
      summary: `Starts or pauses an ${side.direction} connector`,
      access: 'write',
      ok: { 200: nothing },
      problems,
      handle: async (request) => {
        const action = request.params['action'] ?? '';
        if (action !== 'start' && action !== 'pause') {
          throw new HttpProblem({
            status: 400,
            code: 'InvalidConnectorAction',
            message: `there is no action '${action}' of a connector: start and pause are possible`,
            details: { action },
          });
        }
        const { pipeline, deployment, endpoint } = connectorOf(hosting, side, request);
        assertKnown(deployment, side, endpoint);
        await deployment.call(`${action} connector`, (control) =>
          action === 'pause' ? control.pauseConnector(endpoint) : control.resumeConnector(endpoint),
        );
        pipeline.notePause({ direction: side.direction, endpoint }, action === 'pause');
        return json(200, undefined);
      },
    },
    {
      method: 'PUT',
      path,
      summary: `Adds an ${side.direction} connector to a pipeline that runs, or replaces it`,
      access: 'write',
      hasBody: true,
      ok: { 200: connectorShape, 201: connectorShape },
      problems,
      handle: async (request) => {
        const { pipeline, deployment, endpoint, relation, name } = connectorOf(hosting, side, request);
        const { body } = request;
        if (typeof body !== 'object' || body === null || Array.isArray(body)) {
          throw new HttpProblem({ status: 400, code: 'InvalidParam', message: 'the body is no JSON object' });
        }
        const isKnown = isConnector(deployment, side, endpoint);
        const definition = { ...body, stream: relation };
        if (isKnown) {
          // What is refused now leaves the old one as it is.
          await deployment.call('check connector', (control) =>
            control.checkConnector(side.direction, name, definition, endpoint),
          );
          await deployment.call('remove connector', (control) => control.removeConnector(side.direction, endpoint));
        }
        await deployment.call('add connector', (control) => control.addConnector(side.direction, name, definition));
        pipeline.noteConnector({ direction: side.direction, endpoint, name, definition });
        await pipeline.save();
        return json(isKnown ? 200 : 201, { endpoint_name: endpoint, config: definition });
      },
    },
    {
      method: 'DELETE',
      path,
      summary: `Removes an ${side.direction} connector from a pipeline that runs`,
      access: 'write',
      ok: { 200: nothing },
      problems,
      handle: async (request) => {
        const { pipeline, deployment, endpoint, name } = connectorOf(hosting, side, request);
        assertKnown(deployment, side, endpoint);
        await deployment.call('remove connector', (control) => control.removeConnector(side.direction, endpoint));
        pipeline.noteConnector({ direction: side.direction, endpoint, name, definition: null });
        await pipeline.save();
        return json(200, undefined);
      },
    },
  ];
}

function tokenRoute(hosting: Hosting): Route {
  return {
    method: 'GET',
    path: '/v0/pipelines/{pipeline_name}/tables/{table_name}/connectors/{connector_name}/completion_token',
    summary: 'A token for everything that an input connector has sent so far',
    access: 'read',
    ok: { 200: object({ token: text }) },
    problems: [404, 503],
    handle: async (request) => {
      const side: Side = { direction: 'input', folder: 'tables', parameter: 'table_name' };
      const { deployment, endpoint } = connectorOf(hosting, side, request);
      assertKnown(deployment, side, endpoint);
      const token = await deployment.call('completion token', (control) => control.connectorToken(endpoint));
      return json(200, { token });
    },
  };
}

function connectorOf(
  hosting: Hosting,
  side: Side,
  request: RouteRequest,
): {
  readonly pipeline: HostedPipeline;
  readonly deployment: LiveDeployment;
  readonly endpoint: string;
  readonly relation: string;
  readonly name: string;
} {
  const pipeline = hosting.pipelines.get(request.params['pipeline_name'] ?? '');
  const deployment = pipeline.deployed();
  const segment = request.params[side.parameter] ?? '';
  const name = request.params['connector_name'] ?? '';
  const relations = side.direction === 'input' ? deployment.tables : [...deployment.views, ...deployment.tables];
  const relation = findRelation(relations, segment, side, name);
  return { pipeline, deployment, endpoint: `${relation}.${name}`, relation, name };
}

function findRelation(relations: readonly { readonly name: string }[], segment: string, side: Side, name: string) {
  try {
    return relationByPath(
      relations,
      segment,
      side.direction === 'input' ? 'ConfigError.UnknownInputStream' : 'ConfigError.UnknownOutputStream',
    ).name;
  } catch (error) {
    if (error instanceof HttpProblem) throw unknownEndpoint(side, `${segment}.${name}`, error.message);
    throw error;
  }
}

function isConnector(deployment: LiveDeployment, side: Side, endpoint: string): boolean {
  return deployment.status.connectors.some(
    (connector) => connector.direction === side.direction && connector.endpoint === endpoint,
  );
}

function assertKnown(deployment: LiveDeployment, side: Side, endpoint: string): void {
  if (!isConnector(deployment, side, endpoint))
    throw unknownEndpoint(side, endpoint, `there is no ${side.direction} connector '${endpoint}'`);
}

function unknownEndpoint(side: Side, endpoint: string, message: string): HttpProblem {
  const code = side.direction === 'input' ? 'UnknownInputEndpoint' : 'UnknownOutputEndpoint';
  return new HttpProblem({ status: 404, code, message, details: { endpoint_name: endpoint } });
}
