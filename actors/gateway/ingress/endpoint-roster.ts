// The HTTP inputs of one deployment: made at the first request for a table and a format, closed when the deployment ends.
//
// At most `endpointsMax`; another one is refused (429). Requests that come while an endpoint is being opened share the opening.
import { createHash } from 'node:crypto';
import type { Clock } from '../../../runtime/clock.ts';
import type { TableDescription } from '../embedded/control-interface.ts';
import type { Deployment } from '../hosting/deployment.ts';
import { HttpProblem } from '../http/http-problem.ts';
import { IngressEndpoint } from './ingress-endpoint.ts';
import type { IngressRequest } from './ingress-request.ts';

export const endpointsMax = 100;

export class EndpointRoster {
  readonly #deployment: Deployment;
  readonly #clock: Clock;
  readonly #endpoints = new Map<string, Promise<IngressEndpoint>>();
  readonly #opened = new Set<IngressEndpoint>();

  constructor(deployment: Deployment, clock: Clock) {
    this.#deployment = deployment;
    this.#clock = clock;
    const stopListening = deployment.onStatus(() => {
      for (const endpoint of this.#opened) endpoint.wake();
    });
    const end = (): void => {
      stopListening();
      for (const endpoint of this.#opened) {
        deployment.apiInputs.delete(endpoint.endpoint);
        endpoint.close(terminating());
      }
      this.#opened.clear();
    };
    if (deployment.ended.aborted) end();
    else deployment.ended.addEventListener('abort', end, { once: true });
  }

  /** @throws HttpProblem */
  get(table: TableDescription, request: IngressRequest): Promise<IngressEndpoint> {
    const key = `${table.name}\u0000${request.formatKey}`;
    const known = this.#endpoints.get(key);
    if (known !== undefined) return known;
    if (this.#endpoints.size >= endpointsMax) throw tooMany();
    const opening = this.#open(table, request, key);
    this.#endpoints.set(key, opening);
    // What could not be opened may be tried again.
    opening.catch(() => this.#endpoints.delete(key));
    return opening;
  }

  async #open(table: TableDescription, request: IngressRequest, key: string): Promise<IngressEndpoint> {
    const digest = createHash('sha256').update(key).digest('hex').slice(0, 16);
    const name = `${table.name}.api-ingress-${digest}`;
    const endpoint = await IngressEndpoint.open(this.#deployment, table, request, name, this.#clock);
    if (this.#deployment.ended.aborted) {
      endpoint.close(terminating());
      throw terminating();
    }
    const earlier = this.#deployment.apiInputs.get(endpoint.endpoint);
    if (earlier !== undefined) endpoint.goOnCounting(earlier);
    this.#deployment.apiInputs.set(endpoint.endpoint, endpoint);
    this.#opened.add(endpoint);
    return endpoint;
  }
}

/** The pipeline is stopping or has stopped: nothing more is taken. */
export function terminating(): HttpProblem {
  return new HttpProblem({
    status: 410,
    code: 'Terminating',
    message: 'the pipeline is stopping; it takes no more input',
  });
}

function tooMany(): HttpProblem {
  return new HttpProblem({
    status: 429,
    code: 'ApiConnectionLimit',
    message: `the pipeline has ${endpointsMax} HTTP inputs already; use fewer combinations of table and format options`,
    details: { limit: endpointsMax },
  });
}
