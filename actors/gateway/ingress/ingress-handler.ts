// POST /v0/pipelines/{pipeline}/ingress/{table}: rows from a request's body into a table, a completion token back.
//
// What a query string asks for is remembered by its text, and endpoints by table and format, so that a small request costs
// two look-ups before its body is read. The body itself never passes through here (body-intake.ts).
import { registry } from '../../../connectors/registry.ts';
import type { RegisteredInputFormat } from '../../../connectors/sdk/load-on-use.ts';
import { type Clock, systemClock } from '../../../runtime/clock.ts';
import type { TableDescription } from '../embedded/control-interface.ts';
import type { Deployment, RawExchange, RawHandler } from '../hosting/deployment.ts';
import { relationByPath } from '../hosting/relation-name.ts';
import { HttpProblem } from '../http/http-problem.ts';
import { sendShort } from '../http/short-reply.ts';
import { awaitCompletion } from './await-completion.ts';
import { BodyIntake, type IntakeLimits, intakeLimits } from './body-intake.ts';
import { EndpointRoster, terminating } from './endpoint-roster.ts';
import { type IngressRequest, readIngressRequest } from './ingress-request.ts';

export interface IngressOptions {
  readonly formats?: readonly RegisteredInputFormat[];
  readonly clock?: Clock;
  readonly limits?: IntakeLimits;
}

/** Query strings that are remembered; clients repeat a few. */
const rememberedMax = 1000;

export function makeIngressHandler(options: IngressOptions = {}): RawHandler {
  const formats = options.formats ?? registry.inputFormats;
  const clock = options.clock ?? systemClock;
  const limits = options.limits ?? intakeLimits;
  const rosters = new WeakMap<Deployment, EndpointRoster>();
  const requests = new Map<string, IngressRequest>();

  const requestOf = (exchange: RawExchange): IngressRequest | Promise<IngressRequest> => {
    const url = exchange.request.url ?? '';
    const text = url.slice(url.indexOf('?') + 1);
    const known = requests.get(text);
    if (known !== undefined) return known;
    return readIngressRequest(exchange.query, formats).then((request) => {
      if (requests.size >= rememberedMax) requests.clear();
      requests.set(text, request);
      return request;
    });
  };

  const rosterOf = (deployment: Deployment): EndpointRoster => {
    const known = rosters.get(deployment);
    if (known !== undefined) return known;
    const roster = new EndpointRoster(deployment, clock);
    rosters.set(deployment, roster);
    return roster;
  };

  return async (exchange) => {
    const { deployment, response } = exchange;
    const table: TableDescription = relationByPath(
      deployment.tables,
      exchange.relation,
      'ConfigError.UnknownInputStream',
    );
    const found = requestOf(exchange);
    const request = found instanceof Promise ? await found : found;
    checkState(deployment, request);
    const endpoint = await rosterOf(deployment).get(table, request);
    const { metadata } = request;
    const decoding =
      metadata === null
        ? null
        : endpoint.decodingWith(
            await deployment.call('ingress', (control) => control.defaultsWith(table.name, metadata)),
          );
    const token = await new BodyIntake(endpoint, request, exchange, clock, limits, decoding).run();
    if (request.wait !== 'accepted') await awaitCompletion(deployment, request, token, exchange.signal, clock);
    const body = `{"token":"${token}"}`;
    sendShort(response, 200, ['Content-Type', 'application/json', 'X-Request-Id', exchange.requestId], body);
  };
}

function checkState(deployment: Deployment, request: IngressRequest): void {
  const { state } = deployment.status;
  if (state === 'running') return;
  if (state === 'draining' || state === 'stopped' || state === 'failed') throw terminating();
  if (request.onPaused !== 'error' || request.force) return;
  throw new HttpProblem({
    status: 409,
    code: 'PipelinePaused',
    message: 'the pipeline is paused and the request was made with on_paused=error; nothing was taken',
    details: { state },
  });
}
