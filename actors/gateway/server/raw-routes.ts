// The routes whose bodies are streams: found by path before anything reads the request, over HTTP and over WebSocket.
import type { IncomingMessage } from 'node:http';
import type { WebSocket } from 'ws';
import type { RawExchange, RawHandler } from '../hosting/deployment.ts';
import type { Access } from './route.ts';

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
  readonly query: URLSearchParams;
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
