// One route of the JSON interface as data: what it answers to, what it needs, and what it does. The server mounts the
// tables of routes, the OpenAPI document is printed from them.
import type { ServerResponse } from 'node:http';
import type { Principal } from './principal.ts';
import type { ReplyBody } from './reply-shape.ts';

export type Access = 'none' | 'read' | 'write' | 'ingest' | 'admin';

export interface RouteRequest {
  /** Decoded path segments by the names in the path. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** Parsed JSON; undefined without a body. */
  readonly body: unknown;
  readonly requestId: string;
  /** Whom the server has found behind the request; null on routes that anybody may call. */
  readonly principal: Principal | null;
  /** Aborted when the client has gone or the server shuts down. */
  readonly signal: AbortSignal;
}

export interface RouteReply {
  readonly status: number;
  /** JSON unless `contentType` says otherwise. undefined: no body. */
  readonly body?: unknown;
  /** With it `body` is text or bytes as they stand. */
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Writes the body itself, chunk by chunk, after the head is sent. */
  readonly stream?: (response: ServerResponse, signal: AbortSignal) => Promise<void>;
}

export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** As OpenAPI writes it: `/v0/pipelines/{pipeline_name}`. */
  readonly path: string;
  readonly summary: string;
  readonly access: Access;
  /** Names of query parameters and what they mean. Others are ignored. */
  readonly query?: Readonly<Record<string, string>>;
  /** The pipeline that a path is about, where it does not name it itself; null: none. */
  pipelineOf?(params: Readonly<Record<string, string>>): string | null;
  /** It answers with what the caller may see: keys of single pipelines may ask. */
  readonly isFiltered?: boolean;
  /** Whether a JSON body is read. */
  readonly hasBody?: boolean;
  /** Successful replies by status. */
  readonly ok: Readonly<Record<number, ReplyBody>>;
  /** Statuses of the problems that it tells of. */
  readonly problems: readonly number[];
  handle(request: RouteRequest): RouteReply | Promise<RouteReply>;
}

/** A reply in JSON. */
export function json(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): RouteReply {
  return { status, body, headers };
}
