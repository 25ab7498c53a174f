// The routes whose bodies are streams: found by path before anything reads the request, over HTTP and over WebSocket.
import type { IncomingMessage } from 'node:http';
import type { WebSocket } from 'ws';
import type { RawExchange, RawHandler } from '../hosting/deployment.ts';
import type { Access } from '../http/route.ts';

export type SocketHandler = (socket: WebSocket, exchange: Omit<RawExchange, 'response'>) => Promise<void>;

export interface RawRoute {
  readonly verb: 'ingress' | 'egress' | 'query';
  readonly methods: readonly string[];
  readonly access: Access;
  readonly handle: RawHandler;
  /** For WebSocket upgrades of the same path. */
  readonly accept: SocketHandler | null;
}

export interface RawMatch {
  readonly route: RawRoute;
  readonly pipeline: string;
  readonly relation: string;
  /** Shared by requests to the same address: not to be changed. */
  readonly query: URLSearchParams;
}

/** Addresses that are remembered; clients repeat a few. */
const rememberedMax = 1000;
const rememberedLengthMax = 500;

/** Finds routes, and remembers those of inputs: small requests come again and again to one address. */
export class RawRouteFinder {
  readonly #routes: readonly RawRoute[];
  readonly #known = new Map<string, RawMatch>();

  constructor(routes: readonly RawRoute[]) {
    this.#routes = routes;
  }

  find(request: IncomingMessage): RawMatch | null {
    const url = request.url ?? '/';
    const known = request.method === 'POST' ? this.#known.get(url) : undefined;
    if (known !== undefined) return known;
    const found = findRawRoute(this.#routes, request);
    if (found?.route.verb === 'ingress' && request.method === 'POST' && url.length <= rememberedLengthMax) {
      if (this.#known.size >= rememberedMax) this.#known.clear();
      this.#known.set(url, found);
    }
    return found;
  }
}

const pathPattern = /^\/v0\/pipelines\/([^/]+)\/(?:(ingress|egress)\/([^/]+)|(query))$/;

/** null: not one of these paths, or another method. */
export function findRawRoute(routes: readonly RawRoute[], request: IncomingMessage): RawMatch | null {
  const url = request.url ?? '/';
  const mark = url.indexOf('?');
  const found = pathPattern.exec(mark < 0 ? url : url.slice(0, mark));
  if (found === null) return null;
  const [, pipeline = '', verb = 'query', relation = ''] = found;
  const route = routes.find((candidate) => candidate.verb === verb && candidate.methods.includes(request.method ?? ''));
  if (route === undefined) return null;
  try {
    return {
      route,
      pipeline: decodeURIComponent(pipeline),
      relation: decodeURIComponent(relation),
      query: new URLSearchParams(mark < 0 ? '' : url.slice(mark + 1)),
    };
  } catch {
    // A path that is no percent-encoding names nothing.
    return null;
  }
}
